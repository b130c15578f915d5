import pytest

from tests.schema.conftest import SchemaOf
from wherry.schema.model import Column, ColumnType, Table, TableKind

TABLES = """
    CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, "is ok" BOOLEAN);
    CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT, director_id INT REFERENCES people);
    CREATE TABLE s (t TEXT, a ANY, v TEXT AS (a)) STRICT;
"""


def test_a_views_columns_are_traced_to_their_tables(schema_of: SchemaOf) -> None:
    schema = schema_of(TABLES + "CREATE VIEW v AS SELECT f.id, upper(title) AS loud, p.* FROM films f, people AS p")
    assert schema.tables["v"] == Table(
        "v",
        TableKind.VIEW,
        {
            "id": Column("id", "INTEGER", ColumnType.INTEGER, origin=("films", "id"), can_hold_blob=False),
            "loud": Column("loud"),
            "id:1": Column("id:1", "INTEGER", ColumnType.INTEGER, origin=("people", "id"), can_hold_blob=False),
            "name": Column("name", "TEXT", ColumnType.TEXT, origin=("people", "name")),
            "is ok": Column("is ok", "BOOLEAN", ColumnType.BOOLEAN, origin=("people", "is ok")),
        },
        insertable=False,
        updatable=False,
        deletable=False,
    )


@pytest.mark.parametrize(
    "view",
    [
        'CREATE VIEW v AS SELECT "NAME" AS n FROM "People"',
        "CREATE VIEW inner_ AS SELECT name AS x FROM people; CREATE VIEW v (n) AS SELECT x FROM inner_",
        "CREATE VIEW v AS WITH c AS (SELECT * FROM people) SELECT name AS n FROM c",
        "CREATE VIEW v AS SELECT n FROM (SELECT name AS n FROM people GROUP BY 1 LIMIT 5)",
        "CREATE VIEW v AS SELECT (SELECT name FROM people LIMIT 1) AS n",
    ],
)
def test_columns_are_traced_through_whatever_is_between(schema_of: SchemaOf, view: str) -> None:
    assert schema_of(TABLES + view).tables["v"].columns == {
        "n": Column("n", "TEXT", ColumnType.TEXT, origin=("people", "name"))
    }


def test_a_views_column_refuses_blobs_where_its_table_does(schema_of: SchemaOf) -> None:
    schema = schema_of(TABLES + "CREATE VIEW w AS SELECT s.t, s.a, s.v, s.rowid AS r, people.id FROM s, people")
    assert {c.name: (c.type.value, c.can_hold_blob) for c in schema.tables["w"].columns.values()} == {
        "t": ("text", False),
        "a": ("untyped", True),
        "v": ("text", True),
        "r": ("integer", True),
        "id": ("integer", False),
    }


@pytest.mark.parametrize("word", ["UNION", "union all", "Except", "INTERSECT"])
def test_a_column_of_several_selects_may_be_anything(schema_of: SchemaOf, word: str) -> None:
    schema = schema_of(
        TABLES
        + f"""
        CREATE VIEW several AS SELECT x'00' AS id, 5, 'x' {word} SELECT id, name, "is ok" FROM people;
        CREATE VIEW "on it" AS SELECT id FROM [Several];
        CREATE VIEW beside AS SELECT id AS "union" FROM people;
        """
    )
    assert [(c.type.value, c.can_hold_blob) for c in schema.tables["several"].columns.values()] == [
        ("untyped", True),
        ("text", True),
        ("boolean", True),
    ]
    assert schema.tables["on it"].columns["id"].can_hold_blob
    assert not schema.tables["beside"].columns["union"].can_hold_blob


def test_a_broken_view_is_left_out_and_breaks_nothing_else(schema_of: SchemaOf) -> None:
    schema = schema_of(
        TABLES
        + """
        CREATE VIEW no_table AS SELECT * FROM absent;
        CREATE VIEW no_column AS SELECT absent FROM people;
        CREATE VIEW no_function AS SELECT absent(id) FROM people;
        CREATE VIEW on_broken AS SELECT * FROM no_table;
        CREATE VIEW round AS SELECT * FROM round;
        CREATE VIEW good AS SELECT id FROM people;
        """
    )
    assert list(schema.tables) == ["people", "films", "s", "good"]


def test_views_of_functions_and_of_the_catalogue_have_no_origins(schema_of: SchemaOf) -> None:
    schema = schema_of(
        "CREATE VIEW v AS SELECT s.name, j.value, c.x"
        " FROM sqlite_schema AS s, json_each('[1]') AS j, (SELECT 1 AS x) AS c"
    )
    assert {c.name: c.origin for c in schema.tables["v"].columns.values()} == {"name": None, "value": None, "x": None}


@pytest.mark.parametrize(
    ("trigger", "writable"),
    [
        ("CREATE TRIGGER t INSTEAD OF INSERT ON v BEGIN SELECT 1; END", (True, False, False)),
        ("CREATE TRIGGER t INSTEAD OF UPDATE OF name ON V BEGIN SELECT 1; END", (False, True, False)),
        ("create trigger if not exists main.t instead of delete on v begin select 1; end", (False, False, True)),
        ('CREATE TRIGGER "INSTEAD OF DELETE ON" INSTEAD OF INSERT ON v BEGIN SELECT 1; END', (True, False, False)),
        ("CREATE TRIGGER before /* DELETE */ INSTEAD -- x\nOF INSERT ON v BEGIN SELECT 1; END", (True, False, False)),
        ("CREATE TRIGGER trigger INSTEAD OF INSERT ON v BEGIN DELETE FROM films; END", (True, False, False)),
        ("CREATE TRIGGER t AFTER INSERT ON people BEGIN SELECT 1; END", (False, False, False)),
        ("CREATE TEMP TRIGGER t INSTEAD OF INSERT ON v BEGIN SELECT 1; END", (False, False, False)),
    ],
)
def test_instead_of_triggers_make_a_view_writable(
    schema_of: SchemaOf, trigger: str, writable: tuple[bool, bool, bool]
) -> None:
    view = schema_of(TABLES + "CREATE VIEW v AS SELECT id, name FROM people;" + trigger).tables["v"]
    assert (view.insertable, view.updatable, view.deletable) == writable


def test_several_triggers_make_a_view_writable_in_several_ways(schema_of: SchemaOf) -> None:
    view = schema_of(
        TABLES
        + """
        CREATE VIEW v AS SELECT id FROM people;
        CREATE TRIGGER a INSTEAD OF INSERT ON v BEGIN SELECT 1; END;
        CREATE TRIGGER b INSTEAD OF UPDATE ON v BEGIN SELECT 1; END;
        CREATE TRIGGER c INSTEAD OF DELETE ON v BEGIN SELECT 1; END;
        """
    ).tables["v"]
    assert (view.insertable, view.updatable, view.deletable) == (True, True, True)
