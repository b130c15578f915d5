"""Whatever is asked, it is answered: never with a 500, never with half of a write."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import Api, served

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = ["films", "people", "roles", "id", "title", "year", "facts", "name", "stars", "*", "id,title"]
PARAMETERS = ["select", "order", "limit", "offset", "and", "or", "not"]
FILTERS = ["eq", "any", "eq.1", "gt(all).{1}", "in.(1,2)", "is.null", "cs.{}", "fts.x", "like.*", "match.("]
ITEMS = [
    "reviews(id)",
    "director!inner(name)",
    "...posters(*)",
    "count()",
    "year.sum()",
    "facts->a",
    "facts->>0",
    "id::int",
]
SIGNS = [*',.()"\\{}:&=%+ ', "->", "1", "-1", "9999999999999999999999"]
WORDS = st.sampled_from([*NAMES, *PARAMETERS, *FILTERS, *ITEMS, *SIGNS])
PIECES = st.lists(WORDS | TEXTS, max_size=6).map("".join)
KEYS = st.sampled_from(
    ["select", "order", "limit", "offset", "and", "or", "not.or", "columns", "on_conflict", "id", "facts"]
)
QUERIES = st.lists(st.tuples(KEYS | PIECES, PIECES), max_size=4)
HEADERS = st.sampled_from(
    [
        {},
        {"accept": "text/csv"},
        {"accept": "application/vnd.pgrst.object+json"},
        {"accept": "application/vnd.pgrst.array+json;nulls=stripped"},
        {"range": "0-1", "prefer": "count=exact"},
        {"range": "99999999999999999-"},
        {"prefer": "count=planned,handling=strict"},
    ]
)
RESOURCES = st.sampled_from(["films", "people", "reviews", "roles", "genres", "long_reviews", "posters"]) | TEXTS
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.sampled_from(["M", "\\x00", "2000-01-01"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
ROWS = st.dictionaries(st.sampled_from(["id", "title", "year", "facts", "film", "stars", "x"]), VALUES, max_size=3)
BODIES = (ROWS | st.lists(ROWS, max_size=3)).map(json.dumps) | st.binary(max_size=30).map(lambda b: b.decode("latin-1"))
CHECKED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def target_of(resource: str, query: list[tuple[str, str]]) -> str:
    pairs = "&".join(f"{quote(key)}={quote(value)}" for key, value in query)
    return f"{quote(resource, safe='')}?{pairs}"


def is_an_error(body: Any) -> bool:
    return isinstance(body, dict) and set(body) == {"code", "message", "details", "hint"} and bool(body["message"])


@CHECKED
@given(RESOURCES, QUERIES, HEADERS)
def test_any_read_is_answered_or_refused(
    api: Api, resource: str, query: list[tuple[str, str]], headers: dict[str, str]
) -> None:
    answer = api("GET", target_of(resource, query), **headers)
    assert answer.status in (200, 206) or (300 <= answer.status < 500 and is_an_error(answer.body)), answer


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Api]:
    """Serve a file that all examples write."""
    schema = request.path.with_name("library.sql").read_text()
    with served(tmp_path_factory.mktemp("scratch") / "library.db", schema) as api:
        yield api


@CHECKED
@given(
    st.sampled_from(["POST", "PATCH", "PUT", "DELETE"]),
    st.sampled_from(["films", "reviews", "roles", "genres", "long_reviews"]),
    QUERIES,
    BODIES,
    st.sampled_from(["application/json", "text/csv", "application/x-www-form-urlencoded"]),
    st.sampled_from(
        ["", "return=representation", "resolution=merge-duplicates,return=representation", "missing=default"]
    ),
)
def test_any_write_happens_whole_or_is_refused(
    scratch: Api, method: str, resource: str, query: list[tuple[str, str]], body: str, content_type: str, prefer: str
) -> None:
    count = f"SELECT count(*), total(id) FROM {resource}" if resource != "roles" else "SELECT count(*), 0 FROM roles"
    before = scratch.rows(count)
    answer = scratch(
        method, target_of(resource, query), content=body.encode(), content_type=content_type, prefer=prefer
    )
    assert answer.status < 300 or (300 <= answer.status < 500 and is_an_error(answer.body)), answer
    if answer.status >= 300:
        assert scratch.rows(count) == before
    assert scratch.rows("PRAGMA foreign_key_check") == []


@pytest.mark.parametrize(
    "target",
    [
        "films?select=" + "director(" * 31 + "id" + ")" * 31,
        "genres?select=" + "parent(" * 30 + "id" + ")" * 30,
        "genres?select=" + "genres(" * 30 + "id" + ")" * 30,
        "films?or=(" + "and(" * 29 + "id.eq.1" + ")" * 30,
        "films?title=like." + "*a" * 5000,
        "films?title=ilike." + "a" * 60_000,
        "films?title=match." + "(a*)*" * 1000,
        "films?facts=cs." + "[" * 5000,
        "films?facts" + "->a" * 5000 + "=eq.1",
        "films?id=in.(" + "1," * 25_000 + "1)",
        "films?" + "id=eq.1&" * 999,
        "films?select=" + ",".join(f"c{n}:id" for n in range(3000)),
        "films?select=" + ",".join(f"c{n}:director(id)" for n in range(100)),
        "films?order=" + ",".join(["id"] * 3000),
        "films?select=id" + "&or=(id.eq.1,id.eq.2)" * 900,
    ],
    ids=lambda target: target[:30],
)
def test_a_request_of_great_size_or_depth_is_answered_or_refused(api: Api, target: str) -> None:
    answer = api("GET", target)
    assert answer.status == 200 or (400 <= answer.status < 500 and is_an_error(answer.body)), answer
