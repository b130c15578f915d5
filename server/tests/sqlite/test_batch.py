"""One transaction of many writes, and the log it leaves: the cases that a disk or a schema makes rare."""

import asyncio
import errno
import fcntl
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from wherry.errors import ApiError
from wherry.observe import CheckpointRun, Notice, Observation, UnexpectedError
from wherry.sqlite.batch import Batch
from wherry.sqlite.checkpoints import Checkpoints
from wherry.sqlite.connection import open_writer
from wherry.sqlite.database import Database
from wherry.sqlite.file import FileWatch
from wherry.sqlite.job import Job
from wherry.sqlite.slow import SlowStatements
from wherry.sqlite.turn import Turn
from wherry.statement import Step, WriteResult, WriteTransaction

from .conftest import write

pytestmark = pytest.mark.anyio

Jobs = Callable[..., Job]


@pytest.fixture
def connection(library: Path) -> Iterator[apsw.Connection]:
    connection = open_writer(library, busy_timeout=0.01)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    yield connection
    connection.close(True)


@pytest.fixture
def batch(connection: apsw.Connection, library: Path) -> Batch:
    is_replaced = FileWatch(library).is_replaced
    return Batch(connection, limit=10.0, budget=1.0, busy_timeout=0.01, slow=SlowStatements(), is_replaced=is_replaced)


@pytest.fixture
def job(connection: apsw.Connection) -> Jobs:
    """Make a job of one statement."""

    def make(sql: str, *values: Any, **expectations: Any) -> Job:
        made = write((Step(sql, [values], False),), connection.pragma("schema_version"), **expectations)
        return Job(made, asyncio.get_running_loop().create_future(), 0.0)

    return make


def outcomes(*jobs: Job) -> list[Any]:
    return [getattr(each.outcome, "code", each.outcome) for each in jobs]


async def test_a_full_disk_refuses_what_does_not_fit_only(
    batch: Batch, job: Jobs, connection: apsw.Connection, other: apsw.Connection
) -> None:
    pages = connection.pragma("page_count")
    connection.pragma("max_page_count", pages + 10)
    small, large, after = (job("INSERT INTO people (name) VALUES (zeroblob(?))", size) for size in (10, 10**6, 10))
    first = batch.run([small, large, after])
    assert outcomes(small, large) == [WriteResult(1, []), "53100"]
    assert (list(first.ran), list(first.rest)) == ([small, large], [after])
    batch.run(first.rest)
    assert outcomes(after) == [WriteResult(1, [])]
    assert other.execute("SELECT length(name) FROM people").fetchall() == [(10,), (10,)]


@pytest.mark.parametrize("on_loop", [False, True])
async def test_nothing_is_acknowledged_in_a_file_that_was_replaced_before_the_commit(
    batch: Batch, job: Jobs, library: Path, connection: apsw.Connection, on_loop: bool
) -> None:
    before, after = job("INSERT INTO people (name) VALUES (?)", "before"), job("DELETE FROM people")
    batch.run([before])
    library.rename(library.with_name("moved.db"))
    if on_loop:
        assert batch.run_now([after]) == ([after], deque())
        batch.commit([after])
    else:
        batch.run([after])
    assert outcomes(before, after) == [WriteResult(1, []), "58030"]
    assert str(after.outcome) == "the database file was replaced, moved or deleted while it is served"
    assert connection.execute("SELECT name FROM people").fetchall() == [("before",)]


async def test_jobs_that_were_given_up_are_skipped(batch: Batch, job: Jobs, other: apsw.Connection) -> None:
    given_up, kept = (job("INSERT INTO people (name) VALUES (?)", name) for name in ("given up", "kept"))
    assert (given_up.claim(), given_up.claim()) == (True, False)
    assert list(batch.run([given_up, kept]).ran) == [kept]
    assert other.execute("SELECT name FROM people").fetchall() == [("kept",)]


async def test_a_transaction_that_is_lost_and_cannot_begin_again_acknowledges_nothing(
    batch: Batch, job: Jobs, connection: apsw.Connection, other: apsw.Connection
) -> None:
    def lose(_: Any) -> None:
        """Stand for a foreign writer that is quicker after the transaction was lost."""
        connection.execute("ROLLBACK")
        other.execute("BEGIN IMMEDIATE")

    connection.create_scalar_function("lose", lose, 1)
    before = job("INSERT INTO people (name) VALUES ('before')")
    loser = job("INSERT INTO people (name) VALUES (lose(1))")
    zero = job("INSERT INTO numbers (n) VALUES (0)")
    connection.set_rollback_hook(lambda: other.execute("BEGIN IMMEDIATE") and None)
    run = batch.run([before, zero, loser])
    connection.set_rollback_hook(None)
    assert (outcomes(before, zero), run.observation.ok) == (["55P03", "P0001"], False)
    other.execute("COMMIT")
    assert other.execute("SELECT name FROM people").fetchall() == []
    batch.run(run.rest)


async def test_a_commit_that_fails_is_everybodys_error(
    batch: Batch, job: Jobs, connection: apsw.Connection, other: apsw.Connection
) -> None:
    fine, wrong = job("INSERT INTO people (name) VALUES ('a')"), job("INSERT INTO films (title) VALUES (NULL)")
    connection.set_commit_hook(lambda: True)
    run = batch.run([fine, wrong])
    connection.set_commit_hook(None)
    assert (outcomes(fine, wrong), run.observation.ok) == (["23000", "23502"], False)
    assert other.execute("SELECT count(*) FROM people").fetchall() == [(0,)]
    again = job("INSERT INTO people (name) VALUES ('b')")
    batch.run([again])
    assert outcomes(again) == [WriteResult(1, [])]


