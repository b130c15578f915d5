"""Plans become SQL: tables of query string → statement and literals, and what holds of every statement.

The tables leave out what all reads have in common: `page` and `ordered` put it around.
"""

# ruff: noqa: E501 - a statement reads better whole

import csv
import io
import json
from dataclasses import replace
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.errors import ApiError, RequestError
from wherry.identity import ANONYMOUS
from wherry.policies.model import Access, Always, Expression, Never, Source
from wherry.rest.names import Names
from wherry.schema.model import Table
from wherry.statement import Literal, ReadTransaction, Statement

from .library import (
    LIBRARY,
    compiled_read,
    compiled_write,
    granted,
    names_of,
    nothing,
    open_library,
    request_of,
    schema_of,
)

ID = """json_object('id', t1."id")"""
FILMS = 'main."films" AS t1'


def page(row: str, tail: str) -> str:
    """Write the page of rows in any order."""
    return f"SELECT count(*), CAST(group_concat({row}, ',') AS BLOB) FROM {tail}"


def ordered(row: str, tail: str) -> str:
    """Write the page of rows in an order, or within a limit."""
    return f"SELECT count(*), CAST(group_concat(j, ',') AS BLOB) FROM (SELECT {row} AS j FROM {tail})"


def beside(member: str) -> str:
    """Write the object of an id and a member that is text."""
    return f"""rtrim((rtrim(json_object('id', t1."id", '', 0), '}}0:"') || {member}), ',') || '}}'"""


def literals(statement: Statement) -> list[int]:
    return [parameter.index for parameter in statement.parameters if isinstance(parameter, Literal)]


def json_of(column: str) -> str:
    """Write a JSON argument of our own SQL functions."""
    return f"CASE WHEN json_valid({column}, 9) THEN CAST(json({column}) AS BLOB) END"


def bytes_of(column: str) -> str:
    """Write a text argument of our own SQL functions."""
    return f"CASE typeof({column}) WHEN 'text' THEN CAST({column} AS BLOB) WHEN 'blob' THEN NULL ELSE {column} END"


