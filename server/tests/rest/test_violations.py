"""A violated constraint is told by its name, and names no table that the role may not see."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from wherry.errors import ConstraintError
from wherry.identity import ANONYMOUS
from wherry.rest.violations import explain_violation
from wherry.statement import ReadTransaction, SQLiteValue

from .library import Grant, granted, names_of, nothing, open_library, schema_of, whole

TABLES = """
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE "odd, name.d" (a TEXT, "b.c, d" TEXT, UNIQUE (a, "b.c, d"));
CREATE TABLE films (
    id INTEGER PRIMARY KEY,
    title TEXT CONSTRAINT one_title UNIQUE,
    year INTEGER,
    director INTEGER CONSTRAINT directed REFERENCES people (id),
    producer INTEGER CONSTRAINT produced REFERENCES people (id)
);
INSERT INTO people VALUES (1, 'Lang');
"""
SCHEMA = schema_of(TABLES)


def told(
    code: str,
    subject: str,
    *,
    table: str = "films",
    columns: Sequence[str] = (),
    rows: Sequence[Sequence[SQLiteValue]] = (),
    grant: Grant = whole,
) -> tuple[str, Any]:
    """Explain a violation; return message and details."""
    library = open_library(TABLES)

    async def count_rows(transaction: ReadTransaction, values: Sequence[SQLiteValue]) -> int:
        literals: Any = values
        statement = transaction.page
        return int(library.execute(statement.sql, statement.bind(literals, ANONYMOUS)).fetchall()[0][0])

    error = ConstraintError("refused", code=code, subject=subject, status=409, hint="raw hint")
    names = names_of(SCHEMA, grant)
    explained = asyncio.run(explain_violation(error, names, SCHEMA.tables[table], columns, rows, count_rows))
    assert (explained.code, explained.status, explained.subject) == (code, 409, subject)
    return explained.message, explained.details


def hides_people(table: Any) -> Any:
    return nothing(table) if table.name == "people" else granted(table, *table.columns)


def hides_films(table: Any) -> Any:
    return nothing(table) if table.name == "films" else granted(table, *table.columns)


TITLES = 'duplicate key value violates unique constraint "one_title"'


@pytest.mark.parametrize(
    ("columns", "rows", "details"),
    [
        (["title"], [("M",)], "Key (title)=(M) already exists."),
        (["year", "title"], [(1931, "M", "a literal of the filter")], "Key (title)=(M) already exists."),
        (["title"], [("M",), ("N",)], "Key (title) already exists."),
        (["year"], [(1931,)], "Key (title) already exists."),
    ],
)
def test_a_duplicate_is_told_by_its_constraint_and_key(columns: list[str], rows: Any, details: str) -> None:
    assert told("23505", "films.title", columns=columns, rows=rows) == (TITLES, details)


def test_names_with_commas_and_dots_are_read_whole() -> None:
    subject = "odd, name.d.a, odd, name.d.b.c, d"
    assert told("23505", subject, table="odd, name.d") == (
        'duplicate key value violates unique constraint "odd, name.d_a_b.c, d_key"',
        "Key (a, b.c, d) already exists.",
    )


def test_a_unique_index_that_the_schema_does_not_know_has_postgresql_s_name() -> None:
    message, _ = told("23505", "films.year")
    assert message == 'duplicate key value violates unique constraint "films_year_key"'
    assert told("23505", "index 'films_lower'") == (
        'duplicate key value violates unique constraint "films_lower"',
        None,
    )


def test_a_missing_value_and_a_failed_check() -> None:
    assert told("23502", "films.title") == (
        'null value in column "title" of relation "films" violates not-null constraint',
        None,
    )
    for subject in ("plausible", "year > 1800.5", 'films.year > "x"'):
        message = f'new row for relation "films" violates check constraint "{subject}"'
        assert told("23514", subject) == (message, None)


def hides_year(table: Any) -> Any:
    return granted(table, *[name for name in table.columns if name != "year"])


def test_what_the_caller_does_not_see_is_not_told_by_a_check_or_a_key() -> None:
    unnamed = 'new row for relation "films" violates a check constraint'
    for subject in ("year > 1800.5", 'length(title) > "YEAR"'):
        assert told("23514", subject, grant=hides_year) == (unnamed, None)
    named = 'new row for relation "films" violates check constraint "{}"'
    assert told("23514", "plausible_year", grant=hides_year) == (named.format("plausible_year"), None)
    assert told("23514", "title <> ''", grant=hides_year) == (named.format("title <> ''"), None)
    assert told("23514", "year > 1800.5", columns=["year"], grant=hides_year)[0] == named.format("year > 1800.5")
    assert told("23505", "films.title, films.year", grant=hides_year)[1] is None
    assert told("23505", "films.title", grant=hides_year)[1] == "Key (title) already exists."


def test_a_check_that_is_not_the_table_s_own_is_another_s() -> None:
    found = told("23514", "year > 1800.5", table="people")
    assert found == ('the write to "people" violates a check constraint of another table', None)


def test_another_table_s_constraint_is_named_to_who_may_see_the_table() -> None:
    assert told("23505", "films.title", table="people") == ("refused", None)
    assert told("23505", "films.title", table="people", grant=hides_films) == (
        'the write to "people" violates a constraint of another table',
        None,
    )
    assert told("23502", "gone.title", table="people")[0] == (
        'the write to "people" violates a constraint of another table'
    )


def test_another_code_is_left_as_it_is() -> None:
    assert told("23000", "something") == ("refused", None)


DIRECTED = 'insert or update on table "films" violates foreign key constraint "directed"'


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        (["director"], [(9,)]),
        (["director"], [(1,), (9,)]),
        (["producer", "director"], [(None, 9)]),
        (["producer", "director"], [(1, 9)]),
    ],
)
def test_a_foreign_key_that_leads_nowhere_is_found(columns: list[str], rows: Any) -> None:
    found = told("23503", "", columns=columns, rows=rows)
    assert found == (DIRECTED, 'Key (director)=(9) is not present in table "people".')


def test_a_table_that_the_role_may_not_see_is_not_named() -> None:
    found = told("23503", "", columns=["director"], rows=[(9,)], grant=hides_people)
    assert found == (DIRECTED, "Key (director)=(9) is not present in the table.")
    assert told("23503", "", table="people", grant=hides_films) == (
        'the write to table "people" violates a foreign key constraint',
        None,
    )


def test_a_row_that_others_refer_to_names_the_keys() -> None:
    assert told("23503", "", table="people") == (
        'the write to table "people" violates a foreign key constraint',
        'One of "directed", "produced"',
    )
