"""Literals become what SQLite compares with; those that make no sense are refused."""

import json
from contextlib import suppress
from typing import Any

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.errors import RangeError, RequestError
from wherry.rest.full_text import is_excluded, to_match
from wherry.rest.literals import (
    converter_of,
    is_not_ascii,
    read_list,
    to_blob,
    to_boolean,
    to_capped_limit,
    to_document,
    to_glob,
    to_json_list,
    to_json_scalar,
    to_like,
    to_limit,
    to_number_or_text,
    to_offset,
    to_pattern,
    to_prefix,
    to_prefix_end,
    to_quantified_list,
)
from wherry.schema.model import ColumnType
from wherry.sqlite.functions import register_functions

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.fixture(scope="module")
def sqlite() -> apsw.Connection:
    connection = apsw.Connection("")
    register_functions(connection)
    return connection


@pytest.mark.parametrize("text", ["true", "T", " yes ", "y", "on", "1"])
def test_words_that_are_true(text: str) -> None:
    assert to_boolean(text) == 1


@pytest.mark.parametrize("text", ["false", "F", "no", "n", "off", "0"])
def test_words_that_are_false(text: str) -> None:
    assert to_boolean(text) == 0


def test_another_word_is_no_boolean() -> None:
    with pytest.raises(RequestError) as refused:
        to_boolean("maybe")
    assert refused.value.body() == {
        "code": "22P02",
        "message": 'invalid input syntax for type boolean: "maybe"',
        "details": None,
        "hint": "Write true or false",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("+5", 5),
        ("5.0", 5.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", float(2**63)),
        ("1" + "0" * 299, 1e299),
        ("1" + "0" * 300, "1" + "0" * 300),
        ("1e999", float("inf")),
        ("", ""),
        ("x", "x"),
        ("5x", "5x"),
        (" 5", " 5"),
        ("0x10", "0x10"),
        ("１", "１"),  # noqa: RUF001 - a digit of another script is no number of SQL
        ("nan", "nan"),
    ],
)
def test_numbers_where_there_are_some(text: str, value: Any) -> None:
    found = to_number_or_text(text)
    assert (found, type(found)) == (value, type(value))


def test_a_number_of_very_many_digits_is_taken() -> None:
    assert to_number_or_text("1" * 5000) == float("inf")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"5"', "5"),
        ('{"a": [1, 2]}', '{"a":[1,2]}'),
        ("[1, 2]", "[1,2]"),
        ("{a", "{a"),
        ('"a\\"b"', 'a"b'),
        ('"', '"'),
        ('"a"b"', '"a"b"'),
        ("5", 5),
        ("true", "true"),
        ("x", "x"),
    ],
)
def test_a_place_inside_json_is_compared_with_a_json_scalar(text: str, value: Any) -> None:
    assert to_json_scalar(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("\\x00FF", b"\x00\xff"), ("\\x", b""), ("\\x0", "\\x0"), ("\\xzz", "\\xzz"), ("x", "x")]
)
def test_bytes(text: str, value: Any) -> None:
    assert to_blob(text) == value


def test_each_type_has_its_own_way() -> None:
    assert {type_: converter_of(type_) for type_ in ColumnType} == {
        ColumnType.INTEGER: None,
        ColumnType.REAL: None,
        ColumnType.NUMERIC: None,
        ColumnType.TEXT: None,
        ColumnType.JSON: None,
        ColumnType.BOOLEAN: to_boolean,
        ColumnType.BLOB: to_blob,
        ColumnType.UNTYPED: to_number_or_text,
    }


# ---- limits ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), (" 7 ", 7), ("9" * 30, 2**63 - 1)])
def test_limits_and_offsets(text: str, number: int) -> None:
    assert (to_limit(text), to_offset(text), to_capped_limit(text, cap=5)) == (number, number, min(number, 5))


