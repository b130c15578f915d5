"""Sign in with a one-time link: a token of the service role for who has one, the same answer for all others."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from time import time
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.admin.conftest import SECRET, Browser
from wherry.admin.links import LIFETIME
from wherry.config import Environment

REFUSED = {
    "code": "28P01",
    "message": "The link cannot be used: it was used before, it is too old, or there never was one",
    "details": None,
    "hint": "Make a new one: wherry link",
}


def test_a_link_is_a_token_of_the_service_role_for_half_a_day(browser: Browser) -> None:
    before = int(time())
    answer = browser.sign_in({"code": browser.links.make()})
    after = int(time())

    session = answer.json()
    token = session.pop("access_token")
    expires = session.pop("expires_at")
    assert (answer.status_code, session) == (
        200,
        {"token_type": "bearer", "expires_in": 43200, "role": "service_role"},
    )
    assert before <= expires - 43200 <= after
    claims = {"role": "service_role", "iss": "wherry", "iat": expires - 43200, "exp": expires}
    assert jwt.decode(token, SECRET, ["HS256"]) == claims
    assert answer.headers["cache-control"] == "no-store"
    films = browser("GET", "/api/rest/v1/films", headers={"authorization": f"Bearer {token}"})
    assert films.json() == [{"id": 1, "title": "M"}]


_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("code") | st.text(), inner, max_size=3),
    max_leaves=5,
)


def test_used_expired_guessed_and_malformed_codes_are_refused_alike(browser: Browser) -> None:
    used = browser.links.make()
    assert browser.sign_in({"code": used}).status_code == 200
    expired = browser.links.make()
    [file] = (browser.settings.sidecar / "links").iterdir()
    os.utime(file, (time() - LIFETIME,) * 2)

    refused = [browser.sign_in({"code": code}) for code in (used, expired, "A" * 43, "", "../../app.db", "é" * 43)]
    answers = [
        (answer.status_code, answer.json(), {n: v for n, v in answer.headers.items() if n != "x-request-id"})
        for answer in refused
    ]
    assert answers[0][:2] == (401, REFUSED)
    assert answers[0][2]["www-authenticate"] == "Bearer"
    assert answers == [answers[0]] * len(answers)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=100))
def test_no_guess_is_told_from_another(browser: Browser, code: str) -> None:
    answer = browser("POST", "/api/admin/v1/sign-in", json={"code": code.encode("utf-8", "replace").decode()})
    assert (answer.status_code, answer.json()) == (401, REFUSED)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | _JSON.map(json.dumps).map(str.encode))
def test_no_body_is_anything_but_refused(browser: Browser, body: bytes) -> None:
    answer = browser("POST", "/api/admin/v1/sign-in", content=body)
    assert answer.status_code in (400, 401, 413)
    assert set(answer.json()) == {"code", "message", "details", "hint"}


@pytest.mark.parametrize("body", [None, [], "code", {}, {"code": None}, {"code": 1}, {"Code": "A" * 43}])
def test_a_body_without_a_code_is_said(browser: Browser, body: Any) -> None:
    answer = browser.sign_in(body)
    told = answer.json()
    assert told.pop("details")
    assert (answer.status_code, told) == (
        400,
        {
            "code": "PGRST102",
            "message": "The body is not a JSON object with the text 'code'",
            "hint": 'Send {"code": "…"}, with what stands behind #code= in the link',
        },
    )


def test_a_large_body_is_not_read(browser: Browser) -> None:
    answer = browser.sign_in({"code": "A" * 1024})
    assert (answer.status_code, answer.json()) == (
        413,
        {
            "code": "PGRST102",
            "message": "The body is larger than 1024 bytes",
            "details": None,
            "hint": "Send the code alone.",
        },
    )


def test_only_json_is_taken(browser: Browser) -> None:
    code = browser.links.make()
    for kind, status in (
        ("application/x-www-form-urlencoded", 415),
        ("text/plain", 415),
        ("Application/JSON; charset=utf-8", 200),
    ):
        answer = browser(
            "POST", "/api/admin/v1/sign-in", content=f'{{"code":"{code}"}}', headers={"content-type": kind}
        )
        assert answer.status_code == status


def test_other_methods_and_paths_are_said(browser: Browser) -> None:
    for method, path, allowed in (
        ("GET", "sign-in", "POST"),
        ("OPTIONS", "sign-in", "POST"),
        ("POST", "health", "GET, HEAD"),
    ):
        answer = browser(method, f"/api/admin/v1/{path}")
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
        assert answer.json() == {
            "code": "PGRST117",
            "message": f"/api/admin/v1/{path} has no method {method}",
            "details": None,
            "hint": f"Use {allowed.replace(', ', ' or ')}.",
        }
    for path in ("/api/admin/v1/", "/api/admin/v1/sign-in/", "/api/admin/v1/users"):
        answer = browser("GET", path, "service_role")
        assert (answer.status_code, answer.json()["hint"]) == (
            404,
            "The admin API has /api/admin/v1/sign-in and /api/admin/v1/health",
        )
    assert browser("GET", "/api/admin/v1").status_code == 404


def test_pages_of_other_origins_may_call_as_far_as_the_setting_says(browse: Callable[..., Browser]) -> None:
    browser = browse(cors_origins=("https://app.example.org",))
    for origin, allowed in (("https://app.example.org", "https://app.example.org"), ("https://evil.example", None)):
        answer = browser.sign_in({"code": "x"}, headers={"origin": origin})
        assert answer.headers.get("access-control-allow-origin") == allowed


def test_where_only_public_keys_are_trusted_no_link_signs_in(browse: Callable[..., Browser], tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(
        '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"EdDSA"}]}'
    )
    browser = browse(jwt_secret=None, jwks_file=keys, environment=Environment.PRODUCTION)
    answer = browser.sign_in({"code": browser.links.make()})
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "code": "PGRST127",
            "message": "Nobody can sign in with a link here: only the tokens of another issuer are trusted",
            "details": None,
            "hint": "Sign in there, or set JWT_SECRET for this server",
        },
    )
