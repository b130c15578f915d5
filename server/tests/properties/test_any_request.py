"""Whatever is asked is answered: no internal error, no answer that cannot be read, no hang, and no broken file."""

# ruff: noqa: E501 - lists of words read better in few lines

import csv
import io
import json
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .serving import SERVICE, Answer, Place, token

pytestmark = pytest.mark.timeout(900)  # what is found is made smaller before it is shown

SCHEMA: Final = """
    CREATE TABLE films (
        id INTEGER PRIMARY KEY, title TEXT NOT NULL, year INT CHECK (year > 1800), director INTEGER REFERENCES people,
        data JSON, seen BOOLEAN DEFAULT 0, poster BLOB, rating REAL, "odd ""name." ANY, made DATE, price DECIMAL(8, 2),
        upper_title GENERATED ALWAYS AS (upper(title)), UNIQUE (title, year)
    );
    CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE,
        boss INTEGER REFERENCES people (id)) STRICT;
    CREATE TABLE roles (film INT REFERENCES films ON DELETE CASCADE, person INT REFERENCES people, part TEXT,
        PRIMARY KEY (film, person)) WITHOUT ROWID;
    CREATE TABLE log (line TEXT, at REAL);
    CREATE VIEW seen_films AS SELECT id, title, director FROM films WHERE seen;
    CREATE TRIGGER see INSTEAD OF UPDATE ON seen_films BEGIN UPDATE films SET title = new.title WHERE id = new.id; END;
    CREATE TRIGGER no_log BEFORE INSERT ON log WHEN new.line = 'no' BEGIN SELECT RAISE(ABORT, 'not this line'); END;
    CREATE VIRTUAL TABLE films_fts USING fts5(title, content=films, content_rowid=id);
    INSERT INTO people VALUES (1, 'Fritz Lang', NULL), (2, 'Jacques Tati', 1);
    INSERT INTO films (id, title, year, director, data, poster, rating) VALUES
        (1, 'Metropolis', 1927, 1, '{"a":[1,{"b":null}],"c":"x"}', x'00ff', 9e999),
        (2, 'M', 'long ago', 1, '{bad', 'text', 'nan'),
        (3, x'ff', NULL, 9, x'01', NULL, -0.0),
        (4, CAST(x'c328' AS TEXT), 9223372036854775807, 2, '[1,2]', NULL, 1e308);
    INSERT INTO roles VALUES (1, 2, 'x'), (2, 1, NULL);
    INSERT INTO log VALUES ('a', 1), ('a', 1), (NULL, 'b');
    INSERT INTO films_fts (films_fts) VALUES ('rebuild');
"""
POLICIES: Final = """
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO authenticated;
    ALTER TABLE films ENABLE ROW LEVEL SECURITY;
    ALTER TABLE log ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON films USING (director IN (SELECT id FROM people) OR title = auth_uid());
    CREATE POLICY log ON log USING (at ->> auth_jwt('path') IS NOT 5);
"""

_METHODS = ("GET", "GET", "GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW", "get", "")
_TABLES = (
    "films",
    "films",
    "films",
    "people",
    "roles",
    "log",
    "seen_films",
    "films_fts",
    "",
    "nothing",
    "rpc/f",
    "films/1",
    "sqlite_master",
)
_COLUMNS = (
    "id",
    "title",
    "year",
    "director",
    "data",
    "seen",
    "poster",
    "rating",
    '"odd \\"name."',
    "upper_title",
    "name",
    "boss",
    "film",
    "part",
    "line",
    "at",
    "count",
    "rowid",
    "films_fts",
    "data->a->0",
    "data->>c",
    "data->a->-1->>b",
    'data->"a\\"',
    "made",
    "*",
    "price",
)
_OPERATORS = (
    "eq",
    "neq",
    "gt",
    "gte",
    "lt",
    "lte",
    "like",
    "ilike",
    "match",
    "imatch",
    "in",
    "is",
    "isdistinct",
    "fts",
    "plfts",
    "phfts",
    "wfts",
    "cs",
    "cd",
    "ov",
    "not.eq",
    "not.in",
    "not.not",
    "eq(any)",
    "like(all)",
    "fts(english)",
    "sl",
    "adj",
    "eq(x)",
    "",
)
_LITERALS = (
    "1",
    "-1",
    "1e999",
    "9223372036854775808",
    "nan",
    "null",
    "true",
    "x",
    "M*",
    "%",
    "(1,2)",
    "()",
    '("a,b",c)',
    "{1,2}",
    '{"a":1}',
    "[1]",
    "{",
    "(",
    '"',
    "\\",
    "\x00",
    "\ud7ff",
    "[[",
    "(a|",
    "a{1,1000}",
    "(?P<x>a)",
    "a & (b | !c)",
    "a <-> b",
    "\\x0g",
    "\\x00ff",
    "2024-01-01",
    "",
    " ",
    ",",
    "é\U0001f600",
    "(" * 40,
)
_WORDS = (
    "select",
    "order",
    "limit",
    "offset",
    "and",
    "or",
    "not.and",
    "not.or",
    "columns",
    "on_conflict",
    "films.limit",
    "roles.order",
    "director.name",
    "people.or",
    "films.not.or",
)
_RELATIONS = (
    "director",
    "people",
    "roles",
    "films",
    "people!roles",
    "people!director",
    "...people",
    "...roles",
    "a:people",
    "seen_films",
    "boss",
    "people!inner",
    "films!left",
    "people!x",
)
_TOKENS = (
    *_COLUMNS,
    *_OPERATORS,
    *_LITERALS,
    *_WORDS,
    *_RELATIONS,
    ".",
    ",",
    "(",
    ")",
    "=",
    "&",
    ":",
    "::",
    "->",
    "->>",
    "!",
    "*",
    '"',
    "::int",
    ".sum()",
    "count()",
    ".desc",
    ".nullslast",
    "%",
    "%00",
    "%ff",
    "+",
    "not.",
    "is.null",
)

