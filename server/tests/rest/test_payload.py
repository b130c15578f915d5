"""Bodies become columns and rows, and values what SQLite keeps."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.errors import RequestError
from wherry.rest.conversion import rows_converter
from wherry.rest.payload import JSONValue, payload_decoder, plain_value
from wherry.schema.model import Column, ColumnType

FORM = "application/x-www-form-urlencoded"


def decoded(
    body: str | bytes,
    content_type: str = "application/json",
    *,
    columns: tuple[str, ...] | None = None,
    missing_default: bool = False,
) -> list[tuple[Any, ...]]:
    """Decode a body to the (columns, rows) of each part."""
    content = body.encode() if isinstance(body, str) else body
    parts = payload_decoder(content_type, columns=columns, missing_default=missing_default)(content)
    return [(part.columns, list(part.rows)) for part in parts]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"a": 1, "b": "x"}', [(("a", "b"), [(1, "x")])]),
        ('[{"a": 1}, {"a": 2}]', [(("a",), [(1,), (2,)])]),
        ('[{"a": 1, "b": 2}, {"b": 4, "a": 3}]', [(("a", "b"), [(1, 2), (3, 4)])]),
        ("{}", [((), [()])]),
        ("[{}, {}]", [((), [(), ()])]),
        ("[]", []),
        ('{"a": 1, "a": 2}', [(("a",), [(2,)])]),
        ('{"a": {"b": [1, null, true]}}', [(("a",), [({"b": [1, None, True]},)])]),
    ],
)
def test_json(body: str, expected: list[Any]) -> None:
    assert decoded(body) == expected
    assert decoded(body, "") == decoded(body, "application/json; charset=utf-8") == expected
    assert decoded(body, "application/vnd.pgrst.array+json") == expected


@pytest.mark.parametrize(
    ("body", "columns", "missing_default", "expected"),
    [
        ('{"a": 1, "b": 2}', ("a",), False, [(("a",), [(1,)])]),
        ('[{"a": 1}, {"b": 2}]', ("a", "b"), False, [(("a", "b"), [(1, None), (None, 2)])]),
        ('[{"a": 1}, {"b": 2}]', ("a", "b"), True, [(("a",), [(1,)]), (("b",), [(2,)])]),
        ('[{"a": 1}, {"a": 2, "c": 0}, {}]', ("a", "b"), True, [(("a",), [(1,), (2,)]), ((), [()])]),
        ("[]", ("a",), False, [(("a",), [])]),
        ("[]", ("a",), True, []),
    ],
)
def test_json_of_some_columns(body: str, columns: Any, missing_default: bool, expected: list[Any]) -> None:
    assert decoded(body, columns=columns, missing_default=missing_default) == expected


@pytest.mark.parametrize(
    ("body", "content_type", "columns", "expected"),
    [
        ("a,b\n1,x\n", "text/csv", None, [(("a", "b"), [("1", "x")])]),
        ("a,b\r\n1,NULL\r\n\r\n", "text/csv; charset=utf-8", None, [(("a", "b"), [("1", None)])]),
        ('\ufeffa,"b,c"\n"x ""y""","1\n2"', "text/csv", None, [(("a", "b,c"), [('x "y"', "1\n2")])]),
        ("a,b\n,\n", "text/csv", None, [(("a", "b"), [("", "")])]),
        ("a,b\n", "text/csv", None, []),
        ("a,b\n1,2", "text/csv", ("b", "c"), [(("b", "c"), [("2", None)])]),
        ("a\n" + "x" * 200_000, "text/csv", None, [(("a",), [("x" * 200_000,)])]),
        ("a=1&b=%C3%A4+x&c=", FORM, None, [(("a", "b", "c"), [("1", "ä x", "")])]),
        ("a=1&a=2", FORM, None, [(("a",), [("2",)])]),
        ("a=1&b=2", FORM, ("b",), [(("b",), [("2",)])]),
        ("", FORM, None, [((), [()])]),
    ],
)
def test_csv_and_forms(body: str, content_type: str, columns: Any, expected: list[Any]) -> None:
    assert decoded(body, content_type, columns=columns) == expected


@pytest.mark.parametrize(
    ("body", "content_type", "message", "details"),
    [
        ("", "application/json", "Empty or invalid json", None),
        ("  ", "application/json", "Empty or invalid json", None),
        ("null", "application/json", "A row must be an object, not null", None),
        ("true", "application/json", "A row must be an object, not a boolean", None),
        ("1.5", "application/json", "A row must be an object, not a number", None),
        ('"x"', "application/json", "A row must be an object, not a text", None),
        ("[[]]", "application/json", "All object keys must match", "element 0 is a list"),
        ('[{"a": 1}, 2]', "application/json", "All object keys must match", "element 1 is a number"),
        (
            '[{"a": 1, "c": 3}, {"a": 1}, {"b": 1}]',
            "application/json",
            "All object keys must match",
            "element 1 differs from the first in: c",
        ),
        (
            "a,b\n1\n",
            "text/csv",
            "All lines must have same number of fields",
            "record 1 has 1 fields, the header has 2",
        ),
        ("a,a\n1,2\n", "text/csv", "A column stands twice in the header", "a, a"),
    ],
)
def test_a_body_that_makes_no_rows_is_refused(body: str, content_type: str, message: str, details: str | None) -> None:
    with pytest.raises(RequestError) as refused:
        decoded(body, content_type)
    error = refused.value
    assert (error.status, error.code, error.message, error.details) == (400, "PGRST102", message, details)


