"""What SQLite refuses, in PostgreSQL's words."""

from typing import Any

import apsw
import pytest

from wherry.errors import (
    ApiError,
    ConstraintError,
    DatabaseBusy,
    DatabaseError,
    RequestError,
    StatementTimeout,
    WherryError,
)
from wherry.sqlite.refusals import refusal

SCHEMA = """
    PRAGMA foreign_keys = ON;
    CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER CONSTRAINT grown CHECK (age > 17));
    CREATE TABLE pairs (a, b, UNIQUE (a, b));
    CREATE UNIQUE INDEX lower_name ON people (lower(name));
    CREATE TABLE children (parent INTEGER REFERENCES people (id));
    CREATE TABLE strict (n INTEGER) STRICT;
    CREATE VIEW view AS SELECT 1 AS one;
    CREATE VIRTUAL TABLE texts USING fts5 (body);
    CREATE TRIGGER no_deletion BEFORE DELETE ON people BEGIN SELECT RAISE(ABORT, 'people stay'); END;
    INSERT INTO people VALUES (1, 'Ada', 36); INSERT INTO pairs VALUES (1, 2);
"""


@pytest.fixture
def connection() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    connection.execute(SCHEMA)
    return connection


def refuse(connection: apsw.Connection, sql: str, *values: Any) -> WherryError:
    try:
        connection.execute(sql, values).fetchall()
    except Exception as error:
        return refusal(error)
    raise AssertionError("not refused")


@pytest.mark.parametrize(
    ("sql", "code", "status", "subject", "message"),
    [
        (
            "INSERT INTO people VALUES (1, 'Bob', 20)",
            "23505",
            409,
            "people.id",
            "duplicate key value violates the unique constraint on people.id",
        ),
        (
            "INSERT INTO pairs VALUES (1, 2)",
            "23505",
            409,
            "pairs.a, pairs.b",
            "duplicate key value violates the unique constraint on pairs.a, pairs.b",
        ),
        (
            "INSERT INTO people VALUES (2, 'ADA', 20)",
            "23505",
            409,
            "index 'lower_name'",
            "duplicate key value violates the unique constraint on index 'lower_name'",
        ),
        ("INSERT INTO children VALUES (9)", "23503", 409, "", "the write violates a foreign key constraint"),
        (
            "INSERT INTO people VALUES (2, NULL, 20)",
            "23502",
            400,
            "people.name",
            "null value in column people.name violates its not-null constraint",
        ),
        (
            "INSERT INTO people VALUES (2, 'Bob', 2)",
            "23514",
            400,
            "grown",
            "the new row violates the check constraint grown",
        ),
    ],
)
def test_a_violated_constraint_is_named(
    connection: apsw.Connection, sql: str, code: str, status: int, subject: str, message: str
) -> None:
    error = refuse(connection, sql)
    assert isinstance(error, ConstraintError)
    assert (error.code, error.status, error.subject, error.message) == (code, status, subject, message)


