"""Start the web server, Granian, and end it in order.

The main process binds nothing itself: it checks, starts the workers, and waits. Each worker is a process with an
event loop and one application, which the main process hands over as a value (`serve`).

What an end looks like, from SIGTERM or SIGINT to the main process on:

1. Granian tells each worker, which takes no further connections, closes the idle ones and answers the requests in
   flight; then the application's lifespan ends (it closes the database), and the process.
2. A connection that holds half a request would keep Granian waiting. So before the grace time is over the main
   process sends SIGUSR1 to the workers that are left: their application's lifespan ends at once, and the process.
3. What is left after the grace time is killed.

A worker whose main process has disappeared ends itself like on SIGTERM, so that none is left on the port.

Signals come when they like: twice (Ctrl-C is pressed again, and reaches the workers too), or while a worker starts.
Granian's worker would hang on the second, and its event loop overhears what comes between its two runs. So a worker
blocks the two signals until it serves, and hands on the first of them only (`_told_once`).
"""

import asyncio
import errno
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from functools import partial
from multiprocessing import parent_process
from tempfile import TemporaryDirectory
from threading import Timer
from typing import NoReturn

from granian import _signals
from granian._granian import WorkerSignal
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

from wherry.asgi import Application, Message, Receive, Scope, Send
from wherry.config import Settings
from wherry.errors import StartError
from wherry.metrics import RUNTIME_DIRECTORY

#: Milliseconds for the head of a request to arrive. For Granian the time between two requests of a connection counts
#: too, so it is longer than what proxies keep an idle connection for (nginx: 60 s): they should close it, not we.
HEAD_TIMEOUT = 75_000
#: The largest head of a request, and what is read ahead of a body, in bytes.
READ_AHEAD = 64 * 1024
#: Connections that wait to be accepted; and those that each worker holds, idle ones too (what Granian calls
#: backpressure counts connections). More of them wait until one is closed.
BACKLOG = 2048
MOST_CONNECTIONS = 10_000
#: The part of the grace time after which the workers get their last call.
LAST_CALL = 0.75

_ENDS = (signal.SIGINT, signal.SIGTERM)

Build = Callable[[Settings], Application]


def serve(settings: Settings, build: Build) -> None:
    """Answer requests on the settings' address until told to end; `build` makes each worker's application.

    Raises SystemExit with 1 when a worker cannot start or has died for good, and StartError where several workers
    have no place to put their metrics together.
    """
    with ExitStack() as stack:
        if settings.workers > 1:
            try:
                directory = stack.enter_context(TemporaryDirectory(prefix="wherry-"))
            except OSError as error:
                raise StartError(f"Several workers need a folder for temporary files: {error.strerror}.") from error
            os.environ[RUNTIME_DIRECTORY] = directory
        _allow_connections()
        _Server(settings).serve(target_loader=partial(_worker_application, settings, build), wrap_loader=False)


def _allow_connections() -> None:
    """Raise the number of files that the process may open, which many systems set low, as far as it is allowed."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def listening_address(host: str, port: int) -> tuple[str, int]:
    """Return the numeric address and port to listen on; a port of 0 becomes a free one.

    Raises StartError for a host that has no address here, and for a port that cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise StartError(f"HOST is {host!r}, which has no address.") from error
    with socket.socket(family, kind, protocol) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(address)
        except PermissionError as error:
            raise StartError(f"Port {port} needs more rights than this user has: choose one above 1023.") from error
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise StartError(f"Port {port} is in use on {host}: choose another, or end what uses it.") from error
            raise StartError(f"It is not possible to listen on {host}, port {port}: {error.strerror}.") from error
        name = trial.getsockname()
    return str(name[0]), int(name[1])


