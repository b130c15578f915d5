from pathlib import Path

import apsw
import pytest

from wherry.sqlite.catalogue import (
    Catalogue,
    CatalogueColumn,
    CatalogueForeignKey,
    CatalogueIndex,
    CatalogueTable,
    CatalogueTrigger,
    read_catalogue,
)


def test_the_catalogue_says_what_the_pragmas_say(connection: apsw.Connection) -> None:
    table = (
        "CREATE TABLE t (a INT DEFAULT 5 UNIQUE, b REFERENCES p, c NOT NULL, FOREIGN KEY (c, a) REFERENCES P (x, y))"
    )
    view = "CREATE VIEW v AS SELECT a, 1 FROM t"
    trigger = "CREATE TRIGGER g INSTEAD OF DELETE ON v BEGIN SELECT 1; END"
    connection.execute(f"{table}; {view}; {trigger}")
    assert read_catalogue(connection) == Catalogue(
        3,
        (
            CatalogueTable(
                "t",
                "table",
                table,
                columns=(
                    CatalogueColumn("a", "INT", False, "5", 0, 0),
                    CatalogueColumn("b", "", False, None, 0, 0),
                    CatalogueColumn("c", "", True, None, 0, 0),
                ),
                foreign_keys=(
                    CatalogueForeignKey(("b",), "p", (None,)),
                    CatalogueForeignKey(("c", "a"), "P", ("x", "y")),
                ),
                unique_indexes=(CatalogueIndex("sqlite_autoindex_t_1", "u", ("a",)),),
            ),
            CatalogueTable(
                "v",
                "view",
                view,
                columns=(
                    CatalogueColumn("a", "INT", False, None, 0, 0, ("t", "a")),
                    CatalogueColumn("1", "", False, None, 0, 0),
                ),
            ),
        ),
        (CatalogueTrigger("v", trigger),),
    )


def test_what_another_process_changed_is_read(connection: apsw.Connection) -> None:
    connection.execute("CREATE TABLE t (a)")
    before = read_catalogue(connection)
    other = apsw.Connection(connection.filename)
    other.execute("ALTER TABLE t ADD COLUMN b; CREATE TABLE u (a)")
    other.close()
    after = read_catalogue(connection)
    assert [[c.name for c in table.columns] for table in before.tables] == [["a"]]
    assert [[c.name for c in table.columns] for table in after.tables] == [["a", "b"], ["a"]]
    assert after.version > before.version


def test_reading_ends_its_transaction_but_not_that_of_the_caller(connection: apsw.Connection) -> None:
    connection.execute("CREATE TABLE t (a)")
    read_catalogue(connection)
    assert not connection.in_transaction
    connection.execute("BEGIN; CREATE TABLE mine (a)")
    assert [table.name for table in read_catalogue(connection).tables] == ["t", "mine"]
    assert connection.in_transaction


def test_reading_runs_no_view_and_writes_nothing(connection: apsw.Connection) -> None:
    ran = []
    connection.create_scalar_function("seen", lambda: ran.append(1), deterministic=False)
    connection.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT seen() AS s FROM t")
    before = Path(connection.filename).read_bytes()
    assert read_catalogue(connection).tables[1].columns == (CatalogueColumn("s", "", False, None, 0, 0),)
    assert (ran, Path(connection.filename).read_bytes()) == ([], before)


@pytest.mark.parametrize("stopped_at", ["table", "view"])
def test_an_interrupted_reading_is_not_taken_for_a_broken_table(connection: apsw.Connection, stopped_at: str) -> None:
    connection.execute("CREATE TABLE t (a); CREATE VIEW v AS SELECT 1")
    reading = apsw.Connection(connection.filename)
    at_tables = False

    def interrupt(action: int, what: str | None, _column: str | None, _file: str | None, within: str | None) -> int:
        nonlocal at_tables
        at_tables = at_tables or (action == apsw.SQLITE_PRAGMA and what == "table_xinfo")
        if at_tables and action != apsw.SQLITE_TRANSACTION and (stopped_at == "table" or within == "v"):
            raise apsw.InterruptError("stopped")
        return apsw.SQLITE_OK

    reading.authorizer = interrupt
    with pytest.raises(apsw.InterruptError, match="stopped"):
        read_catalogue(reading)
    assert not reading.in_transaction
    reading.close()
