"""The door to the served file: reads on the event loop or in reader threads, writes grouped into durable commits."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Final, TypeVar

import apsw

from wherry.errors import DatabaseError, StartError
from wherry.identity import Identity
from wherry.observe import Emit, Notice
from wherry.sqlite.batch import Batch
from wherry.sqlite.checkpoints import Checkpoints
from wherry.sqlite.connection import Access, open_reader, open_writer, require_sqlite
from wherry.sqlite.file import FileState, FileWatch, inspect_file
from wherry.sqlite.inline import InlineReader
from wherry.sqlite.on_loop import LoopEmit
from wherry.sqlite.readers import ReaderPool
from wherry.sqlite.results import Page, Stream
from wherry.sqlite.slow import SlowStatements
from wherry.sqlite.stream import ReadBindings, ReadLimits
from wherry.sqlite.turn import Turn
from wherry.sqlite.writer import Writer
from wherry.statement import ReadTransaction, WriteResult, WriteTransaction

Result = TypeVar("Result")

_INLINE_CACHE_KIB: Final = 64 * 1024
_READER_CACHE_KIB: Final = 8 * 1024

#: Seconds until WAL mode is asked for again, of a file that another process is using.
_ASK_AGAIN: Final = 0.02

#: Seconds that a stream waits to be read on.
STALL: Final = 30.0


class Database:
    """The served file, opened by `open`: one per process, used from one event loop."""

    def __init__(
        self,
        state: FileState,
        watch: FileWatch,
        inline: InlineReader,
        readers: ReaderPool,
        writer: Writer | None,
        *,
        patience: float,
    ) -> None:
        self._inline = inline
        self._readers = readers
        self._writer = writer
        self._patience = patience
        self._log = Path(f"{state.path}-wal")
        self._watch = watch
        self.state = state
        self.reads_handed_over = 0

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        sidecar: Path,
        read_only: bool = False,
        readers: int = 4,
        inline_budget: float = 0.005,
        statement_timeout: float = 30.0,
        busy_timeout: float = 5.0,
        wal: bool = True,
        stall: float = STALL,
        emit: Emit,
    ) -> "Database":
        """Open the file, read-only where it is; raise StartError where it cannot be served.

        All times are in seconds: `inline_budget` of a read on the event loop, `statement_timeout` of any statement,
        `busy_timeout` for other processes' locks, `stall` that a stream waits to be read on. `wal` asks for WAL
        mode, which persists in the file.
        """
        require_sqlite()
        state = inspect_file(path, read_only=read_only)
        watch = FileWatch(path)
        slow = SlowStatements()
        writer: Writer | None = None
        try:
            if not state.read_only:
                connection = open_writer(path, busy_timeout=busy_timeout)
                state = _ask_for_wal(connection, state, busy_timeout, emit) if wal else state
                writer = _writer(
                    connection,
                    sidecar,
                    limit=statement_timeout,
                    budget=inline_budget,
                    busy_timeout=busy_timeout,
                    is_replaced=watch.is_replaced,
                    emit=emit,
                )
            inline = open_reader(
                path, state.access, busy_timeout=busy_timeout, cache_kib=_INLINE_CACHE_KIB, statements=512
            )
        except apsw.Error as error:
            raise StartError(f"{path} cannot be opened: {error}.") from error
        if state.read_only:
            emit(Notice(_read_only_notice(state), warning=not read_only))
        pool = ReaderPool(
            lambda: open_reader(path, state.access, busy_timeout=busy_timeout, cache_kib=_READER_CACHE_KIB),
            size=readers,
            limits=ReadLimits(statement_timeout, stall, inline_budget / 2),
            slow=slow,
            emit=emit,
        )
        reader = InlineReader(inline, budget=inline_budget, slow=slow, emit=emit)
        return cls(state, watch, reader, pool, writer, patience=busy_timeout + statement_timeout)

    async def read(
        self, transaction: ReadTransaction, values: Sequence[str], identity: Identity, schema_version: int
    ) -> Page | Stream:
        """Run a read where it costs least: on the event loop, else in a reader thread."""
        page = self.read_now(transaction, values, identity, schema_version)
        if page is not None:
            return page
        return await self.read_later(transaction, values, identity, schema_version)

    def read_now(
        self, transaction: ReadTransaction, values: Sequence[str], identity: Identity, schema_version: int
    ) -> Page | None:
        """Return the page of a read within the budget of the event loop, None where `read_later` has to run it.

        Raises SchemaChanged where the file's schema is not `schema_version`'s any more; DatabaseError where SQLite
        refuses; RequestError where a value does not convert.
        """
        return self._inline.read(transaction, values, identity, schema_version)

    async def read_later(
        self, transaction: ReadTransaction, values: Sequence[str], identity: Identity, schema_version: int
    ) -> Page | Stream:
        """Run a read in a reader thread and return its page, or a stream where it is too large to hold.

        Raises as `read_now`, and StatementTimeout, and DatabaseBusy where too many wait. Cancelling stops SQLite.
        """
        self.reads_handed_over += 1
        bindings = ReadBindings(transaction.rows.bind(values, identity), transaction.size.bind(values, identity))
        return await self._readers.read(transaction, bindings, schema_version)

    def write(self, transaction: WriteTransaction) -> Awaitable[WriteResult]:
        """Run a write, all of it or nothing; await what it did, which is known when it is durable.

        Raises SchemaChanged; WriteUndone where it would break one of its expectations; DatabaseError (ConstraintError
        and others) where SQLite refuses; StatementTimeout; DatabaseBusy. A write that is cancelled before it
        was begun does not happen; after that it may.
        """
        if self._writer is None:
            raise DatabaseError("the database is served read-only", code="25006", status=405)
        return self._writer.write(transaction)

    async def call(self, function: Callable[[apsw.Connection], Result]) -> Result:
        """Run `function` with a reader's connection in a thread, inside one snapshot: for the catalogue's queries."""
        return await self._readers.call(function)

    def schema_version(self) -> int:
        """Return the schema version of the file as it is now (3 µs)."""
        return self._inline.schema_version()

    def is_replaced(self) -> bool:
        """Look whether the path leads to another file now, or to none (1 µs); from then on nothing is written."""
        return self._watch.is_replaced()

    @property
    def reads_inline(self) -> int:
        """How many reads were answered on the event loop."""
        return self._inline.reads

    @property
    def queue_length(self) -> int:
        """How many writes wait."""
        return 0 if self._writer is None else self._writer.queue_length

    def wal_size(self) -> int:
        """Return the size of the write-ahead log in bytes, 0 where there is none."""
        try:
            return self._log.stat().st_size
        except OSError:
            return 0

    async def close(self) -> None:
        """Stop the reads, write what waits, empty the log into the file and close it."""
        await self._readers.close()
        self._inline.close()
        if self._writer is not None:
            await self._writer.close(patience=self._patience)


def _writer(
    connection: apsw.Connection,
    sidecar: Path,
    *,
    limit: float,
    budget: float,
    busy_timeout: float,
    is_replaced: Callable[[], bool],
    emit: Emit,
) -> Writer:
    on_loop = LoopEmit(emit)
    turn = Turn(sidecar / "writer.lock", on_loop)
    slow = SlowStatements()
    return Writer(
        Batch(connection, limit=limit, budget=budget, busy_timeout=busy_timeout, slow=slow, is_replaced=is_replaced),
        turn,
        Checkpoints(connection, turn, busy_timeout=busy_timeout, emit=on_loop),
        slow=slow,
        patience=busy_timeout,
        close_connection=lambda: connection.close(True),
        emit=on_loop,
    )


def _ask_for_wal(connection: apsw.Connection, state: FileState, patience: float, emit: Emit) -> FileState:
    """Put the file into WAL mode, which persists, and say so.

    Of servers that start at once, and ask at once, SQLite refuses all but one without letting them wait.
    """
    if state.journal_mode == "wal":
        return state
    until = monotonic() + patience
    while True:
        try:
            mode = str(connection.execute("PRAGMA journal_mode = WAL").fetchall()[0][0])
            break
        except apsw.BusyError:
            if monotonic() >= until:
                told = f"{state.path} stays in {state.journal_mode} mode: another process is using it."
                emit(Notice(told, warning=True))
                return state
        sleep(_ASK_AGAIN)
    emit(Notice(f"{state.path} is in WAL mode now (it was in {state.journal_mode} mode)."))
    return FileState(state.path, state.access, mode)


def _read_only_notice(state: FileState) -> str:
    notice = f"{state.path} is served read-only: {state.reason}."
    if state.access is Access.IMMUTABLE:
        return notice + " What other processes write into it is not seen."
    return notice
