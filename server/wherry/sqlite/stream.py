"""A read in a reader thread: gathered into a page while it is small, streamed from one snapshot when it is not.

The thread runs `rows` and makes parts of some 128 kB. If all of them fit in a page, the page is the answer. If not,
`size` is run in the same snapshot and the answer is a stream; from then on the thread makes one part whenever
one is asked for, so a client that reads slowly costs memory for one part, and one that stops reading loses
its lease (and with it the snapshot, which keeps the write-ahead log from starting over) after a while.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from threading import Lock
from time import perf_counter
from typing import Final, NamedTuple

import apsw

from wherry.errors import SchemaChanged, StatementTimeout
from wherry.observe import Emit
from wherry.sqlite.encoding import open_cursor
from wherry.sqlite.lease import Lease
from wherry.sqlite.results import Page, Stream
from wherry.sqlite.slow import SlowStatements
from wherry.statement import ReadTransaction, SQLiteValue

#: A body up to this size is a page.
PAGE_BYTES: Final = 1 << 20

#: The size of a stream's parts; a single larger row makes a larger part.
CHUNK_BYTES: Final = 128 * 1024


class ReadLease(Lease):
    """The lease of one read; ends with its page, or with its stream."""

    def __init__(
        self,
        transaction: ReadTransaction,
        bindings: "ReadBindings",
        schema_version: int,
        *,
        limits: "ReadLimits",
        slow: SlowStatements,
        emit: Emit,
    ) -> None:
        super().__init__(emit)
        self._transaction = transaction
        self._bindings = bindings
        self._schema_version = schema_version
        self._limits = limits
        self._slow = slow
        self._cursor: apsw.Cursor | None = None
        self._rows = 0
        self._remaining = limits.seconds
        self._asked: SimpleQueue[asyncio.Future[object] | None] = SimpleQueue()
        self._asking = Lock()
        self._deaf = False

    # The task's side

    async def result(self) -> Page | Stream:
        """Return the page or the stream."""
        started = perf_counter()
        result = await self.wait(self.answer, self._remaining)
        self._remaining -= perf_counter() - started
        assert isinstance(result, Page | Stream)
        return result

    async def next_chunk(self) -> tuple[bytes, bool]:
        """Return a stream's next part and whether it is the last."""
        future: asyncio.Future[object] = self.loop.create_future()
        with self._asking:
            if self._deaf:
                raise self._reason or _stalled()
            self._asked.put(future)
        started = perf_counter()
        part = await self.wait(future, max(self._remaining, 0.0))
        self._remaining -= perf_counter() - started
        return part  # type: ignore[return-value]  # what `_serve` gives

    async def end(self) -> None:
        """End a stream, and return when the reader serves others."""
        self.stop(asyncio.CancelledError())
        await asyncio.shield(self.ended)

    def stop(self, reason: BaseException) -> None:
        """Stop as every lease, and wake the thread where it waits to be asked."""
        super().stop(reason)
        self._asked.put(None)

    # The thread's side

    def work(self, connection: apsw.Connection) -> None:
        """Answer with a page, or with a stream that is then served until its end."""
        started = perf_counter()
        connection.execute("BEGIN")
        if connection.execute("PRAGMA schema_version").fetchall() != [(self._schema_version,)]:
            raise SchemaChanged("the schema of the file has changed")
        self._cursor = open_cursor(connection)
        chunks = self._chunks(self._cursor)
        gathered: deque[bytes] = deque()
        size = 0
        last = False
        while size <= PAGE_BYTES and not last:
            chunk, last = next(chunks)
            gathered.append(chunk)
            size += len(chunk)
        sql = self._transaction.page.sql
        if last:
            total = self._size(connection)[1] if self._has_total(connection) else None
            self._slow.ran(sql, quickly=perf_counter() - started < self._limits.quick)
            self.give(self.answer, Page(self._rows, b"".join(gathered), total))
            return
        self._slow.ran(sql, quickly=False)
        rows, total = self._size(connection)
        self.give(self.answer, Stream(rows, total, StreamedChunks(self, gathered)))
        self._serve(chunks)

    def release(self, connection: apsw.Connection) -> None:
        """Close the cursor and refuse what is still asked for, then as every lease."""
        with self._asking:
            self._deaf = True
        if self._cursor is not None:
            self._cursor.close(True)
        super().release(connection)
        while not self._asked.empty():
            if (future := self._asked.get()) is not None:
                self.give(future, None, self._reason or _stalled())

    def _serve(self, chunks: Iterator[tuple[bytes, bool]]) -> None:
        """Make one part whenever one is asked for, until the last or until nobody asks for long."""
        last = False
        while not last:
            try:
                future = self._asked.get(timeout=self._limits.stall)
            except Empty:
                return
            if future is None:
                return
            try:
                self.check()
                chunk, last = next(chunks)
            except Exception as error:
                self.give(future, None, self.translate(error))
                return
            self.give(future, (chunk, last))

    def _chunks(self, cursor: apsw.Cursor) -> Iterator[tuple[bytes, bool]]:
        """Run `rows` and give its bytes, framed, in parts, and with each whether it is the last; count the rows."""
        framing = self._transaction.framing
        before = framing.prefix
        parts: list[bytes] = []
        size = 0
        for row in cursor.execute(self._transaction.rows.sql, self._bindings.rows):
            part: bytes = row[0]  # a blob, by the contract
            parts.append(part)
            size += len(part)
            if size >= CHUNK_BYTES:
                self._rows += len(parts)
                yield before + framing.separator.join(parts), False
                before = framing.separator
                parts.clear()
                size = 0
        if not parts and self._rows:
            before = b""
        self._rows += len(parts)
        yield before + framing.separator.join(parts) + framing.suffix, True

    def _size(self, connection: apsw.Connection) -> tuple[int, int | None]:
        self.check()
        row = connection.execute(self._transaction.size.sql, self._bindings.size).fetchall()[0]
        return row[0], row[1] if len(row) > 1 else None  # type: ignore[return-value]  # counts, by the contract

    def _has_total(self, connection: apsw.Connection) -> bool:
        """Return whether a total was asked, by looking at the columns of `size` without running it."""
        columns = 0

        def look(cursor: apsw.Cursor, sql: str, bindings: object) -> bool:
            nonlocal columns
            columns = len(cursor.get_description())
            return False

        cursor = connection.cursor()
        cursor.exec_trace = look
        try:
            cursor.execute(self._transaction.size.sql, self._bindings.size)
        except apsw.ExecTraceAbort:
            pass
        finally:
            cursor.close(True)
        return columns > 1


