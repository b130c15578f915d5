import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.schema.definitions import TableDefinition, TriggerEvent, compound_views, read_table, read_trigger
from wherry.schema.full_text import read_full_text
from wherry.schema.reader import interpret
from wherry.schema.tokens import Token, TokenKind, tokenize
from wherry.sqlite.catalogue import Catalogue, CatalogueColumn, CatalogueForeignKey, CatalogueTable


def test_sql_is_split_into_tokens() -> None:
    assert tokenize("a1$ \"b\"\"\" 'c''' `d``` [e\"] 1.5e3 .5 x'00'--z\n/*)*/ü(\ufeff,/*") == [
        Token(TokenKind.WORD, "a1$"),
        Token(TokenKind.QUOTED, 'b"'),
        Token(TokenKind.QUOTED, "c'"),
        Token(TokenKind.QUOTED, "d`"),
        Token(TokenKind.QUOTED, 'e"'),
        Token(TokenKind.NUMBER, "1.5e3"),
        Token(TokenKind.NUMBER, ".5"),
        Token(TokenKind.WORD, "x"),
        Token(TokenKind.QUOTED, "00"),
        Token(TokenKind.WORD, "ü"),
        Token(TokenKind.SYMBOL, "("),
        Token(TokenKind.SYMBOL, ","),
    ]


def test_a_quoted_token_is_no_keyword() -> None:
    assert [token.keyword for token in tokenize('UNION "union" 1 +')] == ["union", "", "", ""]


_WORDS = (
    "CREATE TABLE TRIGGER VIRTUAL USING fts5 t CONSTRAINT c REFERENCES FOREIGN KEY UNIQUE DEFERRABLE INITIALLY DEFERRED"
)
_PIECES = st.sampled_from([*_WORDS.split(), "content", *"(),'\"[=.", "/*", "--"])


@given(st.lists(_PIECES).map(" ".join) | st.text())
def test_no_text_breaks_the_reading(sql: str) -> None:
    """A file whose sqlite_schema was forged may hold what no parser accepts."""
    read_table(sql)
    read_trigger(sql)
    read_full_text(sql)
    compound_views({"a": sql, "b": "SELECT * FROM a"})


@pytest.mark.parametrize("sql", ["", "CREATE TABLE constraint", "CREATE TABLE t (CONSTRAINT", "constraint )"])
def test_a_text_that_is_cut_off_says_nothing(sql: str) -> None:
    assert read_table(sql) == TableDefinition()


@pytest.mark.parametrize(
    "sql", ["", "CREATE TRIGGER", "CREATE TRIGGER t AFTER", "CREATE TRIGGER t ON v", "CREATE TRIGGER s.t ON DELETE"]
)
def test_a_text_that_is_no_trigger_has_no_event(sql: str) -> None:
    assert read_trigger(sql) is None


def test_a_trigger_may_stand_in_a_schema() -> None:
    assert (
        read_trigger('CREATE TRIGGER IF NOT EXISTS "main".t INSTEAD OF DELETE ON v BEGIN SELECT 1; END')
        is TriggerEvent.DELETE
    )


def test_names_that_do_not_fit_the_pragmas_are_not_used() -> None:
    columns = (CatalogueColumn("x", "", False, None, 1, 0), CatalogueColumn("y", "", False, None, 0, 0))
    keys = (CatalogueForeignKey(("y",), "t", (None,)),)
    table = CatalogueTable("t", "table", "CREATE TABLE t (x CONSTRAINT c REFERENCES t)", False, False, columns, keys)
    assert [key.name for key in interpret(Catalogue(1, (table,))).tables["t"].foreign_keys] == ["t_y_fkey"]


def test_views_that_mention_each_other_are_followed_once() -> None:
    views = {"a": "SELECT b FROM c", "b": "SELECT a", "c": "SELECT 1 UNION SELECT b FROM a", "d": "SELECT 'union'"}
    assert compound_views(views) == {"a", "b", "c"}
