"""What SQLite's own catalogue says of the file, row by row and unexplained; `schema.reader` makes sense of it.

Everything is read in one transaction, so that it is one state of the file. A few statements read all tables at once
through the PRAGMAs' table-valued forms (https://sqlite.org/pragma.html#pragfunc). What cannot be read is left out
and harms nothing else: a virtual table whose module is not there, a view on a table that is gone, a name that is
not UTF-8.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, TypeVar

import apsw

_Row: TypeAlias = tuple[Any, ...]
_Gathered = TypeVar("_Gathered")


class CatalogueColumn(NamedTuple):
    """A row of PRAGMA table_xinfo, or a column of a view; named tuples because there may be tens of thousands."""

    name: str
    declared_type: str
    not_null: bool
    default: str | None
    primary_key_position: int
    hidden: int  #: 0 ordinary, 1 hidden column of a virtual table, 2 virtual and 3 stored generated column
    origin: tuple[str, str] | None = None  #: for a view: the table and column that SQLite finds behind it


class CatalogueForeignKey(NamedTuple):
    """A key of PRAGMA foreign_key_list; names of the parent as they were written."""

    columns: tuple[str, ...]
    referenced_table: str
    referenced_columns: tuple[str | None, ...]  #: None where the list was left out: the parent's primary key


class CatalogueIndex(NamedTuple):
    """A unique index without WHERE; a column is None where it is an expression or the rowid."""

    name: str
    origin: str  #: `pk` PRIMARY KEY, `u` UNIQUE, `c` CREATE INDEX
    columns: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class CatalogueTable:
    """A table, view, virtual or shadow table of the file itself (not temporary, not attached)."""

    name: str
    kind: str  #: PRAGMA table_list's word: `table`, `view`, `virtual`, `shadow`
    sql: str  #: the CREATE statement, "" for none
    without_rowid: bool = False
    strict: bool = False
    columns: tuple[CatalogueColumn, ...] = ()  #: empty for what cannot be read
    foreign_keys: tuple[CatalogueForeignKey, ...] = ()  #: in the order of their declaration
    unique_indexes: tuple[CatalogueIndex, ...] = ()  #: in the order of their creation


class CatalogueTrigger(NamedTuple):
    """A trigger and the table or view that it is on."""

    table: str
    sql: str


class CatalogueStatistic(NamedTuple):
    """A row of sqlite_stat1, which ANALYZE writes (https://sqlite.org/fileformat2.html#stat1tab)."""

    table: str
    index_name: str | None  #: None for a table without an index
    stat: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """One state of the file's catalogue."""

    version: int  #: PRAGMA schema_version
    tables: tuple[CatalogueTable, ...]  #: in the order of their creation
    triggers: tuple[CatalogueTrigger, ...] = ()
    statistics: tuple[CatalogueStatistic, ...] = ()


def read_catalogue(connection: apsw.Connection) -> Catalogue:
    """Read the catalogue, in a read transaction of its own unless the connection is in one. Raises apsw.Error."""
    with _one_state(connection):
        # Reading the table first makes SQLite notice what another process changed; some PRAGMAs alone would not.
        objects = list(_objects(connection))
        version: int = _rows(connection, "PRAGMA main.schema_version")[0][0]
        kinds = _kinds(connection)
        tables = [(name, sql) for kind, name, _, sql in objects if kind in ("table", "view") and name in kinds]
        read = [name for name, _ in tables if kinds[name][0] in ("table", "virtual")]
        ordinary = [name for name in read if kinds[name][0] == "table"]
        columns = _columns(connection, read)
        columns.update((name, _view_columns(connection, name)) for name, _ in tables if kinds[name][0] == "view")
        foreign_keys = _foreign_keys(connection, ordinary)
        unique_indexes = _unique_indexes(connection, ordinary)
        return Catalogue(
            version,
            tuple(
                CatalogueTable(
                    name,
                    kinds[name][0],
                    sql,
                    without_rowid=kinds[name][1],
                    strict=kinds[name][2],
                    columns=columns.get(name, ()),
                    foreign_keys=foreign_keys.get(name, ()),
                    unique_indexes=unique_indexes.get(name, ()),
                )
                for name, sql in tables
            ),
            tuple(CatalogueTrigger(table, sql) for kind, _, table, sql in objects if kind == "trigger"),
            _statistics(connection) if any(name == "sqlite_stat1" for _, name, _, _ in objects) else (),
        )


@contextmanager
def _one_state(connection: apsw.Connection) -> Iterator[None]:
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def _rows(connection: apsw.Connection, sql: str) -> list[_Row]:
    return connection.execute(sql).fetchall()


# ---- sqlite_schema and PRAGMA table_list -----------------------------------------------------------------------


def _objects(connection: apsw.Connection) -> Iterator[tuple[str, str, str, str]]:
    """List (type, name, table, SQL) of everything. SQL may hold any bytes, in a comment or a default."""
    encoding = _encoding(connection)
    rows = _rows(
        connection,
        "SELECT type, CAST(name AS BLOB), CAST(tbl_name AS BLOB), CAST(sql AS BLOB) FROM main.sqlite_schema"
        " WHERE type IN ('table', 'view', 'trigger') ORDER BY rowid",
    )
    for kind, name, table, sql in rows:
        try:
            yield kind, name.decode(encoding), table.decode(encoding), (sql or b"").decode(encoding, "replace")
        except UnicodeDecodeError:
            continue


def _kinds(connection: apsw.Connection) -> dict[str, tuple[str, bool, bool]]:
    """Map each table to (kind, WITHOUT ROWID, STRICT)."""
    encoding = _encoding(connection)
    rows = _rows(connection, "SELECT CAST(name AS BLOB), type, wr, strict FROM pragma_table_list WHERE schema = 'main'")
    # a name that is not UTF-8 meets no object, for those are left out already
    return {
        name.decode(encoding, "replace"): (kind, bool(without_rowid), bool(strict))
        for name, kind, without_rowid, strict in rows
    }


def _encoding(connection: apsw.Connection) -> str:
    """Return the encoding of text that was cast to a BLOB: UTF-8, UTF-16le or UTF-16be."""
    return str(_rows(connection, "PRAGMA main.encoding")[0][0])


# ---- the other PRAGMAs -----------------------------------------------------------------------------------------

# json_each is the outer loop of the CROSS JOIN, so rows come table by table, each in the PRAGMA's order.
_COLUMNS = """
    SELECT t.key, c.name, c.type, c."notnull", CAST(c.dflt_value AS BLOB), c.pk, c.hidden
    FROM json_each(?) AS t CROSS JOIN pragma_table_xinfo(t.value, 'main') AS c"""
_FOREIGN_KEYS = """
    SELECT t.key, k.id, k."from", k."table", k."to"
    FROM json_each(?) AS t CROSS JOIN pragma_foreign_key_list(t.value, 'main') AS k"""
_UNIQUE_INDEXES = """
    SELECT t.key, i.name, i.origin, c.name
    FROM json_each(?) AS t CROSS JOIN pragma_index_list(t.value, 'main') AS i
    CROSS JOIN pragma_index_info(i.name, 'main') AS c
    WHERE i."unique" AND NOT i.partial"""

#: What says nothing about a table, but that SQLite cannot answer now.
_NOT_NOW = (apsw.BusyError, apsw.LockedError, apsw.InterruptError, apsw.IOError, apsw.NoMemError)


def _columns(connection: apsw.Connection, tables: Sequence[str]) -> dict[str, tuple[CatalogueColumn, ...]]:
    encoding = _encoding(connection)
    return _by_table(
        connection,
        _COLUMNS,
        tables,
        lambda rows: tuple(
            CatalogueColumn(
                name,
                declared_type,
                bool(not_null),
                None if default is None else default.decode(encoding, "replace"),
                position,
                hidden,
            )
            for name, declared_type, not_null, default, position, hidden in rows
        ),
    )


def _foreign_keys(connection: apsw.Connection, tables: Sequence[str]) -> dict[str, tuple[CatalogueForeignKey, ...]]:
    def gather(rows: list[_Row]) -> tuple[CatalogueForeignKey, ...]:
        keys: dict[int, list[tuple[str, str, str | None]]] = {}
        for number, column, parent, referenced in rows:
            keys.setdefault(number, []).append((column, parent, referenced))
        # SQLite numbers the keys from the last one declared to the first
        return tuple(
            CatalogueForeignKey(tuple(row[0] for row in key), key[0][1], tuple(row[2] for row in key))
            for _, key in sorted(keys.items(), reverse=True)
        )

    return _by_table(connection, _FOREIGN_KEYS, tables, gather)


def _unique_indexes(connection: apsw.Connection, tables: Sequence[str]) -> dict[str, tuple[CatalogueIndex, ...]]:
    def gather(rows: list[_Row]) -> tuple[CatalogueIndex, ...]:
        indexes: dict[tuple[str, str], list[str | None]] = {}
        for name, origin, column in rows:
            indexes.setdefault((name, origin), []).append(column)
        # SQLite lists the newest first
        return tuple(CatalogueIndex(*index, tuple(indexes[index])) for index in reversed(indexes))

    return _by_table(connection, _UNIQUE_INDEXES, tables, gather)


def _by_table(
    connection: apsw.Connection,
    sql: str,
    tables: Sequence[str],
    gather: Callable[[list[_Row]], _Gathered],
) -> dict[str, _Gathered]:
    """Run the statement for all tables at once; where one of them cannot be read, for each half of them."""
    rows: list[list[_Row]] = [[] for _ in tables]
    try:
        for row in connection.execute(sql, (json.dumps(tables, ensure_ascii=False),)):
            rows[row[0]].append(row[1:])
    except _NOT_NOW:
        raise
    except (apsw.Error, UnicodeDecodeError):
        if len(tables) <= 1:
            return {}
        middle = len(tables) // 2
        return _by_table(connection, sql, tables[:middle], gather) | _by_table(connection, sql, tables[middle:], gather)
    return {name: gather(found) for name, found in zip(tables, rows, strict=True) if found}


# ---- views -----------------------------------------------------------------------------------------------------


def _view_columns(connection: apsw.Connection, view: str) -> tuple[CatalogueColumn, ...]:
    """Describe a view's columns, without running it, by SQLite's metadata; empty for one that does not compile."""
    described: list[tuple[tuple[str | None, ...], ...]] = []

    def stop_before_it_runs(cursor: apsw.Cursor, _sql: str, _bindings: object) -> bool:
        described.append(cursor.description_full)
        return False

    cursor = connection.cursor()
    cursor.exec_trace = stop_before_it_runs
    try:
        with suppress(apsw.ExecTraceAbort):
            cursor.execute('SELECT * FROM main."' + view.replace('"', '""') + '"')
    except _NOT_NOW:
        raise
    except (apsw.Error, UnicodeDecodeError):
        return ()
    return tuple(_described(described[0]))


def _described(columns: Iterable[tuple[str | None, ...]]) -> Iterator[CatalogueColumn]:
    for name, declared_type, database, table, column in columns:
        origin = (table, column) if database == "main" and table is not None and column is not None else None
        yield CatalogueColumn(name or "", declared_type or "", False, None, 0, 0, origin)


# ---- statistics ------------------------------------------------------------------------------------------------


def _statistics(connection: apsw.Connection) -> tuple[CatalogueStatistic, ...]:
    try:
        rows = _rows(
            connection,
            "SELECT tbl, idx, stat FROM main.sqlite_stat1 WHERE typeof(tbl) = 'text' AND typeof(stat) = 'text'"
            " AND typeof(idx) IN ('text', 'null')",
        )
    except UnicodeDecodeError:
        return ()
    return tuple(CatalogueStatistic(*row) for row in rows)
