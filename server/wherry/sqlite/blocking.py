"""A thread for what may block: it does what it is given, one after the other, and tells the event loop."""

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

from wherry.sqlite.on_loop import call_threadsafe

Outcome = TypeVar("Outcome")


class BlockingThread:
    """One thread beside one event loop; it starts with the first work, and `close` ends it after the last."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: Thread | None = None

    def do(self, loop: asyncio.AbstractEventLoop, work: Callable[[], Outcome], then: Callable[[Outcome], None]) -> None:
        """Do `work`, which must not raise, in the thread, and then `then` with its outcome on the loop."""
        self._queue.put(lambda: call_threadsafe(loop, then, work()))
        if self._thread is None:
            self._thread = Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Let the thread end when it has done what it was given."""
        self._queue.put(None)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            work()