@pytest.mark.parametrize(
    ("target", "sql", "indexes"),
    [
        ("films?select=id", page(ID, FILMS), []),
        ("films?select=id&year=gte.2000", page(ID, f'{FILMS} WHERE t1."year" >= ?'), [0]),
        ("films?select=id&year=gt.1&year=not.lt.2", page(ID, f'{FILMS} WHERE t1."year" > ? AND NOT (t1."year" < ?)'), [0, 1]),
        ("films?select=id&order=year.desc.nullslast,id&limit=5&offset=10", ordered(ID, f'{FILMS} ORDER BY t1."year" DESC, t1."id" LIMIT ? OFFSET ?'), [0, 1]),
        ("films?select=id&order=year,year.desc", ordered(ID, f'{FILMS} ORDER BY t1."year" NULLS LAST, t1."year" DESC NULLS FIRST'), []),
        ("films?select=id&offset=10", ordered(ID, f"{FILMS} LIMIT -1 OFFSET ?"), [0]),
        ("films?select=good", page("""json_object('good', CASE t1."good" WHEN 1 THEN json('true') WHEN 0 THEN json('false') ELSE CASE WHEN t1."good" >= x'' THEN '\\x' || lower(hex(t1."good")) ELSE t1."good" END END)""", FILMS), []),
        ("films?select=facts", page("""json_object('facts', CASE WHEN json_valid(t1."facts", 9) THEN json(t1."facts") ELSE CASE WHEN t1."facts" >= x'' THEN '\\x' || lower(hex(t1."facts")) ELSE t1."facts" END END)""", FILMS), []),
        ("films?select=facts->a", page("""json_object('a', json(CASE WHEN json_valid(t1."facts", 9) THEN t1."facts" -> '$."a"' END))""", FILMS), []),
        ("films?select=n:id::text", page("""json_object('n', CAST(t1."id" AS TEXT))""", FILMS), []),
        ("films?select=id,director(id)", page(beside("""'"director":' || coalesce((SELECT json_object('id', t2."id") FROM main."people" AS t2 WHERE t2."id" = t1."director" LIMIT 1), 'null') || ','"""), FILMS), []),
        ("people?select=id,films!director(id)&films.order=id.desc&films.limit=3", page(beside("""'"films":' || coalesce((SELECT '[' || coalesce(group_concat(j, ','), '') || ']' FROM (SELECT json_object('id', t2."id") AS j FROM main."films" AS t2 WHERE t2."director" = t1."id" ORDER BY t2."id" DESC LIMIT ?)), 'null') || ','"""), 'main."people" AS t1'), [0]),
        ("films?select=id,people!roles(id)", page(beside("""'"people":' || coalesce((SELECT '[' || coalesce(group_concat(j, ','), '') || ']' FROM (SELECT json_object('id', t2."id") AS j FROM main."people" AS t2 JOIN main."roles" AS t3 ON t3."actor" = t2."id" WHERE t3."film" = t1."id")), 'null') || ','"""), FILMS), []),
        ("films?select=id,...director(id)", page(beside("""substr(coalesce((SELECT (rtrim(json_object('id', t2."id", '', 0), '}0:"')) FROM main."people" AS t2 WHERE t2."id" = t1."director" LIMIT 1), (rtrim(json_object('id', NULL, '', 0), '}0:"'))), 2)"""), FILMS), []),
        ("people?select=id,...films!director(id)", page(beside("""substr((SELECT ('{' || '"id":' || coalesce('[' || coalesce(group_concat(json_quote(g.c0), ','), '') || ']', 'null') || ',') FROM (SELECT t2."id" AS c0 FROM main."films" AS t2 WHERE t2."director" = t1."id") AS g), 2)"""), 'main."people" AS t1'), []),
        ("films?select=id,count()", ordered("json_object('id', g.c0, 'count', g.c1)", '(SELECT t1."id" AS c0, count(*) AS c1 FROM main."films" AS t1 GROUP BY t1."id") AS g'), []),
        ("films?select=id,roles(count())", page(beside("""'"roles":' || coalesce((SELECT '[' || coalesce(group_concat(j, ','), '') || ']' FROM (SELECT json_object('count', g.c0) AS j FROM (SELECT count(*) AS c0 FROM main."roles" AS t2 WHERE t2."film" = t1."id") AS g)), 'null') || ','"""), FILMS), []),
        ("films?select=...director(id.max())", ordered("json_object('max', g.c0)", '(SELECT max((SELECT t2."id" FROM main."people" AS t2 WHERE t2."id" = t1."director" LIMIT 1)) AS c0 FROM main."films" AS t1) AS g'), []),
        ("films?select=id&or=(year.is.null,not.and(title.like.A*,id.gt.5))", page(ID, f'{FILMS} WHERE (t1."year" IS NULL OR NOT ((t1."title" COLLATE BINARY >= ? AND t1."title" COLLATE BINARY < ? AND t1."title" GLOB ?) AND t1."id" > ?))'), [1, 1, 1, 2]),
        ("films?select=id,director!inner()&director.name=eq.x", page(ID, f'{FILMS} WHERE EXISTS (SELECT 1 FROM main."people" AS t2 WHERE t2."id" = t1."director" AND t2."name" = ?)'), [0]),
        ("films?select=id,director()&director=is.null&order=director(name)", ordered(ID, f'{FILMS} WHERE NOT EXISTS (SELECT 1 FROM main."people" AS t2 WHERE t2."id" = t1."director") ORDER BY (SELECT t3."name" FROM main."people" AS t3 WHERE t3."id" = t1."director" LIMIT 1) NULLS LAST'), []),
        ("films?select=id&year=in.(1,2)", page(ID, f'{FILMS} WHERE t1."year" IN (SELECT value FROM json_each(?))'), [0]),
        ("films?select=id&title=ilike.a*", page(ID, f"""{FILMS} WHERE CASE WHEN ? THEN ilike({bytes_of('t1."title"')}, ?) ELSE t1."title" LIKE ? ESCAPE '\\' END"""), [0, 0, 0]),
        ("films?select=id&title=match.x&title=imatch.y", page(ID, f"""{FILMS} WHERE regexp_match({bytes_of('t1."title"')}, ?, 0) AND regexp_match({bytes_of('t1."title"')}, ?, 1)"""), [0, 1]),
        ("films?select=id&title=fts.cat", page(ID, f'{FILMS} WHERE t1.rowid IN (SELECT rowid FROM main."search" WHERE "search" MATCH ? UNION ALL SELECT rowid FROM main."search" WHERE ? AND rowid NOT IN (SELECT rowid FROM main."search" WHERE "search" MATCH ?))'), [0, 0, 0]),
        ("films?select=id&slug=fts.cat", page(ID, f"""{FILMS} WHERE text_search({bytes_of('t1."slug"')}, ?, 0)"""), [0]),
        ("films?select=id&slug=fts(english).cat", page(ID, f"""{FILMS} WHERE text_search({bytes_of('t1."slug"')}, ?, 1)"""), [0]),
        ("films?select=id&year=eq(any).{1,2}&year=neq(all).{3}", page(ID, f'{FILMS} WHERE t1."year" IN (SELECT value FROM json_each(?)) AND t1."year" NOT IN (SELECT value FROM json_each(?))'), [0, 1]),
        ("films?select=id&facts=cs.{}&facts=cd.{}&facts=ov.{}", page(ID, f"""{FILMS} WHERE json_contains({json_of('t1."facts"')}, ?) AND json_contains(?, {json_of('t1."facts"')}) AND json_overlaps({json_of('t1."facts"')}, ?)"""), [0, 1, 2]),
        ("films?select=id&good=is.true&year=not.is.null&id=isdistinct.5", page(ID, f'{FILMS} WHERE t1."good" IS TRUE AND NOT (t1."year" IS NULL) AND t1."id" IS NOT ?'), [2]),
    ],
)  # fmt: skip
def test_reads(target: str, sql: str, indexes: list[int]) -> None:
    statement = compiled_read(target).page
    assert (statement.sql, literals(statement)) == (sql, indexes)


