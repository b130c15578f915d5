"""A search finds the same rows through an FTS5 index and by looking through their words."""

import apsw
from hypothesis import given
from hypothesis import strategies as st

from wherry.rest.full_text import is_excluded, to_match, to_search
from wherry.sqlite.functions import register_functions
from wherry.statement import SQLiteValue

TEXTS = ["", "a", "b a", "A b c", "c, b! a", "ab c", "é a", "a a b", "++ c"]

words = st.sampled_from(["a", "b", "c", "E", "ab", "'b c'", "++", "a:*", "b:*"])
searches = st.recursive(
    words | st.builds("{} <-> {}".format, st.sampled_from(["a", "b", "++"]), words),
    lambda inner: (
        st.builds("({} & {})".format, inner, inner)
        | st.builds("({} | {})".format, inner, inner)
        | inner.map("!({})".format)
    ),
    max_leaves=6,
)


def connected() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    register_functions(connection)
    connection.execute("CREATE VIRTUAL TABLE indexed USING fts5 (text)")
    connection.executemany("INSERT INTO indexed VALUES (?)", [(text,) for text in TEXTS])
    return connection


CONNECTION = connected()


def found_by_index(search: str) -> list[str]:
    condition = "NOT IN" if is_excluded(search, syntax="fts") else "IN"
    query = to_match(search, syntax="fts", columns=("text",), excluded=condition == "NOT IN")
    rows = CONNECTION.execute(
        f"SELECT text FROM indexed WHERE rowid {condition} (SELECT rowid FROM indexed WHERE indexed MATCH ?)", (query,)
    )
    return [str(text) for (text,) in rows]


def found_by_reading(search: str) -> list[str]:
    rows = CONNECTION.execute(
        "SELECT text FROM indexed WHERE text_search(text, ?, 0)", (to_search(search, syntax="fts"),)
    )
    return [str(text) for (text,) in rows]


@given(searches)
def test_a_search_finds_the_same_with_an_index_and_without(search: str) -> None:
    assert found_by_reading(search) == found_by_index(search), search


@given(st.none() | st.integers(-9, 9) | st.floats() | st.text() | st.binary(), st.none() | st.text() | st.binary())
def test_a_search_that_makes_no_sense_finds_nothing_and_never_fails(value: SQLiteValue, search: SQLiteValue) -> None:
    assert CONNECTION.execute("SELECT text_search(?, ?, 1)", (value, search)).fetchall() in ([(None,)], [(0,)])
