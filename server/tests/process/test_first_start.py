"""The first start on a volume that is new: there is no database, and several servers may start at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.process.conftest import SECRET, Serve
from tests.process.served import rows
from tests.process.test_command import refusal, wherry


def test_an_empty_database_is_made_where_there_is_none(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "dev.db"
    served = serve(path, WHERRY_CREATE="on")
    assert [line["msg"] for line in served.lines()][:2] == [
        f"{path} was made: there was no file, and WHERRY_CREATE is on.",
        f"{path} is in WAL mode now (it was in delete mode).",
    ]
    with served.client() as api:
        assert list(api.get("").json()["paths"]) == ["/"]
        rows(path, "CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT)")
        assert api.post("films", json={"title": "M"}).status_code == 201
        assert api.get("films").json() == [{"id": 1, "title": "M"}]
    assert served.end() == 0


def test_a_database_that_is_there_is_left_as_it_is(serve: Serve, database: Path) -> None:
    before = database.read_bytes()
    served = serve(database, WHERRY_CREATE="on", WHERRY_WAL="off")
    assert served.said(f"{database} was made") == []
    assert served.end() == 0
    assert database.read_bytes() == before


@pytest.mark.parametrize("attempt", range(3))
def test_servers_that_start_at_once_serve_the_one_that_one_of_them_made(
    serve: Serve, tmp_path: Path, attempt: int
) -> None:
    path = tmp_path / "dev.db"
    with ThreadPoolExecutor(4) as pool:
        servers = list(pool.map(lambda _: serve(path, WHERRY_CREATE="on", NODE_ENV="production"), range(4)))
        assert sum(len(served.said(f"{path} was made")) for served in servers) == 1
        assert [served.said("serving ")[0]["journalMode"] for served in servers] == ["wal"] * 4
        assert [line["msg"] for served in servers for line in served.lines() if line["level"] > 30] == []

        rows(path, "CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT)")

        def write(number: int) -> int:
            with servers[number % 4].client() as api:
                return api.post("films", json={"title": f"{number}"}).status_code

        assert set(pool.map(write, range(40))) == {201}
    assert [served.end() for served in servers] == [0] * 4
    assert rows(path, "SELECT count(DISTINCT title) FROM films") == [(40,)]


def test_a_database_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    path = tmp_path / "no such folder" / "dev.db"
    assert refusal(path, WHERRY_CREATE="on", JWT_SECRET=SECRET) == (
        f"wherry: {path} cannot be made: No such file or directory.\n"
    )


def test_without_the_setting_nothing_is_made(tmp_path: Path) -> None:
    path = tmp_path / "dev.db"
    for settings in ({}, {"WHERRY_CREATE": "off"}):
        assert refusal(path, **settings).startswith(f"wherry: {path} does not exist; ")
    assert wherry("link", path, WHERRY_CREATE="on")[0] == 1
    assert list(tmp_path.iterdir()) == []