def test_a_total_is_counted_beside_the_page_without_its_limit() -> None:
    transaction = compiled_read("films?select=id&year=gt.1&limit=2", prefer="count=exact")
    counted = '(SELECT count(*) FROM (SELECT 1 FROM main."films" AS t1 WHERE t1."year" > ?))'
    rows = 'SELECT json_object(\'id\', t2."id") AS j FROM main."films" AS t2 WHERE t2."year" > ? LIMIT ?'
    assert transaction.page.sql == f"SELECT count(*), CAST(group_concat(j, ',') AS BLOB), {counted} FROM ({rows})"
    assert literals(transaction.page) == [0, 0, 1]


def test_an_estimated_total_is_a_number_beside_the_page() -> None:
    analysed = schema_of(f"{LIBRARY}; ANALYZE; INSERT INTO sqlite_stat1 VALUES ('films', NULL, '50000')")
    transaction = compiled_read("films?select=id&limit=1", prefer="count=planned", names=names_of(analysed))
    assert transaction.page.sql.startswith("SELECT count(*), CAST(group_concat(j, ',') AS BLOB), 50000 FROM (")
    assert transaction.size.sql.endswith("), 50000")


def test_the_server_s_limit_caps_every_level() -> None:
    sql = compiled_read("people?select=id,films!director(id)", max_rows=100).page.sql
    assert sql.count("LIMIT 100") == 2
    limited = compiled_read("people?select=id&limit=500", max_rows=100).page
    assert limited.bind(["500"], ANONYMOUS) == (100,)


def limited(table: Table) -> Access:
    """Read three columns of newer films, and the names of their directors; nothing else."""
    match table.name:
        case "films":
            return granted(table, "id", "title", "director", insertable=("title",), updatable=("title",))
        case "people":
            newer = Source("films", ("id", "title", "director"), Expression(("year > 1900",)))
            directs = Expression(("id IN (SELECT director FROM films)",), (newer,))
            return granted(table, "id", "name", visible=directs)
    return nothing(table)


LIMITED = names_of(grant=limited)


