"""Read on the event loop: a statement that takes microseconds is not worth a thread.

Rules: every SELECT is read to its end at once (an open one would pin its snapshot, and the write-ahead log could
not start over); a progress handler stops what runs over the budget; nothing here awaits.
"""

from collections.abc import Sequence
from math import inf
from time import perf_counter

import apsw

from wherry.errors import DatabaseBusy, SchemaChanged
from wherry.identity import Identity
from wherry.observe import Emit, ReadHandedOver
from wherry.sqlite.encoding import open_cursor
from wherry.sqlite.refusals import refusal
from wherry.sqlite.results import Page
from wherry.sqlite.slow import SlowStatements
from wherry.statement import ReadTransaction

#: SQLite's virtual machine steps between two looks at the clock: some tens of microseconds.
_STEPS = 2000


class InlineReader:
    """The event loop's own connection. `budget` in seconds is how long a read may hold up the loop."""

    def __init__(self, connection: apsw.Connection, *, budget: float, slow: SlowStatements, emit: Emit) -> None:
        self._connection = connection
        self._execute = open_cursor(connection).execute
        self._data_version = connection.data_version
        self._budget = budget
        self._slow = slow
        self._emit = emit
        self._deadline = inf
        self._seen_data_version = -1
        self._schema_version = -1
        self.reads = 0
        connection.set_busy_timeout(round(budget * 1000))
        connection.set_progress_handler(self._over_budget, _STEPS)

    def read(
        self, transaction: ReadTransaction, values: Sequence[str], identity: Identity, schema_version: int
    ) -> Page | None:
        """Return the page; None where a reader thread has to make it.

        Raises SchemaChanged where the file has another schema than `schema_version`, DatabaseError where SQLite
        refuses the statement, RequestError where a value does not convert.
        """
        statement = transaction.page
        sql = statement.sql
        if sql in self._slow:
            return None
        bindings = statement.bind(values, identity)
        self._deadline = perf_counter() + self._budget
        try:
            rows = self._execute(sql, bindings).fetchall()
        except apsw.InterruptError:
            self._slow.add(sql)
            self._emit(ReadHandedOver(perf_counter() - self._deadline + self._budget, sql))
            return None
        except (apsw.BusyError, apsw.LockedError):
            return None
        except Exception as error:
            self._require_schema(schema_version)  # "no such column" means another thing where the schema is another
            raise refusal(error) from error
        # A commit by anybody gives another data version (0.03 µs to ask); only then is the schema looked at (2.7 µs).
        if self._data_version() != self._seen_data_version or self._schema_version != schema_version:
            try:
                self._require_schema(schema_version)
            except DatabaseBusy:
                return None
        self.reads += 1
        framing = transaction.framing
        if not rows:
            return Page(0, framing.prefix + framing.suffix, None)
        row = rows[0]
        return Page(
            row[0],  # type: ignore[arg-type]  # the compiler's promise: count, blob, total
            framing.prefix + (row[1] or b"") + framing.suffix,  # type: ignore[operator]
            row[2] if len(row) > 2 else None,  # type: ignore[arg-type]
        )

    def schema_version(self) -> int:
        """Return the schema version of the file as it is now."""
        self._deadline = inf
        try:
            self._schema_version = int(self._execute("PRAGMA schema_version").fetchall()[0][0])  # type: ignore[arg-type]
        except apsw.Error as error:
            raise refusal(error) from error
        self._seen_data_version = self._data_version()
        return self._schema_version

    def close(self) -> None:
        """Close the connection."""
        self._connection.close(True)

    def _require_schema(self, schema_version: int) -> None:
        if self.schema_version() != schema_version:
            raise SchemaChanged("the schema of the file has changed")

    def _over_budget(self) -> bool:
        return perf_counter() > self._deadline
