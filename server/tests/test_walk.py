"""Read this first: one request on its walk through the server, with the value that each of the five verbs hands on.

    parse → ApiRequest, plan → Plan, compile → ReadTransaction, run → Page, respond → bytes

`wherry/rest/endpoints.py` walks the same way for every request, and remembers plan and compile by the request's shape.
"""

import asyncio
import json
from pathlib import Path

import apsw

from wherry.identity import Identity
from wherry.policies.model import Access, Always, Expression, Never
from wherry.rest.api_request import (
    ApiRequest,
    Field,
    Filter,
    Format,
    Level,
    MediaType,
    Operator,
    OrderTerm,
    Query,
    SelectEmbed,
    SelectField,
)
from wherry.rest.compiler import compile_plan
from wherry.rest.headers import parse_accept, parse_preferences
from wherry.rest.literals import to_number
from wherry.rest.names import Names
from wherry.rest.plan import (
    ColumnValue,
    Comparison,
    Join,
    OrderBy,
    OutputEmbed,
    OutputField,
    ReadPlan,
    ReadRequestPlan,
    Source,
    Total,
)
from wherry.rest.planner import plan_request
from wherry.rest.query_params import Kind, parse_query, split_query
from wherry.rest.response import ReadHeaders, content_range, read_status
from wherry.schema.model import Schema, Table
from wherry.schema.reader import interpret
from wherry.sqlite.catalogue import read_catalogue
from wherry.sqlite.database import Database
from wherry.sqlite.results import Page
from wherry.statement import Claim, Literal, ReadTransaction

LIBRARY = """
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE films (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    year INTEGER NOT NULL,
    director INTEGER REFERENCES people (id),
    owner TEXT
) STRICT;
INSERT INTO people VALUES (1, 'Fritz Lang'), (2, 'Jacques Tati');
INSERT INTO films VALUES
    (1, 'Metropolis', 1927, 1, 'ann'),
    (2, 'M', 1931, 1, 'bob'),
    (3, 'Mon oncle', 1958, 2, 'ann'),
    (4, 'Playtime', 1967, 2, 'ann');
"""

#: GET /api/rest/v1/films?select=title,director(name)&year=gte.1930&order=year.desc&limit=2
#: Prefer: count=exact, by somebody whose policy shows only the films they own.
RESOURCE = "films"
QUERY = "select=title,director(name)&year=gte.1930&order=year.desc&limit=2"
ANN = Identity("authenticated", {"sub": "ann"})
OWN_FILMS = Expression(("owner = ", Claim(("sub",))))