class _Server(MPServer):
    """Granian's server that gives its workers a last call before it kills them."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            "wherry",  # not used: the application comes from the loader that serve() is given
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGI,
            workers=settings.workers,
            runtime_threads=1,
            loop=Loops.uvloop,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=HEAD_TIMEOUT, max_buffer_size=READ_AHEAD),
            websockets=False,
            backlog=BACKLOG,
            backpressure=MOST_CONNECTIONS,
            log_enabled=False,
            respawn_failed_workers=settings.workers > 1,
            workers_kill_timeout=settings.shutdown_grace,
        )
        self._grace = settings.shutdown_grace
        # To Granian, a worker that dies within seconds of being respawned is a crash loop, which ends the server;
        # one that dies within seconds of the start is no better.
        self.respawned_wrks.update(dict.fromkeys(range(settings.workers), time.monotonic()))

    def signal_handler_reload(self, *arguments: object, **options: object) -> None:
        """End on SIGHUP, as when a terminal is closed: there is nothing to reload by hand."""
        self.signal_handler_interrupt()  # type: ignore[no-untyped-call]  # Granian leaves its methods untyped

    def shutdown(self, exit_code: int = 0) -> None:
        """Tell the workers to end, and late in the grace time those that are left to end at once."""
        if self.interrupt_signal:  # a signal to all processes may have ended workers already: no failure of theirs
            for worker in self.wrks:
                worker.interrupt_by_parent = True
            self.interrupt_children.clear()
        last_call = Timer(self._grace * LAST_CALL, self._call_last)
        last_call.daemon = True
        last_call.start()
        try:
            super().shutdown(exit_code)  # type: ignore[no-untyped-call]
        finally:
            last_call.cancel()

    def _call_last(self) -> None:
        for worker in list(self.wrks):
            if worker.is_alive():  # type: ignore[no-untyped-call]
                with suppress(ProcessLookupError):
                    os.kill(worker.inner.pid, signal.SIGUSR1)


class _Worker:
    """The application of one process, whose lifespan a last call or the end of the main process can end as well.

    `grace` is in seconds.
    """

    def __init__(self, application: Application, grace: int) -> None:
        self._application = application
        self._grace = grace
        self._last_call = asyncio.Event()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # Not a coroutine function: each request would pay for a second coroutine.
        if scope["type"] == "lifespan":
            return self._live(scope, receive, send)
        return self._application(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self._last_call.set)
        if (parent := parent_process()) is not None:
            loop.add_reader(parent.sentinel, self._end_alone, loop, parent.sentinel)
        try:
            await self._application(scope, partial(self._receive, receive), partial(_send, loop, send))
        except StartError as error:
            _leave(1, str(error))
        if self._last_call.is_set():
            _leave(0)

    async def _receive(self, receive: Receive) -> Message:
        """Return the next word to the lifespan: Granian's, or shutdown on the last call."""
        told = asyncio.ensure_future(receive())
        called = asyncio.ensure_future(self._last_call.wait())
        await asyncio.wait((told, called), return_when=asyncio.FIRST_COMPLETED)
        called.cancel()
        if told.done():
            return told.result()
        told.cancel()
        return {"type": "lifespan.shutdown"}

    def _end_alone(self, loop: asyncio.AbstractEventLoop, sentinel: int) -> None:
        loop.remove_reader(sentinel)
        loop.call_later(self._grace * LAST_CALL, self._last_call.set)
        os.kill(os.getpid(), signal.SIGTERM)


def _worker_application(settings: Settings, build: Build) -> _Worker:
    """Build the application in the worker's process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    _signals.set_loop_signals = _told_once
    try:
        return _Worker(build(settings), settings.shutdown_grace)
    except StartError as error:
        print(f"wherry: {error}", file=sys.stderr)
        sys.exit(1)


def _told_once(loop: asyncio.AbstractEventLoop) -> WorkerSignal:
    """Take the place of Granian's function that tells a worker of its end, each time it is told."""
    event = WorkerSignal()
    untold = [event]

    def tell() -> None:
        if untold:
            untold.pop().set()

    for number in _ENDS:
        loop.add_signal_handler(number, tell)
    return event


async def _send(loop: asyncio.AbstractEventLoop, send: Send, message: Message) -> None:
    if message["type"] == "lifespan.startup.complete":
        # By then Granian has started the loop again, to serve.
        loop.call_later(0.05, signal.pthread_sigmask, signal.SIG_UNBLOCK, _ENDS)
    if message["type"] == "lifespan.startup.failed":
        _leave(1, message.get("message", "The application cannot start."))
    await send(message)


def _leave(code: int, sentence: str = "") -> NoReturn:
    """End the process out of the event loop, at once: Granian would still wait for its connections."""
    if sentence:
        print(f"wherry: {sentence}", file=sys.stderr)
    # Else the loop would say that nobody has taken the SystemExit of the lifespan's task.
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    sys.exit(code)
