"""SQL in pieces: text, and parameters where a `?` will stand.

A `Sql` is a tuple of both; pieces are joined in the order of the text, so parameters are always in the order of their
`?`. Nothing of a request becomes text but names, and those pass `quote_identifier` or `quote_literal`.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from wherry.statement import Parameter, Statement

Sql: TypeAlias = tuple[str | Parameter, ...]


def sql(*parts: "str | Parameter | Sql") -> Sql:
    """Join parts to one Sql."""
    pieces: list[str | Parameter] = []
    for part in parts:
        if isinstance(part, tuple):
            pieces.extend(part)
        else:
            pieces.append(part)
    return tuple(pieces)


def join_sql(separator: str, parts: Iterable[Sql]) -> Sql:
    """Join parts with a separator between them."""
    pieces: list[str | Parameter] = []
    for number, part in enumerate(parts):
        if number:
            pieces.append(separator)
        pieces.extend(part)
    return tuple(pieces)


#: SQLite takes no expression deeper than 1,000; a chain of operators is as deep as it is long.
_CHAIN = 50


def join_balanced(operator: str, parts: Sequence[Sql]) -> Sql:
    """Join any number of parts with an associative operator, many of them as a tree instead of a chain."""
    if len(parts) <= _CHAIN:
        return join_sql(operator, parts)
    middle = len(parts) // 2
    return sql(
        "(", join_balanced(operator, parts[:middle]), ")", operator, "(", join_balanced(operator, parts[middle:]), ")"
    )


def statement_of(pieces: Sql) -> Statement:
    """Make the text and the list of its parameters."""
    text = "".join([piece if isinstance(piece, str) else "?" for piece in pieces])
    return Statement(text, tuple([piece for piece in pieces if not isinstance(piece, str)]))


def quote_identifier(name: str) -> str:
    """Quote a name (https://sqlite.org/lang_keywords.html): double quotes, doubled inside."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Quote a text as an SQL literal. Only for names that become JSON keys; values are bound."""
    return "'" + text.replace("'", "''") + "'"