def test_a_request_walks_through_five_verbs(tmp_path: Path) -> None:
    # 1. parse: the query string is split into its shape, which can be remembered, and its values …
    shape, values = split_query(QUERY)
    assert shape == (
        (Kind.TEXT, "select", "title,director(name)"),
        (Kind.FILTER, "year", "gte"),
        (Kind.TEXT, "order", "year.desc"),
        (Kind.LIMIT, "limit", ""),
    )
    assert values == ["1930", "2"]

    # … and the shape becomes words of the domain; literals are indexes of values, and no name is looked up yet
    request = ApiRequest(
        method="GET",
        resource=RESOURCE,
        query=parse_query(shape),
        preferences=parse_preferences("count=exact"),
        format=parse_accept("application/json"),
    )
    director = SelectEmbed("director", None, None, None, spread=False, items=(SelectField(Field("name")),))
    asked = Level(
        conditions=(Filter(Field("year"), Operator.GTE, literal=0),),
        order=(OrderTerm(Field("year"), descending=True),),
        limit=1,
    )
    assert request.query == Query(select=(SelectField(Field("title")), director), levels={(): asked})
    assert request.format == Format(MediaType.JSON)

    # 2. plan: names become tables, columns and joins, within what the role may see
    schema = read_schema(tmp_path / "library.db")
    plan = plan_request(request, Names(schema, ANN.role, grant))
    films, people = schema.tables["films"], schema.tables["people"]
    (directed,) = [r for r in schema.relationships_of("films") if r.name == "films_director_fkey"]
    year = ColumnValue(films.columns["year"])
    assert plan == ReadRequestPlan(
        ReadPlan(
            source=Source("films", ("id", "title", "year", "director"), visible=OWN_FILMS),
            items=(
                OutputField("title", ColumnValue(films.columns["title"])),
                OutputEmbed(
                    "director",
                    Join(
                        directed,
                        ReadPlan(
                            source=Source("people", ("id", "name"), visible=Always(), unrestricted=True),
                            items=(OutputField("name", ColumnValue(people.columns["name"])),),
                        ),
                    ),
                ),
            ),
            conditions=(Comparison(year, Operator.GTE, False, None, literal=0, is_value=None),),
            order=(OrderBy(year, descending=True, nulls_first=True),),
            limit=1,
        ),
        total=Total.EXACT,
    )

    # 3. compile: SQL that makes the JSON inside SQLite; the values and the caller's claim are bound
    transaction = compile_plan(plan)
    assert isinstance(transaction, ReadTransaction)
    own_films = '(SELECT "id", "title", "year", "director" FROM main."films" WHERE (owner = ?))'
    assert transaction.page.sql == (
        "SELECT count(*), CAST(group_concat(j, ',') AS BLOB), "
        f'(SELECT count(*) FROM (SELECT 1 FROM {own_films} AS t1 WHERE t1."year" >= ?)) '
        """FROM (SELECT rtrim((rtrim(json_object('title', t2."title", '', 0), '}0:"') || '"director":' || coalesce("""
        """(SELECT json_object('name', t3."name") FROM main."people" AS t3 WHERE t3."id" = t2."director" LIMIT 1), """
        f"""'null') || ','), ',') || '}}' AS j FROM {own_films} AS t2 """
        'WHERE t2."year" >= ? ORDER BY t2."year" DESC LIMIT ?)'
    )
    sub, gte, limit = Claim(("sub",)), Literal(0, to_number), transaction.page.parameters[-1]
    assert transaction.page.parameters == (sub, gte, sub, gte, limit)
    assert transaction.page.bind(values, ANN) == ("ann", 1930, "ann", 1930, 2)

    # 4. run: one row comes back: how many rows, their bytes, and the total without the limit
    page = asyncio.run(run(tmp_path / "library.db", transaction, values, schema))
    tati = b'"director":{"name":"Jacques Tati"}'
    body = b'[{"title":"Playtime",%b},{"title":"Mon oncle",%b}]' % (tati, tati)
    assert (page.rows, page.total, page.body) == (2, 2, body)

    # 5. respond: the status, the headers, and the bytes as SQLite wrote them
    assert read_status(rows=page.rows, total=page.total, offset=0) == 200
    assert content_range(rows=page.rows, total=page.total, offset=0) == b"0-1/2"
    assert ReadHeaders.of(request.format, request.preferences).fixed == (
        (b"content-type", b"application/json; charset=utf-8"),
        (b"preference-applied", b"count=exact"),
    )
    assert json.loads(page.body) == [
        {"title": "Playtime", "director": {"name": "Jacques Tati"}},
        {"title": "Mon oncle", "director": {"name": "Jacques Tati"}},
    ]


def read_schema(path: Path) -> Schema:
    """Make the file, and read its schema as the server does when it starts."""
    connection = apsw.Connection(str(path))
    connection.execute(LIBRARY)
    schema = interpret(read_catalogue(connection))
    connection.close()
    return schema


def grant(table: Table) -> Access:
    """Grant what a policies.sql would: all people to read, and of the films one's own, without the column of owners."""
    visible = OWN_FILMS if table.name == "films" else Always()
    columns = tuple(name for name in table.columns if name != "owner")
    nothing: frozenset[str] = frozenset()
    never = Never()
    return Access(columns, nothing, nothing, False, False, False, visible, never, never, never, never)


async def run(path: Path, transaction: ReadTransaction, values: list[str], schema: Schema) -> Page:
    """Open the database, run the one read, and close it."""
    database = Database.open(path, sidecar=path.with_suffix(".wherry"), emit=lambda observation: None)
    try:
        page = await database.read(transaction, values, ANN, schema.version)
    finally:
        await database.close()
    assert isinstance(page, Page)
    return page
