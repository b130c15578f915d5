"""Reads on the event loop and in the reader threads."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from wherry.errors import DatabaseBusy, DatabaseError, RequestError, SchemaChanged, StatementTimeout
from wherry.identity import ANONYMOUS
from wherry.observe import Observation, ReadHandedOver, StatementInterrupted
from wherry.sqlite.database import Database
from wherry.sqlite.readers import WAITING_READS
from wherry.sqlite.results import Page, Stream
from wherry.sqlite.slow import QUICK_RUNS, SlowStatements
from wherry.statement import Framing, Literal, ReadTransaction, Statement, WriteTransaction

pytestmark = pytest.mark.anyio

#: Rows without an end.
COUNTING = "WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r)"

TITLES = b'["Metropolis","M","Playtime","Stalker"]'


async def read(database: Database, transaction: ReadTransaction, *values: str) -> Page | Stream:
    return await database.read(transaction, values, ANONYMOUS, database.schema_version())


async def stream(database: Database, transaction: ReadTransaction) -> Stream:
    result = await read(database, transaction)
    assert isinstance(result, Stream)
    return result


async def free(database: Database) -> None:
    """Wait until no reader is leased: fails by the test's time limit where one leaks."""
    while database._readers.leased:
        await asyncio.sleep(0.001)


# ---- on the event loop ---------------------------------------------------------------------------------------------


async def test_a_page_is_the_framed_rows(database: Database, titles: ReadTransaction) -> None:
    assert await read(database, titles) == Page(4, TITLES, None)


async def test_values_are_bound_and_a_total_is_counted(
    database: Database, read_of: Callable[..., ReadTransaction]
) -> None:
    transaction = read_of("films WHERE title = ?", "title", total="films", parameters=(Literal(0),))
    assert await read(database, transaction, "M") == Page(1, b"[M]", 4)


async def test_no_rows_are_an_empty_body(database: Database, read_of: Callable[..., ReadTransaction]) -> None:
    assert await read(database, read_of("films WHERE 0", "title")) == Page(0, b"[]", None)


async def test_a_page_statement_without_a_row_is_an_empty_body(database: Database) -> None:
    nothing = Statement("SELECT 1, x'00' WHERE 0")
    assert await read(database, ReadTransaction(nothing, nothing, nothing, Framing(b"a", b"", b"c"))) == Page(
        0, b"ac", None
    )


async def test_a_value_that_does_not_convert_is_refused(
    database: Database, read_of: Callable[..., ReadTransaction]
) -> None:
    def refuse(text: str) -> str:
        raise RequestError(f"no {text}")

    with pytest.raises(RequestError):
        await read(database, read_of("films WHERE id = ?", "title", parameters=(Literal(0, refuse),)), "x")


async def test_what_sqlite_refuses_is_a_database_error(
    database: Database, read_of: Callable[..., ReadTransaction]
) -> None:
    with pytest.raises(DatabaseError) as caught:
        await read(database, read_of("nowhere", "1"))
    assert caught.value.body() == {
        "code": "42P01",
        "message": "no such table: nowhere",
        "details": None,
        "hint": None,
    }


async def test_a_schema_that_another_process_changes_is_noticed(
    database: Database, titles: ReadTransaction, other: apsw.Connection
) -> None:
    version = database.schema_version()
    assert await database.read(titles, (), ANONYMOUS, version) == Page(4, TITLES, None)
    other.execute("UPDATE films SET title = 'M!' WHERE title = 'M'")
    assert await database.read(titles, (), ANONYMOUS, version) == Page(4, TITLES.replace(b'"M"', b'"M!"'), None)
    other.execute("CREATE TABLE more (x)")
    with pytest.raises(SchemaChanged):
        await database.read(titles, (), ANONYMOUS, version)
    with pytest.raises(SchemaChanged):
        await database.read_later(titles, (), ANONYMOUS, version)


async def test_a_column_that_is_gone_is_a_changed_schema(
    database: Database, titles: ReadTransaction, other: apsw.Connection
) -> None:
    version = database.schema_version()
    other.execute("ALTER TABLE films RENAME COLUMN title TO name")
    with pytest.raises(SchemaChanged):
        await database.read(titles, (), ANONYMOUS, version)


