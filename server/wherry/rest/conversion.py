"""Values of a payload turned into what SQLite keeps, by the declared types of their columns."""

from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

import msgspec

from wherry.rest.literals import to_blob
from wherry.rest.payload import LEAST_INTEGER, MOST_INTEGER, JSONValue, plain_value
from wherry.schema.model import Column, ColumnType
from wherry.statement import SQLiteValue

Row: TypeAlias = tuple[SQLiteValue, ...]
ConvertRows: TypeAlias = Callable[[Sequence[tuple[JSONValue, ...]], Row], Sequence[Row]]
_ConvertValue: TypeAlias = Callable[[JSONValue], SQLiteValue]

#: Types whose values SQLite keeps as they are; integers are, as far as they have 64 bits.
_KEPT = frozenset({str, float, bool, type(None)})
_WORDS = dict.fromkeys(("true", "t", "yes", "y", "on"), 1) | dict.fromkeys(("false", "f", "no", "n", "off"), 0)


def _to_boolean(value: JSONValue) -> SQLiteValue:
    """Keep true and false as 1 and 0; what is neither stays as it is: SQLite's columns hold what they like."""
    if isinstance(value, str):
        return _WORDS.get(value.strip().lower(), value)
    return plain_value(value)


def _to_json(value: JSONValue) -> SQLiteValue:
    """Keep a JSON value as its text; null is NULL."""
    return None if value is None else msgspec.json.encode(value).decode()


def _to_bytes(value: JSONValue) -> SQLiteValue:
    return to_blob(value) if isinstance(value, str) else plain_value(value)


_SPECIAL: dict[ColumnType, _ConvertValue] = {
    ColumnType.BOOLEAN: _to_boolean,
    ColumnType.JSON: _to_json,
    ColumnType.BLOB: _to_bytes,
}


def rows_converter(columns: Sequence[Column], *, is_text: bool) -> ConvertRows:
    """Return the function that turns rows into bound rows, each with the same `tail` behind it.

    `is_text` says that the values come from CSV or a form, where a JSON column's text is the JSON itself.
    """
    special = {kind: convert for kind, convert in _SPECIAL.items() if not (is_text and kind is ColumnType.JSON)}
    converts = [special.get(column.type, plain_value) for column in columns]
    if all(convert is plain_value for convert in converts):
        return _convert_plain

    def convert_rows(rows: Sequence[tuple[JSONValue, ...]], tail: Row) -> list[Row]:
        return [(*[convert(value) for convert, value in zip(converts, row, strict=True)], *tail) for row in rows]

    return convert_rows


def _convert_plain(rows: Sequence[tuple[JSONValue, ...]], tail: Row) -> Sequence[Row]:
    if len(rows) > 1 and all(map(_is_plain, zip(*rows, strict=True))):
        plain = cast("Sequence[Row]", rows)
        return [(*row, *tail) for row in plain] if tail else plain
    return [(*map(plain_value, row), *tail) for row in rows]


def _is_plain(column: tuple[JSONValue, ...]) -> bool:
    """Tell whether SQLite keeps the values of a column as they are (a fifth of the cost of `plain_value` for each)."""
    types = set(map(type, column))
    if int not in types:
        return types <= _KEPT
    return types == {int} and min(column) >= LEAST_INTEGER and max(column) <= MOST_INTEGER  # type: ignore[operator, type-var]  # integers
