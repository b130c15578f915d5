import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.schema.suggest import closest

NAMES = ["Album", "Artist", "Customer", "films", "film_roles", "name", "year", "directors", "Größe"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("albums", "Album"),
        ("ALBUM", "Album"),
        ("Artsit", "Artist"),
        ("flims", "films"),
        ("naem", "name"),
        ("yaer", "year"),
        ("filmroles", "film_roles"),
        ("directoooors", "directors"),
        ("grösse", "Größe"),
        ("x", None),
        ("", None),
        ("something else", None),
    ],
)
def test_the_name_that_is_most_like_is_suggested(name: str, meant: str | None) -> None:
    assert closest(name, NAMES) == meant


def test_nothing_is_suggested_where_there_is_nothing() -> None:
    assert closest("films", []) is None


def test_of_names_equally_like_the_first_is_suggested() -> None:
    assert closest("film1", ["film2", "film3"]) == "film2"


@given(st.text(), st.lists(st.text()))
def test_a_suggestion_is_one_of_the_candidates(name: str, candidates: list[str]) -> None:
    assert closest(name, candidates) in [None, *candidates]


@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=9))
def test_a_name_that_is_there_is_most_like_itself(candidates: list[str]) -> None:
    meant = closest(candidates[0], candidates)
    assert meant is not None
    assert meant.casefold() == candidates[0].casefold()


def test_long_names_and_many_candidates_take_no_time() -> None:
    candidates = [f"{i:04}" + "ab" * 500 for i in range(1000)]
    start = time.process_time()
    closest("ba" * 100_000, candidates)
    assert time.process_time() - start < 1
