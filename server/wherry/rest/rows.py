"""How a row becomes text inside SQLite: an object of JSON, or a line of CSV.

A member of an object is either *flat* (a value that json_object() writes) or *text* (JSON already: an embed). SQLite
loses the mark that says "this is JSON" when a value comes out of a subquery, so text members are spliced in:

    rtrim(json_object('id', id, '', 0), '}0:"') || '"artist":' || (SELECT …) || '}'

json_object() writes the flat members and a last `"":0`; rtrim() takes away exactly that and the brace, for it stops at
the comma before; what follows is appended.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from wherry.rest.sql import Sql, join_balanced, join_sql, quote_literal, sql
from wherry.schema.model import ColumnType

#: json_object() takes SQLITE_MAX_FUNCTION_ARG (1000) arguments, two a member.
_MEMBERS_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class FlatMember:
    """A member whose value json_object() writes; `value` is already rendered for it."""

    key: str
    value: Sql


@dataclass(frozen=True, slots=True)
class TextMember:
    """A member whose value is JSON text, or NULL for none."""

    key: str
    text: Sql


@dataclass(frozen=True, slots=True)
class SpreadMembers:
    """Several members as one text `{"a":1,"b":2,` — brace and comma included, never NULL."""

    text: Sql


Member = FlatMember | TextMember | SpreadMembers


def render(value: Sql, type_: ColumnType, *, can_hold_blob: bool) -> Sql:
    r"""Write a value for JSON: booleans and JSON as such, a BLOB as PostgreSQL shows bytea (`\x00ff`).

    SQLite's columns hold what they like: a value that does not fit its declared type is shown as it is stored.
    Every BLOB sorts after every other value (https://sqlite.org/datatype3.html#sort_order), which makes the
    comparison with x'' the cheapest way to find one.
    """
    plain = value
    if can_hold_blob:
        plain = sql("CASE WHEN ", value, " >= x'' THEN '\\x' || lower(hex(", value, ")) ELSE ", value, " END")
    if type_ is ColumnType.BOOLEAN:
        return sql(
            "CASE ", value, " WHEN 1 THEN json('true') WHEN 0 THEN json('false') ELSE ", plain, " END"
        )  # fmt: skip
    if type_ is ColumnType.JSON:
        return sql("CASE WHEN json_valid(", value, ", 9) THEN json(", value, ") ELSE ", plain, " END")
    return plain


def object_of(members: Sequence[Member], *, nulls_stripped: bool) -> Sql:
    """Write members as a JSON object."""
    if all(isinstance(member, FlatMember) for member in members) and not nulls_stripped:
        flat = [member for member in members if isinstance(member, FlatMember)]
        if len(flat) <= _MEMBERS_AT_ONCE:
            return _json_object(flat)
    # the fragment ends in a comma unless it has no member at all: rtrim takes it away
    return sql("rtrim(", fragment_of(members, nulls_stripped=nulls_stripped), ", ',') || '}'")


def fragment_of(members: Sequence[Member], *, nulls_stripped: bool) -> Sql:
    """Write members as an object without its end: `{"id":1,"name":"x",`; without members it is `{`."""
    flat = [member for member in members if isinstance(member, FlatMember)]
    parts: list[Sql] = []
    if nulls_stripped:
        parts.append(("'{'",))
        parts += [_unless_null(member) for member in flat]
    else:
        first, *others = [flat[i : i + _MEMBERS_AT_ONCE] for i in range(0, len(flat), _MEMBERS_AT_ONCE)] or [[]]
        parts.append(_open_object(first) if first else ("'{'",))
        parts += [sql("substr(", _open_object(chunk), ", 2)") for chunk in others]
    for member in members:
        match member:
            case TextMember(key, text) if nulls_stripped:
                parts.append(sql("coalesce(", _key_text(key), " || ", text, " || ',', '')"))
            case TextMember(key, text):
                parts.append(sql(_key_text(key), " || coalesce(", text, ", 'null') || ','"))
            case SpreadMembers(text):
                parts.append(sql("substr(", text, ", 2)"))
    return sql("(", join_balanced(" || ", parts), ")")


def _json_object(members: Sequence[FlatMember]) -> Sql:
    pairs = [sql(quote_literal(member.key), ", ", member.value) for member in members]
    return sql("json_object(", join_sql(", ", pairs), ")")


def _open_object(members: Sequence[FlatMember]) -> Sql:
    """Write an object that still takes members: its text ends in a comma (see the module's text)."""
    pairs = [sql(quote_literal(member.key), ", ", member.value) for member in members]
    return sql("rtrim(json_object(", join_sql(", ", [*pairs, ("'', 0",)]), "), '}0:\"')")


def _unless_null(member: FlatMember) -> Sql:
    # json_quote() writes a NULL as null, which nullif() makes a NULL again; a text 'null' is written with quotes
    return sql("coalesce(", _key_text(member.key), " || nullif(json_quote(", member.value, "), 'null') || ',', '')")


def _key_text(key: str) -> str:
    return quote_literal(msgspec.json.encode(key).decode() + ":")


def csv_line_of(fields: Sequence[Sql]) -> Sql:
    """Write the fields of a line of CSV (RFC 4180), without its line end."""
    return join_balanced(" || ',' || ", fields)


def csv_field(value: Sql, type_: ColumnType, *, can_hold_blob: bool) -> Sql:
    """Write a value as a field of CSV, quoted where it must be: true and false are words, NULL and '' are not alike."""
    blob = sql(" WHEN ", value, " >= x'' THEN '\\x' || lower(hex(", value, "))") if can_hold_blob else ()
    # a number sorts before every text and needs no quotes
    field = sql(
        "CASE WHEN ", value, " < '' THEN ", value, " WHEN ", value, " IS NULL THEN ''", blob,
        " WHEN ", value, " = '' OR instr(", value, ", ',') OR instr(", value, ", '\"')",
        " OR instr(", value, ", char(10)) OR instr(", value, ", char(13))",
        " THEN '\"' || replace(", value, ", '\"', '\"\"') || '\"' ELSE ", value, " END",
    )  # fmt: skip
    if type_ is ColumnType.BOOLEAN:
        return sql("CASE ", value, " WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE ", field, " END")
    return field


def csv_json_field(text: Sql) -> Sql:
    """Write JSON text as a field of CSV: always quoted, so that it is evaluated once; NULL is empty."""
    return sql("coalesce('\"' || replace(", text, ", '\"', '\"\"') || '\"', '')")


def csv_header_of(keys: Sequence[str]) -> bytes:
    """Write the header line of CSV."""
    quoted = ['"' + key.replace('"', '""') + '"' if any(c in key for c in ',"\n\r') or not key else key for key in keys]
    return (",".join(quoted) + "\n").encode()