async def test_a_savepoint_that_cannot_be_undone_takes_the_transaction_but_no_other_write(
    batch: Batch, job: Jobs, connection: apsw.Connection, other: apsw.Connection
) -> None:
    before = job("INSERT INTO people (name) VALUES ('before')")
    twice = job("INSERT INTO films (title) VALUES ('M')", exactly=1)
    refused = []

    def refuse_once(operation: int, first: str | None, *_: str | None) -> int:
        if operation == apsw.SQLITE_SAVEPOINT and first == "ROLLBACK" and not refused:
            refused.append(first)
            return apsw.SQLITE_DENY
        return apsw.SQLITE_OK

    connection.authorizer = refuse_once
    batch.run([before, twice])
    connection.authorizer = None
    assert (outcomes(before, twice), refused) == ([WriteResult(1, []), "23505"], ["ROLLBACK"])
    assert other.execute("SELECT name FROM people").fetchall() == [("before",)]


async def test_a_schema_without_deferred_keys_lets_plain_statements_run_plainly(
    batch: Batch, job: Jobs, connection: apsw.Connection
) -> None:
    plain, guarded = job("INSERT INTO people DEFAULT VALUES"), job("INSERT INTO people DEFAULT VALUES", exactly=1)
    ran: list[str] = []
    connection.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: ran.append(event["sql"]))
    batch.run([plain, guarded])
    connection.trace_v2(0, None)
    assert [sql for sql in ran if sql.startswith(("SAVEPOINT", "RELEASE"))] == ["SAVEPOINT job", "RELEASE job"]


# ---- checkpoints ---------------------------------------------------------------------------------------------------


@pytest.fixture
def checkpoints(connection: apsw.Connection, sidecar: Path, told: list[Observation]) -> Checkpoints:
    return Checkpoints(connection, Turn(sidecar / "lock", told.append), busy_timeout=0.01, emit=told.append, pages=40)


def grow(connection: apsw.Connection, pages: int) -> None:
    connection.execute("UPDATE people SET name = zeroblob(?)", (pages * 4096,))


async def test_a_log_that_a_reader_holds_is_left_until_it_is_much_too_long(
    checkpoints: Checkpoints, connection: apsw.Connection, other: apsw.Connection, told: list[Observation]
) -> None:
    connection.execute("INSERT INTO people (name) VALUES ('x')")
    other.execute("BEGIN; SELECT * FROM people").fetchall()
    checkpoints.between_batches()
    assert told == []
    modes = []
    for pages in (50, 1, 480):
        grow(connection, pages)
        checkpoints.between_batches()
        modes.append([each.mode for each in told if isinstance(each, CheckpointRun)])
    assert modes == [["passive"], ["passive"], ["passive", "passive"]]  # to truncate it was tried in vain
    assert checkpoints.is_waiting()
    other.execute("COMMIT")
    grow(connection, 1)
    checkpoints.between_batches()
    assert len(told) == 2
    grow(connection, 400)
    checkpoints.between_batches()
    assert not checkpoints.is_waiting()
    grow(connection, 1)
    checkpoints.between_batches()
    assert len(told) == 3
    checkpoints.at_the_end()
    assert isinstance(told[-1], CheckpointRun)
    assert told[-1].mode == "truncate"


async def test_an_idle_checkpoint_leaves_readers_in_peace(
    checkpoints: Checkpoints, connection: apsw.Connection, other: apsw.Connection
) -> None:
    other.execute("BEGIN; SELECT * FROM people").fetchall()
    connection.execute("INSERT INTO people (name) VALUES ('x')")
    checkpoints.when_idle()
    assert checkpoints.is_waiting()
    other.execute("COMMIT")
    checkpoints.when_idle()
    assert not checkpoints.is_waiting()


async def test_a_file_that_is_not_in_wal_mode_has_nothing_to_checkpoint(
    checkpoints: Checkpoints, connection: apsw.Connection, told: list[Observation]
) -> None:
    connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    checkpoints.at_the_end()
    assert (told, checkpoints.is_waiting()) == ([], False)


# ---- the turn and the thread ---------------------------------------------------------------------------------------


async def test_a_file_system_without_locks_is_said_once(
    tmp_path: Path, told: list[Observation], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    turn = Turn(tmp_path / "lock", told.append)
    for _ in range(2):
        with turn:
            pass
    message = f"Processes that write at once wait longer: {tmp_path}/lock cannot be locked (No locks available)."
    assert told == [Notice(message, warning=True)]


async def test_a_lock_file_that_is_lost_costs_the_turn_and_no_write(
    database: Database, insert_film: Callable[..., WriteTransaction], told: list[Observation]
) -> None:
    assert database._writer is not None
    database._writer._turn._descriptor = 10**6  # no such descriptor
    assert await database.write(insert_film(("Ran", 1985))) == WriteResult(1, [])
    assert [each.warning for each in told if isinstance(each, Notice)] == [False, True]


class BrokenTurn(Turn):
    """A turn that breaks in a way that nobody foresaw."""

    def take_now(self) -> bool:
        raise RuntimeError("broken")


async def test_the_writing_thread_outlives_what_nobody_foresaw(
    database: Database, insert_film: Callable[..., WriteTransaction], told: list[Observation], sidecar: Path
) -> None:
    writer = database._writer
    assert writer is not None
    whole, writer._turn = writer._turn, BrokenTurn(sidecar / "lock", told.append)
    with pytest.raises(ApiError) as caught:
        await database.write(insert_film(("Ran", 1985)))
    assert (caught.value.status, caught.value.message) == (500, "the statement could not be run: RuntimeError")
    writer._turn = whole
    assert await database.write(insert_film(("Ran", 1985))) == WriteResult(1, [])
    assert len([each for each in told if isinstance(each, UnexpectedError)]) == 1
