"""Open connections to the served file, each with the settings of what it is for.

None of the pragmas persists in the file; journal mode, which does, is asked for by `database`. The file is mapped into
memory, which saves copying what is read: for the writer those are the rows that foreign keys and conditions look at.
A page that it changes is copied, and written by a call. https://www.sqlite.org/mmap.html
"""

from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import quote

import apsw

from wherry.errors import StartError
from wherry.sqlite.functions import register_functions

#: Older ones can corrupt a WAL database that two processes write and checkpoint at once.
#: https://www.sqlite.org/wal.html#walresetbug
OLDEST_SQLITE = (3, 51, 3)

_MMAP_BYTES = 1 << 34
_JOURNAL_SIZE_LIMIT = 64 * 1024 * 1024
_LIKE_PATTERN_LENGTH = 4096
_WRITER_CACHE_KIB = 16 * 1024


class Access(StrEnum):
    """How the file is opened."""

    READ_WRITE = "read-write"
    READ_ONLY = "read-only"
    IMMUTABLE = "immutable"  #: read-only without locks or log: for a WAL file on a disk that takes no `-shm`


#: The version of the SQLite that comes with apsw.
SQLITE_VERSION: Final = apsw.sqlite_lib_version()


def require_sqlite(version: str = SQLITE_VERSION) -> None:
    """Refuse (StartError) an SQLite with the WAL-reset bug."""
    if tuple(int(part) for part in version.split(".")[:3]) < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise StartError(
            f"SQLite {version} can corrupt a database that several processes write; install apsw {oldest} or newer."
        )


def open_writer(path: Path, *, busy_timeout: float) -> apsw.Connection:
    """Open the connection that writes; `busy_timeout` in seconds is how long it waits for foreign writers."""
    connection = _open(path, Access.READ_WRITE, busy_timeout=busy_timeout, statements=256)
    _pragmas(
        connection,
        f"mmap_size = {_MMAP_BYTES}",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"cache_size = -{_WRITER_CACHE_KIB}",
        f"journal_size_limit = {_JOURNAL_SIZE_LIMIT}",
        "wal_autocheckpoint = 0",
    )
    return connection


def open_reader(
    path: Path, access: Access, *, busy_timeout: float, cache_kib: int, statements: int = 64
) -> apsw.Connection:
    """Open a connection that only reads, with a page cache of `cache_kib` and a cache of `statements` statements."""
    connection = _open(path, access, busy_timeout=busy_timeout, statements=statements)
    _pragmas(
        connection,
        "query_only = ON",
        "wal_autocheckpoint = 0",
        f"mmap_size = {_MMAP_BYTES}",
        f"cache_size = -{cache_kib}",
    )
    return connection


def _open(path: Path, access: Access, *, busy_timeout: float, statements: int) -> apsw.Connection:
    connection = apsw.Connection(_uri(path, access), flags=_flags(access), statementcachesize=statements)
    connection.set_busy_timeout(round(busy_timeout * 1000))
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0)
    # Without this SQLite looks at bound values (of LIMIT, GLOB, with ANALYZE of any comparison) to plan, and so
    # compiles the statement anew whenever one of them is another: an embed took 63 µs instead of 13.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    # LIKE compares in time pattern x text, and a progress handler cannot stop one comparison.
    connection.limit(apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, _LIKE_PATTERN_LENGTH)
    register_functions(connection)
    _pragmas(connection, "temp_store = MEMORY")
    return connection


def _uri(path: Path, access: Access) -> str:
    query = {Access.READ_WRITE: "mode=rw", Access.READ_ONLY: "mode=ro", Access.IMMUTABLE: "mode=ro&immutable=1"}
    return f"file:{quote(str(path.absolute()))}?{query[access]}"


def _flags(access: Access) -> int:
    mode = apsw.SQLITE_OPEN_READWRITE if access is Access.READ_WRITE else apsw.SQLITE_OPEN_READONLY
    return mode | apsw.SQLITE_OPEN_URI


def _pragmas(connection: apsw.Connection, *pragmas: str) -> None:
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}").fetchall()
