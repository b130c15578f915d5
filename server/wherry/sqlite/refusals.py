"""SQLite's refusals in PostgreSQL's words: the SQLSTATE and, by PostgREST's table, the status of each.

https://docs.postgrest.org/en/stable/references/errors.html#status-codes maps SQLSTATE to status;
https://www.sqlite.org/rescode.html lists what SQLite says.
"""

import re
from collections.abc import Callable
from typing import TypeAlias

import apsw

from wherry.errors import ApiError, ConstraintError, DatabaseBusy, DatabaseError, StatementTimeout, WherryError

_Refuse: TypeAlias = Callable[[str], DatabaseError]


def refusal(error: Exception) -> WherryError:
    """Return what to raise for `error`: any exception that running a statement gave, ours unchanged."""
    match error:
        case WherryError():
            return error
        case apsw.ConstraintError():
            return _constraint(error)
        case apsw.SQLError():
            return _statement(str(error))
        case apsw.ConnectionClosedError() | apsw.CursorClosedError():
            return stopping()
        case apsw.Error():
            return _result(error)
        case OverflowError():
            return DatabaseError("a value is out of the range of a 64-bit integer", code="22003")
        case UnicodeEncodeError():
            return DatabaseError("a value has a character that UTF-8 cannot hold (a lone surrogate)", code="22021")
        case MemoryError():
            return DatabaseError("the server ran out of memory", code="53200", status=503)
    return ApiError(f"the statement could not be run: {type(error).__name__}", code="XX000", status=500)


def _constraint(error: apsw.ConstraintError) -> DatabaseError:
    text = str(error)
    _, _, subject = text.partition(" constraint failed: ")
    match getattr(error, "extendedresult", 0):
        case apsw.SQLITE_CONSTRAINT_UNIQUE | apsw.SQLITE_CONSTRAINT_PRIMARYKEY | apsw.SQLITE_CONSTRAINT_ROWID:
            message = f"duplicate key value violates the unique constraint on {subject}"
            return ConstraintError(message, code="23505", subject=subject, status=409)
        case apsw.SQLITE_CONSTRAINT_FOREIGNKEY:
            message = "the write violates a foreign key constraint"
            hint = "Refer only to rows that exist, and delete or change no row that others refer to."
            return ConstraintError(message, code="23503", subject="", status=409, hint=hint)
        case apsw.SQLITE_CONSTRAINT_NOTNULL:
            message = f"null value in column {subject} violates its not-null constraint"
            return ConstraintError(message, code="23502", subject=subject)
        case apsw.SQLITE_CONSTRAINT_CHECK:
            message = f"the new row violates the check constraint {subject}"
            return ConstraintError(message, code="23514", subject=subject)
        case apsw.SQLITE_CONSTRAINT_TRIGGER:  # RAISE(ABORT, text) in a trigger
            return DatabaseError(text, code="P0001")
        case apsw.SQLITE_CONSTRAINT_DATATYPE:
            return DatabaseError(text, code="22P02")
    return ConstraintError(text, code="23000", subject=subject)


def _too_complex(text: str) -> DatabaseError:
    return DatabaseError(f"the statement is too large or too deep: {text}", code="54000", status=413)


#: What SQLITE_ERROR's text says: the first that is found counts.
_STATEMENT_REFUSALS: tuple[tuple[re.Pattern[str], Callable[[str], DatabaseError]], ...] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        ("integer overflow", lambda text: DatabaseError("integer out of range", code="22003")),
        ("malformed JSON|JSON path|bad JSON", lambda text: DatabaseError(f"invalid JSON: {text}", code="22P02")),
        (
            "LIKE or GLOB pattern too complex",
            lambda text: DatabaseError("the pattern is too long", code="54001", hint="Write a shorter pattern."),
        ),
        ("^no such table", lambda text: DatabaseError(text, code="42P01", status=404)),
        ("^no such column", lambda text: DatabaseError(text, code="42703")),
        ("^no such function", lambda text: DatabaseError(text, code="42883", status=404)),
        (
            "^fts5: |^unterminated string|^unknown special query|malformed MATCH|unable to use function MATCH",
            lambda text: DatabaseError(
                f"the full-text query cannot be read: {text}",
                code="42601",
                hint='Quote words with signs in them: "c++"',
            ),
        ),
        ("syntax error", lambda text: DatabaseError(text, code="42601")),
        (
            "cannot modify|may not be modified|cannot UPDATE|cannot INSERT",
            lambda text: DatabaseError(text, code="55000", status=405),
        ),
        ("too many|too large|Recursion limit|too deep|stack overflow|parser stack", _too_complex),
    )
)


