"""SIGTERM to a server that serves a database: what is in flight is answered whole, then the log goes into the file."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from select import select
from threading import Event

import httpx
import pytest

from tests.process.conftest import Serve, eventually, received
from tests.process.served import BASE, Served, make, rows

#: `slow` and an insert into `slowly` take a while, longer than the server needs to hear its signal.
SCHEMA = """
CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT);
CREATE VIEW slow AS
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000000) SELECT max(i) AS last FROM n;
CREATE TABLE slowly (id INTEGER PRIMARY KEY, last INTEGER);
CREATE TRIGGER slowly_insert AFTER INSERT ON slowly BEGIN UPDATE slowly SET last = (SELECT last FROM slow); END;
CREATE TABLE pages (id INTEGER PRIMARY KEY, text TEXT);
INSERT INTO pages
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    SELECT i, printf('%.*c', 1000, 'x') FROM n;
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with slow things in it."""
    return make(tmp_path / "app.db", SCHEMA)


def chunks(body: bytes) -> bytes:
    """Return the content of a chunked body, which has to be whole."""
    content = []
    while True:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            assert body == b"\r\n"
            return b"".join(content)
        assert body[length : length + 2] == b"\r\n"
        content.append(body[:length])
        body = body[length + 2 :]


def test_what_is_in_flight_is_answered_whole_and_the_log_is_emptied(serve: Serve, file: Path) -> None:
    served = serve(file, WHERRY_SHUTDOWN_GRACE="20")
    with served.connect() as read, served.connect() as write, served.connect() as export:
        export.sendall(served.request(f"{BASE}/pages"))
        beginning = export.recv(1000)
        read.sendall(served.request(f"{BASE}/slow"))
        headers = "prefer: return=representation\r\ncontent-type: application/json\r\ncontent-length: 8\r\n"
        write.sendall(served.request(f"{BASE}/slowly", method="POST", headers=headers, body=b'{"id":1}'))
        eventually(lambda: served.metric("wherry_reads_total") == 2)  # both in a thread of their own

        served.process.terminate()
        eventually(lambda: not _takes_connections(served))
        assert select([read, write], [], [], 0) == ([], [], [])

        assert received(read).partition(b"\r\n\r\n")[2] == b'[{"last":6000000}]'
        assert received(write).partition(b"\r\n\r\n")[2] == b'[{"id":1,"last":null}]'
        _, _, exported = (beginning + received(export)).partition(b"\r\n\r\n")
    expected = b",".join(b'{"id":%d,"text":"%b"}' % (n, b"x" * 1000) for n in range(1, 20001))
    assert chunks(exported) == b"[" + expected + b"]"
    assert served.process.wait(timeout=20) == 0
    assert rows(file, "SELECT * FROM slowly") == [(1, 6000000)]
    assert not file.with_name("app.db-wal").exists()


def _takes_connections(served: Served) -> bool:
    try:
        served.connect().close()
    except ConnectionError:
        return False
    return True


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_under_load_ends_without_losing_or_cutting_anything(serve: Serve, file: Path, workers: int) -> None:
    served = serve(file, workers=workers)
    under_way = Event()
    cut: list[bool] = []

    def write(writer: int) -> list[int]:
        """Write until the server is gone, and return what was acknowledged."""
        acknowledged: list[int] = []
        with served.client() as api:
            for number in range(writer * 1_000_000 + 1, (writer + 1) * 1_000_000):
                headers = {"prefer": "return=representation"}
                try:
                    answer = api.post("films", json={"id": number, "title": "M" * 5000}, headers=headers)
                except httpx.TransportError as error:
                    cut.append("incomplete" in str(error))  # else an idle connection was closed: nothing was read
                    return acknowledged
                assert (answer.status_code, answer.json()) == (201, [{"id": number, "title": "M" * 5000}])
                acknowledged.append(number)
                if len(acknowledged) == 10:
                    under_way.set()
        raise AssertionError("the server did not end")

    with ThreadPoolExecutor(6) as pool:
        writers = [pool.submit(write, number) for number in range(6)]
        assert under_way.wait(20)
        assert served.end() == 0
        acknowledged = {number for writer in writers for number in writer.result()}

    assert cut == [False] * 6
    assert acknowledged <= {number for (number,) in rows(file, "SELECT id FROM films")}
    assert rows(file, "PRAGMA integrity_check") == [("ok",)]
    assert not file.with_name("app.db-wal").exists()