def test_a_form_of_too_many_fields_is_refused() -> None:
    with pytest.raises(RequestError) as refused:
        decoded("&".join(["a=1"] * 1001), FORM)
    assert (refused.value.status, refused.value.message) == (400, "The form cannot be read")


@given(st.binary(max_size=100), st.sampled_from(["application/json", "text/csv", FORM, "x/y"]), st.booleans())
def test_any_bytes_are_decoded_or_refused(body: bytes, content_type: str, some: bool) -> None:
    try:
        rows = decoded(body, content_type, columns=("a",) if some else None)
    except RequestError as error:
        rows = []
        assert error.status == 400  # noqa: PT017 - both outcomes are right, each in its own way
    assert all(len(columns) == len(row) for columns, found in rows for row in found)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS | NUMBERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.fixed_dictionaries({"a": JSON, "b": JSON}), min_size=1, max_size=3))
def test_rows_are_what_the_json_says(rows: list[dict[str, Any]]) -> None:
    names = tuple(rows[0])
    assert decoded(json.dumps(rows)) == [(names, [tuple(row[name] for name in names) for row in rows])]


# ---- what SQLite keeps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None),
        ("x", "x"),
        (1.5, 1.5),
        (2**63 - 1, 2**63 - 1),
        (True, 1),
        ([1, "ä"], '[1,"ä"]'),
        ({"a": None}, '{"a":null}'),
    ],
)
def test_values_without_a_rule_of_their_own(value: JSONValue, kept: Any) -> None:
    assert plain_value(value) == kept


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_an_integer_beyond_64_bits_is_refused(value: int) -> None:
    with pytest.raises(RequestError) as refused:
        plain_value(value)
    assert (refused.value.code, refused.value.message) == ("22003", f'value "{value}" is out of range for type bigint')


@pytest.mark.parametrize(
    ("type_", "is_text", "value", "kept"),
    [
        (ColumnType.BOOLEAN, False, True, 1),
        (ColumnType.BOOLEAN, False, False, 0),
        (ColumnType.BOOLEAN, False, "true", 1),
        (ColumnType.BOOLEAN, True, " F ", 0),
        (ColumnType.BOOLEAN, False, "maybe", "maybe"),
        (ColumnType.BOOLEAN, False, None, None),
        (ColumnType.JSON, False, {"a": 1}, '{"a":1}'),
        (ColumnType.JSON, False, "x", '"x"'),
        (ColumnType.JSON, False, 5, "5"),
        (ColumnType.JSON, False, None, None),
        (ColumnType.JSON, True, '{"a": 1}', '{"a": 1}'),
        (ColumnType.BLOB, False, "\\x00FF", b"\x00\xff"),
        (ColumnType.BLOB, False, "\\xyz", "\\xyz"),
        (ColumnType.BLOB, False, "text", "text"),
        (ColumnType.BLOB, False, 5, 5),
        (ColumnType.BLOB, True, "\\x00", b"\x00"),
        (ColumnType.TEXT, False, "x", "x"),
        (ColumnType.TEXT, False, True, "true"),
        (ColumnType.TEXT, False, False, "false"),
        (ColumnType.TEXT, False, 1, 1),
        (ColumnType.INTEGER, False, True, 1),
        (ColumnType.INTEGER, True, "5", "5"),
    ],
)
def test_values_are_kept_by_the_type_of_their_column(
    type_: ColumnType, is_text: bool, value: JSONValue, kept: Any
) -> None:
    convert = rows_converter([Column("x", type=type_), Column("y", type=ColumnType.TEXT)], is_text=is_text)
    assert convert([(value, "y"), (value, None)], ("tail",)) == [(kept, "y", "tail"), (kept, None, "tail")]


@given(
    st.lists(st.tuples(JSON, SCALARS), max_size=4),
    st.tuples(st.sampled_from(ColumnType), st.sampled_from(ColumnType)),
    st.sampled_from([(), ("tail",)]),
)
def test_many_rows_are_kept_as_each_by_itself(
    rows: list[tuple[Any, ...]], types: tuple[ColumnType, ...], tail: tuple[str, ...]
) -> None:
    convert = rows_converter([Column("x", type=types[0]), Column("y", type=types[1])], is_text=False)
    one_by_one = [row for each in rows for row in convert([each], tail)]
    assert [[*map(repr, row)] for row in convert(rows, tail)] == [[*map(repr, row)] for row in one_by_one]


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
@pytest.mark.parametrize("other", [1, "x", None])
def test_an_integer_beyond_64_bits_is_refused_among_other_rows(value: int, other: JSONValue) -> None:
    with pytest.raises(RequestError) as refused:
        rows_converter([Column("x")], is_text=False)([(other,), (value,)], ())
    assert refused.value.code == "22003"


@pytest.mark.parametrize("body", [b'{"title": "A"}', b' [{"title": "A"}]'])
def test_json_that_is_called_a_form_is_named(body: bytes) -> None:
    with pytest.raises(RequestError) as refused:
        payload_decoder("application/x-www-form-urlencoded", columns=None, missing_default=False)(body)

    assert refused.value.hint == "Send the header Content-Type: application/json"
