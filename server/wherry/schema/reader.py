"""Make the `Schema` of what SQLite's catalogue says: a pure function, from rows to the values of `schema.model`.

    schema = interpret(read_catalogue(connection))

Left out are SQLite's own tables, the shadow tables of virtual ones and what SQLite cannot read: a virtual table
without its module, a view on a table that is gone.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from wherry.schema.definitions import (
    ForeignKeyDefinition,
    TableDefinition,
    TriggerEvent,
    compound_views,
    read_table,
    read_trigger,
)
from wherry.schema.full_text import with_full_text
from wherry.schema.model import Column, ForeignKey, Schema, Table, TableKind, UniqueKey, fold
from wherry.schema.relationships import relate
from wherry.schema.types import column_type, compound_type
from wherry.sqlite.catalogue import (
    Catalogue,
    CatalogueColumn,
    CatalogueForeignKey,
    CatalogueStatistic,
    CatalogueTable,
)

_HIDDEN = 1
_VIRTUAL = 2
_STORED = 3

#: The types of a STRICT table that refuse a BLOB (https://sqlite.org/stricttables.html).
_REFUSE_BLOBS = frozenset({"int", "integer", "real", "text"})


def interpret(catalogue: Catalogue) -> Schema:
    """Make the schema that the API shows."""
    shown = {entry.name: entry for entry in catalogue.tables if _is_shown(entry)}
    folded = {fold(name): name for name in shown}
    definitions = {name: read_table(entry.sql) for name, entry in shown.items() if entry.kind == "table"}
    parents = {fold(name): _Parent(entry) for name, entry in shown.items() if entry.kind == "table"}
    compounds = compound_views({name: entry.sql for name, entry in shown.items() if entry.kind == "view"})
    events = _events(catalogue)
    bases = {
        name: _table(entry, definitions[name], parents) if entry.kind == "table" else _virtual_table(entry)
        for name, entry in shown.items()
        if entry.kind != "view"
    }
    tables = {
        name: bases[name]
        if name in bases
        else _view(entry, bases, events.get(name, frozenset()), is_compound=name in compounds)
        for name, entry in shown.items()
    }
    tables = with_full_text(tables, {name: entry.sql for name, entry in shown.items() if entry.kind == "virtual"})
    return Schema(
        catalogue.version,
        tables,
        relate(tables),
        row_estimates=_row_estimates(catalogue.statistics, folded),
        has_deferred_keys=any(key.deferred for found in definitions.values() for key in found.foreign_keys),
        folded=folded,
    )


def _is_shown(entry: CatalogueTable) -> bool:
    is_internal = fold(entry.name).startswith("sqlite_")
    return entry.kind in tuple(TableKind) and not is_internal and bool(entry.columns)


def _folded(columns: Iterable[str]) -> dict[str, str]:
    return {fold(name): name for name in columns}


# ---- tables ----------------------------------------------------------------------------------------------------


def _table(entry: CatalogueTable, definition: TableDefinition, parents: Mapping[str, "_Parent"]) -> Table:
    rowid = _rowid_alias(entry)
    columns = {column.name: _column(entry, column, is_rowid=column.name == rowid) for column in entry.columns}
    primary_key = _primary_key(entry)
    return Table(
        entry.name,
        TableKind.TABLE,
        columns,
        primary_key=primary_key,
        unique_keys=tuple(_unique_keys(entry, primary_key, definition)),
        foreign_keys=_foreign_keys(entry, definition, parents),
        strict=entry.strict,
        without_rowid=entry.without_rowid,
        folded=_folded(columns),
    )


def _column(entry: CatalogueTable, column: CatalogueColumn, *, is_rowid: bool) -> Column:
    return Column(
        column.name,
        column.declared_type,
        column_type(column.declared_type, strict=entry.strict),
        nullable=not (column.not_null or is_rowid),
        default=column.default,
        generated=column.hidden in (_VIRTUAL, _STORED),
        primary_key_position=column.primary_key_position,
        can_hold_blob=not (is_rowid or _refuses_blobs(entry, column)),
        is_rowid=is_rowid,
    )


def _refuses_blobs(entry: CatalogueTable, column: CatalogueColumn) -> bool:
    """Tell whether STRICT keeps BLOBs out, which it checks at writing; a virtual column is computed at reading."""
    return entry.strict and column.hidden != _VIRTUAL and fold(column.declared_type) in _REFUSE_BLOBS


def _primary_key(entry: CatalogueTable) -> tuple[str, ...]:
    positions = ((column.primary_key_position, column.name) for column in entry.columns)
    return tuple(name for position, name in sorted(positions) if position)


def _rowid_alias(entry: CatalogueTable) -> str | None:
    """Find the column that is the rowid: a primary key for which SQLite made no index.

    https://sqlite.org/lang_createtable.html#rowid
    """
    primary_key = _primary_key(entry)
    has_index = entry.without_rowid or any(index.origin == "pk" for index in entry.unique_indexes)
    return primary_key[0] if len(primary_key) == 1 and not has_index else None


def _unique_keys(
    entry: CatalogueTable, primary_key: tuple[str, ...], definition: TableDefinition
) -> Iterator[UniqueKey]:
    """List the primary key, then the others in the order of their creation; the same columns only once."""
    seen = {primary_key}
    if primary_key:
        yield UniqueKey(definition.primary_key or f"{entry.name}_pkey", primary_key)
    for index in entry.unique_indexes:
        columns = tuple(column for column in index.columns if column is not None)
        if len(columns) < len(index.columns) or columns in seen:
            continue
        seen.add(columns)
        if index.origin == "c":
            yield UniqueKey(index.name, columns)
        else:
            declared = definition.unique_keys.get(tuple(map(fold, columns)))
            yield UniqueKey(declared or f"{entry.name}_{'_'.join(columns)}_key", columns)


def _virtual_table(entry: CatalogueTable) -> Table:
    columns = {
        column.name: Column(column.name, column.declared_type, column_type(column.declared_type))
        for column in entry.columns
        if column.hidden != _HIDDEN
    }
    return Table(entry.name, TableKind.VIRTUAL, columns, folded=_folded(columns))


# ---- foreign keys ----------------------------------------------------------------------------------------------


class _Parent:
    """A table that keys may refer to, whose names are written in any case."""

    def __init__(self, entry: CatalogueTable) -> None:
        self.name = entry.name
        self._columns = _folded(column.name for column in entry.columns)
        self._primary_key = _primary_key(entry)

    def resolve(self, key: CatalogueForeignKey) -> tuple[str, ...] | None:
        """Find the columns that a key refers to, the primary key without a list; None where they do not match."""
        if all(column is None for column in key.referenced_columns):
            found = self._primary_key
        else:
            named = (self._columns.get(fold(column or "")) for column in key.referenced_columns)
            found = tuple(column for column in named if column is not None)
        return found if len(found) == len(key.columns) else None


def _foreign_keys(
    entry: CatalogueTable, definition: TableDefinition, parents: Mapping[str, _Parent]
) -> tuple[ForeignKey, ...]:
    """List the keys that refer to something, in the order of their declaration; one declared twice only once."""
    keys: dict[tuple[tuple[str, ...], str, tuple[str, ...]], ForeignKey] = {}
    taken: Counter[str] = Counter()
    for key, declared in zip(entry.foreign_keys, _declared_keys(entry, definition), strict=True):
        parent = parents.get(fold(key.referenced_table))
        referenced = None if parent is None else parent.resolve(key)
        if parent is None or referenced is None or (key.columns, parent.name, referenced) in keys:
            continue
        name = declared.name or f"{entry.name}_{'_'.join(key.columns)}_fkey"
        # as PostgreSQL numbers names that it makes up
        unique_name = f"{name}{taken[name]}" if taken[name] else name
        taken[name] += 1
        keys[key.columns, parent.name, referenced] = ForeignKey(
            unique_name, entry.name, key.columns, parent.name, referenced, deferred=declared.deferred
        )
    return tuple(keys.values())


def _declared_keys(entry: CatalogueTable, definition: TableDefinition) -> Sequence[ForeignKeyDefinition]:
    """Return the definitions beside the catalogue's keys; where they do not fit, definitions that say nothing."""
    found = [tuple(map(fold, key.columns)) for key in entry.foreign_keys]
    if found == [key.columns for key in definition.foreign_keys]:
        return definition.foreign_keys
    return [ForeignKeyDefinition(columns, None) for columns in found]