@pytest.mark.parametrize("text", ["", "x", "1.5", "1e3", "9" * 31, "--1", "٣"])
def test_what_is_no_number_of_rows_is_refused(text: str) -> None:
    for convert, name in ((to_limit, "limit"), (to_offset, "offset")):
        with pytest.raises(RequestError) as refused:
            convert(text)
        assert refused.value.body() == {
            "code": "PGRST100",
            "message": f"'{text}' is not a number of rows",
            "details": f"in the parameter {name}",
            "hint": f"Write {name}=10",
        }


def test_a_negative_limit_is_refused_and_a_negative_offset_is_none() -> None:
    with pytest.raises(RangeError):
        to_limit("-1")
    assert to_offset("-1") == 0


# ---- lists -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("()", []),
        ("( )", []),
        ("(a)", ["a"]),
        ("(a,b)", ["a", "b"]),
        ("(,)", ["", ""]),
        ("(a b,c)", ["a b", "c"]),
        ('("a,b",c)', ["a,b", "c"]),
        (r'("a\"b","\\")', ['a"b', "\\"]),
        ('("a" , "b")', ["a", "b"]),
        ('("")', [""]),
        ("(a(b)c)", ["a(b)c"]),
        ('(")', ['"']),
        ('(a"b)', ['a"b']),
        ('("a"b,c)', ['"a"b', "c"]),
        ('("a,b)', ['"a', "b"]),
        ('(Double"Quote"McGraw",x)', ['Double"Quote"McGraw"', "x"]),
    ],
)
def test_lists(text: str, items: list[str]) -> None:
    assert read_list(text, opening="(", closing=")", operator="in") == items


@pytest.mark.parametrize("text", ["", "a", "(", "(a", "a)", "{a}"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(RequestError) as refused:
        read_list(text, opening="(", closing=")", operator="in")
    assert (refused.value.message, refused.value.hint) == (
        f"'in' takes a list in (), not '{text}'",
        "Write in.(1,2,3); quote items that hold a comma",
    )


@given(st.lists(TEXTS, min_size=1))
def test_a_list_that_is_written_and_read_is_the_same(items: list[str]) -> None:
    written = ",".join('"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in items)
    assert read_list(f"({written})", opening="(", closing=")", operator="in") == items


@pytest.mark.parametrize(
    ("text", "type_", "items"),
    [
        ("(1,x)", ColumnType.TEXT, ["1", "x"]),
        ("(true,0)", ColumnType.BOOLEAN, [1, 0]),
        ("(1,x,1.0)", ColumnType.UNTYPED, ["1", 1, "x", "1.0", 1.0]),
    ],
)
def test_lists_for_json_each(text: str, type_: ColumnType, items: list[Any]) -> None:
    assert json.loads(to_json_list(text, type_=type_)) == items
    braced = "{" + text[1:-1] + "}"
    assert json.loads(to_quantified_list(braced, type_=type_)) == items
    assert json.loads(to_quantified_list(braced, type_=type_, convert=str.upper)) == text[1:-1].upper().split(",")


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("{a,1}", ["a", 1]),
        ('{"a,b",c}', ["a,b", "c"]),
        ("{}", []),
        (" [1, 2] ", [1, 2]),
        ('{"a": 1}', {"a": 1}),
        ('{"a, b": 1}', {"a, b": 1}),
        ("{a:1}", ["a:1"]),
        ("5", 5),
        ('"x"', "x"),
        ("null", None),
    ],
)
def test_documents(text: str, document: Any) -> None:
    assert json.loads(to_document(text)) == document


@pytest.mark.parametrize("text", ["", "x", "[1", "[" * 100_000, "1e999"])
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(RequestError) as refused:
        to_document(text)
    assert (refused.value.code, refused.value.message) == ("22P02", f"'{text[:100]}' is neither an array nor JSON")


# ---- patterns --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "glob", "like"),
    [
        ("a*", "a*", "a%"),
        ("%a_", "*a?", "%a_"),
        ("[a]?", "[[]a][?]", "[a]?"),
        (r"a\*b", "a[*]b", "a*b"),
        (r"\%\_", "%_", r"\%\_"),
        (r"a\\", "a\\", r"a\\"),
        (r"\a", "a", r"\a"),
        ("", "", ""),
    ],
)
def test_patterns(text: str, glob: str, like: str) -> None:
    assert (to_glob(text), to_like(text)) == (glob, like)


