"""Writes: each atomic by itself, many in one durable commit."""

import asyncio
import contextlib
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from wherry.errors import (
    ApiError,
    ConstraintError,
    DatabaseBusy,
    DatabaseError,
    SchemaChanged,
    StatementTimeout,
    UndoReason,
    WriteUndone,
)
from wherry.observe import CheckpointRun, Notice, Observation, TransactionRun
from wherry.sqlite.database import Database
from wherry.sqlite.writer import WAITING_WRITES
from wherry.statement import Step, WriteResult, WriteTransaction

pytestmark = pytest.mark.anyio

Insert = Callable[..., WriteTransaction]
Rows = Callable[[str], list[tuple[Any, ...]]]
Outcome = Callable[[Awaitable[Any]], Awaitable[Any]]
Hold = Callable[[], contextlib.AbstractContextManager[None]]


async def together(database: Database, hold_turn: Hold, outcome: Outcome, *writes: WriteTransaction) -> list[Any]:
    """Run writes in one batch: they queue behind a first one, which waits for the turn."""
    with hold_turn():
        tasks = [asyncio.create_task(outcome(database.write(write))) for write in writes]
        while database.queue_length < len(writes):
            await asyncio.sleep(0)
    return await asyncio.gather(*tasks)


def batches(told: list[Observation]) -> list[int]:
    return [observation.jobs for observation in told if isinstance(observation, TransactionRun)]


# ---- one write -----------------------------------------------------------------------------------------------------


async def test_a_write_is_in_the_file_when_it_is_answered(
    database: Database, insert_film: Insert, rows_of: Rows
) -> None:
    assert await database.write(insert_film(("Ran", 1985))) == WriteResult(1, [])
    assert rows_of("SELECT id, title, year FROM films WHERE id > 4") == [(5, "Ran", 1985)]


async def test_many_rows_are_counted_one_by_one(database: Database, insert_film: Insert, write_of: Insert) -> None:
    assert await database.write(insert_film(("Ran", 1985), ("Ikiru", 1952), ("Dodesukaden", 1970))) == WriteResult(
        3, []
    )
    assert await database.write(write_of("UPDATE films SET year = year + ? WHERE year < ?", (1, 1940), (1, 1960))) == (
        WriteResult(5, [])
    )
    assert await database.write(write_of("DELETE FROM films")) == WriteResult(7, [])


async def test_returned_rows_come_in_order(database: Database, insert_film: Insert) -> None:
    assert await database.write(insert_film(("Ran", 1985), returning="1, id")) == WriteResult(1, [(1, 5)])
    assert await database.write(insert_film(("A", 1985), ("B", 1986), returning="1, id")) == WriteResult(
        2, [(1, 6), (1, 7)]
    )


async def test_no_rows_do_nothing(database: Database, insert_film: Insert) -> None:
    assert await database.write(insert_film()) == WriteResult(0, [])


async def test_steps_happen_together_or_not_at_all(database: Database, rows_of: Rows) -> None:
    steps = (
        Step("DELETE FROM films", [()], False),
        Step("INSERT INTO films (title, year) VALUES (?, ?)", [("Ran", 1985), ("Ran", 1986)], False),
    )
    with pytest.raises(ConstraintError) as caught:
        await database.write(WriteTransaction(steps, database.schema_version()))
    assert (caught.value.code, caught.value.status, caught.value.subject) == ("23505", 409, "films.title")
    assert rows_of("SELECT count(*) FROM films") == [(4,)]


@pytest.mark.parametrize(
    ("returning", "expectations", "reason", "affected"),
    [
        ("year < 1960", {}, UndoReason.FORBIDDEN, 2),
        ("year < 1990", {"max_affected": 1}, UndoReason.TOO_MANY, 2),
        ("year < 1990", {"exactly": 1}, UndoReason.NOT_EXACTLY, 2),
    ],
)
async def test_a_write_that_breaks_an_expectation_is_undone(
    database: Database,
    insert_film: Insert,
    rows_of: Rows,
    returning: str,
    expectations: dict[str, Any],
    reason: UndoReason,
    affected: int,
) -> None:
    with pytest.raises(WriteUndone) as caught:
        await database.write(insert_film(("Ikiru", 1952), ("Ran", 1985), returning=returning, **expectations))
    assert (caught.value.reason, caught.value.affected) == (reason, affected)
    assert rows_of("SELECT count(*) FROM films") == [(4,)]