@pytest.mark.parametrize(
    ("target", "sql"),
    [
        ("films?select=id", page(ID, '(SELECT "id", "title", "director" FROM main."films" WHERE (year > 1900)) AS t1')),
        ("films?select=id&title=fts.x", page(ID, '(SELECT rowid AS "rowid", "id", "title", "director" FROM main."films" WHERE (year > 1900)) AS t1 WHERE t1."rowid" IN (SELECT rowid FROM main."search" WHERE "search" MATCH ? UNION ALL SELECT rowid FROM main."search" WHERE ? AND rowid NOT IN (SELECT rowid FROM main."search" WHERE "search" MATCH ?))')),
        ("people?select=id", page(ID, '(WITH "films" AS NOT MATERIALIZED (SELECT "id", "title", "director" FROM main."films" WHERE (year > 1900)) SELECT "id", "name" FROM main."people" WHERE (id IN (SELECT director FROM films))) AS t1')),
    ],
)  # fmt: skip
def test_a_table_is_read_as_the_role_may_read_it(target: str, sql: str) -> None:
    assert compiled_read(target, names=LIMITED).page.sql == sql


@pytest.mark.parametrize(
    ("method", "target", "columns", "prefer", "sql", "tail"),
    [
        ("POST", "films", "id,title", "", 'INSERT INTO main."films" ("id", "title") VALUES (?, ?)', []),
        ("POST", "films", "", "", 'INSERT INTO main."films" DEFAULT VALUES', []),
        ("POST", "films?select=id", "title", "return=representation", 'INSERT INTO main."films" ("title") VALUES (?) RETURNING 1, CAST(json_object(\'id\', "films"."id") AS BLOB)', []),
        ("POST", "films", "title", "return=headers-only", """INSERT INTO main."films" ("title") VALUES (?) RETURNING 1, CASE typeof("films"."id") WHEN 'text' THEN CAST("films"."id" AS BLOB) WHEN 'blob' THEN '\\x' || lower(hex("films"."id")) ELSE "films"."id" END""", []),
        ("POST", "films", "id,title", "resolution=merge-duplicates", 'INSERT INTO main."films" ("id", "title") VALUES (?, ?) ON CONFLICT ("id") DO UPDATE SET "title" = excluded."title"', []),
        ("POST", "films", "id", "resolution=merge-duplicates", 'INSERT INTO main."films" ("id") VALUES (?) ON CONFLICT ("id") DO UPDATE SET "id" = excluded."id"', []),
        ("POST", "films?on_conflict=title", "id,title", "resolution=ignore-duplicates", 'INSERT INTO main."films" ("id", "title") VALUES (?, ?) ON CONFLICT ("title") DO NOTHING', []),
        ("PUT", "films?id=eq.1", "id,title", "", 'INSERT INTO main."films" ("id", "title") VALUES (?, ?) ON CONFLICT ("id") DO UPDATE SET "title" = excluded."title"', []),
        ("PATCH", "films?id=eq.1", "title,year", "", 'UPDATE main."films" SET "title" = ?, "year" = ? WHERE "films"."id" = ?', [0]),
        ("PATCH", "films?id=gt.1&order=id&limit=1", "title", "", 'UPDATE main."films" SET "title" = ? WHERE ("films"."rowid") IN (SELECT "films"."rowid" FROM main."films" AS "films" WHERE "films"."id" > ? ORDER BY "films"."id" LIMIT ?)', [0, 1]),
        ("DELETE", "films?year=lt.1900", "", "count=exact", 'DELETE FROM main."films" WHERE "films"."year" < ? RETURNING 1', [0]),
        ("DELETE", "roles?order=film&limit=1&offset=2", "", "", 'DELETE FROM main."roles" WHERE ("roles"."film", "roles"."actor") IN (SELECT "roles"."film", "roles"."actor" FROM main."roles" AS "roles" ORDER BY "roles"."film" LIMIT ? OFFSET ?)', [0, 1]),
    ],
)  # fmt: skip
def test_writes(method: str, target: str, columns: str, prefer: str, sql: str, tail: list[int]) -> None:
    write = compiled_write(method, target, columns=columns, prefer=prefer)
    assert (write.sql, [p.index for p in write.tail if isinstance(p, Literal)]) == (sql, tail)


