"""What PostgREST documents and no client sends: repeated headers, ranges, and what answers say of themselves."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from .conftest import Library

SINGULAR = "application/vnd.pgrst.object+json"


@pytest.fixture(scope="module")
def http(served: Library) -> Iterator[httpx.Client]:
    headers = {"apikey": served.keys["service"]}
    with httpx.Client(base_url=f"{served.rest_url}/", headers=headers) as client:
        yield client


def told(answer: httpx.Response, *headers: str) -> tuple[Any, ...]:
    """Return the status, the named headers and the body."""
    body = answer.json() if "json" in answer.headers.get("content-type", "") and answer.content else answer.text
    return (answer.status_code, *(answer.headers.get(name) for name in headers), body)


def test_several_lines_of_prefer_are_one(library: Library, http: httpx.Client) -> None:
    prefer = [("prefer", "return=representation"), ("prefer", "count=exact"), ("prefer", "tx=rollback")]
    answer = http.post("tickets?select=id", json={"id": 77, "holder": "x"}, headers=prefer)
    assert told(answer, "preference-applied", "content-range") == (
        201,
        "return=representation, count=exact, tx=rollback",
        "*/1",
        [{"id": 77}],
    )


def test_the_range_header_goes_before_limit_and_offset(http: httpx.Client) -> None:
    answer = http.get("films?select=id&order=id&limit=3", headers={"range": "0-1"})
    assert told(answer, "content-range") == (200, "0-1/*", [{"id": 1}, {"id": 2}])
    answer = http.get(
        "films?select=id&order=id", headers={"range-unit": "items", "range": "4-", "prefer": "count=exact"}
    )
    assert told(answer, "content-range", "preference-applied") == (206, "4-5/6", "count=exact", [{"id": 5}, {"id": 6}])
    answer = http.get("films?select=id", headers={"range": "1-0"})
    assert (answer.status_code, answer.json()["code"]) == (416, "PGRST103")


def test_a_negative_offset_is_none_and_a_negative_limit_is_refused(http: httpx.Client) -> None:
    answer = http.get("films?select=id&order=id&offset=-4&limit=1")
    assert told(answer, "content-range") == (200, "0-0/*", [{"id": 1}])
    answer = http.get("films?select=id&limit=-1")
    assert (answer.status_code, answer.json()["details"]) == (416, "Limit should be greater than or equal to zero.")


def test_a_page_behind_the_last_row_says_how_many_there_are(http: httpx.Client) -> None:
    answer = http.get("films?select=id&offset=100", headers={"prefer": "count=exact"})
    assert told(answer, "content-range", "proxy-status") == (
        416,
        "*/6",
        "PostgREST; error=PGRST103",
        {
            "code": "PGRST103",
            "message": "Requested range not satisfiable",
            "details": "An offset of 100 was requested, but there are only 6 rows.",
            "hint": None,
        },
    )


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("and=( and ( id.in.( 1, 2, 3 ) , id.eq.3 ) , or ( id.eq.2 , id.eq.3 ) )", [3]),
        ("or=(id.eq.1, id.eq.2, year.is.null )", [1, 2, 6]),
        ("not.or=(id.lt.3,id.gt.5)", [3, 4, 5]),
        ("or=(not.and(id.gt.1,id.lt.6),title.ilike.*FERRY*)", [1, 2, 6]),
        ("details->sound->mono=eq.false", [2]),
        ("details->sound->mono=not.is.true", [2, 3, 4, 5, 6]),
        ('tags->0=eq."sea"', [2, 3]),
        ('details=eq.{ "length" :95}', [5]),
        ('details=isdistinct.{"length":95}', [1, 2, 3, 4, 6]),
        ('details->sound=eq.{ "mono": true }', [1]),
        ('tags=neq.["sea","noir"]', [1, 3, 4, 6]),
        ("year=not.eq(any).{1964,1998}", [2, 3, 5]),
        ("rating=gt(all).{6,7}", [1, 2, 5]),
        ("title=not.match(any).{^N,^P}", [1, 4, 5, 6]),
    ],
)
def test_filters_hold_as_in_postgresql(http: httpx.Client, query: str, ids: list[int]) -> None:
    assert http.get(f"films?select=id&order=id&{query}").json() == [{"id": id_} for id_ in ids]


def test_a_singular_write_touches_one_row_or_none(library: Library, http: httpx.Client) -> None:
    refusal = http.patch("tickets?id=gte.1", json={"price": 1}, headers={"accept": SINGULAR})
    assert (refusal.status_code, refusal.json()["details"]) == (406, "The result contains 3 rows")
    refusal = http.post("tickets", json=[], headers={"accept": SINGULAR})
    assert (refusal.status_code, refusal.json()["details"]) == (406, "The result contains 0 rows")
    assert http.get("tickets?select=price&order=id").json() == [{"price": 12.5}, {"price": 10}, {"price": 8}]
    assert http.patch("tickets?id=eq.1", json={"price": 1}, headers={"accept": SINGULAR}).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "prefer", "applied"),
    [
        ("PATCH", "tickets?id=eq.1", "handling=lenient, max-affected=10", "handling=lenient"),
        ("PATCH", "tickets?id=eq.1", "max-affected=10, handling=strict", "handling=strict, max-affected=10"),
        ("POST", "tickets", "count=exact, missing=default, foo=bar", "missing=default, count=exact"),
        ("POST", "stock", "resolution=merge-duplicates", "resolution=merge-duplicates"),
        ("POST", "journal", "resolution=merge-duplicates, return=minimal", "return=minimal"),
        ("GET", "films", "count=exact, return=representation", "count=exact"),
    ],
)
def test_only_what_was_followed_is_told(
    library: Library, http: httpx.Client, method: str, path: str, prefer: str, applied: str
) -> None:
    rows: dict[str, Any] = {
        "tickets?id=eq.1": {"price": 2},
        "tickets": {"holder": "x"},
        "stock": {"warehouse": "north", "sku": "reel", "amount": 1},
        "journal": {"line": "x"},
    }
    answer = http.request(method, path, json=rows.get(path), headers={"prefer": prefer})
    assert answer.headers["preference-applied"] == applied


def test_an_upsert_that_adds_nothing_is_no_creation(library: Library, http: httpx.Client) -> None:
    merge = {"prefer": "resolution=merge-duplicates"}
    assert http.post("stock", json=[], headers=merge).status_code == 200
    assert http.post("stock", json={"warehouse": "north", "sku": "reel", "amount": 1}, headers=merge).status_code == 200
    assert http.post("stock", json={"warehouse": "new", "sku": "reel", "amount": 1}, headers=merge).status_code == 201
    assert http.post("journal", json={"line": "x"}, headers=merge).status_code == 201


def test_booleans_are_read_as_postgresql_reads_them(library: Library, http: httpx.Client) -> None:
    answer = http.patch(
        "tickets?id=eq.2&select=paid,word:paid::text", json={"paid": "yes"}, headers={"prefer": "return=representation"}
    )
    assert told(answer) == (200, [{"paid": True, "word": "true"}])
