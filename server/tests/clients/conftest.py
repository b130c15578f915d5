"""Fixtures of the client tests: a real server on a library of films, and the official clients in front of it."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import jwt
import pytest

HERE = Path(__file__).parent
SECRET = "a secret for the clients of thirty-two bytes or more"

#: Two people with notes of their own, by the ids that their tokens carry.
ALICE, BOB = "5f1c9a52-0d6e-4a55-9a0a-1d6a35b6a001", "5f1c9a52-0d6e-4a55-9a0a-1d6a35b6b002"


def token(role: str, **claims: object) -> str:
    """Sign a token as the server's own secret does."""
    return jwt.encode({"role": role, "exp": int(time.time()) + 3600, **claims}, SECRET, algorithm="HS256")


@dataclass(frozen=True)
class Library:
    """A running server: where it answers, its file, and a token for everybody who may call."""

    url: str  #: what a Supabase client is given
    database: Path
    keys: dict[str, str]

    @property
    def rest_url(self) -> str:
        """What a PostgREST client is given."""
        return f"{self.url}/rest/v1"

    def reset(self) -> None:
        """Put back the rows of the tables that tests write to."""
        connection = sqlite3.connect(self.database, timeout=10)
        connection.executescript((HERE / "written.sql").read_text())
        connection.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The library, served by a process of its own as `wherry serve` starts it."""
    folder = tmp_path_factory.mktemp("library")
    database = folder / "library.db"
    connection = sqlite3.connect(database)
    connection.executescript((HERE / "library.sql").read_text())
    connection.close()
    (folder / "policies.sql").write_text((HERE / "policies.sql").read_text())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (folder / "server.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "wherry", "serve", str(database), "--port", str(port)],
        env={**os.environ, "JWT_SECRET": SECRET, "HOST": "127.0.0.1"},
        cwd=folder,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_until_it_is_ready(process, f"http://127.0.0.1:{port}", folder / "server.log")
        keys = {
            "service": token("service_role"),
            "anon": token("anon"),
            "alice": token("authenticated", sub=ALICE),
            "bob": token("authenticated", sub=BOB),
            "expired": token("authenticated", sub=ALICE, exp=1_000_000_000),
        }
        yield Library(f"http://127.0.0.1:{port}/api", database, keys)
        said = (folder / "server.log").read_text()
        assert "Traceback" not in said, said
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        log.close()


def _wait_until_it_is_ready(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            if httpx.get(f"{address}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.02)


@pytest.fixture
def library(served: Library) -> Library:
    """The served library with its rows as they were at first."""
    served.reset()
    return served
