"""The writer: one thread gathers the writes that wait into one transaction and answers when it is durable.

Theory. A commit waits for the disk, so writes that come meanwhile share the next commit. Each write stays atomic
by itself: a savepoint where it has several statements, rows or expectations; SQLite's own undoing of a failed
statement where it has one. The cases:

1. A write that SQLite refuses, or that breaks an expectation, is undone and gets its error; the others go on.
2. Some errors undo the whole transaction (RAISE(ROLLBACK), a full disk, an interrupt). Then the offender gets its
   error, the others that had run are run again in a new transaction, and that one is committed before any more.
3. A deferred foreign key would fail the commit of everybody; it is looked at after each write.
4. Where the commit fails, everybody gets an error: nothing of it is in the file.
5. A write whose caller gave up, or that waited too long, before it was begun is never begun: who claims it first,
   the thread or the caller, decides.

Large writes are committed alone and take turns with the small ones, so that neither holds up the other for long.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from threading import Thread
from time import perf_counter
from typing import Final

from wherry.errors import DatabaseBusy
from wherry.observe import TransactionRun, UnexpectedError
from wherry.sqlite.batch import Batch, Job
from wherry.sqlite.checkpoints import Checkpoints
from wherry.sqlite.on_loop import LoopEmit, call_threadsafe, settle
from wherry.sqlite.refusals import busy, refusal, stopping
from wherry.sqlite.turn import Turn
from wherry.statement import WriteResult, WriteTransaction

#: Writes that may wait.
WAITING_WRITES: Final = 4096

#: Small writes that share a commit at most.
BATCH_JOBS: Final = 256

#: Seconds without a write after which the log is checkpointed.
IDLE: Final = 1.0

#: Seconds that a caller waits beyond the busy timeout.
_MARGIN: Final = 0.5


class Writer:
    """The writing thread of a process and what waits for it; `write` and `close` belong to one event loop.

    A write waits at most `patience` seconds (and a margin) to be begun. `close_connection` is called by the thread
    at its end.
    """

    def __init__(
        self,
        batch: Batch,
        turn: Turn,
        checkpoints: Checkpoints,
        *,
        patience: float,
        close_connection: Callable[[], None],
        emit: LoopEmit,
    ) -> None:
        self._batch = batch
        self._turn = turn
        self._checkpoints = checkpoints
        self._patience = patience + _MARGIN
        self._close_connection = close_connection
        self._emit = emit
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._small: deque[Job] = deque()
        self._large: deque[Job] = deque()
        self._large_is_next = False
        self._waiting: dict[Job, None] = {}
        self._sweeping = False
        self._closing = False
        self._told_to_end = False
        self._thread: Thread | None = None
        self._ended: asyncio.Future[object] | None = None

    # The callers' side

    @property
    def queue_length(self) -> int:
        """How many writes wait."""
        return self._queue.qsize() + len(self._small) + len(self._large)

    async def write(self, transaction: WriteTransaction) -> WriteResult:
        """Return what the write did, once it is durable; see `Database.write`."""
        if self._closing:
            raise stopping()
        if self.queue_length >= WAITING_WRITES:
            raise DatabaseBusy("too many writes wait already; try again in a moment")
        loop = asyncio.get_running_loop()
        job = Job(transaction, loop.create_future(), perf_counter())
        self._waiting[job] = None
        self._queue.put(job)
        if self._thread is None:
            self._start(loop)
        if not self._sweeping:
            self._sweeping = True
            loop.call_later(self._patience, self._sweep, loop)
        try:
            return await job.future
        except asyncio.CancelledError:
            job.claim()
            raise
        finally:
            del self._waiting[job]

    async def close(self, *, patience: float) -> None:
        """Let the thread write what waits and empty the log, at most `patience` seconds; refuse what is left."""
        self._closing = True
        if self._ended is None:
            self._finish()
            return
        self._queue.put(None)
        await asyncio.wait([self._ended], timeout=patience)
        for job in self._waiting:
            _give_up(job, stopping())

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._emit.loop = loop
        self._ended = loop.create_future()
        self._thread = Thread(target=self._run, args=(loop, self._ended), name="wherry-writer", daemon=True)
        self._thread.start()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Refuse the writes that have waited too long: one timer looks after all of them, oldest first."""
        now = perf_counter()
        self._sweeping = False
        for job in self._waiting:
            left = job.since + self._patience - now
            if left > 0:
                self._sweeping = True
                loop.call_later(left, self._sweep, loop)
                return
            _give_up(job, busy())

    # The thread's side

    def _run(self, loop: asyncio.AbstractEventLoop, ended: "asyncio.Future[object]") -> None:
        """Write batches until told to end and nothing waits; whatever happens is an answer, never the end."""
        while self._collect():
            jobs = self._take()
            observation: TransactionRun | UnexpectedError
            try:
                with self._turn:
                    ran, rest, observation = self._batch.run(jobs)
                self._small.extendleft(reversed(rest))  # a large write is alone, and never left over
            except BaseException as error:
                ran, observation = _refuse(jobs, error), UnexpectedError(None, error)
            call_threadsafe(loop, self._answer, ran, observation)
            self._look_after_the_log(self._checkpoints.between_batches)
        try:
            self._finish()
        finally:
            call_threadsafe(loop, settle, ended, None)

    def _collect(self) -> bool:
        """Sort what waits into small and large, waiting for something; return False to end."""
        while True:
            idle = not self._small and not self._large
            if idle and self._told_to_end:
                return False
            try:
                if idle and self._checkpoints.waiting:
                    job = self._queue.get(timeout=IDLE)
                else:
                    job = self._queue.get(block=idle)
            except Empty:
                if not idle:
                    return True
                self._look_after_the_log(self._checkpoints.when_idle)
                continue
            if job is None:
                self._told_to_end = True  # it comes last: what waited before it is here already
            else:
                (self._large if job.large else self._small).append(job)

    def _take(self) -> list[Job]:
        """Return the next batch: the small writes that wait, or one large one, by turns."""
        if self._large and (self._large_is_next or not self._small):
            self._large_is_next = False
            return [self._large.popleft()]
        self._large_is_next = True
        return [self._small.popleft() for _ in range(min(BATCH_JOBS, len(self._small)))]

    def _look_after_the_log(self, checkpoint: Callable[[], None]) -> None:
        try:
            checkpoint()
        except Exception as error:
            self._emit(UnexpectedError(None, error))

    def _finish(self) -> None:
        self._look_after_the_log(self._checkpoints.at_the_end)
        self._turn.close()
        self._close_connection()

    def _answer(self, jobs: Iterable[Job], observation: TransactionRun | UnexpectedError) -> None:
        """Tell everybody in a batch at once, on the loop's thread."""
        for job in jobs:
            if isinstance(job.outcome, WriteResult):
                settle(job.future, job.outcome)  # type: ignore[arg-type]  # a future of less is one of object
            else:
                settle(job.future, None, job.outcome)  # type: ignore[arg-type]
        self._emit.emit(observation)


def _give_up(job: Job, error: DatabaseBusy) -> None:
    """Refuse a job that nobody has begun."""
    if job.claim():
        settle(job.future, None, error)  # type: ignore[arg-type]


def _refuse(jobs: Iterable[Job], error: BaseException) -> list[Job]:
    """Give the jobs that have no answer yet an error for one."""
    refused = list(jobs)
    for job in refused:
        job.claim()
        job.outcome = refusal(error) if isinstance(error, Exception) else error
    return refused
