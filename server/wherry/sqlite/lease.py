"""The lease of a reader: one task's use of a connection in another thread, which the task can stop at any moment.

Theory: `Connection.interrupt` stops whatever runs on a connection, so it must never come after the lease is over,
when the connection serves somebody else: `over` is set under the lock before the connection moves on. An interrupt
that comes between two statements is lost (SQLite clears it when the next one starts), so `stop` repeats it until
the lease is over.
"""

import asyncio
from collections.abc import Callable
from threading import Lock
from time import perf_counter

import apsw

from wherry.errors import DatabaseBusy
from wherry.observe import Emit, StatementInterrupted
from wherry.sqlite.on_loop import call_threadsafe, settle
from wherry.sqlite.refusals import refusal, timed_out

_REPEAT = 0.02


class Lease:
    """One use of a reader's connection. The task's side is the event loop; `run` is the thread's side."""

    def __init__(self, emit: Emit) -> None:
        self.loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[object] = self.loop.create_future()
        self.ended: asyncio.Future[object] = self.loop.create_future()
        self._emit = emit
        self._lock = Lock()
        self._connection: apsw.Connection | None = None
        self._over = False
        self._reason: BaseException | None = None

    # The task's side

    async def wait(self, future: "asyncio.Future[object]", limit: float) -> object:
        """Wait for `future`; stop the lease after `limit` seconds, or at once when the task is cancelled."""
        started = perf_counter()
        timer = self.loop.call_later(limit, self._run_over, started)
        try:
            return await future
        except asyncio.CancelledError:
            self._emit(StatementInterrupted(perf_counter() - started, "its client went away"))
            self.stop(asyncio.CancelledError())
            raise
        finally:
            timer.cancel()

    def stop(self, reason: BaseException) -> None:
        """Interrupt what runs, now and until the lease is over; what is waited for fails with `reason`."""
        with self._lock:
            if self._over:
                return
            self._reason = self._reason or reason
            if self._connection is None:  # it still queues
                settle(self.answer, None, reason)
                return
            self._connection.interrupt()
        self.loop.call_later(_REPEAT, self.stop, reason)

    def _run_over(self, started: float) -> None:
        seconds = perf_counter() - started
        if self._connection is None:
            self.stop(DatabaseBusy("every reader of the database is busy; try again in a moment"))
        else:
            self._emit(StatementInterrupted(seconds, "over its time limit"))
            self.stop(timed_out())

    # The thread's side

    def run(self, connection: apsw.Connection) -> None:
        """Work with the connection until the lease is over, and leave it as it was; never raises."""
        with self._lock:
            self._connection = connection
        try:
            self.check()
            self.work(connection)
        except BaseException as error:
            self.give(self.answer, None, self.translate(error))
        finally:
            with self._lock:
                self._over = True
            self.release(connection)

    def work(self, connection: apsw.Connection) -> None:
        """Do what the lease is for, and answer."""
        raise NotImplementedError

    def release(self, connection: apsw.Connection) -> None:
        """Leave the connection without a transaction."""
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    def check(self) -> None:
        """Raise the reason where the lease was stopped: between statements an interrupt would be lost."""
        if self._reason is not None:
            raise self._reason

    def translate(self, error: BaseException) -> BaseException:
        """Return what the task is told: why the lease was stopped, else the error in our words."""
        if self._reason is not None:
            return self._reason
        return refusal(error) if isinstance(error, Exception) else error

    def give(self, future: "asyncio.Future[object]", value: object, error: BaseException | None = None) -> None:
        """Settle a future from this thread."""
        call_threadsafe(self.loop, settle, future, value, error)


class CallLease(Lease):
    """A lease for a function that reads with the connection as it likes: the catalogue's queries."""

    def __init__(self, function: Callable[[apsw.Connection], object], emit: Emit) -> None:
        super().__init__(emit)
        self._function = function

    def work(self, connection: apsw.Connection) -> None:
        """Answer with what the function returns, from one snapshot of the file."""
        connection.execute("BEGIN")
        self.give(self.answer, self._function(connection))
