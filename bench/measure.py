"""Put one workload on one server for some seconds, and say what it took.

wrk asks, from requests written to a file before; exports are read by a client of our own, which sees their first byte
and how much memory the server takes meanwhile.
"""

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path

from bench.requests import PERIOD, WORKLOADS, Kind, Request, Workload, requests_of, slow, tokens
from bench.targets import HERE, BenchError, Server

#: How many requests a file holds: two periods, or fewer where they write many rows.
REQUESTS = 2 * PERIOD
BULKY_REQUESTS = 20
#: Seconds of the query that `slow_beside` runs beside, and the fewest that it is measured: several of them.
SLOW = 2.0
BESIDE = 8
#: Seconds until the first of them.
HEAD_START = 0.3


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run took.

    `rate` is requests (of exports: rows) in a second, `processor` the server's microseconds for each of them, `median`
    and `p99` milliseconds until the answer (of exports: until its first byte, and its last), `errors` the answers that
    were refusals or did not come, `memory` the most MB that the server had for itself during an export.
    """

    rate: float
    processor: float
    median: float
    p99: float
    errors: int = 0
    memory: float = 0.0


def require_wrk() -> None:
    """Raise BenchError where wrk is not installed."""
    if shutil.which("wrk") is None:
        raise BenchError("wrk is not installed: on Debian or Ubuntu, apt install wrk.")


def measure(server: Server, name: str, seconds: int) -> Sample:
    """Measure one workload once."""
    workload = WORKLOADS[name]
    match workload.kind:
        case Kind.LOAD:
            return _load(server, name, workload, seconds)
        case Kind.EXPORT:
            return _export(server, name)
        case Kind.BESIDE:
            with _slow_queries(server):
                return _load(server, name, workload, max(seconds, BESIDE))


def _load(server: Server, name: str, workload: Workload, seconds: int) -> Sample:
    file = _write_requests(server, name)
    command = ["wrk", "--threads=1", f"--connections={workload.connections}", f"--duration={seconds}s", "--timeout=30s"]
    before = server.processor_seconds()
    said = subprocess.run(
        [*command, f"--script={HERE / 'wrk.lua'}", f"http://127.0.0.1:{server.port}", "--", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    used = server.processor_seconds() - before
    if said.returncode:
        raise BenchError(f"wrk: {said.stderr.strip() or said.stdout.strip()}")
    told = json.loads(said.stdout.splitlines()[-1])
    requests = max(1, told["requests"])
    return Sample(
        rate=told["requests"] / told["duration"] * 1e6,
        processor=used / requests * 1e6,
        median=told["p50"] / 1e3,
        p99=told["p99"] / 1e3,
        errors=told["refused"] + told["broken"],
    )


def _write_requests(server: Server, name: str) -> Path:
    """Write a workload's requests for wrk, once for each server."""
    file = server.folder / f"{name}.requests"
    if not file.exists():
        number = BULKY_REQUESTS if WORKLOADS[name].rows > 1 else REQUESTS
        users = tokens()
        with file.open("wb") as output:
            for index, request in enumerate(islice(requests_of(name, server.dialect, server.counts), number)):
                words = request.words(users[index % len(users)])
                output.write(b"%d\n%b\n" % (len(words), words))
    return file


def _export(server: Server, name: str) -> Sample:
    request = next(requests_of(name, server.dialect, server.counts))
    rows = server.counts.posts
    with closing(server.connect()) as http, _peak_memory(server) as peak:
        before, started = server.processor_seconds(), time.perf_counter()
        first = _read(http, request, bytearray(1 << 16)) - started
        whole = time.perf_counter() - started
        used = server.processor_seconds() - before
    return Sample(rows / whole, used / rows * 1e6, first * 1e3, whole * 1e3, memory=peak[0])


def _read(http: HTTPConnection, request: Request, buffer: bytearray) -> float:
    """Read an answer to its end; return the time at which its first byte was there."""
    http.request(request.method, request.target, headers=request.all_headers(tokens()[0]))
    response = http.getresponse()
    response.read(1)
    first = time.perf_counter()
    while response.readinto(buffer):
        pass
    if response.status != 200:
        raise BenchError(f"{request.target} was answered {response.status}.")
    return first


@contextmanager
def _peak_memory(server: Server) -> Iterator[list[float]]:
    """Look every 10 ms how much memory a server has; the list holds the most of it."""
    peak, over = [server.memory()], threading.Event()

    def look() -> None:
        while not over.wait(0.01):
            peak[0] = max(peak[0], server.memory())

    with _thread(look, over):
        yield peak


@contextmanager
def _slow_queries(server: Server) -> Iterator[None]:
    """Have a connection of its own ask for a slow query, again and again.

    The first comes when the fast ones' connections are open: a server that takes one connection between two slow
    queries is measured by its answers.
    """
    request, over = slow(server.dialect, _steps(server)), threading.Event()

    def ask() -> None:
        with closing(server.connect()) as http:
            over.wait(HEAD_START)
            while not over.is_set():
                _read(http, request, bytearray(1024))

    with _thread(ask, over):
        yield


def _steps(server: Server) -> int:
    """Return how far this server counts in the time of a slow query: it is timed, since machines differ."""
    steps = 1_000_000
    with closing(server.connect()) as http:
        started = time.perf_counter()
        _read(http, slow(server.dialect, steps), bytearray(1024))
        return int(steps * SLOW / (time.perf_counter() - started))


@contextmanager
def _thread(target: Callable[[], None], over: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=target)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
