"""Writes in one transaction, each atomic by itself: what the writer's thread does with those that waited.

The cases are numbered in `writer`.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from threading import Lock
from time import perf_counter
from typing import Final, NamedTuple

import apsw

from wherry.errors import ConstraintError, SchemaChanged, UndoReason, WriteUndone
from wherry.observe import TransactionRun
from wherry.sqlite.encoding import open_cursor
from wherry.sqlite.refusals import refusal
from wherry.statement import SQLiteValue, Step, WriteResult, WriteTransaction

#: Seconds of work after which a batch is committed and what it has not begun waits for the next.
BATCH_SECONDS: Final = 0.05

#: Rows from which on a write is large.
LARGE_ROWS: Final = 64

_STEPS = 5000

#: Schemas in which one statement alone is not atomic, or can leave behind what fails the commit: constraints and
#: triggers that FAIL keep what the statement had done, and deferred keys are looked at in the commit only.
_FRAGILE = "SELECT 1 FROM sqlite_schema WHERE sql LIKE '%INITIALLY%DEFERRED%' OR sql LIKE '%FAIL%' LIMIT 1"


class Job:
    """A write that waits, its caller's future, and who began or gave it up first."""

    __slots__ = ("_claimed", "future", "guarded", "large", "outcome", "since", "transaction")

    def __init__(self, transaction: WriteTransaction, future: "asyncio.Future[WriteResult]", since: float) -> None:
        self.transaction = transaction
        self.future = future
        self.since = since
        self.outcome: WriteResult | BaseException | None = None
        self.guarded = _is_guarded(transaction)
        self.large = sum(len(step.rows) for step in transaction.steps) > LARGE_ROWS
        self._claimed = Lock()

    def claim(self) -> bool:
        """Take the job, to begin it or to give it up; only the first who asks gets it."""
        return self._claimed.acquire(blocking=False)


class BatchRun(NamedTuple):
    """What became of a batch: the jobs with an outcome, those for the next batch, and what to tell."""

    ran: Sequence[Job]
    rest: Sequence[Job]
    observation: TransactionRun


