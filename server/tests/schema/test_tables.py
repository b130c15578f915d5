import apsw
import pytest

from tests.schema.conftest import SchemaOf
from wherry.schema.model import Column, ColumnType, ForeignKey, Schema, Table, TableKind, UniqueKey
from wherry.schema.reader import interpret
from wherry.sqlite.catalogue import read_catalogue


def test_a_table_is_read_whole(schema_of: SchemaOf) -> None:
    schema = schema_of(
        """
        CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT 'nobody', born DATE);
        CREATE TABLE films (
            id INTEGER PRIMARY KEY, title TEXT UNIQUE, director_id INT REFERENCES people, meta JSON,
            slug TEXT AS (lower(title)) STORED);
        """
    )
    assert schema.tables["films"] == Table(
        "films",
        TableKind.TABLE,
        {
            "id": Column(
                "id", "INTEGER", ColumnType.INTEGER, nullable=False, primary_key_position=1,
                can_hold_blob=False, is_rowid=True,
            ),
            "title": Column("title", "TEXT", ColumnType.TEXT),
            "director_id": Column("director_id", "INT", ColumnType.INTEGER),
            "meta": Column("meta", "JSON", ColumnType.JSON),
            "slug": Column("slug", "TEXT", ColumnType.TEXT, generated=True),
        },
        primary_key=("id",),
        unique_keys=(UniqueKey("films_pkey", ("id",)), UniqueKey("films_title_key", ("title",))),
        foreign_keys=(ForeignKey("films_director_id_fkey", "films", ("director_id",), "people", ("id",)),),
    )  # fmt: skip
    assert schema.tables["people"].columns["name"] == Column(
        "name", "TEXT", ColumnType.TEXT, nullable=False, default="'nobody'"
    )
    assert list(schema.tables) == ["people", "films"]
    assert schema.version == 2


def _nullable(schema: Schema, table: str) -> dict[str, bool]:
    return {name: column.nullable for name, column in schema.tables[table].columns.items()}


@pytest.mark.parametrize(
    ("sql", "nullable", "rowid"),
    [
        ("CREATE TABLE t (a INTEGER PRIMARY KEY)", {"a": False}, "a"),
        ("CREATE TABLE t (a integer, b, PRIMARY KEY (a ASC))", {"a": False, "b": True}, "a"),
        # https://sqlite.org/lang_createtable.html#rowid: neither INT nor, by an old mistake, DESC is the rowid
        ("CREATE TABLE t (a INT PRIMARY KEY)", {"a": True}, None),
        ("CREATE TABLE t (a INTEGER PRIMARY KEY DESC)", {"a": True}, None),
        ("CREATE TABLE t (a INTEGER PRIMARY KEY) WITHOUT ROWID", {"a": False}, None),
        ("CREATE TABLE t (a TEXT, b TEXT, PRIMARY KEY (b, a))", {"a": True, "b": True}, None),
        ("CREATE TABLE t (a TEXT, b TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID", {"a": False, "b": False}, None),
        ("CREATE TABLE t (a TEXT PRIMARY KEY, b INT NOT NULL) STRICT", {"a": False, "b": False}, None),
        ("CREATE TABLE t (a, b)", {"a": True, "b": True}, None),
    ],
)
def test_only_what_sqlite_refuses_is_not_nullable(
    schema_of: SchemaOf, sql: str, nullable: dict[str, bool], rowid: str | None
) -> None:
    schema = schema_of(sql)
    assert _nullable(schema, "t") == nullable
    assert next((c.name for c in schema.tables["t"].columns.values() if c.is_rowid), None) == rowid


def test_composite_keys_keep_the_order_of_the_key(schema_of: SchemaOf) -> None:
    table = schema_of("CREATE TABLE t (a, b, c, UNIQUE (c, a), PRIMARY KEY (b, a))").tables["t"]
    assert table.primary_key == ("b", "a")
    assert table.unique_keys == (UniqueKey("t_pkey", ("b", "a")), UniqueKey("t_c_a_key", ("c", "a")))
    assert {c.name: c.primary_key_position for c in table.columns.values()} == {"a": 2, "b": 1, "c": 0}


def test_a_table_without_a_key_has_none(schema_of: SchemaOf) -> None:
    table = schema_of("CREATE TABLE t (a)").tables["t"]
    assert (table.primary_key, table.unique_keys, table.without_rowid, table.strict) == ((), (), False, False)


