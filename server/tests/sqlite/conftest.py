"""A film library in a file, the statements that a compiler would make for it, and databases that open it."""

import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from wherry.observe import Observation
from wherry.sqlite.database import Database
from wherry.statement import (
    NO_EXPECTATIONS,
    Expectations,
    Framing,
    Literal,
    ReadTransaction,
    SQLiteValue,
    Statement,
    Step,
    WriteTransaction,
)

SCHEMA = """
    CREATE TABLE films (
        id INTEGER PRIMARY KEY,
        title TEXT NOT NULL UNIQUE,
        year INTEGER CONSTRAINT plausible CHECK (year > 1800),
        director INTEGER REFERENCES people (id)
    );
    CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE numbers (n INTEGER PRIMARY KEY, text TEXT);
    CREATE TRIGGER no_numbers BEFORE INSERT ON numbers WHEN new.n < 0 BEGIN SELECT RAISE(ABORT, 'no such number'); END;
    CREATE TRIGGER no_zero BEFORE INSERT ON numbers WHEN new.n = 0 BEGIN SELECT RAISE(ROLLBACK, 'no zero'); END;
"""


def foreign(path: Path) -> contextlib.closing[apsw.Connection]:
    """Open the file past everything that is tested, with the same copy of SQLite.

    Two copies in one process (the standard library has its own) would drop each other's locks.
    """
    return contextlib.closing(apsw.Connection(str(path)))


def write(
    steps: tuple[Step, ...], schema_version: int, *, upsert: bool = False, **expectations: Any
) -> WriteTransaction:
    """Make a write with the expectations that are named."""
    expects = Expectations(**expectations) if expectations else NO_EXPECTATIONS
    return WriteTransaction(steps, schema_version, expects, upsert)


#: A statement that never ends.
ENDLESS = "WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*), NULL FROM r"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def other(library: Path) -> Iterator[apsw.Connection]:
    """Another connection to the file, as another process would have it."""
    with foreign(library) as connection:
        yield connection


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The file, with four films and 20,000 numbers (a stream's worth)."""
    path = tmp_path / "library.db"
    with foreign(path) as connection, connection:
        connection.execute(SCHEMA)
        connection.executemany(
            "INSERT INTO films (id, title, year) VALUES (?, ?, ?)",
            [(1, "Metropolis", 1927), (2, "M", 1931), (3, "Playtime", 1967), (4, "Stalker", 1979)],
        )
        connection.executemany(
            "INSERT INTO numbers (n, text) VALUES (?, ?)",
            [(n, f"number {n} ".ljust(100, ".")) for n in range(1, 20_001)],
        )
    return path


@pytest.fixture
def sidecar(tmp_path: Path) -> Path:
    return tmp_path / "library.wherry"


@pytest.fixture
def told() -> list[Observation]:
    """What the databases of the test have emitted."""
    return []


@pytest.fixture
async def open_database(
    library: Path, sidecar: Path, told: list[Observation]
) -> AsyncIterator[Callable[..., Database]]:
    """Open the library; what the test leaves open is closed after it."""
    opened: list[Database] = []

    def open_(**settings: Any) -> Database:
        database = Database.open(
            settings.pop("path", library),
            **({"sidecar": sidecar, "emit": told.append, "inline_budget": 1.0, "busy_timeout": 5.0} | settings),
        )
        opened.append(database)
        return database

    yield open_
    for database in opened:
        await database.close()


@pytest.fixture
async def database(open_database: Callable[..., Database]) -> Database:
    return open_database()


@pytest.fixture
def hold_turn(sidecar: Path) -> Callable[[], contextlib.AbstractContextManager[None]]:
    """Hold the turn of the file as another process would, so that writes queue."""

    @contextlib.contextmanager
    def hold() -> Iterator[None]:
        sidecar.mkdir(exist_ok=True)
        descriptor = os.open(sidecar / "writer.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(descriptor)

    return hold


@pytest.fixture
def rows_of(library: Path) -> Callable[[str], list[tuple[SQLiteValue, ...]]]:
    """Ask the file itself, past everything that is tested."""

    def ask(sql: str) -> list[tuple[SQLiteValue, ...]]:
        with foreign(library) as connection:
            return connection.execute(sql).fetchall()

    return ask


@pytest.fixture
def read_of() -> Callable[..., ReadTransaction]:
    """Make the three forms of a read of `source` (a table with its WHERE and LIMIT) that shows `json`."""

    def make(
        source: str,
        json: str,
        *,
        total: str | None = None,
        parameters: tuple[Literal, ...] = (),
        framing: Framing | None = None,
    ) -> ReadTransaction:
        also = f", (SELECT count(*) FROM {total})" if total else ""
        return ReadTransaction(
            page=Statement(
                f"SELECT count(*), CAST(group_concat(j, ',') AS BLOB){also} FROM (SELECT {json} AS j FROM {source})",
                parameters,
            ),
            rows=Statement(f"SELECT CAST({json} AS BLOB) FROM {source}", parameters),
            size=Statement(f"SELECT (SELECT count(*) FROM (SELECT 1 FROM {source})){also}", parameters),
            framing=framing or Framing(),
        )

    return make


@pytest.fixture
def titles(read_of: Callable[..., ReadTransaction]) -> ReadTransaction:
    """Read the films' titles; a page of 43 bytes."""
    return read_of("films ORDER BY id", "json_quote(title)")


@pytest.fixture
def numbers(read_of: Callable[..., ReadTransaction]) -> ReadTransaction:
    """Read all numbers and their total; about 2 MB."""
    return read_of("numbers ORDER BY n", "json_quote(text)", total="numbers")


@pytest.fixture
def endless() -> ReadTransaction:
    return ReadTransaction(Statement(ENDLESS), Statement(ENDLESS), Statement(ENDLESS), Framing())


@pytest.fixture
def insert_film(library: Path) -> Callable[..., WriteTransaction]:
    """Insert films, each as (title, year)."""
    with foreign(library) as connection:
        version = connection.pragma("schema_version")

    def make(*films: tuple[SQLiteValue, ...], returning: str = "", **expectations: Any) -> WriteTransaction:
        clause = f" RETURNING {returning}" if returning else ""
        step = Step(f"INSERT INTO films (title, year) VALUES (?, ?){clause}", films, bool(returning))
        return write((step,), **({"schema_version": version} | expectations))

    return make


@pytest.fixture
def write_of(database: Database) -> Callable[..., WriteTransaction]:
    """Write with SQL of one's own."""

    def make(
        sql: str, *rows: tuple[SQLiteValue, ...], returning: bool = False, **expectations: Any
    ) -> WriteTransaction:
        step = Step(sql, rows or ((),), returning)
        return write((step,), **({"schema_version": database.schema_version()} | expectations))

    return make


@pytest.fixture
def outcome() -> Callable[[Awaitable[Any]], Awaitable[Any]]:
    """Wait for a result, an exception being one too."""

    async def wait(awaitable: Awaitable[Any]) -> Any:
        try:
            return await awaitable
        except Exception as error:
            return error

    return wait
