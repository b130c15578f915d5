"""Bodies and the arguments of our functions are UTF-8, whatever the encoding of the file.

The compiler makes them as `CAST(text AS BLOB)`, which spares decoding and encoding them in Python, and lets texts
through that are no UTF-8. A cast gives the bytes of the file's own encoding, so those of a file in UTF-16 (`PRAGMA
encoding`) are put into UTF-8 here; a file in UTF-8 pays nothing. https://www.sqlite.org/lang_expr.html#castexpr
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import apsw

from wherry.statement import SQLiteValue

_Function: TypeAlias = Callable[..., Any]


def open_cursor(connection: apsw.Connection) -> apsw.Cursor:
    """Return a cursor whose bodies are UTF-8."""
    cursor = connection.cursor()
    in_utf8 = _in_utf8(connection)
    if in_utf8 is None:
        return cursor

    def trace(cursor: apsw.Cursor, row: tuple[SQLiteValue, ...]) -> tuple[SQLiteValue, ...]:
        return tuple(map(in_utf8, row))

    cursor.row_trace = trace
    return cursor


def takers_of_utf8(connection: apsw.Connection) -> Callable[[_Function], _Function]:
    """Return what makes a function that takes the bytes of texts in UTF-8 one that SQLite can call."""
    in_utf8 = _in_utf8(connection)
    return lambda function: function if in_utf8 is None else lambda *values: function(*map(in_utf8, values))


def utf8_of(value: SQLiteValue) -> bytes | None:
    """Return the text of a function's argument, None for NULL: texts come as bytes, blobs do not come.

    What is no UTF-8 becomes U+FFFD, as in a body.
    """
    match value:
        case bytes():
            return value if value.isascii() else value.decode(errors="replace").encode()
        case str():
            return value.encode(errors="replace")
        case int() | float():
            return str(value).encode()
    return None


def _in_utf8(connection: apsw.Connection) -> Callable[[SQLiteValue], SQLiteValue] | None:
    """Return what puts bytes of the file's encoding into UTF-8, None where that is UTF-8."""
    encoding = str(connection.cursor().execute("PRAGMA encoding").fetchall()[0][0])
    if encoding == "UTF-8":
        return None
    return lambda value: value.decode(encoding, "replace").encode() if isinstance(value, bytes) else value
