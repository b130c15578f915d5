"""The turn: one process writes at a time, and the kernel wakes the next.

SQLite's busy handler sleeps and looks again, so that processes which write the same file starve each other. A
blocking `flock` on a file of the sidecar is handed over at once. It is courtesy, not safety: SQLite's own lock
stands beneath it, so where the sidecar cannot be written, writing goes on without turns.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from wherry.observe import Emit, Notice


class Turn:
    """The right to write among the processes that share a sidecar, as a context manager.

    It may be used by one thread at a time.
    """

    def __init__(self, path: Path, emit: Emit) -> None:
        self._path = path
        self._emit = emit
        self._descriptor: int | None = None
        self._unavailable = False

    def __enter__(self) -> None:
        """Wait for the turn."""
        self._lock(fcntl.LOCK_EX)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.leave()

    def take_now(self) -> bool:
        """Take the turn without waiting; return whether it was free."""
        return self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB)

    def leave(self) -> None:
        """Hand the turn over; never raises, for what was done in it is done."""
        if self._descriptor is not None:
            self._flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file; the next turn opens it again."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._give_up(error)

    def _lock(self, operation: int) -> bool:
        if self._descriptor is None and not self._unavailable:
            self._open()
        return self._descriptor is None or self._flock(self._descriptor, operation)

    def _flock(self, descriptor: int, operation: int) -> bool:
        """Lock or unlock; return False where another process has the lock and it is not waited for."""
        try:
            fcntl.flock(descriptor, operation)
        except BlockingIOError:
            return False
        except OSError as error:  # a network file system without locks
            self.close()
            self._give_up(error)
        return True

    def _give_up(self, error: OSError) -> None:
        self._unavailable = True
        self._emit(
            Notice(f"Processes that write at once wait longer: {self._path} cannot be locked ({error.strerror}).", True)
        )
