"""The writer: gathers the writes that wait into one transaction and answers when it is durable.

Theory. A commit waits for the disk, so writes that come meanwhile share the next commit. Each write stays atomic
by itself: a savepoint where it has several statements, rows or expectations; SQLite's own undoing of a failed
statement where it has one. The cases:

1. A write that SQLite refuses, or that breaks an expectation, is undone and gets its error; the others go on.
2. Some errors undo the whole transaction (RAISE(ROLLBACK), a full disk, an interrupt). Then the offender gets its
   error, the others that had run are run again in a new transaction, and that one is committed before any more.
3. A deferred foreign key would fail the commit of everybody; it is looked at after each write.
4. Where the commit fails, everybody gets an error: nothing of it is in the file. The same where the file was replaced
   meanwhile: what is written into it is lost with it.
5. A write whose caller gave up, or that waited too long, before it was begun is never begun: who claims it first,
   the writer or the caller, decides.

Where it runs. A small write takes some ten microseconds, less than it costs two threads to take turns with Python's
lock. So the statements of a batch run on the event loop, within the budget that reads have too, and only what waits
runs in a thread: the COMMIT, which waits for the disk. The thread does the whole batch where the loop would have to
wait (another process has the turn, or holds the file), where a write is large or has proved slow, and in case 2.
At any time either the loop or the thread is at work on the connection: `_busy` says that it is one of them.

Large writes are committed alone and take turns with the small ones, so that neither holds up the other for long.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from time import perf_counter
from typing import Final

from wherry.errors import DatabaseBusy
from wherry.observe import TransactionRun, UnexpectedError
from wherry.sqlite.batch import Batch, BatchRun
from wherry.sqlite.blocking import BlockingThread
from wherry.sqlite.checkpoints import Checkpoints
from wherry.sqlite.job import Job
from wherry.sqlite.on_loop import LoopEmit, settle
from wherry.sqlite.refusals import busy, refusal, stopping
from wherry.sqlite.slow import SlowStatements
from wherry.sqlite.turn import Turn
from wherry.statement import WriteResult, WriteTransaction

#: Writes that may wait.
WAITING_WRITES: Final = 4096

#: Small writes that share a commit at most.
BATCH_JOBS: Final = 256

#: Seconds that a small write waits at most for others to share its commit, as long as they come.
GATHERING: Final = 0.005

#: Seconds without a write after which the log is checkpointed.
IDLE: Final = 1.0

#: Seconds that a caller waits beyond the busy timeout.
_MARGIN: Final = 0.5


class Writer:
    """What writes in a process, and what waits for it; its methods belong to one event loop.

    A write waits at most `patience` seconds (and a margin) to be begun. `close_connection` is called by the thread
    at its end.
    """

    def __init__(
        self,
        batch: Batch,
        turn: Turn,
        checkpoints: Checkpoints,
        *,
        slow: SlowStatements,
        patience: float,
        close_connection: Callable[[], None],
        emit: LoopEmit,
    ) -> None:
        self._batch = batch
        self._turn = turn
        self._checkpoints = checkpoints
        self._slow = slow
        self._patience = patience + _MARGIN
        self._close_connection = close_connection
        self._emit = emit
        self._thread = BlockingThread("wherry-writer")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._small: deque[Job] = deque()
        self._large: deque[Job] = deque()
        self._large_is_next = False
        self._gathered = 0  # small writes that had come by the last look
        self._at_work: Sequence[Job] = ()
        self._busy = False
        self._sweeping = False
        self._has_written = False  # since the log was last looked after
        self._will_look = False
        self._resting_since = 0.0
        self._closing = False
        self._ended: asyncio.Future[object] | None = None

    @property
    def queue_length(self) -> int:
        """How many writes wait."""
        return len(self._small) + len(self._large)

    def write(self, transaction: WriteTransaction) -> "asyncio.Future[WriteResult]":
        """Return a future of what the write did, once it is durable; see `Database.write`."""
        if self._closing:
            raise stopping()
        if len(self._small) + len(self._large) >= WAITING_WRITES:
            raise DatabaseBusy("too many writes wait already; try again in a moment")
        loop = self._loop or self._use(asyncio.get_running_loop())
        job = Job(transaction, loop.create_future(), perf_counter())
        (self._large if job.large or (self._slow and self._is_slow(transaction)) else self._small).append(job)
        if not self._busy:
            self._busy = True
            loop.call_soon(self._next)  # who else is answered in this turn of the loop joins in
        if not self._sweeping:
            self._sweeping = True
            loop.call_later(self._patience, self._sweep, loop)
        return job.future

    async def close(self, *, patience: float) -> None:
        """Write what waits and empty the log, at most `patience` seconds; refuse what is left."""
        self._closing = True
        loop = self._use(asyncio.get_running_loop())
        if self._ended is None:
            self._ended = loop.create_future()
        if not self._busy:
            self._busy = True
            self._next()
        await asyncio.wait([self._ended], timeout=patience)
        for job in chain(self._at_work, self._small, self._large):
            _give_up(job, stopping())

    def _use(self, loop: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop:
        self._loop = self._emit.loop = loop
        return loop

    def _is_slow(self, transaction: WriteTransaction) -> bool:
        return any(step.sql in self._slow for step in transaction.steps)

    # On the loop, with nobody at work

    def _next(self) -> None:
        """Write the next batch, or look after the log, or rest."""
        loop = self._loop
        assert loop is not None
        if self._checkpoints.is_due():
            self._thread.do(loop, lambda: self._look_after(self._checkpoints.between_batches), self._go_on)
        elif self._large and (self._large_is_next or not self._small):
            self._large_is_next = False
            self._thread.do(loop, self._write_large, self._answer)
        elif self._small and self._gathers():
            loop.call_soon(self._next)
        elif self._small:
            self._large_is_next = True
            self._gathered = 0
            self._write_now(loop)
        elif self._closing:
            self._thread.do(loop, self._finish, self._end)
        else:
            self._rest(loop)

    def _gathers(self) -> bool:
        """Tell whether to wait for another turn of the loop: the last one brought more writes to share the commit.

        Clients that were answered together ask again together, but it takes the loop a while to hear them all. Who
        waited for them would else be committed apart from them for ever, in twice as many commits.
        """
        before, self._gathered = self._gathered, len(self._small)
        return before < self._gathered < BATCH_JOBS and perf_counter() - self._small[0].since < GATHERING

    def _go_on(self, _: None) -> None:
        self._next()

    def _write_now(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run the small writes here, and commit them here or in the thread; or let the thread do it all."""
        jobs = self._take()
        now = None
        try:
            if self._turn.take_now():
                now = self._batch.run_now(jobs)
                if now is None:
                    self._turn.leave()
        except BaseException as error:
            self._answer(_refuse(jobs, error))
            return
        if now is None:
            self._small.extendleft(reversed(jobs))
            self._thread.do(loop, self._write_small, self._answer)
            return
        self._at_work, rest = now
        self._small.extendleft(reversed(rest))
        if self._batch.commits_slowly:
            self._thread.do(loop, self._commit, self._committed)
        else:
            self._committed(self._commit())

    def _commit(self) -> TransactionRun:
        return self._batch.commit(self._at_work)

    def _committed(self, told: TransactionRun) -> None:
        self._turn.leave()
        self._answer(BatchRun(self._at_work, (), told))

    def _take(self) -> list[Job]:
        return [self._small.popleft() for _ in range(min(BATCH_JOBS, len(self._small)))]

    def _answer(self, run: BatchRun) -> None:
        """Tell everybody in a batch at once, and go on."""
        self._at_work = ()
        self._has_written = True
        for job in run.ran:
            if isinstance(job.outcome, WriteResult):
                settle(job.future, job.outcome)  # type: ignore[arg-type]  # a future of less is one of object
            else:
                settle(job.future, None, job.outcome)  # type: ignore[arg-type]
        try:
            self._emit.emit(run.observation)
        finally:
            assert self._loop is not None
            self._loop.call_soon(self._next)  # not at once: others want the loop too

    def _rest(self, loop: asyncio.AbstractEventLoop) -> None:
        self._busy = False
        self._resting_since = perf_counter()
        if self._has_written and not self._will_look:
            self._will_look = True
            loop.call_later(IDLE, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Checkpoint, if nothing was written for a while."""
        self._will_look = False
        if self._busy:
            return  # and will rest again
        left = self._resting_since + IDLE - perf_counter()
        if left > 0:
            self._will_look = True
            loop.call_later(left, self._look, loop)
        elif self._checkpoints.is_waiting():
            self._busy = True
            self._has_written = False  # readers that hold the log up are left in peace
            self._thread.do(loop, lambda: self._look_after(self._checkpoints.when_idle), self._go_on)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Refuse the writes that have waited too long: one timer looks after all of them."""
        now = perf_counter()
        oldest = now
        for job in (*self._at_work, *self._small, *self._large):
            if job.since + self._patience <= now:
                _give_up(job, busy())
            else:
                oldest = min(oldest, job.since)
        self._sweeping = oldest < now
        if self._sweeping:
            loop.call_later(oldest + self._patience - now, self._sweep, loop)

    def _end(self, _: None) -> None:
        assert self._ended is not None
        self._thread.close()
        settle(self._ended, None)

    # In the thread

    def _write_small(self) -> BatchRun:
        """Wait for the turn, then write all that waits by then."""
        return self._write(self._take)

    def _write_large(self) -> BatchRun:
        """Wait for the turn, then write the oldest of the large writes."""
        run = self._write(lambda: [self._large.popleft()])
        for job in run.ran:
            for step in job.transaction.steps:
                self._slow.ran(step.sql, quickly=run.quick)
        return run

    def _write(self, take: Callable[[], Sequence[Job]]) -> BatchRun:
        """Write a batch; whatever happens is an answer."""
        jobs: Sequence[Job] = ()
        try:
            with self._turn:
                jobs = self._at_work = take()
                run = self._batch.run(jobs)
                self._small.extendleft(reversed(run.rest))  # a large write is alone, and never left over
                return run
        except BaseException as error:
            return _refuse(jobs, error)

    def _look_after(self, checkpoint: Callable[[], None]) -> None:
        try:
            checkpoint()
        except Exception as error:
            self._emit(UnexpectedError(None, error))

    def _finish(self) -> None:
        self._look_after(self._checkpoints.at_the_end)
        self._turn.close()
        self._look_after(self._close_connection)


def _give_up(job: Job, error: DatabaseBusy) -> None:
    """Refuse a job that nobody has begun."""
    if job.claim():
        settle(job.future, None, error)  # type: ignore[arg-type]


def _refuse(jobs: Iterable[Job], error: BaseException) -> BatchRun:
    """Give the jobs an error that nobody foresaw."""
    refused = list(jobs)
    for job in refused:
        job.claim()
        job.outcome = refusal(error) if isinstance(error, Exception) else error
    return BatchRun(refused, (), UnexpectedError(None, error))
