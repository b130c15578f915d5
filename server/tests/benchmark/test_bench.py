"""The benchmark's data and requests: nothing is measured here, and no server is started."""

import re
import sqlite3
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
from bench.checks import RIGHT
from bench.dataset import FULL, SMALL, Counts, build
from bench.measure import Sample
from bench.report import Results, Start, as_markdown
from bench.requests import PERIOD, WORKLOADS, Dialect, requests_of, tokens
from bench.targets import HERE, TARGETS

TINY = Counts(authors=5, posts=20, comments=30, tags=4, products=6, orders=7)


def dumped(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_the_same_data_is_drawn_each_time(tmp_path: Path) -> None:
    for name in ("one.db", "two.db"):
        build(tmp_path / name, TINY)
    assert dumped(tmp_path / "one.db") == dumped(tmp_path / "two.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.db", "two.db"]


def test_the_data_has_the_rows_it_says_and_breaks_no_reference(tmp_path: Path) -> None:
    build(tmp_path / "tiny.db", TINY)
    with closing(sqlite3.connect(tmp_path / "tiny.db")) as connection:
        tables = ("authors", "posts", "comments", "tags", "products", "orders")
        assert Counts(*(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)) == TINY
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT n FROM numbers LIMIT 1 OFFSET 41").fetchone() == (42,)


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_is_whole_http_and_the_same_each_time(name: str, dialect: Dialect) -> None:
    first, again = ([r.words(tokens()[0]) for r in islice(requests_of(name, dialect, SMALL), 8)] for _ in range(2))
    assert first == again
    for words in first:
        head, _, body = words.partition(b"\r\n\r\n")
        assert re.match(rb"(GET|POST|PATCH) /[\x21-\x7e]* HTTP/1\.1\r\nHost: ", head)
        assert re.findall(rb"Content-Length: (\d+)", head) == ([b"%d" % len(body)] if body else [])


@pytest.mark.parametrize("name", WORKLOADS)
def test_both_servers_are_asked_about_the_same_rows(name: str) -> None:
    wherry, fastify = (list(islice(requests_of(name, dialect, FULL), 8)) for dialect in Dialect)
    assert [request.body for request in wherry] == [request.body for request in fastify]
    assert [request.method for request in wherry] == [request.method for request in fastify]
    if not WORKLOADS[name].mix:
        assert name in RIGHT


@pytest.mark.parametrize("dialect", Dialect)
def test_the_second_period_updates_the_same_rows_to_other_values(dialect: Dialect) -> None:
    requests = list(islice(requests_of("update", dialect, FULL), 2 * PERIOD))
    for first, again in zip(requests[:PERIOD], requests[PERIOD:], strict=True):
        assert first.target == again.target
        assert first.body != again.body


def test_the_tables_compare_with_the_first_server() -> None:
    results = Results(
        {"rounds": 3},
        {"fastify": Start(0.5, 40), "wherry": Start(0.25, 30)},
        {
            "point": {
                "fastify": [Sample(1000, 60, 1, 5), Sample(3000, 80, 3, 9), Sample(2000, 70, 2, 7)],
                "wherry": [Sample(4000, 35, 0.5, 3, errors=1), Sample(4000, 35, 0.5, 3), Sample(4000, 35, 0.5, 3)],
            },
            "slow_beside": {"fastify": [Sample(9, 900, 2, 2000)], "wherry": [Sample(9000, 90, 1, 12.34)]},
        },
    )
    assert as_markdown(results).splitlines() == [
        "rounds 3",
        "",
        "| requests/s (exports: rows/s) | fastify | wherry |",
        "| --- | --: | --: |",
        "| point | 2,000 | 4,000 (2.00x), 1 errors |",
        "",
        "| server CPU, µs per request (exports: per row) | fastify | wherry |",
        "| --- | --: | --: |",
        "| point | 70.0 | 35.0 (2.00x) |",
        "",
        "| p50 / p99, ms (exports: first byte / last byte, most memory) | fastify | wherry |",
        "| --- | --: | --: |",
        "| point | 2.00 / 7.0 | 0.50 / 3.0 |",
        "| slow_beside | 2.00 / 2000.0 | 1.00 / 12.3 |",
        "",
        "| server | first answer, s | memory at rest, MB |",
        "| --- | --: | --: |",
        "| fastify | 0.50 | 40 |",
        "| wherry | 0.25 | 30 |",
    ]


def test_the_page_names_every_workload_and_server() -> None:
    page = (HERE / "README.md").read_text(encoding="utf-8")
    assert [name for name in (*WORKLOADS, *TARGETS) if f"`{name}`" not in page] == []
