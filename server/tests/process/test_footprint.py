"""Zero footprint: a served file holds afterwards what it held before, and all that is ours lies in the sidecar."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.process.conftest import Serve
from tests.process.served import Served, make, rows
from wherry.demo import build

EVERY_KIND = """
PRAGMA page_size = 1024;
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA encoding = 'UTF-16le';
PRAGMA application_id = 1936027241;
PRAGMA user_version = 7;
CREATE TABLE plain (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, size REAL, raw BLOB, "when" DATETIME);
CREATE TABLE "no key, ""odd"" [name]" (a, "b c" VARCHAR(10) COLLATE NOCASE, CHECK (a <> 'x'));
CREATE TABLE compact (a TEXT, b INT, PRIMARY KEY (b, a)) WITHOUT ROWID;
CREATE TABLE checked (id INT PRIMARY KEY, v ANY, n INTEGER GENERATED ALWAYS AS (id * 2) STORED) STRICT;
CREATE TABLE child (id INTEGER PRIMARY KEY, plain INTEGER REFERENCES plain ON DELETE CASCADE, lost REFERENCES gone);
CREATE VIRTUAL TABLE words USING fts5(text, content = '', contentless_delete = 1);
CREATE VIRTUAL TABLE areas USING rtree(id, x0, x1);
CREATE INDEX child_plain ON child (plain) WHERE lost IS NULL;
CREATE VIEW seen AS SELECT p.name, count(c.id) AS children FROM plain p LEFT JOIN child c ON c.plain = p.id GROUP BY 1;
CREATE TRIGGER seen_insert INSTEAD OF INSERT ON seen BEGIN INSERT INTO plain (name) VALUES (new.name); END;
CREATE TRIGGER kept BEFORE DELETE ON compact BEGIN SELECT raise(ABORT, 'kept'); END;
INSERT INTO plain (name, size, raw) VALUES ('één', 1.5, x'00ff'), ('二', NULL, NULL), (NULL, 9e999, zeroblob(3000));
INSERT INTO "no key, ""odd"" [name]" VALUES (1, 'a'), (1, 'a'), (NULL, x'00');
INSERT INTO compact VALUES ('a', 1), ('b', 1);
INSERT INTO checked (id, v) VALUES (1, 'text'), (2, 2), (3, x'03');
INSERT INTO child (plain) VALUES (1), (1), (NULL);
INSERT INTO words (rowid, text) VALUES (1, 'hello world');
INSERT INTO areas VALUES (1, 0, 1);
ANALYZE;
"""

#: Everything that persists in the file besides tables.
PRAGMAS = (
    "schema_version", "user_version", "application_id", "encoding", "page_size", "page_count", "auto_vacuum",
    "freelist_count",
)  # fmt: skip

QUOTE = '"'


def everything(path: Path) -> dict[str, Any]:
    """Return all that the file holds: its schema, its pragmas, and the rows of every table, shadow tables too."""
    schema = rows(path, "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema ORDER BY rowid")
    return {
        "schema": schema,
        "pragmas": {name: rows(path, f"PRAGMA {name}") for name in PRAGMAS},
        "rows": {
            name: rows(path, f'SELECT * FROM "{name.replace(QUOTE, QUOTE * 2)}"')
            for kind, name, *_ in schema
            if kind == "table"
        },
    }


def use(served: Served) -> None:
    """Read everything, try to write what is refused, look at the operations, and end the server."""
    with served.client() as api, served.client("anon") as anonymous:
        document = api.get("").json()
        resources = [path.removeprefix("/") for path in document["paths"] if path != "/"]
        assert resources
        for resource in resources:
            for query in ("", "?limit=1&select=count()", "?limit=2&offset=1"):
                answer = api.get(f"{resource}{query}", headers={"prefer": "count=exact"})
                assert answer.status_code in (200, 206, 416), (resource, query, answer.text)
            assert anonymous.post(resource, json={"a": 1}).status_code in (401, 403, 404, 405)
            assert anonymous.delete(resource).status_code in (401, 403, 404, 405)
            assert api.post(resource, json={"no such column": 1}).status_code >= 400
            assert api.patch(f"{resource}?no_such_column=eq.1", json={"no such column": 1}).status_code >= 400
    assert served.end() == 0


@pytest.fixture(params=["demo", "every kind"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A database in a folder of its own."""
    path = tmp_path / "app.db"
    if request.param == "demo":
        build(path)
    else:
        make(path, EVERY_KIND)
    return path


def test_a_served_file_holds_what_it_held_before(serve: Serve, file: Path) -> None:
    before, size = everything(file), file.stat().st_size
    beside = {path.name for path in file.parent.iterdir()}
    assert rows(file, "PRAGMA journal_mode") == [("delete",)]

    use(serve(file))

    assert everything(file) == before
    assert (rows(file, "PRAGMA journal_mode"), file.stat().st_size) == ([("wal",)], size)
    said = {"server0.log", "server0.err"}
    assert {path.name for path in file.parent.iterdir()} == {*beside, *said, "app.wherry"}


def test_without_wal_not_a_byte_of_a_served_file_changes(serve: Serve, file: Path) -> None:
    before = file.read_bytes()

    use(serve(file, WHERRY_WAL="off"))

    assert file.read_bytes() == before


def test_a_file_without_its_sidecar_is_served_as_before(serve: Serve, file: Path) -> None:
    before = everything(file)
    use(serve(file, JWT_SECRET_FILE=""))
    shutil.rmtree(file.with_name("app.wherry"))

    use(serve(file))

    assert everything(file) == before


def test_a_sidecar_that_disappears_while_its_file_is_served_harms_nothing(serve: Serve, tmp_path: Path) -> None:
    file = make(tmp_path / "app.db", "CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT)")
    served = serve(file, workers=2)

    def write(number: int) -> int:
        if number == 10:
            shutil.rmtree(file.with_name("app.wherry"))
        with served.client() as api:
            return api.post("films", json={"title": f"{number}"}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(write, range(40))) == [201] * 40
    assert served.end() == 0
    assert rows(file, "SELECT count(DISTINCT title) FROM films") == [(40,)]


def test_a_write_that_is_undone_leaves_nothing(serve: Serve, tmp_path: Path) -> None:
    file = make(tmp_path / "app.db", EVERY_KIND)
    before = everything(file)

    served = serve(file)
    with served.client() as api:
        rolled_back = api.post("plain", json={"name": "three"}, headers={"prefer": "tx=rollback,return=representation"})
        assert (rolled_back.status_code, rolled_back.json()[0]["name"]) == (201, "three")
        assert api.post("plain", json=[{"name": "four"}, {"name": "één"}]).status_code == 409
        assert api.delete("compact?a=eq.a").status_code == 400
        assert api.post("checked", json={"id": "one"}).status_code == 400
    assert served.end() == 0

    assert everything(file) == before
