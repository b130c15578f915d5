"""The reader threads: reads that are slow or large, away from the event loop.

Threads and connections are made when they are first needed, up to the limit; what comes beyond waits its turn, up
to a limit too.
"""

import asyncio
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Final, TypeVar

import apsw

from wherry.errors import DatabaseBusy
from wherry.observe import Emit
from wherry.sqlite.lease import CallLease, Lease
from wherry.sqlite.on_loop import call_threadsafe, settle
from wherry.sqlite.refusals import refusal, stopping
from wherry.sqlite.results import Page, Stream
from wherry.sqlite.slow import SlowStatements
from wherry.sqlite.stream import ReadBindings, ReadLease, ReadLimits
from wherry.statement import ReadTransaction

Result = TypeVar("Result")

#: Reads that may wait for a reader.
WAITING_READS: Final = 256


class ReaderPool:
    """The reader threads of a process; used from one event loop.

    `connect` opens one of at most `size` connections, in the thread that uses it.
    """

    def __init__(
        self,
        connect: Callable[[], apsw.Connection],
        *,
        size: int,
        limits: ReadLimits,
        slow: SlowStatements,
        emit: Emit,
    ) -> None:
        self._connect = connect
        self._size = size
        self._limits = limits
        self._slow = slow
        self._emit = emit
        self._queue: SimpleQueue[Lease | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self._leases: set[Lease] = set()
        self._closed = False

    @property
    def leased(self) -> int:
        """How many reads run, stream or wait."""
        return len(self._leases)

    async def read(self, transaction: ReadTransaction, bindings: ReadBindings, schema_version: int) -> Page | Stream:
        """Return the read's page or stream; raise SchemaChanged, DatabaseError, or DatabaseBusy if too many wait."""
        lease = ReadLease(transaction, bindings, schema_version, limits=self._limits, slow=self._slow, emit=self._emit)
        self._start(lease)
        return await lease.result()

    async def call(self, function: Callable[[apsw.Connection], Result]) -> Result:
        """Return what `function` returns for a reader's connection, inside one snapshot of the file."""
        lease = CallLease(function, self._emit)
        self._start(lease)
        return await lease.wait(lease.answer, self._limits.seconds)  # type: ignore[return-value]  # the function's

    async def close(self) -> None:
        """Stop every read, close the connections and end the threads."""
        self._closed = True
        for lease in self._leases:
            lease.stop(stopping())
        for _ in self._threads:
            self._queue.put(None)
        for lease in list(self._leases):
            await asyncio.shield(lease.ended)
        for thread in self._threads:
            thread.join()

    def _start(self, lease: Lease) -> None:
        if self._closed:
            raise stopping()
        if len(self._leases) >= self._size + WAITING_READS:
            raise DatabaseBusy("too many slow reads wait already; try again in a moment")
        self._leases.add(lease)
        lease.ended.add_done_callback(lambda ended: self._leases.discard(lease))
        self._queue.put(lease)
        if len(self._threads) < min(len(self._leases), self._size):
            thread = Thread(target=self._run, name=f"wherry-reader-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self) -> None:
        """Serve leases until told to end; a connection that cannot be opened fails its lease, not the thread."""
        connection: apsw.Connection | None = None
        while (lease := self._queue.get()) is not None:
            try:
                connection = connection or self._connect()
                lease.run(connection)
            except Exception as error:
                lease.give(lease.answer, None, refusal(error))
                if connection is not None:
                    connection.close(True)
                    connection = None
            call_threadsafe(lease.loop, settle, lease.ended, None)
        if connection is not None:
            connection.close(True)