async def test_a_read_leaves_nothing_open(database: Database, titles: ReadTransaction, other: apsw.Connection) -> None:
    await read(database, titles)
    other.execute("DELETE FROM numbers")
    assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall() == [(0, 0, 0)]


# ---- handed over ---------------------------------------------------------------------------------------------------


async def test_a_slow_read_is_handed_over_once_and_then_goes_to_a_reader_directly(
    open_database: Callable[..., Database], read_of: Callable[..., ReadTransaction], told: list[Observation]
) -> None:
    database = open_database(inline_budget=0.0)
    transaction = read_of("numbers WHERE text LIKE '%99 %'", "n", total="numbers")
    expected = Page(200, b"[" + b",".join(b"%d" % n for n in range(99, 20_000, 100)) + b"]", 20_000)
    assert await read(database, transaction) == expected
    assert await read(database, transaction) == expected
    handed_over = [observation for observation in told if isinstance(observation, ReadHandedOver)]
    assert [observation.sql for observation in handed_over] == [transaction.page.sql]
    assert (database.reads_inline, database.reads_handed_over) == (0, 2)


async def test_a_handed_over_read_without_a_total_or_rows_is_a_page_too(
    open_database: Callable[..., Database], read_of: Callable[..., ReadTransaction]
) -> None:
    database = open_database(inline_budget=0.0)
    assert await read(database, read_of("numbers WHERE text LIKE '%x%'", "n")) == Page(0, b"[]", None)


async def test_a_statement_that_proves_quick_is_read_on_the_loop_again(
    open_database: Callable[..., Database], titles: ReadTransaction
) -> None:
    database = open_database()
    database._readers._slow.add(titles.page.sql)
    for _ in range(QUICK_RUNS + 1):
        assert await read(database, titles) == Page(4, TITLES, None)
    assert (database.reads_inline, database.reads_handed_over) == (1, QUICK_RUNS)


def test_slow_statements_are_forgotten_oldest_first_and_trusted_after_quick_runs_in_a_row() -> None:
    slow = SlowStatements()
    for number in range(1025):
        slow.add(str(number))
    assert ("0" in slow, "1" in slow, "1024" in slow) == (False, True, True)
    for quickly in (True, True, True, False, True, True, True):
        slow.ran("1", quickly=quickly)
    assert "1" in slow
    slow.ran("1", quickly=True)
    assert "1" not in slow
    slow.ran("unknown", quickly=True)
    assert "unknown" not in slow


async def test_a_read_that_runs_over_its_time_limit_is_stopped(
    open_database: Callable[..., Database], endless: ReadTransaction, titles: ReadTransaction, told: list[Observation]
) -> None:
    database = open_database(inline_budget=0.01, statement_timeout=0.1, readers=1)
    with pytest.raises(StatementTimeout):
        await read(database, endless)
    stopped = [observation for observation in told if isinstance(observation, StatementInterrupted)]
    assert [observation.reason for observation in stopped] == ["over its time limit"]
    await free(database)
    assert await database.read_later(titles, (), ANONYMOUS, database.schema_version()) == Page(4, TITLES, None)


async def test_cancelling_a_read_interrupts_it(
    open_database: Callable[..., Database], endless: ReadTransaction, titles: ReadTransaction, told: list[Observation]
) -> None:
    database = open_database(inline_budget=0.01, readers=1)
    task = asyncio.create_task(read(database, endless))
    waiting = asyncio.create_task(database.read_later(titles, (), ANONYMOUS, database.schema_version()))
    queued = asyncio.create_task(read(database, endless))
    while database._readers.leased < 3:
        await asyncio.sleep(0.001)
    queued.cancel()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await waiting == Page(4, TITLES, None)
    await free(database)
    stopped = [observation for observation in told if isinstance(observation, StatementInterrupted)]
    assert [observation.reason for observation in stopped] == ["its client went away"] * 2


async def test_a_read_that_no_reader_begins_in_time_finds_the_database_busy(
    open_database: Callable[..., Database], endless: ReadTransaction
) -> None:
    database = open_database(inline_budget=0.001, statement_timeout=0.2, readers=1)
    running = asyncio.create_task(read(database, endless))
    while not database._readers.leased:
        await asyncio.sleep(0)
    database._readers._limits = database._readers._limits._replace(seconds=0.05)
    with pytest.raises(DatabaseBusy):
        await read(database, endless)
    with pytest.raises(StatementTimeout):
        await running