def test_unique_indexes_are_keys_unless_partial_or_of_expressions(schema_of: SchemaOf) -> None:
    table = schema_of(
        """
        CREATE TABLE t (a, b, c, CONSTRAINT one UNIQUE (a), CONSTRAINT "the key" PRIMARY KEY (c));
        CREATE UNIQUE INDEX two ON t (b, c);
        CREATE UNIQUE INDEX again ON t (a);
        CREATE UNIQUE INDEX partial ON t (b) WHERE c;
        CREATE UNIQUE INDEX expression ON t (b, lower(c));
        CREATE INDEX plain ON t (b);
        """
    ).tables["t"]
    assert table.unique_keys == (UniqueKey("the key", ("c",)), UniqueKey("one", ("a",)), UniqueKey("two", ("b", "c")))


def test_strict_tables_hold_blobs_only_where_declared(schema_of: SchemaOf) -> None:
    schema = schema_of(
        """
        CREATE TABLE s (i INT, n INTEGER, r REAL, t TEXT, b BLOB, a ANY,
                        v TEXT AS (b) VIRTUAL, w TEXT AS (t || '') STORED) STRICT;
        CREATE TABLE loose (i INT, a ANY);
        """
    )
    assert schema.tables["s"].strict
    assert {c.name: (c.type.value, c.can_hold_blob) for c in schema.tables["s"].columns.values()} == {
        "i": ("integer", False),
        "n": ("integer", False),
        "r": ("real", False),
        "t": ("text", False),
        "b": ("blob", True),
        "a": ("untyped", True),
        "v": ("text", True),
        "w": ("text", False),
    }
    assert {c.name: (c.type.value, c.can_hold_blob) for c in schema.tables["loose"].columns.values()} == {
        "i": ("integer", True),
        "a": ("numeric", True),
    }


def test_generated_columns_are_shown_and_said_to_be_generated(schema_of: SchemaOf) -> None:
    table = schema_of("CREATE TABLE t (a INT, b INT GENERATED ALWAYS AS (a + 1), c AS (a + 2) STORED)").tables["t"]
    assert {c.name: c.generated for c in table.columns.values()} == {"a": False, "b": True, "c": True}
    assert table.columns["b"].declared_type == "INT"


def test_names_are_kept_letter_for_letter(schema_of: SchemaOf) -> None:
    name = 'Sélect "from" [a]\n`b`'
    quoted = '"' + name.replace('"', '""') + '"'
    schema = schema_of(f'CREATE TABLE {quoted} ({quoted} INTEGER PRIMARY KEY, "" TEXT UNIQUE, "%s" INT)')
    assert list(schema.tables[name].columns) == [name, "", "%s"]
    assert [key.columns for key in schema.tables[name].unique_keys] == [(name,), ("",)]
    assert schema.folded == {name.replace("S", "s"): name}


def test_only_ascii_letters_are_compared_without_case(schema_of: SchemaOf) -> None:
    table = schema_of('CREATE TABLE t ("Ä" INT, "ä" INT, "Id" INT)').tables["t"]
    assert table.folded == {"Ä": "Ä", "ä": "ä", "id": "Id"}


def test_tables_of_sqlite_and_temporary_and_attached_ones_are_not_shown(schema_of: SchemaOf) -> None:
    schema = schema_of(
        """
        CREATE TABLE shown (id INTEGER PRIMARY KEY AUTOINCREMENT);
        CREATE TEMP TABLE hidden (a);
        CREATE TEMP TABLE shown (other, columns);
        ATTACH ':memory:' AS other;
        CREATE TABLE other.hidden (a);
        ANALYZE;
        """
    )
    assert {name: list(table.columns) for name, table in schema.tables.items()} == {"shown": ["id"]}


def test_an_empty_file_has_an_empty_schema(connection: apsw.Connection) -> None:
    assert interpret(read_catalogue(connection)) == Schema(0, {}, {})


def test_row_estimates_are_what_analyze_counted(schema_of: SchemaOf) -> None:
    schema = schema_of(
        """
        CREATE TABLE bare (a); INSERT INTO bare VALUES (1), (2), (3);
        CREATE TABLE keyed (a UNIQUE, b); INSERT INTO keyed VALUES (1, 1), (2, NULL);
        CREATE INDEX few ON keyed (b) WHERE b NOT NULL;
        CREATE TABLE odd (a); CREATE TABLE never (a);
        ANALYZE;
        DELETE FROM sqlite_stat1 WHERE tbl IN ('odd', 'never');
        INSERT INTO sqlite_stat1 VALUES ('odd', NULL, 'many'), ('gone', NULL, '5'), (NULL, NULL, x'00'),
                                        ('odd', 'x', NULL), ('BARE', 'some', '99 1');
        """
    )
    assert schema.row_estimates == {"bare": 3, "keyed": 2}
