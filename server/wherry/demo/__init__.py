"""Make the demonstration: a database of an invented film library, with the policies of who may do what.

The database is an ordinary SQLite file, which any SQLite from 3.37 reads; nothing in it is Wherry's own. The
same rows and, with one version of SQLite, the same bytes come of every call.
"""

from pathlib import Path

from wherry.demo.library import COLUMNS, Library, draw_library
from wherry.errors import DatabaseError, StartError
from wherry.sqlite.connection import open_writer
from wherry.sqlite.refusals import refusal

_HERE = Path(__file__).parent


def build(path: Path) -> None:
    """Make the database `path` and `policies.sql` beside it, with their folder.

    Raises StartError where one of them exists or cannot be written: what is there is somebody's.
    """
    policies = path.with_name("policies.sql")
    for file in (path, policies):
        if file.exists():
            raise StartError(f"{file} exists already; the demonstration is made in a place of its own.")
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(b"")
        try:
            _fill(unfinished, draw_library())
            policies.write_bytes((_HERE / "policies.sql").read_bytes())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise StartError(f"{path} cannot be made: {error.filename}: {error.strerror}.") from error
    except DatabaseError as error:
        raise StartError(f"{path} cannot be made: {error.message}.") from error


def _fill(path: Path, library: Library) -> None:
    connection = open_writer(path, busy_timeout=5)
    try:
        with connection:
            connection.execute((_HERE / "schema.sql").read_text(encoding="utf-8"))
            for table, columns in COLUMNS.items():
                places = ", ".join("?" * len(columns))
                insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
                connection.executemany(insert, getattr(library, table))
        connection.execute("ANALYZE")
    except Exception as error:
        raise refusal(error) from error
    finally:
        connection.close()
