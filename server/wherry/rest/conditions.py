"""A planned comparison as SQL: which operator of SQLite holds which of the dialect."""

import functools

from wherry.rest.api_request import FULL_TEXT, IsValue, Operator, PathStep, Quantifier
from wherry.rest.full_text import is_excluded, to_match, to_search
from wherry.rest.literals import (
    Convert,
    converter_of,
    is_not_ascii,
    to_document,
    to_glob,
    to_json_list,
    to_json_scalar,
    to_like,
    to_minified,
    to_number,
    to_number_or_text,
    to_pattern,
    to_prefix,
    to_prefix_end,
    to_quantified_list,
)
from wherry.rest.plan import ColumnValue, Comparison
from wherry.rest.sql import Sql, quote_identifier, quote_literal, sql
from wherry.schema.model import ColumnType, FullTextIndex
from wherry.statement import Literal

_COMPARISONS = {
    Operator.EQ: "=",
    Operator.NEQ: "<>",
    Operator.GT: ">",
    Operator.GTE: ">=",
    Operator.LT: "<",
    Operator.LTE: "<=",
    Operator.ISDISTINCT: "IS NOT",
}
_IS = {
    IsValue.NULL: " IS NULL",
    IsValue.NOT_NULL: " IS NOT NULL",
    IsValue.TRUE: " IS TRUE",
    IsValue.FALSE: " IS FALSE",
    IsValue.UNKNOWN: " IS NULL",
}


#: How a date begins a text: SQLite's date() would take numbers for days as well.
_DAY = "'[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'"


def column_sql(value: ColumnValue, alias: str) -> Sql:
    """Write a column's value as SQLite compares and sorts it: JSON's numbers as numbers, `->>` as text."""
    column = f"{alias}.{quote_identifier(value.column.name)}"
    if value.path:
        column = _path_sql(column, value.path)
    if value.cast is None:
        return (column,)
    if value.is_day:
        text = text_sql((column,))
        return sql(f"CASE WHEN {column} GLOB {_DAY} THEN coalesce(date({column}), ", text, ") ELSE ", text, " END")
    if value.cast is ColumnType.TEXT and not value.path:
        text = text_sql((column,)) if value.column.can_hold_blob else (_cast_sql(column, value.cast),)
        if value.column.type is ColumnType.BOOLEAN:
            return sql(f"CASE {column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE ", text, " END")
        return text
    return (_cast_sql(column, value.cast),)


def text_sql(value: Sql) -> Sql:
    """Cast a value that may be a BLOB to text: its bytes need not be any text, so they are shown in hex."""
    return sql("CASE WHEN ", value, " >= x'' THEN '\\x' || lower(hex(", value, ")) ELSE CAST(", value, " AS TEXT) END")


def _bytes_sql(value: Sql) -> Sql:
    """Write a text argument of our SQL functions, in bytes: Python takes no text that is no UTF-8. A BLOB is NULL."""
    return sql(
        "CASE typeof(", value, ") WHEN 'text' THEN CAST(", value, " AS BLOB) WHEN 'blob' THEN NULL ELSE ", value, " END"
    )  # fmt: skip


def _json_bytes_sql(value: Sql) -> Sql:
    """Write a JSON argument of our SQL functions, be it kept as text, as a BLOB or as SQLite's binary JSON."""
    return sql("CASE WHEN json_valid(", value, ", 9) THEN CAST(json(", value, ") AS BLOB) END")


def json_text_sql(value: ColumnValue, alias: str) -> Sql:
    """Write a place inside JSON as JSON text, NULL where there is none."""
    column = f"{alias}.{quote_identifier(value.column.name)}"
    return (f"CASE WHEN json_valid({column}, 9) THEN {column} -> {_json_path(value.path)} END",)


