"""What only the text of a CREATE statement tells: keys' names, which are deferred, triggers' events.

No PRAGMA gives these. (The name of a violated CHECK stands in SQLite's error.) The statements stand in sqlite_schema,
so SQLite has accepted them; they are read here as far as needed (https://sqlite.org/lang_createtable.html). Column
names are folded, as `model.fold` does.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from wherry.schema.model import fold
from wherry.schema.tokens import Token, TokenKind, tokenize


@dataclass(frozen=True, slots=True)
class ForeignKeyDefinition:
    """A foreign key's columns, folded, with what was said of it."""

    columns: tuple[str, ...]
    name: str | None
    deferred: bool = False


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """What the text of a CREATE TABLE says beyond the PRAGMAs."""

    primary_key: str | None = None  #: the constraint's name
    unique_keys: Mapping[tuple[str, ...], str] = field(default_factory=dict)  #: folded columns → constraint's name
    foreign_keys: tuple[ForeignKeyDefinition, ...] = ()  #: in the order of the text


class TriggerEvent(StrEnum):
    """What a trigger is run by."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


# ---- CREATE TABLE ----------------------------------------------------------------------------------------------

_NOTHING = TableDefinition()
_WORTH_READING = re.compile("constraint|deferred", re.IGNORECASE)


def read_table(sql: str) -> TableDefinition:
    """Read the constraints of a CREATE TABLE statement."""
    if not _WORTH_READING.search(sql):
        return _NOTHING
    constraints = _Constraints()
    for item in _items(tokenize(sql)):
        constraints.read(item)
    return TableDefinition(constraints.primary_key, constraints.unique_keys, tuple(constraints.foreign_keys))


#: The tokens between parentheses, or a token outside of them.
_Node: TypeAlias = Token | tuple[Token, ...]

#: The words that a table constraint begins with; all reserved, so no column is called so without quotes.
_TABLE_CONSTRAINTS = frozenset({"constraint", "primary", "unique", "check", "foreign"})

#: Whatever comes after CONSTRAINT and a name, which is the name of that alone.
_COLUMN_CONSTRAINTS = _TABLE_CONSTRAINTS | {"not", "null", "default", "collate", "references", "generated", "as"}


class _Constraints:
    """The constraints found so far. SQLite lets table constraints follow each other without commas."""

    def __init__(self) -> None:
        self.primary_key: str | None = None
        self.unique_keys: dict[tuple[str, ...], str] = {}
        self.foreign_keys: list[ForeignKeyDefinition] = []

    def read(self, item: Sequence[_Node]) -> None:
        """Read a column's definition or one or more table constraints."""
        column: tuple[str, ...] = ()
        position = 0
        if _keyword(item, 0) not in _TABLE_CONSTRAINTS:
            column, position = _names(item[:1]), 1
        name: str | None = None
        foreign: tuple[tuple[str, ...], str | None] | None = None
        while position < len(item):
            word = _keyword(item, position)
            match word:
                case "constraint":
                    name = next(_texts(item[position + 1 : position + 2]), None)
                    position += 2
                    continue
                case "primary":
                    self.primary_key = name
                case "unique" if name is not None:
                    self.unique_keys.setdefault(column or _names(item[position + 1 : position + 2]), name)
                case "foreign":
                    foreign = (_names(item[position + 2 : position + 3]), name)
                case "references":
                    columns, key_name = foreign or (column, name)
                    self.foreign_keys.append(ForeignKeyDefinition(columns, key_name))
                    foreign = None
                case "deferrable" if _is_deferred(item, position) and self.foreign_keys:
                    last = self.foreign_keys[-1]
                    self.foreign_keys[-1] = ForeignKeyDefinition(last.columns, last.name, deferred=True)
            if word in _COLUMN_CONSTRAINTS:
                name = None
            position += 1


def _is_deferred(item: Sequence[_Node], position: int) -> bool:
    following = (_keyword(item, position + 1), _keyword(item, position + 2))
    return following == ("initially", "deferred") and _keyword(item, position - 1) != "not"


