"""The demonstration's database, as the standard library's SQLite reads it."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wherry.demo import build
from wherry.demo.__main__ import main
from wherry.errors import StartError

#: Runs the command where no file may grow beyond 64 KiB.
ON_A_FULL_DISK = """
import resource, sys
from wherry.demo.__main__ import main
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, unlimited[1]))
code = main(sys.argv[1:])
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "library"
    build(folder / "films.db")
    return folder


@pytest.fixture
def library(folder: Path) -> Iterator[sqlite3.Connection]:
    """The library; what a test writes is undone."""
    connection = sqlite3.connect(folder / "films.db")
    connection.execute("PRAGMA foreign_keys = ON")
    yield connection
    connection.rollback()
    connection.close()


def rows(library: sqlite3.Connection, sql: str) -> list[tuple[object, ...]]:
    return library.execute(sql).fetchall()


def count(library: sqlite3.Connection, table: str) -> int:
    return int(library.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_the_file_is_sound_and_every_reference_leads_somewhere(library: sqlite3.Connection) -> None:
    assert rows(library, "PRAGMA integrity_check") == [("ok",)]
    assert rows(library, "PRAGMA foreign_key_check") == []


def test_a_database_and_its_policies_are_made_and_nothing_else(folder: Path) -> None:
    assert sorted(file.name for file in folder.iterdir()) == ["films.db", "policies.sql"]


def test_the_library_has_about_two_thousand_rows(library: sqlite3.Connection) -> None:
    tables = ("studios", "people", "genres", "films", "roles", "film_genres", "reviews", "lists", "list_items")
    assert {table: count(library, table) for table in tables} == {
        "studios": 12,
        "people": 170,
        "genres": 14,
        "films": 160,
        "roles": 652,
        "film_genres": 320,
        "reviews": 452,
        "lists": 28,
        "list_items": 177,
    }


def test_it_is_the_same_library_each_time(folder: Path, tmp_path: Path) -> None:
    build(tmp_path / "again.db")
    assert (tmp_path / "again.db").read_bytes() == (folder / "films.db").read_bytes()
    assert (tmp_path / "policies.sql").read_bytes() == (folder / "policies.sql").read_bytes()


def test_nobody_works_before_their_twentieth_or_after_their_eightieth_year(library: sqlite3.Connection) -> None:
    at_work = """
        SELECT films.year - CAST(substr(people.born, 1, 4) AS INTEGER) AS age
        FROM (SELECT film_id, person_id FROM roles UNION ALL SELECT id, director_id FROM films) AS work
        JOIN films ON films.id = work.film_id JOIN people ON people.id = work.person_id
    """
    assert rows(library, f"SELECT min(age) >= 20, max(age) <= 80 FROM ({at_work})") == [(1, 1)]


def test_studios_make_films_after_they_were_founded(library: sqlite3.Connection) -> None:
    early = "SELECT title FROM films JOIN studios ON studios.id = films.studio_id WHERE year < founded"
    assert rows(library, early) == []


def test_a_sequel_comes_after_the_film_that_it_follows(library: sqlite3.Connection) -> None:
    pairs = "FROM films AS sequel JOIN films AS first ON first.id = sequel.sequel_to"
    assert rows(library, f"SELECT count(*), min(sequel.year > first.year) {pairs}") == [(8, 1)]


def test_the_decade_is_generated_from_the_year(library: sqlite3.Connection) -> None:
    assert rows(library, "SELECT count(*) FROM films WHERE decade <> year - year % 10") == [(0,)]


def test_ratings_are_those_of_the_reviews(library: sqlite3.Connection) -> None:
    assert rows(library, "SELECT sum(reviews), count(*) FROM film_ratings") == [(452, 160)]
    assert rows(library, "SELECT count(*) FROM film_ratings WHERE (rating IS NULL) <> (reviews = 0)") == [(0,)]


def found(library: sqlite3.Connection, word: str) -> list[tuple[object, ...]]:
    return library.execute(
        "SELECT films.title FROM films_search JOIN films ON films.id = films_search.rowid WHERE films_search MATCH ?",
        (word,),
    ).fetchall()


def test_the_index_follows_the_films(library: sqlite3.Connection) -> None:
    library.execute("INSERT INTO films (id, title, year) VALUES (1000, 'The Zeppelinist', 1950)")
    assert found(library, "zeppelinist") == [("The Zeppelinist",)]
    library.execute("UPDATE films SET title = 'The Balloonist' WHERE id = 1000")
    assert (found(library, "zeppelinist"), found(library, "balloonist")) == ([], [("The Balloonist",)])
    library.execute("DELETE FROM films WHERE id = 1000")
    assert found(library, "balloonist") == []
    library.execute("INSERT INTO films_search (films_search, rank) VALUES ('integrity-check', 1)")


def test_the_catalogue_is_written_through_its_triggers(library: sqlite3.Connection) -> None:
    film = "SELECT title, year, studio, country FROM catalogue WHERE id = 1000"
    library.execute("INSERT INTO catalogue VALUES (1000, 'Ballast', 1990, 'Nordlys Film', 'elsewhere')")
    assert rows(library, film) == [("Ballast", 1990, "Nordlys Film", "Norway")]
    library.execute("UPDATE catalogue SET year = 1991, studio = 'Kite & Key' WHERE id = 1000")
    assert rows(library, film) == [("Ballast", 1991, "Kite & Key", "Norway")]
    library.execute("INSERT INTO catalogue (id, title, year, studio) VALUES (1001, 'Keel', 1992, 'Red Door')")
    assert rows(library, "SELECT * FROM studios WHERE id > 12 ORDER BY id") == [
        (13, "Kite & Key", "Norway", 1991),
        (14, "Red Door", "unknown", 1992),
    ]
    library.execute("DELETE FROM catalogue WHERE id = 1000")
    assert rows(library, film) == []


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "policies.sql").write_text("-- mine")
    with pytest.raises(StartError) as refusal:
        build(tmp_path / "films.db")
    assert str(refusal.value) == (
        f"{tmp_path / 'policies.sql'} exists already; the demonstration is made in a place of its own."
    )
    assert [file.name for file in tmp_path.iterdir()] == ["policies.sql"]


def test_a_place_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StartError) as refusal:
        build(tmp_path / "file" / "films.db")
    assert str(refusal.value) == f"{tmp_path / 'file' / 'films.db'} cannot be made: {tmp_path / 'file'}: File exists."


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", ON_A_FULL_DISK, tmp_path / "films.db"], check=False, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith(f"wherry: {tmp_path / 'films.db'} cannot be made: the disk ")
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_file_of_an_interrupted_run_does_no_harm(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "films.db.unfinished").write_bytes(b"half of it")
    build(tmp_path / "films.db")
    assert (tmp_path / "films.db").read_bytes() == (folder / "films.db").read_bytes()


def test_the_module_makes_the_database_from_the_command_line(folder: Path, tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "wherry.demo", tmp_path / "films.db"], check=False, capture_output=True, text=True
    )
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    assert (tmp_path / "films.db").read_bytes() == (folder / "films.db").read_bytes()


def test_the_command_says_how_it_is_used_and_why_it_refuses(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err == "usage: python -m wherry.demo PATH\n"
    assert main([str(folder / "films.db")]) == 1
    assert capsys.readouterr().err == (
        f"wherry: {folder / 'films.db'} exists already; the demonstration is made in a place of its own.\n"
    )
    assert main([str(tmp_path / "films.db")]) == 0
