"""The whole application in this process, with a browser that asks its admin API."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import httpx
import pytest

from wherry.admin import Links
from wherry.app import Wherry
from wherry.auth.tokens import sign
from wherry.config import LogLevel, Settings

SECRET = "a secret of more than thirty-two bytes"
SCHEMA = """
CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT);
CREATE VIRTUAL TABLE plots USING fts5(text);
CREATE VIEW titles AS SELECT title FROM films;
INSERT INTO films VALUES (1, 'M');
"""


@dataclass
class Browser:
    """A served database and who asks for it; requests run one at a time."""

    settings: Settings
    links: Links
    runner: asyncio.Runner
    client: httpx.AsyncClient

    def __call__(self, method: str, path: str, role: str | None = None, **options: Any) -> httpx.Response:
        """Send a request, with the token of a role unless None."""
        headers = {**options.pop("headers", {})}
        if role is not None:
            headers["authorization"] = f"Bearer {sign({'role': role}, SECRET)}"
        return self.runner.run(self.client.request(method, path, headers=headers, **options))

    def sign_in(self, body: Any, **options: Any) -> httpx.Response:
        """Post a body to the sign-in."""
        return self("POST", "/api/admin/v1/sign-in", json=body, **options)


@pytest.fixture
def browse(tmp_path: Path) -> Iterator[Callable[..., Browser]]:
    """Serve a database with settings of its own, and browse it."""
    runner = asyncio.Runner()
    applications: list[Wherry] = []

    def serve(**settings: Any) -> Browser:
        path = tmp_path / "app.db"
        connection = apsw.Connection(str(path))
        connection.execute(SCHEMA)
        connection.close()
        made = Settings(
            **{
                "database": path,
                "policies": tmp_path / "policies.sql",
                "sidecar": tmp_path / "app.wherry",
                "jwt_secret": SECRET,
                "log_level": LogLevel.SILENT,
                "studio": None,
                **settings,
            }
        )
        app = Wherry(made)
        applications.append(app)
        runner.run(app.start())
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://wherry")
        return Browser(made, Links(made.sidecar), runner, client)

    with runner:
        yield serve
        for app in applications:
            runner.run(app.stop("the test has ended"))


@pytest.fixture
def browser(browse: Callable[..., Browser]) -> Browser:
    """A served database, browsed by nobody yet."""
    return browse()
