"""Bodies are UTF-8, whatever the encoding of the file.

The compiler makes bodies as `CAST(text AS BLOB)`, which spares decoding and encoding them in Python. A cast gives the
bytes of the file's own encoding, so those of a file in UTF-16 (`PRAGMA encoding`) are put into UTF-8 here; a file
in UTF-8 pays nothing. https://www.sqlite.org/lang_expr.html#castexpr
"""

from typing import Final

import apsw

from wherry.statement import SQLiteValue

#: A body is the first or second column, by the contract of `statement`; keys, which may be blobs, come after it.
_BODY_COLUMNS: Final = 2


def open_cursor(connection: apsw.Connection) -> apsw.Cursor:
    """Return a cursor whose bodies are UTF-8."""
    cursor = connection.cursor()
    encoding = str(cursor.execute("PRAGMA encoding").fetchall()[0][0])
    if encoding == "UTF-8":
        return cursor

    def in_utf8(value: SQLiteValue) -> SQLiteValue:
        return value.decode(encoding, "replace").encode() if isinstance(value, bytes) else value

    def trace(cursor: apsw.Cursor, row: tuple[SQLiteValue, ...]) -> tuple[SQLiteValue, ...]:
        return *map(in_utf8, row[:_BODY_COLUMNS]), *row[_BODY_COLUMNS:]

    cursor.row_trace = trace
    return cursor
