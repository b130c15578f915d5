"""Ask SQLite what a statement reads, without running it.

A statement is prepared (EXPLAIN) on a connection of its own that may only read, under an authorizer that lets through
SELECT and what belongs to it. https://www.sqlite.org/c3ref/set_authorizer.html and c3ref/c_alter_table.html, which
lists what the authorizer is told.
"""

from pathlib import Path
from typing import Final

import apsw

from wherry.errors import StatementRefused
from wherry.sqlite.connection import Access, open_reader
from wherry.sqlite.refusals import refusal
from wherry.statement import Read, Statement

_EXPLAIN: Final = "EXPLAIN "
_READING: Final = (apsw.SQLITE_SELECT, apsw.SQLITE_RECURSIVE)
#: Functions that reach out of the database.
_REFUSED_FUNCTIONS: Final = frozenset({"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "fsdir"})
#: FTS5 asks for it when a statement with a full-text index is prepared.
_PRAGMAS: Final = frozenset({"data_version"})


class ExpressionReader:
    """A connection that checks statements, for one thread at a time; a class because it holds the connection.

    It stands for one schema: it does not look whether the file has changed since it was opened. Raises
    DatabaseError where the file cannot be opened.
    """

    def __init__(self, path: Path, access: Access = Access.READ_ONLY, *, busy_timeout: float = 5.0) -> None:
        try:
            self._connection = open_reader(path, access, busy_timeout=busy_timeout, cache_kib=1024, statements=0)
        except apsw.Error as error:
            raise refusal(error) from error

    def check(self, statement: Statement) -> frozenset[Read]:
        """Return what the statement reads.

        Raises StatementRefused where SQLite cannot prepare it or it does more than read, another WherryError where
        the file cannot be read.
        """
        reads: set[Read] = set()

        def authorize(action: int, one: str | None, two: str | None, database: str | None, within: str | None) -> int:
            if action == apsw.SQLITE_READ and one is not None:
                # A table of which no column is read comes with the database only where a view names it.
                nameless = not two and database is not None and within is None
                reads.add(Read(one, two or "", "" if nameless else within))
            elif action in _READING:
                if within is not None:
                    reads.add(Read("", "", within))
            elif not _is_harmless(action, one, two):
                return apsw.SQLITE_DENY
            return apsw.SQLITE_OK

        self._connection.authorizer = authorize
        try:
            self._connection.execute(_EXPLAIN + statement.sql, (None,) * len(statement.parameters)).fetchall()
        except (apsw.SQLError, apsw.AuthError) as error:
            offset = getattr(error, "error_offset", -1) - len(_EXPLAIN)
            raise StatementRefused(str(error), offset=offset if offset >= 0 else None) from error
        except apsw.Error as error:
            raise refusal(error) from error
        finally:
            self._connection.authorizer = None
        return frozenset(reads)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _is_harmless(action: int, one: str | None, two: str | None) -> bool:
    if action == apsw.SQLITE_FUNCTION:
        return two is not None and two.lower() not in _REFUSED_FUNCTIONS
    return action == apsw.SQLITE_PRAGMA and one in _PRAGMAS and two is None
