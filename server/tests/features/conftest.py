"""The whole application in this process, asked over HTTP without a network.

The file holds `library.sql`, or what a module says in `SCHEMA`. `api` serves one such file to all tests of the
module, which only read; `fresh_api` serves a new one to each test, which may write.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import httpx
import pytest

from wherry.app import Wherry
from wherry.auth.keys import api_keys
from wherry.config import LogLevel, Settings

SECRET = "a secret of more than thirty-two bytes"
KEYS = api_keys(SECRET)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: `body` is decoded where it is JSON, text where it is another type, None where there is none."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(repr=False)


class Api:
    """A served file and a client with the key of the service role; requests run one at a time."""

    def __init__(self, runner: asyncio.Runner, client: httpx.AsyncClient, path: Path) -> None:
        self._runner = runner
        self._client = client
        self.path = path

    def __call__(
        self, method: str, target: str, json: Any = None, *, content: str | bytes | None = None, **headers: str
    ) -> Answer:
        """Send a request to `/api/rest/v1/<target>`; `content_type="text/csv"` is the header Content-Type."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        call = self._client.request(method, target, json=json, content=content, headers=named)
        response = self._runner.run(call)
        is_json = "json" in response.headers.get("content-type", "")
        body = response.json() if is_json and response.content else response.text or None
        return Answer(response.status_code, body, response.headers)

    def get(self, target: str, **headers: str) -> Any:
        """Return the body of a read that succeeds."""
        answer = self("GET", target, **headers)
        assert answer.status in (200, 206), answer
        return answer.body

    def refused(self, target: str, **headers: str) -> tuple[int, str, str]:
        """Return status, code and message of a read that fails."""
        answer = self("GET", target, **headers)
        return answer.status, answer.body["code"], answer.body["message"]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the file itself, past the server."""
        connection = apsw.Connection(str(self.path))
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


@contextmanager
def served(path: Path, sql: str, **settings: Any) -> Iterator[Api]:
    """Serve a new file."""
    connection = apsw.Connection(str(path))
    connection.execute(sql)
    connection.close()
    app = Wherry(
        Settings(
            database=path,
            policies=path.with_suffix(".sql"),
            sidecar=path.with_suffix(".wherry"),
            jwt_secret=SECRET,
            log_level=LogLevel.SILENT,
            **settings,
        )
    )
    headers = {"authorization": f"Bearer {KEYS['service_role']}"}
    with asyncio.Runner() as runner:
        runner.run(app.start())
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        client = httpx.AsyncClient(transport=transport, base_url="http://wherry/api/rest/v1/", headers=headers)
        try:
            yield Api(runner, client, path)
        finally:
            runner.run(client.aclose())
            runner.run(app.stop("the test has ended"))


def _schema(request: pytest.FixtureRequest) -> str:
    own: str | None = getattr(request.module, "SCHEMA", None)
    return own if own is not None else Path(__file__).with_name("library.sql").read_text()


@pytest.fixture(scope="module")
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Serve the module's file to all its tests, which only read."""
    with served(tmp_path_factory.mktemp("served") / "library.db", _schema(request)) as api:
        yield api


@pytest.fixture
def fresh_api(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Api]:
    """Serve a file of the test's own, which may be written."""
    with served(tmp_path / "library.db", _schema(request)) as api:
        yield api
