"""A write that waits to be written, with its caller's future and who began or gave it up first."""

import asyncio
from threading import Lock
from typing import Final

from wherry.statement import NO_EXPECTATIONS, WriteResult, WriteTransaction

#: Rows from which on a write is large.
LARGE_ROWS: Final = 64


class Job:
    """One caller's write; a class because two threads ask for it, and only one may have it."""

    __slots__ = ("_claimed", "future", "guarded", "large", "outcome", "since", "transaction")

    def __init__(self, transaction: WriteTransaction, future: "asyncio.Future[WriteResult]", since: float) -> None:
        self.transaction = transaction
        self.future = future
        self.since = since
        self.outcome: WriteResult | BaseException | None = None
        steps = transaction.steps
        step = steps[0]
        rows = len(step.rows) if len(steps) == 1 else sum([len(each.rows) for each in steps])
        self.large = rows > LARGE_ROWS
        #: whether undoing the write takes more than SQLite does for one failed statement
        self.guarded = (
            rows != 1
            or len(steps) != 1
            or (step.returning and step.checked)
            or transaction.expects is not NO_EXPECTATIONS
        )
        self._claimed = Lock()

    def claim(self) -> bool:
        """Take the job, to begin it or to give it up; only the first who asks gets it, nobody what was cancelled."""
        return not self.future.cancelled() and self._claimed.acquire(blocking=False)

    def unclaim(self) -> None:
        """Put the job back: what was begun of it is undone, and it may be begun again, or given up."""
        self.outcome = None
        self._claimed.release()