_CASTS = ("text", "int", "json", "bool", "bytea", "real", "numeric", "x")
_ORDERS = (*_COLUMNS, "id.desc", "director(name)", "year.nullsfirst", "id.x")
_PAGES = ("limit", "offset", "people.limit", "roles.offset")
_COUNTS = ("0", "1", "-1", "x", "9" * 25, "1e2")

_one = st.sampled_from


@st.composite
def _select(draw: st.DrawFn, depth: int = 2) -> str:
    items = []
    for _ in range(draw(st.integers(0, 4))):
        match draw(st.integers(0, 5)):
            case 0 if depth:
                items.append(f"{draw(_one(_RELATIONS))}({draw(_select(depth - 1))})")
            case 1:
                items.append(f"{draw(_one(_COLUMNS))}.{draw(_one(['sum', 'avg', 'min', 'max', 'count', 'x']))}()")
            case 2:
                items.append(f"{draw(_one(_COLUMNS))}::{draw(_one(_CASTS))}")
            case 3:
                items.append(f"{draw(_one(['a', 'é', '', 'b c']))}:{draw(_one(_COLUMNS))}")
            case _:
                items.append(draw(_one(_COLUMNS)))
    return ",".join(items)


@st.composite
def _condition(draw: st.DrawFn) -> str:
    return f"{draw(_one(_COLUMNS))}.{draw(_one(_OPERATORS))}.{draw(_one(_LITERALS))}"


@st.composite
def _parameter(draw: st.DrawFn) -> str:
    match draw(st.integers(0, 8)):
        case 0 | 1:
            return f"select={draw(_select())}"
        case 2:
            return f"order={','.join(draw(st.lists(_one(_ORDERS), max_size=3)))}"
        case 3:
            return f"{draw(_one(_PAGES))}={draw(_one(_COUNTS))}"
        case 4:
            conditions = draw(st.lists(st.one_of(_condition(), st.just("or(id.eq.1,id.eq.2)")), max_size=4))
            return f"{draw(_one(['and', 'or', 'not.or', 'people.or']))}=({','.join(conditions)})"
        case 5:
            return f"{draw(_one(['columns', 'on_conflict']))}={','.join(draw(st.lists(_one(_COLUMNS), max_size=3)))}"
        case _:
            return f"{draw(_one(_COLUMNS))}={draw(_one(_OPERATORS))}.{draw(_one(_LITERALS))}"


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace").replace(b"#", b"%23").replace(b" ", b"%20")


queries = st.one_of(
    st.lists(_parameter(), max_size=4).map("&".join).map(_encoded),
    st.lists(_parameter(), max_size=4).map("&".join).map(_encoded),
    st.lists(_one(_TOKENS), max_size=12).map("".join).map(_encoded),
    st.binary(max_size=40),
)

