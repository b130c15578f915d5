"""The whole application in this process, asked with raw bytes, as a web server hands them over."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import apsw
import jwt

from wherry.app import Wherry
from wherry.config import LogLevel, Settings

SECRET = "a secret of more than thirty-two bytes"
BASE = b"/api/rest/v1/"

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; of each header the last value."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Decode the body, where every number keeps all its digits."""
        return json.loads(self.body, parse_float=str)


def token(role: str, **claims: Any) -> str:
    """Sign a token of a role."""
    return jwt.encode({"role": role, **claims}, SECRET, "HS256")


SERVICE = {"authorization": f"Bearer {token('service_role')}"}


class Server:
    """A served file."""

    def __init__(self, runner: asyncio.Runner, app: Wherry, path: Path) -> None:
        self._runner = runner
        self._app = app
        self.path = path

    def __call__(
        self,
        method: str,
        target: str | bytes,
        headers: Headers | None = None,
        body: bytes = b"",
        *,
        seconds: float = 20,
    ) -> Answer:
        """Send a request for `/api/rest/v1/<target>`; fail where it takes too long."""
        pairs = [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        raw = target.encode() if isinstance(target, str) else target
        return self.raw(method, BASE + raw, pairs, body, seconds=seconds)

    def raw(
        self, method: str, target: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes, *, seconds: float = 20
    ) -> Answer:
        """Send a request of any bytes."""
        return self._runner.run(asyncio.wait_for(self._ask(method, target, headers, body), seconds))

    async def _ask(self, method: str, target: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> Answer:
        path, _, query = target.partition(b"?")
        sent: list[Any] = []
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return waiting.pop() if waiting else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(dict(message))

        scope = {
            "type": "http",
            "method": method,
            "path": unquote_to_bytes(path).decode("utf-8", "replace"),
            "raw_path": path,
            "query_string": query,
            "headers": list(headers),
            "client": ("127.0.0.1", 1),
        }
        await self._app(scope, receive, send)
        start, *rest = sent
        named = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
        assert not rest[-1].get("more_body"), "the response was broken off"
        return Answer(start["status"], named, b"".join(message.get("body", b"") for message in rest))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the file itself, past the server."""
        with closing(apsw.Connection(str(self.path))) as connection:
            return connection.execute(sql).fetchall()


@dataclass(frozen=True, slots=True)
class Place:
    """Where files are made and served; in memory where that can be, for nothing outlives a test."""

    runner: asyncio.Runner
    folder: Path

    @contextmanager
    def served(self, fill: "str | apsw.Connection", policies: str | None = None) -> Iterator[Server]:
        """Serve a new file with what a script makes, or with a copy of a database."""
        folder = Path(tempfile.mkdtemp(prefix="wherry-", dir=self.folder))
        path = folder / "served.db"
        with closing(apsw.Connection(str(path))) as connection:
            if isinstance(fill, str):
                connection.execute(fill)
            else:
                with connection.backup("main", fill, "main") as backup:
                    backup.step()
        if policies is not None:
            (folder / "policies.sql").write_text(policies)
        app = Wherry(
            Settings(
                database=path,
                policies=folder / "policies.sql",
                sidecar=folder / "served.wherry",
                jwt_secret=SECRET,
                log_level=LogLevel.SILENT,
                readers=1,
            )
        )
        try:
            self.runner.run(app.start())
            yield Server(self.runner, app, path)
        finally:
            self.runner.run(app.stop("the test has ended"))
            shutil.rmtree(folder)
