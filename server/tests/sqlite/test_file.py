"""What a file can be when the server starts, and what the operator reads then."""

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from wherry.errors import DatabaseError, StartError
from wherry.identity import ANONYMOUS
from wherry.observe import Notice, Observation
from wherry.sqlite.connection import Access, open_writer, require_sqlite
from wherry.sqlite.database import Database, _ask_for_wal
from wherry.sqlite.file import FileState, inspect_file
from wherry.sqlite.results import Page
from wherry.statement import ReadTransaction, WriteTransaction

ROOT = os.geteuid() == 0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may look into, unlike pytest's."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path
        path.chmod(0o755)


@pytest.fixture
def as_nobody() -> Callable[[], contextlib.AbstractContextManager[None]]:
    """Be a user who owns nothing: permissions do not bind root."""

    @contextlib.contextmanager
    def be() -> Iterator[None]:
        if ROOT:
            os.seteuid(65534)
        try:
            yield
        finally:
            if ROOT:
                os.seteuid(0)

    return be


def sentence(path: Path) -> str:
    with pytest.raises(StartError) as caught:
        inspect_file(path)
    return str(caught.value).replace(str(path), "FILE")


def test_a_database_is_served_read_write(library: Path) -> None:
    assert inspect_file(library) == FileState(library, Access.READ_WRITE, "delete")


def test_a_database_is_served_read_only_when_told_to(library: Path) -> None:
    state = inspect_file(library, read_only=True)
    assert (state.access, state.reason, state.read_only) == (Access.READ_ONLY, "the setting says so", True)


def test_an_empty_file_is_an_empty_database(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    path.touch()
    assert inspect_file(path) == FileState(path, Access.READ_WRITE, "delete")


def test_names_with_signs_of_a_uri_are_names(library: Path) -> None:
    path = library.rename(library.with_name("a %20?mode=memory#b.db"))
    assert inspect_file(path) == FileState(path, Access.READ_WRITE, "delete")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert sentence(tmp_path / "a.db") == (
        "FILE does not exist; name an SQLite file, or set WHERRY_CREATE=on to have an empty one made."
    )


def test_a_name_below_a_file_is_named(library: Path) -> None:
    assert sentence(library / "a.db") == "FILE cannot be looked at: Not a directory."


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert sentence(tmp_path) == "FILE is a folder; name the SQLite file in it."


def test_a_socket_is_no_file(folder: Path) -> None:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(folder / "s"))
        assert sentence(folder / "s") == "FILE is not a regular file."


@pytest.mark.parametrize("content", [b"hello", b"<html>" * 1000, os.urandom(9000)])
def test_what_is_no_database_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(content)
    assert sentence(path) == "FILE is not an SQLite database (or it is encrypted)."


def test_a_damaged_file_is_named(library: Path) -> None:
    with library.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 200)
    assert sentence(library) == (
        "FILE is damaged: database disk image is malformed; restore a backup, or try sqlite3's .recover."
    )


