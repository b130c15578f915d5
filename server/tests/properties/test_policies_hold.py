"""What a role sees is what it would see in a database that holds only what it may see.

For random policies and random requests, a database is served to a role, and beside it a copy that holds the rows and
columns which `oracle` finds permitted, where the role may read everything. Both give the same answer: status, body, and
the headers that say something about the data.

The one difference that is meant: a table that the role may not read is refused by its name (42501), while the copy
does not have it.
"""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from .oracle import Oracle
from .requests import Read, reads
from .serving import Answer, Place, Server, token
from .worlds import TABLES, World, worlds
from .writes import writes

pytestmark = pytest.mark.timeout(900)  # what is found is made smaller before it is shown

HEADERS = ("content-type", "content-range", "content-location", "preference-applied", "location", "www-authenticate")


def caller(world: World) -> dict[str, str]:
    """Return the headers of who asks; `anon` without claims sends no token."""
    if world.role == "anon" and not world.claims:
        return {}
    return {"authorization": f"Bearer {token(world.role, **world.claims)}"}


def without_order(value: Any) -> Any:
    """Sort every list: without an order, and with other rows in the table, rows come as they like."""
    match value:
        case list():
            return sorted((without_order(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
        case dict():
            return {key: without_order(item) for key, item in value.items()}
        case str() if value[:1] in ("[", "{"):  # an embed in CSV
            try:
                return without_order(json.loads(value))
            except ValueError:
                return value
    return value


def content(answer: Answer, *, ordered: bool) -> Any:
    if ordered or not answer.body or not answer.status < 300:
        return answer.body.decode()
    if "csv" in answer.headers["content-type"]:
        text = answer.body.decode() + "\n"  # a last row that is one NULL is an empty line, too
        return without_order(list(csv.reader(io.StringIO(text, newline=""))))
    return without_order(answer.json)


def told(answer: Answer, *, ordered: bool) -> Any:
    headers = {name: answer.headers[name] for name in HEADERS if name in answer.headers}
    return answer.status, headers, content(answer, ordered=ordered)


def is_refused_by_name(answer: Answer, read: Read, world: World) -> bool:
    """Tell whether a table that the role may not read and that the request names is refused."""
    if answer.status != (401 if world.role == "anon" else 403) or answer.body == b"":
        return answer.status in (401, 403) and read.method == "HEAD"
    refused = answer.json["message"].removeprefix("permission denied for table ")
    hidden = refused in TABLES and not world.readable(refused)
    return answer.json["code"] == "42501" and hidden and refused in read.named


def ask(server: Server, read: Read, who: dict[str, str]) -> Answer:
    return server(read.method, read.target, {**read.headers, **who})


@given(st.data())
@settings(max_examples=settings.default.max_examples // 2)
def test_a_role_reads_what_a_copy_with_only_its_rows_and_columns_holds(place: Place, data: st.DataObject) -> None:
    world = data.draw(worlds())
    oracle = Oracle(world)
    copy, grants = oracle.copy()
    who = caller(world)
    with place.served(oracle.connection, world.policies_sql()) as served, place.served(copy, grants) as permitted:
        for _ in range(6):
            read = data.draw(reads(world))
            answer, expected = ask(served, read, who), ask(permitted, read, who)
            assert answer.status < 500
            if not is_refused_by_name(answer, read, world):
                assert told(answer, ordered=read.ordered) == told(expected, ordered=read.ordered)
        # in the copy the view is a table, to which the notes refer
        tables = [name for name in TABLES if world.readable(name) and name not in ("good_docs", "notes")]
        described, expected = (json.loads(server("GET", "", who).body) for server in (served, permitted))
        assert [described["definitions"][t] for t in tables] == [expected["definitions"][t] for t in tables]
        assert sorted(described["definitions"]) == sorted(name for name in TABLES if world.readable(name))


@given(st.data())
@settings(max_examples=settings.default.max_examples // 2)
def test_a_role_writes_what_its_policies_allow_and_nothing_else(place: Place, data: st.DataObject) -> None:
    world = data.draw(worlds(writes=True))
    oracle = Oracle(world)
    who = caller(world)
    with place.served(oracle.connection, world.policies_sql()) as served:
        write = data.draw(writes(world))
        before = oracle.tables()
        expected = oracle.write(write)
        answer = served(write.method, write.target, {**write.headers, **who}, write.body)
        note(f"{answer.status} {answer.body!r}, expected {expected}")
        assert stored(served) == oracle.tables()
        if isinstance(expected, int):
            assert answer.status in (200, 201, 204)
            assert answer.headers["content-range"].endswith(f"/{expected}")
            if write.returns == "representation":
                readable = world.readable(write.table)
                assert [tuple(row) for row in answer.json] == [readable] * expected
        else:
            assert before == oracle.tables()
            codes = ("42501", "42703", "PGRST204") if expected == "privilege" else (expected,)
            if expected == "23" and write.method == "POST":
                codes += ("42501",)  # a forbidden row is told as such, also where its key is taken
            assert answer.status in (400, 401, 403, 409)
            assert answer.json["code"].startswith(codes)
            hidden = [name for name in TABLES if not world.granted[name] and name != write.table]
            assert not any(f'"{name}"' in str(answer.json) or f"'{name}'" in answer.json["message"] for name in hidden)


@given(st.data())
@settings(max_examples=settings.default.max_examples // 2)
def test_an_upsert_changes_and_makes_only_rows_that_are_allowed(place: Place, data: st.DataObject) -> None:
    """The proposed row must be allowed as a new one, even where it is merged or ignored; the merged one as changed."""
    world = data.draw(worlds(writes=True))
    oracle = Oracle(world)
    write = data.draw(writes(world, resolves=True))
    before = oracle.tables()
    with place.served(oracle.connection, world.policies_sql()) as served:
        expected = oracle.upsert(write)
        answer = served("POST", write.table, {**write.headers, **caller(world)}, write.body)
        note(f"{answer.status} {answer.body!r}, expected {expected}")
        assert stored(served) == oracle.tables()
    if expected is not None:
        assert answer.status in (200, 201)
        assert answer.headers["content-range"].endswith(f"/{expected}")
    else:
        assert before == oracle.tables()
        assert answer.status in (400, 401, 403, 409)
        assert answer.json["code"].startswith(("42501", "42703", "PGRST204", "22", "23"))


def stored(server: Server) -> Any:
    """Return the rows of all tables of the file."""
    names = [name for name, table in TABLES.items() if not table.is_view]
    return {name: sorted(server.rows(f"SELECT * FROM {name}"), key=repr) for name in names}
