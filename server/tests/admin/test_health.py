"""How the server is, for administrators alone."""

import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime

import apsw
import pytest

from tests.admin.conftest import Browser
from wherry import __version__

HEALTH = "/api/admin/v1/health"


def test_an_administrator_sees_how_the_server_is(browser: Browser) -> None:
    browser("POST", "/api/rest/v1/films", "service_role", json={"title": "Metropolis"})
    answer = browser("GET", HEALTH, "service_role")
    health = answer.json()
    started = health.pop("started_at")
    uptime = health.pop("uptime")
    path = browser.settings.database
    assert (answer.status_code, health) == (
        200,
        {
            "status": "ok",
            "version": __version__,
            "sqlite_version": apsw.sqlite_lib_version(),
            "host": socket.gethostname(),
            "workers": 1,
            "database": {
                "name": "app.db",
                "size": path.stat().st_size,
                "wal_size": path.with_name("app.db-wal").stat().st_size,
                "journal_mode": "wal",
                "read_only": False,
                "schema_version": health["database"]["schema_version"],
                "tables": 2,
                "views": 1,
            },
            "policies": {"file": "policies.sql", "loaded": False, "error": None},
        },
    )
    assert health["database"]["wal_size"] > 0
    assert health["database"]["schema_version"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", started)
    age = (datetime.now(UTC) - datetime.fromisoformat(started)).total_seconds()
    assert 0 < uptime <= age + 0.01 < 60
    assert answer.headers["cache-control"] == "no-store"


def test_a_changed_schema_is_seen(browser: Browser) -> None:
    before = browser("GET", HEALTH, "service_role").json()["database"]
    connection = apsw.Connection(str(browser.settings.database))
    connection.execute("CREATE VIEW more AS SELECT 1 AS one")
    connection.close()
    after = browser("GET", HEALTH, "service_role").json()["database"]
    assert (before["views"], after["views"], after["schema_version"] > before["schema_version"]) == (1, 2, True)


def test_policies_that_cannot_be_used_are_said_while_the_last_good_ones_hold(browser: Browser) -> None:
    async def look() -> None:
        await browser.client._transport.app._plans.watch()  # type: ignore[attr-defined]  # twice a second, it does itself

    policies = browser.settings.policies
    states = []
    for text in ("GRANT SELECT ON films TO anon;", "GRANT SELECT ON flims TO anon;", "", None):
        if text is None:
            policies.unlink()
        else:
            policies.write_text(text)
        browser.runner.run(look())
        states.append(browser("GET", HEALTH, "service_role").json()["policies"])
    assert states == [
        {"file": "policies.sql", "loaded": True, "error": None},
        {
            "file": "policies.sql",
            "loaded": True,
            "error": "policies.sql:1:17: there is no table 'flims' (Perhaps you meant 'films')",
        },
        {"file": "policies.sql", "loaded": True, "error": None},
        {"file": "policies.sql", "loaded": False, "error": None},
    ]


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("anon", 401), ("authenticated", 403), ("editor", 403)])
def test_nobody_else_sees_it(browser: Browser, role: str | None, status: int) -> None:
    answer = browser("GET", HEALTH, role)
    assert (answer.status_code, answer.json()) == (
        status,
        {
            "code": "42501",
            "message": "permission denied for the admin API",
            "details": None,
            "hint": "Send a token of the role service_role",
        },
    )


def test_a_token_that_cannot_be_trusted_is_refused(browser: Browser) -> None:
    answer = browser("GET", HEALTH, headers={"authorization": "Bearer a.b.c"})
    assert (answer.status_code, answer.json()["code"]) == (401, "PGRST301")


def test_a_head_has_no_body(browser: Browser) -> None:
    answer = browser("HEAD", HEALTH, "service_role")
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_number_of_workers_is_that_of_the_setting(browse: Callable[..., Browser]) -> None:
    browser = browse(workers=3)
    assert browser("GET", HEALTH, "service_role").json()["workers"] == 3
