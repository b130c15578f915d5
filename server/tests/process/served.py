"""A database that `wherry serve` serves in processes of its own: asked over HTTP, ended or killed, its log at hand."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import apsw
import httpx

from tests.process.conftest import SECRET, environment, eventually, received
from wherry.auth.tokens import sign

BASE = "/api/rest/v1"


def token(role: str = "service_role", **claims: str | int) -> str:
    """Return a token of a role, signed with the secret of the tests."""
    return sign({"role": role, **claims}, SECRET)


@dataclass
class Served:
    """A running server; `log` is what it has said on standard output, `errors` on standard error."""

    process: "subprocess.Popen[bytes]"
    database: Path
    log: Path
    errors: Path
    workers: list[int] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """The server's root."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, role: str = "service_role", **claims: str | int) -> httpx.Client:
        """Return a client of the data API that is signed in."""
        return httpx.Client(
            base_url=f"{self.url}{BASE}/",
            headers={"authorization": f"Bearer {token(role, **claims)}"},
            timeout=30,
            trust_env=False,
            verify=False,  # there is no TLS, and no context for it to be made
        )

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def request(self, target: str, *, method: str = "GET", headers: str = "", body: bytes = b"") -> bytes:
        """Return the words of a request whose connection is closed after the answer."""
        head = f"{method} {target} HTTP/1.1\r\nhost: wherry\r\napikey: {token()}\r\nconnection: close\r\n{headers}\r\n"
        return head.encode("latin-1") + body

    def answer(self, words: bytes) -> tuple[int, bytes]:
        """Send bytes on a connection of their own; return the status and the body of the one answer, 0 where none."""
        with self.connect() as connection:
            connection.sendall(words)
            head, _, body = received(connection).partition(b"\r\n\r\n")
        return (int(head.split(b" ", 2)[1]) if head else 0), body

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of the log, all of which are JSON."""
        whole, _, _ = self.log.read_bytes().rpartition(b"\n")
        return [json.loads(line) for line in whole.splitlines()]

    def said(self, message: str) -> list[dict[str, Any]]:
        """Return the lines of the log that say something."""
        return [line for line in self.lines() if line["msg"].startswith(message)]

    def metric(self, name: str) -> float:
        """Return the sum of the samples of a metric over all its labels."""
        text = httpx.get(f"{self.url}/metrics", timeout=30).text
        samples = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        return sum(float(value) for sample, value in samples if sample.split("{")[0] == name)

    def private_memory(self) -> int:
        """Return the bytes of memory that its first worker has for itself; a mapped file is not among them."""
        status = Path(f"/proc/{self.workers[0]}/status").read_text()
        return int(status.partition("RssAnon:")[2].split()[0]) * 1024

    def end(self) -> int:
        """Tell the server to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def kill(self) -> None:
        """Kill all its processes at once, as a power cut does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)
        eventually(lambda: not any(map(runs, self.workers)))


def start_serving(database: Path, *, workers: int = 1, **settings: str) -> Served:
    """Start a server on a free port and wait until each worker serves; the caller ends it.

    Its log and errors go into files beside the database, with a name that no other start has.
    """
    log = _new_file(database.parent)
    errors = log.with_suffix(".err")
    with log.open("wb") as output, errors.open("wb") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-m", "wherry", "serve", str(database), "--port", "0", "--workers", str(workers)],
            env=environment(**{"JWT_SECRET": SECRET, **settings}),
            stdout=output,
            stderr=complaints,
            start_new_session=True,
        )
    served = Served(process, database, log, errors)
    try:
        eventually(lambda: process.poll() is not None or len(served.said("serving ")) == workers)
        assert process.poll() is None, errors.read_text()
        serving = served.said("serving ")
        served.workers = [line["pid"] for line in serving]
        served.port = int(serving[0]["msg"].rsplit(":", 1)[1])
        eventually(lambda: _answers(served))
    except BaseException:
        served.kill()
        raise
    return served


def _new_file(folder: Path) -> Path:
    """Make the log's file; several servers may start at once."""
    for number in count():
        path = folder / f"server{number}.log"
        with suppress(FileExistsError):
            path.touch(exist_ok=False)
            return path
    raise AssertionError


def _answers(served: Served) -> bool:
    with suppress(OSError), served.connect():
        return True
    return False


def runs(process: int) -> bool:
    """Tell whether a process runs; one that only waits to be reaped does not."""
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def make(path: Path, sql: str) -> Path:
    """Make a database with SQL, and return its path."""
    rows(path, sql)
    return path


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask the file itself, past the server."""
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(20_000)
        return connection.execute(sql).fetchall()
    finally:
        connection.close()
