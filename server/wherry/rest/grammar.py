"""The small languages inside a query string: names, fields, `select`, `order` and logic trees.

A `Scanner` walks over a decoded text; the functions below are the grammar's rules, one each. Everything that
cannot be read raises RequestError PGRST100 and names the place. Names may be written bare or in double quotes
(`"a name, with .dots"`), in which a backslash escapes the next character.
"""

import re
from collections.abc import Iterator
from typing import NoReturn

from wherry.errors import RequestError
from wherry.rest.api_request import (
    Aggregate,
    Field,
    JoinType,
    OrderTerm,
    PathStep,
    SelectEmbed,
    SelectField,
    SelectItem,
    Star,
)

#: How deep embeds and logic trees may nest; beyond it a request is refused before it can cost anything.
MAX_DEPTH = 30

_BARE_NAME = re.compile(r"[^,():!.\"*>\x00-]+(?:-(?!>)[^,():!.\"*>\x00-]*)*|-(?!>)[^,():!.\"*>\x00]*")
_JSON_KEY = re.compile(r"[^,():.\"\x00\->]+(?:-(?!>)[^,():.\"\x00\->]*)*")
_CAST = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]*")
_SPACES = re.compile(r"\s*")

_AGGREGATES = frozenset(Aggregate)
_JOIN_TYPES = frozenset(JoinType)


class Scanner:
    """A position in a text; knows which parameter it reads, for the errors."""

    __slots__ = ("parameter", "position", "text")

    def __init__(self, text: str, parameter: str) -> None:
        self.text = text
        self.parameter = parameter
        self.position = 0

    def at(self, token: str) -> bool:
        """Tell whether `token` stands here."""
        return self.text.startswith(token, self.position)

    def accept(self, token: str) -> bool:
        """Step over `token` if it stands here."""
        if self.text.startswith(token, self.position):
            self.position += len(token)
            return True
        return False

    def expect(self, token: str) -> None:
        """Step over `token`, which must stand here."""
        if not self.accept(token):
            self.fail(f"'{token}' expected")

    def match(self, pattern: re.Pattern[str]) -> str | None:
        """Step over what the pattern matches here and return it."""
        found = pattern.match(self.text, self.position)
        if found is None:
            return None
        self.position = found.end()
        return found.group()

    @property
    def at_end(self) -> bool:
        """Tell whether nothing is left."""
        return self.position >= len(self.text)

    def quoted(self) -> str:
        """Read a text in double quotes; the opening quote stands here."""
        start = self.position
        self.position += 1
        characters: list[str] = []
        while not self.at_end:
            character = self.text[self.position]
            self.position += 1
            if character == '"':
                return "".join(characters)
            if character == "\\" and not self.at_end:
                character = self.text[self.position]
                self.position += 1
            characters.append(character)
        self.position = start
        self.fail("a double quote that is never closed")

    def fail(self, problem: str) -> NoReturn:
        """Raise the error of this place."""
        rest = self.text[self.position : self.position + 20]
        place = f"before '{rest}'" if rest else "at the end"
        raise RequestError(
            f"'{self.parameter}' cannot be parsed: {problem} {place}",
            details=f"in the parameter {self.parameter}={self.text[:200]}, character {self.position + 1}",
            hint=_HINTS.get(self.parameter.rpartition(".")[2], _FILTER_HINT),
        )


_FILTER_HINT = "Write column=operator.value, for example year=gte.2000"
_HINTS = {
    "select": "Write columns, renames and embeds separated by commas, for example select=id,name:title,director(name)",
    "order": "Write column.direction.nulls, for example order=year.desc.nullslast,title",
    "and": "Write conditions in parentheses, for example and=(year.gte.2000,or(rating.gt.4,title.like.A*))",
    "or": "Write conditions in parentheses, for example or=(year.gte.2000,title.like.A*)",
    "columns": "Write column names separated by commas, for example columns=id,title",
    "on_conflict": "Write column names separated by commas, for example on_conflict=id",
}


def read_name(scanner: Scanner) -> str:
    """Read a name, bare or quoted."""
    if scanner.at('"'):
        name = scanner.quoted()
        if "\x00" in name:
            scanner.fail("a NUL character in a name")
        return name
    name = scanner.match(_BARE_NAME) or ""
    if not name.strip():
        scanner.fail("a name expected")
    return name.strip()


def read_names(text: str, parameter: str) -> tuple[str, ...]:
    """Read a list of names: `columns=a,"b c"`."""
    scanner = Scanner(text, parameter)
    names = [read_name(scanner)]
    while scanner.accept(","):
        names.append(read_name(scanner))
    if not scanner.at_end:
        scanner.fail("',' expected")
    return tuple(dict.fromkeys(names))


def read_field(scanner: Scanner) -> Field:
    """Read a column's name and the JSON path behind it: `data->tags->>0`."""
    return Field(read_name(scanner), tuple(_read_path(scanner)))


