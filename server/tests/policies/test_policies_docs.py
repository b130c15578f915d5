"""The reference of policies.sql tells the truth."""

import re
from pathlib import Path

import apsw
import pytest

from wherry.policies import load_policies
from wherry.schema.reader import interpret
from wherry.sqlite.catalogue import read_catalogue
from wherry.sqlite.expressions import ExpressionReader

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "policies.md"
EXAMPLES = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
TABLES = """
CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT);
CREATE TABLE lists (id INTEGER PRIMARY KEY, user_id TEXT, team_id INTEGER, title TEXT, locked BOOLEAN);
CREATE TABLE members (team_id INTEGER, user_id TEXT);
"""


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_loaded(tmp_path: Path, example: str) -> None:
    path = tmp_path / "films.db"
    connection = apsw.Connection(str(path))
    connection.execute(TABLES)
    schema = interpret(read_catalogue(connection))
    connection.close()
    reader = ExpressionReader(path)
    policies = load_policies(example, schema, reader.check, version="1")
    reader.close()
    assert policies.warnings == ()