@pytest.mark.parametrize("text", ["\\", "a\\", "\\\\\\"])
def test_a_pattern_that_ends_in_its_escape_is_refused(text: str) -> None:
    for convert in (to_glob, to_like):
        with pytest.raises(RequestError) as refused:
            convert(text)
        assert (refused.value.code, refused.value.hint) == ("22025", "Write two backslashes for one")


@given(TEXTS.filter(lambda text: "\x00" not in text))
def test_an_escaped_text_is_like_itself_and_its_letters_in_any_case(sqlite: apsw.Connection, text: str) -> None:
    escaped = "".join("\\" + character if character in "\\%_*" else character for character in text)
    found = sqlite.execute(
        "SELECT ?1 GLOB ?2, ?1 LIKE ?3 ESCAPE '\\', ilike(?1, ?3)", (text, to_glob(escaped), to_like(escaped))
    ).get
    assert found == (1, 1, 1)


def test_unicode_patterns_are_known() -> None:
    assert (is_not_ascii("abc*"), is_not_ascii("é*")) == (0, 1)


def test_regular_expressions_are_checked() -> None:
    assert to_pattern("^a.*[b-d]$") == "^a.*[b-d]$"
    with pytest.raises(RequestError) as refused:
        to_pattern("(?=a)")
    error = refused.value
    assert (error.code, error.message, error.details) == (
        "2201B",
        "invalid regular expression: invalid perl operator: (?=",
        "in the pattern (?=a)",
    )


@given(TEXTS)
def test_any_pattern_is_taken_or_refused(text: str) -> None:
    for convert in (to_pattern, to_glob, to_like, to_document):
        try:
            assert isinstance(convert(text), str)
        except RequestError:
            continue


# ---- full text -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("syntax", "text", "query"),
    [
        ("fts", "cat", '"cat"'),
        ("fts", "cat:*", '"cat"*'),
        ("fts", "cat:A", '"cat"'),
        ("fts", "cat & dog", '("cat" AND "dog")'),
        ("fts", "cat|dog", '("cat" OR "dog")'),
        ("fts", "a & b | c & d", '(("a" AND "b") OR ("c" AND "d"))'),
        ("fts", "cat & !dog & !bird", '("cat" NOT "dog" NOT "bird")'),
        ("fts", "cat & !!dog", '("cat" AND "dog")'),
        ("fts", "cat & !(dog | bird)", '("cat" NOT ("dog" OR "bird"))'),
        ("fts", "cat & (!dog & !bird)", '("cat" NOT ("dog" OR "bird"))'),
        ("fts", "cat & (!dog | bird)", '("cat" NOT ("dog" NOT "bird"))'),
        ("fts", "sea <-> lion", '"sea" + "lion"'),
        ("fts", "a<->b<->c:*", '"a" + "b" + "c"*'),
        ("fts", "sea <3> lion", 'NEAR("sea" "lion", 2)'),
        ("fts", "'sea lion''s'", '"sea lion\'s"'),
        ("fts", 'a"b', '"a""b"'),
        ("plfts", "the cat", '("the" AND "cat")'),
        ("plfts", 'c++ "x', '("c++" AND """x")'),
        ("phfts", "the cat", '"the cat"'),
        ("wfts", 'the "sea lion" or -dog cat', '(("the" AND "sea lion") OR ("cat" NOT "dog"))'),
        ("wfts", '"unclosed', '"unclosed"'),
        ("wfts", "-or x", '("x" NOT "or")'),
        ("wfts", 'or "" or', ""),
    ],
)
def test_searches(syntax: str, text: str, query: str) -> None:
    expected = f'{{"title" "a ""b"""}} : ({query})' if query else '""'
    assert to_match(text, syntax=syntax, columns=("title", 'a "b"')) == expected


