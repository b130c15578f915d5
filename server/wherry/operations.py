"""What whoever runs the server asks it: is it alive, is it ready, what has it counted.

`/healthz` answers as long as the process turns its event loop, and touches nothing else: who restarts a server that
does not answer must not restart one whose database is busy. `/readyz` asks the database, within a bounded time: who
sends requests here should send them elsewhere on a 503. `/metrics` is Prometheus' text.
"""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec.json import encode

from wherry.asgi import Application, Receive, Scope, Send, exchange_of, respond
from wherry.errors import MethodNotAllowed, WherryError

PATHS = ("/healthz", "/readyz", "/metrics")

_JSON = (b"content-type", b"application/json; charset=utf-8")
_PROMETHEUS = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
_NO_STORE = (b"cache-control", b"no-store")


class Operations:
    """The three endpoints as one ASGI application for the paths in `PATHS`.

    `ready` returns when the database answers and the schema is loaded, and raises WherryError where not; it gets
    `patience` seconds. `metrics` returns the text to scrape.
    """

    def __init__(
        self, ready: Callable[[], Awaitable[None]], metrics: Callable[[], bytes], *, patience: float = 2.0
    ) -> None:
        self._ready = ready
        self._metrics = metrics
        self._patience = patience

    def endpoint(self, path: str) -> Application | None:
        """Return the application for a path, None for a path of other rooms."""
        return self if path in PATHS else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET and HEAD of one of the paths; raises MethodNotAllowed for other methods."""
        path = scope["path"]
        exchange_of(scope).route = path
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed(
                f"{path} has no method {scope['method']}", allow="GET, HEAD", hint="Use GET or HEAD."
            )
        if path == "/metrics":
            await respond(send, 200, [_PROMETHEUS, _NO_STORE], self._metrics())
            return
        failure = await self._failure() if path == "/readyz" else None
        if failure is None:
            await respond(send, 200, [_JSON, _NO_STORE], b'{"status":"ok"}')
        else:
            body = encode({"status": "unavailable", "failed": failure})
            await respond(send, 503, [_JSON, _NO_STORE, (b"retry-after", b"1")], body)

    async def _failure(self) -> str | None:
        """Return what keeps the server from being ready, None where nothing does."""
        try:
            async with asyncio.timeout(self._patience):
                await self._ready()
        except TimeoutError:
            return f"the database did not answer within {self._patience:g} seconds"
        except WherryError as error:
            return str(error).encode("utf-8", "replace").decode()
        return None
