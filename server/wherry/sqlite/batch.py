"""Writes in one transaction, each atomic by itself: what the writer does with those that waited.

The cases are numbered in `writer`.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import inf
from time import perf_counter
from typing import Final, NamedTuple

import apsw

from wherry.errors import ConstraintError, SchemaChanged, StatementTimeout, WriteUndone
from wherry.observe import TransactionRun, UnexpectedError
from wherry.sqlite.changes import Changes
from wherry.sqlite.job import Job
from wherry.sqlite.refusals import moved, refusal
from wherry.sqlite.slow import SlowStatements
from wherry.statement import WriteResult

#: Seconds of work after which a batch is committed and what it has not begun waits for the next.
BATCH_SECONDS: Final = 0.05

_STEPS = 2000

#: Schemas in which one statement alone is not atomic, or can leave behind what fails the commit: constraints and
#: triggers that FAIL keep what the statement had done, and deferred keys are looked at in the commit only.
_FRAGILE = "SELECT 1 FROM sqlite_schema WHERE sql LIKE '%INITIALLY%DEFERRED%' OR sql LIKE '%FAIL%' LIMIT 1"


class BatchRun(NamedTuple):
    """What became of a batch: the jobs with an outcome, those for the next batch, and what to tell."""

    ran: Sequence[Job]
    rest: Sequence[Job]
    observation: TransactionRun | UnexpectedError
    quick: bool = False  #: a write alone that could have run on the event loop


class Batch:
    """The writing connection and its transactions; it may be used by one thread at a time.

    `limit` in seconds is how long one write may take, `budget` how long one may hold up the event loop, and
    `busy_timeout` how long BEGIN and COMMIT wait for other processes where waiting is allowed. `is_replaced` tells
    before each commit whether the file is still the one that its path leads to: into another nothing is written.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        *,
        limit: float,
        budget: float,
        busy_timeout: float,
        slow: SlowStatements,
        is_replaced: Callable[[], bool],
    ) -> None:
        self._connection = connection
        self._execute = connection.cursor().execute
        self._changes = Changes(connection)
        self._limit = limit
        self._budget = budget
        self._busy_ms = round(busy_timeout * 1000)
        self._slow = slow
        self._is_replaced = is_replaced
        self._allowed = limit
        self._deadline = inf
        self._started = 0.0
        self._schema_version = -1
        self._fragile = False
        connection.set_progress_handler(self._over_time, _STEPS)

    def run(self, jobs: Iterable[Job]) -> BatchRun:
        """Run the jobs, commit, and give each an outcome; jobs that were given up are skipped. Never raises.

        It may wait, for other processes and for the disk.
        """
        rest, ran = deque(jobs), list[Job]()
        try:
            self._begin(self._busy_ms, self._limit)
            self._take(rest, ran, seconds=BATCH_SECONDS)
            if not self._connection.in_transaction:
                self._run_again(ran)
        except BaseException as error:
            if not ran:  # not even begun: what waited in the batch has waited for nothing
                ran = [job for job in rest if job.claim()]
                rest.clear()
            return BatchRun(ran, rest, self._fail(ran, error, perf_counter()))
        told = self.commit(ran)
        return BatchRun(ran, rest, told, told.seconds - told.commit_seconds < self._budget / 2)

    def run_now(self, jobs: Sequence[Job]) -> tuple[Sequence[Job], Sequence[Job]] | None:
        """Run jobs within the budget and without waiting; return those that ran and those that did not.

        The transaction is left open for `commit`. None says that nothing has happened, and that `run` has to do it:
        another process holds the file, a statement took too long, or one undid the whole transaction.
        """
        rest, ran = deque(jobs), list[Job]()
        try:
            self._begin(0, min(self._budget, self._limit))
            self._take(rest, ran, seconds=min(self._budget, BATCH_SECONDS))
        except BaseException:  # whatever it is meets `run` again, which answers it
            lost = True
        else:
            lost = not self._connection.in_transaction and len(ran) > 1
        slow = [job for job in ran if isinstance(job.outcome, StatementTimeout)]
        if not lost and not slow:
            self._connection.set_busy_timeout(self._busy_ms)  # the commit may wait
            return ran, rest
        for job in slow:
            for step in job.transaction.steps:
                self._slow.add(step.sql)
        self._roll_back()
        for job in ran:
            job.unclaim()
        return None

    @property
    def commits_slowly(self) -> bool:
        """Whether the disk takes longer for a commit than the event loop may be held up."""
        return "COMMIT" in self._slow

    def commit(self, ran: Sequence[Job]) -> TransactionRun:
        """Commit what ran; where that fails nothing of it has happened, and each gets the error. Never raises."""
        committing = perf_counter()
        try:
            if self._is_replaced():
                return self._fail(ran, moved(), committing)
            if self._connection.in_transaction:
                self._execute("COMMIT")
        except BaseException as error:
            return self._fail(ran, error, committing)
        now = perf_counter()
        quickly = now - committing < self._budget / 2
        if quickly:
            self._slow.ran("COMMIT", quickly=True)
        else:
            self._slow.add("COMMIT")
        return TransactionRun(len(ran), now - self._started, now - committing)

    def _fail(self, ran: Sequence[Job], error: BaseException, since: float) -> TransactionRun:
        """Undo everything; who had no error of its own gets this one."""
        self._roll_back()
        for job in ran:
            if job.outcome is None or isinstance(job.outcome, WriteResult):
                job.outcome = refusal(error) if isinstance(error, Exception) else error
        now = perf_counter()
        return TransactionRun(len(ran), now - self._started, now - since, ok=False)

    def _begin(self, busy_ms: int, allowed: float) -> None:
        self._allowed = allowed
        self._deadline = inf
        self._started = perf_counter()
        self._connection.set_busy_timeout(busy_ms)
        self._execute("BEGIN IMMEDIATE")
        version = self._execute("PRAGMA schema_version").fetchall()[0][0]
        if version != self._schema_version:
            self._fragile = bool(self._execute(_FRAGILE).fetchall())
            self._schema_version = version  # type: ignore[assignment]  # an integer

    def _take(self, rest: deque[Job], ran: list[Job], *, seconds: float) -> None:
        """Run jobs in the transaction until it is lost, `seconds` are over or none is left."""
        alone = len(rest) == 1
        until = self._started + seconds
        while rest and not (ran and perf_counter() > until):
            job = rest.popleft()
            if not job.claim():
                continue
            ran.append(job)
            self._run(job, alone=alone)
            if not self._connection.in_transaction:
                return

    def _run_again(self, ran: Sequence[Job]) -> None:
        """Run again what a lost transaction had done, until it is not lost; each loss takes out its offender."""
        while again := [job for job in ran if isinstance(job.outcome, WriteResult)]:
            self._begin(self._busy_ms, self._limit)
            for job in again:
                self._run(job)
                if not self._connection.in_transaction:
                    break
            else:
                return

    def _run(self, job: Job, *, alone: bool = False) -> None:
        """Run one job inside the transaction and set its outcome; an error undoes the job, or the transaction.

        A job that is `alone` in its transaction needs no savepoint, for which SQLite copies each page it changes: its
        error undoes the transaction.
        """
        transaction = job.transaction
        guarded = self._fragile or (job.guarded and not (alone and not transaction.expects.rollback))
        try:
            if transaction.schema_version != self._schema_version:
                raise SchemaChanged("the schema of the file has changed")
            if guarded:
                self._execute("SAVEPOINT job")
            self._deadline = perf_counter() + self._allowed
            job.outcome = self._changes.make(transaction)
            self._deadline = inf
            if self._fragile:
                self._require_no_deferred_violation()
            if transaction.expects.rollback:
                self._execute("ROLLBACK TO job")
            if guarded:
                self._execute("RELEASE job")
        except Exception as error:
            self._deadline = inf
            job.outcome = error if isinstance(error, SchemaChanged | WriteUndone) else refusal(error)
            if guarded and not isinstance(error, SchemaChanged):
                self._undo()
            elif alone:
                self._roll_back()

    def _require_no_deferred_violation(self) -> None:
        if self._connection.status(apsw.SQLITE_DBSTATUS_DEFERRED_FKS)[0]:
            raise ConstraintError(
                "the write violates a deferred foreign key constraint",
                code="23503",
                subject="",
                status=409,
                hint="Write the rows that refer to each other in one request, those that are referred to first.",
            )

    def _undo(self) -> None:
        """Undo one job; where that fails too, the whole transaction (case 2)."""
        if not self._connection.in_transaction:
            return
        try:
            self._execute("ROLLBACK TO job")
            self._execute("RELEASE job")
        except apsw.Error:
            self._roll_back()

    def _roll_back(self) -> None:
        self._deadline = inf
        try:
            if self._connection.in_transaction:
                self._execute("ROLLBACK")
        except apsw.Error:  # SQLite has undone it by itself, or the next BEGIN says what is wrong
            pass

    def _over_time(self) -> bool:
        return perf_counter() > self._deadline
