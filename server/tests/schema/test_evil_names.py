"""Any names that SQLite takes are read as they are."""

import time

import apsw
from hypothesis import assume, given
from hypothesis import strategies as st

from wherry.schema.model import Cardinality, ForeignKey, Schema, UniqueKey, fold
from wherry.schema.reader import interpret
from wherry.sqlite.catalogue import read_catalogue

_LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_WORDS = ["select", "constraint", "UNION", "rowid", "main", "NULL", "initially deferred", "a b", "a.b", "$.a", "1"]
_SIGNS = ['a"b', "a'b", "[a]", "`a`", "--", "/*", "*/", "(", "a)", ",", ";", "%", " ", "\n", "\ufeff", "\x7f"]
_EVIL = st.sampled_from([*_WORDS, *_SIGNS, "é", "É", "ﬀ", "🎬"])
NAMES = (_EVIL | st.text(_LETTERS, min_size=1, max_size=8)).filter(lambda name: not fold(name).startswith("sqlite_"))


def _quote(name: str, quote: str) -> str:
    if quote == "[":
        return f"[{name}]" if "]" not in name else _quote(name, '"')
    return quote + name.replace(quote, quote * 2) + quote


_QUOTES = st.sampled_from('"`[')


def _read(sql: str) -> Schema:
    connection = apsw.Connection(":memory:")
    try:
        connection.execute(sql)
        return interpret(read_catalogue(connection))
    finally:
        connection.close()


@given(st.lists(NAMES, min_size=8, max_size=8, unique_by=fold), _QUOTES)
def test_names_of_everything_are_read_exactly(names: list[str], quote: str) -> None:
    parent, child, view, trigger, one, two, key, unique = names
    # SQLite itself calls such a column of a view column1
    assume(not {fold(key), fold(unique)} & {"true", "false"})
    q = {name: _quote(name, quote) for name in names}
    schema = _read(
        f"""
        CREATE TABLE {q[parent]} ({q[one]} INTEGER PRIMARY KEY, {q[two]} TEXT NOT NULL DEFAULT {q[key]});
        CREATE TABLE {q[child]} (
            {q[one]} INT CONSTRAINT {q[key]} REFERENCES {q[parent]} DEFERRABLE INITIALLY DEFERRED,
            {q[two]} DECIMAL(1, 2), -- CONSTRAINT x
            CONSTRAINT {q[unique]} UNIQUE ({q[two]}, {q[one]}));
        CREATE VIEW {q[view]} ({q[key]}, {q[unique]}) AS SELECT {q[one]}, {q[two]} FROM {q[child]};
        CREATE TRIGGER {q[trigger]} INSTEAD OF UPDATE ON {q[view]} BEGIN DELETE FROM {q[parent]}; END;
        """
    )
    assert {name: list(table.columns) for name, table in schema.tables.items()} == {
        parent: [one, two],
        child: [one, two],
        view: [key, unique],
    }
    assert schema.tables[parent].primary_key == (one,)
    assert schema.tables[child].foreign_keys == (ForeignKey(key, child, (one,), parent, (one,), deferred=True),)
    assert schema.tables[child].unique_keys == (UniqueKey(unique, (two, one)),)
    assert [column.origin for column in schema.tables[view].columns.values()] == [(child, one), (child, two)]
    seen = schema.tables[view]
    assert (seen.insertable, seen.updatable, seen.deletable) == (False, True, False)
    assert {source: [(r.target, r.cardinality) for r in found] for source, found in schema.relationships.items()} == {
        child: [(parent, Cardinality.MANY_TO_ONE)],
        parent: [(child, Cardinality.ONE_TO_MANY), (view, Cardinality.ONE_TO_MANY)],
        view: [(parent, Cardinality.MANY_TO_ONE)],
    }


@given(st.lists(NAMES, min_size=4, max_size=4, unique_by=fold), _QUOTES)
def test_names_of_full_text_tables_are_read_exactly(names: list[str], quote: str) -> None:
    content, index, one, two = names
    q = {name: _quote(name, quote) for name in names}
    # FTS5 keeps some names to itself, and its shadow tables' names may be taken
    assume(not {fold(name) for name in names} & {"rank", "rowid"} and not fold(content).startswith(fold(index)))
    schema = _read(
        f"""
        CREATE TABLE {q[content]} ({q[one]} INTEGER PRIMARY KEY, {q[two]} TEXT);
        CREATE VIRTUAL TABLE {q[index]} USING fts5({q[two]}, content={q[content]}, content_rowid={q[one]});
        """
    )
    assert list(schema.tables) == [content, index]
    found = schema.tables[content].full_text
    assert found is not None
    assert found == schema.tables[index].full_text
    assert (found.table, found.columns, found.content_table, found.content_rowid) == (index, (two,), content, one)


def test_a_thousand_tables_are_read_in_well_under_a_second() -> None:
    connection = apsw.Connection(":memory:")
    for number in range(1000):
        columns = ", ".join(f'"column {i}" TEXT' for i in range(18))
        parent = f'INT REFERENCES "table {number // 2}"'
        connection.execute(f'CREATE TABLE "table {number}" (id INTEGER PRIMARY KEY, parent {parent}, {columns})')
    start = time.process_time()
    schema = interpret(read_catalogue(connection))
    assert time.process_time() - start < 2  # 0.2 s, on a machine that has nothing else to do
    assert sum(len(table.columns) for table in schema.tables.values()) == 20_000
    assert sum(map(len, schema.relationships.values())) == 2000
    connection.close()