def _path_sql(column: str, path: tuple[PathStep, ...]) -> str:
    """Write a place inside a column that may hold text that is no JSON: then nothing is there, and that is no error."""
    place = _json_path(path)
    if not path[-1].as_text:
        # true and false stay words: as SQLite's 1 and 0 they would be equal to numbers
        return (
            f"CASE WHEN json_valid({column}, 9) THEN CASE json_type({column}, {place}) "
            f"WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE {column} ->> {place} END END"
        )
    # PostgreSQL's ->> gives text whatever the value: a number as it is written, true and false as words
    return (
        f"CASE WHEN json_valid({column}, 9) THEN CASE json_type({column}, {place}) "
        f"WHEN 'text' THEN {column} ->> {place} WHEN 'null' THEN NULL ELSE '' || ({column} -> {place}) END END"
    )


def _json_path(path: tuple[PathStep, ...]) -> str:
    """Write steps as a path of SQLite's JSON functions (https://sqlite.org/json1.html#path_arguments)."""
    text = "$"
    for step in path:
        if isinstance(step.key, int):
            text += f"[{step.key}]" if step.key >= 0 else f"[#{step.key}]"
        else:
            escaped = step.key.replace("\\", "\\\\").replace('"', '\\"')
            text += f'."{escaped}"'
    return quote_literal(text)


_CAST = {
    ColumnType.TEXT: "TEXT",
    ColumnType.INTEGER: "INTEGER",
    ColumnType.REAL: "REAL",
    ColumnType.NUMERIC: "NUMERIC",
    ColumnType.BLOB: "BLOB",
}


def _cast_sql(column: str, type_: ColumnType) -> str:
    if type_ is ColumnType.BOOLEAN:
        return (
            f"CASE WHEN lower({column}) IN ('true', 't', 'yes', 'on', '1') THEN 1 "
            f"WHEN {column} IS NOT NULL THEN CAST({column} AS NUMERIC) <> 0 END"
        )
    if type_ is ColumnType.INTEGER:  # PostgreSQL rounds where SQLite cuts off
        return f"CAST(CASE typeof({column}) WHEN 'real' THEN round({column}) ELSE {column} END AS INTEGER)"
    target = _CAST.get(type_)
    return column if target is None else f"CAST({column} AS {target})"


def comparison_sql(comparison: Comparison, alias: str, rowid: str) -> Sql:
    """Write a comparison. `rowid` is how the row's rowid is written, which full-text search needs."""
    condition = _positive_sql(comparison, alias, rowid)
    return sql("NOT (", condition, ")") if comparison.negated else condition


def _positive_sql(comparison: Comparison, alias: str, rowid: str) -> Sql:
    operator, literal = comparison.operator, comparison.literal
    if comparison.is_value is not None:
        if _is_json_place(comparison.value) and comparison.is_value in (IsValue.TRUE, IsValue.FALSE):
            return sql(column_sql(comparison.value, alias), f" IS '{comparison.is_value}'")
        return sql(column_sql(comparison.value, alias), _IS[comparison.is_value])
    if literal is None:
        raise AssertionError(f"a comparison with {operator} has a literal")
    if comparison.index is not None:
        return _indexed_sql(comparison, comparison.index, literal, rowid)
    if operator in FULL_TEXT:
        search = Literal(literal, functools.partial(to_search, syntax=str(operator)))
        stems = "1" if comparison.stems else "0"
        return sql("text_search(", _bytes_sql(_searched_sql(comparison.value, alias)), ", ", search, f", {stems})")
    value, type_ = column_sql(comparison.value, alias), _compared_type(comparison.value)
    if operator is Operator.LIKE and comparison.quantifier is None and _holds_text(comparison.value):
        return _like_sql(value, literal)
    number = to_number if _holds_numbers_only(comparison.value) else None
    if comparison.quantifier is not None:
        return _quantified_sql(value, type_, operator, literal, comparison.quantifier, number)
    if operator is Operator.IN:
        items = functools.partial(to_json_list, type_=type_, convert=number)
        return sql(value, " IN ", _items_sql(type_, Literal(literal, items)))
    convert = number or (to_json_scalar if _is_json_place(comparison.value) else converter_of(type_))
    return _operator_sql(value, type_, operator, literal, convert)


