"""A small schema, and requests planned and compiled against it: what the tests of planner and compiler stand on."""

from collections.abc import Callable

import apsw

from wherry.identity import ANON, SERVICE_ROLE
from wherry.policies.model import Access, Always, Expression, Never, Predicate
from wherry.rest.api_request import ApiRequest, Format
from wherry.rest.compiler import compile_plan
from wherry.rest.headers import parse_accept, parse_preferences
from wherry.rest.names import Names
from wherry.rest.plan import Plan
from wherry.rest.planner import plan_request
from wherry.rest.query_params import parse_query, split_query
from wherry.rest.write_compiler import PreparedWrite
from wherry.schema.model import Schema, Table
from wherry.schema.reader import interpret
from wherry.sqlite.catalogue import read_catalogue
from wherry.sqlite.functions import register_functions
from wherry.statement import ReadTransaction

LIBRARY = """
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, secret TEXT);
CREATE TABLE films (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL UNIQUE,
    year INTEGER,
    good BOOLEAN,
    facts JSON,
    director INTEGER REFERENCES people (id),
    slug TEXT AS (lower(title))
);
CREATE TABLE roles (film INTEGER REFERENCES films (id), actor INTEGER REFERENCES people (id), PRIMARY KEY (film, actor))
    WITHOUT ROWID;
CREATE TABLE log (line TEXT);
CREATE VIEW titles AS SELECT title FROM films;
CREATE VIRTUAL TABLE search USING fts5 (title, content = 'films', content_rowid = 'id');
"""


def open_library(sql: str = LIBRARY) -> apsw.Connection:
    """Return a database in memory, with the functions that compiled statements use."""
    connection = apsw.Connection("")
    register_functions(connection)
    connection.execute(sql)
    return connection


def schema_of(sql: str) -> Schema:
    return interpret(read_catalogue(open_library(sql)))


SCHEMA = schema_of(LIBRARY)


def whole(table: Table) -> Access:
    """Return the access of a role that may everything."""
    names, every = tuple(table.columns), Always()
    columns = frozenset(names)
    return Access(names, columns, columns, True, True, True, every, every, every, (every,), (every,), unrestricted=True)


def nothing(table: Table) -> Access:
    """Return the access of a role without a privilege."""
    never = Never()
    return Access((), frozenset(), frozenset(), False, False, False, never, never, never, (never,), (never,))


#: What a role with fewer rights sees of the films, and leaves behind.
VISIBLE, CHECK = Expression(("year > 1900",)), Expression(("year < 2100",))


def granted(
    table: Table,
    *columns: str,
    visible: Predicate = VISIBLE,
    insertable: tuple[str, ...] = (),
    updatable: tuple[str, ...] = (),
    check: Predicate = CHECK,
) -> Access:
    """Return the access of a role that reads some columns of some rows, and perhaps writes."""
    return Access(
        columns, frozenset(insertable), frozenset(updatable), bool(insertable), bool(updatable), bool(updatable),
        visible, visible, visible, (check,), (check,),
    )  # fmt: skip


Grant = Callable[[Table], Access]


def names_of(schema: Schema = SCHEMA, grant: Grant = whole) -> Names:
    return Names(schema, SERVICE_ROLE if grant is whole else ANON, grant)


def request_of(
    method: str, target: str, *, accept: str = "", prefer: str = "", columns: tuple[str, ...] = ()
) -> tuple[ApiRequest, list[str]]:
    """Parse `films?select=id`; return the request and its literals."""
    resource, _, query = target.partition("?")
    shape, values = split_query(query)
    format_: Format = parse_accept(accept)
    return ApiRequest(method, resource, parse_query(shape), parse_preferences(prefer), format_, columns), values


def planned(method: str, target: str, *, names: Names | None = None, max_rows: int | None = None, **more: str) -> Plan:
    columns = more.pop("columns", "")
    request, _ = request_of(method, target, columns=tuple(columns.split(",")) if columns else (), **more)
    return plan_request(request, names or names_of(), max_rows=max_rows)


def compiled_read(
    target: str, *, names: Names | None = None, max_rows: int | None = None, **more: str
) -> ReadTransaction:
    found = compile_plan(planned("GET", target, names=names, max_rows=max_rows, **more))
    assert isinstance(found, ReadTransaction)
    return found


def compiled_write(method: str, target: str, *, names: Names | None = None, **more: str) -> PreparedWrite:
    found = compile_plan(planned(method, target, names=names, **more))
    assert isinstance(found, PreparedWrite)
    return found