@pytest.mark.parametrize(
    ("method", "target", "columns", "sql"),
    [
        ("POST", "films", "title", 'INSERT INTO main."films" ("title") VALUES (?) RETURNING (year < 2100) IS TRUE'),
        ("PATCH", "films", "title", 'UPDATE main."films" SET "title" = ? WHERE (year > 1900) RETURNING (year < 2100) IS TRUE'),
        ("PATCH", "films?id=eq.1", "title", 'UPDATE main."films" SET "title" = ? WHERE "films"."id" = ? AND (year > 1900) RETURNING (year < 2100) IS TRUE AND (year > 1900) IS TRUE'),
        ("DELETE", "films", "", 'DELETE FROM main."films" WHERE (year > 1900)'),
    ],
)  # fmt: skip
def test_a_write_reaches_and_leaves_what_the_role_may(method: str, target: str, columns: str, sql: str) -> None:
    assert compiled_write(method, target, columns=columns, names=LIMITED).sql == sql


def test_the_restrictive_policy_that_a_new_row_violates_is_told_by_its_place() -> None:
    def grant(table: Table) -> Access:
        access = granted(table, *table.columns, insertable=("title",), visible=Always())
        named = Expression(("year > 1950",), name="modern")
        return replace(access, insert_checks=(*access.insert_checks, named))

    write = compiled_write("POST", "films", columns="title", names=names_of(grant=grant))
    assert write.policies == (None, "modern")
    assert write.sql == (
        'INSERT INTO main."films" ("title") VALUES (?) RETURNING '
        "CASE WHEN NOT (year < 2100) IS TRUE THEN 0 WHEN NOT (year > 1950) IS TRUE THEN -2 ELSE 1 END"
    )


def test_an_upsert_skips_no_row_silently() -> None:
    both = names_of(grant=lambda t: granted(t, *t.columns, insertable=tuple(t.columns), updatable=tuple(t.columns)))
    write = compiled_write("POST", "roles", columns="film,actor", prefer="resolution=merge-duplicates", names=both)
    assert (write.returning, write.every_row, write.resolves) == (True, True, True)
    assert write.sql == (
        'INSERT INTO main."roles" ("film", "actor") VALUES (?, ?) ON CONFLICT ("film", "actor") '
        'DO UPDATE SET "film" = excluded."film" WHERE (year > 1900) IS TRUE AND '
        '(SELECT (year < 2100) IS TRUE AND (year > 1900) IS TRUE FROM (SELECT excluded."film" AS "film", '
        'excluded."actor" AS "actor") AS "roles") '
        "RETURNING ((year < 2100) IS TRUE AND (year > 1900) IS TRUE) + 2 * ((year < 2100) IS TRUE AND (year > 1900) IS TRUE)"
    )


def test_a_proposed_row_is_compared_by_the_affinity_of_its_columns() -> None:
    schema = schema_of("CREATE TABLE notes (id INTEGER PRIMARY KEY, owner UUID, text)")
    own = Expression(("owner = 7 AND text = 'a'",))
    names = names_of(schema, lambda t: granted(t, *t.columns, insertable=("id",), visible=Always(), check=own))
    write = compiled_write("POST", "notes", columns="id", prefer="resolution=ignore-duplicates", names=names)

    owner, check = 'excluded."owner"', "(owner = 7 AND text = 'a') IS TRUE"

    def allowed(owner: str) -> str:
        return (
            f'(SELECT {check} FROM (SELECT excluded."id" AS "id", {owner} AS "owner", excluded."text" AS "text", '
            'excluded."rowid" AS "rowid", excluded."oid" AS "oid", excluded."_rowid_" AS "_rowid_") AS "notes")'
        )

    assert write.sql == (
        'INSERT INTO main."notes" ("id") VALUES (?) ON CONFLICT ("id") DO UPDATE SET "id" = "id" WHERE NOT '
        f"CASE WHEN typeof({owner}) NOT IN ('text', 'blob') THEN {allowed(f'CAST({owner} AS NUMERIC)')} "
        f"WHEN typeof({owner}) IN ('text', 'blob') THEN {allowed(owner)} END RETURNING {check}"
    )


