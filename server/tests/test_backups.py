"""Backups: sound copies of a file in use, the last few of them kept, restored where nothing is."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wherry.backups import back_up, backups_of, restore
from wherry.errors import StartError

NOON = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database in WAL mode, in a folder of its own."""
    path = tmp_path / "served" / "app.db"
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "PRAGMA journal_mode = WAL; CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('first'), ('second');"
        )
    connection.close()
    return path


def rows(path: Path) -> list[str]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return [text for (text,) in connection.execute("SELECT text FROM notes ORDER BY rowid")]
    finally:
        connection.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refusal_of_a_restore(backup: Path, database: Path) -> str:
    with pytest.raises(StartError) as caught:
        restore(backup, database)
    return str(caught.value)


def test_a_backup_is_one_file_with_the_time_in_its_name(database: Path, tmp_path: Path) -> None:
    backup = back_up(database, tmp_path / "backups", keep=7, now=NOON)

    assert backup == tmp_path / "backups" / "app-20260131T120000Z.db"
    assert (names(backup.parent), rows(backup)) == ([backup.name], ["first", "second"])
    assert backup.stat().st_mode & 0o777 == 0o600


def test_a_backup_holds_what_is_only_in_the_log_and_not_what_is_not_committed(database: Path, tmp_path: Path) -> None:
    writer = sqlite3.connect(database)
    writer.execute("PRAGMA wal_autocheckpoint = 0")
    writer.execute("INSERT INTO notes VALUES ('third')")
    writer.commit()
    writer.execute("INSERT INTO notes VALUES ('not yet')")

    backup = back_up(database, tmp_path, keep=1, now=NOON)

    assert rows(backup) == ["first", "second", "third"]
    writer.close()


def test_a_backup_keeps_rowids_over_the_gaps_of_removed_rows(database: Path, tmp_path: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM notes WHERE text = 'first'")
    connection.close()

    copy = sqlite3.connect(back_up(database, tmp_path, keep=1, now=NOON))

    assert copy.execute("SELECT rowid, text FROM notes").fetchall() == [(2, "second")]
    copy.close()


def test_the_last_few_are_kept_and_nothing_else_is_touched(database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for name in ("other-20200101T000000Z.db", "app-20200101.db", "app-20200101T000000Z.db.part"):
        (folder / name).touch()

    made = [back_up(database, folder, keep=2, now=NOON + timedelta(days=day)) for day in range(4)]

    assert backups_of(database, folder) == [made[3], made[2]]
    assert names(folder) == [
        "app-20200101.db", "app-20200101T000000Z.db.part", made[2].name, made[3].name, "other-20200101T000000Z.db",
    ]  # fmt: skip


def test_a_damaged_database_is_not_backed_up_and_its_old_backups_stay(database: Path, tmp_path: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.executescript("CREATE INDEX notes_text ON notes (text); PRAGMA wal_checkpoint(TRUNCATE);")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'notes_text'").fetchone()
    connection.close()
    folder = tmp_path / "backups"
    before = back_up(database, folder, keep=1, now=NOON)
    content = bytearray(database.read_bytes())
    page = content[(root - 1) * 4096 : root * 4096]
    content[(root - 1) * 4096 : root * 4096] = page.replace(b"first", b"worst")
    database.write_bytes(content)

    with pytest.raises(StartError) as caught:
        back_up(database, folder, keep=1, now=NOON + timedelta(days=1))

    assert str(caught.value) == f"{database} is damaged, and was not copied: row 1 missing from index notes_text."
    assert names(folder) == [before.name]


def test_a_restored_database_is_the_one_that_was_backed_up(database: Path, tmp_path: Path) -> None:
    backup = back_up(database, tmp_path, keep=1, now=NOON)

    restore(backup, tmp_path / "new" / "app.db")

    assert rows(tmp_path / "new" / "app.db") == ["first", "second"]
    assert names(tmp_path / "new") == ["app.db"]
    original, restored = sqlite3.connect(database), sqlite3.connect(tmp_path / "new" / "app.db")
    assert list(original.iterdump()) == list(restored.iterdump())
    original.close()
    restored.close()


@pytest.mark.parametrize("companion", ["", "-wal", "-journal", "-shm"])
def test_nothing_is_overwritten_by_a_restore(database: Path, tmp_path: Path, companion: str) -> None:
    taken = tmp_path / f"new.db{companion}"
    taken.write_bytes(b"somebody's")

    sentence = refusal_of_a_restore(database, tmp_path / "new.db")

    assert sentence == f"{taken} exists, and nothing is overwritten: move it away, or name another file."
    assert taken.read_bytes() == b"somebody's"


def test_what_is_no_database_is_not_restored(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear SQLite, " * 100)

    assert refusal_of_a_restore(tmp_path / "letter.db", tmp_path / "new.db") == (
        f"{tmp_path}/letter.db is not an SQLite database (or it is encrypted)."
    )
    assert names(tmp_path) == ["letter.db"]


def test_a_backup_that_is_not_there_is_not_restored(tmp_path: Path) -> None:
    sentence = refusal_of_a_restore(tmp_path / "none.db", tmp_path / "new.db")

    assert sentence.startswith(f"{tmp_path}/none.db does not exist;")


def test_a_folder_that_cannot_be_written_is_named(database: Path) -> None:
    with pytest.raises(StartError) as caught:
        back_up(database, Path("/proc"), keep=1)

    assert str(caught.value) == "Nothing can be written in /proc: No such file or directory."


def test_a_folder_that_is_a_file_is_named(database: Path, tmp_path: Path) -> None:
    (tmp_path / "backups").touch()

    with pytest.raises(StartError) as caught:
        back_up(database, tmp_path / "backups", keep=1)

    assert str(caught.value) == f"The folder {tmp_path}/backups cannot be made: File exists."
