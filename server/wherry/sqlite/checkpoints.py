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
    """The log's length as the writing connection's commits report it, and what is done about it.

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
        self._pages = 0
        self._limit = pages
        self._due = pages
        self.waiting = False
        connection.set_wal_hook(self._committed)

    def between_batches(self) -> None:
        """Checkpoint if the log is long."""
        if self._pages < self._limit:
            self._due = self._limit
        if self._pages < self._due:
            return
        self._run(apsw.SQLITE_CHECKPOINT_PASSIVE)
        if self.waiting and self._pages > 10 * self._limit:
            self._run(apsw.SQLITE_CHECKPOINT_TRUNCATE)
        self._due = self._pages + self._limit // 4 if self.waiting else self._limit

    def when_idle(self) -> None:
        """Checkpoint what is in the log, once; readers that hold it up are left in peace."""
        self._run(apsw.SQLITE_CHECKPOINT_PASSIVE)
        self.waiting = False

    def at_the_end(self) -> None:
        """Empty the log, as far as other processes let us."""
        self._run(apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _committed(self, connection: apsw.Connection, name: str, pages: int) -> int:
        self._pages = pages
        self.waiting = True
        return apsw.SQLITE_OK

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
        self.waiting = done < pages
        if pages >= 0:
            self._emit(CheckpointRun(done, perf_counter() - started, _MODES[mode]))


_MODES = {apsw.SQLITE_CHECKPOINT_PASSIVE: "passive", apsw.SQLITE_CHECKPOINT_TRUNCATE: "truncate"}
