"""The SQL functions: each against PostgreSQL's rules, and against a slower, plainer reading of them."""

import json
import time
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.errors import RequestError
from wherry.sqlite.functions import (
    compile_pattern,
    ilike,
    json_contains,
    json_overlaps,
    json_strip_nulls,
    regexp_match,
    register_functions,
)

scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0]) | st.sampled_from(["a", "1", ""])
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
sql_values = st.none() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20)


def same(a: Any, b: Any) -> bool:
    """Compare as JSON does: true is not 1."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def contains(document: Any, wanted: Any, top: bool = True) -> bool:
    if isinstance(document, dict) and isinstance(wanted, dict):
        return all(key in document and contains(document[key], wanted[key], False) for key in wanted)
    if isinstance(document, list) and isinstance(wanted, list):
        return all(any(contains(have, want, False) for have in document) for want in wanted)
    if top and isinstance(document, list) and not isinstance(wanted, dict):
        return any(same(have, wanted) for have in document)
    return same(document, wanted) and not isinstance(document, list | dict)


@given(documents, documents)
def test_json_contains_follows_postgresql(document: Any, wanted: Any) -> None:
    assert json_contains(json.dumps(document), json.dumps(wanted)) == contains(document, wanted)


@given(documents)
def test_every_document_contains_itself(document: Any) -> None:
    assert json_contains(json.dumps(document), json.dumps(document)) == 1


@pytest.mark.parametrize(
    ("document", "wanted", "expected"),
    [
        ('{"a": [1, {"b": 2, "c": 3}]}', '{"a": [{"b": 2}]}', 1),
        ('{"a": ["x"]}', '{"a": "x"}', 0),
        ('["x", "y"]', '"x"', 1),
        ('"x"', '["x"]', 0),
        ("[1, 2]", "[2, 2, 1]", 1),
        ("[[1, 2]]", "[1]", 0),
        ("[1.0]", "[1]", 1),
        ("[true]", "[1]", 0),
        (5, "5", 1),
        ("{}", "[]", 0),
        ("[]", "{}", 0),
        (None, "1", None),
        ("1", None, None),
        ("{", "1", None),
        (b"\xff\xff", "1", None),
        ("[" * 100_000, "1", None),
    ],
)
def test_json_contains_knows_the_special_cases(document: Any, wanted: Any, expected: int | None) -> None:
    assert json_contains(document, wanted) == expected


def test_json_contains_gives_up_on_what_takes_too_long() -> None:
    document = json.dumps([{"a": number} for number in range(3000)])
    wanted = json.dumps([{"a": 2999}] * 3000)
    started = time.perf_counter()
    assert json_contains(document, wanted) is None
    assert time.perf_counter() - started < 2


@given(st.lists(documents, max_size=5), st.lists(documents, max_size=5))
def test_json_overlaps_says_whether_arrays_share_an_element(a: list[Any], b: list[Any]) -> None:
    expected = any(same(x, y) for x in a for y in b if x is not None)
    assert json_overlaps(json.dumps(a), json.dumps(b)) == expected


@pytest.mark.parametrize(("a", "b"), [(None, "[]"), ("[]", "1"), ("[", "[]"), ('{"a": 1}', "[]")])
def test_json_overlaps_of_what_is_no_array_is_null(a: str | None, b: str) -> None:
    assert json_overlaps(a, b) is None


@pytest.mark.parametrize(
    ("document", "stripped"),
    [
        ('{"a": null, "b": [null, {"c": null}], "d": {"e": null}, "f": "null"}', '{"b":[null,{}],"d":{},"f":"null"}'),
        ("null", "null"),
        ('{"a": 1.0}', '{"a": 1.0}'),
        ('{"a": null', '{"a": null'),
        ("[" * 5000 + "null" + "]" * 5000, "[" * 5000 + "null" + "]" * 5000),
        (None, None),
        (1, 1),
    ],
)
def test_json_strip_nulls_leaves_out_members_that_are_null(document: Any, stripped: Any) -> None:
    assert json_strip_nulls(document) == stripped


def like(value: str, pattern: str) -> bool:
    """Match a LIKE pattern by trying everything."""
    if not pattern:
        return not value
    if pattern[0] == "%":
        return any(like(value[start:], pattern[1:]) for start in range(len(value) + 1))
    if not value:
        return False
    if pattern[0] == "_":
        return like(value[1:], pattern[1:])
    if pattern[0] == "\\" and len(pattern) > 1:
        pattern = pattern[1:]
    return value[0].lower() == pattern[0].lower() and like(value[1:], pattern[1:])


@given(st.text("aÄäЖж.%_\\\n", max_size=8), st.text("aÄäЖж.%_\\\n", max_size=6))
def test_ilike_matches_like_ignoring_case_in_all_scripts(value: str, pattern: str) -> None:
    assert ilike(value, pattern) == like(value, pattern)


@pytest.mark.parametrize(
    ("value", "pattern", "expected"),
    [
        ("STRASSE ÜBER", "%über", 1),
        ("Łódź", "łó_ź", 1),
        (100, "1%", 1),
        (1.5, "1._", 1),
        ("100%", "100\\%", 1),
        ("1000", "100\\%", 0),
        ("a\0b", "A\0B", 1),
        (None, "%", None),
        ("müßig".encode(), "M_SSIG", 0),
        (b"M\xfcller", "%LLER", 1),
        (b"M\xfcller", "m_ller", 1),
        ("a", None, None),
        ("a", 1, None),
        ("a", "\ud800", None),
    ],
)
def test_ilike_knows_the_special_cases(value: Any, pattern: Any, expected: int | None) -> None:
    assert ilike(value, pattern) == expected


@pytest.mark.parametrize(
    ("value", "pattern", "ignore_case", "expected"),
    [
        ("Metropolis", "^M.*s$", 0, 1),
        ("Metropolis", "^m", 0, 0),
        ("Metropolis", "^m", 1, 1),
        ("École", "^é", 1, 1),
        ("a\nb", "a.b", 0, 1),
        ("a\nb", "^b", 0, 0),
        (1984, "^19", 0, 1),
        (None, "a", 0, None),
        ("a", None, 0, None),
        ("a", "(", 0, None),
        ("a", "\ud800", 0, None),
    ],
)
def test_regexp_match_finds_the_pattern(value: Any, pattern: Any, ignore_case: int, expected: int | None) -> None:
    assert regexp_match(value, pattern, ignore_case) == expected


def test_regexp_match_takes_linear_time() -> None:
    started = time.perf_counter()
    assert regexp_match("a" * 100_000, "(a+)+$|(a|aa)+b", 0) == 1
    assert regexp_match("a" * 100_000, "(a|aa)+b", 0) == 0
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("pattern", ["(", "a(?=b)", "(a)\\1", "[z-a]", "\ud800"])
def test_a_pattern_that_re2_does_not_know_is_refused(pattern: str) -> None:
    with pytest.raises(RequestError) as caught:
        compile_pattern(pattern)
    assert (caught.value.code, caught.value.status) == ("2201B", 400)
    assert caught.value.message.startswith("invalid regular expression: ")


def test_a_pattern_that_re2_knows_is_itself() -> None:
    assert compile_pattern("^(a|b)+$") == "^(a|b)+$"


@given(sql_values, sql_values, sql_values)
def test_the_functions_never_raise(a: Any, b: Any, c: Any) -> None:
    results = [regexp_match(a, b, c), ilike(a, b), json_contains(a, b), json_overlaps(a, b)]
    assert set(results) <= {0, 1, None}


def test_the_functions_may_stand_in_an_index_and_a_view() -> None:
    connection = apsw.Connection(":memory:")
    register_functions(connection)
    connection.execute(
        "CREATE TABLE t (a); CREATE INDEX i ON t (ilike(a, 'ä%')); "
        "CREATE VIEW v AS SELECT regexp_match(a, '^x', 0) AS x, json_contains(a, '1') AS y, json_overlaps(a, a) FROM t;"
        "INSERT INTO t VALUES ('xy')"
    )
    assert connection.execute("SELECT * FROM v").fetchall() == [(1, None, None)]
