"""`kill -9` under concurrent writes: no acknowledged write is lost, none is there by half.

`WHERRY_KILLS=20` kills each server twenty times instead of once.
"""

import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from tests.process.conftest import Serve, eventually
from tests.process.served import Served, make, rows, runs

ROUNDS = int(os.environ.get("WHERRY_KILLS", "1"))
BULK = (3, 60, 2500)  # the largest is committed alone
WRITERS = 2  # of each kind

SCHEMA = f"""
CREATE TABLE singles (writer INTEGER, n INTEGER, PRIMARY KEY (writer, n));
CREATE TABLE bulks (writer INTEGER, n INTEGER, position INTEGER, size INTEGER, PRIMARY KEY (writer, n, position));
CREATE TABLE upserts (writer INTEGER PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE updates (writer INTEGER PRIMARY KEY, n INTEGER NOT NULL, twin INTEGER NOT NULL);
INSERT INTO updates SELECT value, 0, 0 FROM json_each('{list(range(WRITERS))}');
"""

Write = Callable[[httpx.Client, int, int], httpx.Response]


def single(api: httpx.Client, writer: int, n: int) -> httpx.Response:
    return api.post("singles", json={"writer": writer, "n": n})


def bulk(api: httpx.Client, writer: int, n: int) -> httpx.Response:
    size = BULK[n % len(BULK)]
    return api.post("bulks", json=[{"writer": writer, "n": n, "position": p, "size": size} for p in range(size)])


def upsert(api: httpx.Client, writer: int, n: int) -> httpx.Response:
    return api.post("upserts", json=[{"writer": writer, "n": n}], headers={"prefer": "resolution=merge-duplicates"})


def update(api: httpx.Client, writer: int, n: int) -> httpx.Response:
    headers = {"prefer": "return=representation"}
    answer = api.patch(f"updates?writer=eq.{writer}", json={"n": n, "twin": n}, headers=headers)
    assert answer.status_code != 200 or answer.json() == [{"writer": writer, "n": n, "twin": n}]
    return answer


KINDS: tuple[Write, ...] = (single, bulk, upsert, update)


class Writer(Thread):
    """Writes numbered requests of one kind until told to stop, and keeps what was sent and what was acknowledged."""

    def __init__(self, served: Served, write: Write, number: int, first: int) -> None:
        super().__init__(daemon=True)
        self.served, self.write, self.number, self.first = served, write, number, first
        self.sent = first - 1
        self.acknowledged: list[int] = []
        self.refused: list[str] = []
        self.stopped = Event()

    def run(self) -> None:
        with self.served.client() as api:
            while not self.stopped.is_set():
                self.sent += 1
                try:
                    answer = self.write(api, self.number, self.sent)
                except httpx.TransportError:
                    self.stopped.wait(0.01)  # it may be dead already
                    continue
                if answer.is_success:
                    self.acknowledged.append(self.sent)
                else:
                    self.refused.append(answer.text)


@contextmanager
def writing(served: Served, first: int) -> Iterator[list[Writer]]:
    """Let writers of all kinds write."""
    writers = [Writer(served, kind, number, first) for kind in KINDS for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        yield writers
    finally:
        for writer in writers:
            writer.stopped.set()
        for writer in writers:
            writer.join()


def check(database: Path, writers: list[Writer]) -> None:
    """Compare the file with what the writers know."""
    assert rows(database, "PRAGMA integrity_check") == [("ok",)]
    halves = "SELECT writer, n, count(*), max(size) FROM bulks GROUP BY writer, n HAVING count(*) <> max(size)"
    assert rows(database, halves) == []
    assert rows(database, "SELECT * FROM updates WHERE n <> twin") == []
    for writer in writers:
        assert writer.refused == []
        table, where = f"{writer.write.__name__}s", f"writer = {writer.number} AND n >= {writer.first}"
        kept = [n for (n,) in rows(database, f"SELECT DISTINCT n FROM {table} WHERE {where} ORDER BY n")]
        if writer.write in (single, bulk):
            assert set(writer.acknowledged) <= set(kept) <= set(range(writer.first, writer.sent + 1))
        elif writer.acknowledged:
            assert len(kept) == 1
            assert writer.acknowledged[-1] <= kept[0] <= writer.sent


def kill_main(served: Served) -> None:
    """Kill the main process alone; its workers answer what is in flight, and end."""
    served.process.kill()
    eventually(lambda: not any(map(runs, served.workers)))


def kill_a_worker(served: Served) -> None:
    os.kill(served.workers[-1], signal.SIGKILL)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kill", [Served.kill, kill_main, kill_a_worker])
def test_a_kill_loses_no_acknowledged_write_and_halves_none(
    serve: Serve, tmp_path: Path, workers: int, kill: Callable[[Served], None]
) -> None:
    database = make(tmp_path / "app.db", SCHEMA)
    first = 1
    for _ in range(ROUNDS):
        served = serve(database, workers=workers)
        with writing(served, first) as writers:
            eventually(lambda: all(writer.acknowledged for writer in writers))
            Event().wait(random.uniform(0, 0.3))  # the moment is the chance that this test takes
            kill(served)
        served.kill()
        again = serve(database)
        with again.client() as api:
            assert api.post("singles", json={"writer": -1, "n": first}).status_code == 201
        assert again.end() == 0
        check(database, writers)
        first = max(writer.sent for writer in writers) + 1


def test_a_worker_that_is_killed_is_replaced_and_the_others_go_on(serve: Serve, tmp_path: Path) -> None:
    database = make(tmp_path / "app.db", SCHEMA)
    served = serve(database, workers=2)
    with writing(served, 1) as writers:
        eventually(lambda: all(writer.acknowledged for writer in writers))
        kill_a_worker(served)
        eventually(lambda: len(served.said("serving ")) == 3)
        before = [len(writer.acknowledged) for writer in writers]
        eventually(lambda: all(len(writer.acknowledged) > n for writer, n in zip(writers, before, strict=True)))
    assert served.end() == 0
    check(database, writers)