async def test_a_write_that_keeps_its_expectations_happens(database: Database, insert_film: Insert) -> None:
    write = insert_film(("Ran", 1985), returning="1", max_affected=1, exactly=1, every_row=True)
    assert await database.write(write) == WriteResult(1, [(1,)])


async def test_a_row_that_an_upsert_skips_undoes_it_where_every_row_is_wanted(
    database: Database, write_of: Insert, rows_of: Rows
) -> None:
    sql = "INSERT INTO films (title, year) VALUES (?, ?) ON CONFLICT (title) DO UPDATE SET year = 1 WHERE 0 RETURNING 1"
    with pytest.raises(WriteUndone) as caught:
        await database.write(write_of(sql, ("Ran", 1985), ("M", 1931), returning=True, every_row=True))
    assert (caught.value.reason, caught.value.affected) == (UndoReason.FORBIDDEN, 1)
    assert rows_of("SELECT count(*) FROM films") == [(4,)]


async def test_an_upsert_tells_whether_it_inserted(database: Database, write_of: Insert) -> None:
    sql = "INSERT INTO films (title, year) VALUES (?, ?) ON CONFLICT (title) DO UPDATE SET year = excluded.year"
    assert await database.write(write_of(sql, ("M", 1932), upsert=True)) == WriteResult(1, [], inserted=False)
    assert await database.write(write_of(sql, ("M", 1933), ("Ran", 1985), upsert=True)) == WriteResult(
        2, [], inserted=True
    )


async def test_a_write_may_be_tried_and_undone(database: Database, insert_film: Insert, rows_of: Rows) -> None:
    write = insert_film(("Ran", 1985), returning="1, title", rollback=True)
    assert await database.write(write) == WriteResult(1, [(1, "Ran")])
    assert rows_of("SELECT count(*) FROM films") == [(4,)]


async def test_a_write_planned_with_another_schema_does_not_happen(
    database: Database, insert_film: Insert, rows_of: Rows, other: apsw.Connection
) -> None:
    other.execute("ALTER TABLE films ADD COLUMN seen")
    with pytest.raises(SchemaChanged):
        await database.write(insert_film(("Ran", 1985)))
    assert rows_of("SELECT count(*) FROM films") == [(4,)]


async def test_a_statement_of_no_type_is_an_error_and_the_writer_lives_on(
    database: Database, insert_film: Insert, write_of: Insert
) -> None:
    with pytest.raises(ApiError) as caught:
        await database.write(write_of(None))
    assert (caught.value.status, caught.value.message) == (500, "the statement could not be run: TypeError")
    assert await database.write(insert_film(("Ran", 1985))) == WriteResult(1, [])


# ---- many writes in one commit -------------------------------------------------------------------------------------


async def test_writes_that_wait_share_a_commit_and_each_has_its_own_outcome(
    database: Database, insert_film: Insert, rows_of: Rows, hold_turn: Hold, outcome: Outcome, told: list[Observation]
) -> None:
    writes = [insert_film((f"film {number // 2}", 1900)) for number in range(40)]
    outcomes = await together(database, hold_turn, outcome, *writes)
    assert [type(each) for each in outcomes] == [WriteResult, ConstraintError] * 20
    assert rows_of("SELECT count(*), count(DISTINCT title) FROM films") == [(24, 24)]
    assert batches(told) in ([40], [1, 39])


async def test_writes_that_come_turn_by_turn_share_a_commit(
    database: Database, insert_film: Insert, told: list[Observation]
) -> None:
    futures = []
    for year in range(1950, 1960):
        futures.append(asyncio.ensure_future(database.write(insert_film((f"of {year}", year)))))
        await asyncio.sleep(0)  # one turn of the loop
    await asyncio.gather(*futures)
    assert batches(told) == [10]


