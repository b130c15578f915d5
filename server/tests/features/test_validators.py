"""A client that has a page already is told so (RFC 9110, 13.1.2)."""

from tests.features.conftest import Api

FILM = "films?id=eq.1&select=title"


def test_a_page_that_the_client_has_is_not_sent_again(api: Api) -> None:
    first = api("GET", FILM)

    again = api("GET", FILM, if_none_match=f'"other", {first.headers["etag"]}')

    assert (again.status, again.body, again.headers["etag"]) == (304, None, first.headers["etag"])


def test_another_page_is_sent(api: Api) -> None:
    tag = api("GET", FILM).headers["etag"]

    other = api("GET", "films?id=eq.2&select=title", if_none_match=tag)

    assert (other.status, other.headers["etag"] == tag) == (200, False)


def test_whatever_the_client_has_is_enough_for_a_star(api: Api) -> None:
    assert api("GET", FILM, if_none_match="*").status == 304


def test_a_large_page_has_no_tag(api: Api) -> None:
    large = "select=" + ",".join(f"c{number}:title" for number in range(300))

    assert "etag" not in api("GET", f"films?{large}&id=eq.1").headers
