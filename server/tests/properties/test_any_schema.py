"""Whatever a file's tables are called and made of, they are served: described, read, written, related.

Tables are drawn with names that would break what is written without quotes, and compared with what SQLite itself says
is in them.
"""

# ruff: noqa: E501 - lists of words read better in few lines

import csv
import io
import json
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import apsw
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from .serving import SERVICE, Answer, Place, Server

pytestmark = pytest.mark.timeout(900)  # what is found is made smaller before it is shown

_NAMES: Final = (
    'a"b', "a'b", "[a]", "`a`", "a]b", "a;b", "a--b", "a\nb", "\r", "\t", "a b", " a", "a ", "a.b", "a,b", "(a)", "a(b)",
    "100%", "%25", "a%00", "a&b=c", "a?b", "a#b", "a/b", "a\\b", '\\"', ":a", "?1", "@a", "$a", "1a", "007", "-1", "->", "a->b",
    "a->>'b'", "select", "table", "order", "limit", "offset", "and", "or", "not", "columns", "on_conflict", "count",
    "null", "true", "rowid", "oid", "_rowid_", "t1", "t2", "g", "c0", "c1", "j", "excluded", "main", "temp", "rpc/a", "*", "!",
    "inner", "left", "a!b", "a:b", "a::text", "é", "É", "ß", "日本", "\U0001f600", "\u202e", "\u00a0", "İ", "x" * 300, "{}", "<b>", "$ref",
)  # fmt: skip
names = st.one_of(
    st.sampled_from(_NAMES),
    st.sampled_from(_NAMES),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=6),
)
_TYPES: Final = (
    "", "INTEGER", "INT", "TEXT", "BLOB", "REAL", "NUMERIC", "BOOLEAN", "JSON", "JSONB", "VARCHAR(10)", "DECIMAL(10, 2)",
    "DATE", "TIMESTAMP WITH TIME ZONE", "UUID", "CHARINT", "DOUBLE PRECISION", "FLOATING POINT", "BIGINT UNSIGNED", "STRING", "[odd type]",
)  # fmt: skip
_STRICT_TYPES: Final = ("INTEGER", "INT", "TEXT", "BLOB", "REAL", "ANY")
_VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.sampled_from(['{"a":[1]}', "[1", "true", "1", "-0.0", "9223372036854775807", "\x00", "\ufeff"]),
)


