"""Request headers become preferences, a form of the body, and a range."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.errors import NotAcceptable, PreferenceError, RangeError, UnknownProfile
from wherry.rest.api_request import Count, Format, MediaType, Preferences, Resolution, Return
from wherry.rest.headers import check_profile, parse_accept, parse_preferences, parse_range


@pytest.mark.parametrize(
    ("header", "preferences"),
    [
        ("", {}),
        ("return=minimal", {"returns": Return.MINIMAL, "applied": ("return=minimal",)}),
        ("return=headers-only", {"returns": Return.HEADERS_ONLY, "applied": ("return=headers-only",)}),
        (
            "return=representation,count=exact",
            {
                "returns": Return.REPRESENTATION,
                "count": Count.EXACT,
                "applied": ("return=representation", "count=exact"),
            },
        ),
        ("count=planned", {"count": Count.PLANNED, "applied": ("count=planned",)}),
        ("count=estimated", {"count": Count.ESTIMATED, "applied": ("count=estimated",)}),
        ("resolution=merge-duplicates", {"resolution": Resolution.MERGE, "applied": ("resolution=merge-duplicates",)}),
        (
            "resolution=ignore-duplicates",
            {"resolution": Resolution.IGNORE, "applied": ("resolution=ignore-duplicates",)},
        ),
        ("missing=default", {"missing_default": True, "applied": ("missing=default",)}),
        ("missing=null", {"applied": ("missing=null",)}),
        ("tx=rollback", {"rollback": True, "applied": ("tx=rollback",)}),
        ("tx=commit", {"applied": ("tx=commit",)}),
        (
            "handling=strict, max-affected=10",
            {"strict": True, "max_affected": 10, "applied": ("handling=strict", "max-affected=10")},
        ),
        ("handling=lenient, colour=red", {"applied": ("handling=lenient",)}),
        ("max-affected=-1", {}),
        ("max-affected=1234567890123456789", {}),
        ("max-affected=²", {}),
        ("return=everything, colour, ;, =", {}),
        ("return=minimal, return=representation", {"returns": Return.MINIMAL, "applied": ("return=minimal",)}),
        (' Return = "minimal" ;x=y', {"returns": Return.MINIMAL, "applied": ("return=minimal",)}),
    ],
)
def test_preferences(header: str, preferences: dict[str, Any]) -> None:
    assert parse_preferences(header) == Preferences(**preferences)


def test_strict_handling_refuses_what_is_not_known() -> None:
    with pytest.raises(PreferenceError) as refused:
        parse_preferences("handling=strict, colour=red, return=everything, dark")
    error = refused.value
    assert (error.status, error.code, error.details) == (
        400,
        "PGRST122",
        "Invalid preferences: colour=red, return=everything, dark",
    )


@pytest.mark.parametrize(
    ("header", "format_"),
    [
        ("", Format()),
        ("*/*", Format()),
        ("application/*", Format()),
        ("application/json", Format()),
        ("Application/JSON; charset=utf-8", Format()),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format()),
        ("text/csv", Format(MediaType.CSV)),
        ("text/*", Format(MediaType.CSV)),
        ("application/json;q=0.5, text/csv", Format(MediaType.CSV)),
        ("application/json;q=0, text/csv;q=0.1", Format(MediaType.CSV)),
        ("application/json;q=high, text/csv;q=0.9", Format()),
        ("application/vnd.pgrst.object+json", Format(MediaType.SINGULAR)),
        ("application/vnd.pgrst.object", Format(MediaType.SINGULAR)),
        ("application/vnd.pgrst.array", Format(MediaType.ARRAY)),
        ('application/vnd.pgrst.object+json; nulls="stripped"', Format(MediaType.SINGULAR, nulls_stripped=True)),
        ("application/vnd.pgrst.array+json;nulls=stripped", Format(MediaType.ARRAY, nulls_stripped=True)),
        ("application/json;nulls=stripped", Format()),
        ("text/csv;nulls=stripped", Format(MediaType.CSV)),
    ],
)
def test_the_most_wanted_form_that_can_be_made_is_chosen(header: str, format_: Format) -> None:
    assert parse_accept(header) == format_


@pytest.mark.parametrize("header", ["image/png", "application/json;q=0", "application/openapi+json", "nonsense", ","])
def test_a_form_that_cannot_be_made_is_refused(header: str) -> None:
    with pytest.raises(NotAcceptable) as refused:
        parse_accept(header)
    error = refused.value
    assert (error.status, error.code, error.message) == (
        406,
        "PGRST107",
        f"None of these media types are available: {header}",
    )
    assert error.hint == (
        "Accept one of application/json, application/vnd.pgrst.array+json, application/vnd.pgrst.object+json, text/csv"
    )


@pytest.mark.parametrize(
    ("header", "range_"),
    [
        ("0-9", ("0", "10")),
        ("10-10", ("10", "1")),
        ("5-", ("5", None)),
        ("items=0-9", ("0", "10")),
        (" 007-09 ", ("7", "3")),
        ("bytes=0-9", None),
        ("-5", None),
        ("nonsense", None),
        ("9" * 19 + "-", None),
        ("", None),
    ],
)
def test_ranges(header: str, range_: tuple[str, str | None] | None) -> None:
    assert parse_range(header) == range_


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(RangeError) as refused:
        parse_range("9-5")
    assert (refused.value.status, refused.value.code, refused.value.hint) == (416, "PGRST103", "Write Range: 5-9")


def test_the_one_profile_is_public() -> None:
    check_profile("public", "Accept-Profile")
    with pytest.raises(UnknownProfile) as refused:
        check_profile("private", "Accept-Profile")
    assert (refused.value.status, refused.value.body()) == (
        406,
        {
            "code": "PGRST106",
            "message": "Invalid schema: private",
            "details": "in the header Accept-Profile",
            "hint": "Only the following schemas are exposed: public",
        },
    )


@given(st.text())
def test_any_header_is_read_or_refused_with_its_own_error(header: str) -> None:
    assert isinstance(parse_preferences("handling=lenient," + header), Preferences)
    for parse, error in ((parse_accept, NotAcceptable), (parse_range, RangeError)):
        try:
            parse(header)
        except error:
            continue
