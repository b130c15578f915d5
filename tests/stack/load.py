"""A bounded load on 127.0.0.1: some clients that keep their connections, each with one request at a time."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from stack import eventually


@dataclass
class Load:
    """Asks in a thread of its own while its context lasts, `rate` times a second and no longer than a minute.

    `answers` counts the statuses; `failures` are connections that ended without an answer; `slowest` is in seconds.
    """

    port: int
    request: Callable[[int], bytes]
    rate: int = 200
    clients: int = 8
    answers: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._number = 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        self.wait_for(20)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def count(self) -> int:
        """How many requests have ended, one way or the other."""
        return sum(self.answers.values()) + len(self.failures)

    def wait_for(self, more: int) -> None:
        """Wait until so many more requests have ended."""
        goal = self.count + more
        eventually(lambda: self.count >= goal, 60)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        await asyncio.gather(*(self._ask(started, loop.time) for _ in range(self.clients)))

    async def _ask(self, started: float, time: Callable[[], float]) -> None:
        reader: asyncio.StreamReader | None = None
        writer: asyncio.StreamWriter | None = None
        while not self._ended.is_set() and time() - started < 60:
            number, self._number = self._number, self._number + 1
            await asyncio.sleep(max(0, started + number / self.rate - time()))
            asked = time()
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(self.request(number))
                assert reader is not None
                status, closes = await asyncio.wait_for(_answer(reader), 20)
                self.answers[status] += 1
            except (OSError, EOFError, TimeoutError) as error:
                self.failures.append(repr(error))
                closes = True
            if closes and writer is not None:
                writer.close()
                writer = None
            self.slowest = max(self.slowest, time() - asked)
        if writer is not None:
            writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Read one whole answer; return its status, and whether the connection is closed after it."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    if fields.get(b"transfer-encoding") == b"chunked":
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    elif status not in (204, 304):
        await reader.readexactly(int(fields[b"content-length"]))
    return status, fields.get(b"connection") == b"close"
