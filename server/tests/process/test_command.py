"""The command line in processes of their own: what it prints, where, and with which exit code."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process.conftest import SECRET, Running, Start, environment, eventually, received
from wherry import __version__
from wherry.auth.keys import api_keys
from wherry.serving import listening_address


def wherry(*arguments: object, **settings: str) -> tuple[int, str, str]:
    """Run a command to its end; return the exit code, the output and the errors."""
    done = subprocess.run(
        [sys.executable, "-m", "wherry", *map(str, arguments)],
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_version() -> None:
    assert wherry("--version") == (0, f"wherry {__version__}\n", "")


def test_a_command_that_is_not_understood_is_a_usage_error() -> None:
    for arguments in (["sreve"], ["serve", "--port", "http"], ["serve", "--port", "70000"], ["demo"]):
        code, output, errors = wherry(*arguments)
        assert (code, output, errors.splitlines()[0].startswith("Usage: ")) == (2, "", True)


def test_workers_without_a_number_at_the_end_are_the_default(tmp_path: Path) -> None:
    """A shell makes it of `--workers 1>>log`: it takes the 1 for the descriptor that it redirects."""
    missing = tmp_path / "missing.db"

    assert wherry("serve", missing, "--workers") == wherry("serve", missing)
    assert wherry("serve", missing)[0] == 1


# wherry keys


def test_the_keys_of_a_secret() -> None:
    keys = api_keys(SECRET)

    assert wherry("keys", "app.db", JWT_SECRET=SECRET) == (
        0,
        f"anon: {keys['anon']}\nservice_role: {keys['service_role']}\n",
        "",
    )


def test_the_keys_as_json(database: Path) -> None:
    code, output, errors = wherry("keys", "--json", DATABASE_URL=str(database))

    kept = (database.parent / "app.wherry" / "jwt_secret").read_text().strip()
    assert (code, json.loads(output), errors) == (0, api_keys(kept), "")
    assert wherry("keys", "--json", database) == (0, output, "")


def test_there_are_no_keys_without_a_secret(database: Path) -> None:
    assert wherry("keys", database, NODE_ENV="production", JWKS_FILE="/etc/keys.json") == (
        1,
        "",
        "wherry: Only public keys are trusted here: the other issuer makes the keys, or set JWT_SECRET.\n",
    )


# wherry serve: what cannot start


def refusal(*arguments: object, **settings: str) -> str:
    """Return the sentence of a server that cannot start."""
    code, output, errors = wherry("serve", *arguments, **settings)
    assert (code, output) == (1, "")
    return errors


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "missing.db"

    assert refusal(path) == (
        f"wherry: {path} does not exist; name an SQLite file, or set WHERRY_CREATE=on to have an empty one made.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_said(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"wherry: {tmp_path} is a folder; name the SQLite file in it.\n"


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, this is no database at all. " * 100)

    assert refusal(path) == f"wherry: {path} is not an SQLite database (or it is encrypted).\n"


def test_a_damaged_database_is_said(database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 900)

    sentence = refusal(database)
    assert sentence.startswith(f"wherry: {database} is damaged: ")
    assert sentence.count("\n") == 1


def test_a_locked_database_is_said(database: Path) -> None:
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    assert refusal(database) == (
        f"wherry: {database} is locked by another process; end it, or let it finish, and start again.\n"
    )
    other.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_a_file_without_permission_is_said(database: Path) -> None:
    database.chmod(0)

    assert refusal(database) == f"wherry: {database} cannot be read: Permission denied.\n"


def test_a_port_in_use_is_said(database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        assert refusal(database, "--port", port) == (
            f"wherry: Port {port} is in use on 127.0.0.1: choose another, or end what uses it.\n"
        )


def test_a_bad_setting_is_said(database: Path) -> None:
    assert refusal(database, WORKERS="many") == "wherry: WORKERS is 'many': write a whole number from 1 to 256.\n"
    assert refusal() == "wherry: No database is named: give its path as an argument, or set DATABASE_URL.\n"
    assert refusal(database, JWT_SECRET="short") == (
        "wherry: The JWT secret has 5 bytes, but at least 32 are needed: set JWT_SECRET to a long random text.\n"
    )
    assert refusal(database, WHERRY_ENV="production") == (
        "wherry: No JWT secret is set: in production set JWT_SECRET or JWT_SECRET_FILE, "
        "or JWKS_URL or JWKS_FILE to trust the tokens of another issuer.\n"
    )


# wherry demo


def test_the_demo_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "demo.db"

    assert wherry("demo", path)[0] == 0
    assert wherry("demo", path) == (
        1,
        "",
        f"wherry: {path} exists already; the demonstration is made in a place of its own.\n",
    )


# wherry serve: what starts


@pytest.fixture
def served(start: Start, database: Path) -> Running:
    """The database, served in development, ready."""
    _, port = listening_address("127.0.0.1", 0)
    running = start(["-m", "wherry", "serve", str(database), "--port", str(port)], JWT_SECRET=SECRET)
    running.port = port
    eventually(running.answers)  # it listens before it is ready: whoever asks waits
    assert received(running.get("/readyz", "connection: close\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
    return running


def test_a_served_database_is_read_with_the_key(served: Running) -> None:
    key = api_keys(SECRET)["service_role"]
    answer = served.get("/api/rest/v1/films", f"apikey: {key}\r\nconnection: close\r\n")

    head, body = received(answer).split(b"\r\n\r\n", 1)
    assert (head.split(b"\r\n", 1)[0], body) == (b"HTTP/1.1 200 OK", b'[{"id":1,"title":"M"}]')


def test_in_development_the_server_says_how_to_call_it(served: Running, database: Path) -> None:
    served.end()

    keys = api_keys(SECRET)
    address = f"http://127.0.0.1:{served.port}"
    code, said = served.ended()
    assert code == 0
    assert said == (
        f"Wherry serves {database} on {address}\n"
        f"  policies      {database.parent}/policies.sql (no such file: only service_role reads and writes)\n"
        f"  anon          {keys['anon']}\n"
        f"  service_role  {keys['service_role']}\n"
        f"Try: curl {address}/api/rest/v1/ -H 'apikey: {keys['service_role']}'\n"
    )


def test_at_the_end_the_log_is_in_the_file(served: Running, database: Path) -> None:
    assert database.with_name("app.db-wal").exists()

    served.end()

    assert served.ended()[0] == 0
    assert sorted(path.name for path in database.parent.iterdir()) == ["app.db", "app.wherry"]


def test_in_production_nothing_is_said_but_the_log(start: Start, database: Path) -> None:
    host, port = listening_address("127.0.0.1", 0)
    settings = {"WHERRY_ENV": "production", "HOST": host, "PORT": str(port), "JWT_SECRET": SECRET, "WORKERS": "2"}
    running = start(["-m", "wherry", "serve"], DATABASE_URL=str(database), **settings)
    running.port = port
    eventually(running.answers)

    running.end()

    assert running.ended() == (0, "")
