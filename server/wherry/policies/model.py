"""What a role may do with a table, as values that the planner reads and the compiler renders.

Predicates are SQL in pieces: text that stands in `policies.sql`, and parameters for the functions that speak of the
caller. They hold for one schema version, against which they were checked when `policies.sql` was loaded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from wherry.schema.model import Table
from wherry.statement import Parameter


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition on a row, in pieces of SQL text and parameters.

    Columns stand unqualified or qualified by the table's own name. The tables that its subqueries read are in
    `sources`, each as the same role may read it: PostgreSQL applies row security inside policies as well.
    """

    pieces: tuple[str | Parameter, ...]
    sources: tuple["Source", ...] = ()
    name: str | None = None  #: of the restrictive policy that it is, alone: an error tells which one was violated


@dataclass(frozen=True, slots=True)
class Always:
    """Every row."""


@dataclass(frozen=True, slots=True)
class Never:
    """No row."""


Predicate: TypeAlias = Always | Never | Expression


@dataclass(frozen=True, slots=True)
class Source:
    """A table as one role may read it: its readable columns and visible rows."""

    table: str
    columns: tuple[str, ...]
    visible: Predicate
    unrestricted: bool = False  #: all columns and all rows: the table itself can stand in the SQL


@dataclass(frozen=True, slots=True)
class Access:
    """What one role may do with one table. Nothing can be left out: a plan without its policy cannot be made."""

    readable: tuple[str, ...]  #: columns of SELECT, in the table's order; empty means that no SELECT is allowed
    insertable: frozenset[str]
    updatable: frozenset[str]
    may_insert: bool
    may_update: bool
    may_delete: bool
    visible: Predicate  #: rows that SELECT shows
    changeable: Predicate  #: rows that UPDATE reaches (USING), beside `visible` where columns are read
    deletable: Predicate  #: rows that DELETE reaches
    insert_checks: tuple[Predicate, ...]  #: what a new row must satisfy, all of it
    update_checks: tuple[Predicate, ...]  #: what a changed row must satisfy
    unrestricted: bool = False  #: every column and row, no check: the service role

    @property
    def may_select(self) -> bool:
        """Tell whether the role may read the table at all."""
        return bool(self.readable)

    @property
    def is_nothing(self) -> bool:
        """Tell whether the role has no privilege on the table."""
        return not (self.readable or self.may_insert or self.may_update or self.may_delete)


#: A role that has no privilege on a table.
NO_ACCESS: Final = Access(
    readable=(),
    insertable=frozenset(),
    updatable=frozenset(),
    may_insert=False,
    may_update=False,
    may_delete=False,
    visible=Never(),
    changeable=Never(),
    deletable=Never(),
    insert_checks=(Never(),),
    update_checks=(Never(),),
)


class Policies:
    """The access of every role to every table, for one schema version and one state of `policies.sql`.

    `version` changes whenever the file or the schema does. A class because it remembers: an access is made when it
    is first asked for. It may be asked by several threads at once.
    """

    __slots__ = ("_find", "_known", "roles", "version", "warnings")

    def __init__(
        self,
        version: str,
        roles: frozenset[str],
        find: Callable[[str, Table], Access],
        *,
        warnings: tuple[str, ...] = (),
    ) -> None:
        self.version = version
        self.roles = roles
        self.warnings = warnings
        self._find = find
        self._known: dict[tuple[str, str], Access] = {}

    def access(self, role: str, table: Table) -> Access:
        """Return what the role may do with the table: nothing, for a role that was not created."""
        known = self._known.get((role, table.name))
        if known is not None:
            return known
        if role not in self.roles:  # and is not remembered: the names in tokens have no end
            return NO_ACCESS
        found = self._known[role, table.name] = self._find(role, table)
        return found

    def __repr__(self) -> str:
        return f"Policies({self.version!r}, roles={sorted(self.roles)})"