def test_a_locked_file_is_named(library: Path, other: apsw.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr("wherry.sqlite.file._PATIENCE", 0.01)
    assert sentence(library) == ("FILE is locked by another process; end it, or let it finish, and start again.")


def test_a_file_that_another_process_locks_while_it_is_opened_is_named(
    library: Path, sidecar: Path, other: apsw.Connection, told: list[Observation]
) -> None:
    other.execute("BEGIN IMMEDIATE")
    database = Database.open(library, sidecar=sidecar, busy_timeout=0.01, emit=told.append)
    assert told == [Notice(f"{library} stays in delete mode: another process is using it.", warning=True)]
    assert database.state.journal_mode == "delete"
    database._inline.close()


def test_wal_mode_is_asked_for_again_while_another_server_asks_for_it(
    library: Path, other: apsw.Connection, told: list[Observation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers that start at once do: SQLite refuses all but one at once."""
    other.execute("BEGIN IMMEDIATE")
    connection = open_writer(library, busy_timeout=0)
    monkeypatch.setattr("wherry.sqlite.database.sleep", lambda _: other.execute("COMMIT"))

    state = _ask_for_wal(connection, inspect_file(library), 20, told.append)

    assert state.journal_mode == "wal"
    assert told == [Notice(f"{library} is in WAL mode now (it was in delete mode).")]
    connection.close()


def test_a_file_without_permission_is_named(
    library: Path, folder: Path, as_nobody: Callable[[], contextlib.AbstractContextManager[None]]
) -> None:
    path = Path(shutil.copy(library, folder))
    path.chmod(0)
    with as_nobody():
        assert sentence(path) == "FILE cannot be read: this user has no permission to."


def test_a_file_that_is_not_writable_is_served_read_only(
    library: Path, folder: Path, as_nobody: Callable[[], contextlib.AbstractContextManager[None]]
) -> None:
    path = Path(shutil.copy(library, folder))
    path.chmod(0o444)
    with as_nobody():
        assert inspect_file(path) == FileState(path, Access.READ_ONLY, "delete", "the file is not writable")


def test_a_file_in_a_folder_that_is_not_writable_is_served_read_only(
    library: Path, folder: Path, as_nobody: Callable[[], contextlib.AbstractContextManager[None]]
) -> None:
    path = Path(shutil.copy(library, folder))
    path.chmod(0o666)
    folder.chmod(0o555)
    with as_nobody():
        assert inspect_file(path) == FileState(
            path, Access.READ_ONLY, "delete", "its folder is not writable, and SQLite keeps its log there"
        )


@pytest.mark.anyio
async def test_a_file_in_wal_mode_is_served_where_nothing_can_be_written(
    library: Path,
    folder: Path,
    titles: ReadTransaction,
    insert_film: Callable[..., WriteTransaction],
    told: list[Observation],
    other: apsw.Connection,
    as_nobody: Callable[[], contextlib.AbstractContextManager[None]],
) -> None:
    other.execute("PRAGMA journal_mode = WAL")
    other.close()
    path = Path(shutil.copy(library, folder))
    folder.chmod(0o555)
    with as_nobody():
        database = Database.open(path, sidecar=folder / "library.wherry", emit=told.append)
        assert database.state == FileState(path, Access.IMMUTABLE, "wal", "the file is not writable")
        version = database.schema_version()
        expected = Page(4, b'["Metropolis","M","Playtime","Stalker"]', None)
        assert await database.read(titles, (), ANONYMOUS, version) == expected
        assert await database.read_later(titles, (), ANONYMOUS, version) == expected
        with pytest.raises(DatabaseError) as caught:
            await database.write(insert_film(("Ran", 1985)))
        assert caught.value.code == "25006"
        await database.close()
    message = f"{path} is served read-only: the file is not writable. What other processes write into it is not seen."
    assert told == [Notice(message, warning=True)]


def test_a_log_that_cannot_be_read_is_not_left_out(
    library: Path,
    folder: Path,
    other: apsw.Connection,
    as_nobody: Callable[[], contextlib.AbstractContextManager[None]],
) -> None:
    other.execute("PRAGMA journal_mode = WAL").fetchall()
    other.execute("DELETE FROM films")
    path = Path(shutil.copy(library, folder))
    shutil.copy(f"{library}-wal", folder)
    folder.chmod(0o555)
    with as_nobody():
        assert sentence(path) == (
            "FILE cannot be read with its log library.db-wal: open it once writable, then start again."
        )


def test_a_file_that_needs_a_recovery_and_cannot_get_it_is_named(
    library: Path,
    folder: Path,
    other: apsw.Connection,
    as_nobody: Callable[[], contextlib.AbstractContextManager[None]],
) -> None:
    other.execute("PRAGMA cache_size = 1; PRAGMA synchronous = OFF; BEGIN; UPDATE numbers SET text = 'x'")
    path = Path(shutil.copy(library, folder))
    shutil.copy(f"{library}-journal", folder)
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)
    with as_nobody():
        assert sentence(path) == "FILE needs a recovery that a read-only file cannot get; open it once writable."


def test_an_sqlite_that_can_corrupt_files_is_refused() -> None:
    require_sqlite()
    require_sqlite("3.51.3")
    require_sqlite("4.0")
    with pytest.raises(StartError) as caught:
        require_sqlite("3.51.2")
    assert str(caught.value) == (
        "SQLite 3.51.2 can corrupt a database that several processes write; install apsw 3.51.3 or newer."
    )


@pytest.mark.anyio
async def test_a_file_keeps_its_journal_mode_when_wal_is_not_wanted_and_says_when_it_changes(
    open_database: Callable[..., Database], library: Path, told: list[Observation]
) -> None:
    assert open_database(wal=False).state.journal_mode == "delete"
    assert told == []
    assert open_database().state.journal_mode == "wal"
    assert open_database().state.journal_mode == "wal"
    assert told == [Notice(f"{library} is in WAL mode now (it was in delete mode).")]
