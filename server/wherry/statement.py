"""SQL with the places where its values come from: what `rest.compiler` makes and `sqlite.database` runs.

A statement is compiled once for a shape of request and bound many times. Its parameters, in the order of the
`?` in its text, say where each value comes from: the request's literals, or the caller's token. What is made anew for
each request is a named tuple, which costs a third of a frozen dataclass to make.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import msgspec

from wherry.identity import Identity

SQLiteValue: TypeAlias = str | int | float | bytes | None


@dataclass(frozen=True, slots=True)
class Literal:
    """The request's literal number `index`, passed through `convert` (which raises RequestError on a bad one)."""

    index: int
    convert: Callable[[str], SQLiteValue] | None = None

    def resolve(self, values: Sequence[str], identity: Identity) -> SQLiteValue:
        """Return the value to bind."""
        value = values[self.index]
        return value if self.convert is None else self.convert(value)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the caller's token: `("sub",)` for auth_uid(), `("app", "team")` for auth_jwt('app.team')."""

    path: tuple[str, ...]

    def resolve(self, values: Sequence[str], identity: Identity) -> SQLiteValue:
        """Return the claim as SQLite holds it: objects and lists as JSON text, true and false as 1 and 0."""
        value = identity.claim(self.path)
        if isinstance(value, dict | list):
            return msgspec.json.encode(value).decode()
        return int(value) if isinstance(value, bool) else value


@dataclass(frozen=True, slots=True)
class CurrentRole:
    """The caller's role: auth_role()."""

    def resolve(self, values: Sequence[str], identity: Identity) -> SQLiteValue:
        """Return the role's name."""
        return identity.role


Parameter: TypeAlias = Literal | Claim | CurrentRole


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL text and, in the order of its `?`, where each value comes from."""

    sql: str
    parameters: tuple[Parameter, ...] = ()

    def bind(self, values: Sequence[str], identity: Identity) -> tuple[SQLiteValue, ...]:
        """Return the values to run the statement with, for one request."""
        return tuple([parameter.resolve(values, identity) for parameter in self.parameters])


@dataclass(frozen=True, slots=True)
class Read:
    """A column that a statement reads, as SQLite's authorizer tells it; names are to be compared without case.

    `column` is empty where no column of the table is needed (`count(*)`), and ROWID for the rowid. `within` names the
    view or common table expression in whose text the reading stands, None for the statement's own text; it is
    empty for a view that SQLite does not name. An empty `table` says only that the view `within` is read.
    """

    table: str
    column: str
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Framing:
    """What stands before, between and after the rows of a body."""

    prefix: bytes = b"["
    separator: bytes = b","
    suffix: bytes = b"]"


@dataclass(frozen=True, slots=True)
class ReadTransaction:
    """One read, in two forms that give the same bytes.

    `page` gives one row: the number of rows, their text joined by the separator (a blob, NULL for none) and, where
    a total was asked, the number of rows without the limit. `rows` gives the rows one at a time, each as a blob,
    for results too large to hold: they are streamed. `size` gives one row for a stream's headers: how many rows
    it will have and, where asked, the total.
    """

    page: Statement
    rows: Statement
    size: Statement
    framing: Framing


class Step(NamedTuple):
    """A statement that writes, executed once for each of `rows`, with what it returns.

    `returning` says that it has a RETURNING clause. Where it is `checked`, that clause's first column is 1 for a row
    that the policies' WITH CHECK allows; any other undoes the whole write: WriteUndone, FORBIDDEN, with it as `check`.
    Where the step `resolves` conflicts two policies are asked: 1 says that the row is allowed as a new one, 2 as a
    changed one.
    """

    sql: str
    rows: Sequence[tuple[SQLiteValue, ...]]
    returning: bool
    checked: bool = True
    resolves: bool = False
    counts: bool = True  #: among the rows of the write; not where a step before it has given them


class Expectations(NamedTuple):
    """What must hold of a write after SQLite has run it; else it is undone, and WriteUndone says why.

    `max_affected` and `exactly` limit the number of rows. `every_row` says that each executed row must come back from
    RETURNING: an upsert skips rows that its policy forbids, and then nothing may happen. `rollback` undoes the
    write in any case, after everything was tried (`Prefer: tx=rollback`). With `shown`, rows count only if what
    RETURNING shows of them, its second column, is not NULL: an inner join leaves the others out.
    """

    max_affected: int | None = None
    exactly: int | None = None
    every_row: bool = False
    rollback: bool = False
    shown: bool = False


NO_EXPECTATIONS: Final = Expectations()


class WriteTransaction(NamedTuple):
    """The write of one request, with bound values: all of it happens or nothing."""

    steps: tuple[Step, ...]
    schema_version: int
    expects: Expectations = NO_EXPECTATIONS
    upsert: bool = False  #: `WriteResult.inserted` is asked for, or a step resolves conflicts


class WriteResult(NamedTuple):
    """What a write did: the number of rows it changed and what RETURNING gave, row by row, in order."""

    affected: int
    rows: Sequence[tuple[SQLiteValue, ...]]
    inserted: bool = True  #: of an upsert: whether a row is new
