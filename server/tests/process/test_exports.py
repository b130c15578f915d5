"""Answers of tens of megabytes: whole, of one moment, with little memory, and in nobody's way."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.process.conftest import Serve, eventually
from tests.process.served import BASE, Served, make

ROWS, MEGABYTE = 40_000, 1 << 20
TEXT = "t" * 1000

SCHEMA = f"""
CREATE TABLE pages (id INTEGER PRIMARY KEY, text TEXT);
INSERT INTO pages WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
    SELECT i, replace(hex(zeroblob(500)), '0', 't') FROM n;
CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT);
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("exports") / "app.db", SCHEMA)


@pytest.fixture
def served(serve: Serve, made: Path) -> Served:
    """A server of 40 MB."""
    return serve(made)


def parts(served: Served, path: str) -> Iterator[bytes]:
    with served.client() as api, api.stream("GET", path) as answer:
        assert answer.status_code == 200
        yield from answer.iter_bytes()


def test_a_large_answer_is_whole_and_takes_little_memory(served: Served) -> None:
    assert b"".join(parts(served, "pages?id=lte.1500&select=id"))  # warm
    before, most = served.private_memory(), 0
    digest, size = sha256(), 0
    for part in parts(served, "pages?order=id"):
        digest.update(part)
        size += len(part)
        if size // MEGABYTE != (size - len(part)) // MEGABYTE:
            most = max(most, served.private_memory())

    expected = ",".join(f'{{"id":{n},"text":"{TEXT}"}}' for n in range(1, ROWS + 1)).encode()
    assert (size, digest.digest()) == (len(expected) + 2, sha256(b"[%b]" % expected).digest())
    assert (most - before) // MEGABYTE < 32


def test_a_large_table_as_csv_is_whole(served: Served) -> None:
    with served.client() as api:
        lines = api.get("pages?order=id.desc", headers={"accept": "text/csv"}).text.splitlines()
    assert (lines[0], len(lines)) == ("id,text", ROWS + 1)
    assert lines[1:] == [f"{n},{TEXT}" for n in range(ROWS, 0, -1)]


def test_who_reads_slowly_keeps_one_moment_and_holds_up_neither_writers_nor_memory(served: Served) -> None:
    with served.client() as api:
        api.delete("films")
        with served.connect() as slow:
            slow.sendall(served.request(f"{BASE}/pages?select=id,text,films:id&order=id"))
            beginning = slow.recv(1000)
            before = served.private_memory()

            for number in range(100):
                assert api.post("films", json={"id": number, "title": TEXT * 20}).status_code == 201
            assert api.patch(f"pages?id=eq.{ROWS}", json={"text": "changed"}).status_code == 204
            assert api.get(f"pages?id=eq.{ROWS}").json() == [{"id": ROWS, "text": "changed"}]
            assert (served.private_memory() - before) // MEGABYTE < 32

            whole = [beginning]
            while piece := slow.recv(1 << 20):
                whole.append(piece)
        assert api.patch(f"pages?id=eq.{ROWS}", json={"text": TEXT}).status_code == 204
    assert f'"text":"{TEXT}","films":{ROWS}}}]\r\n0\r\n\r\n'.encode() in b"".join(whole)[-2000:]


def test_who_leaves_in_the_middle_gives_the_reader_back(serve: Serve, made: Path) -> None:
    served = serve(made, WHERRY_READERS="1")
    for _ in range(5):
        with served.connect() as leaving:
            leaving.sendall(served.request(f"{BASE}/pages"))
            assert leaving.recv(1000).startswith(b"HTTP/1.1 200 OK")
    with served.client() as api:
        assert len(json.loads(api.get("pages?select=id,text&limit=2000").content)) == 2000
    eventually(lambda: [len(served.said(f"request {what}")) for what in ("aborted", "completed")] == [5, 1])
    assert served.end() == 0
