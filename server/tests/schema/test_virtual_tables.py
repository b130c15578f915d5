from pathlib import Path

import apsw
import pytest

from tests.schema.conftest import SchemaOf
from wherry.schema.full_text import FullTextDefinition, read_full_text
from wherry.schema.model import Column, ColumnType, FullTextIndex, Schema, TableKind
from wherry.schema.reader import interpret
from wherry.sqlite.catalogue import read_catalogue


def _indexes(schema: Schema) -> dict[str, FullTextIndex | None]:
    return {name: table.full_text for name, table in schema.tables.items()}


def test_shadow_tables_and_hidden_columns_are_not_shown(schema_of: SchemaOf) -> None:
    schema = schema_of(
        """
        CREATE VIRTUAL TABLE five USING fts5(title, body);
        CREATE VIRTUAL TABLE four USING fts4(title, body);
        CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1);
        """
    )
    assert {name: (table.kind, list(table.columns)) for name, table in schema.tables.items()} == {
        "five": (TableKind.VIRTUAL, ["title", "body"]),
        "four": (TableKind.VIRTUAL, ["title", "body"]),
        "boxes": (TableKind.VIRTUAL, ["id", "x0", "x1"]),
    }
    assert schema.tables["boxes"].columns["x0"] == Column("x0", "REAL", ColumnType.REAL)


def test_an_fts5_table_searches_its_own_rows(schema_of: SchemaOf) -> None:
    schema = schema_of("CREATE VIRTUAL TABLE f USING fts5(title, tag UNINDEXED, body, tokenize='porter ascii')")
    assert _indexes(schema) == {"f": FullTextIndex("f", ("title", "body"))}


@pytest.mark.parametrize(
    "options",
    [
        "content='films', content_rowid='id'",
        'CONTENT = "Films", content_rowid = [ID]',
        "content=films, prefix='2 3', content_rowid=id, columnsize=0",
        "content=`films`",
        "content='films', content_rowid='rowid'",
        "content='films' /* , content='other' */, -- content='other'\ncontent_rowid = id",
    ],
)
def test_an_fts5_table_with_content_searches_the_rows_of_that_table(schema_of: SchemaOf, options: str) -> None:
    schema = schema_of(
        f"""
        CREATE TABLE films (id INTEGER PRIMARY KEY, Title TEXT, body TEXT, year INT);
        CREATE VIRTUAL TABLE f USING fts5(title, body, {options});
        """
    )
    index = schema.tables["f"].full_text
    assert index is not None
    assert (index.columns, index.content_table) == (("title", "body"), "films")
    assert schema.tables["films"].full_text == FullTextIndex("f", ("Title", "body"), "films", index.content_rowid)


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("CREATE TABLE c (id TEXT PRIMARY KEY, title) WITHOUT ROWID", "content='c', content_rowid='id'"),
        ("CREATE TABLE c (id INT UNIQUE, title)", "content='c', content_rowid='id'"),
        ("CREATE TABLE c (id INTEGER PRIMARY KEY, rowid, title)", "content='c', content_rowid='id'"),
        ("CREATE TABLE c (id INTEGER PRIMARY KEY, other)", "content='c', content_rowid='id'"),
        ("CREATE TABLE c (id INTEGER PRIMARY KEY, title)", "content='c', content_rowid='gone'"),
        ("CREATE TABLE c (id INTEGER PRIMARY KEY, title)", "content=''"),
        ("CREATE TABLE c (id INTEGER PRIMARY KEY, title)", "content='gone'"),
        ("CREATE VIEW c AS SELECT 1 AS id, 'x' AS title", "content='c', content_rowid='id'"),
    ],
)
def test_content_that_the_index_cannot_be_joined_with_is_not_searched(
    schema_of: SchemaOf, content: str, options: str
) -> None:
    schema = schema_of(content + f"; CREATE VIRTUAL TABLE f USING fts5(title, {options})")
    assert schema.tables["c"].full_text is None
    assert schema.tables["f"].full_text is not None


def test_of_several_indexes_a_table_is_searched_by_that_with_the_most_columns(schema_of: SchemaOf) -> None:
    schema = schema_of(
        """
        CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT, body TEXT);
        CREATE VIRTUAL TABLE one USING fts5(title, content=films, content_rowid=id);
        CREATE VIRTUAL TABLE both USING fts5(title, body, content=films, content_rowid=id);
        CREATE VIRTUAL TABLE other USING fts5(body, content=films, content_rowid=id);
        """
    )
    assert schema.tables["films"].full_text == FullTextIndex("both", ("title", "body"), "films", "id")