@pytest.mark.parametrize(
    ("sql", "code", "status", "message"),
    [
        ("DELETE FROM people", "P0001", 400, "people stay"),
        ("INSERT INTO strict VALUES ('x')", "22P02", 400, "cannot store TEXT value in INTEGER column strict.n"),
        ("INSERT INTO people VALUES ('x', 'Bob', 20)", "22P02", 400, "a value has not the type of its column"),
        ("SELECT abs(-9223372036854775808)", "22003", 400, "integer out of range"),
        ("SELECT json('{')", "22P02", 400, "invalid JSON: malformed JSON"),
        ("SELECT json_extract('{}', '!')", "22P02", 400, "invalid JSON: bad JSON path: '!'"),
        ("SELECT 'a' LIKE hex(zeroblob(40000))", "54001", 400, "the pattern is too long"),
        ("SELECT * FROM nope", "42P01", 404, "no such table: nope"),
        ("SELECT nope FROM people", "42703", 400, "no such column: nope"),
        ("SELECT nope(1)", "42883", 404, "no such function: nope"),
        ("SELECT FROM", "42601", 400, 'near "FROM": syntax error'),
        (
            "SELECT * FROM texts('a AND')",
            "42601",
            400,
            'the full-text query cannot be read: fts5: syntax error near ""',
        ),
        (
            "SELECT * FROM texts('\"a')",
            "42601",
            400,
            "the full-text query cannot be read: unterminated string",
        ),
        ("INSERT INTO view VALUES (1)", "55000", 405, "cannot modify view because it is a view"),
        ("SELECT zeroblob(2000000000)", "54000", 413, "a value or the result is larger than SQLite can hold"),
        ("SELECT 1 UNION SELECT 1, 2", "XX000", 400, None),
    ],
)
def test_a_refused_statement_has_postgresql_s_code(
    connection: apsw.Connection, sql: str, code: str, status: int, message: str | None
) -> None:
    error = refuse(connection, sql)
    assert isinstance(error, DatabaseError)
    assert (error.code, error.status) == (code, status)
    assert message is None or error.message == message


def test_values_that_sqlite_cannot_hold_are_refused(connection: apsw.Connection) -> None:
    for value, code in ((1 << 64, "22003"), ("\ud800", "22021")):
        error = refuse(connection, "SELECT ?", value)
        assert isinstance(error, DatabaseError)
        assert (error.code, error.status) == (code, 400)


def test_a_statement_that_is_too_deep_is_refused(connection: apsw.Connection) -> None:
    error = refuse(connection, "SELECT " + "(" * 5000 + "1" + ")" * 5000)
    assert isinstance(error, DatabaseError)
    assert (error.code, error.status) == ("54000", 413)


@pytest.mark.parametrize(
    ("result", "kind", "code", "status"),
    [
        (apsw.SQLITE_BUSY, DatabaseBusy, "55P03", 503),
        (apsw.SQLITE_LOCKED, DatabaseBusy, "55P03", 503),
        (apsw.SQLITE_PROTOCOL, DatabaseBusy, "55P03", 503),
        (apsw.SQLITE_INTERRUPT, StatementTimeout, "57014", 504),
        (apsw.SQLITE_READONLY, DatabaseError, "25006", 405),
        (apsw.SQLITE_READONLY_DBMOVED, DatabaseError, "58030", 503),
        (apsw.SQLITE_FULL, DatabaseError, "53100", 507),
        (apsw.SQLITE_NOMEM, DatabaseError, "53200", 503),
        (apsw.SQLITE_IOERR_WRITE, DatabaseError, "58030", 503),
        (apsw.SQLITE_CANTOPEN, DatabaseError, "58030", 503),
        (apsw.SQLITE_CORRUPT, DatabaseError, "XX001", 503),
        (apsw.SQLITE_NOTADB, DatabaseError, "XX001", 503),
        (apsw.SQLITE_AUTH, DatabaseError, "42501", 403),
        (apsw.SQLITE_RANGE, DatabaseError, "54000", 413),
        (apsw.SQLITE_CONSTRAINT_VTAB, ConstraintError, "23000", 400),
        (apsw.SQLITE_EMPTY, DatabaseError, "XX000", 500),
    ],
)
def test_every_result_code_has_a_code_and_a_status(
    result: int, kind: type[DatabaseError], code: str, status: int
) -> None:
    error = refusal(apsw.exception_for(result))
    assert isinstance(error, kind)
    assert (type(error), error.code, error.status) == (kind, code, status)


def test_other_errors_are_told_without_what_they_say() -> None:
    ours = RequestError("ours")
    assert refusal(ours) is ours
    memory, unknown = refusal(MemoryError()), refusal(KeyError("secret"))
    assert isinstance(memory, DatabaseError)
    assert isinstance(unknown, ApiError)
    assert (memory.code, memory.status) == ("53200", 503)
    assert (unknown.code, unknown.status, unknown.message) == (
        "XX000",
        500,
        "the statement could not be run: KeyError",
    )
