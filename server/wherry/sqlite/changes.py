"""The statements of one write, executed: what they change, what they return, and the expectations they must keep."""

from collections.abc import Iterator

import apsw

from wherry.errors import UndoReason, WriteUndone
from wherry.sqlite.encoding import open_cursor
from wherry.statement import NO_EXPECTATIONS, SQLiteValue, Step, WriteResult, WriteTransaction

_Rows = list[tuple[SQLiteValue, ...]]


class Changes:
    """What executes writes on a connection, inside a transaction that somebody else begins and ends."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._changes = connection.changes
        self._cursor = open_cursor(connection)
        self._execute = self._cursor.execute
        self._inserted = False  # a row, by the upsert that runs

    def make(self, write: WriteTransaction) -> WriteResult:
        """Execute a write. Raises WriteUndone for a broken expectation, and what SQLite raises."""
        if write.upsert:
            return self._upsert(write)
        step = write.steps[0]
        if not step.returning and len(step.rows) == 1 == len(write.steps) and write.expects is NO_EXPECTATIONS:
            self._execute(step.sql, step.rows[0])  # most writes are as simple as this
            return WriteResult(self._changes(), [])
        affected, returned = self._steps(write)
        return WriteResult(affected, returned)

    def _upsert(self, write: WriteTransaction) -> WriteResult:
        """Execute and look whether SQLite inserts a row: of an upsert neither its counts nor RETURNING tell."""
        self._inserted = False
        self._connection.preupdate_hook(self._look)
        try:
            affected, returned = self._steps(write)
        finally:
            self._connection.preupdate_hook(None)
        return WriteResult(affected, returned, self._inserted)

    def _look(self, update: apsw.PreUpdate) -> None:
        self._inserted = self._inserted or (update.op == "INSERT" and update.depth == 0)  # deeper ones are triggers'

    def _steps(self, write: WriteTransaction) -> tuple[int, _Rows]:
        max_affected, exactly, every_row, _, shown = write.expects
        affected = 0
        returned: _Rows = []
        for step in write.steps:
            if step.returning:
                rows = self._resolving(step) if step.resolves else self._returning(step)
                affected += len(rows) if not shown else sum([row[1] is not None for row in rows])
                broken = [row[0] for row in rows if row[0] != 1] if step.checked else []
                if broken or (every_row and len(rows) < len(step.rows)):
                    check = broken[0] if broken and isinstance(broken[0], int) else 0
                    raise WriteUndone(UndoReason.FORBIDDEN, affected, check)
                returned += rows
            elif step.counts:
                affected += self._changing(step)
            else:
                self._changing(step)
        if max_affected is not None and affected > max_affected:
            raise WriteUndone(UndoReason.TOO_MANY, affected)
        if exactly is not None and affected != exactly:
            raise WriteUndone(UndoReason.NOT_EXACTLY, affected)
        return affected, returned

    def _returning(self, step: Step) -> _Rows:
        if len(step.rows) == 1:
            return self._execute(step.sql, step.rows[0]).fetchall()
        return self._cursor.executemany(step.sql, step.rows).fetchall()

    def _resolving(self, step: Step) -> _Rows:
        """Execute an upsert and say of each row by itself whether it is allowed, as a new one or as a changed one."""
        returned: _Rows = []
        inserted = self._inserted
        for values in step.rows:
            self._inserted = False
            for allowed, *shown in self._execute(step.sql, values).fetchall():
                asked = 1 if self._inserted else 2
                returned.append((int(isinstance(allowed, int) and allowed & asked != 0), *shown))
            inserted = inserted or self._inserted
        self._inserted = inserted
        return returned

    def _changing(self, step: Step) -> int:
        if len(step.rows) == 1:
            self._execute(step.sql, step.rows[0])
            return self._changes()
        changed = 0

        def counted() -> Iterator[tuple[SQLiteValue, ...]]:
            nonlocal changed
            for row in step.rows:
                yield row
                changed += self._changes()  # of this row: the next is asked for when it is done

        self._cursor.executemany(step.sql, counted())
        return changed
