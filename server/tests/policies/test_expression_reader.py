"""What SQLite says that a statement reads."""

from pathlib import Path

import apsw
import pytest

from wherry.errors import DatabaseError, StatementRefused
from wherry.sqlite.expressions import ExpressionReader
from wherry.statement import Claim, Read, Statement


def test_reads_are_told_with_the_view_that_they_stand_in(reader: ExpressionReader) -> None:
    assert reader.check(Statement("SELECT title FROM open_todos WHERE user_id = ?", (Claim(("sub",)),))) == frozenset(
        {
            *[Read("Todos", column, "open_todos") for column in ("id", "title", "user_id", "done")],
            Read("open_todos", "title"),
            Read("open_todos", "user_id"),
            Read("", "", "open_todos"),
        }
    )


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("DELETE FROM orgs", "not authorized"),
        ("CREATE TABLE x (a)", "not authorized"),
        ("PRAGMA table_info(orgs)", "not authorized"),
        ("ATTACH 'x' AS y", "not authorized"),
        ("SELECT load_extension('x')", "not authorized to use function: load_extension"),
        ("SELECT fts3_tokenizer('x')", "not authorized to use function: fts3_tokenizer"),
        ("SELECT 1; DELETE FROM orgs", "not authorized"),
    ],
)
def test_what_does_more_than_read_is_refused(reader: ExpressionReader, sql: str, message: str) -> None:
    with pytest.raises(StatementRefused) as error:
        reader.check(Statement(sql))
    assert error.value.message == message


def test_the_place_of_an_error_is_told_in_bytes(reader: ExpressionReader) -> None:
    with pytest.raises(StatementRefused) as error:
        reader.check(Statement("SELECT 'é', nope FROM orgs"))
    assert error.value.offset == len("SELECT 'é', ".encode())


@pytest.mark.parametrize("start", [0, 100])
def test_a_damaged_file_is_the_files_fault(tmp_path: Path, start: int) -> None:
    path = tmp_path / "damaged.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    content = path.read_bytes()
    path.write_bytes(content[:start] + b"\xff" * (4096 - start) + content[4096:])
    with pytest.raises(DatabaseError) as error:
        ExpressionReader(path)
    assert error.value.code == "XX001"
