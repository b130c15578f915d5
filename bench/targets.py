"""Start what is measured, as its users start it, each on its own copy of the data; and read what it costs.

Processor time and memory are those of the server's whole tree of processes, from Linux' /proc, in which processor time
comes in ticks of 10 ms: a run of a second knows it to 1 %.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Self

from bench.dataset import Counts
from bench.requests import SECRET, Dialect, Request, requests_of, tokens

HERE = Path(__file__).parent
TICKS = os.sysconf("SC_CLK_TCK")
#: Seconds in which a server has to answer its first request, and to end.
PATIENCE = 30


class BenchError(Exception):
    """What ends the run: its text is for the reader."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server that can be measured; `{database}` and `{port}` stand in its command for what a run gives it."""

    dialect: Dialect
    command: tuple[str, ...]
    environment: Mapping[str, str]


def _wherry(workers: int) -> Target:
    command = (str(Path(sys.executable).with_name("wherry")), "serve", "{database}", "--port", "{port}")
    return Target(
        Dialect.WHERRY,
        (*command, "--workers", str(workers)),
        {"JWT_SECRET": SECRET, "WHERRY_POLICIES": str(HERE / "policies.sql")},
    )


TARGETS = {
    "fastify": Target(
        Dialect.FASTIFY,
        ("node", str(HERE / "peers/fastify.mjs"), "{database}", "{port}"),
        {"JWT_SECRET": SECRET, "NODE_ENV": "production"},
    ),
    "wherry": _wherry(1),
    "wherry-2": _wherry(2),
}


class Server:
    """A target that runs: a class because it owns a process, which the `with` statement ends."""

    def __init__(self, name: str, *, source: Path, folder: Path, counts: Counts) -> None:
        self.name = name
        self.dialect = TARGETS[name].dialect
        self.counts = counts
        self.folder = folder
        self.port = _free_port()
        self.database = self._copy(source)
        self.log = folder / "output.log"
        self.seconds_to_start = 0.0
        self._process = self._start(TARGETS[name])

    def __enter__(self) -> Self:
        """Wait until it answers, and note how long that took."""
        started = time.perf_counter()
        first = next(requests_of("point", self.dialect, self.counts))
        try:
            while not self._answers(first):
                if self._process.poll() is not None or time.perf_counter() - started > PATIENCE:
                    raise BenchError(f"{self.name} did not start; {self.log} says why.")
                time.sleep(0.005)
        except BaseException:
            self._end()
            raise
        self.seconds_to_start = time.perf_counter() - started
        return self

    def __exit__(self, *_: object) -> None:
        """End it with its children."""
        self._end()

    def connect(self) -> HTTPConnection:
        """Return a new connection."""
        return HTTPConnection("127.0.0.1", self.port, timeout=60)

    def processor_seconds(self) -> float:
        """Return the seconds of processor time that it has used so far."""
        return sum(_ticks(process) for process in _tree(self._process.pid)) / TICKS

    def memory(self) -> float:
        """Return the MB that are its own: what it maps of the database, which the system can drop, is not counted."""
        return sum(_anonymous(process) for process in _tree(self._process.pid)) / 1e6

    def _copy(self, source: Path) -> Path:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        return Path(shutil.copy(source, self.folder / source.name))

    def _start(self, target: Target) -> "subprocess.Popen[bytes]":
        command = [part.format(database=self.database, port=self.port) for part in target.command]
        with self.log.open("wb") as log:
            try:
                return subprocess.Popen(
                    command, env={**os.environ, **target.environment}, stdout=log, stderr=log, start_new_session=True
                )
            except OSError as error:
                raise BenchError(f"{command[0]} cannot be run: {error.strerror}.") from error

    def _answers(self, request: Request) -> bool:
        with suppress(OSError, HTTPException):
            connection = self.connect()
            try:
                connection.request(request.method, request.target, headers=request.all_headers(tokens()[0]))
                return connection.getresponse().status == 200
            finally:
                connection.close()
        return False

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def _tree(process: int) -> list[int]:
    """Return a process and all that descend from it."""
    tree = [process]
    for parent in tree:
        with suppress(OSError):
            for children in Path(f"/proc/{parent}/task").glob("*/children"):
                tree += map(int, children.read_text().split())
    return tree


def _ticks(process: int) -> int:
    """Return the ticks that a process ran, in user mode and in the kernel (proc_pid_stat(5): fields 14 and 15)."""
    with suppress(OSError):
        _, _, fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")
        user, kernel = fields.split()[11:13]
        return int(user) + int(kernel)
    return 0


def _anonymous(process: int) -> int:
    """Return the bytes of memory that a process has for itself."""
    with suppress(OSError):
        _, _, rest = Path(f"/proc/{process}/status").read_text().partition("RssAnon:")
        return int(rest.split()[0]) * 1024
    return 0