def test_a_row_that_is_ignored_must_be_allowed_too() -> None:
    inserting = names_of(grant=lambda t: granted(t, *t.columns, insertable=tuple(t.columns)))
    write = compiled_write(
        "POST", "roles", columns="film,actor", prefer="resolution=ignore-duplicates", names=inserting
    )
    assert (write.returning, write.every_row, write.resolves) == (True, False, True)
    assert write.sql == (
        'INSERT INTO main."roles" ("film", "actor") VALUES (?, ?) ON CONFLICT ("film", "actor") '
        'DO UPDATE SET "film" = "film" WHERE NOT '
        '(SELECT (year < 2100) IS TRUE AND (year > 1900) IS TRUE FROM (SELECT excluded."film" AS "film", '
        'excluded."actor" AS "actor") AS "roles") '
        "RETURNING (year < 2100) IS TRUE AND (year > 1900) IS TRUE"
    )


def test_a_role_that_reaches_nothing_writes_nothing() -> None:
    never = names_of(grant=lambda t: granted(t, *t.columns, updatable=("title",), visible=Never(), check=Always()))
    assert compiled_write("PATCH", "films", columns="title", names=never).sql == (
        'UPDATE main."films" SET "title" = ? WHERE 0'
    )
    assert compiled_read("films?select=id", names=never).page.sql.endswith(' FROM main."films" WHERE 0) AS t1')


@pytest.mark.parametrize("name", ["t1", "T1", "t2"])
def test_no_alias_takes_the_name_of_the_table_that_is_written(name: str) -> None:
    schema = schema_of(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, up INTEGER REFERENCES {name} (id))")
    write = compiled_write(
        "PATCH", f"{name}?select=up(id)", columns="id", prefer="return=representation", names=names_of(schema)
    )
    alias = "t1" if name == "t2" else "t2"
    assert f'FROM main."{name}" AS {alias} WHERE {alias}."id" = "{name}"."up"' in write.sql


def test_a_policy_s_subqueries_read_what_the_role_may_read_in_writes_as_well() -> None:
    people = Source("people", ("id", "name"), Expression(("id IN (SELECT director FROM films)",), (
        Source("films", ("id", "director"), Always()),
    )))  # fmt: skip
    own = Expression(
        ("director IN (SELECT id FROM people)",), (people, Source("roles", (), Always(), unrestricted=True))
    )
    within = names_of(grant=lambda t: granted(t, *t.columns, updatable=("title",), visible=own, check=own))
    tables = (
        'WITH "people" AS NOT MATERIALIZED (WITH "films" AS NOT MATERIALIZED (SELECT "id", "director" FROM main."films") '
        'SELECT "id", "name" FROM main."people" WHERE (id IN (SELECT director FROM films))) '
    )
    holds = f"({tables}SELECT (director IN (SELECT id FROM people))) IS TRUE"
    assert compiled_write("PATCH", "films", columns="title", names=within).sql == (
        f'UPDATE main."films" SET "title" = ? WHERE {holds} RETURNING {holds}'
    )


def test_the_rowid_of_a_policed_table_is_named_as_no_column_is() -> None:
    schema = schema_of("""
        CREATE TABLE notes (rowid INTEGER PRIMARY KEY, text TEXT);
        CREATE VIRTUAL TABLE search USING fts5 (text, content = 'notes', content_rowid = 'rowid');
    """)
    policed = names_of(schema, lambda t: granted(t, *t.columns))
    assert compiled_read("notes?select=text&text=fts.x", names=policed).page.sql.endswith(
        'FROM (SELECT rowid AS "rowid_", "rowid", "text" FROM main."notes" WHERE (year > 1900)) AS t1 '
        'WHERE t1."rowid_" IN (SELECT rowid FROM main."search" WHERE "search" MATCH ?'
        ' UNION ALL SELECT rowid FROM main."search" WHERE ? AND rowid NOT IN (SELECT rowid FROM main."search" WHERE "search" MATCH ?))'
    )


