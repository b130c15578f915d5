"""Several processes that serve one port: started, kept in number, and told to end.

Each worker is forked, not spawned: it starts in milliseconds, shares the memory of all that is imported already, and
takes the application's builder as it is. That is safe here, as the main process has no threads, no event loop and no
open database when it forks.

Each worker listens on a socket of its own with SO_REUSEPORT, so that the kernel spreads the connections evenly (with
one socket for all, a worker that is awake takes most of them, and keeps them). The main process holds the sockets
too: what waits in the queue of a worker that dies is answered by its successor. Where the kernel does not spread
(it does on Linux), all listen on one socket.

A worker that dies is replaced, unless workers die faster than can be an accident, or its file was replaced. A worker
whose main process has disappeared ends itself, as it would on SIGTERM; so that it notices, each has the end of a pipe
that only the main process keeps open.
"""

import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess

from wherry.config import Settings
from wherry.errors import FileReplaced, StartError
from wherry.worker import ENDS, Build, work

#: More deaths than this in so many seconds, for each worker, are no accident.
_DEATHS, _SECONDS = 5, 10
#: The exit code of a worker whose file was replaced.
_FILE_REPLACED = 70
#: Seconds after the grace time in which workers end themselves.
_LATE = 1


@dataclass(slots=True)
class _Worker:
    """A worker's process; `report` is where it says that it serves (None), or why it cannot (a sentence)."""

    number: int
    process: ForkProcess
    report: Connection


class Supervisor:
    """The main process of several workers; a class because it keeps their number."""

    def __init__(
        self, settings: Settings, build: Build, listeners: list[socket.socket], serves: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._build = build
        self._serves = serves
        self._listeners = listeners
        self._workers: dict[int, _Worker] = {}
        self._deaths: deque[float] = deque(maxlen=_DEATHS * settings.workers)
        self._has_served = False
        self._is_ending = False
        self._patience: float | None = None  #: when the workers that are left are killed
        self._failure: str | None = None
        self._orphaned, self._alive = os.pipe()

    def run(self) -> None:
        """Serve until told to end, or until it makes no sense any more. Raises StartError."""
        with _heard() as heard:
            for number in range(self._settings.workers):
                self._start(number)
            while self._workers:
                self._watch(heard)
        os.close(self._alive)
        os.close(self._orphaned)
        if self._failure is not None:
            raise StartError(self._failure)

    def _watch(self, heard: socket.socket) -> None:
        """Wait for something to happen, and see to it."""
        workers = list(self._workers.values())
        reports = [worker.report for worker in workers if not worker.report.closed]
        patience = None if self._patience is None else max(self._patience - time.monotonic(), 0)
        happened = wait([heard, *reports, *(worker.process.sentinel for worker in workers)], patience)
        # A signal may have come after the look at `heard`: asked again, lest a worker that it has ended be replaced.
        with suppress(BlockingIOError):
            heard.recv(4096)
            self._end()
        for worker in workers:
            if worker.report in happened:
                self._hear(worker)
        for worker in workers:
            if worker.process.sentinel in happened:
                self._lose(worker)
        if not happened:
            for worker in self._workers.values():
                worker.process.kill()

    def _start(self, number: int) -> None:
        context = get_context("fork")
        report, reporter = context.Pipe(duplex=False)
        process = context.Process(target=self._work, args=(number, reporter))
        # The worker unblocks them when it can take them.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
        reporter.close()
        self._workers[number] = _Worker(number, process, report)

    def _work(self, number: int, reporter: Connection) -> None:
        """Be a worker; in its process."""
        signal.set_wakeup_fd(-1)
        os.close(self._alive)
        own = self._listeners[number]
        for listener in self._listeners:
            if listener is not own:
                listener.close()

        def say(sentence: str | None) -> None:
            with suppress(OSError):
                reporter.send(sentence)
            reporter.close()

        try:
            work(self._settings, self._build, own, serves=lambda: say(None), orphaned=self._orphaned)
        except FileReplaced:
            sys.exit(_FILE_REPLACED)
        except StartError as error:
            say(str(error))
            sys.exit(1)

    def _hear(self, worker: _Worker) -> None:
        """Take a worker's report; there is none of one that dies before it serves, or is told to end."""
        sentence = None
        with suppress(EOFError, OSError):
            sentence = worker.report.recv()
            if sentence is None and not self._has_served:
                self._has_served = True
                self._serves()
        worker.report.close()
        if sentence is not None and not self._has_served and not self._is_ending:
            self._failure = sentence
            self._end()

    def _lose(self, worker: _Worker) -> None:
        """Replace a worker that has ended, or give up."""
        worker.process.join()
        worker.report.close()
        del self._workers[worker.number]
        if self._is_ending:
            return
        if worker.process.exitcode == _FILE_REPLACED:  # none may open the new file while another has the old one's log
            self._failure = str(FileReplaced(self._settings.database))
            self._end()
            return
        now = time.monotonic()
        is_too_often = len(self._deaths) == self._deaths.maxlen and now - self._deaths[0] < _SECONDS
        self._deaths.append(now)
        if is_too_often or not self._has_served:
            self._failure = f"The workers end as soon as they have started (exit code {worker.process.exitcode})."
            self._end()
        else:
            self._start(worker.number)

    def _end(self) -> None:
        """Tell the workers to end: again, if they have been told."""
        if not self._is_ending:
            self._is_ending = True
            self._patience = time.monotonic() + self._settings.shutdown_grace + _LATE
            for listener in self._listeners:
                listener.close()
        for worker in self._workers.values():
            worker.process.terminate()


@contextmanager
def _heard() -> Iterator[socket.socket]:
    """Return a socket that is readable when a signal to end has come."""
    heard, written = socket.socketpair()
    heard.setblocking(False)
    written.setblocking(False)
    with heard, written:
        before = {number: signal.signal(number, lambda *_: None) for number in ENDS}
        signal.set_wakeup_fd(written.fileno())
        try:
            yield heard
        finally:
            # The process only ends now.
            signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
            signal.set_wakeup_fd(-1)
            for number, handler in before.items():
                signal.signal(number, handler)