def _statement(text: str) -> DatabaseError:
    for pattern, make in _STATEMENT_REFUSALS:
        if pattern.search(text):
            return make(text)
    return DatabaseError(text, code="XX000")


def busy() -> DatabaseBusy:
    """Return the refusal of a caller that waited for another process as long as a caller may."""
    return DatabaseBusy("another process holds the database; try again in a moment")


def stopping() -> DatabaseBusy:
    """Return the refusal of a caller that came after the end."""
    return DatabaseBusy("the server is stopping")


def moved() -> DatabaseError:
    """Return the refusal of a write to a file that its path does not lead to any more."""
    return DatabaseError(
        "the database file was replaced, moved or deleted while it is served", code="58030", status=503
    )


def timed_out() -> StatementTimeout:
    """Return the refusal of a statement that ran over its time limit."""
    return StatementTimeout(
        "the statement ran over its time limit and was stopped",
        hint="Ask for fewer rows, filter by an indexed column, or raise the time limit of the server.",
    )


_RESULTS: dict[int, _Refuse] = {
    apsw.SQLITE_BUSY: lambda text: busy(),
    apsw.SQLITE_LOCKED: lambda text: busy(),
    apsw.SQLITE_PROTOCOL: lambda text: busy(),
    apsw.SQLITE_INTERRUPT: lambda text: timed_out(),
    apsw.SQLITE_MISMATCH: lambda text: DatabaseError(
        "a value has not the type of its column", code="22P02", hint="An INTEGER PRIMARY KEY takes whole numbers only."
    ),
    apsw.SQLITE_READONLY: lambda text: DatabaseError(
        "the database is served read-only", code="25006", status=405, hint="Make the file and its folder writable."
    ),
    apsw.SQLITE_TOOBIG: lambda text: DatabaseError(
        "a value or the result is larger than SQLite can hold", code="54000", status=413
    ),
    apsw.SQLITE_RANGE: _too_complex,
    apsw.SQLITE_FULL: lambda text: DatabaseError("the disk is full; nothing was written", code="53100", status=507),
    apsw.SQLITE_NOMEM: lambda text: DatabaseError("the server ran out of memory", code="53200", status=503),
    apsw.SQLITE_IOERR: lambda text: DatabaseError(
        f"the disk failed to read or write the database: {text}", code="58030", status=503
    ),
    apsw.SQLITE_CANTOPEN: lambda text: DatabaseError("the database file cannot be opened", code="58030", status=503),
    apsw.SQLITE_CORRUPT: lambda text: DatabaseError(
        "the database file is damaged", code="XX001", status=503, hint="Restore a backup; see PRAGMA integrity_check."
    ),
    apsw.SQLITE_NOTADB: lambda text: DatabaseError("the file is not a database", code="XX001", status=503),
    apsw.SQLITE_AUTH: lambda text: DatabaseError(f"not allowed: {text}", code="42501", status=403),
}


def _result(error: apsw.Error) -> DatabaseError:
    text = str(error)
    if getattr(error, "extendedresult", 0) == apsw.SQLITE_READONLY_DBMOVED:
        return moved()
    make = _RESULTS.get(getattr(error, "result", 0))
    return make(text) if make else DatabaseError(text or type(error).__name__, code="XX000", status=500)
