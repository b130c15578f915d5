"""What the tests of observation share: an application behind the middleware, and a file to log to."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from wherry.asgi import Application, Message, Receive, Scope, Send, exchange_of, respond
from wherry.logs import JsonLog
from wherry.middleware import CrossOrigin, Middleware
from wherry.observe import Observation
from wherry.proxies import TrustedProxies


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the server does."""
    return "asyncio"


@dataclass(frozen=True)
class Answer:
    """What a client got: `complete` says that the response was finished."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    complete: bool

    def header(self, name: bytes) -> bytes | None:
        """Return a header's value."""
        return dict(self.headers).get(name)


@dataclass
class Client:
    """A client of the middleware around an application, which keeps what was observed."""

    application: Application
    cross_origin: CrossOrigin | None = None
    proxies: TrustedProxies | None = None
    observed: list[Observation] = field(default_factory=list)
    incoming: list[Message] = field(default_factory=lambda: [{"type": "http.request", "body": b""}])

    def __post_init__(self) -> None:
        self.middleware = Middleware(self.application, self.observed.append, self.cross_origin, self.proxies)
        self.sent: list[Message] = []

    async def ask(self, method: str, path: str = "/", query: str = "", **headers: str) -> Answer:
        """Send a request; header names are written with underscores."""
        given = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": given,
            "client": ("10.0.0.9", 4711),
        }
        incoming = iter(self.incoming)
        self.sent = []

        async def receive() -> Message:
            return next(incoming)

        async def send(message: Message) -> None:
            self.sent.append(message)

        await self.middleware(scope, receive, send)
        return self.answer()

    def answer(self) -> Answer:
        """Return what was sent for the last request."""
        start: Message = self.sent[0] if self.sent else {"status": 0, "headers": []}
        body = b"".join(message["body"] for message in self.sent[1:])
        complete = len(self.sent) > 1 and not self.sent[-1].get("more_body", False)
        return Answer(start["status"], list(start["headers"]), body, complete)


async def films(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as a room does: tell route and role, and send JSON."""
    exchange = exchange_of(scope)
    exchange.route = "/api/rest/v1/films"
    exchange.role = "anon"
    await respond(send, 200, [(b"content-type", b"application/json")], b"[1]")


@dataclass
class LogFile:
    """A log that writes to a file, and what is in it."""

    path: Path
    log: JsonLog

    def lines(self) -> list[dict[str, Any]]:
        """Return every line, parsed."""
        self.log.flush()
        return [json.loads(line) for line in self.text().removesuffix(b"\n").split(b"\n") if line]

    def text(self) -> bytes:
        """Return what stands in the file now."""
        return self.path.read_bytes()


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[LogFile]:
    """Log everything to a file."""
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    yield LogFile(path, JsonLog(descriptor, level=10))
    os.close(descriptor)
