"""A database file made from SQL, and the schema read from it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from wherry.schema.model import Schema
from wherry.schema.reader import interpret
from wherry.sqlite.catalogue import read_catalogue

SchemaOf = Callable[[str], Schema]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    """Open a new file."""
    connection = apsw.Connection(str(tmp_path / "dev.db"))
    yield connection
    connection.close()


@pytest.fixture
def schema_of(connection: apsw.Connection) -> SchemaOf:
    """Return a function that runs SQL in the file and reads its schema."""

    def schema_of(sql: str) -> Schema:
        connection.execute(sql)
        return interpret(read_catalogue(connection))

    return schema_of