async def test_a_write_does_not_wait_for_ever_for_others_to_come(database: Database, insert_film: Insert) -> None:
    first = asyncio.ensure_future(database.write(insert_film(("Ran", 1985))))
    futures = []
    while not first.done():
        futures.append(asyncio.ensure_future(database.write(insert_film((f"number {len(futures)}", 1985)))))
        await asyncio.sleep(0)
    assert await first == WriteResult(1, [])
    await asyncio.gather(*futures)


async def test_a_write_that_undoes_the_whole_transaction_takes_no_other_with_it(
    database: Database, insert_film: Insert, write_of: Insert, rows_of: Rows, hold_turn: Hold, outcome: Outcome
) -> None:
    zero = write_of("INSERT INTO numbers (n) VALUES (0)")
    writes = [
        insert_film(("before", 1900)),
        insert_film(("M", 1931)),
        insert_film(("guarded", 1900), returning="1"),
        zero,
        insert_film(("between", 1900)),
        zero,
        insert_film(("after", 1900)),
    ]
    outcomes = await together(database, hold_turn, outcome, *writes)
    assert [getattr(each, "code", each) for each in outcomes] == [
        WriteResult(1, []),
        "23505",
        WriteResult(1, [(1,)]),
        "P0001",
        WriteResult(1, []),
        "P0001",
        WriteResult(1, []),
    ]
    assert rows_of("SELECT title FROM films WHERE year = 1900 ORDER BY title") == [
        ("after",),
        ("before",),
        ("between",),
        ("guarded",),
    ]


async def test_a_write_over_its_time_limit_is_stopped_and_the_others_happen(
    open_database: Callable[..., Database], insert_film: Insert, hold_turn: Hold, outcome: Outcome, rows_of: Rows
) -> None:
    database = open_database(statement_timeout=0.1)
    endless = "WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT i, NULL FROM r WHERE i < 0"
    writes = [
        insert_film(("before", 1900)),
        WriteTransaction((Step(f"INSERT INTO numbers {endless}", [()], False),), database.schema_version()),
        insert_film(("after", 1900)),
    ]
    before, stopped, after = await together(database, hold_turn, outcome, *writes)
    assert (before, type(stopped), after) == (WriteResult(1, []), StatementTimeout, WriteResult(1, []))
    assert rows_of("SELECT count(*) FROM films") == [(6,)]


async def test_a_deferred_foreign_key_refuses_its_own_write_only(
    database: Database, write_of: Insert, hold_turn: Hold, outcome: Outcome, rows_of: Rows, other: apsw.Connection
) -> None:
    other.execute("CREATE TABLE roles (film INTEGER REFERENCES films (id) DEFERRABLE INITIALLY DEFERRED)")
    insert = "INSERT INTO roles (film) VALUES (?)"
    outcomes = await together(
        database, hold_turn, outcome, write_of(insert, (1,)), write_of(insert, (99,)), write_of(insert, (2,))
    )
    assert [getattr(each, "code", each) for each in outcomes] == [WriteResult(1, []), "23503", WriteResult(1, [])]
    assert rows_of("SELECT film FROM roles") == [(1,), (2,)]


async def test_a_statement_that_fails_halfway_leaves_nothing_behind(
    database: Database, write_of: Insert, rows_of: Rows, other: apsw.Connection
) -> None:
    other.execute("CREATE TABLE keys (key UNIQUE ON CONFLICT FAIL)")
    with pytest.raises(ConstraintError):
        await database.write(write_of("INSERT INTO keys SELECT id % 3 FROM films"))
    assert rows_of("SELECT * FROM keys") == []


async def test_large_writes_take_turns_with_small_ones(
    database: Database,
    insert_film: Insert,
    write_of: Insert,
    hold_turn: Hold,
    outcome: Outcome,
    told: list[Observation],
) -> None:
    large = [
        write_of("INSERT INTO numbers (n) VALUES (?)", *[(n,) for n in range(start, start + 100)])
        for start in (30_000, 40_000, 50_000)
    ]
    small = [insert_film((f"film {number}", 1900)) for number in range(5)]
    order: list[str] = []

    async def noted(write: WriteTransaction, name: str) -> None:
        await database.write(write)
        order.append(name)

    with hold_turn():
        tasks = [asyncio.create_task(noted(write, "large")) for write in large]
        while database.queue_length < 2:
            await asyncio.sleep(0)
        tasks += [asyncio.create_task(noted(write, "small")) for write in small]
        while database.queue_length < 7:
            await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert order in (["large", *["small"] * 5, "large", "large"], ["large", "large", *["small"] * 5, "large"])
    assert sorted(batches(told)) == [1, 1, 1, 5]


