"""Several processes and one file: nothing that was acknowledged is ever lost, nothing happens twice."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wherry.errors import DatabaseBusy
from wherry.sqlite.database import Database
from wherry.statement import WriteResult, WriteTransaction

#: Write films from 16 callers at once, each tenth one in vain, and print what was acknowledged.
WRITER = """
import asyncio, sys
from pathlib import Path
from wherry.errors import ConstraintError
from wherry.sqlite.database import Database
from wherry.statement import Step, WriteTransaction

async def main(path, name, count):
    database = Database.open(Path(path), sidecar=Path(path).with_suffix(".wherry"), emit=lambda observation: None)
    version = database.schema_version()
    print("ready", flush=True)
    sys.stdin.readline()
    async def caller(number):
        for n in range(count):
            title = f"{name} {number} {n}" if n % 10 else "M"
            step = Step("INSERT INTO films (title, year) VALUES (?, ?)", [(title, 1900)], False)
            try:
                await database.write(WriteTransaction((step,), version))
            except ConstraintError:
                assert title == "M"
            else:
                print(title, flush=True)
    await asyncio.gather(*[caller(number) for number in range(16)])
    await database.close()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""

#: Hold the file's lock with the standard library's SQLite until told to let go.
HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("INSERT INTO films (title) VALUES ('foreign')")
print("ready", flush=True)
sys.stdin.readline()
connection.execute("COMMIT")
"""


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def titles(rows_of: Callable[[str], list[tuple[str]]]) -> list[str]:
    assert rows_of("PRAGMA integrity_check") == [("ok",)]
    return [title for (title,) in rows_of("SELECT title FROM films WHERE year = 1900")]


def test_two_processes_write_one_file_and_lose_nothing(
    library: Path, rows_of: Callable[[str], list[tuple[str]]]
) -> None:
    processes = [start(WRITER, str(library), name, "100") for name in ("one", "two")]
    for process in processes:
        go(process)
    acknowledged = [title for process in processes for title in process.communicate(timeout=60)[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0]
    assert len(acknowledged) == 2 * 16 * 90
    assert sorted(titles(rows_of)) == sorted(acknowledged)


@pytest.mark.parametrize("after", [1, 50, 700])
def test_a_process_that_is_killed_loses_nothing_that_it_acknowledged(
    library: Path, rows_of: Callable[[str], list[tuple[str]]], after: int
) -> None:
    killed, survivor = (start(WRITER, str(library), name, count) for name, count in (("k", "100000"), ("s", "100")))
    go(killed)
    go(survivor)
    assert killed.stdout is not None
    acknowledged = [killed.stdout.readline().rstrip("\n") for _ in range(after)]
    killed.send_signal(signal.SIGKILL)
    rest, _ = killed.communicate(timeout=30)
    acknowledged += [line for line in rest.split("\n")[:-1] if line]
    survived = survivor.communicate(timeout=60)[0].splitlines()
    assert (killed.returncode, survivor.returncode, len(survived)) == (-signal.SIGKILL, 0, 16 * 90)
    written = titles(rows_of)
    assert len(written) == len(set(written))
    assert set(acknowledged) | set(survived) <= set(written)


@pytest.mark.anyio
async def test_a_foreign_program_that_holds_the_file_makes_it_busy_and_then_free(
    open_database: Callable[..., Database], library: Path, insert_film: Callable[..., WriteTransaction]
) -> None:
    database = open_database(busy_timeout=0.05)
    holder = await asyncio.to_thread(start, HOLDER, str(library))
    with contextlib.closing(holder.stdout), pytest.raises(DatabaseBusy):  # type: ignore[type-var]
        await database.write(insert_film(("Ran", 1985)))
    await asyncio.to_thread(holder.communicate, "\n")
    assert await database.write(insert_film(("Ran", 1985))) == WriteResult(1, [])
