"""One connection: requests are read and answered in turn, within limits.

What a connection may be at:

1. *idle*, until the first byte of a head comes or the idle time is over;
2. *reading a head*, which must arrive within its time and size;
3. *answering*: the application runs; the body that arrives is kept for it up to a limit, then reading pauses. What
   has been read of further requests waits: they are answered one at a time, in their order;
4. *lingering*: the client sends what nobody reads any more (it was refused, or answered before it had sent its body).
   Closing now would make its system throw away our answer (RFC 9112, 9.6), so our side is closed, and what comes
   is dropped for some seconds.

A connection is deaf from the last request on that it takes: one with `Connection: close`, or one that was refused.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Awaitable
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote_to_bytes

from wherry.asgi import FIELDS, Message, Scope
from wherry.http1 import refusals
from wherry.http1.heads import Head
from wherry.http1.parser import Parser
from wherry.http1.refusals import Refusal
from wherry.http1.request import Request

if TYPE_CHECKING:
    from wherry.http1.server import Server

_ASGI = {"version": "3.0", "spec_version": "2.4"}
#: Bytes of responses that may be held back: who sends many requests at once must take their answers as well.
_MOST_HELD = 64 * 1024
#: With this, closing is a reset: the client of a response without a length must not take its breaking off for its end.
_RESET = struct.pack("ii", 1, 0)


class Connection(asyncio.Protocol):
    """The protocol of one connection, and the reader of its parser."""

    __slots__ = (
        "_address", "_client", "_current", "_deadline", "_deaf", "_held", "_is_paused", "_lingers", "_loop", "_parser",
        "_partial", "_reading", "_refusal", "_scheduled", "_server", "_unfed", "_unread", "_unsent", "_unsent_until",
        "_waiting", "lost", "nothing", "transport", "writable",
    )  # fmt: skip

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._loop = server.loop
        self.nothing = server.nothing  #: a future that is done
        self.lost = False
        self.writable: asyncio.Future[None] | None = None  #: done as soon as the client has taken enough
        self._parser = Parser(self, server.limits)
        self._reading: Request | None = None  #: whose body arrives
        self._current: Request | None = None  #: that is answered
        self._waiting: deque[Request] = deque()  #: that were read ahead
        self._unfed = b""  #: what was not parsed yet
        self._unread = False  #: the application must read more of the body before more of it is taken
        self._is_paused = False
        self._scheduled = False
        self._refusal: Refusal | None = None  #: what follows the last response
        self._deaf = False
        self._partial = False  #: a head has begun to arrive
        self._lingers = False
        self._deadline = server.now + server.limits.idle_seconds
        self._held = b""  #: responses that are sent at the end of the loop's turn
        self._unsent = 0
        self._unsent_until = 0.0

    # The transport's events

    def refuse_entry(self) -> None:
        """Say that there are too many connections."""
        self._refuse(refusals.FULL)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless there are too many connections."""
        self.transport = cast("asyncio.Transport", transport)
        self._client = _address(transport.get_extra_info("peername"))
        self._address = _address(transport.get_extra_info("sockname"))
        self._server.admit(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the requests that nobody waits for them any more."""
        self.lost = True
        self._server.leave(self)
        self._deaf = True
        self._waiting.clear()
        self._unfed = b""
        if self._current is not None:
            self._current.gone = True
            self._current.wake()
        self.resume_writing()

    def eof_received(self) -> bool:
        """Take no more requests, but let a client that has only closed its own side read the answers."""
        if self._lingers or (self._current is None and not self._unfed):
            return False
        self._deaf = True
        if self._reading is not None:
            self._break_off(refusals.BODY_BROKEN_OFF)
        if self._current is not None:
            self._current.gone = True
            self._current.wake()
        return True

    def pause_writing(self) -> None:
        """Let `send` wait: the client takes less than is sent."""
        self.writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let `send` go on."""
        writable, self.writable = self.writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived, in slices, as long as it can be taken."""
        if self._deaf:
            return
        if self._unfed or len(data) > self._server.limits.slice:
            self._unfed += data
            self._go_on()
            return
        if self._current is None and self._reading is None and not (self._waiting or self._parser.is_midway):
            self._read_next(data)
        else:
            self._feed(data)
        request = self._current
        if request is not None and not request.begun:
            self._start(request)
        if self._unread or self._waiting or self._is_paused:
            self._hold()

    # Reading

    def _read_next(self, data: bytes) -> None:
        """Read what comes while nothing else is there: mostly a request like others before."""
        heads = self._server.heads
        found = heads.find(data)
        if found is not None:
            head, body = found
            self._request(head).take_whole(body)
            return
        self._feed(data)
        request = self._current
        if request is not None and request.complete and request.keeps_alive and request.is_recent:
            heads.remember(data, request.scope["headers"])

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed(data)
        except Refusal as refusal:
            if not self._deaf:
                self._refuse(refusal)
            return
        if self._parser.is_midway and self._reading is None and not (self._partial or self._deaf):
            self._partial = True
            self._deadline = self._server.now + self._server.limits.head_seconds

    def on_head(self, head: Head) -> None:
        """Take the head of a request; it is started after the parser has returned."""
        self._partial = False
        self._deadline = self._server.now + self._server.limits.body_seconds
        self._reading = self._request(head)

    def _request(self, head: Head) -> Request:
        """Make a request, to be answered after those before it."""
        raw_path, _, query = head.target.partition(b"?")
        if not raw_path.startswith(b"/"):
            raw_path = _without_authority(raw_path)
        path = unquote_to_bytes(raw_path) if b"%" in raw_path else raw_path
        scope: Scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": "1.1" if head.is_recent else "1.0",
            "method": head.method,
            "scheme": "http",
            "path": path.decode("utf-8", "surrogateescape"),
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": head.headers,
            "client": self._client,
            "server": self._address,
        }
        if head.fields is not None:
            scope[FIELDS] = head.fields
        request = Request(self, scope, head.keeps_alive, head.is_recent, head.expects_continue)
        if self._current is None:
            self._current = request
        else:
            self._waiting.append(request)
        return request

    def on_piece(self, piece: bytes) -> None:
        """Take a piece of the body."""
        server = self._server
        self._deadline = server.now + server.limits.body_seconds
        if self._reading is not None and self._reading.take(piece) > server.limits.unread:
            self._unread = True

    def on_end(self) -> None:
        """Take the end of the request."""
        request, self._reading = self._reading, None
        if request is None:
            return  # it was refused meanwhile
        self._unread = False  # there is no more of this body to hold back
        request.complete = True
        request.wake()
        if not request.keeps_alive:
            self._deaf = True

    # Answering

    @property
    def date(self) -> bytes:
        """The Date field of a response."""
        return self._server.date

    @property
    def is_last(self) -> bool:
        """Whether the connection is to be closed after the response."""
        return self._server.is_ending

    def ready(self, message: Message) -> Awaitable[Message]:
        """Return something that awaits to the message at once."""
        future = self._loop.create_future()
        future.set_result(message)
        return future

    def body_taken(self) -> None:
        """Read on: the application has taken what there was of the body."""
        if self._unread:
            self._unread = False
            self._deadline = self._server.now + self._server.limits.body_seconds
            self._schedule()

    def write_soon(self, response: bytes) -> None:
        """Send a whole response at the end of the loop's turn, with those of other connections.

        To wake a client for each response by itself takes as long as making it.
        """
        if not self._held:
            self._server.flush_soon(self)
        self._held += response
        if len(self._held) > _MOST_HELD:
            self.flush()

    def flush(self) -> None:
        """Send the responses that are held back, before anything else is sent or the connection closed."""
        held, self._held = self._held, b""
        if held and not self.transport.is_closing():
            self.transport.write(held)

    def invite_body(self) -> None:
        """Tell a client that asks first that its body is wanted."""
        self.flush()
        self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._deadline = self._server.now + self._server.limits.body_seconds

    def answered(self, request: Request) -> None:
        """Go on after a whole response."""
        self._current = None
        if not request.keeps_alive or self._server.is_ending:
            self._close(linger=not request.complete)
        elif self._waiting or self._unfed or self._deaf:
            self._schedule()
        else:
            limits = self._server.limits
            self._deadline = self._server.now + (limits.head_seconds if self._partial else limits.idle_seconds)

    def not_answered(self, request: Request, refusal: Refusal) -> None:
        """Say so after an application that has ended without a response; cut one that it has not finished."""
        if self.lost:
            return
        if request.started:
            if request.ends_with_connection:
                self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.cut()
        else:
            response = refusal.response
            self._say(response[: response.index(b"\r\n\r\n") + 4] if request.is_head else response)

    def _start(self, request: Request) -> None:
        request.begun = True
        server = self._server
        server.steps.start(server.application(request.scope, request.receive, request.send), request.ended)

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """Answer the next request, and parse on, as far as may be."""
        self._scheduled = False
        if self.lost or self._lingers:
            return
        if self._current is None and self._waiting:
            self._current = self._waiting.popleft()
        size = self._server.limits.slice
        while self._unfed and not (self._deaf or self._unread or self._waiting):
            data, self._unfed = self._unfed[:size], self._unfed[size:]
            self._feed(data)
        request = self._current
        if request is not None:
            if not request.begun:
                self._start(request)
        elif self._deaf and not self._waiting:
            if self._refusal is not None:
                self._turn_away(self._refusal, self._parser.target)
            else:
                self._close()
        self._hold()

    def _hold(self) -> None:
        """Read no more while there is enough to do, and again when there is not."""
        is_paused = bool(self._unread or self._waiting or (self._unfed and not self._deaf))
        if is_paused != self._is_paused and not self.transport.is_closing():
            self._is_paused = is_paused
            if is_paused:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    # Ending

    def _refuse(self, refusal: Refusal) -> None:
        """Take nothing more; say why, after the responses that come before."""
        self._deaf = True
        self._unfed = b""
        if self._reading is not None:
            self._break_off(refusal)
        elif self._current is None and not self._waiting:
            self._turn_away(refusal, self._parser.target)
        else:
            self._refusal = refusal

    def _break_off(self, refusal: Refusal) -> None:
        """Refuse the rest of a body: the application is told, if it has begun."""
        request, self._reading = self._reading, None
        assert request is not None
        if request.begun:
            request.refusal = refusal
            request.wake()
        elif request is self._current:
            self._current = None
            self._turn_away(refusal, request.scope["raw_path"])
        else:
            self._waiting.pop()
            self._refusal = refusal

    def _turn_away(self, refusal: Refusal, target: bytes) -> None:
        """Refuse what no application has seen, and say that it came."""
        self._server.refused(refusal, target, self._client)
        self._say(refusal.response)

    def _say(self, response: bytes) -> None:
        """Send a last response."""
        self.flush()
        self.transport.write(response)
        self._current = None
        self._close(linger=True)

    def _close(self, *, linger: bool = False) -> None:
        """Close the connection after what was sent; where the client may still be sending, only our side of it."""
        self._deaf = True
        self._waiting.clear()
        self._unfed = b""
        self._unread = False
        self.flush()
        if not linger:
            self.transport.close()
        elif not self._lingers:
            self._lingers = True
            self._deadline = self._server.now + self._server.limits.linger_seconds
            self.transport.write_eof()
            self._hold()

    def end(self) -> None:
        """Close the connection if nothing is in flight on it: the server ends."""
        if self._lingers or (self._current is None and not (self._waiting or self._unfed or self._partial)):
            self.flush()
            self.transport.close()

    def cut(self) -> None:
        """Close the connection at once, whatever is in flight."""
        self._deaf = True
        self.transport.abort()

    def check(self, now: float) -> None:
        """Look whether what is waited for has come in time."""
        unsent = self.transport.get_write_buffer_size()
        if unsent:
            if unsent != self._unsent:
                self._unsent_until = now + self._server.limits.write_seconds
            elif now > self._unsent_until:
                self.cut()
        elif now > self._deadline:
            if self._lingers:
                self.cut()
            elif self._reading is not None:
                if not (self._unread or self._reading.expects_continue):
                    self._refuse(refusals.TOO_SLOW)
            elif self._current is None and not self._waiting:
                if self._partial:
                    self._refuse(refusals.TOO_SLOW)
                else:
                    self._close()
        self._unsent = unsent


def _address(name: object) -> tuple[str, int] | None:
    """Return ASGI's host and port of a socket's name; None where it has no such name."""
    return (name[0], name[1]) if isinstance(name, tuple) else None


def _without_authority(target: bytes) -> bytes:
    """Return the path of a target in absolute form, as a proxy sends it (RFC 9112, 3.2.2)."""
    _, found, rest = target.partition(b"://")
    return b"/" + rest.partition(b"/")[2] if found else target
