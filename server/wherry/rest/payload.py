"""The body of a write: JSON, CSV or a form, decoded into columns and rows.

`payload_decoder` knows no schema; `rest.planner` decides what its columns mean and `Converter`s turn a value into
what SQLite keeps.
"""

import csv
import io
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from wherry.errors import RequestError

JSONValue: TypeAlias = "str | int | float | bool | None | list[JSONValue] | dict[str, JSONValue]"

#: What SQLite has for integers: 64 bits.
LEAST_INTEGER, MOST_INTEGER = -(2**63), 2**63 - 1
_decoder = msgspec.json.Decoder()

# the body's size is limited already; a field may be all of it
csv.field_size_limit(2**31 - 1)


class Payload(NamedTuple):
    """Rows to write. All rows have a value for each of `columns`, in that order.

    `is_text` says that the values came from CSV or a form, where everything is text and NULL is None.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[JSONValue, ...]]
    is_text: bool = False


#: The payload of one request: in several parts only where rows miss columns that then get their defaults.
Parts: TypeAlias = tuple[Payload, ...]
#: How a body becomes its parts; the query parameter `columns` and the Content-Type have decided that.
DecodeBody: TypeAlias = "Callable[[bytes], Parts]"


def payload_decoder(content_type: str, *, columns: tuple[str, ...] | None, missing_default: bool) -> DecodeBody:
    """Return the function that decodes bodies; it raises RequestError PGRST102 for one that cannot be read.

    `columns` (the query parameter) says which members count; a row that lacks one gets NULL, or the column's
    default when `missing_default`. Without it all rows must have the same members. Raises RequestError for a type of
    content that is none of ours: PostgREST counts it as a body that cannot be read (400), not as a type (415).
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in ("", "application/json") or media_type.endswith("+json"):
        return lambda body: _arrange(_decode_json(body), columns, missing_default=missing_default)
    if media_type == "text/csv":
        return lambda body: _select(_decode_csv(body), columns)
    if media_type == "application/x-www-form-urlencoded":
        return lambda body: _select(_decode_form(body), columns)
    raise RequestError(
        f"Content-Type not acceptable: {media_type[:100]}",
        hint="Send application/json, text/csv or application/x-www-form-urlencoded",
        code="PGRST102",
    )


def _decode_json(body: bytes) -> list[dict[str, JSONValue]] | dict[str, JSONValue]:
    if not body.strip():
        raise RequestError("Empty or invalid json", code="PGRST102", hint="Send a JSON object or a list of objects")
    try:
        document = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError("Empty or invalid json", code="PGRST102", details=str(error)) from error
    if isinstance(document, dict):
        return document
    if isinstance(document, list):
        if not set(map(type, document)) <= {dict}:
            number, row = next((number, row) for number, row in enumerate(document) if not isinstance(row, dict))
            raise RequestError(
                "All object keys must match",
                code="PGRST102",
                details=f"element {number} is {_name_of(row)}",
                hint='Send objects, for example [{"title": "A"}, {"title": "B"}]',
            )
        return document
    raise RequestError(
        f"A row must be an object, not {_name_of(document)}",
        code="PGRST102",
        hint='Send an object, for example {"title": "A"}, or a list of objects',
    )


def _name_of(value: JSONValue) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "an object"


def _arrange(
    document: list[dict[str, JSONValue]] | dict[str, JSONValue],
    columns: tuple[str, ...] | None,
    *,
    missing_default: bool,
) -> Parts:
    rows = [document] if isinstance(document, dict) else document
    if columns is not None:
        if missing_default:
            return _group_by_members([{c: row[c] for c in columns if c in row} for row in rows])
        return (Payload(columns, [tuple([row.get(c) for c in columns]) for row in rows]),)
    if not rows:
        return ()
    names = tuple(rows[0])
    if len(rows) == 1:
        return (Payload(names, (tuple(rows[0].values()),)),)
    if set(map(tuple, rows)) != {names}:  # not all have the same members in the same order
        _require_same_members(rows)
        return (Payload(names, [tuple([row[name] for name in names]) for row in rows]),)
    return (Payload(names, [tuple(row.values()) for row in rows]),)


def _require_same_members(rows: Sequence[dict[str, JSONValue]]) -> None:
    members = rows[0].keys()
    for number, row in enumerate(rows):
        if row.keys() != members:
            differing = ", ".join(sorted(row.keys() ^ members))
            raise RequestError(
                "All object keys must match",
                code="PGRST102",
                details=f"element {number} differs from the first in: {differing}",
                hint="Give all objects the same keys, or name the keys that count in ?columns=",
            )


def _group_by_members(rows: list[dict[str, JSONValue]]) -> Parts:
    """Keep the order of rows: a new part starts where the members change."""
    parts: list[tuple[tuple[str, ...], list[tuple[JSONValue, ...]]]] = []
    for row in rows:
        names = tuple(row)
        if not parts or parts[-1][0] != names:
            parts.append((names, []))
        parts[-1][1].append(tuple(row.values()))
    return tuple([Payload(names, arranged) for names, arranged in parts])


def _decode_csv(body: bytes) -> Payload:
    """Decode CSV with a header line (RFC 4180); the bare word NULL is a NULL, as in PostgREST."""
    try:
        records = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise RequestError("The CSV cannot be read", code="PGRST102", details=str(error)) from error
    records = [record for record in records if record]
    if not records:
        raise RequestError("The CSV has no header line", code="PGRST102", hint="Start with a line of column names")
    names = tuple(records[0])
    for number, record in enumerate(records[1:], start=1):
        if len(record) != len(names):
            raise RequestError(
                "All lines must have same number of fields",
                code="PGRST102",
                details=f"record {number} has {len(record)} fields, the header has {len(names)}",
            )
    rows = [tuple([None if field == "NULL" else field for field in record]) for record in records[1:]]
    return Payload(names, rows, is_text=True)


def _decode_form(body: bytes) -> Payload:
    if body.lstrip()[:1] in (b"{", b"["):
        # what curl -d sends is called a form unless it is told otherwise
        raise RequestError(
            "The body is JSON, but its Content-Type says that it is a form",
            code="PGRST102",
            hint="Send the header Content-Type: application/json",
        )
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1000, errors="strict")
    except ValueError as error:
        raise RequestError("The form cannot be read", code="PGRST102", details=str(error)) from error
    members = dict(pairs)
    return Payload(tuple(members), (tuple(members.values()),), is_text=True)


def _select(payload: Payload, columns: tuple[str, ...] | None) -> Parts:
    if len(set(payload.columns)) < len(payload.columns):
        raise RequestError("A column stands twice in the header", code="PGRST102", details=", ".join(payload.columns))
    if columns is None or not payload.rows:
        return (payload,) if payload.rows else ()
    positions = [payload.columns.index(c) if c in payload.columns else None for c in columns]
    rows = [tuple([None if p is None else row[p] for p in positions]) for row in payload.rows]
    return (Payload(columns, rows, payload.is_text),)


# ---- what SQLite keeps -----------------------------------------------------------------------------------------


def plain_value(value: JSONValue) -> str | int | float | None:
    """Turn a JSON value into what SQLite keeps: objects and lists as JSON text, true and false as 1 and 0."""
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    if isinstance(value, int) and not LEAST_INTEGER <= value <= MOST_INTEGER:
        raise RequestError(f'value "{value}" is out of range for type bigint', code="22003")
    return value