async def test_a_long_batch_is_committed_in_parts(
    database: Database, write_of: Insert, hold_turn: Hold, outcome: Outcome, told: list[Observation]
) -> None:
    slow = (
        "INSERT INTO people (name) WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r LIMIT 500000) "
        "SELECT count(*) FROM r"
    )
    outcomes = await together(database, hold_turn, outcome, *[write_of(slow)] * 5)
    assert outcomes == [WriteResult(1, [])] * 5
    assert len(batches(told)) > 1
    assert sum(batches(told)) == 5


# ---- waiting -------------------------------------------------------------------------------------------------------


async def test_a_write_that_is_cancelled_before_it_is_begun_never_happens(
    database: Database, insert_film: Insert, hold_turn: Hold, rows_of: Rows
) -> None:
    with hold_turn():
        first = asyncio.ensure_future(database.write(insert_film(("Ran", 1985))))
        second = asyncio.ensure_future(database.write(insert_film(("Ikiru", 1952))))
        while database.queue_length < 1:
            await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
    assert await first == WriteResult(1, [])
    assert rows_of("SELECT title FROM films WHERE id > 4") == [("Ran",)]


async def test_a_write_that_waits_too_long_for_its_turn_never_happens(
    open_database: Callable[..., Database], insert_film: Insert, hold_turn: Hold, rows_of: Rows
) -> None:
    database = open_database(busy_timeout=0.05)
    with hold_turn(), pytest.raises(DatabaseBusy) as caught:
        await asyncio.gather(
            *[asyncio.ensure_future(database.write(insert_film((title, 1985)))) for title in ("Ran", "Ikiru")]
        )
    assert dict(caught.value.headers) == {"retry-after": "1"}
    assert await database.write(insert_film(("Dodesukaden", 1970))) == WriteResult(1, [])
    assert rows_of("SELECT title FROM films WHERE id > 4") == [("Dodesukaden",)]


async def test_a_foreign_writer_that_holds_the_file_makes_it_busy_until_it_lets_go(
    open_database: Callable[..., Database],
    insert_film: Insert,
    outcome: Outcome,
    other: apsw.Connection,
    rows_of: Rows,
    told: list[Observation],
) -> None:
    database = open_database(busy_timeout=0.05)
    other.execute("BEGIN IMMEDIATE; INSERT INTO films (title) VALUES ('foreign')")
    outcomes = await asyncio.gather(*[outcome(database.write(insert_film((str(n), 1985)))) for n in range(3)])
    assert [type(each) for each in outcomes] == [DatabaseBusy] * 3
    other.execute("COMMIT")
    assert await database.write(insert_film(("Ran", 1985))) == WriteResult(1, [])
    assert rows_of("SELECT title FROM films WHERE id > 4") == [("foreign",), ("Ran",)]
    assert [each.ok for each in told if isinstance(each, TransactionRun)][-1]


async def test_a_commit_that_fails_acknowledges_nothing(
    open_database: Callable[..., Database], insert_film: Insert, other: apsw.Connection, rows_of: Rows
) -> None:
    database = open_database(busy_timeout=0.05, wal=False)
    other.execute("BEGIN; SELECT * FROM films").fetchall()  # outside WAL mode a reader keeps a commit out
    with pytest.raises(DatabaseBusy):
        await database.write(insert_film(("Ran", 1985)))
    other.execute("COMMIT")
    assert rows_of("SELECT count(*) FROM films") == [(4,)]
    assert await database.write(insert_film(("Ran", 1985))) == WriteResult(1, [])


async def test_more_waiting_writes_than_can_wait_are_refused(
    database: Database, insert_film: Insert, hold_turn: Hold, outcome: Outcome
) -> None:
    async def write(number: int) -> WriteResult:
        return await database.write(insert_film((f"film {number}", 1900)))

    with hold_turn():
        tasks = [asyncio.create_task(outcome(write(n))) for n in range(2 * WAITING_WRITES)]
        while not any(task.done() for task in tasks):
            await asyncio.sleep(0)
    outcomes = await asyncio.gather(*tasks)
    refused = [each for each in outcomes if each != WriteResult(1, [])]
    assert {type(each) for each in refused} == {DatabaseBusy}
    assert 0 < len(refused) <= WAITING_WRITES


