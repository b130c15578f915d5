"""A small library with its schema as the server reads it, and policies for it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import apsw
import pytest

from wherry.policies import Policies, PoliciesError, load_policies
from wherry.schema.model import Schema
from wherry.schema.reader import interpret
from wherry.sqlite.catalogue import read_catalogue
from wherry.sqlite.expressions import ExpressionReader

TABLES = """
CREATE TABLE orgs (id INTEGER PRIMARY KEY, name TEXT, secret TEXT);
CREATE TABLE members (org_id INTEGER, user_id TEXT, level INTEGER, PRIMARY KEY (org_id, user_id));
CREATE TABLE Todos (id INTEGER PRIMARY KEY, user_id TEXT, org_id INTEGER, title TEXT, done BOOLEAN, tags JSON);
CREATE TABLE "odd "" name" ("the key" INTEGER PRIMARY KEY, "select" TEXT, `b``q` TEXT) WITHOUT ROWID;
CREATE VIEW open_todos AS SELECT id, title, user_id FROM Todos WHERE NOT done;
CREATE VIEW todo_count AS SELECT count(*) AS n FROM Todos;
CREATE VIEW org_names AS SELECT id, name FROM orgs;
CREATE VIRTUAL TABLE todos_fts USING fts5(title, content=Todos, content_rowid=id);
CREATE TABLE parents (id INTEGER PRIMARY KEY, parent_id INTEGER);
"""

Load: TypeAlias = Callable[[str], Policies]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file."""
    path = tmp_path_factory.mktemp("policies") / "library.db"
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute(TABLES)
    connection.close()
    return path


@pytest.fixture(scope="session")
def schema(library: Path) -> Schema:
    """Its schema."""
    connection = apsw.Connection(str(library))
    found = interpret(read_catalogue(connection))
    connection.close()
    return found


@pytest.fixture(scope="session")
def reader(library: Path) -> Iterator[ExpressionReader]:
    """What checks expressions against it."""
    found = ExpressionReader(library)
    yield found
    found.close()


@pytest.fixture(scope="session")
def load(schema: Schema, reader: ExpressionReader) -> Load:
    """Load policies for it."""
    return lambda text: load_policies(text, schema, reader.check, version="v1")


@pytest.fixture(scope="session")
def refused(load: Load) -> Callable[[str], str]:
    """Load policies that cannot be loaded and return the error's text."""

    def message(text: str) -> str:
        with pytest.raises(PoliciesError) as error:
            load(text)
        return str(error.value)

    return message