def _indexed_sql(comparison: Comparison, index: FullTextIndex, literal: int, rowid: str) -> Sql:
    """Write a search that an FTS5 index answers: the rows that it finds or, for `!a`, those that it does not."""
    columns = index.columns if comparison.value.column.name == index.table else (comparison.value.column.name,)
    table, syntax = quote_identifier(index.table), str(comparison.operator)
    wanted = Literal(literal, functools.partial(to_match, syntax=syntax, columns=columns))
    unwanted = Literal(literal, functools.partial(to_match, syntax=syntax, columns=columns, excluded=True))
    rows = f"SELECT rowid FROM main.{table} WHERE "
    return sql(
        rowid, f" IN ({rows}{table} MATCH ", wanted, f" UNION ALL {rows}",
        Literal(literal, functools.partial(is_excluded, syntax=syntax)),
        f" AND rowid NOT IN ({rows}{table} MATCH ", unwanted, "))",
    )  # fmt: skip


def _searched_sql(value: ColumnValue, alias: str) -> Sql:
    """Write the text that is searched; of JSON it is its texts, as PostgreSQL's to_tsvector takes them."""
    if value.type is not ColumnType.JSON:
        return column_sql(value, alias)
    document = json_text_sql(value, alias) if value.path else column_sql(value, alias)
    texts = sql(
        "(SELECT group_concat(value, ' ') FROM json_tree(CASE WHEN json_valid(", document, ", 9) THEN ", document,
        " END) WHERE type = 'text')",
    )  # fmt: skip
    return sql("CASE WHEN ", document, " IS NOT NULL THEN coalesce(", texts, ", '') END")


def _is_json_place(value: ColumnValue) -> bool:
    """Tell whether the value is JSON from inside JSON: `data->key`, but neither `data->>key` nor a cast."""
    return bool(value.path) and not value.path[-1].as_text and value.cast is None


def _holds_numbers_only(value: ColumnValue) -> bool:
    """Tell whether SQLite itself keeps all else out: of an INTEGER PRIMARY KEY, and of STRICT tables' numbers."""
    column = value.column
    is_number = column.type in (ColumnType.INTEGER, ColumnType.REAL) and not column.can_hold_blob
    return is_number and not value.path and value.cast is None


def _holds_text(value: ColumnValue) -> bool:
    """Tell whether SQLite keeps numbers as text in the column (https://sqlite.org/datatype3.html, 3.1)."""
    declared = value.column.declared_type.upper()
    plain = not value.path and value.cast is None and "INT" not in declared
    return plain and any(word in declared for word in ("CHAR", "CLOB", "TEXT"))


def _like_sql(value: Sql, literal: int) -> Sql:
    """Write a LIKE with the range of its prefix, which an index can find; a bound GLOB alone finds none."""
    return sql(
        "(", value, " COLLATE BINARY >= ", Literal(literal, to_prefix), " AND ",
        value, " COLLATE BINARY < ", Literal(literal, to_prefix_end), " AND ",
        value, " GLOB ", Literal(literal, to_glob), ")",
    )  # fmt: skip


def _compared_type(value: ColumnValue) -> ColumnType:
    """Return the type to compare with: a place inside JSON has no affinity (`data->age=gt.20`), `->>` gives text."""
    if value.path and value.cast is None:
        return ColumnType.TEXT if value.path[-1].as_text else ColumnType.UNTYPED
    return value.type


