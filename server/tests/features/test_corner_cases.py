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


def test_text_that_is_not_utf_8_keeps_nobody_from_searching(tmp_path: Path) -> None:
    schema = """
        CREATE TABLE texts (id INTEGER PRIMARY KEY, name TEXT, facts JSON, any);
        INSERT INTO texts VALUES
            (1, CAST(x'4dfc6c6c6572' AS TEXT), CAST(x'7b2261223a22fc222c2262223a6e756c6c7d' AS TEXT),
                CAST(x'fc' AS TEXT)),
            (2, 'Möller', '{"a": "ü", "b": null}', x'4dfc'), (3, NULL, NULL, NULL);
    """
    with served(tmp_path / "library.db", schema) as api:

        def found(condition: str) -> list[int]:
            return [row["id"] for row in api.get(f"texts?select=id&order=id&{condition}")]

        assert found("name=match.^M.*ller$") == [1, 2]
        assert found("name=imatch(any).{LLER,x}") == [1, 2]
        assert found("name=ilike.*Ö*") == [2]
        assert found("name=ilike(any).{*Ö*,*LLER}") == [1, 2]
        assert found("name=plfts.möller") == [2]
        assert found("facts=wfts.ü") == [2]
        assert found('facts=cs.{"a":"ü"}') == [2]
        assert found('facts=cd.{"a":"ü","b":null,"c":1}') == [2]
        assert found("facts=ov.[1]") == []
        assert found("any=match.M") == []
        assert found("facts->>a=ilike.*Ü*") == [2]
        stripped = {"accept": "application/vnd.pgrst.array+json;nulls=stripped"}
        assert api.get("texts?select=facts&id=lt.3&order=id", **stripped) == [
            {"facts": {"a": "\ufffd"}},
            {"facts": {"a": "ü"}},
        ]
        ordered = {"prefer": "return=representation"}
        assert api("PATCH", "texts?select=id&order=name.desc", {"any": 1}, **ordered).body == [
            {"id": 3}, {"id": 1}, {"id": 2},
        ]  # fmt: skip
        assert api("PATCH", "texts?select=id&order=any.desc,id.desc", {"any": 1}, **ordered).body == [
            {"id": 3}, {"id": 2}, {"id": 1},
        ]  # fmt: skip


def test_json_is_searched_however_it_is_kept(tmp_path: Path) -> None:
    schema = """
        CREATE TABLE facts (id INTEGER PRIMARY KEY, data JSON);
        INSERT INTO facts VALUES (1, '{"a": [1]}'), (2, CAST('{"a": [1]}' AS BLOB)), (3, jsonb('{"a": [1]}'));
        INSERT INTO facts VALUES (4, x'00'), (5, 'no json'), (6, NULL);
    """
    with served(tmp_path / "library.db", schema) as api:
        for condition in ('data=cs.{"a":[]}', 'data=cd.{"a":[1,2],"b":0}', "data->a=ov.[1,5]"):
            assert [row["id"] for row in api.get(f"facts?select=id&order=id&{condition}")] == [1, 2, 3]


def test_a_key_that_is_not_utf_8_has_a_location(tmp_path: Path) -> None:
    schema = "CREATE TABLE keys (name TEXT, number, PRIMARY KEY (name, number)); INSERT INTO keys VALUES (x'ff', 1), "
    with served(tmp_path / "library.db", f"{schema} (CAST(x'4dfc' AS TEXT), 2), ('ü', x'00ff')") as api:

        def location(condition: str) -> str:
            only = {"prefer": "return=headers-only"}
            return api("PATCH", f"keys?{condition}", {"number": 7}, **only).headers["location"]

        assert location("number=eq.1") == r"/api/rest/v1/keys?name=eq.%5Cxff&number=eq.7"
        assert location("number=eq.2") == "/api/rest/v1/keys?name=eq.M%EF%BF%BD&number=eq.7"
        assert location("name=eq.ü") == "/api/rest/v1/keys?name=eq.%C3%BC&number=eq.7"


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
