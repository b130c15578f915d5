"""The data on its volume: it outlives the containers, is backed up and restored, and an existing file is taken over."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine import Failed
from stack import REST, Stack, eventually


@pytest.fixture(scope="module")
def operated(make_stack: Any) -> Iterator[Stack]:
    """A stack of one server without the web, whose operator backs it up."""
    stack = make_stack()
    stack.compose("run", "--rm", "--no-deps", "server", "wherry", "demo", "/app/database/dev.db")
    serve(stack)
    stack.sql("CREATE TABLE marks (id INTEGER PRIMARY KEY, text TEXT)")
    yield stack
    stack.compose("--profile", "backup", "down", "--volumes", "--remove-orphans", "--timeout", "5")


def serve(stack: Stack) -> None:
    """Start the server alone and wait until it is well."""
    stack.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", "60", "server")


def mark(stack: Stack, text: str) -> None:
    """Write a row."""
    stack.sql(f"INSERT INTO marks (text) VALUES ('{text}')")


def marks(stack: Stack) -> list[str]:
    """Return the rows."""
    return [text for (text,) in stack.sql("SELECT text FROM marks ORDER BY id")]


def lose_the_volume(stack: Stack) -> None:
    """Stop the server and remove the volume of the database, but not that of the backups."""
    stack.compose("--profile", "backup", "rm", "--stop", "--force")
    stack.engine.docker("volume", "rm", f"{stack.project}_sqlite_data")


def test_what_was_written_outlives_the_containers(stack: Stack) -> None:
    with stack.client() as client:
        assert client.post(f"{REST}/marks", json={"text": "outlives"}).status_code == 201
    stack.down()
    assert stack.containers("server") == []
    stack.up()

    with stack.client() as client:
        assert client.get(f"{REST}/marks?select=text&text=eq.outlives").json() == [{"text": "outlives"}]
    assert stack.sql("PRAGMA integrity_check") == [["ok"]]


def test_a_backup_is_restored_onto_a_fresh_volume(operated: Stack) -> None:
    mark(operated, "before")
    made = operated.compose("run", "--rm", "backup").strip().splitlines()[-1]
    mark(operated, "after")
    lose_the_volume(operated)
    operated.compose("run", "--rm", "--no-deps", "backup", "wherry", "restore", made)
    serve(operated)

    assert made.startswith("/backups/dev-")
    assert marks(operated) == ["before"]


def test_a_restore_overwrites_nothing(operated: Stack) -> None:
    made = operated.compose("run", "--rm", "backup").strip().splitlines()[-1]
    with pytest.raises(Failed) as caught:
        operated.compose("run", "--rm", "--no-deps", "backup", "wherry", "restore", made)

    assert "wherry: /app/database/dev.db exists, and nothing is overwritten" in str(caught.value)


def test_an_existing_file_is_taken_over_with_what_is_in_its_log(operated: Stack, tmp_path: Path) -> None:
    database = tmp_path / "dev.db"
    writer = sqlite3.connect(database)
    writer.executescript("PRAGMA journal_mode = WAL; CREATE TABLE marks (id INTEGER PRIMARY KEY, text TEXT)")
    writer.execute("INSERT INTO marks (text) VALUES ('from elsewhere')")
    writer.commit()
    assert database.with_name("dev.db-wal").stat().st_size > 0
    writer.close()
    (tmp_path / "policies.sql").write_text("GRANT SELECT ON marks TO anon;\n", encoding="utf-8")
    tmp_path.chmod(0o755)
    database.chmod(0o644)

    lose_the_volume(operated)
    operated.compose(
        "run",
        "--rm",
        "--no-deps",
        "--volume",
        f"{tmp_path}:/import:ro",
        "server",
        "wherry",
        "restore",
        "/import/dev.db",
    )
    serve(operated)
    operated.compose("cp", tmp_path / "policies.sql", "server:/app/database/policies.sql")

    assert marks(operated) == ["from elsewhere"]
    ask = (
        "import http.client as h; c = h.HTTPConnection('127.0.0.1', 4000); "
        f"c.request('GET', '{REST}/marks?select=text'); r = c.getresponse(); print(r.status)"
    )
    eventually(lambda: operated.execute(ask) == "200")


def test_each_change_is_replicated_and_restored_from_there(operated: Stack) -> None:
    operated.compose(
        "--profile",
        "backup",
        "up",
        "--detach",
        "--no-build",
        "--wait",
        "--wait-timeout",
        "60",
        "server",
        "backup",
        "litestream",
    )
    mark(operated, "replicated")
    [replica] = operated.containers("litestream")

    def replicated() -> bool:
        restore = "litestream restore -o /tmp/copy.db file:///backups/litestream"
        look = f"rm -f /tmp/copy.db && {restore} && grep -q replicated /tmp/copy.db"
        try:
            operated.engine.docker("exec", replica, "sh", "-c", look)
        except Failed:  # there is nothing to restore yet, or not that row
            return False
        return True

    eventually(replicated, 30)
    operated.compose(
        "run",
        "--rm",
        "--no-deps",
        "litestream",
        "restore",
        "-o",
        "/backups/replicated.db",
        "file:///backups/litestream",
    )
    lose_the_volume(operated)
    operated.compose("run", "--rm", "--no-deps", "backup", "wherry", "restore", "/backups/replicated.db")
    serve(operated)

    assert marks(operated)[-1] == "replicated"