def _operator_sql(value: Sql, type_: ColumnType, operator: Operator, literal: int, convert: Convert | None) -> Sql:
    match operator:
        case Operator.EQ | Operator.NEQ | Operator.ISDISTINCT if type_ is ColumnType.JSON:
            minified = sql("CASE WHEN json_valid(", value, ", 9) THEN json(", value, ") ELSE ", value, " END")
            return sql("(", minified, f") {_COMPARISONS[operator]} ", Literal(literal, to_minified))
        case Operator.EQ | Operator.NEQ if type_ is ColumnType.UNTYPED:
            # without an affinity SQLite finds '5' and 5 different: both are what `eq.5` means
            word = " IN (" if operator is Operator.EQ else " NOT IN ("
            return sql(value, word, Literal(literal), ", ", Literal(literal, convert), ")")
        case Operator.ISDISTINCT if type_ is ColumnType.UNTYPED:
            return sql("(", _operator_sql(value, type_, Operator.EQ, literal, convert), ") IS NOT TRUE")
        case Operator.LIKE:
            return sql(value, " GLOB ", Literal(literal, to_glob))
        case Operator.ILIKE:
            pattern = Literal(literal, to_like)
            return sql(
                "CASE WHEN ", Literal(literal, is_not_ascii), " THEN ilike(", _bytes_sql(value), ", ", pattern,
                ") ELSE ", value, " LIKE ", pattern, " ESCAPE '\\' END",
            )  # fmt: skip
        case Operator.MATCH | Operator.IMATCH:
            ignore_case = "1" if operator is Operator.IMATCH else "0"
            return sql("regexp_match(", _bytes_sql(value), ", ", Literal(literal, to_pattern), ", ", ignore_case, ")")
        case Operator.CS:
            return sql("json_contains(", _json_bytes_sql(value), ", ", Literal(literal, to_document), ")")
        case Operator.CD:
            return sql("json_contains(", Literal(literal, to_document), ", ", _json_bytes_sql(value), ")")
        case Operator.OV:
            return sql("json_overlaps(", _json_bytes_sql(value), ", ", Literal(literal, to_document), ")")
        case _:
            return sql(value, f" {_COMPARISONS[operator]} ", Literal(literal, convert))


def _quantified_sql(
    value: Sql, type_: ColumnType, operator: Operator, literal: int, quantifier: Quantifier, number: Convert | None
) -> Sql:
    """Hold for one item of a list, or for each: with PostgreSQL's unknown, which a negation leaves unknown."""
    is_any = quantifier is Quantifier.ANY
    convert: Convert | None = None
    item = "item.value"
    match operator:
        case Operator.EQ if is_any:
            return sql(value, " IN ", _items_sql(type_, _listed(literal, type_, number)))
        case Operator.NEQ if not is_any:
            return sql(value, " NOT IN ", _items_sql(type_, _listed(literal, type_, number)))
        case Operator.LIKE:
            convert, test = to_glob, sql(value, f" GLOB {item}")
        case Operator.ILIKE:
            convert, test = to_like, sql("ilike(", _bytes_sql(value), f", {item})")
        case Operator.MATCH | Operator.IMATCH:
            ignore_case = "1" if operator is Operator.IMATCH else "0"
            convert, test = to_pattern, sql("regexp_match(", _bytes_sql(value), f", {item}, {ignore_case})")
        case Operator.EQ | Operator.NEQ if type_ is ColumnType.UNTYPED:
            word = " IN " if operator is Operator.EQ else " NOT IN "
            convert, test = to_number_or_text, sql(value, word, f"({item}, CAST({item} AS TEXT))")
        case _:
            convert = to_number_or_text if type_ is ColumnType.UNTYPED else number
            item = _blob_sql(item) if type_ is ColumnType.BLOB else item
            test = sql(value, f" {_COMPARISONS[operator]} {item}")
    outcome = "WHEN max(holds) = 1 THEN 1" if is_any else "WHEN min(holds) = 0 THEN 0"
    return sql(
        f"(SELECT CASE {outcome} WHEN count(holds) = count(*) THEN {0 if is_any else 1} END FROM (SELECT ", test,
        " AS holds FROM json_each(", _listed(literal, type_, convert), ") AS item))",
    )  # fmt: skip


def _items_sql(type_: ColumnType, listed: Literal) -> Sql:
    """Write the items of a list for IN."""
    item = _blob_sql("value") if type_ is ColumnType.BLOB else "value"
    return sql(f"(SELECT {item} FROM json_each(", listed, "))")


def _blob_sql(item: str) -> str:
    """Write an item that is compared with a BLOB, which JSON holds in PostgreSQL's hex form."""
    return f"iif(substr({item}, 1, 2) = '\\x', coalesce(unhex(substr({item}, 3)), {item}), {item})"


def _listed(literal: int, type_: ColumnType, convert: Convert | None = None) -> Literal:
    return Literal(literal, functools.partial(to_quantified_list, type_=type_, convert=convert))