# ---- views -----------------------------------------------------------------------------------------------------


def _view(
    entry: CatalogueTable, bases: Mapping[str, Table], events: frozenset[TriggerEvent], *, is_compound: bool
) -> Table:
    columns = {
        column.name: _view_column(column, _origin(column, bases), is_compound=is_compound) for column in entry.columns
    }
    return Table(
        entry.name,
        TableKind.VIEW,
        columns,
        insertable=TriggerEvent.INSERT in events,
        updatable=TriggerEvent.UPDATE in events,
        deletable=TriggerEvent.DELETE in events,
        folded=_folded(columns),
    )


def _origin(column: CatalogueColumn, bases: Mapping[str, Table]) -> tuple[Table, Column] | None:
    """Find the column behind a view's column; None for an expression, a rowid and what the API does not show."""
    if column.origin is None or column.origin[0] not in bases:
        return None
    table = bases[column.origin[0]]
    behind = table.columns.get(column.origin[1])
    return None if behind is None else (table, behind)


def _view_column(column: CatalogueColumn, origin: tuple[Table, Column] | None, *, is_compound: bool) -> Column:
    """Make a view's column. It may be NULL whatever is behind it, for joins have outer sides."""
    type_ = origin[1].type if origin else column_type(column.declared_type)
    return Column(
        column.name,
        column.declared_type,
        compound_type(type_) if is_compound else type_,
        origin=(origin[0].name, origin[1].name) if origin else None,
        can_hold_blob=is_compound or origin is None or origin[1].can_hold_blob,
    )


def _events(catalogue: Catalogue) -> dict[str, frozenset[TriggerEvent]]:
    """Map views to what their triggers do; a trigger on a view can only be INSTEAD OF."""
    names = {fold(entry.name): entry.name for entry in catalogue.tables if entry.kind == "view"}
    found: dict[str, frozenset[TriggerEvent]] = {}
    for trigger in catalogue.triggers:
        view = names.get(fold(trigger.table))
        event = None if view is None else read_trigger(trigger.sql)
        if view is not None and event is not None:
            found[view] = found.get(view, frozenset()) | {event}
    return found


# ---- statistics ------------------------------------------------------------------------------------------------


def _row_estimates(statistics: Iterable[CatalogueStatistic], folded: Mapping[str, str]) -> dict[str, int]:
    """Read each table's number of rows: the row without an index says it, else the fullest of its indexes."""
    whole: dict[str, int] = {}
    by_index: dict[str, int] = {}
    for statistic in statistics:
        name = folded.get(fold(statistic.table))
        number = statistic.stat.split(" ")[0]
        if name is None or not (number.isascii() and number.isdigit() and len(number) < 20):
            continue
        if statistic.index_name is None:
            whole[name] = int(number)
        else:
            by_index[name] = max(by_index.get(name, 0), int(number))
    return by_index | whole
