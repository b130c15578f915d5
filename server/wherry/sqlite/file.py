"""Look at the file before it is served: what can be wrong with it, each as one sentence for the operator.

Only SQLite opens the file: closing a descriptor of one's own would drop the locks of every connection that this
process has to it. https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from wherry.errors import StartError
from wherry.sqlite.connection import Access, open_reader

#: Seconds that a lock which somebody holds may last at start.
_PATIENCE: Final = 2.0


@dataclass(frozen=True, slots=True)
class FileState:
    """A file that can be served. `reason` says why it is read-only, empty where it is not."""

    path: Path
    access: Access
    journal_mode: str
    reason: str = ""

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written."""
        return self.access is not Access.READ_WRITE


def inspect_file(path: Path, *, read_only: bool = False) -> FileState:
    """Return how `path` can be served; raise StartError, in one sentence, where it cannot be."""
    require_file(path)
    reason = "the setting says so" if read_only else _unwritable(path)
    access = Access.READ_ONLY if reason else Access.READ_WRITE
    try:
        return FileState(path, access, _probe(path, access), reason)
    except (apsw.CantOpenError, apsw.ReadOnlyError) as error:
        if access is Access.READ_ONLY:
            return _immutable(path, reason, error)
        raise StartError(f"{path} cannot be opened: {error}.") from error


def make_file(path: Path) -> bool:
    """Make an empty database where there is none; tell whether it was made. Raises StartError.

    SQLite takes an empty file for an empty database. The kernel lets one of several servers make it that start at
    once; none can come upon half of it.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        folder = os.open(path.parent, os.O_RDONLY)
    except FileExistsError:
        return False
    except OSError as error:
        raise StartError(f"{path} cannot be made: {error.strerror}.") from error
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True


class FileWatch:
    """Tells whether the path of the served file leads to another file now, or to none; a class because it remembers.

    Any thread may ask.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity = _identity_of(path)
        self._is_replaced = False

    def is_replaced(self) -> bool:
        """Look (1 µs); once it is replaced it stays so, whatever comes to its place."""
        self._is_replaced = self._is_replaced or _identity_of(self._path) != self._identity
        return self._is_replaced


def _identity_of(path: Path) -> tuple[int, int] | None:
    """Return what tells the file at a path from any other that may come there; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def require_file(path: Path) -> None:
    """Raise StartError where `path` is no file that can be read; SQLite does not look at it."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise StartError(
            f"{path} does not exist; name an SQLite file, or set WHERRY_CREATE=on to have an empty one made."
        ) from error
    except OSError as error:
        raise StartError(f"{path} cannot be looked at: {error.strerror}.") from error
    if stat.S_ISDIR(mode):
        raise StartError(f"{path} is a folder; name the SQLite file in it.")
    if not stat.S_ISREG(mode):
        raise StartError(f"{path} is not a regular file.")
    if not os.access(path, os.R_OK, effective_ids=True):
        raise StartError(f"{path} cannot be read: this user has no permission to.")


def _unwritable(path: Path) -> str:
    """Return why the file cannot be written, empty where it can."""
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return "the disk is read-only"
    if not os.access(path, os.W_OK, effective_ids=True):
        return "the file is not writable"
    if not os.access(path.absolute().parent, os.W_OK | os.X_OK, effective_ids=True):
        return "its folder is not writable, and SQLite keeps its log there"
    return ""


def _probe(path: Path, access: Access) -> str:
    """Read the schema and return the journal mode; raise CantOpenError or ReadOnlyError where no `-shm` can be made."""
    try:
        connection = open_reader(path, access, busy_timeout=_PATIENCE, cache_kib=64, statements=4)
        try:
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
            return str(connection.execute("PRAGMA journal_mode").fetchall()[0][0])
        finally:
            connection.close(True)
    except apsw.CantOpenError:
        raise
    except apsw.ReadOnlyError as error:
        if getattr(error, "extendedresult", 0) != apsw.SQLITE_READONLY_ROLLBACK:
            raise
        raise StartError(f"{path} needs a recovery that a read-only file cannot get; open it once writable.") from error
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StartError(f"{path} is locked by another process; end it, or let it finish, and start again.") from error
    except apsw.NotADBError as error:
        raise StartError(f"{path} is not an SQLite database (or it is encrypted).") from error
    except apsw.CorruptError as error:
        raise StartError(f"{path} is damaged: {error}; restore a backup, or try sqlite3's .recover.") from error
    except apsw.Error as error:
        raise StartError(f"{path} cannot be read: {error}.") from error


def _immutable(path: Path, reason: str, error: apsw.Error) -> FileState:
    """Open a WAL file where no `-shm` can be made; one with a log in use would be served without its last rows."""
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        raise StartError(
            f"{path} cannot be read with its log {log.name}: open it once writable, then start again."
        ) from error
    try:
        _probe(path, Access.IMMUTABLE)
    except apsw.CantOpenError as failure:
        raise StartError(f"{path} cannot be opened: {failure}.") from failure
    return FileState(path, Access.IMMUTABLE, "wal", reason)