@pytest.mark.parametrize(
    ("sql", "definition"),
    [
        ("CREATE VIRTUAL TABLE x USING fts4(a)", None),
        ("CREATE TABLE x (a)", None),
        ("CREATE VIRTUAL TABLE [using] USING FTS5(a, b unindexed)", FullTextDefinition((False, True))),
        ("CREATE VIRTUAL TABLE x USING 'fts5' (\"a,b\" 'UNINDEXED')", FullTextDefinition((True,))),
        (
            "CREATE VIRTUAL TABLE x USING fts5(a, cont='it''s', content_r=\"r\")",
            FullTextDefinition((False,), "it's", "r"),
        ),
        ("CREATE VIRTUAL TABLE x USING fts5(a, future='1', )", FullTextDefinition((False,))),
    ],
)
def test_the_arguments_of_fts5_are_read_as_fts5_reads_them(sql: str, definition: FullTextDefinition | None) -> None:
    assert read_full_text(sql) == definition


def _forge(connection: apsw.Connection, *statements: str) -> None:
    connection.execute("PRAGMA writable_schema = ON")
    for statement in statements:
        connection.execute(statement)


def _read_again(connection: apsw.Connection) -> Schema:
    again = apsw.Connection(connection.filename)
    schema = interpret(read_catalogue(again))
    again.close()
    return schema


def test_a_virtual_table_without_its_module_is_left_out(connection: apsw.Connection) -> None:
    connection.execute("CREATE TABLE a (x INTEGER PRIMARY KEY); CREATE TABLE b (x); CREATE TABLE c (x)")
    _forge(
        connection,
        "INSERT INTO sqlite_schema VALUES ('table', 'gone', 'gone', 0, 'CREATE VIRTUAL TABLE gone USING absent(a, b)')",
        "INSERT INTO sqlite_schema VALUES ('view', 'v', 'v', 0, 'CREATE VIEW v AS SELECT * FROM gone')",
    )
    assert list(_read_again(connection).tables) == ["a", "b", "c"]


def test_names_that_are_not_utf_8_are_left_out_and_break_nothing_else(connection: apsw.Connection) -> None:
    connection.execute(
        """
        CREATE TABLE good (x INTEGER PRIMARY KEY, y DEFAULT 'PLACE');
        CREATE TABLE bad (x);
        CREATE TABLE column_bad (x REFERENCES good, PLACE UNIQUE REFERENCES good);
        CREATE VIEW v AS SELECT x AS PLACE FROM good;
        """
    )
    latin = "CAST(replace(CAST(sql AS BLOB), CAST('PLACE' AS BLOB), x'e9') AS TEXT)"
    _forge(
        connection,
        f"UPDATE sqlite_schema SET sql = {latin}",
        "UPDATE sqlite_schema SET name = CAST(x'e9' AS TEXT), tbl_name = CAST(x'e9' AS TEXT),"
        " sql = CAST(x'435245415445205441424c4520e92878' || ')' AS TEXT) WHERE name = 'bad'",
    )
    schema = _read_again(connection)
    assert {name: [c.default for c in table.columns.values()] for name, table in schema.tables.items()} == {
        "good": [None, "'\ufffd'"]
    }


def test_statistics_that_are_not_utf_8_are_not_used(schema_of: SchemaOf) -> None:
    schema = schema_of(
        "CREATE TABLE t (x); INSERT INTO t VALUES (1); ANALYZE;"
        "INSERT INTO sqlite_stat1 VALUES ('t', NULL, CAST(x'e9' AS TEXT))"
    )
    assert schema.row_estimates == {}


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
def test_files_of_every_encoding_are_read(tmp_path: Path, encoding: str) -> None:
    connection = apsw.Connection(str(tmp_path / "encoded.db"))
    connection.execute(f"PRAGMA encoding = '{encoding}'")
    connection.execute('CREATE TABLE "täble 🎬" ("ключ" TEXT DEFAULT \'ß\' CONSTRAINT ñ UNIQUE)')
    table = interpret(read_catalogue(connection)).tables["täble 🎬"]
    assert [(column.name, column.default) for column in table.columns.values()] == [("ключ", "'ß'")]
    assert [key.name for key in table.unique_keys] == ["ñ"]
    connection.close()
