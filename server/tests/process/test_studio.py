"""The web client and the API on one port of a real server."""

from pathlib import Path

import httpx
import pytest

from tests.process.conftest import SECRET, Serve
from tests.process.served import BASE, Served
from tests.process.test_command import refusal
from tests.studio.conftest import SCRIPT, make_export


@pytest.fixture
def served(serve: Serve, database: Path, tmp_path: Path) -> Served:
    """A database, and an export beside it."""
    return serve(database, WHERRY_STUDIO=str(make_export(tmp_path / "out")))


def test_pages_and_the_api_stand_on_one_port(served: Served) -> None:
    with httpx.Client(base_url=served.url, trust_env=False) as browser, served.client() as api:
        assert browser.get("/").text == "<title>Tables</title>"
        assert browser.get("/sign-in?a=b").headers["location"] == "/sign-in/?a=b"
        script = browser.get("/_next/static/chunks/app.js", headers={"accept-encoding": "gzip"})
        assert (script.headers["content-encoding"], script.content) == ("gzip", SCRIPT)
        assert api.get("films").json() == [{"id": 1, "title": "M"}]
        assert browser.get("/healthz").json() == {"status": "ok"}
        assert browser.get("/nowhere/").status_code == 404
        for path in ("/api", "/api/", "/api/rest", "/api/nowhere/", "/api/rest/v2/films"):
            answer = browser.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "PGRST125")
    assert served.metric("wherry_http_requests_total") > 0
    metrics = httpx.get(f"{served.url}/metrics", trust_env=False).text
    assert 'wherry_http_requests_total{method="GET",route="studio",status="200"} 2' in metrics


@pytest.mark.parametrize(
    "target",
    [
        "/../app.db",
        "/%2e%2e/app.db",
        "/%2e%2e%2fapp.db",
        "/..%5capp.db",
        "/sign-in/../../app.db",
        "/_next/static/../../../app.db",
        "/%2fetc/passwd",
        "//etc/passwd",
        "/.csp.json",
        "/%2ecsp.json",
        "/.git/config",
        "/index.html%00.txt",
        "/%ff%fe",
        "/app.db",
        "http://evil.example/../app.db",
    ],
)
def test_nothing_outside_of_the_export_is_reached(served: Served, target: str) -> None:
    assert served.answer(served.request(target)) == (404, b"<title>Not here</title>")


def test_a_redirect_leads_to_this_server_alone(served: Served) -> None:
    for target in ("//evil.example/sign-in", "//sign-in", "/\\evil.example"):
        status, _ = served.answer(served.request(target))
        assert status == 404


def test_without_an_export_the_root_says_where_the_api_is(serve: Serve, database: Path) -> None:
    answer = httpx.get(f"{serve(database, WHERRY_STUDIO='off').url}/", trust_env=False)
    assert (answer.status_code, answer.json()) == (
        404,
        {
            "code": "PGRST125",
            "message": "Invalid path specified in request URL",
            "details": None,
            "hint": f"The API is at {BASE}/<table or view>",
        },
    )


def test_a_folder_that_holds_no_export_is_said(database: Path, tmp_path: Path) -> None:
    for workers in ("1", "2"):
        assert refusal(database, WHERRY_STUDIO=str(tmp_path / "no"), JWT_SECRET=SECRET, WORKERS=workers, PORT="0") == (
            f"wherry: WHERRY_STUDIO is {tmp_path}/no, which does not exist: "
            "name the folder of the web client's export, or off.\n"
        )
