"""Fixtures of the HTTP front's tests: a server in a thread, an application per test, and raw sockets."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, suppress

import pytest
import uvloop

from wherry.asgi import Application, Receive, Scope, Send, read_body, respond
from wherry.errors import ClientGone
from wherry.http1 import Limits, Server
from wherry.observe import Observation

LOOPS = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
#: Limits that a test can wait for.
HASTY = Limits(head_seconds=0.2, body_seconds=0.2, idle_seconds=0.4, write_seconds=0.3, linger_seconds=0.2, tick=0.02)


class Served:
    """A server in a thread with an event loop of its own; a class because it is started and ended."""

    def __init__(self, application: Application, limits: Limits, loop: str) -> None:
        self.complaints: list[str] = []
        self.observed: list[Observation] = []
        self._connections = ExitStack()
        self._application = application
        self._limits = limits
        self._started: Future[tuple[asyncio.AbstractEventLoop, Server, asyncio.Event]] = Future()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=(loop,))
        self._thread.start()
        self.loop, self.server, self.last_call = self._started.result(10)
        self._ending: Future[None] | None = None

    def _run(self, loop: str) -> None:
        with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.complaints.append(context["message"]))
        server = Server(self._application, self._limits, emit=self.observed.append)
        await server.listen(self._listener)
        self._ended = asyncio.Event()
        self._started.set_result((loop, server, asyncio.Event()))
        await self._ended.wait()

    def connect(self, sent: bytes = b"") -> socket.socket:
        """Open a connection and send something."""
        connection = self._connections.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=10))
        with suppress(ConnectionError):
            connection.sendall(sent)
        return connection

    def answer(self, sent: bytes) -> bytes:
        """Return all that the server sends before it closes the connection, without dates."""
        return received(self.connect(sent))

    def end(self) -> None:
        """Begin to end the server; what is in flight may go on."""
        self._ending = asyncio.run_coroutine_threadsafe(self.server.end(self.last_call), self.loop)

    def cut(self) -> None:
        """End the server at once."""
        self.loop.call_soon_threadsafe(self.last_call.set)
        if self._ending is None:
            self.end()
        assert self._ending is not None
        self._ending.result(10)

    def close(self) -> None:
        """End the server and its thread."""
        self.cut()
        self.loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)
        self._connections.close()


def received(connection: socket.socket) -> bytes:
    """Return all that comes until the other side closes, without dates."""
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return undated(b"".join(pieces))


def undated(answer: bytes) -> bytes:
    """Return a text without the lines that say a date."""
    return b"".join(line for line in answer.splitlines(keepends=True) if not line.startswith(b"date: "))


def response(connection: socket.socket) -> bytes:
    """Return one response with a content-length, without its date; the connection stays open."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        assert byte, head
        head += byte
    size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    body = b""
    while len(body) < size:
        body += connection.recv(size - len(body))
    return undated(head + body)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the method, the target and the body."""
    with suppress(ClientGone):
        body = await read_body(receive, 1 << 20)
        target = scope["raw_path"] + b"?" + scope["query_string"]
        await respond(send, 200, [], b"%b %b %b" % (scope["method"].encode(), target, body))


Serve = Callable[..., Served]


@pytest.fixture(params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    """Each event loop that the server may run on."""
    return str(request.param)


@pytest.fixture
def serve(loop: str) -> Iterator[Serve]:
    """Serve an application until the test's end, on each event loop; it must leave nothing to complain of."""
    with ExitStack() as stack:

        def start(application: Application = echo, limits: Limits | None = None) -> Served:
            served = Served(application, limits or Limits(), loop)
            stack.callback(served.close)
            return served

        yield start
