"""The query string: split into its shape and its values, and the shape parsed.

A request splits into its *shape* (which parameters, columns, operators) and its *values* (the literals). The split
is all that a request costs here whose shape was seen before; `parse_query` reads the shape, in which a literal is
only its index among the values.

    year=gte.2000&select=title&limit=5  →  ((FILTER, "year", "gte"), (TEXT, "select", "title"), (LIMIT, "limit", ""))
                                           and ["2000", "5"]
"""

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import TypeAlias
from urllib.parse import unquote_plus

from wherry.errors import RequestError
from wherry.rest.api_request import (
    FULL_TEXT,
    QUANTIFIABLE,
    Condition,
    Field,
    Filter,
    Group,
    IsValue,
    Level,
    Operator,
    OrderTerm,
    Quantifier,
    Query,
)
from wherry.rest.grammar import MAX_DEPTH, Scanner, read_field, read_name, read_names, read_order, read_select


class Kind(IntEnum):
    """What a parameter of the query string is."""

    TEXT = 0
    LIMIT = 1
    FILTER = 2
    LOGIC = 3


#: A logic tree whose literals have been taken out: ("or", negated, children), or (field, operator) at its leaves.
Tree: TypeAlias = "tuple[str, bool, tuple[Tree, ...]] | tuple[str, str]"
ShapeItem: TypeAlias = "tuple[Kind, str, str | Tree]"
Shape: TypeAlias = tuple[ShapeItem, ...]

_KINDS = {
    "select": Kind.TEXT,
    "order": Kind.TEXT,
    "columns": Kind.TEXT,
    "on_conflict": Kind.TEXT,
    "limit": Kind.LIMIT,
    "offset": Kind.LIMIT,
    "and": Kind.LOGIC,
    "or": Kind.LOGIC,
}
#: The words that also mean a level's own parameter when they stand behind its path: `actors.order=name`.
_LEVEL_WORDS = frozenset({"order", "limit", "offset", "and", "or"})

#: Stands behind the operator, in the shape, of a filter that has no value, not even an empty one: `year=eq`.
_WITHOUT_VALUE = "="

#: A query string longer than this is refused; nginx' default for a whole request line is 8 kB.
MAX_PARAMETERS = 1000


def split_query(text: str) -> tuple[Shape, list[str]]:
    """Split a raw query string into its shape, which can be a key, and its values, in order."""
    shape: list[ShapeItem] = []
    values: list[str] = []
    if not text:
        return (), values
    pairs = text.split("&")
    if len(pairs) > MAX_PARAMETERS:
        raise RequestError(
            f"The query string has more than {MAX_PARAMETERS} parameters",
            hint="Use in.(…) or or=(…) instead of many parameters",
        )
    for pair in pairs:
        key, _, value = pair.partition("=")
        if "%" in key or "+" in key:
            key = unquote_plus(key)
        kind = _KINDS.get(key)
        if kind is None:
            if not key:
                continue
            head, _, last = key.rpartition(".")
            kind = _KINDS[last] if head and last in _LEVEL_WORDS else Kind.FILTER
        if kind is Kind.TEXT:
            shape.append((kind, key, value))
            continue
        if "%" in value or "+" in value:
            value = unquote_plus(value)
        if kind is Kind.FILTER:
            operator, dot, literal = value.partition(".")
            if operator == "not":
                negated, dot, literal = literal.partition(".")
                operator = f"not.{negated}"
                if negated == "is":
                    operator, literal = value, ""
            elif operator == "is":
                operator, literal = value, ""
            if not dot:
                operator += _WITHOUT_VALUE
            shape.append((kind, key, operator))
            values.append(literal)
        elif kind is Kind.LIMIT:
            shape.append((kind, key, ""))
            values.append(value)
        else:
            shape.append((kind, key, _split_logic(value, key, values)))
    return tuple(shape), values


# ---- logic trees -----------------------------------------------------------------------------------------------

_GROUP = re.compile(r"\s*(not\.)?(and|or)\s*\(")
_SPACES = re.compile(r"\s*")
_OPERATOR = re.compile(r"(?:not\.)?[a-z]+(?:\([A-Za-z_0-9]*\))?")
_BARE_VALUE = re.compile(r"[^,()]*")
_CLOSING = {"(": ")", "{": "}", "[": "]"}


