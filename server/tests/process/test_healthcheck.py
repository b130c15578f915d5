"""The health check in a process of its own, as a container runs it."""

import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.process.conftest import Serve, environment


def check(*options: str, **settings: str) -> tuple[int, str, str]:
    """Run the check; return the exit code, the output and the errors."""
    done = subprocess.run(
        [sys.executable, *options, "-m", "wherry.healthcheck"],
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("host", ["", "127.0.0.1", "0.0.0.0", "localhost"])
def test_a_server_that_is_ready_is_healthy(serve: Serve, database: Path, host: str) -> None:
    served = serve(database)

    assert check(PORT=str(served.port), HOST=host) == (0, '{"status":"ok"}\n', "")


def test_a_server_whose_database_does_not_answer_is_not_healthy(serve: Serve, database: Path) -> None:
    served = serve(database, WHERRY_BUSY_TIMEOUT="0.2", WHERRY_WAL="off")
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")

        code, output, errors = check(PORT=str(served.port))

    assert (code, output.startswith('{"status":"unavailable","failed":'), errors) == (1, True, "")
    assert check(PORT=str(served.port))[0] == 0


def test_nobody_there_is_not_healthy() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        assert check(PORT=str(port)) == (1, f"127.0.0.1, port {port}: [Errno 111] Connection refused\n", "")


def test_who_answers_something_else_is_not_healthy() -> None:
    """Another process may have taken the port."""
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        subprocess.Popen(
            [sys.executable, "-m", "wherry.healthcheck"],
            env=environment(PORT=str(other.getsockname()[1])),
            stdout=subprocess.PIPE,
        ) as process,
    ):
        connection, _ = other.accept()
        with connection:
            asked = b""
            while not asked.endswith(b"\r\n\r\n"):  # what is left unread would make the closing a reset
                asked += connection.recv(65536)
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        assert process.stdout is not None
        assert process.stdout.read() == b"\n"
    assert process.returncode == 1


@pytest.mark.parametrize("port", ["http", "0", "70000", "-1", "9" * 5000])
def test_a_port_that_is_none_is_said(port: str) -> None:
    assert check(PORT=port) == (1, f"PORT is {port!r}: nobody can be asked there.\n", "")


def test_the_check_imports_no_library_and_no_room() -> None:
    """It runs every few seconds, beside the server."""
    _, _, imported = check("-X", "importtime", PORT="0")

    names = {line.rpartition("|")[2].strip() for line in imported.splitlines()}
    assert "wherry" in names
    assert {name for name in names if name.startswith("wherry.")} == set()
    assert names & {"http.client", "ssl", "asyncio", "typer", "apsw", "msgspec"} == set()
