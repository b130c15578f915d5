"""The served file is replaced, moved or deleted: the server ends, and neither file is harmed."""

from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.process.conftest import Serve
from tests.process.served import Served, make, rows

OLD = "CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT)"
NEW = "CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT); INSERT INTO films VALUES (7, 'Playtime')"


def ended(served: Served) -> tuple[int, str]:
    """Return exit code and standard error of a server that ends by itself."""
    code = served.process.wait(timeout=30)
    return code, served.errors.read_text().splitlines()[-1]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_that_takes_the_place_of_the_served_one_ends_the_server(
    serve: Serve, tmp_path: Path, workers: int
) -> None:
    file, other = make(tmp_path / "app.db", OLD), make(tmp_path / "new.db", NEW)
    served = serve(file, workers=workers)
    with served.client() as api:
        assert api.post("films", json={"title": "M"}).status_code == 201
    kept = tmp_path / "kept.db"
    kept.hardlink_to(file)
    other.replace(file)

    why = f"{file} was replaced, moved or deleted while it was served: start the server again for what is there now."
    assert ended(served) == (1, f"wherry: {why}")
    assert served.said(why)[0]["level"] == 50
    assert (tmp_path / "app.db-wal").stat().st_size == 0
    assert rows(file, "SELECT title FROM films") == [("Playtime",)]
    assert rows(file, "PRAGMA integrity_check") == [("ok",)]
    assert rows(kept, "SELECT title FROM films") == [("M",)]


def test_what_is_acknowledged_is_in_the_file_that_was_moved(serve: Serve, tmp_path: Path) -> None:
    file, moved = make(tmp_path / "app.db", OLD), tmp_path / "moved.db"
    served = serve(file)
    acknowledged = 0
    with served.client() as api:
        assert api.post("films", json={"title": "M"}).status_code == 201
        file.rename(moved)
        while served.process.poll() is None:
            with suppress(httpx.TransportError):
                answer = api.post("films", json={"title": "N"})
                assert answer.status_code in (201, 503)
                acknowledged += answer.status_code == 201
    assert ended(served)[0] == 1
    assert rows(moved, "SELECT count(*) FROM films") == [(1 + acknowledged,)]
