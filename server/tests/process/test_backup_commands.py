"""`wherry backup` and `wherry restore` in processes of their own, beside a server that writes the file."""

import sqlite3
from pathlib import Path
from threading import Event, Thread

from tests.process.conftest import Serve
from tests.process.served import make, rows
from tests.process.test_command import wherry


def test_a_backup_of_a_served_file_holds_every_row_that_was_acknowledged_before_it(
    serve: Serve, tmp_path: Path
) -> None:
    served = serve(make(tmp_path / "app.db", "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)"))
    acknowledged, ended = [0], Event()

    def write() -> None:
        with served.client() as client:
            while not ended.is_set():
                assert client.post("notes", json={"text": "x" * 500}).status_code == 201
                acknowledged[0] += 1

    writer = Thread(target=write)
    writer.start()
    try:
        while acknowledged[0] < 50:
            ended.wait(0.01)
        before = acknowledged[0]
        code, output, errors = wherry("backup", served.database, "--to", tmp_path / "backups")
        after = acknowledged[0]
    finally:
        ended.set()
        writer.join()

    assert (code, errors) == (0, "")
    backup = Path(output.strip())
    assert wherry("restore", backup, tmp_path / "new.db") == (0, f"{tmp_path}/new.db\n", "")
    [(restored,)] = rows(tmp_path / "new.db", "SELECT count(*) FROM notes")
    assert before <= restored <= after + 1, "one may be on its way"
    assert rows(tmp_path / "new.db", "PRAGMA integrity_check") == [("ok",)]


def test_backups_are_kept_in_the_sidecar_where_no_folder_is_named(tmp_path: Path) -> None:
    database = tmp_path / "app.db"
    sqlite3.connect(database).execute("CREATE TABLE notes (text)").connection.close()

    code, output, _ = wherry("backup", DATABASE_URL=str(database))

    assert code == 0
    assert [Path(output.strip())] == list((tmp_path / "app.wherry" / "backups").iterdir())


def test_what_cannot_be_done_is_one_sentence(tmp_path: Path) -> None:
    database = tmp_path / "app.db"
    sqlite3.connect(database).execute("CREATE TABLE notes (text)").connection.close()
    taken = f"wherry: {database} exists, and nothing is overwritten: move it away, or name another file.\n"

    assert wherry("restore", database, database) == (1, "", taken)
    assert wherry("backup")[::2] == (
        1,
        "wherry: No database is named: give its path as an argument, or set DATABASE_URL.\n",
    )
    assert wherry("backup", database, "--keep", "0")[0] == 2