async def test_more_waiting_reads_than_can_wait_are_refused(
    open_database: Callable[..., Database], endless: ReadTransaction
) -> None:
    database = open_database(inline_budget=0.001, readers=1)
    tasks = [asyncio.create_task(read(database, endless)) for _ in range(WAITING_READS + 1)]
    while database._readers.leased <= WAITING_READS:
        await asyncio.sleep(0.001)
    with pytest.raises(DatabaseBusy):
        await read(database, endless)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await free(database)


async def test_a_file_that_another_process_locks_is_waited_for_in_a_reader(
    open_database: Callable[..., Database], titles: ReadTransaction, other: apsw.Connection
) -> None:
    database = open_database(wal=False, busy_timeout=0.1, inline_budget=0.05)
    assert await read(database, titles) == Page(4, TITLES, None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(DatabaseBusy):
        await database.read(titles, (), ANONYMOUS, 0)
    with pytest.raises(DatabaseBusy):
        database.schema_version()
    other.execute("COMMIT")
    assert await read(database, titles) == Page(4, TITLES, None)


async def test_a_function_may_read_with_a_connection_of_its_own(database: Database) -> None:
    assert await database.call(lambda c: c.execute("SELECT count(*) FROM films").fetchall()) == [(4,)]
    with pytest.raises(DatabaseError) as caught:
        await database.call(lambda c: c.execute("SELECT nope"))
    assert (caught.value.code, caught.value.message) == ("42703", "no such column: nope")
    with pytest.raises(DatabaseError) as caught:
        await database.call(lambda c: c.execute("DELETE FROM films"))
    assert caught.value.code == "25006"


async def test_a_file_that_is_gone_is_refused_and_the_readers_live_on(
    open_database: Callable[..., Database], titles: ReadTransaction, library: Path
) -> None:
    database = open_database(readers=1)
    version = database.schema_version()
    away = library.rename(library.with_suffix(".away"))
    with pytest.raises(DatabaseError) as caught:
        await database.read_later(titles, (), ANONYMOUS, version)
    assert (caught.value.code, caught.value.status) == ("58030", 503)
    away.rename(library)
    assert await database.read_later(titles, (), ANONYMOUS, version) == Page(4, TITLES, None)


# ---- streams -------------------------------------------------------------------------------------------------------


async def test_a_large_read_is_a_stream_of_parts(
    open_database: Callable[..., Database], numbers: ReadTransaction, rows_of: Callable[[str], list[tuple[str]]]
) -> None:
    database = open_database(inline_budget=0.0)
    result = await stream(database, numbers)
    parts = [part async for part in result.chunks]
    assert (result.rows, result.total) == (20_000, 20_000)
    expected = b"[" + b",".join(row[0].encode() for row in rows_of("SELECT json_quote(text) FROM numbers")) + b"]"
    assert b"".join(parts) == expected
    assert max(map(len, parts)) < 256 * 1024
    assert [part async for part in result.chunks] == []
    await free(database)


async def test_rows_that_end_with_a_part_are_framed_once(
    open_database: Callable[..., Database], read_of: Callable[..., ReadTransaction]
) -> None:
    database = open_database(inline_budget=0.0)
    source = "numbers WHERE n <= ? ORDER BY n"
    row = "printf('%131072s', n)"
    for rows in (1, 7, 10):  # each row is a part of its own: pages up to 1 MiB, then streams
        transaction = read_of(source, row, parameters=(Literal(0, int),), framing=Framing(b"\n", b"\n", b"!"))
        result = await database.read_later(transaction, (str(rows),), ANONYMOUS, database.schema_version())
        body = result.body if isinstance(result, Page) else b"".join([part async for part in result.chunks])
        expected = b"\n" + b"\n".join(b"%131072d" % n for n in range(1, rows + 1)) + b"!"
        assert (type(result), body) == (Page if rows < 9 else Stream, expected)


async def test_a_stream_shows_one_snapshot_while_others_write(
    open_database: Callable[..., Database],
    numbers: ReadTransaction,
    insert_film: Callable[..., WriteTransaction],
    other: apsw.Connection,
) -> None:
    database = open_database(inline_budget=0.0)
    result = await stream(database, numbers)
    first = await anext(result.chunks)
    await database.write(insert_film(("Ran", 1985)))
    other.execute("DELETE FROM numbers")
    body = first + b"".join([part async for part in result.chunks])
    assert body.count(b"number ") == 20_000


async def test_a_stream_that_is_closed_gives_its_reader_back(
    open_database: Callable[..., Database], numbers: ReadTransaction, titles: ReadTransaction
) -> None:
    database = open_database(inline_budget=0.0, readers=1)
    for parts in (0, 1, 12):
        result = await stream(database, numbers)
        for _ in range(parts):
            await anext(result.chunks)
        await result.aclose()
        assert database._readers.leased == 0
        assert [part async for part in result.chunks] == []
    assert await database.read_later(titles, (), ANONYMOUS, database.schema_version()) == Page(4, TITLES, None)


async def test_a_stream_that_is_not_read_on_loses_its_reader(
    open_database: Callable[..., Database], numbers: ReadTransaction, titles: ReadTransaction
) -> None:
    database = open_database(inline_budget=0.0, readers=1, stall=0.05)
    result = await stream(database, numbers)
    assert await database.read_later(titles, (), ANONYMOUS, database.schema_version()) == Page(4, TITLES, None)
    with pytest.raises(StatementTimeout) as caught:
        async for _ in result.chunks:
            pass
    assert caught.value.message == "the response was read too slowly and was given up"


async def test_a_stream_that_takes_too_long_or_is_refused_ends_with_an_error(
    open_database: Callable[..., Database],
) -> None:
    database = open_database(inline_budget=0.0, readers=1, statement_timeout=0.5)

    def large_then(sql: str) -> ReadTransaction:
        rows = Statement(f"{COUNTING} SELECT CASE WHEN i < 20 THEN zeroblob(100000) ELSE {sql} END FROM r LIMIT 100")
        return ReadTransaction(
            Statement(f"{COUNTING} SELECT count(*) FROM r"), rows, Statement("SELECT 100"), Framing()
        )

    result = await stream(database, large_then(f"({COUNTING} SELECT max(i) FROM r)"))
    assert (result.rows, result.total) == (100, None)
    with pytest.raises(StatementTimeout):
        async for _ in result.chunks:
            pass
    result = await stream(database, large_then("json('{')"))
    with pytest.raises(DatabaseError) as caught:
        async for _ in result.chunks:
            pass
    assert caught.value.code == "22P02"
    await free(database)


async def test_a_task_that_is_cancelled_between_parts_gives_its_reader_back(
    open_database: Callable[..., Database], read_of: Callable[..., ReadTransaction]
) -> None:
    database = open_database(inline_budget=0.0, readers=1)
    page = Statement(f"{COUNTING} SELECT count(*) FROM r")
    rows = Statement(f"{COUNTING} SELECT zeroblob(100000) FROM r WHERE i < 15 OR i > 1000000000")
    result = await stream(database, ReadTransaction(page, rows, Statement("SELECT 100"), Framing()))
    seen = 0

    async def follow() -> None:
        nonlocal seen
        async for part in result.chunks:
            seen += len(part)

    task = asyncio.create_task(follow())
    while seen < 1_200_000:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await free(database)


async def test_closing_the_database_ends_reads_and_streams(
    open_database: Callable[..., Database], endless: ReadTransaction, numbers: ReadTransaction, titles: ReadTransaction
) -> None:
    database = open_database(inline_budget=0.001, readers=2)
    version = database.schema_version()
    result = await database.read_later(numbers, (), ANONYMOUS, version)
    assert isinstance(result, Stream)
    tasks = [asyncio.create_task(read(database, endless)) for _ in range(2)]
    while database._readers.leased < 3:
        await asyncio.sleep(0.001)
    await database.close()
    for task in tasks:
        with pytest.raises(DatabaseBusy):
            await task
    with pytest.raises(DatabaseBusy):
        async for _ in result.chunks:
            pass
    with pytest.raises(DatabaseBusy):
        await database.read_later(titles, (), ANONYMOUS, version)
    with pytest.raises(DatabaseBusy):
        await database.read(titles, (), ANONYMOUS, version)