_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), _one(_LITERALS)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_one(_COLUMNS), inner, max_size=4)),
    max_leaves=8,
)
_NAMES = [name for name in _COLUMNS if "-" not in name] + ['odd "name.', "é"]
_ROWS = st.lists(st.dictionaries(_one(_NAMES), _JSON, max_size=3), max_size=3)
_bodies = st.one_of(
    st.dictionaries(_one(_NAMES), _JSON, max_size=4).map(lambda row: json.dumps(row).encode()),
    _ROWS.map(lambda rows: json.dumps(rows).encode()),
    _JSON.map(lambda value: json.dumps(value).encode()),
    st.lists(st.lists(_one([*_NAMES, *_LITERALS]), max_size=3).map(",".join), max_size=3).map("\n".join).map(_encoded),
    st.lists(_parameter(), max_size=3).map("&".join).map(_encoded),
    st.binary(max_size=30),
    _one(
        [
            b"",
            b"[]",
            b"{}",
            b"[{}]",
            b"null",
            b"[" * 5000,
            b'{"id":' * 1000,
            b'{"id":1,"id":2}',
            b'{"title":"\\ud800"}',
            b"\xef\xbb\xbfid\n1",
        ]
    ),
)
_HEADERS: Final = {
    "prefer": ("return=representation", "return=minimal", "return=headers-only", "count=exact", "count=planned", "count=estimated", "resolution=merge-duplicates", "resolution=ignore-duplicates", "missing=default", "handling=strict", "tx=rollback", "max-affected=1", "max-affected=x", "handling=strict, foo=1", "=,;", "return=representation, resolution=merge-duplicates", "return=representation,count=exact", "é"),
    "accept": ("*/*", "application/json", "text/csv", "application/vnd.pgrst.object+json", "application/vnd.pgrst.array+json;nulls=stripped", "application/octet-stream", "image/png, */*;q=0.1", ";;,", "text/*;q=2", "application/openapi+json", ""),
    "content-type": ("application/json", "text/csv", "application/x-www-form-urlencoded", "text/plain", "application/octet-stream", "multipart/form-data; boundary=x", "application/json; charset=latin1", "", ";"),
    "range": ("0-1", "5-", "1-0", "x", "-5", "99999999999999999999-", "bytes=0-1", "0-9223372036854775807", "999999999999999999-"),
    "range-unit": ("items", "bytes", ""),
    "authorization": (SERVICE["authorization"], SERVICE["authorization"], f"Bearer {token('authenticated', sub='x', path='$.a', n=[1, {}])}", f"Bearer {token('authenticated', path=chr(0))}", "Bearer x", "Bearer ", "Basic eDp4", "", f"Bearer {token('nobody')}", f"Bearer {token('anon', exp=1)}"),
    "accept-profile": ("public", "private"),
    "content-profile": ("public", "\xff"),
    "origin": ("http://x", "null"),
    "if-none-match": ("*", '"x"'),
    "x-request-id": ("a", "\xff"),
}  # fmt: skip


@st.composite
def _headers(draw: st.DrawFn) -> dict[str, str]:
    chosen = draw(st.sets(_one(sorted(_HEADERS)), max_size=4))
    headers = {name: draw(_one(_HEADERS[name])) for name in sorted(chosen)}
    if draw(st.integers(0, 4)):
        headers["authorization"] = draw(_one(_HEADERS["authorization"][:4]))
    if draw(st.integers(0, 9)) == 0:
        headers[draw(_one(sorted(_HEADERS)))] = draw(st.text(st.characters(max_codepoint=255), max_size=10))
    return headers


def assert_is_an_answer(answer: Answer, method: str) -> None:
    """Fail for an internal error, and for a body that is not what its type says."""
    assert answer.status < 500 or (answer.status == 503 and "retry-after" in answer.headers), answer
    if method == "HEAD" or not answer.body:
        return
    kind = answer.headers["content-type"]
    if answer.status >= 300:
        assert kind == "application/json; charset=utf-8"
        assert set(json.loads(answer.body)) == {"code", "message", "details", "hint"}
    elif "csv" in kind:
        assert list(csv.reader(io.StringIO(answer.body.decode(), newline="")))
    else:
        json.loads(answer.body, parse_constant=pytest.fail)


@given(st.data())
def test_any_request_is_answered(place: Place, data: st.DataObject) -> None:
    with place.served(SCHEMA, POLICIES) as served:
        for _ in range(12):
            method, body = data.draw(_one(_METHODS)), b""
            path = data.draw(
                st.one_of(_one(_TABLES).map(str.encode), _one(_TABLES).map(str.encode), st.binary(max_size=8))
            )
            query, headers = data.draw(queries), data.draw(_headers())
            if method in ("POST", "PATCH", "PUT"):
                body = data.draw(_bodies)
            target = b"%b?%b" % (path.replace(b"?", b""), query)
            assert_is_an_answer(served(method, target, headers, body, seconds=10), method)
        assert served.rows("PRAGMA integrity_check") == [("ok",)]
