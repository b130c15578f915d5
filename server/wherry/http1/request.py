"""One request and its response: ASGI's receive and send, and the response's framing.

`receive` and `send` act when they are called and return something to await, mostly a future that is done: a coroutine
for each would cost more than what it does.

How a response is framed (RFC 9112, 6.3):

1. to HEAD, and with 1xx, 204 and 304, it has no body, whatever the application sends;
2. with a content-length of the application's, that many bytes: not one more is sent, and where one is missing the
   connection is cut;
3. sent in one message, it gets a content-length;
4. else it is chunked, or for an HTTP/1.0 client ends with the connection.
"""

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from wherry.asgi import Message, Scope
from wherry.errors import ClientGone
from wherry.http1.refusals import NO_ANSWER, STATUS_LINES, Refusal

if TYPE_CHECKING:
    from wherry.http1.connection import Connection

#: A body up to this size is written together with its head; a larger one is not copied.
_TOGETHER = 32 * 1024

_CHUNKED, _CLOSE, _KEEP = b"transfer-encoding: chunked\r\n", b"connection: close\r\n", b"connection: keep-alive\r\n"
#: Header fields of a response that are the server's matter, or that it must know of.
_FRAMING = frozenset((b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"date"))


class Disconnected(ClientGone, ConnectionError):
    """The client is gone; an OSError too, as ASGI has it."""


