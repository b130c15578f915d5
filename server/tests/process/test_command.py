"""The command line in processes of their own: what it prints, where, and with which exit code."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.process.conftest import SECRET, environment
from wherry import __version__
from wherry.auth.keys import api_keys

with_the_application = pytest.mark.skipif(find_spec("wherry.app") is None, reason="there is no application yet")


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
        f"wherry: {path} does not exist; name an SQLite file, or make one: sqlite3 {path} VACUUM\n"
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
