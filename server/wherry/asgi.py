"""What every room says to the web server: the ASGI types, the open exchange, a body read, an answer sent.

Plain ASGI 3 (https://asgi.readthedocs.io/en/latest/specs/www.html), so that any server and any middleware fits.

While a request is answered, `scope["wherry.exchange"]` holds its `Exchange`. A room says there what it alone
knows and what log and metrics want to know: the route and the role.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, TypeAlias

from wherry.errors import ClientGone, TooLarge

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

_EXCHANGE = "wherry.exchange"
#: Where a front that knows the header fields by their names already (see `header_map`) puts them.
FIELDS = "wherry.fields"


class Exchange:
    """A request while it is answered: its `send` adds what belongs to every response, and counts.

    It is a class because it has state that outlives each message: what was sent so far.

    A room may set `route` (the template, with a table's name only if the schema has the table: log and metrics count
    by it, so the number of routes must be bounded) and `role`.
    """

    __slots__ = ("_added", "_send", "_without_body", "bytes_out", "headers", "request_id", "role", "route", "status")

    def __init__(
        self, send: Send, request_id: str, added: Headers, without_body: bool, headers: Mapping[bytes, bytes]
    ) -> None:
        self.headers = headers  #: of the request, as `header_map` makes them
        self.request_id = request_id
        self.route = "other"
        self.role: str | None = None
        self.status = 0  #: 0 until the response has started
        self.bytes_out = 0
        self._send = send
        self._added = added
        self._without_body = without_body

    def send(self, message: Message) -> Awaitable[None]:
        """Send a message of the response; a HEAD's body is left out (RFC 9110, 9.3.2)."""
        if message["type"] == "http.response.body":
            if self._without_body:
                message["body"] = b""
            else:
                self.bytes_out += len(message.get("body", b""))
        elif message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._added]
        return self._send(message)


def header_map(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return headers by their names; the lines of a repeated one are one list (RFC 9110, 5.3)."""
    lines = tuple(headers)
    named = dict(lines)
    if len(named) < len(lines):
        for name in named:
            values = [value for other, value in lines if other == name]
            if len(values) > 1:
                named[name] = b", ".join(values)
    return named


def open_exchange(scope: Scope, exchange: Exchange) -> None:
    """Put the exchange where the rooms find it."""
    scope[_EXCHANGE] = exchange


def close_exchange(scope: Scope) -> None:
    """Take the exchange out of its scope, which it leads back to by `send`.

    A ring of objects in each request would wait for the garbage collector: that cost a fifth of a point read.
    """
    del scope[_EXCHANGE]


def exchange_of(scope: Scope) -> Exchange:
    """Return the exchange that a scope belongs to."""
    exchange: Exchange = scope[_EXCHANGE]
    return exchange


async def read_body(receive: Receive, limit: int) -> bytes:
    """Read the whole body of a request, at most `limit` bytes.

    Raises TooLarge, and ClientGone when the client goes away in the middle.
    """
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False) and len(body) <= limit and message["type"] == "http.request":
        return body
    return await _read_pieces(receive, limit, message)


async def _read_pieces(receive: Receive, limit: int, message: Message) -> bytes:
    """Read a body that comes in several messages, or cannot be taken."""
    pieces: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGone
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > limit:
            raise TooLarge(
                f"The body is larger than {limit} bytes",
                hint="Send the rows in several requests, or raise the server's limit.",
            )
        if not message.get("more_body", False):
            return b"".join(pieces)
        message = await receive()


async def respond(send: Send, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> None:
    """Send a whole response; `content-length` is added, where the status can have one (RFC 9110, 8.6)."""
    if status not in (204, 304):
        headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