# ---- what holds of every statement -----------------------------------------------------------------------------

EMBEDS = {
    "films": [("director", "people"), ("people!roles", "people"), ("roles", "roles")],
    "people": [("films!director", "films"), ("films!roles", "films"), ("roles", "roles")],
    "roles": [("film", "films"), ("actor", "people")],
}
COLUMNS = {
    "films": ["id", "title", "year", "good", "facts", "director", "slug", "facts->a", "facts->>a", "facts->a->0"],
    "people": ["id", "name"],
    "roles": ["film", "actor"],
}
CASTS = ["", "", "", "::text", "::int", "::bool", "::json", "::numeric", "::bytea"]
AGGREGATES = ["count()", "id.count()", "id.sum()", "id.min()::text", "id.avg()"]
OPERATORS = [
    "eq.",
    "neq.",
    "gt.",
    "lte.",
    "like.",
    "ilike.",
    "match.",
    "imatch.",
    "isdistinct.",
    "cs.{}",
    "ov.{}",
    "cd.",
]
LISTS = ["in.(", "eq(any).{", "gt(all).{", "ilike(any).{", "neq(all).{"]


class Drawn:
    """A query that is drawn level by level, with what was said of each level."""

    def __init__(self, draw: st.DrawFn, literal: st.SearchStrategy[str]) -> None:
        self.draw = draw
        self.literal = literal
        self.parameters: list[str] = []

    def filter(self, table: str) -> tuple[str, str]:
        column = self.draw(st.sampled_from(COLUMNS[table]))
        negated = self.draw(st.sampled_from(["", "not."]))
        kind = self.draw(st.integers(0, 3))
        if kind == 0:
            value = self.draw(st.sampled_from(["is.null", "is.true", "is.false"]))
        elif kind == 1:
            opening = self.draw(st.sampled_from(LISTS))
            value = (
                f"{opening}{self.draw(self.literal)},{self.draw(self.literal)}{')' if opening.endswith('(') else '}'}"
            )
        else:
            value = self.draw(st.sampled_from(OPERATORS)) + self.draw(self.literal)
        return column, negated + value

    def level(self, table: str, path: str, depth: int) -> str:
        draw = self.draw
        columns = draw(
            st.lists(st.tuples(st.sampled_from(COLUMNS[table]), st.sampled_from(CASTS)), min_size=1, max_size=3)
        )
        items = [column + cast for column, cast in columns]
        if draw(st.booleans()):
            items.append("*")
        if draw(st.integers(0, 3)) == 0:
            items = [*items[:1], draw(st.sampled_from(AGGREGATES if table != "roles" else AGGREGATES[:1]))]
        for number in range(draw(st.integers(0, 2)) if depth else 0):
            way, target = draw(st.sampled_from(EMBEDS[table]))
            alias = f"e{depth}{number}"
            spread, inner = draw(st.sampled_from(["", "..."])), draw(st.sampled_from(["", "!inner", "!left"]))
            items.append(f"{spread}{alias}:{way}{inner}({self.level(target, f'{path}{alias}.', depth - 1)})")
            if draw(st.integers(0, 3)) == 0:
                self.parameters.append(f"{path}{alias}={draw(st.sampled_from(['is.null', 'not.is.null']))}")
        for _ in range(draw(st.integers(0, 2))):
            column, value = self.filter(table)
            if draw(st.booleans()):
                self.parameters.append(f"{path}{column}={value}")
            else:
                self.parameters.append(f"{path}or=({column}.{value},{'.'.join(self.filter(table))})")
        if draw(st.booleans()):
            self.parameters.append(f"{path}order={draw(st.sampled_from(COLUMNS[table]))}.desc")
        if draw(st.booleans()):
            self.parameters.append(f"{path}limit={draw(st.integers(0, 3))}")
        return ",".join(items)