@pytest.mark.parametrize(
    ("syntax", "text", "query"),
    [
        ("fts", "!cat", '"cat"'),
        ("fts", "!cat & !dog", '("cat" OR "dog")'),
        ("fts", "!cat | !dog", '("cat" AND "dog")'),
        ("fts", "cat | !dog", '("dog" NOT "cat")'),
        ("fts", "!(cat & !dog)", '("cat" NOT "dog")'),
        ("wfts", "-cat", '"cat"'),
        ("wfts", "-cat or dog", '("cat" NOT "dog")'),
    ],
)
def test_searches_for_what_their_query_does_not_find(syntax: str, text: str, query: str) -> None:
    assert is_excluded(text, syntax=syntax) == 1
    assert to_match(text, syntax=syntax, columns=("a",), excluded=True) == f'{{"a"}} : ({query})'
    assert to_match(text, syntax=syntax, columns=("a",)) == '""'


@pytest.mark.parametrize(("syntax", "text"), [("fts", ""), ("fts", "  "), ("plfts", " "), ("phfts", ""), ("wfts", "")])
def test_an_empty_search_finds_nothing(syntax: str, text: str) -> None:
    assert to_match(text, syntax=syntax, columns=("title",)) == '""'


WORDS = ["cat", "dog", "or", "NEAR", "'", "''", '"', " ", "\x00"]
TOKENS = st.sampled_from([*WORDS, "&", "|", "!", "(", ")", "<->", "<2>", ":*", "-", "*", "^", "{"])


@given(st.sampled_from(["fts", "plfts", "phfts", "wfts"]), st.lists(TOKENS).map("".join) | TEXTS)
def test_fts5_takes_every_search_that_is_not_refused(search: apsw.Connection, syntax: str, text: str) -> None:
    try:
        query = to_match(text, syntax=syntax, columns=("title", "body"))
    except RequestError as error:
        refused = error.code
    else:
        search.execute("SELECT count(*) FROM notes WHERE notes MATCH ?", (query,)).fetchall()
        refused = "42601"
    assert refused == "42601"


@pytest.fixture(scope="module")
def search() -> apsw.Connection:
    connection = apsw.Connection("")
    connection.execute("CREATE VIRTUAL TABLE notes USING fts5 (title, body); INSERT INTO notes VALUES ('cat', 'dog')")
    return connection


# the range of a LIKE


@pytest.mark.parametrize(
    ("pattern", "start", "end"),
    [
        ("Ab*", "Ab", "Ac"),
        ("a\\%b%c", "a%b", "a%c"),
        ("*a", "", b""),
        ("_a", "", b""),
        ("", "", b""),
        ("a\ud7ff%", "a\ud7ff", "a\ue000"),
        ("a\U0010ffff%", "a\U0010ffff", "b"),
        ("\U0010ffff%", "\U0010ffff", b""),
        ("exact", "exact", "exacu"),
    ],
)
def test_the_range_of_a_like(pattern: str, start: str, end: object) -> None:
    assert (to_prefix(pattern), to_prefix_end(pattern)) == (start, end)


@given(TEXTS, st.text(alphabet=st.sampled_from("aZ%_*\\é\ud7ff\ue000\U0010ffff"), max_size=6))
def test_no_match_of_a_like_is_outside_its_range(value: str, pattern: str) -> None:
    with suppress(RequestError):
        connection = apsw.Connection(":memory:")
        inside, matches = connection.execute(
            "SELECT ?1 >= ?2 AND ?1 < ?3, ?1 GLOB ?4",
            (value, to_prefix(pattern), to_prefix_end(pattern), to_glob(pattern)),
        ).fetchall()[0]

        assert inside >= matches