def q(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Drawn:
    """A drawn table; `referred` is the table and the column that its last column refers to."""

    name: str
    columns: tuple[str, ...]
    sql: str
    referred: tuple[str, str] | None


@st.composite
def tables(draw: st.DrawFn, name: str, parents: tuple[Drawn, ...]) -> Drawn:
    """Draw a table, which may refer to the first column of another."""
    columns = tuple(draw(st.lists(names, min_size=1, max_size=4, unique_by=str.lower)))
    strict = draw(st.integers(0, 3)) == 0
    definitions = [f"{q(c)} {draw(st.sampled_from(_STRICT_TYPES if strict else _TYPES))}" for c in columns]
    kind = draw(st.integers(0, 4))
    options = ["STRICT"] * strict
    if kind in (0, 1):
        definitions[0] = f"{q(columns[0])} INTEGER PRIMARY KEY"
    elif kind == 2:
        definitions.append(f"PRIMARY KEY ({', '.join(map(q, columns[: draw(st.integers(1, len(columns)))]))})")
        options += ["WITHOUT ROWID"] * draw(st.booleans())
    elif kind == 3:
        definitions.append(f"UNIQUE ({q(columns[0])})")
    referred = None
    if parents and draw(st.booleans()):
        parent = draw(st.sampled_from(parents))
        referred = (parent.name, parent.columns[0])
        definitions.append(f"FOREIGN KEY ({q(columns[-1])}) REFERENCES {q(parent.name)} ({q(parent.columns[0])})")
    return Drawn(name, columns, f"CREATE TABLE {q(name)} ({', '.join(definitions)}) {', '.join(options)}", referred)


def ask(served: Server, method: str, target: str, body: Any = None, **headers: str) -> Answer:
    """Ask as the service role."""
    content = b"" if body is None else json.dumps(body).encode()
    return served(method, target, {**SERVICE, **headers}, content)


def word(name: str) -> str:
    """Write a name as the dialect quotes it."""
    return quote('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"', safe="")


@given(st.data())
def test_any_table_is_described_read_written_and_related(place: Place, data: st.DataObject) -> None:
    drawn: list[Drawn] = []
    with closing(apsw.Connection(":memory:")) as connection:
        for name in data.draw(st.lists(names, min_size=1, max_size=3, unique_by=str.lower)):
            table = data.draw(tables(name, tuple(drawn)))
            try:
                connection.execute(table.sql)
            except apsw.SQLError:  # a name that SQLite keeps for itself, or two that it takes for one
                continue
            drawn.append(table)
            for _ in range(data.draw(st.integers(0, 3))):
                values = tuple(data.draw(_VALUES) for _ in table.columns)
                try:
                    connection.execute(f"INSERT INTO {q(name)} VALUES ({', '.join('?' * len(values))})", values)
                except (apsw.ConstraintError, apsw.MismatchError):
                    continue
        assume(drawn)
        view = data.draw(names)
        try:
            connection.execute(f"CREATE VIEW {q(view)} AS SELECT * FROM {q(drawn[0].name)}")
        except apsw.SQLError:
            view = drawn[0].name
        with place.served(connection) as served:
            document = ask(served, "GET", "").json if "" not in [t.name for t in drawn] else {"definitions": {}}
            for table in drawn:
                check_table(served, connection, table)
                properties = document["definitions"].get(table.name, {}).get("properties")
                assert properties is None or tuple(properties) == table.columns
            rows = ask(served, "GET", quote(view, safe="")).json
            shown = [name for (name,) in connection.execute("SELECT name FROM pragma_table_xinfo(?)", (view,))]
            assert [list(row) for row in rows] == [shown] * len(rows)
            assert served.rows("PRAGMA integrity_check") == [("ok",)]


def check_table(served: Server, connection: apsw.Connection, table: Drawn) -> None:
    path = quote(table.name, safe="")
    count = connection.execute(f"SELECT count(*) FROM {q(table.name)}").fetchall()[0][0]
    whole = ask(served, "GET", path, prefer="count=exact")
    assert (whole.status, len(whole.json)) == (200, count)
    assert whole.headers["content-range"].endswith(f"/{count}")
    assert [tuple(row) for row in whole.json] == [table.columns] * count
    lines = list(csv.reader(io.StringIO(ask(served, "GET", path, accept="text/csv").body.decode(), newline="")))
    assert lines[0] == list(table.columns)
    for column in table.columns:
        name = word(column)
        selected = ask(served, "GET", f"{path}?select={name},x:{name}&order={name}.desc,{name}&limit=9&{name}=is.null")
        nulls = connection.execute(f"SELECT count(*) FROM {q(table.name)} WHERE {q(column)} IS NULL").fetchall()[0][0]
        assert (selected.status, len(selected.json)) == (200, nulls), selected
        both = ask(served, "GET", f"{path}?or=({name}.is.null,{name}.not.is.null)&select={name}.count(),{name}.max()")
        assert both.status == 200, both
    if table.referred is not None:
        parent = word(table.referred[0])
        for target in (
            f"{path}?select=*,{parent}(*)",
            f"{quote(table.referred[0], safe='')}?select=*,{word(table.name)}(*)",
        ):
            answer = ask(served, "GET", target)
            assert answer.status in (200, 300, 400), answer  # a key that refers to nothing unique relates nothing
    for method in ("POST", "PATCH", "DELETE"):
        row = dict.fromkeys(table.columns, 5)
        query = "" if method == "POST" else "?" + "&".join(f"{word(column)}=eq.5" for column in table.columns)
        answer = ask(served, method, path + query, None if method == "DELETE" else row, prefer="return=representation")
        assert answer.status in (200, 201, 400, 409), answer
        if answer.status == 201:
            assert tuple(answer.json[0]) == table.columns
            assert answer.headers.get("location", "").count("=eq.") <= len(table.columns)


_JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), inner, max_size=3),
    ),
    max_leaves=6,
)
_FITTING: Final = {
    "i": st.integers(-(2**63), 2**63 - 1),
    "r": st.floats(allow_nan=False, allow_infinity=False),
    "t": st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    "j": _JSON,
    "b": st.booleans(),
    "x": st.binary(max_size=20).map(lambda value: "\\x" + value.hex()),
    "u": st.one_of(st.integers(-(2**63), 2**63 - 1), st.text(st.characters(exclude_categories=["Cs"]), max_size=8)),
}
_COLUMNS: Final = "i BIGINT, r REAL, t TEXT, j JSON, b BOOLEAN, x BLOB, u"


@given(
    st.lists(
        st.fixed_dictionaries({}, optional={k: st.none() | v for k, v in _FITTING.items()}), min_size=1, max_size=4
    )
)
def test_what_is_written_is_read_again(place: Place, rows: list[dict[str, Any]]) -> None:
    with place.served(f"CREATE TABLE kept (id INTEGER PRIMARY KEY, {_COLUMNS})") as served:
        whole = [{"id": number, **dict.fromkeys(_FITTING), **row} for number, row in enumerate(rows, 1)]
        created = ask(served, "POST", "kept?columns=id,i,r,t,j,b,x,u", whole, prefer="return=representation")
        read = ask(served, "GET", "kept?order=id")
        assert created.status == 201, created
        assert json.loads(created.body) == json.loads(read.body) == whole
        for row in whole:
            patched = ask(served, "PATCH", f"kept?id=eq.{row['id']}", row, prefer="return=representation")
            assert json.loads(patched.body) == [row]
            for name in ("i", "t"):
                if row[name] is not None:
                    found = ask(served, "GET", f"kept?{name}=eq.{quote(str(row[name]), safe='')}&select=id")
                    assert {"id": row["id"]} in json.loads(found.body)
        lines = list(
            csv.DictReader(
                io.StringIO(ask(served, "GET", "kept?order=id", accept="text/csv").body.decode(), newline="")
            )
        )
        assert [line["t"] for line in lines] == [row["t"] or "" for row in whole]
