"""Slow statements: they hold up nobody, end with their client, and end with their time."""

from pathlib import Path

import pytest

from tests.process.conftest import Serve, eventually
from tests.process.served import BASE, make, rows

SCHEMA = """
CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT);
INSERT INTO films VALUES (1, 'M');
CREATE VIEW endless AS
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i > 0) SELECT max(i) AS last FROM n;
CREATE TABLE endlessly (id INTEGER PRIMARY KEY);
CREATE TRIGGER endlessly_insert AFTER INSERT ON endlessly BEGIN SELECT last FROM endless; END;
"""

TIMEOUT = {
    "code": "57014",
    "message": "the statement ran over its time limit and was stopped",
    "details": None,
    "hint": "Ask for fewer rows, filter by an indexed column, or raise the time limit of the server.",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with a query that does not end by itself."""
    return make(tmp_path / "app.db", SCHEMA)


def test_a_slow_query_holds_up_nobody_and_ends_with_its_client(serve: Serve, file: Path) -> None:
    served = serve(file)
    with served.connect() as slow, served.client() as api:
        slow.sendall(served.request(f"{BASE}/endless"))
        for number in range(200):
            assert api.get("films?id=eq.1").json() == [{"id": 1, "title": "M"}]
            if number % 20 == 0:
                assert api.post("films", json={"title": f"{number}"}).status_code == 201
        assert api.get("films?select=count()").json() == [{"count": 11}]
        assert served.said("statement interrupted") == []

    eventually(lambda: served.metric("wherry_statements_interrupted_total") == 1)
    eventually(lambda: served.said("request aborted"))
    (aborted,) = served.said("request aborted")
    assert (aborted["req"]["url"], aborted["res"]["statusCode"]) == (f"{BASE}/endless", 499)
    (interrupted,) = served.said("statement interrupted")
    assert interrupted["msg"] == "statement interrupted: its client went away"


def test_more_slow_queries_than_readers_leave_the_fast_ones_alone(serve: Serve, file: Path) -> None:
    served = serve(file, WHERRY_READERS="2")
    slow = [served.connect() for _ in range(6)]
    with served.client() as api:
        for connection in slow:
            connection.sendall(served.request(f"{BASE}/endless"))
        assert [api.get("films?id=eq.1").status_code for _ in range(50)] == [200] * 50
        for connection in slow:
            connection.close()
        eventually(lambda: len(served.said("request aborted")) == 6)
        assert api.get("films?select=title").json() == [{"title": "M"}]
    assert served.end() == 0


def test_a_statement_over_its_time_is_given_up(serve: Serve, file: Path) -> None:
    served = serve(file, WHERRY_STATEMENT_TIMEOUT="0.2")
    with served.client() as api:
        read, write = api.get("endless"), api.post("endlessly", json={"id": 1})
        assert (read.status_code, read.json()) == (504, TIMEOUT)
        assert (write.status_code, write.json()) == (504, TIMEOUT)
        assert api.get("films").json() == [{"id": 1, "title": "M"}]
        assert api.post("films", json={"title": "Playtime"}).status_code == 201
    assert rows(file, "SELECT * FROM endlessly") == []