class Batch:
    """The writing connection and its transactions; `limit` in seconds is how long one write may take."""

    def __init__(self, connection: apsw.Connection, *, limit: float) -> None:
        self._connection = connection
        self._cursor = open_cursor(connection)
        self._limit = limit
        self._deadline = inf
        self._schema_version = -1
        self._fragile = False
        connection.set_progress_handler(self._over_time, _STEPS)

    def run(self, jobs: Iterable[Job]) -> BatchRun:
        """Run the jobs, commit, and give each an outcome; jobs that were given up are skipped. Never raises."""
        rest = deque(jobs)
        alone = len(rest) == 1
        ran: list[Job] = []
        ok = True
        started = committing = perf_counter()
        try:
            self._begin()
            while rest and not (ran and perf_counter() - started > BATCH_SECONDS):
                job = rest.popleft()
                if not job.claim():
                    continue
                ran.append(job)
                self._run(job, alone=alone)
                if not self._connection.in_transaction:
                    self._run_again(ran)
                    break
            committing = perf_counter()
            if self._connection.in_transaction:
                self._cursor.execute("COMMIT")
        except BaseException as error:
            ok = False
            self._roll_back()
            if not ran:  # not even begun: what waited in the batch has waited for nothing
                ran = [job for job in rest if job.claim()]
                rest.clear()
            for job in ran:
                if job.outcome is None or isinstance(job.outcome, WriteResult):
                    job.outcome = refusal(error) if isinstance(error, Exception) else error
        now = perf_counter()
        return BatchRun(ran, rest, TransactionRun(len(ran), now - started, now - committing, ok))

    def _begin(self) -> None:
        self._deadline = inf
        self._cursor.execute("BEGIN IMMEDIATE")
        version = self._cursor.execute("PRAGMA schema_version").fetchall()[0][0]
        if version != self._schema_version:
            self._fragile = bool(self._cursor.execute(_FRAGILE).fetchall())
            self._schema_version = version  # type: ignore[assignment]  # an integer

    def _run_again(self, ran: Sequence[Job]) -> None:
        """Run again what a lost transaction had done, until it is not lost; each loss takes out its offender."""
        while again := [job for job in ran if isinstance(job.outcome, WriteResult)]:
            self._begin()
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
        guarded = self._fragile or (job.guarded and not (alone and not job.transaction.rollback))
        try:
            if job.transaction.schema_version != self._schema_version:
                raise SchemaChanged("the schema of the file has changed")
            if guarded:
                self._cursor.execute("SAVEPOINT job")
            self._deadline = perf_counter() + self._limit
            job.outcome = self._execute(job.transaction)
            self._deadline = inf
            if self._fragile:
                self._require_no_deferred_violation()
            if job.transaction.rollback:
                self._cursor.execute("ROLLBACK TO job")
            if guarded:
                self._cursor.execute("RELEASE job")
        except Exception as error:
            self._deadline = inf
            job.outcome = error if isinstance(error, SchemaChanged | WriteUndone) else refusal(error)
            if guarded and not isinstance(error, SchemaChanged):
                self._undo()
            elif alone:
                self._roll_back()

    def _execute(self, transaction: WriteTransaction) -> WriteResult:
        if transaction.upsert:
            return self._execute_upsert(transaction)
        affected, returned = self._execute_steps(transaction)
        return WriteResult(affected, returned)

    def _execute_upsert(self, transaction: WriteTransaction) -> WriteResult:
        """Execute and look whether SQLite inserts a row: of an upsert neither its counts nor RETURNING tell."""
        inserted = False

        def look(update: apsw.PreUpdate) -> None:
            nonlocal inserted
            inserted = inserted or (update.op == "INSERT" and update.depth == 0)  # deeper ones are triggers'

        self._connection.preupdate_hook(look)
        try:
            affected, returned = self._execute_steps(transaction)
        finally:
            self._connection.preupdate_hook(None)
        return WriteResult(affected, returned, inserted)

    def _execute_steps(self, transaction: WriteTransaction) -> tuple[int, list[tuple[SQLiteValue, ...]]]:
        affected = 0
        returned: list[tuple[SQLiteValue, ...]] = []
        for step in transaction.steps:
            if step.returning:
                rows = self._returning(step)
                affected += len(rows)
                if any(row[0] != 1 for row in rows) or (transaction.every_row and len(rows) < len(step.rows)):
                    raise WriteUndone(UndoReason.FORBIDDEN, affected)
                returned += rows
            else:
                affected += self._changing(step)
        if transaction.max_affected is not None and affected > transaction.max_affected:
            raise WriteUndone(UndoReason.TOO_MANY, affected)
        if transaction.exactly is not None and affected != transaction.exactly:
            raise WriteUndone(UndoReason.NOT_EXACTLY, affected)
        return affected, returned

    def _returning(self, step: Step) -> list[tuple[SQLiteValue, ...]]:
        if len(step.rows) == 1:
            return self._cursor.execute(step.sql, step.rows[0]).fetchall()
        return self._cursor.executemany(step.sql, step.rows).fetchall()

    def _changing(self, step: Step) -> int:
        if len(step.rows) == 1:
            self._cursor.execute(step.sql, step.rows[0])
            return self._connection.changes()
        changed = 0

        def counted() -> Iterator[tuple[SQLiteValue, ...]]:
            nonlocal changed
            for row in step.rows:
                yield row
                changed += self._connection.changes()  # of this row: the next is asked for when it is done

        self._cursor.executemany(step.sql, counted())
        return changed

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
            self._cursor.execute("ROLLBACK TO job")
            self._cursor.execute("RELEASE job")
        except apsw.Error:
            self._roll_back()

    def _roll_back(self) -> None:
        self._deadline = inf
        try:
            if self._connection.in_transaction:
                self._cursor.execute("ROLLBACK")
        except apsw.Error:  # SQLite has undone it by itself, or the next BEGIN says what is wrong
            pass

    def _over_time(self) -> bool:
        return perf_counter() > self._deadline


def _is_guarded(transaction: WriteTransaction) -> bool:
    """Return whether undoing the write takes more than SQLite does for one failed statement."""
    if (
        transaction.rollback
        or transaction.every_row
        or transaction.max_affected is not None
        or transaction.exactly is not None
    ):
        return True
    return len(transaction.steps) != 1 or transaction.steps[0].returning or len(transaction.steps[0].rows) != 1