@st.composite
def reads(draw: st.DrawFn, literal: st.SearchStrategy[str]) -> str:
    drawn = Drawn(draw, literal)
    table = draw(st.sampled_from(sorted(EMBEDS)))
    select = drawn.level(table, "", draw(st.integers(0, 2)))
    return f"{table}?" + "&".join([f"select={select}", *drawn.parameters])


FORMS = ["", "text/csv", "application/vnd.pgrst.array+json;nulls=stripped"]
ROLES = [names_of(), LIMITED]


@pytest.fixture(scope="module")
def library() -> apsw.Connection:
    connection = open_library()
    connection.execute("""
        INSERT INTO people VALUES (1, 'a', 'x'), (2, 'b, "c"', 'y'), (3, '', NULL);
        INSERT INTO films (id, title, year, good, facts, director) VALUES
            (1, 'A', 2000, 1, '{"a": [1, "two"]}', 1), (2, 'B', 1800, 0, 'no json', 2), (3, x'0041', NULL, 'maybe', '5', NULL);
        INSERT INTO roles VALUES (1, 1), (1, 2), (2, 3);
    """)
    return connection


def run(library: apsw.Connection, statement: Statement, values: list[str]) -> list[Any]:
    return library.execute(statement.sql, statement.bind(values, ANONYMOUS)).fetchall()


def compiled_or_refused(target: str, accept: str, names: Names) -> ReadTransaction | None:
    try:
        return compiled_read(target, accept=accept, prefer="count=exact", names=names)
    except ApiError as error:
        refused = error.status
    assert refused < 500
    return None


@given(reads(st.sampled_from(["1", "A", "1.5", "", "2000"])), st.sampled_from(FORMS), st.sampled_from(ROLES))
def test_sqlite_runs_every_statement_and_its_two_forms_agree(
    library: apsw.Connection, target: str, accept: str, names: Names
) -> None:
    transaction = compiled_or_refused(target, accept, names)
    if transaction is None:
        return
    _, values = request_of("GET", target)
    try:
        ((count, body, total),) = run(library, transaction.page, values)
    except RequestError:  # a literal that its column cannot be compared with
        return
    rows = [text for (text,) in run(library, transaction.rows, values)]
    framing = transaction.framing
    assert (body or b"") == framing.separator.join(rows)
    assert run(library, transaction.size, values) == [(count, total)]
    assert count == len(rows) <= total
    text = (framing.prefix + (body or b"") + framing.suffix).decode()
    if accept == "text/csv":
        records = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert {len(record) or 1 for record in records} == {len(records[0])}
    else:
        assert len(json.loads(text)) == count


MARKER = "mArKeR"


@given(reads(st.just(MARKER)), st.sampled_from(FORMS), st.sampled_from(ROLES))
def test_no_literal_of_a_read_becomes_sql(target: str, accept: str, names: Names) -> None:
    transaction = compiled_or_refused(target, accept, names)
    if transaction is not None:
        statements = [transaction.page, transaction.rows, transaction.size]
        assert [MARKER in statement.sql for statement in statements] == [False] * 3
        assert [statement.sql.count("?") for statement in statements] == [len(s.parameters) for s in statements]


@given(
    st.sampled_from(["PATCH", "DELETE"]),
    st.lists(st.sampled_from(COLUMNS["films"]), min_size=1, max_size=3),
    st.sampled_from([*OPERATORS[:9], "in.("]),
    st.sampled_from(["", "return=representation", "count=exact"]),
    st.sampled_from(["", "&order=id&limit=1"]),
)
def test_sqlite_prepares_every_write_and_no_literal_becomes_sql(
    library: apsw.Connection, method: str, columns: list[str], operator: str, prefer: str, limit: str
) -> None:
    filters = "&".join(f"{column}={operator}{MARKER}" for column in columns)
    target = f"films?select=id,director(name),roles(*)&{filters}{limit}"
    write = compiled_write(method, target, columns="title", prefer=prefer)
    assert MARKER not in write.sql
    values = 0 if method == "DELETE" else 1
    assert write.sql.count("?") == values + len(write.tail)
    library.execute(f"EXPLAIN {write.sql}", (None,) * (values + len(write.tail))).fetchall()
