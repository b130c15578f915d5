"""What is in the database, as values: tables, columns, keys and the relationships between them.

A `Schema` is made by `schema.reader` from one state of the file (`version` is SQLite's `schema_version`) and never
changes. Names are the database's own, letter for letter.
"""

import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def fold(name: str) -> str:
    """Return the name as SQLite compares it: A to Z without case, every other letter as it is."""
    return name.lower() if name.isascii() else name.translate(_LOWER)


class ColumnType(StrEnum):
    """How a column's values travel on the wire, read off its declared type."""

    INTEGER = "integer"
    REAL = "real"
    NUMERIC = "numeric"
    TEXT = "text"
    BOOLEAN = "boolean"
    JSON = "json"
    BLOB = "blob"
    UNTYPED = "untyped"  #: no declared type, or an expression in a view: SQLite applies no affinity


class TableKind(StrEnum):
    """What stands behind a name in the API."""

    TABLE = "table"
    VIEW = "view"
    VIRTUAL = "virtual"


class Cardinality(StrEnum):
    """How many rows a relationship leads to; the values are PostgREST's words."""

    MANY_TO_ONE = "many-to-one"
    ONE_TO_MANY = "one-to-many"
    ONE_TO_ONE = "one-to-one"
    MANY_TO_MANY = "many-to-many"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table or view."""

    name: str
    declared_type: str = ""
    type: ColumnType = ColumnType.UNTYPED
    nullable: bool = True
    default: str | None = None  #: SQL text of the DEFAULT clause
    generated: bool = False
    primary_key_position: int = 0  #: 1-based position in the primary key, 0 outside of it
    origin: tuple[str, str] | None = None  #: for a view's column: the table and column it shows
    can_hold_blob: bool = True  #: false where SQLite itself refuses one (STRICT tables, integer primary keys)
    is_rowid: bool = False  #: the INTEGER PRIMARY KEY, which SQLite fills in where no value is given


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key as declared; `referenced_columns` are resolved (a missing list means the primary key)."""

    name: str  #: the CONSTRAINT's name, or `<table>_<columns>_fkey` as PostgreSQL would call it
    table: str
    columns: tuple[str, ...]
    referenced_table: str
    referenced_columns: tuple[str, ...]
    deferred: bool = False


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """A primary key, UNIQUE constraint or unique index (without WHERE and expressions)."""

    name: str  #: the index' or constraint's name, or PostgreSQL's default (`films_pkey`, `films_title_key`)
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Junction:
    """The table in the middle of a many-to-many relationship."""

    table: str
    source_key: ForeignKey  #: junction → source
    target_key: ForeignKey  #: junction → target
    source_columns: tuple[str, ...]  #: the junction's (or its view's) columns that point to the source
    target_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relationship:
    """A way from the rows of `source` to rows of `target`: `source.source_columns = target.target_columns`.

    With a `junction`, source_columns meet `junction.source_columns` and target_columns meet `junction.target_columns`.
    """

    name: str  #: the foreign key's name; for many-to-many the junction's table
    source: str
    target: str
    cardinality: Cardinality
    source_columns: tuple[str, ...]
    target_columns: tuple[str, ...]
    junction: Junction | None = None
    is_self: bool = False  #: source and target are one table

    @property
    def leads_to_one(self) -> bool:
        """Tell whether a source row meets at most one target row."""
        return self.cardinality in (Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_ONE)


@dataclass(frozen=True, slots=True)
class FullTextIndex:
    """An FTS5 table: `columns` can be searched; `content_table` rows have `content_rowid` = the index' rowid."""

    table: str
    columns: tuple[str, ...]
    content_table: str | None = None
    content_rowid: str | None = None  #: the content table's INTEGER PRIMARY KEY, or "rowid"


@dataclass(frozen=True, slots=True)
class Table:
    """A table, view or virtual table that the API shows."""

    name: str
    kind: TableKind
    columns: Mapping[str, Column]
    primary_key: tuple[str, ...] = ()
    unique_keys: tuple[UniqueKey, ...] = ()  #: the primary key among them
    foreign_keys: tuple[ForeignKey, ...] = ()
    strict: bool = False
    without_rowid: bool = False
    full_text: FullTextIndex | None = None  #: set on an FTS5 table, and on the content table of one
    insertable: bool = True  #: for a view: has an INSTEAD OF INSERT trigger
    updatable: bool = True
    deletable: bool = True
    description: str | None = None
    #: `fold(name)` → column name, for SQLite compares names without case
    folded: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def column(self, name: str) -> Column | None:
        """Find a column by its name, exactly as written."""
        return self.columns.get(name)

    @property
    def row_key(self) -> tuple[str, ...]:
        """The names that tell a row from all others, empty where nothing does: the rowid, or the primary key.

        A column may be called `rowid`; then the rowid has its other names (https://sqlite.org/rowidtable.html).
        """
        if self.without_rowid or self.kind is TableKind.VIEW:
            return self.primary_key
        taken = {fold(column.name) for column in self.columns.values() if not column.is_rowid}
        return next(((name,) for name in ("rowid", "_rowid_", "oid") if name not in taken), ())


@dataclass(frozen=True, slots=True)
class Schema:
    """Everything the API shows of one state of the file."""

    version: int  #: PRAGMA schema_version
    tables: Mapping[str, Table]
    relationships: Mapping[str, tuple[Relationship, ...]]  #: by source table
    row_estimates: Mapping[str, int] = field(default_factory=dict)  #: from sqlite_stat1, where ANALYZE was run
    has_deferred_keys: bool = False  #: a foreign key is DEFERRABLE INITIALLY DEFERRED: violations show at COMMIT
    #: `fold(name)` → table name, for SQLite compares names without case
    folded: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def relationships_of(self, source: str) -> tuple[Relationship, ...]:
        """List the ways that lead from a table."""
        return self.relationships.get(source, ())
