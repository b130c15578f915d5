"""Bytes into requests. httptools knows the syntax (RFC 9112); what is refused beyond it is decided here.

That are heads that are too large, that name no host or two, that speak another version, ask for a coding that is not
chunked, for a tunnel or a miracle. Another protocol is not refused but ignored (RFC 9110, 7.8).
"""

from typing import Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from wherry.http1 import refusals
from wherry.http1.heads import Head
from wherry.http1.limits import Limits
from wherry.http1.refusals import Refusal

#: Header fields that say something about the message or the connection.
_TELLING = frozenset((b"host", b"connection", b"content-length", b"transfer-encoding", b"expect", b"upgrade"))


class Reader(Protocol):
    """Who is told what was read."""

    def on_head(self, head: Head) -> None:
        """Take the head of a request."""

    def on_piece(self, piece: bytes) -> None:
        """Take a piece of its body."""

    def on_end(self) -> None:
        """Take its end."""


class Parser:
    """The parser of one connection; httptools calls its methods `on_…`."""

    __slots__ = ("_again", "_fed", "_headers", "_limits", "_parser", "_reader", "_telling", "target")

    def __init__(self, reader: Reader, limits: Limits) -> None:
        self.target = b""  #: of the request, as far as its head has come
        self._reader = reader
        self._limits = limits
        self._parser = HttpRequestParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._telling: dict[bytes, bytes] = {}
        self._again: bytes | None = None  #: the head of a request that asked for another protocol, without that
        self._fed = 0  #: bytes since the end of a message, or a piece of a body

    @property
    def is_midway(self) -> bool:
        """Whether a head has begun, or something between pieces of a body, and not ended."""
        return self._fed > 0 or self.target != b""

    def feed(self, data: bytes) -> None:
        """Read what has arrived. Raises Refusal, after which nothing more can be read."""
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._parse_again(data[upgrade.args[0] :])
        except HttpParserError as error:
            cause = error.__context__
            raise cause if isinstance(cause, Refusal) else refusals.malformed(str(error)) from None
        if self._fed or self.target:
            if len(self.target) > self._limits.target:
                raise refusals.TARGET_TOO_LONG
            if self._fed > self._limits.head or len(self._headers) > self._limits.headers:
                raise refusals.HEAD_TOO_LARGE

    def _parse_again(self, rest: bytes) -> None:
        """Parse a request that asked for another protocol again, without that.

        Else the parser would take the request's body for words of the other protocol, and we for requests.
        """
        head, self._again = self._again, None
        if head is not None:
            self._parser = HttpRequestParser(self)
            self.feed(head + rest)

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request's target."""
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field, or one of a trailer, which is dropped at the message's end."""
        name = name.lower()
        self._headers.append((name, value))
        if name in _TELLING:
            telling = self._telling
            telling[name] = telling[name] + b"," + value if name in telling else value

    def on_headers_complete(self) -> None:
        """Look at the head and hand it on. Raises Refusal."""
        headers, telling, limits, target = self._headers, self._telling, self._limits, self.target
        if len(target) > limits.target:
            raise refusals.TARGET_TOO_LONG
        if len(headers) > limits.headers or (self._fed > limits.head and _size(target, headers) > limits.head):
            raise refusals.HEAD_TOO_LARGE
        parser = self._parser
        keeps_alive = parser.should_keep_alive()
        method = parser.get_method().decode()
        is_recent = keeps_alive
        if len(telling) != 1 or b"host" not in telling or not keeps_alive or method == "CONNECT":
            is_recent = self._check(method)
        if self._again is None and b"," in telling.get(b"host", b"," if is_recent else b""):
            raise refusals.NO_HOST
        self._headers = []
        self._telling = {}
        self.target = b""
        if self._again is None:
            expects_continue = is_recent and b"expect" in telling
            self._reader.on_head(Head(method, target, headers, keeps_alive, is_recent, expects_continue))

    def _check(self, method: str) -> bool:
        """Check a head that says more than its host; return whether it is HTTP/1.1. Raises Refusal."""
        telling, parser = self._telling, self._parser
        version = parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise refusals.VERSION
        if b"transfer-encoding" in telling and (
            version == "1.0" or telling[b"transfer-encoding"].strip().lower() != b"chunked"
        ):
            raise refusals.CODING
        if b"expect" in telling and telling[b"expect"].lower() != b"100-continue":
            raise refusals.EXPECTATION
        if method == "CONNECT":
            raise refusals.NO_TUNNEL
        if parser.should_upgrade():
            fields = b"".join(b"%b: %b\r\n" % field for field in self._headers if field[0] != b"upgrade")
            self._again = b"%b %b HTTP/1.1\r\n%b\r\n" % (method.encode(), self.target, fields)
        return version == "1.1"

    def on_body(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self._fed = 0
        self._reader.on_piece(piece)

    def on_message_complete(self) -> None:
        """Take the end of the request, unless it is parsed again."""
        if self._again is None:
            self._fed = 0
            if self._headers:
                self._headers = []
                self._telling = {}
            self._reader.on_end()


def _size(target: bytes, headers: list[tuple[bytes, bytes]]) -> int:
    return len(target) + sum(len(name) + len(value) + 4 for name, value in headers)