def _items(tokens: Sequence[Token]) -> Iterator[list[_Node]]:
    """Split the list in the first parentheses at its commas; inner parentheses become one node."""
    start = next((i for i, token in enumerate(tokens) if token.is_symbol("(")), len(tokens))
    item: list[_Node] = []
    inner: list[Token] = []
    depth = 1
    for token in tokens[start + 1 :]:
        opens, closes = token.is_symbol("("), token.is_symbol(")")
        depth += opens - closes
        if depth == 0:
            break
        if depth == 1 and closes:
            item.append(tuple(inner))
            inner = []
        elif depth > 1:
            if not (opens and depth == 2):
                inner.append(token)
        elif token.is_symbol(","):
            yield item
            item = []
        else:
            item.append(token)
    yield item


def _keyword(item: Sequence[_Node], position: int) -> str:
    node = item[position] if 0 <= position < len(item) else ()
    return node.keyword if isinstance(node, Token) else ""


def _texts(nodes: Sequence[_Node]) -> Iterator[str]:
    """List a token's text, or the first text of each part of a list (`a COLLATE NOCASE, b DESC` gives a and b)."""
    for node in nodes:
        if isinstance(node, Token):
            yield node.text
        else:
            yield from (part[0].text for part in split_at_commas(node) if part)


def _names(nodes: Sequence[_Node]) -> tuple[str, ...]:
    return tuple(fold(text) for text in _texts(nodes))


def split_at_commas(tokens: Sequence[Token]) -> list[list[Token]]:
    """Split a list at the commas that stand in no inner parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += token.is_symbol("(") - token.is_symbol(")")
        if depth == 0 and token.is_symbol(","):
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


# ---- CREATE TRIGGER --------------------------------------------------------------------------------------------


def read_trigger(sql: str) -> TriggerEvent | None:
    """Find what a trigger is run by (https://sqlite.org/lang_createtrigger.html); None for no CREATE TRIGGER."""
    words = tokenize(sql)
    position = next((i + 1 for i, token in enumerate(words) if token.keyword == "trigger"), len(words))
    if [token.keyword for token in words[position : position + 3]] == ["if", "not", "exists"]:
        position += 3
    position += 1  # the trigger's name, which may be any word
    if position < len(words) and words[position].is_symbol("."):
        position += 2
    for token in words[position:]:
        if token.keyword in frozenset(TriggerEvent):
            return TriggerEvent(token.keyword)
        if token.keyword == "on":
            break
    return None


# ---- CREATE VIEW -----------------------------------------------------------------------------------------------

_COMPOUNDS = frozenset({"union", "intersect", "except"})


def compound_views(views: Mapping[str, str]) -> frozenset[str]:
    """Find the views (name → SQL) that combine several SELECTs, themselves or in a view that they mention.

    SQLite traces a column through one of the SELECTs only; the others may give other values.
    """
    names = {fold(name): name for name in views}
    mentioned_by: dict[str, list[str]] = {}
    waiting = []
    for name, sql in views.items():
        tokens = tokenize(sql)
        if any(token.keyword in _COMPOUNDS for token in tokens):
            waiting.append(name)
        for mentioned in {fold(token.text) for token in tokens} & names.keys():
            mentioned_by.setdefault(names[mentioned], []).append(name)
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += mentioned_by.get(name, ())
    return frozenset(found)


# ---- defaults --------------------------------------------------------------------------------------------------

_DEFAULT_WORDS = frozenset({"null", "true", "false", "current_time", "current_date", "current_timestamp"})


def default_expression(text: str) -> str:
    """Write what stands behind DEFAULT as an expression: there `red` and `"red"` are texts, not columns."""
    tokens = tokenize(text)
    if len(tokens) != 1 or tokens[0].keyword in _DEFAULT_WORDS or tokens[0].kind is TokenKind.NUMBER:
        return f"({text})"
    return "'" + tokens[0].text.replace("'", "''") + "'"
