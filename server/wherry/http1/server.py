"""The connections of one process: accepted, counted, timed, and ended in order."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from email.utils import formatdate

from wherry.asgi import Application
from wherry.http1.connection import Connection
from wherry.http1.heads import KnownHeads
from wherry.http1.limits import Limits
from wherry.http1.refusals import Refusal
from wherry.http1.steps import Steps
from wherry.observe import Emit, RequestServed, ignore

#: Seconds that applications get to notice that they were cancelled.
_NOTICE = 1


class Server:
    """What the connections of one event loop share; a class because it counts them, and knows the time."""

    def __init__(self, application: Application, limits: Limits | None = None, *, emit: Emit = ignore) -> None:
        self._emit = emit
        self.application = application
        self.limits = limits or Limits()
        self.heads = KnownHeads(self.limits)
        self.loop = asyncio.get_running_loop()
        self.steps = Steps(self.loop)
        self.connections: set[Connection] = set()
        self.is_ending = False
        self.nothing: asyncio.Future[None] = self.loop.create_future()
        self.nothing.set_result(None)
        self._listening: list[tuple[socket.socket, asyncio.Server]] = []
        self._empty = asyncio.Event()
        self._holding: list[Connection] = []
        self._tick()

    async def listen(self, listener: socket.socket) -> None:
        """Accept connections on a socket that is bound, and may listen already."""
        server = await self.loop.create_server(lambda: Connection(self), sock=listener, backlog=self.limits.backlog)
        self._listening.append((listener, server))

    def admit(self, connection: Connection) -> None:
        """Count a connection in, and refuse it if there are too many; if they don't notice, without a word."""
        most = self.limits.connections
        if len(self.connections) > most + most // 10:
            connection.cut()
            return
        self.connections.add(connection)
        if len(self.connections) > most:
            connection.refuse_entry()

    def flush_soon(self, connection: Connection) -> None:
        """Let a connection send what it holds back, at the end of the loop's turn."""
        if not self._holding:
            self.loop.call_soon(self._flush)
        self._holding.append(connection)

    def _flush(self) -> None:
        holding, self._holding = self._holding, []
        for connection in holding:
            connection.flush()

    def leave(self, connection: Connection) -> None:
        """Count a connection out."""
        self.connections.discard(connection)
        if self.is_ending and not self.connections:
            self._empty.set()

    def refused(self, refusal: Refusal, target: bytes, client: tuple[str, int] | None) -> None:
        """Observe what was refused before it was a request: what it asked may be unknown."""
        path, _, query = target.partition(b"?")
        address = client[0] if client else None
        self._emit(
            RequestServed("?", "refused", refusal.status, 0.0, refusal.size, "", None, path, query, address, b"")
        )

    async def end(self, last_call: asyncio.Event) -> None:
        """Take no more connections, answer what is in flight, and cut it when the last call comes.

        A connection that is idle may be about to be used: a proxy that sends a request into one that is just being
        closed cannot know whether it was read, and must not send a POST again (RFC 9110, 9.2.2). So each gets a while
        in which it may bring one more request, whose answer says that it was the last.
        """
        self.is_ending = True
        await self._stop_listening()
        await self._wait_until_empty(last_call, self.limits.parting_seconds)
        for connection in list(self.connections):
            connection.end()
        await self._wait_until_empty(last_call, None)
        await self._cut()

    async def _stop_listening(self) -> None:
        """Take no more connections but those that the kernel has taken for us: it would reset them."""
        await _turns()
        waiting: list[socket.socket] = []
        for listener, server in self._listening:
            waiting += _accepted(listener, self.limits.backlog)
            server.close()
        for accepted in waiting:
            with suppress(OSError):
                await self.loop.connect_accepted_socket(lambda: Connection(self), accepted)
        await _turns()

    async def _wait_until_empty(self, last_call: asyncio.Event, seconds: float | None) -> None:
        """Wait until there is no connection any more, the last call comes, or the time is over."""
        if not self.connections:
            return
        self._empty.clear()
        waits = [asyncio.ensure_future(event.wait()) for event in (self._empty, last_call)]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _cut(self) -> None:
        for connection in list(self.connections):
            connection.cut()
        tasks = list(self.steps.waiting)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_NOTICE)
        self.steps.close()
        self._timer.cancel()

    def _tick(self) -> None:
        """Read the clock, for all that need it roughly, and look after what takes too long."""
        self.now = self.loop.time()
        self.date = f"date: {formatdate(usegmt=True)}\r\n".encode()
        for connection in list(self.connections):
            connection.check(self.now)
        self._timer = self.loop.call_later(self.limits.tick, self._tick)


async def _turns() -> None:
    """Wait until the loop has told of each connection that it has accepted: that takes some turns of it."""
    for _ in range(5):
        await asyncio.sleep(0)


def _accepted(listener: socket.socket, most: int) -> Iterator[socket.socket]:
    """Accept the connections that wait on a socket which does not block."""
    with suppress(OSError):
        for _ in range(most):
            accepted, _ = listener.accept()
            accepted.setblocking(False)
            yield accepted
