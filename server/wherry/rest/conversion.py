"""Values of a payload turned into what SQLite keeps, by the declared types of their columns."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, cast

import msgspec

from wherry.rest.literals import to_blob
from wherry.rest.payload import LEAST_INTEGER, MOST_INTEGER, JSONValue, plain_value
from wherry.schema.model import Column, ColumnType
from wherry.statement import SQLiteValue

Row: TypeAlias = tuple[SQLiteValue, ...]
ConvertRows: TypeAlias = Callable[[Sequence[tuple[JSONValue, ...]], Row], Sequence[Row]]

_WORDS = dict.fromkeys(("true", "t", "yes", "y", "on"), 1) | dict.fromkeys(("false", "f", "no", "n", "off"), 0)


def _to_boolean(value: JSONValue) -> SQLiteValue:
    """Keep true and false as 1 and 0; what is neither stays as it is: SQLite's columns hold what they like."""
    if isinstance(value, str):
        return _WORDS.get(value.strip().lower(), value)
    return plain_value(value)


def _to_text(value: JSONValue) -> SQLiteValue:
    """Keep true and false as these words, as PostgreSQL does; SQLite would make "1" and "0" of them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain_value(value)


def _to_json(value: JSONValue) -> SQLiteValue:
    """Keep a JSON value as its text; null is NULL."""
    return None if value is None else msgspec.json.encode(value).decode()


def _to_bytes(value: JSONValue) -> SQLiteValue:
    return to_blob(value) if isinstance(value, str) else plain_value(value)


class _Rule(NamedTuple):
    """How the values of a column are converted; those of the types in `keeps` stay as they are.

    So do integers where other numbers do, as far as they have 64 bits.
    """

    convert: Callable[[JSONValue], SQLiteValue]
    keeps: frozenset[type]


_PLAIN = _Rule(plain_value, frozenset({str, float, bool, type(None)}))
_RULES: Mapping[ColumnType, _Rule] = {
    ColumnType.BOOLEAN: _Rule(_to_boolean, frozenset({float, bool, type(None)})),
    ColumnType.TEXT: _Rule(_to_text, frozenset({str, float, type(None)})),
    ColumnType.JSON: _Rule(_to_json, frozenset({type(None)})),
    ColumnType.BLOB: _Rule(_to_bytes, frozenset({float, bool, type(None)})),
}


def rows_converter(columns: Sequence[Column], *, is_text: bool) -> ConvertRows:
    """Return the function that turns rows into bound rows, each with the same `tail` behind it.

    `is_text` says that the values come from CSV or a form, where a JSON column's text is the JSON itself.
    """
    rules = [
        _PLAIN if is_text and column.type is ColumnType.JSON else _RULES.get(column.type, _PLAIN) for column in columns
    ]

    def convert_rows(rows: Sequence[tuple[JSONValue, ...]], tail: Row) -> Sequence[Row]:
        if len(rows) > 1 and all(map(_are_kept, rules, zip(*rows, strict=True))):
            kept = cast("Sequence[Row]", rows)
            return [(*row, *tail) for row in kept] if tail else kept
        return [(*[rule.convert(value) for rule, value in zip(rules, row, strict=True)], *tail) for row in rows]

    return convert_rows


def _are_kept(rule: _Rule, column: Sequence[JSONValue]) -> bool:
    """Tell whether all values of a column stay as they are: a fifth of the cost of converting each."""
    types = set(map(type, column))
    if types != {int}:
        return types <= rule.keeps
    numbers = cast("Sequence[int]", column)
    return float in rule.keeps and min(numbers) >= LEAST_INTEGER and max(numbers) <= MOST_INTEGER
