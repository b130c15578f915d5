"""A batch gives what the same writes give one after another, whatever is in it."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.errors import DatabaseError, WriteUndone
from wherry.sqlite.batch import Batch
from wherry.sqlite.job import Job
from wherry.sqlite.refusals import refusal
from wherry.sqlite.slow import SlowStatements
from wherry.statement import Expectations, SQLiteValue, Step, WriteResult, WriteTransaction

SCHEMA = """
    PRAGMA foreign_keys = ON;
    CREATE TABLE t (k INTEGER UNIQUE, v INTEGER CHECK (v < 5));
    CREATE TRIGGER lose BEFORE INSERT ON t WHEN new.v = 4 BEGIN SELECT RAISE(ROLLBACK, 'lost'); END;
    CREATE TABLE log (k INTEGER);
    CREATE TRIGGER note AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.k); END;
"""

FRAGILE = """
    CREATE TABLE child (t INTEGER REFERENCES t (k) DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE half (k INTEGER UNIQUE ON CONFLICT FAIL);
"""

keys = st.integers(0, 4)
rows = st.lists(st.tuples(keys, st.integers(0, 6)), min_size=1, max_size=3)

plain_steps = st.one_of(
    st.builds(lambda r: Step("INSERT INTO t VALUES (?, ?)", r, False), rows),
    st.builds(lambda r: Step("INSERT INTO t VALUES (?, ?) RETURNING v < 3, k", r, True), rows),
    st.builds(
        lambda r: Step("INSERT INTO t VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v", r, False), rows
    ),
    st.builds(lambda k: Step("UPDATE t SET v = v + 1 WHERE k >= ?", [(k,)], False), keys),
    st.builds(lambda k: Step("DELETE FROM t WHERE k = ? RETURNING 1, k, v", [(k,)], True), keys),
)
fragile_steps = st.one_of(
    plain_steps,
    st.builds(lambda k: Step("INSERT INTO child VALUES (?)", [(k,)], False), keys),
    st.builds(lambda k: Step("INSERT INTO half SELECT k % ? FROM t", [(k + 1,)], False), keys),
)


def writes(steps: st.SearchStrategy[Step]) -> st.SearchStrategy[list[WriteTransaction]]:
    expects = st.builds(
        Expectations,
        max_affected=st.none() | st.integers(0, 3),
        exactly=st.none() | st.just(1),
        every_row=st.just(False),
        rollback=st.booleans(),
    )
    several = st.lists(steps, min_size=1, max_size=2).map(tuple)
    write = st.builds(WriteTransaction, several, st.just(0), expects, st.just(False))
    plain = st.builds(lambda step: WriteTransaction((step,), 0), steps)
    return st.lists(plain | write, max_size=12)


def one_after_another(connection: apsw.Connection, write: WriteTransaction) -> Any:
    """Run a write in a transaction of its own, as plainly as can be."""
    affected, returned = 0, list[tuple[SQLiteValue, ...]]()
    connection.execute("BEGIN")
    try:
        for step in write.steps:
            before = affected
            for row in step.rows:
                rows = connection.execute(step.sql, row).fetchall()
                affected += len(rows) if step.returning else connection.changes()
                returned += rows
            if step.returning and any(row[0] != 1 for row in returned[before - affected :]):
                raise PermissionError
        if write.expects.max_affected is not None and affected > write.expects.max_affected:
            raise PermissionError
        if write.expects.exactly is not None and affected != write.expects.exactly:
            raise PermissionError
        connection.execute("ROLLBACK" if write.expects.rollback and not violated(connection) else "COMMIT")
    except Exception as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return "undone" if isinstance(error, PermissionError) else code(refusal(error))
    return WriteResult(affected, returned)


def violated(connection: apsw.Connection) -> bool:
    return bool(connection.status(apsw.SQLITE_DBSTATUS_DEFERRED_FKS)[0])


def code(outcome: Any) -> Any:
    if isinstance(outcome, WriteUndone):
        return "undone"
    return outcome.code if isinstance(outcome, DatabaseError) else outcome


def content(connection: apsw.Connection, tables: tuple[str, ...]) -> list[list[tuple[SQLiteValue, ...]]]:
    return [connection.execute(f"SELECT * FROM {table} ORDER BY 1, rowid").fetchall() for table in tables]


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    with closing(asyncio.new_event_loop()) as loop:
        yield loop


def require_equal(
    loop: asyncio.AbstractEventLoop, schema: str, tables: tuple[str, ...], batch: list[WriteTransaction]
) -> None:
    together, apart = apsw.Connection(":memory:"), apsw.Connection(":memory:")
    for connection in (together, apart):
        connection.execute(schema)
    version = together.pragma("schema_version")
    jobs = [Job(each._replace(schema_version=version), loop.create_future(), 0.0) for each in batch]
    runner = Batch(together, limit=10, budget=10, busy_timeout=0, slow=SlowStatements(), is_replaced=lambda: False)
    rest = list(jobs)
    while rest:
        rest = list(runner.run(rest).rest)
    assert [code(job.outcome) for job in jobs] == [one_after_another(apart, each) for each in batch]
    assert content(together, tables) == content(apart, tables)


@given(writes(plain_steps))
def test_a_batch_gives_what_its_writes_give_one_after_another(
    loop: asyncio.AbstractEventLoop, batch: list[WriteTransaction]
) -> None:
    require_equal(loop, SCHEMA, ("t", "log"), batch)


@given(writes(fragile_steps))
def test_so_it_does_where_keys_are_deferred_and_conflicts_fail_halfway(
    loop: asyncio.AbstractEventLoop, batch: list[WriteTransaction]
) -> None:
    require_equal(loop, SCHEMA + FRAGILE, ("t", "log", "child", "half"), batch)