class Request:
    """A request, as far as it has arrived, and its response, as far as it was sent.

    For what it was told of its head see `heads.Head`.
    """

    __slots__ = (
        "_body_bytes", "_chunked", "_connection", "_gave_last", "_left", "_news", "_pieces", "_start", "_without_body",
        "begun", "complete", "done", "ends_with_connection", "expects_continue", "gone", "is_head", "is_recent",
        "keeps_alive", "refusal", "scope", "started",
    )  # fmt: skip

    def __init__(
        self, connection: "Connection", scope: Scope, keeps_alive: bool, is_recent: bool, expects_continue: bool
    ) -> None:
        self.scope = scope
        self.keeps_alive = keeps_alive
        self.is_recent = is_recent
        self.is_head = scope["method"] == "HEAD"
        self.expects_continue = expects_continue
        self.begun = False  #: the application was called
        self.complete = False  #: the whole request has arrived
        self.gone = False  #: the client does not wait for the response any more
        self.refusal: Refusal | None = None  #: why the rest of the body cannot be had
        self.started = False  #: the response's head was written
        self.done = False  #: the whole response was written
        self.ends_with_connection = False  #: the body has no other end
        self._connection = connection
        self._pieces: list[bytes] = []
        self._body_bytes = 0
        self._gave_last = False
        self._news: asyncio.Event | None = None
        self._start: Message | None = None
        self._left: int | None = None
        self._chunked = False
        self._without_body = False

    # The request

    def take(self, piece: bytes) -> int:
        """Take a piece of the body as it arrives; return the number of bytes that wait for the application."""
        self._pieces.append(piece)
        self._body_bytes += len(piece)
        self.wake()
        return self._body_bytes

    def take_whole(self, body: bytes) -> None:
        """Take the body of a request that is complete with it."""
        if body:
            self._pieces.append(body)
        self.complete = True

    def wake(self) -> None:
        """Tell who waits in `receive` that something has happened."""
        if self._news is not None:
            self._news.set()

    def receive(self) -> Awaitable[Message]:
        """Return ASGI's next message: the body in pieces as they arrive, then the client's leaving."""
        message = self._message()
        return self._connection.ready(message) if message is not None else self._later()

    def _message(self) -> Message | None:
        if self._pieces or (self.complete and not self._gave_last):
            body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces.clear()
            self._body_bytes = 0
            self._gave_last = self.complete
            self._connection.body_taken()
            return {"type": "http.request", "body": body, "more_body": not self.complete}
        if self.gone or self.done or self.refusal is not None:
            return {"type": "http.disconnect"}
        return None

    async def _later(self) -> Message:
        if self.expects_continue and not (self.complete or self.started):
            self.expects_continue = False
            self._connection.invite_body()
        self._news = news = self._news or asyncio.Event()
        while True:
            news.clear()
            if (message := self._message()) is not None:
                return message
            await news.wait()

    # The response

    def send(self, message: Message) -> Awaitable[None]:
        """Send a message of the response; done when the client can take more.

        Raises Disconnected when the connection is gone, and RuntimeError for what is no response.
        """
        connection = self._connection
        # Not only when `lost`: that is told by the loop, which an application that only sends would not let run.
        if connection.transport.is_closing():
            raise Disconnected("the client has closed the connection")
        kind = message["type"]
        if kind == "http.response.start" and self._start is None:
            self._start = message
        elif kind == "http.response.body" and self._start is not None and not self.done:
            body = message.get("body", b"")
            more = message.get("more_body", False)
            if self.started:
                self._go_on(body, more)
            else:
                self._begin(self._start, body, more)
            if not more:
                self.done = True
                self.wake()
                connection.answered(self)
        else:
            raise RuntimeError(f"{kind} cannot be sent now")
        return connection.writable or connection.nothing

    def ended(self, error: BaseException | None) -> None:
        """Make sure that the client learns of a missing response, or an unfinished one."""
        if error is not None and not isinstance(error, Disconnected | asyncio.CancelledError):
            asyncio.get_running_loop().call_exception_handler(
                {"message": "the application has failed to answer a request", "exception": error}
            )
        if not self.done:
            self._connection.not_answered(self, self.refusal or NO_ANSWER)

    def _begin(self, start: Message, body: bytes, more: bool) -> None:
        """Write the head, and the first part of the body."""
        head = self._head(start, None if more else len(body))
        if self.keeps_alive and not more and len(body) <= _TOGETHER and not self._chunked:
            if not self._without_body:
                self._count(len(body), more)
                head += body
            self._connection.write_soon(head)
            self.started = True
            return
        self._connection.flush()
        self._connection.transport.write(head)
        self.started = True
        self._go_on(body, more)

    def _go_on(self, body: bytes, more: bool) -> None:
        """Write a part of the body.

        Not with `writelines`: in asyncio's own loop it forgets, up to some versions, to slow the application down.
        """
        if self._without_body:
            return
        self._count(len(body), more)
        write = self._connection.transport.write
        if not self._chunked:
            write(body)
            return
        if body:
            write(b"%x\r\n" % len(body))
            write(body)
            write(b"\r\n")
        if not more:
            write(b"0\r\n\r\n")

    def _count(self, size: int, more: bool) -> None:
        """Hold the application to the content-length that it has declared."""
        if self._left is None:
            return
        self._left -= size
        if self._left < 0 or (self._left and not more):
            raise RuntimeError("the body has another length than content-length says")

    def _head(self, start: Message, length: int | None) -> bytes:
        """Return the head of the response; `length` is the body's, where this is known."""
        status = start["status"]
        connection = self._connection
        parts = [STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status, connection.date]
        keeps_alive = self.keeps_alive and self.complete and not connection.is_last
        declared: int | None = None
        lines = 3
        for name, value in start.get("headers", ()):
            if name in _FRAMING:
                if name == b"connection":
                    keeps_alive = keeps_alive and value.lower() != b"close"
                    continue
                if name != b"content-length" or status == 204:
                    continue
                declared = int(value)
            parts += (name, b": ", value, b"\r\n")
            lines += 1
        if self.is_head or status in (204, 304) or status < 200:
            self._without_body = True
        elif declared is not None:
            self._left = declared
        elif length is not None:
            parts.append(b"content-length: %d\r\n" % length)
            lines += 1
        elif self.is_recent:
            self._chunked = True
            parts.append(_CHUNKED)
            lines += 1
        else:
            self.ends_with_connection = True
            keeps_alive = False
        if not keeps_alive:
            parts.append(_CLOSE)
            lines += 1
        elif not self.is_recent:
            parts.append(_KEEP)
            lines += 1
        self.keeps_alive = keeps_alive
        parts.append(b"\r\n")
        head = b"".join(parts)
        if head.count(b"\n") != lines or head.count(b"\r") != lines:
            raise RuntimeError("a header field of the response has a line break")
        return head
