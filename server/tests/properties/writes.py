"""Writes composed from the dialect for the tables of `worlds`, each with what it means in plain SQL."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

from .worlds import DELETE, INSERT, TABLES, UPDATE, Value, World

_VALUES: Final[Mapping[str, tuple[Any, ...]]] = {
    "INTEGER": (1, 2, 3, None, "abc", 2**63 - 1, 1.5),
    "INTEGER NOT NULL": (1, 2, 3, 4, None),
    "TEXT": ("a", "b", "", None, "é", "x\x00y", 5),
    "TEXT COLLATE NOCASE": ("a", "B", None),
    "NUMERIC": (1, 2.5, "3", None),
    "JSON": ({"k": 1}, [1, {"l": None}], "a", None, True),
    "BOOLEAN": (True, False, None, "maybe"),
    "BLOB": ("\\x00ff", "text", None),
    "REAL": (1.5, 2, None),
}
#: How a filter is written in a query string and in SQL, for columns whose literals are bound as text.
_FILTERS: Final = (
    ("eq.1", "= '1'"),
    ("eq.a", "= 'a'"),
    ("gt.1", "> '1'"),
    ("neq.2", "<> '2'"),
    ("in.(1,2,a)", "IN ('1', '2', 'a')"),
    ("is.null", "IS NULL"),
    ("not.is.null", "IS NOT NULL"),
)
#: For keys of whole numbers, which refuse a comparison with anything else (22P02).
_KEY_FILTERS: Final = tuple(filter_ for filter_ in _FILTERS if filter_[0] not in ("eq.a", "in.(1,2,a)"))
_PLAIN: Final = ("INTEGER", "INTEGER NOT NULL", "TEXT", "TEXT COLLATE NOCASE", "NUMERIC", "REAL")


@dataclass(frozen=True)
class Write:
    """A write: its request, and the same in SQL."""

    method: str
    table: str
    filters: tuple[tuple[str, str, str], ...]  #: column, operator and value, and the condition in SQL
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    returns: str | None
    rollback: bool
    resolution: str | None = None

    @property
    def target(self) -> str:
        return f"{self.table}?{'&'.join(f'{column}={condition}' for column, condition, _ in self.filters)}"

    @property
    def headers(self) -> dict[str, str]:
        preferences = ["count=exact"]
        preferences += [f"return={self.returns}"] * (self.returns is not None) + ["tx=rollback"] * self.rollback
        preferences += [f"resolution={self.resolution}"] * (self.resolution is not None)
        return {"prefer": ", ".join(preferences), "content-type": "application/json"}

    @property
    def body(self) -> bytes:
        if self.method == "DELETE":
            return b""
        documents = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return json.dumps(documents if self.method == "POST" else documents[0]).encode()

    @property
    def command(self) -> str:
        return {"POST": INSERT, "PATCH": UPDATE, "DELETE": DELETE}[self.method]

    @property
    def stored(self) -> tuple[tuple[Value, ...], ...]:
        """The rows as they are bound."""
        types = {column.name: column.type for column in TABLES[self.table].columns}
        return tuple(
            tuple(_stored(value, types[name]) for name, value in zip(self.columns, row, strict=True))
            for row in self.rows
        )

    @property
    def condition(self) -> str:
        return " AND ".join(["1", *(f"{self.table}.{column} {sql}" for column, _, sql in self.filters)])


def _stored(value: Any, type_: str) -> Value:
    match type_, value:
        case _, None:
            return None
        case "JSON", _:
            return json.dumps(value, separators=(",", ":"))
        case "BLOB", str() if value.startswith("\\x"):
            return bytes.fromhex(value[2:])
        case _, bool():
            return int(value)
    plain: Value = value
    return plain


def _may_resolve(world: World, table: str) -> bool:
    """Tell whether the role may insert, compare and change rows of the table, if there are the policies for it."""
    granted, key = world.granted[table], set(TABLES[table].key)
    return UPDATE in granted and key <= set(granted[INSERT]) and key <= set(world.readable(table))


@st.composite
def writes(draw: st.DrawFn, world: World, *, resolves: bool = False) -> Write:
    """Draw a write; where it `resolves` conflicts, an upsert."""
    command = INSERT if resolves else draw(st.sampled_from([INSERT, UPDATE, UPDATE, DELETE]))
    tables = [name for name, table in TABLES.items() if not table.is_view and (table.key or not resolves)]
    likely = [name for name in tables if command in world.granted[name]]
    if resolves:
        likely = [name for name in likely if _may_resolve(world, name)] or likely
    secured = [name for name in likely if name in world.secured]
    table = draw(
        st.sampled_from(draw(st.sampled_from([secured or tables, secured or tables, likely or tables, tables])))
    )
    columns = {column.name: column for column in TABLES[table].columns}
    granted = world.granted[table].get(command, ()) if draw(st.integers(0, 9)) else ()
    if resolves and draw(st.integers(0, 4)):
        granted = tuple(name for name in granted if name in world.granted[table].get(UPDATE, ())) or granted
    names: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ((),)
    if command != DELETE:
        chosen = st.sets(st.sampled_from(granted or tuple(columns)), min_size=1, max_size=len(columns))
        names = tuple(sorted({*draw(chosen), *(TABLES[table].key if resolves else ())}))
        keys = TABLES[table].key if resolves else ()
        row = st.tuples(*(st.sampled_from((1, 2, 3, 7) if n in keys else _VALUES[columns[n].type]) for n in names))
        rows = tuple(draw(st.lists(row, min_size=1, max_size=3 if command == INSERT else 1)))
    readable = world.readable(table) if draw(st.integers(0, 9)) else tuple(columns)
    filterable = [name for name in readable if columns[name].type in _PLAIN]
    filters = []
    if command != INSERT:
        for _ in range(draw(st.integers(0, 2)) if filterable else 0):
            name = draw(st.sampled_from(filterable))
            is_key = TABLES[table].key == (name,)
            filters.append((name, *draw(st.sampled_from(_KEY_FILTERS if is_key else _FILTERS))))
    return Write(
        {INSERT: "POST", UPDATE: "PATCH", DELETE: "DELETE"}[command],
        table,
        tuple(filters),
        names,
        rows,
        draw(st.sampled_from([None, "minimal", "representation", "representation"])),
        draw(st.integers(0, 5)) == 0,
        draw(st.sampled_from(["merge-duplicates", "merge-duplicates", "ignore-duplicates"])) if resolves else None,
    )
