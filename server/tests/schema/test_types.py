import apsw
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wherry.schema.model import ColumnType, fold
from wherry.schema.types import column_type


@pytest.mark.parametrize(
    ("declared", "type_"),
    [
        ("", "untyped"),
        ("  ", "numeric"),
        ("INT", "integer"),
        ("bigint unsigned", "integer"),
        ("FLOATING POINT", "integer"),  # SQLite's rule, surprising as it is
        ("VARCHAR(255)", "text"),
        ("native character(70)", "text"),
        ("CLOB", "text"),
        ("TINYTEXT", "text"),
        ("BLOB", "blob"),
        ("REAL", "real"),
        ("double precision", "real"),
        ("FLOAT", "real"),
        ("NUMERIC", "numeric"),
        ("DECIMAL(10,5)", "numeric"),
        ("STRING", "numeric"),
        ("ANY", "numeric"),
        ("BOOLEAN", "boolean"),
        ("bool", "boolean"),
        ("JSON", "json"),
        ("jsonb", "json"),
        ("DATE", "text"),
        ("DATETIME", "text"),
        ("TIMESTAMP WITH TIME ZONE", "text"),
        ("uuid", "text"),
        ("\u0130NT", "numeric"),
    ],
)
def test_a_declared_type_says_how_values_travel(declared: str, type_: str) -> None:
    assert column_type(declared) is ColumnType(type_)


def test_any_is_no_type_in_a_strict_table() -> None:
    assert column_type("ANY", strict=True) is ColumnType.UNTYPED
    assert column_type("INT", strict=True) is ColumnType.INTEGER


_PARTS = st.sampled_from(["INT", "CHAR", "CLOB", "TEXT", "BLOB", "REAL", "FLOA", "DOUB", "X", "dec", "\u0131", " "])


@given(st.lists(_PARTS, max_size=4).map("".join))
@example("")
def test_types_that_sqlite_knows_are_those_of_its_affinity(declared: str) -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(f'CREATE TABLE t (x "{declared}")' if declared else "CREATE TABLE t (x)")
    # what becomes of these values shows the affinity: https://sqlite.org/datatype3.html
    connection.execute("INSERT INTO t VALUES ('1'), (1), ('1.5')")
    (text, number, real) = (row[0] for row in connection.execute("SELECT typeof(x) FROM t"))
    affinity = {
        ("text", "text", "text"): "text",
        ("integer", "integer", "real"): "integer or numeric",
        ("real", "real", "real"): "real",
        ("text", "integer", "text"): "blob or none",
    }[text, number, real]
    expected = {
        ColumnType.TEXT: "text",
        ColumnType.INTEGER: "integer or numeric",
        ColumnType.NUMERIC: "integer or numeric",
        ColumnType.REAL: "real",
        ColumnType.BLOB: "blob or none",
        ColumnType.UNTYPED: "blob or none",
    }
    assert affinity == expected[column_type(declared)]
    connection.close()


def test_names_are_folded_as_sqlite_compares_them() -> None:
    assert fold("Größe ÄÖ İI") == "größe ÄÖ İi"
    assert fold("FILMS_1") == "films_1"