def _split_logic(text: str, key: str, values: list[str]) -> Tree:
    """Split `(a.eq.1,or(b.lt.2,c.is.null))` into its tree and the literals, which are appended to `values`."""
    scanner = Scanner(text, key)
    word = key.rpartition(".")[2]
    negated = key == f"not.{word}" or key.endswith(f".not.{word}")
    scanner.expect("(")
    tree = (word, negated, _split_children(scanner, values, depth=1))
    if not scanner.at_end:
        scanner.fail("nothing expected after the closing parenthesis")
    return tree


def _split_children(scanner: Scanner, values: list[str], depth: int) -> "tuple[Tree, ...]":
    if depth > MAX_DEPTH:
        scanner.fail(f"more than {MAX_DEPTH} levels")
    children: list[Tree] = []
    while True:
        group = _GROUP.match(scanner.text, scanner.position)
        if group:
            scanner.position = group.end()
            children.append((group[2], bool(group[1]), _split_children(scanner, values, depth + 1)))
        else:
            children.append(_split_leaf(scanner, values))
        if not scanner.accept(","):
            break
    scanner.expect(")")
    scanner.match(_SPACES)
    return tuple(children)


def _split_leaf(scanner: Scanner, values: list[str]) -> tuple[str, str]:
    scanner.match(_SPACES)
    start = scanner.position
    read_field(scanner)
    field = scanner.text[start : scanner.position]
    scanner.expect(".")
    operator = scanner.match(_OPERATOR)
    if operator is None:
        scanner.fail("an operator expected")
    scanner.expect(".")
    literal = _read_literal(scanner)
    if operator in ("is", "not.is"):
        operator, literal = f"{operator}.{literal.strip()}", ""
    values.append(literal)
    scanner.match(_SPACES)
    return field, operator


def _read_literal(scanner: Scanner) -> str:
    """Read a value inside a logic tree: quoted, bracketed, or up to the next comma or parenthesis."""
    if scanner.at('"'):
        return scanner.quoted()
    start = scanner.position
    if not scanner.at_end and scanner.text[start] in _CLOSING:
        _skip_brackets(scanner)
        return scanner.text[start : scanner.position]
    return scanner.match(_BARE_VALUE) or ""


def _skip_brackets(scanner: Scanner) -> None:
    open_brackets: list[str] = []
    while not scanner.at_end:
        character = scanner.text[scanner.position]
        if character == '"':
            scanner.quoted()
            continue
        scanner.position += 1
        if character in _CLOSING:
            open_brackets.append(_CLOSING[character])
        elif open_brackets and character == open_brackets[-1]:
            open_brackets.pop()
            if not open_brackets:
                return
    scanner.fail("a bracket that is never closed")


# ---- the shape, parsed -----------------------------------------------------------------------------------------


def parse_query(shape: Shape) -> Query:
    """Parse a shape. Raises RequestError PGRST100 for what is not in the dialect."""
    select, columns, on_conflict = "", None, None
    levels: dict[tuple[str, ...], Level] = {}
    literals = 0
    for kind, key, text in shape:
        if kind is Kind.TEXT and isinstance(text, str):
            decoded = unquote_plus(text)
            if key == "select":
                select = decoded
            elif key == "columns":
                columns = read_names(decoded, key) if decoded else None
            elif key == "on_conflict":
                on_conflict = read_names(decoded, key) if decoded else None
            elif decoded:
                _extend(levels, _read_level_key(key)[0], order=read_order(decoded, key))
        elif kind is Kind.LIMIT:
            path, word = _read_level_key(key)
            if word == "limit":
                _extend(levels, path, limit=literals)
            else:
                _extend(levels, path, offset=literals)
            literals += 1
        elif kind is Kind.FILTER and isinstance(text, str):
            path, field = _read_filter_key(key)
            _extend(levels, path, condition=_parse_filter(field, text, literals, before=f"{key}="))
            literals += 1
        elif not isinstance(text, str):
            path, word = _read_level_key(key)
            condition, literals = _parse_tree(text, literals)
            negated = isinstance(condition, Group) and condition.negated
            _extend(levels, path[:-1] if negated else path, condition=condition)
    return Query(read_select(select), levels, columns, on_conflict)