# ---- the sidecar, the log and the end ------------------------------------------------------------------------------


async def test_the_sidecar_is_made_with_the_first_write_and_for_nobody_else(
    database: Database, insert_film: Insert, sidecar: Path
) -> None:
    assert not sidecar.exists()
    await database.write(insert_film(("Ran", 1985)))
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (sidecar, sidecar / "writer.lock")]
    assert modes == [0o700, 0o600]


async def test_without_a_sidecar_writes_happen_without_turns(
    open_database: Callable[..., Database], library: Path, insert_film: Insert, told: list[Observation]
) -> None:
    database = open_database(sidecar=library)
    assert await database.write(insert_film(("Ran", 1985))) == WriteResult(1, [])
    assert await database.write(insert_film(("Ikiru", 1952))) == WriteResult(1, [])
    message = f"Processes that write at once wait longer: {library}/writer.lock cannot be locked"
    warnings = [each.message for each in told if isinstance(each, Notice) and each.warning]
    assert [warning.partition(" (")[0] for warning in warnings] == [message]


async def test_a_long_log_is_checkpointed_between_batches(
    database: Database, write_of: Insert, told: list[Observation]
) -> None:
    for _ in range(3):
        await database.write(write_of("INSERT INTO people (name) VALUES (zeroblob(20000000))"))
    passive = [each for each in told if isinstance(each, CheckpointRun)]
    assert {each.mode for each in passive} == {"passive"}
    assert database.wal_size() < 45_000_000


async def test_the_log_is_checkpointed_when_nothing_is_written_for_a_while(
    database: Database, insert_film: Insert, told: list[Observation]
) -> None:
    await database.write(insert_film(("Ran", 1985)))
    while not any(isinstance(each, CheckpointRun) for each in told):
        await asyncio.sleep(0.01)
    assert await database.write(insert_film(("Ikiru", 1952))) == WriteResult(1, [])


async def test_closing_writes_what_waits_and_empties_the_log(
    open_database: Callable[..., Database], insert_film: Insert, hold_turn: Hold, library: Path, rows_of: Rows
) -> None:
    database = open_database()
    with hold_turn():
        tasks = [asyncio.ensure_future(database.write(insert_film((str(n), 1985)))) for n in range(3)]
        while database.queue_length < 2:
            await asyncio.sleep(0)
        closing = asyncio.create_task(database.close())
        await asyncio.sleep(0)
    await closing
    assert [await task for task in tasks] == [WriteResult(1, [])] * 3
    with pytest.raises(DatabaseBusy):
        await database.write(insert_film(("late", 1985)))
    assert sorted(path.name for path in library.parent.iterdir()) == ["library.db", "library.wherry"]
    assert database.wal_size() == 0
    assert rows_of("SELECT count(*) FROM films") == [(7,)]


async def test_closing_waits_for_no_turn_for_ever(
    open_database: Callable[..., Database], insert_film: Insert, hold_turn: Hold, outcome: Outcome, rows_of: Rows
) -> None:
    database = open_database(busy_timeout=5.0, statement_timeout=0.0)
    database._patience = 0.1
    with hold_turn():
        task = asyncio.create_task(outcome(database.write(insert_film(("Ran", 1985)))))
        await asyncio.sleep(0)
        await database.close()
        assert type(await task) is DatabaseBusy
    assert rows_of("SELECT count(*) FROM films") == [(4,)]


async def test_a_database_that_is_served_read_only_refuses_writes(
    open_database: Callable[..., Database], insert_film: Insert
) -> None:
    database = open_database(read_only=True)
    with pytest.raises(DatabaseError) as caught:
        await database.write(insert_film(("Ran", 1985)))
    assert (caught.value.code, caught.value.status) == ("25006", 405)
    assert (database.queue_length, database.wal_size(), database.state.read_only) == (0, 0, True)