class ReadBindings(NamedTuple):
    """The bound values of the two forms of a read that a thread runs."""

    rows: tuple[SQLiteValue, ...]
    size: tuple[SQLiteValue, ...]


class ReadLimits(NamedTuple):
    """How long a read may take, in seconds."""

    seconds: float  #: of SQLite's work, a stream's parts together
    stall: float  #: that a stream waits to be asked for its next part
    quick: float  #: less than this proves a slow statement quick


class StreamedChunks:
    """The parts of a stream: first those that were gathered, then those that the thread makes."""

    def __init__(self, lease: ReadLease, gathered: deque[bytes]) -> None:
        self._lease = lease
        self._gathered = gathered
        self._ended = False

    def __aiter__(self) -> "StreamedChunks":
        return self

    async def __anext__(self) -> bytes:
        if self._gathered:
            return self._gathered.popleft()
        if self._ended:
            raise StopAsyncIteration
        self._ended = True  # so it stays where this raises
        chunk, last = await self._lease.next_chunk()
        self._ended = last
        return chunk

    async def aclose(self) -> None:
        """Give the reader back."""
        self._gathered.clear()
        self._ended = True
        await self._lease.end()


def _stalled() -> StatementTimeout:
    return StatementTimeout("the response was read too slowly and was given up")
