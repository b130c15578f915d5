"""Backups: verified copies of the served file with the time in their names, the last few of them kept.

1. A backup is `app-20260131T040506Z.db` for `app.db`: the database as it was at that moment, one file that any SQLite
   opens. It gets this name only when it is whole, on the disk and found sound; until then it is a hidden draft.
2. `keep` counts the backups of one database in one folder. Older ones are removed when a newer one is there, never
   before, and nothing else in the folder is touched.
3. Restoring writes a new file. It overwrites none, and refuses where a log of an older database lies, which SQLite
   would take for the new one's.

`policies.sql` is not part of a backup: it belongs into version control, like code.
"""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from wherry.errors import StartError
from wherry.sqlite.snapshot import copy_database, first_damage

FOLDER = "backups"  #: in the sidecar, where no other is named

_STAMP = "%Y%m%dT%H%M%SZ"
#: What SQLite lays beside a database, and would read as a part of one that gets its name.
_COMPANIONS = ("-wal", "-journal", "-shm")


def back_up(database: Path, folder: Path, *, keep: int, now: datetime | None = None) -> Path:
    """Make a backup of `database` in `folder`, remove all but the last `keep`, and return its path.

    Raises StartError, and leaves the folder as it was, where no sound copy can be made.
    """
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    _make_folder(folder)
    backup = folder / f"{database.stem}-{moment.strftime(_STAMP)}.db"
    _copy(database, backup)
    for old in backups_of(database, folder)[keep:]:
        old.unlink(missing_ok=True)
    return backup


def backups_of(database: Path, folder: Path) -> list[Path]:
    """Return the backups of a database in a folder, the newest first."""
    named = re.compile(rf"{re.escape(database.stem)}-\d{{8}}T\d{{6}}Z\.db").fullmatch
    return sorted((path for path in folder.iterdir() if named(path.name)), key=lambda path: path.name, reverse=True)


def restore(backup: Path, database: Path) -> None:
    """Write the database of `backup`, which can be any SQLite file, into the new file `database`.

    Raises StartError, and writes nothing, where something is in its place or no sound copy can be made.
    """
    for companion in ("", *_COMPANIONS):
        taken = database.with_name(database.name + companion)
        if os.path.lexists(taken):
            raise StartError(f"{taken} exists, and nothing is overwritten: move it away, or name another file.")
    _make_folder(database.parent)
    _copy(backup, database)


def _copy(source: Path, target: Path) -> None:
    """Copy and verify under another name, and take the name when all is on the disk."""
    with _draft(target) as draft:
        copy_database(source, draft)
        if (damage := first_damage(draft)) is not None:
            raise StartError(f"{source} is damaged, and was not copied: {damage}.")
        _claim(target)
        draft.replace(target)
    _settle(target.parent)


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """Create an empty file that only its owner reads, beside the target, and leave nothing of it behind."""
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise StartError(f"Nothing can be written in {target.parent}: {error.strerror}.") from error
    try:
        yield draft
    finally:
        for companion in ("", *_COMPANIONS):
            draft.with_name(draft.name + companion).unlink(missing_ok=True)


def _claim(target: Path) -> None:
    """Take a name that nobody has, so that the rename which follows replaces nothing of somebody else's."""
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as error:
        raise StartError(f"{target} was made in the meantime, and nothing is overwritten.") from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"The folder {folder} cannot be made: {error.strerror}.") from error


def _settle(folder: Path) -> None:
    """Put the folder's own entries on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
