"""Results become statuses, headers and bodies."""

import pytest

from wherry.errors import CardinalityError, RangeError
from wherry.rest.api_request import Format, MediaType
from wherry.rest.headers import parse_preferences
from wherry.rest.response import ReadHeaders, content_range, read_status, require_single


@pytest.mark.parametrize(
    ("rows", "total", "offset", "status", "range_"),
    [
        (0, None, 0, 200, b"*/*"),
        (3, None, 0, 200, b"0-2/*"),
        (3, None, 10, 200, b"10-12/*"),
        (3, 3, 0, 200, b"0-2/3"),
        (2, 3, 0, 206, b"0-1/3"),
        (1, 3, 2, 206, b"2-2/3"),
        (0, 0, 0, 200, b"*/0"),
        (0, 3, 3, 206, b"*/3"),
    ],
)
def test_a_page_is_placed_among_all_rows(rows: int, total: int | None, offset: int, status: int, range_: bytes) -> None:
    assert read_status(rows=rows, total=total, offset=offset) == status
    assert content_range(rows=rows, total=total, offset=offset) == range_


def test_a_page_past_the_last_row_is_refused_with_the_number_of_rows() -> None:
    with pytest.raises(RangeError) as refused:
        read_status(rows=0, total=3, offset=4)
    error = refused.value
    assert (error.status, error.headers, error.details) == (
        416,
        {"content-range": "*/3"},
        "An offset of 4 was requested, but there are only 3 rows.",
    )


@pytest.mark.parametrize("rows", [0, 2])
def test_a_single_object_is_made_of_one_row(rows: int) -> None:
    require_single(1)
    with pytest.raises(CardinalityError) as refused:
        require_single(rows)
    assert (refused.value.status, refused.value.details) == (406, f"The result contains {rows} rows")


@pytest.mark.parametrize(
    ("format_", "prefer", "headers"),
    [
        (Format(), "", {b"content-type": b"application/json; charset=utf-8"}),
        (Format(MediaType.CSV), "", {b"content-type": b"text/csv; charset=utf-8"}),
        (
            Format(MediaType.SINGULAR, nulls_stripped=True),
            "return=minimal, handling=lenient, count=exact",
            {
                b"content-type": b"application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8",
                b"preference-applied": b"count=exact, handling=lenient",
            },
        ),
    ],
)
def test_the_headers_of_a_read(format_: Format, prefer: str, headers: dict[bytes, bytes]) -> None:
    assert dict(ReadHeaders.of(format_, parse_preferences(prefer)).fixed) == headers
