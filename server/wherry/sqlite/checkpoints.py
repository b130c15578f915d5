"""Checkpoints: when the write-ahead log goes into the database file.

Not by SQLite's own autocheckpoint, inside somebody's commit, but between batches and in the writer's turn: beside
live writers a checkpoint never catches up, and the log never starts over.
"""

from time import perf_counter
from typing import Final

import apsw

from wherry.observe import CheckpointRun, Emit
from wherry.sqlite.turn import Turn

#: Pages in the log after which it is checkpointed.
PAGES: Final = 4000

_READERS_WAIT_MS = 100


class Checkpoints:
    """The length of the log, and what is done about it.

    A log of more than `pages` is checkpointed; where readers hold that up, it is tried again a quarter longer, and
    from ten times as long on they are waited for shortly, so that the log can start over.
    """

    def __init__(
        self, connection: apsw.Connection, turn: Turn, *, busy_timeout: float, emit: Emit, pages: int = PAGES
    ) -> None:
        self._connection = connection
        self._turn = turn
        self._busy_ms = round(busy_timeout * 1000)
        self._emit = emit
        self._limit = pages
        self._due = pages

    def is_due(self) -> bool:
        """Tell whether the log has become long, or longer, since it was last checkpointed (0.3 µs)."""
        pages, done = self._length()
        if pages < self._limit:
            self._due = self._limit
        return pages >= self._due and done < pages

    def is_waiting(self) -> bool:
        """Tell whether there is anything in the log that is not in the file."""
        pages, done = self._length()
        return done < pages

    def between_batches(self) -> None:
        """Checkpoint if the log is long."""
        if not self.is_due():
            return
        self._run(apsw.SQLITE_CHECKPOINT_PASSIVE)
        pages, done = self._length()
        if done < pages and pages > 10 * self._limit:
            self._run(apsw.SQLITE_CHECKPOINT_TRUNCATE)
        self._due = self._length()[0] + self._limit // 4

    def when_idle(self) -> None:
        """Checkpoint what is in the log, once; readers that hold it up are left in peace."""
        self._run(apsw.SQLITE_CHECKPOINT_PASSIVE)

    def at_the_end(self) -> None:
        """Empty the log, as far as other processes let us."""
        self._run(apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _length(self) -> tuple[int, int]:
        """Return the pages in the log, and how many of them are in the file already; (-1, -1) without a log."""
        try:
            return self._connection.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_NOOP)
        except apsw.Error:
            return -1, -1

    def _run(self, mode: int) -> None:
        """Checkpoint in this process' turn; what holds it up (another checkpoint, readers) is for the next."""
        started = perf_counter()
        self._connection.set_busy_timeout(_READERS_WAIT_MS)
        try:
            with self._turn:
                pages, done = self._connection.wal_checkpoint("main", mode)
        except apsw.Error:
            return
        finally:
            self._connection.set_busy_timeout(self._busy_ms)
        if pages >= 0:
            self._emit(CheckpointRun(done, perf_counter() - started, _MODES[mode]))


_MODES = {apsw.SQLITE_CHECKPOINT_PASSIVE: "passive", apsw.SQLITE_CHECKPOINT_TRUNCATE: "truncate"}
