"""What somebody saw once and nobody shall see again: each test is a bug that a search found."""

from pathlib import Path

from .conftest import KEYS, served

SCHEMA = "CREATE TABLE docs (id INTEGER PRIMARY KEY, title TEXT, ok BOOLEAN)"


def test_bytes_cast_to_text_do_not_make_a_body_that_is_no_text(tmp_path: Path) -> None:
    rows = "INSERT INTO docs VALUES (1, x'ff00', x'fe'), (2, 'a', 1)"
    with served(tmp_path / "library.db", f"{SCHEMA}; {rows}") as api:
        assert api.get("docs?select=title::text,ok::text&order=id") == [
            {"title": "\\xff00", "ok": "\\xfe"},
            {"title": "a", "ok": "true"},
        ]
        assert api.get("docs?select=title.max()::text") == [{"max": "\\xff00"}]


def test_text_that_is_not_utf_8_is_shown_with_marks_for_what_cannot_be_read(tmp_path: Path) -> None:
    rows = "INSERT INTO docs VALUES (1, CAST(x'4dfc6c6c6572' AS TEXT), 1)"
    with served(tmp_path / "library.db", f"{SCHEMA}; {rows}") as api:
        assert api.get("docs?select=title") == [{"title": "M\ufffdller"}]
        assert api.get("docs?select=title", accept="text/csv") == "title\nM\ufffdller"
        shown = api("PATCH", "docs?select=title", {"ok": False}, prefer="return=representation")
        assert shown.body == [{"title": "M\ufffdller"}]


def test_a_write_that_reads_nothing_reaches_rows_that_it_could_not_see(tmp_path: Path) -> None:
    # https://www.postgresql.org/docs/current/sql-createpolicy.html: SELECT policies count where the write reads columns
    (tmp_path / "library.sql").write_text(
        "GRANT SELECT, UPDATE, DELETE ON docs TO anon; ALTER TABLE docs ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY shown ON docs FOR SELECT USING (ok);"
        "CREATE POLICY changed ON docs FOR UPDATE USING (true) WITH CHECK (true);"
        "CREATE POLICY removed ON docs FOR DELETE USING (id < 3);"
    )
    rows = "INSERT INTO docs VALUES (1, 'a', 1), (2, 'b', 0), (3, 'c', 0)"
    anonymous = {"authorization": f"Bearer {KEYS['anon']}"}
    with served(tmp_path / "library.db", f"{SCHEMA}; {rows}") as api:
        assert api("PATCH", "docs?id=gt.0", {"title": "x"}, **anonymous).status == 204
        assert api.rows("SELECT title FROM docs") == [("x",), ("b",), ("c",)]
        assert api("PATCH", "docs", {"title": "y"}, **anonymous).status == 204
        assert api.rows("SELECT title FROM docs") == [("y",), ("y",), ("y",)]
        assert api("DELETE", "docs?id=gt.0", **anonymous).status == 204
        assert api.rows("SELECT id FROM docs") == [(2,), (3,)]
        assert api("DELETE", "docs", **anonymous).status == 204
        assert api.rows("SELECT id FROM docs") == [(3,)]


def test_a_part_of_a_primary_key_is_not_described_as_the_key(tmp_path: Path) -> None:
    (tmp_path / "library.sql").write_text("GRANT SELECT (film, part) ON roles TO anon;")
    with served(
        tmp_path / "library.db", "CREATE TABLE roles (film INT, person INT, part, PRIMARY KEY (film, person))"
    ) as api:
        anonymous = {"authorization": f"Bearer {KEYS['anon']}"}
        assert "description" not in api.get("", **anonymous)["definitions"]["roles"]["properties"]["film"]
        whole = api.get("")["definitions"]["roles"]["properties"]
        assert [whole[name]["description"] for name in ("film", "person")] == ["Note:\nThis is a Primary Key.<pk/>"] * 2
