"""Fixtures of the process tests: commands in processes of their own, and what waits for them."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from tests.process.served import Served

SECRET = "a secret for tests of thirty-two bytes or more"
SLOW_APPLICATION = Path(__file__).with_name("slow_application.py")


def eventually(holds: Callable[[], object], seconds: float = 20) -> None:
    """Return as soon as something holds, and fail when it doesn't in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of this process without settings of its own, and with some."""
    return {
        "WHERRY_STUDIO": "off",  # whether it was built is no matter of the tests
        **{name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ},
        **{name: value for name, value in os.environ.items() if name.startswith("COV")},
        **variables,
    }


def received(connection: socket.socket) -> bytes:
    """Return all that comes until the other side closes."""
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


@dataclass
class Running:
    """A server in a process group of its own, the port it listens on, and the folder of its database.

    Standard output is read to the end only when the server has ended: a server may say little there.
    """

    process: "subprocess.Popen[str]"
    port: int
    folder: Path
    connections: ExitStack
    first_line: str

    def connect(self, sent: str = "") -> socket.socket:
        """Open a connection and send some text."""
        connection = self.connections.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=20))
        connection.sendall(sent.encode())
        return connection

    def get(self, path: str, headers: str = "") -> socket.socket:
        """Send a request, on a connection that stays open unless a header says otherwise."""
        return self.connect(f"GET {path} HTTP/1.1\r\nhost: wherry\r\n{headers}\r\n")

    def answers(self) -> bool:
        """Say whether a connection is taken."""
        with suppress(OSError), self.connect():
            return True
        return False

    def notes(self) -> list[str]:
        """Return what the workers have noted, in order."""
        with suppress(FileNotFoundError):
            return (self.folder / "notes").read_text().splitlines()
        return []

    def end(self, with_signal: int = signal.SIGTERM) -> None:
        """Send a signal to the main process alone."""
        self.process.send_signal(with_signal)

    def ended(self) -> tuple[int, str]:
        """Return the exit code and what is on stderr, after the end."""
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors

    def processes(self) -> int:
        """Return the number of processes of the group that still run."""
        running = 0
        for status in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                state, _, group = status.read_text().rpartition(")")[2].split()[:3]
                running += group == str(self.process.pid) and state != "Z"
        return running


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a command that serves, and wait for its first line of output; a number there is its port."""
    started: list[subprocess.Popen[str]] = []
    connections = ExitStack()

    def run(command: Sequence[str] = (), **settings: str) -> Running:
        process = subprocess.Popen(
            [sys.executable, *(command or [str(SLOW_APPLICATION), str(tmp_path / "app.db")])],
            env=environment(**{"PORT": "0", "WHERRY_SHUTDOWN_GRACE": "20", **settings}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        return Running(process, int(line) if line.strip().isdigit() else 0, tmp_path, connections, line)

    yield run
    connections.close()
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def server(start: Start) -> Running:
    """The slow application with one worker, ready."""
    running = start()
    eventually(lambda: running.notes() == ["started"] and running.answers())
    return running


class Serve(Protocol):
    """Serve a database as `served.start_serving` does."""

    def __call__(self, database: Path, *, workers: int = 1, **settings: str) -> "Served":
        """Return the running server."""
        ...


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve databases; what still runs after the test is killed, and what went wrong unexpectedly fails it."""
    from tests.process.served import start_serving

    all_served: list[Served] = []

    def run(database: Path, *, workers: int = 1, **settings: str) -> "Served":
        all_served.append(start_serving(database, workers=workers, **settings))
        return all_served[-1]

    yield run
    for served in all_served:
        served.kill()
    for served in all_served:
        assert b"unexpected error" not in served.log.read_bytes()
        assert "Traceback" not in served.errors.read_text()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with a table of one row."""
    path = tmp_path / "app.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT); INSERT INTO films VALUES (1, 'M')"
    )
    connection.close()
    return path
