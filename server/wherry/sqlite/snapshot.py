"""Copy the file as it is at one moment, while others read and write it, and look whether the copy is sound.

The copy is made by SQLite's online backup in a single step (https://www.sqlite.org/backup.html), which reads one
snapshot: page for page, so that rows keep the rowids that VACUUM INTO may change. In WAL mode nobody waits for it; else
writers wait until it is done. The copy is one file without a log, whatever the journal mode of the original is.
"""

from pathlib import Path

import apsw

from wherry.errors import StartError
from wherry.sqlite.connection import open_reader
from wherry.sqlite.file import inspect_file

#: Seconds that a writer of a file without a write-ahead log may keep the copy waiting.
_PATIENCE = 10.0


def copy_database(source: Path, target: Path) -> None:
    """Write the database of `source` into the file `target`, which is empty, and on the disk when this returns.

    Raises StartError in one sentence where `source` cannot be read or `target` not be written.
    """
    state = inspect_file(source)
    try:
        origin = open_reader(source, state.access, busy_timeout=_PATIENCE, cache_kib=64, statements=4)
        try:
            copy = apsw.Connection(str(target), flags=apsw.SQLITE_OPEN_READWRITE)
            try:
                with copy.backup("main", origin, "main") as backup:
                    while not backup.done:
                        backup.step(-1)
                copy.execute("PRAGMA journal_mode = DELETE").fetchall()
            finally:
                copy.close(True)
        finally:
            origin.close(True)
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StartError(f"{source} was written all the time, and could not be copied; try again.") from error
    except apsw.Error as error:
        raise StartError(f"{source} cannot be copied to {target}: {error}.") from error


def first_damage(path: Path) -> str | None:
    """Return what SQLite's integrity check finds first in the file, None where it finds nothing."""
    state = inspect_file(path)
    try:
        connection = open_reader(path, state.access, busy_timeout=_PATIENCE, cache_kib=16 * 1024, statements=4)
        try:
            found = str(connection.execute("PRAGMA integrity_check(1)").fetchall()[0][0])
        finally:
            connection.close(True)
    except apsw.Error as error:
        return str(error)
    return None if found == "ok" else found