def _read_path(scanner: Scanner) -> Iterator[PathStep]:
    while scanner.accept("->"):
        as_text = scanner.accept(">")
        if scanner.at('"'):
            yield PathStep(scanner.quoted(), as_text)
        else:
            negative = "-" if scanner.accept("-") else ""
            key = negative + (scanner.match(_JSON_KEY) or "")
            if key in ("", "-"):
                scanner.fail("a key or an index expected after the arrow")
            yield PathStep(int(key) if re.fullmatch(r"-?[0-9]{1,9}", key) else key, as_text)
        if as_text:
            return


def read_select(text: str) -> tuple[SelectItem, ...]:
    """Read a whole `select`; an empty one selects nothing but counts as `*`, as in PostgREST."""
    if not text:
        return (Star(),)
    scanner = Scanner(text, "select")
    items = _read_items(scanner, depth=0)
    if not scanner.at_end:
        scanner.fail("',' expected")
    return items


def _read_items(scanner: Scanner, depth: int) -> tuple[SelectItem, ...]:
    if depth > MAX_DEPTH:
        scanner.fail(f"more than {MAX_DEPTH} levels")
    items = [_read_item(scanner, depth)]
    while scanner.accept(","):
        items.append(_read_item(scanner, depth))
    return tuple(items)


def _read_item(scanner: Scanner, depth: int) -> SelectItem:
    scanner.match(_SPACES)
    if scanner.accept("*"):
        scanner.match(_SPACES)
        return Star()
    if scanner.accept("..."):
        return _read_embed(scanner, read_name(scanner), alias=None, spread=True, depth=depth)
    name = read_name(scanner)
    alias = None
    if scanner.at(":") and not scanner.at("::"):
        scanner.accept(":")
        alias, name = name, read_name(scanner)
    if scanner.at("()") and name == Aggregate.COUNT:
        scanner.accept("()")
        return SelectField(None, alias, aggregate=Aggregate.COUNT, aggregate_cast=_read_cast(scanner))
    if scanner.at("(") or scanner.at("!"):
        return _read_embed(scanner, name, alias=alias, spread=False, depth=depth)
    return _read_select_field(scanner, Field(name, tuple(_read_path(scanner))), alias)


def _read_select_field(scanner: Scanner, field: Field, alias: str | None) -> SelectField:
    cast = _read_cast(scanner)
    if not scanner.accept("."):
        return SelectField(field, alias, cast)
    function = read_name(scanner)
    if function not in _AGGREGATES:
        scanner.fail(f"'{function}' is not an aggregate (count, sum, avg, min, max), which is what a dot announces,")
    scanner.expect("()")
    return SelectField(field, alias, cast, Aggregate(function), _read_cast(scanner))


def _read_cast(scanner: Scanner) -> str | None:
    if not scanner.accept("::"):
        return None
    cast = scanner.match(_CAST)
    if cast is None:
        scanner.fail("a type expected")
    return cast.strip().lower()


def _read_embed(scanner: Scanner, relation: str, *, alias: str | None, spread: bool, depth: int) -> SelectEmbed:
    if spread and scanner.at(":") and not scanner.at("::"):
        scanner.accept(":")
        alias, relation = relation, read_name(scanner)
    hint, join = None, None
    while scanner.accept("!"):
        word = read_name(scanner)
        if word in _JOIN_TYPES and join is None:
            join = JoinType(word)
        elif hint is None:
            hint = word
        else:
            scanner.fail(f"a second hint '{word}'")
    scanner.expect("(")
    scanner.match(_SPACES)
    items = () if scanner.at(")") else _read_items(scanner, depth + 1)
    scanner.expect(")")
    scanner.match(_SPACES)
    return SelectEmbed(relation, alias, hint, join, spread, items)


_DIRECTIONS = {"asc": False, "desc": True}
_NULLS = {"nullsfirst": True, "nullslast": False}


def read_order(text: str, parameter: str) -> tuple[OrderTerm, ...]:
    """Read a whole `order`."""
    scanner = Scanner(text, parameter)
    terms = [_read_order_term(scanner)]
    while scanner.accept(","):
        terms.append(_read_order_term(scanner))
    if not scanner.at_end:
        scanner.fail("',' expected")
    return tuple(terms)


def _read_order_term(scanner: Scanner) -> OrderTerm:
    field = read_field(scanner)
    relation = None
    if not field.path and scanner.accept("("):
        relation, field = field.name, read_field(scanner)
        scanner.expect(")")
    descending, nulls_first = False, None
    while scanner.accept("."):
        word = read_name(scanner)
        if word in _DIRECTIONS:
            descending = _DIRECTIONS[word]
        elif word in _NULLS:
            nulls_first = _NULLS[word]
        else:
            scanner.fail(f"'{word}' is neither a direction (asc, desc) nor a place for nulls (nullsfirst, nullslast),")
    return OrderTerm(field, descending, nulls_first, relation)
