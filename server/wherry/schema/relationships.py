"""The ways from one table's rows to another's, found in foreign keys as PostgREST finds them.

https://docs.postgrest.org/en/stable/references/api/resource_embedding.html

1. A foreign key leads many-to-one to the table it refers to, and one-to-many back; where a unique key makes the
   referring columns unique, one-to-one both ways.
2. A table is a junction of two of its foreign keys if their columns are part of its primary key or of another unique
   key: it relates the tables that they refer to, many-to-many.
3. A view stands in for a table, at any of these places, if it shows all the columns of the table that matter there.
   Of a view that shows one column twice each of the two makes a relationship of its own.

A key whose referred columns are not unique is an error in SQLite ("foreign key mismatch") and relates nothing.

Several views at several places multiply. The combinations with the fewest views come first, and `_MOST` of them are
kept for each foreign key and each pair of keys in a junction.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, permutations, product
from typing import TypeAlias

from wherry.schema.model import Cardinality, ForeignKey, Junction, Relationship, Table

_MOST = 1000


def relate(tables: Mapping[str, Table]) -> dict[str, tuple[Relationship, ...]]:
    """Find all relationships, by source; those by a foreign key before those through a junction."""
    places = _Places(tables)
    found: defaultdict[str, list[Relationship]] = defaultdict(list)
    usable = {
        table.name: [key for key in table.foreign_keys if _is_unique(tables[key.referenced_table], key)]
        for table in tables.values()
        if table.foreign_keys
    }
    for name, keys in usable.items():
        for key in keys:
            for relationship in _by_key(tables[name], key, places):
                found[relationship.source].append(relationship)
    for name, keys in usable.items():
        for source_key, target_key in _junction_keys(tables[name], keys):
            for relationship in _by_junction(source_key, target_key, places):
                found[relationship.source].append(relationship)
    return {source: tuple(relationships) for source, relationships in found.items()}


def _is_unique(parent: Table, key: ForeignKey) -> bool:
    return any(set(unique.columns) <= set(key.referenced_columns) for unique in parent.unique_keys)


# ---- tables, and views in their place --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """A table or a view of it, with what it calls the columns that were asked for."""

    name: str
    columns: tuple[str, ...]


#: The table itself, and the views that can stand in for it.
_Choice: TypeAlias = tuple[_Place, Sequence[_Place]]


class _Places:
    """Who shows which columns of a table."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._views: dict[str, dict[str, dict[str, list[str]]]] = {}
        for view in tables.values():
            for column in view.columns.values():
                if column.origin is not None:
                    table, shown = column.origin
                    by_view = self._views.setdefault(table, {})
                    by_view.setdefault(view.name, {}).setdefault(shown, []).append(column.name)

    def showing(self, table: str, columns: Sequence[str]) -> _Choice:
        """List the table and the views that show all the columns of it."""
        views = [
            _Place(view, names)
            for view, shown in self._views.get(table, {}).items()
            for names in islice(product(*(shown.get(column, ()) for column in columns)), _MOST)
        ]
        return _Place(table, tuple(columns)), views


def _fewest_views_first(*choices: _Choice) -> Iterator[tuple[_Place, ...]]:
    """Choose one of each, in all ways, but not more than `_MOST`."""

    def ways() -> Iterator[tuple[_Place, ...]]:
        for number in range(len(choices) + 1):
            for chosen in combinations(range(len(choices)), number):
                yield from product(
                    *(views if position in chosen else (table,) for position, (table, views) in enumerate(choices))
                )

    return islice(ways(), _MOST)


# ---- by a foreign key ------------------------------------------------------------------------------------------


def _by_key(table: Table, key: ForeignKey, places: _Places) -> Iterator[Relationship]:
    to_one, back = _cardinalities(table, key)
    children = places.showing(key.table, key.columns)
    parents = places.showing(key.referenced_table, key.referenced_columns)
    for child, parent in _fewest_views_first(children, parents):
        yield _between(key, child, parent, to_one)
        yield _between(key, parent, child, back)


def _cardinalities(table: Table, key: ForeignKey) -> tuple[Cardinality, Cardinality]:
    if any(set(unique.columns) <= set(key.columns) for unique in table.unique_keys):
        return Cardinality.ONE_TO_ONE, Cardinality.ONE_TO_ONE
    return Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_MANY


def _between(key: ForeignKey, source: _Place, target: _Place, cardinality: Cardinality) -> Relationship:
    return Relationship(
        key.name,
        source.name,
        target.name,
        cardinality,
        source.columns,
        target.columns,
        is_self=source.name == target.name,
    )


# ---- through a junction ----------------------------------------------------------------------------------------


def _junction_keys(table: Table, keys: Sequence[ForeignKey]) -> Iterator[tuple[ForeignKey, ForeignKey]]:
    """List the pairs of keys that make the table a junction, each pair in both directions."""
    unique_keys = [frozenset(unique.columns) for unique in table.unique_keys if len(unique.columns) > 1]
    for one, other in permutations(keys, 2):
        if any({*one.columns, *other.columns} <= unique for unique in unique_keys):
            yield one, other


def _by_junction(source_key: ForeignKey, target_key: ForeignKey, places: _Places) -> Iterator[Relationship]:
    width = len(source_key.columns)
    for middle, source, target in _fewest_views_first(
        places.showing(source_key.table, (*source_key.columns, *target_key.columns)),
        places.showing(source_key.referenced_table, source_key.referenced_columns),
        places.showing(target_key.referenced_table, target_key.referenced_columns),
    ):
        junction = Junction(middle.name, source_key, target_key, middle.columns[:width], middle.columns[width:])
        yield Relationship(
            middle.name,
            source.name,
            target.name,
            Cardinality.MANY_TO_MANY,
            source.columns,
            target.columns,
            junction,
            is_self=source.name == target.name,
        )
