"""`policies.sql` changes while the file is served: good ones take effect, broken ones are said."""

import os
from pathlib import Path

import httpx
import pytest

from tests.process.conftest import Serve, eventually
from tests.process.served import Served, make, rows

SCHEMA = """
CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT, secret TEXT);
CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT, text TEXT);
INSERT INTO films VALUES (1, 'M', 'x'), (2, 'Playtime', 'y');
INSERT INTO notes VALUES (1, 'ada', 'hers'), (2, 'bob', 'his');
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database without a policies.sql."""
    return make(tmp_path / "app.db", SCHEMA)


def write_policies(file: Path, text: str) -> None:
    """Write policies.sql as an editor does: beside it, then in its place."""
    new = file.with_name("policies.new")
    new.write_text(text)
    new.replace(file.with_name("policies.sql"))


def titles(served: Served, role: str = "anon") -> object:
    """Return the titles that a role sees, or the status that it gets."""
    with served.client(role) as api:
        answer = api.get("films?select=title")
        return [row["title"] for row in answer.json()] if answer.status_code == 200 else answer.status_code


def everything(served: Served) -> int:
    with served.client() as api:
        return api.get("films").status_code


@pytest.mark.parametrize("workers", [1, 2])
def test_policies_appear_change_and_disappear_without_a_restart(serve: Serve, file: Path, workers: int) -> None:
    served = serve(file, workers=workers)

    def everywhere(seen: object) -> None:
        # Each request comes on a connection of its own, so some come to each worker.
        eventually(lambda: [titles(served) for _ in range(4 * workers)] == [seen] * 4 * workers, seconds=10)
        assert everything(served) == 200

    everywhere(401)
    write_policies(file, "GRANT SELECT ON films TO anon;")
    everywhere(["M", "Playtime"])
    write_policies(file, "GRANT SELECT (id, title) ON films TO anon;")
    with served.client("anon") as api:
        eventually(lambda: api.get("films?select=secret").status_code == 400)
    everywhere(["M", "Playtime"])
    write_policies(
        file,
        "GRANT SELECT ON films TO anon; ALTER TABLE films ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY one ON films FOR SELECT TO anon USING (id = 2);",
    )
    everywhere(["Playtime"])
    file.with_name("policies.sql").unlink()
    everywhere(401)
    assert served.end() == 0


def test_a_broken_change_leaves_the_last_good_policies_and_is_said_with_its_place(serve: Serve, file: Path) -> None:
    write_policies(file, "GRANT SELECT ON films TO anon;")
    served = serve(file)
    assert titles(served) == ["M", "Playtime"]

    write_policies(file, "GRANT SELECT ON films TO anon;\nGRANT SELEKT ON notes TO anon;")
    eventually(lambda: served.said("policies refused"))
    (refused,) = served.said("policies refused")
    assert (refused["level"], refused["file"]) == (50, str(file.with_name("policies.sql")))
    assert refused["msg"].startswith("policies refused: policies.sql:2:7: "), refused
    assert titles(served) == ["M", "Playtime"]
    with served.client("anon") as api:
        assert api.get("notes").status_code == 401

    write_policies(file, "GRANT SELECT ON notes TO anon;")
    eventually(lambda: titles(served) == 401)
    with served.client("anon") as api:
        assert [note["text"] for note in api.get("notes").json()] == ["hers", "his"]
    assert len(served.said("policies refused")) == 1


def test_what_cannot_be_read_as_policies_leaves_the_last_good_ones(serve: Serve, file: Path) -> None:
    write_policies(file, "GRANT SELECT ON films TO anon;")
    served = serve(file)
    path = file.with_name("policies.sql")
    path.unlink()
    path.mkdir()
    eventually(lambda: served.said("policies refused"))
    path.rmdir()
    os.mkfifo(path)
    eventually(lambda: len(served.said("policies refused")) == 2)
    path.unlink()
    path.write_bytes(b"GRANT \xff")
    eventually(lambda: len(served.said("policies refused")) == 3)

    assert [line["msg"] for line in served.said("policies refused")] == [
        f"policies refused: {path} cannot be read: Is a directory",
        f"policies refused: {path} cannot be read: Not a regular file",
        "policies refused: policies.sql:1:1: the file is not UTF-8 text",
    ]
    assert titles(served) == ["M", "Playtime"]


def test_policies_that_do_not_fit_a_changed_schema_close_the_door_until_they_do(serve: Serve, file: Path) -> None:
    write_policies(file, "GRANT SELECT (id, title) ON films TO anon;")
    served = serve(file)
    assert titles(served) == ["M", "Playtime"]

    rows(file, "ALTER TABLE films RENAME COLUMN title TO name")
    with served.client("anon") as api:
        answers = [api.get("films?select=id"), api.get("films?select=name"), api.get("films")]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert everything(served) == 200
    eventually(lambda: served.said("policies refused"))
    (refused,) = served.said("policies refused")
    assert refused["msg"] == "policies refused: policies.sql:1:19: there is no column 'title' in 'films'"

    write_policies(file, "GRANT SELECT (id, name) ON films TO anon;")

    def names() -> httpx.Response:
        with served.client("anon") as api:
            return api.get("films?select=name&id=eq.1")

    eventually(lambda: names().status_code == 200)
    assert names().json() == [{"name": "M"}]


def test_broken_policies_stop_the_start(file: Path, serve: Serve) -> None:
    write_policies(file, "GRANT SELECT ON films TO anon;\n\n  CREATE POLICY p ON nowhere USING (true);")

    with pytest.raises(AssertionError) as caught:
        serve(file)
    assert "wherry: policies.sql:3:22: there is no table 'nowhere'\n" in str(caught.value)