def _extend(
    levels: dict[tuple[str, ...], Level],
    path: tuple[str, ...],
    *,
    condition: Condition | None = None,
    order: tuple[OrderTerm, ...] | None = None,
    limit: int | None = None,
    offset: int | None = None,
) -> None:
    level = levels.get(path, Level())
    levels[path] = Level(
        conditions=level.conditions if condition is None else (*level.conditions, condition),
        order=level.order if order is None else order,
        limit=level.limit if limit is None else limit,
        offset=level.offset if offset is None else offset,
    )


def _read_level_key(key: str) -> tuple[tuple[str, ...], str]:
    """Read `actors.roles.limit` as the path of a level and its word."""
    *path, word = _read_dotted(Scanner(key, key))
    return tuple(path), word


def _read_filter_key(key: str) -> tuple[tuple[str, ...], Field]:
    """Read `actors.data->>name` as the path of a level and a field."""
    scanner = Scanner(key, key)
    path: list[str] = []
    while True:
        field = read_field(scanner)
        if scanner.at_end:
            return tuple(path), field
        if field.path:
            scanner.fail("nothing expected after a JSON path")
        scanner.expect(".")
        path.append(field.name)


def _read_dotted(scanner: Scanner) -> Iterator[str]:
    yield read_name(scanner)
    while scanner.accept("."):
        yield read_name(scanner)
    if not scanner.at_end:
        scanner.fail("'.' expected")


def _parse_tree(tree: Tree, literals: int) -> tuple[Condition, int]:
    if len(tree) == 2:  # a leaf is (field, operator)
        field_text, operator = tree
        scanner = Scanner(field_text, "and")
        return _parse_filter(read_field(scanner), operator, literals, before=f"{field_text}."), literals + 1
    conjunction, negated, children = tree
    conditions = []
    for child in children:
        condition, literals = _parse_tree(child, literals)
        conditions.append(condition)
    return Group(conjunction, negated, tuple(conditions)), literals


_OPERATORS, _QUANTIFIERS, _IS_VALUES = frozenset(Operator), frozenset(Quantifier), frozenset(IsValue)
_FILTER = re.compile(r"(not\.)?([a-z]+)(?:\(([A-Za-z_0-9]*)\))?(?:\.(.*))?", re.DOTALL)


def _parse_filter(field: Field, text: str, literal: int, *, before: str) -> Filter:
    """Parse what stands `before` (the field and what separates it) and the operator in `text`."""
    words = text.removesuffix(_WITHOUT_VALUE)
    place = before + words
    found = _FILTER.fullmatch(words)
    word = found[2] if found else words
    if found is None or word not in _OPERATORS:
        raise RequestError(
            f"'{word}' is not an operator" if word else "An operator is missing",
            details=f"in the filter {place}",
            hint=f"Write column=operator.value, for example {field.name}=eq.value; the operators are "
            + ", ".join(Operator),
        )
    operator, negated, modifier = Operator(word), bool(found[1]), found[3]
    if operator is Operator.IS:
        return Filter(field, operator, negated, is_value=_parse_is(found[4] or "", place))
    if words != text:
        raise RequestError(
            f"'{words}' lacks its value",
            details=f"in the filter {place}",
            hint=f"Write {field.name}={words}.value; {field.name}={words}. compares with an empty text",
        )
    if operator in FULL_TEXT:
        return Filter(field, operator, negated, literal=literal, language=modifier)
    quantifier = None
    if modifier is not None:
        if operator not in QUANTIFIABLE or modifier not in _QUANTIFIERS:
            raise RequestError(
                f"The operator '{operator}' takes no modifier '({modifier})'",
                details=f"in the filter {place}",
                hint="(any) and (all) go with " + ", ".join(sorted(QUANTIFIABLE)),
            )
        quantifier = Quantifier(modifier)
    return Filter(field, operator, negated, quantifier, literal)


def _parse_is(text: str, place: str) -> IsValue:
    word = text.lower()
    if word not in _IS_VALUES:
        raise RequestError(
            f"'{text}' cannot stand after 'is'",
            details=f"in the filter {place}",
            hint="Write one of is.null, is.not_null, is.true, is.false, is.unknown",
        )
    return IsValue(word)
