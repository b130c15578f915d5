"""New, changed and removed rows: bodies, preferences, representations, upserts, refusals."""

# ruff: noqa: E501 - the rows of a table read better whole

from pathlib import Path
from typing import Any

import pytest

from .conftest import Api, served

SCHEMA = """
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, active BOOLEAN DEFAULT 1, about JSON, photo BLOB);
CREATE TABLE films (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL CONSTRAINT unique_title UNIQUE,
    year INTEGER DEFAULT 1900 CONSTRAINT plausible_year CHECK (year > 1800.5),
    director INTEGER CONSTRAINT films_director REFERENCES people (id),
    shout TEXT AS (upper(title))
);
INSERT INTO people (id, name) VALUES (1, 'Lang'), (2, 'Tati'), (3, 'Helm');
INSERT INTO films VALUES (1, 'Metropolis', 1927, 1), (2, 'M', 1931, 1), (3, 'Playtime', 1967, 2);
CREATE TABLE pairs (a INTEGER, b TEXT, v TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
INSERT INTO pairs VALUES (1, 'x', 'one'), (1, 'y', 'two'), (2, 'x', 'three');
CREATE TABLE heap (x INTEGER, rowid TEXT);
INSERT INTO heap VALUES (1, 'a'), (2, 'a'), (3, 'a');
CREATE TABLE blobs (key BLOB PRIMARY KEY, v TEXT);
CREATE TABLE strict (id INTEGER PRIMARY KEY, n INTEGER, t TEXT, b BLOB, a ANY) STRICT;
CREATE TABLE t1 (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE t2 (id INTEGER PRIMARY KEY, t1 INTEGER REFERENCES t1 (id), name TEXT);
INSERT INTO t1 VALUES (1, 'one'), (2, 'two');
INSERT INTO t2 VALUES (1, 1, 'child of one'), (2, 2, 'child of two');
CREATE VIEW old_films AS SELECT id, title, year FROM films WHERE year < 1950;
CREATE TRIGGER old_insert INSTEAD OF INSERT ON old_films BEGIN
    INSERT INTO films (id, title, year) VALUES (new.id, new.title, new.year);
END;
CREATE TRIGGER old_update INSTEAD OF UPDATE ON old_films BEGIN
    UPDATE films SET title = new.title, year = new.year WHERE id = old.id;
END;
CREATE TRIGGER old_delete INSTEAD OF DELETE ON old_films BEGIN DELETE FROM films WHERE id = old.id; END;
CREATE VIEW titles AS SELECT title FROM films;
CREATE VIRTUAL TABLE notes USING fts5 (title, body);
INSERT INTO notes VALUES ('cats', 'the cat'), ('dogs', 'the dog');
CREATE TABLE forbidding (x INTEGER);
CREATE TRIGGER forbid BEFORE INSERT ON forbidding BEGIN SELECT RAISE(ABORT, 'nothing may enter'); END;
CREATE TABLE later (
    id INTEGER PRIMARY KEY,
    person INTEGER CONSTRAINT later_person REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE lowered (name TEXT);
CREATE UNIQUE INDEX lowered_name ON lowered (lower(name));
INSERT INTO lowered VALUES ('Ann');
"""

ALL = "return=representation"


def reply(answer: Any) -> tuple[int, Any]:
    return answer.status, answer.body


# ---- POST ------------------------------------------------------------------------------------------------------


def test_a_row_is_added(fresh_api: Api) -> None:
    answer = fresh_api("POST", "films", {"id": 9, "title": "Stalker", "year": 1979})
    assert (reply(answer), answer.headers["content-range"]) == ((201, None), "*/*")
    assert fresh_api.get("films?id=eq.9") == [
        {"id": 9, "title": "Stalker", "year": 1979, "director": None, "shout": "STALKER"}
    ]


def test_the_representation_has_the_selected_columns_and_embeds(fresh_api: Api) -> None:
    answer = fresh_api(
        "POST", "films?select=id,title,shout,director(name)", {"title": "Stalker", "director": 3}, prefer=ALL
    )
    assert reply(answer) == (201, [{"id": 4, "title": "Stalker", "shout": "STALKER", "director": {"name": "Helm"}}])
    assert answer.headers["preference-applied"] == "return=representation"


def test_a_singular_representation_is_one_object(fresh_api: Api) -> None:
    singular = {"prefer": ALL, "accept": "application/vnd.pgrst.object+json"}
    assert reply(fresh_api("POST", "films?select=id", {"title": "A"}, **singular)) == (201, {"id": 4})
    assert reply(fresh_api("PATCH", "films?select=year&id=eq.1", {"year": 1999}, **singular)) == (200, {"year": 1999})
    assert reply(fresh_api("DELETE", "films?select=title&id=eq.4", **singular)) == (200, {"title": "A"})


@pytest.mark.parametrize(
    ("method", "target", "body", "found"),
    [
        ("POST", "films", [{"title": "A"}, {"title": "B"}], 2),
        ("POST", "films", [], 0),
        ("PATCH", "films?id=lt.3", {"year": 2000}, 2),
        ("PATCH", "films?id=eq.9", {"year": 2000}, 0),
        ("PATCH", "films?id=eq.1", {}, 0),
        ("DELETE", "films", None, 3),
    ],
)
def test_a_singular_write_of_another_number_of_rows_does_nothing(
    fresh_api: Api, method: str, target: str, body: Any, found: Any
) -> None:
    answer = fresh_api(method, target, body, prefer=ALL, accept="application/vnd.pgrst.object+json")
    assert (answer.status, answer.body["code"], answer.body["details"]) == (
        406, "PGRST116", f"The result contains {found} rows",
    )  # fmt: skip
    assert fresh_api.rows("SELECT id, title, year FROM films") == [
        (1, "Metropolis", 1927), (2, "M", 1931), (3, "Playtime", 1967),
    ]  # fmt: skip


def test_headers_only_tells_where_the_row_is(fresh_api: Api) -> None:
    answer = fresh_api("POST", "films", {"title": "Stalker"}, prefer="return=headers-only")
    assert (reply(answer), answer.headers["location"]) == ((201, None), "/api/rest/v1/films?id=eq.4")
    answer = fresh_api("POST", "pairs", {"a": 5, "b": "x y&z", "v": "v"}, prefer="return=headers-only")
    assert answer.headers["location"] == "/api/rest/v1/pairs?a=eq.5&b=eq.x%20y%26z"
    answer = fresh_api("POST", "blobs", {"key": "\\x00ff"}, prefer="return=headers-only")
    assert answer.headers["location"] == "/api/rest/v1/blobs?key=eq.%5Cx00ff"
    assert fresh_api.get("blobs?key=eq.%5Cx00ff") == [{"key": "\\x00ff", "v": None}]


def test_many_rows_are_added_or_none(fresh_api: Api) -> None:
    answer = fresh_api("POST", "films?select=id", [{"title": "A"}, {"title": "B"}], prefer=f"{ALL},count=exact")
    assert (reply(answer), answer.headers["content-range"]) == ((201, [{"id": 4}, {"id": 5}]), "*/2")
    answer = fresh_api("POST", "films", [{"title": "C"}, {"title": "M"}])
    assert (answer.status, answer.body["code"]) == (409, "23505")
    assert fresh_api.rows("SELECT count(*) FROM films") == [(5,)]


def test_an_empty_list_adds_nothing_and_an_empty_object_a_row_of_defaults(fresh_api: Api) -> None:
    assert reply(fresh_api("POST", "people", [], prefer=ALL)) == (201, [])
    assert reply(fresh_api("POST", "heap", {}, prefer=ALL)) == (201, [{"x": None, "rowid": None}])
    assert reply(fresh_api("POST", "heap?select=x", [{}, {}], prefer=ALL)) == (201, [{"x": None}, {"x": None}])


def test_values_of_json_become_what_their_columns_hold(fresh_api: Api) -> None:
    body = {"name": "A", "active": False, "about": {"a": [1, None, "ä"]}, "photo": "\\x00ff"}
    answer = fresh_api("POST", "people?select=active,about,photo", body, prefer=ALL)
    assert reply(answer) == (201, [{"active": False, "about": {"a": [1, None, "ä"]}, "photo": "\\x00ff"}])
    assert fresh_api.rows("SELECT active, about, photo FROM people WHERE id = 4") == [
        (0, '{"a":[1,null,"ä"]}', b"\x00\xff")
    ]
    fresh_api("POST", "people", {"name": "B", "about": "text"})
    fresh_api("POST", "people", {"name": "C", "about": None})
    assert fresh_api.rows("SELECT about FROM people WHERE id > 4") == [('"text"',), (None,)]


def test_big_integers_are_exact_and_bigger_ones_refused(fresh_api: Api) -> None:
    answer = fresh_api("POST", "heap?select=x", content='{"x": 9223372036854775807}', prefer=ALL)
    assert reply(answer) == (201, [{"x": 9223372036854775807}])
    answer = fresh_api("POST", "heap", content='{"x": 9223372036854775808}')
    assert reply(answer) == (
        400,
        {
            "code": "22003",
            "message": 'value "9223372036854775808" is out of range for type bigint',
            "details": None,
            "hint": None,
        },
    )


def test_csv_and_forms_are_added(fresh_api: Api) -> None:
    text = 'name,active,about,photo\nA,true,"{""a"":1}",\\x00\n"B ""b"", c",f,NULL,NULL\n'
    answer = fresh_api(
        "POST", "people?select=name,active,about,photo", content=text, content_type="text/csv", prefer=ALL
    )
    assert reply(answer) == (
        201,
        [
            {"name": "A", "active": True, "about": {"a": 1}, "photo": "\\x00"},
            {"name": 'B "b", c', "active": False, "about": None, "photo": None},
        ],
    )
    form = "application/x-www-form-urlencoded"
    answer = fresh_api(
        "POST", "people?select=id,name", content="name=%C3%84+b&active=true", content_type=form, prefer=ALL
    )
    assert reply(answer) == (201, [{"id": 6, "name": "Ä b"}])


def test_the_representation_can_be_csv(fresh_api: Api) -> None:
    answer = fresh_api(
        "POST", "films?select=id,...director(name)", {"title": "A", "director": 1}, prefer=ALL, accept="text/csv"
    )
    assert reply(answer) == (201, "id,name\n4,Lang")


def test_columns_says_which_members_count(fresh_api: Api) -> None:
    rows = [{"id": 7, "title": "A", "colour": "red"}, {"id": 8, "title": "B", "year": 2000}]
    answer = fresh_api("POST", "films?columns=id,title&select=id,year", rows, prefer=ALL)
    assert reply(answer) == (201, [{"id": 7, "year": 1900}, {"id": 8, "year": 1900}])


def test_a_missing_member_is_null_or_the_default(fresh_api: Api) -> None:
    rows = [{"title": "A", "year": 2000}, {"title": "B"}, {"title": "C", "year": 2001}]
    assert reply(
        fresh_api("POST", "films?columns=title,year&select=title,year", rows, prefer=f"{ALL},missing=default")
    ) == (
        201,
        [{"title": "A", "year": 2000}, {"title": "B", "year": 1900}, {"title": "C", "year": 2001}],
    )
    fresh_api("DELETE", "films?title=in.(A,B,C)")
    assert reply(fresh_api("POST", "films?columns=title,year&select=title,year", rows, prefer=ALL)) == (
        201,
        [{"title": "A", "year": 2000}, {"title": "B", "year": None}, {"title": "C", "year": 2001}],
    )


def test_a_missing_member_of_an_update_is_null_or_the_default(fresh_api: Api) -> None:
    changed = "films?id=eq.1&columns=title,year,director&select=title,year,director"
    answer = fresh_api("PATCH", changed, {"title": "A"}, prefer=f"{ALL},missing=default")
    assert reply(answer) == (200, [{"title": "A", "year": 1900, "director": None}])
    assert answer.headers["preference-applied"] == "missing=default, return=representation"
    answer = fresh_api("PATCH", changed, {"title": "A", "director": 1}, prefer=ALL)
    assert reply(answer) == (200, [{"title": "A", "year": None, "director": 1}])


def test_no_row_is_shown_as_the_failing_one_that_may_be_another(fresh_api: Api) -> None:
    rows = [{"title": "A", "year": 2000}, {"title": "B", "year": None}, {"year": 2001}]
    answer = fresh_api("POST", "films?columns=title,year", rows, prefer="missing=default")
    assert (answer.status, answer.body["code"], answer.body["details"]) == (400, "23502", None)


def test_an_update_of_an_empty_body_sets_the_columns_that_are_named(fresh_api: Api) -> None:
    changed = "films?id=eq.1&columns=year&select=year"
    fresh_api("PATCH", changed, {"year": 1927})
    assert reply(fresh_api("PATCH", changed, {}, prefer=f"{ALL},missing=default")) == (200, [{"year": 1900}])
    assert reply(fresh_api("PATCH", changed, {}, prefer=ALL)) == (200, [{"year": None}])
    assert reply(fresh_api("PATCH", changed, [], prefer=f"{ALL},missing=default")) == (200, [])


def test_a_default_is_what_it_is_in_a_new_row(tmp_path: Path) -> None:
    schema = """
    CREATE TABLE t (
        id INTEGER PRIMARY KEY, red TEXT DEFAULT blue, blue TEXT DEFAULT "red", quoted TEXT DEFAULT 'it''s', sum DEFAULT (1 + 2),
        negative DEFAULT -1.5, blob DEFAULT x'00ff', now DATE DEFAULT CURRENT_DATE, yes BOOLEAN DEFAULT true, none
    );
    INSERT INTO t (id) VALUES (1);
    INSERT INTO t VALUES (2, '', '', '', 0, 0, 0, 0, 0, 0);
    """
    with served(tmp_path / "library.db", schema) as api:
        columns = "red,blue,quoted,sum,negative,blob,now,yes,none"
        answer = api(
            "PATCH", f"t?id=eq.2&columns=id,{columns}&select={columns}", {"id": 2}, prefer=f"{ALL},missing=default"
        )
        assert answer.body == api.get(f"t?id=eq.1&select={columns}")


# ---- upserts and PUT -------------------------------------------------------------------------------------------


def test_merging_duplicates_changes_rows_that_exist(fresh_api: Api) -> None:
    answer = fresh_api(
        "POST", "films?select=id,title,year", [{"id": 1, "title": "New"}, {"id": 9, "title": "Nine"}],
        prefer=f"{ALL},resolution=merge-duplicates",
    )  # fmt: skip
    assert reply(answer) == (201, [{"id": 1, "title": "New", "year": 1927}, {"id": 9, "title": "Nine", "year": 1900}])
    assert answer.headers["preference-applied"] == "resolution=merge-duplicates, return=representation"


def test_an_upsert_of_only_existing_rows_answers_200(fresh_api: Api) -> None:
    answer = fresh_api(
        "POST", "films?select=id", {"id": 1, "title": "New"}, prefer=f"{ALL},resolution=merge-duplicates"
    )
    assert reply(answer) == (200, [{"id": 1}])


def test_ignoring_duplicates_leaves_rows_that_exist(fresh_api: Api) -> None:
    answer = fresh_api(
        "POST", "films?select=id,title", [{"id": 1, "title": "New"}, {"id": 9, "title": "Nine"}],
        prefer=f"{ALL},resolution=ignore-duplicates",
    )  # fmt: skip
    assert reply(answer) == (201, [{"id": 9, "title": "Nine"}])
    assert fresh_api.get("films?select=title&id=eq.1") == [{"title": "Metropolis"}]


def test_duplicates_are_found_by_any_unique_key(fresh_api: Api) -> None:
    answer = fresh_api(
        "POST", "films?on_conflict=title&select=id,year", {"title": "M", "year": 2000},
        prefer=f"{ALL},resolution=merge-duplicates",
    )  # fmt: skip
    assert answer.body == [{"id": 2, "year": 2000}]
    answer = fresh_api(
        "POST", "pairs?select=v", {"a": 1, "b": "x", "v": "new"}, prefer=f"{ALL},resolution=merge-duplicates"
    )
    assert answer.body == [{"v": "new"}]
    answer = fresh_api("POST", "pairs?select=v", {"a": 1, "b": "y"}, prefer=f"{ALL},resolution=merge-duplicates")
    assert answer.body == [{"v": "two"}]


def test_without_a_key_an_upsert_is_an_insert(fresh_api: Api) -> None:
    answer = fresh_api("POST", "heap?select=x", {"x": 1}, prefer=f"{ALL},resolution=merge-duplicates")
    assert reply(answer) == (201, [{"x": 1}])


def test_put_adds_or_replaces_one_row(fresh_api: Api) -> None:
    body = {"a": 7, "b": "z", "v": "new"}
    assert reply(fresh_api("PUT", "pairs?a=eq.7&b=eq.z", body, prefer=ALL)) == (201, [body])
    body["v"] = "newer"
    assert reply(fresh_api("PUT", "pairs?a=eq.7&b=eq.z", body, prefer=ALL)) == (200, [body])
    assert reply(fresh_api("PUT", "pairs?a=eq.1&b=eq.x", {"a": 1, "b": "x", "v": "!"}))[1] is None
    assert fresh_api.rows("SELECT * FROM pairs WHERE v IN ('newer', '!')") == [(1, "x", "!"), (7, "z", "newer")]


def test_put_takes_of_several_rows_the_one_that_the_url_names(fresh_api: Api) -> None:
    rows = [{"a": 2, "b": "x", "v": "other"}, {"a": 1, "b": "x", "v": "new"}]
    answer = fresh_api("PUT", "pairs?a=eq.1&b=eq.x&columns=v", rows, prefer=ALL, accept="application/vnd.pgrst.object")
    assert reply(answer) == (200, rows[1])
    assert fresh_api.rows("SELECT * FROM pairs") == [(1, "x", "new"), (1, "y", "two"), (2, "x", "three")]


@pytest.mark.parametrize(
    ("target", "body", "status", "code"),
    [
        ("pairs?a=eq.1", {"a": 1, "b": "x"}, 405, "PGRST105"),
        ("pairs?a=eq.1&b=gt.x", {"a": 1, "b": "x"}, 405, "PGRST105"),
        ("pairs?a=eq.1&b=eq.x&v=eq.x", {"a": 1, "b": "x"}, 405, "PGRST105"),
        ("heap?x=eq.1", {"x": 1}, 405, "PGRST105"),
        ("pairs?a=eq.1&b=eq.x&limit=1", {"a": 1, "b": "x"}, 400, "PGRST114"),
        ("pairs?a=eq.1&b=eq.x", {"a": 2, "b": "x"}, 400, "PGRST115"),
        ("pairs?a=eq.1&b=eq.x", {"a": 1}, 400, "PGRST115"),
        ("pairs?a=eq.1&b=eq.x", {}, 400, "PGRST115"),
        ("pairs?a=eq.1&b=eq.x", [], 400, "PGRST115"),
        ("pairs?a=eq.1&b=eq.x", [{"a": 1, "b": "x"}, {"a": 1, "b": "x"}], 400, "PGRST115"),
    ],
)
def test_a_put_that_does_not_name_its_row_is_refused(
    fresh_api: Api, target: str, body: Any, status: int, code: str
) -> None:
    answer = fresh_api("PUT", target, body)
    assert (answer.status, answer.body["code"]) == (status, code)
    assert fresh_api.rows("SELECT * FROM pairs") == [(1, "x", "one"), (1, "y", "two"), (2, "x", "three")]


# ---- PATCH and DELETE ------------------------------------------------------------------------------------------


def test_rows_in_the_filter_are_changed(fresh_api: Api) -> None:
    answer = fresh_api("PATCH", "films?director=eq.1", {"year": 2000}, prefer="count=exact")
    assert (reply(answer), answer.headers["content-range"]) == ((204, None), "0-1/2")
    assert fresh_api.rows("SELECT id, year FROM films") == [(1, 2000), (2, 2000), (3, 1967)]


def test_rows_in_the_filter_are_removed(fresh_api: Api) -> None:
    answer = fresh_api("DELETE", "films?director=eq.1&select=title", prefer=f"{ALL},count=exact")
    assert (reply(answer), answer.headers["content-range"]) == ((200, [{"title": "Metropolis"}, {"title": "M"}]), "*/2")
    assert fresh_api.rows("SELECT id FROM films") == [(3,)]


def test_changing_nothing_is_no_error(fresh_api: Api) -> None:
    assert reply(fresh_api("PATCH", "films?id=eq.99", {"year": 2000}, prefer=ALL)) == (200, [])
    assert reply(fresh_api("PATCH", "films?id=eq.1", {}, prefer=ALL)) == (200, [])
    assert reply(fresh_api("PATCH", "films?id=eq.1", {})) == (204, None)
    assert reply(fresh_api("DELETE", "films?id=eq.99")) == (204, None)


@pytest.mark.parametrize(
    ("table", "filter_", "changed", "expected"),
    [
        ("films", "order=year.desc&limit=1", {"title": "!"}, [("Metropolis",), ("M",), ("!",)]),
        ("films", "order=id&limit=1&offset=1", {"title": "!"}, [("Metropolis",), ("!",), ("Playtime",)]),
        ("films", "id=gt.1&order=id&limit=1", {"title": "!"}, [("Metropolis",), ("!",), ("Playtime",)]),
        ("pairs", "order=v&limit=2", {"v": "!"}, [("!",), ("two",), ("!",)]),
        ("heap", "order=x&limit=1", {"rowid": "!"}, [("!",), ("a",), ("a",)]),
    ],
)
def test_a_limited_change_takes_the_first_rows_in_order(
    fresh_api: Api, table: Any, filter_: Any, changed: Any, expected: Any
) -> None:
    assert fresh_api("PATCH", f"{table}?{filter_}", changed).status == 204
    key = "a, b" if table == "pairs" else "x" if table == "heap" else "id"
    assert fresh_api.rows(f"SELECT {next(iter(changed))} FROM {table} ORDER BY {key}") == expected


def test_a_limited_removal_takes_the_first_rows_in_order_even_beside_a_column_called_rowid(fresh_api: Api) -> None:
    answer = fresh_api("DELETE", "heap?order=x.desc&limit=2&select=x", prefer=ALL)
    assert sorted(row["x"] for row in answer.body) == [2, 3]
    assert fresh_api.rows("SELECT x FROM heap") == [(1,)]


def test_a_limit_without_an_order_is_refused(fresh_api: Api) -> None:
    answer = fresh_api("DELETE", "films?limit=1")
    assert (answer.status, answer.body["code"], answer.body["message"]) == (
        400, "PGRST109", "A 'limit' was applied without an explicit 'order'",
    )  # fmt: skip


def test_the_embeds_of_a_representation_may_be_of_tables_called_as_aliases_are(fresh_api: Api) -> None:
    answer = fresh_api("PATCH", "t1?select=name,t2(name)&id=eq.1", {"name": "uno"}, prefer=ALL)
    assert answer.body == [{"name": "uno", "t2": [{"name": "child of one"}]}]
    answer = fresh_api("PATCH", "t2?select=name,t1(name)&id=eq.2", {"name": "x"}, prefer=ALL)
    assert answer.body == [{"name": "x", "t1": {"name": "two"}}]


def test_an_inner_embed_shows_those_changed_rows_that_have_one(fresh_api: Api) -> None:
    query = "people?select=name,films!inner(title)&films.year=gt.1930&order=name.desc"
    answer = fresh_api("PATCH", query, {"active": False}, prefer=ALL)
    assert answer.body == [
        {"name": "Tati", "films": [{"title": "Playtime"}]},
        {"name": "Lang", "films": [{"title": "M"}]},
    ]
    assert fresh_api.rows("SELECT DISTINCT active FROM people") == [(0,)]


def test_conditions_inside_the_embeds_of_a_representation_hold(fresh_api: Api) -> None:
    answer = fresh_api("PATCH", "people?select=name,films(title)&films.year=gt.1930&id=eq.1", {"name": "F"}, prefer=ALL)
    assert answer.body == [{"name": "F", "films": [{"title": "M"}]}]


def test_a_delete_shows_what_it_takes_along(tmp_path: Path) -> None:
    schema = """
    CREATE TABLE lists (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE items (id INTEGER PRIMARY KEY, list INTEGER REFERENCES lists (id) ON DELETE CASCADE);
    INSERT INTO lists VALUES (1, 'a'), (2, 'b'), (3, 'c');
    INSERT INTO items VALUES (1, 1), (2, 1), (3, 2);
    """
    with served(tmp_path / "library.db", schema) as api:
        one = {"accept": "application/vnd.pgrst.object+json"}
        answer = api("DELETE", "lists?id=lt.3&select=name,items(id)&order=name.desc", prefer=ALL, **one)
        assert (answer.status, answer.body["details"]) == (406, "The result contains 2 rows")
        answer = api("DELETE", "lists?id=lt.3&select=name,items(id)&order=name.desc", prefer=f"{ALL},tx=rollback")
        assert answer.body == [{"name": "b", "items": [{"id": 3}]}, {"name": "a", "items": [{"id": 1}, {"id": 2}]}]
        answer = api("DELETE", "lists?select=name,items(id)&order=id&limit=1", prefer=f"{ALL},count=exact", **one)
        assert (answer.body, answer.headers["content-range"]) == ({"name": "a", "items": [{"id": 1}, {"id": 2}]}, "*/1")
        assert api.rows("SELECT id FROM lists") == [(2,), (3,)]
        assert api.rows("SELECT id FROM items") == [(3,)]


def test_a_single_object_is_the_one_row_that_an_inner_embed_leaves(fresh_api: Api) -> None:
    query = "films?select=title,people!director!inner(name)&people.name=eq.Tati"
    one = {"prefer": f"{ALL},count=exact", "accept": "application/vnd.pgrst.object+json"}
    answer = fresh_api("PATCH", query, {"year": 2000}, **one)
    assert (answer.status, answer.body) == (200, {"title": "Playtime", "people": {"name": "Tati"}})
    assert answer.headers["content-range"] == "0-0/1"
    refused = fresh_api("PATCH", query + "&id=neq.3", {"year": 1999}, **one)
    assert (refused.status, refused.body["details"]) == (406, "The result contains 0 rows")
    assert fresh_api.rows("SELECT DISTINCT year FROM films") == [(2000,)]


def test_a_representation_cannot_be_aggregated(fresh_api: Api) -> None:
    answer = fresh_api("PATCH", "films?select=count()", {"year": 2000}, prefer=ALL)
    assert (answer.status, answer.body["code"]) == (400, "PGRST127")


# ---- preferences -----------------------------------------------------------------------------------------------


def test_a_rolled_back_write_answers_as_if_it_had_happened(fresh_api: Api) -> None:
    answer = fresh_api("DELETE", "films?id=eq.1&select=id", prefer=f"{ALL},tx=rollback")
    assert reply(answer) == (200, [{"id": 1}])
    assert answer.headers["preference-applied"] == "return=representation, tx=rollback"
    assert fresh_api.rows("SELECT count(*) FROM films") == [(3,)]


def test_more_rows_than_max_affected_are_not_touched(fresh_api: Api) -> None:
    answer = fresh_api("DELETE", "films", prefer="handling=strict,max-affected=2")
    assert (answer.status, answer.body["code"], answer.body["details"]) == (400, "PGRST124", "The query affects 3 rows")
    assert fresh_api.rows("SELECT count(*) FROM films") == [(3,)]
    assert fresh_api("DELETE", "films?id=gt.1", prefer="handling=strict,max-affected=2").status == 204
    assert fresh_api("PATCH", "people", {"name": "x"}, prefer="handling=lenient,max-affected=1").status == 204


# ---- views and virtual tables ----------------------------------------------------------------------------------


def test_views_are_written_through_their_triggers(fresh_api: Api) -> None:
    assert fresh_api("POST", "old_films", {"id": 8, "title": "Faust", "year": 1926}).status == 201
    assert (
        fresh_api("PATCH", "old_films?id=eq.8", {"title": "Faust!"}, prefer="count=exact").headers["content-range"]
        == "0-0/1"
    )
    assert fresh_api("PATCH", "old_films?id=eq.3", {"title": "not in the view"}).status == 204
    assert fresh_api("DELETE", "old_films?id=eq.1").status == 204
    assert fresh_api.rows("SELECT id, title FROM films ORDER BY id") == [(2, "M"), (3, "Playtime"), (8, "Faust!")]


@pytest.mark.parametrize(("method", "verb"), [("POST", "insert into"), ("PATCH", "update"), ("DELETE", "delete from")])
def test_a_view_without_triggers_is_not_written(fresh_api: Api, method: str, verb: Any) -> None:
    answer = fresh_api(method, "titles", {"title": "x"})
    assert (answer.status, answer.body["code"], answer.body["message"]) == (
        405,
        "55000",
        f'cannot {verb} view "titles"',
    )


def test_a_full_text_table_is_written(fresh_api: Api) -> None:
    assert reply(fresh_api("POST", "notes", {"title": "birds", "body": "the bird"}, prefer=ALL))[0] == 201
    assert fresh_api("PATCH", "notes?body=fts.dog", {"title": "hounds"}).status == 204
    assert fresh_api("DELETE", "notes?notes=fts.cat").status == 204
    assert fresh_api.rows("SELECT title FROM notes") == [("hounds",), ("birds",)]


@pytest.mark.parametrize("prefer", [ALL, "count=exact", "handling=strict,max-affected=1"])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_full_text_table_does_not_tell_what_was_changed(fresh_api: Api, method: str, prefer: str) -> None:
    answer = fresh_api(method, "notes?body=fts.dog", {"title": "hounds"}, prefer=prefer)
    assert (answer.status, answer.body["code"], answer.body["details"]) == (
        400, "PGRST127", "'notes' is a virtual table, which does not tell what rows it changed",
    )  # fmt: skip
    assert fresh_api.rows("SELECT title FROM notes") == [("cats",), ("dogs",)]


# ---- refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "code", "message", "details"),
    [
        ("POST", "films", {"title": "M"}, 409, "23505", 'duplicate key value violates unique constraint "unique_title"', "Key (title)=(M) already exists."),
        ("POST", "films", {"id": 1, "title": "x"}, 409, "23505", 'duplicate key value violates unique constraint "films_pkey"', "Key (id)=(1) already exists."),
        ("POST", "pairs", {"a": 1, "b": "x"}, 409, "23505", 'duplicate key value violates unique constraint "pairs_pkey"', "Key (a, b)=(1, x) already exists."),
        ("PATCH", "films?id=eq.1", {"title": "M"}, 409, "23505", 'duplicate key value violates unique constraint "unique_title"', "Key (title)=(M) already exists."),
        ("POST", "lowered", {"name": "ANN"}, 409, "23505", 'duplicate key value violates unique constraint "lowered_name"', None),
        ("POST", "films", {"title": None}, 400, "23502", 'null value in column "title" of relation "films" violates not-null constraint', "Failing row contains (title) = (null)."),
        ("POST", "films", [{"title": "x", "year": 2000}, {"title": None, "year": 2001}], 400, "23502", 'null value in column "title" of relation "films" violates not-null constraint', "Failing row contains (title, year) = (null, 2001)."),
        ("POST", "films", {"year": 2000}, 400, "23502", 'null value in column "title" of relation "films" violates not-null constraint', "Failing row contains (year) = (2000)."),
        ("PATCH", "films?id=eq.1", {"title": None}, 400, "23502", 'null value in column "title" of relation "films" violates not-null constraint', "Failing row contains (title) = (null)."),
        ("POST", "films", {"title": "x", "year": 1000}, 400, "23514", 'new row for relation "films" violates check constraint "plausible_year"', "Failing row contains (title, year) = (x, 1000)."),
        ("POST", "films", {"title": "x" * 70, "year": 1000}, 400, "23514", 'new row for relation "films" violates check constraint "plausible_year"', f"Failing row contains (title, year) = ({'x' * 64}..., 1000)."),
        ("POST", "films", {"title": "x", "director": 99}, 409, "23503", 'insert or update on table "films" violates foreign key constraint "films_director"', 'Key (director)=(99) is not present in table "people".'),
        ("PATCH", "films?id=eq.1", {"director": 99}, 409, "23503", 'insert or update on table "films" violates foreign key constraint "films_director"', 'Key (director)=(99) is not present in table "people".'),
        ("POST", "later", {"person": 99}, 409, "23503", 'insert or update on table "later" violates foreign key constraint "later_person"', 'Key (person)=(99) is not present in table "people".'),
        ("DELETE", "t1?id=eq.1", None, 409, "23503", 'update or delete on table "t1" violates foreign key constraint "t2_t1_fkey" on table "t2"', 'Key (id) is still referenced from table "t2".'),
        ("DELETE", "people?id=eq.1", None, 409, "23503", 'the write to table "people" violates a foreign key constraint', 'One of "films_director", "later_person"'),
        ("POST", "strict", {"n": "x"}, 400, "22P02", "cannot store TEXT value in INTEGER column strict.n", None),
        ("POST", "forbidding", {"x": 1}, 400, "P0001", "nothing may enter", None),
        ("POST", "people", {"id": "x", "name": "x"}, 400, "22P02", "a value has not the type of its column", None),
        ("POST", "films", {"colour": "red"}, 400, "PGRST204", "Could not find the 'colour' column of 'films' in the schema cache", None),
        ("POST", "films?columns=titel", {"titel": "red"}, 400, "PGRST204", "Could not find the 'titel' column of 'films' in the schema cache", None),
        ("POST", "films", {"shout": "X"}, 400, "428C9", 'cannot write a value into column "shout"', 'Column "shout" is a generated column.'),
        ("PATCH", "films", [{"year": 1}, {"year": 2}], 400, "PGRST102", "A PATCH takes one row, not 2", None),
        ("POST", "films?on_conflict=year", {"title": "x"}, 400, "42P10", "there is no unique or exclusion constraint matching the ON CONFLICT specification", "films(year) is neither its primary key nor unique"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused(
    fresh_api: Api, method: str, target: str, body: Any, status: int, code: str, message: str, details: Any
) -> None:
    before = fresh_api.rows("SELECT * FROM films")
    answer = fresh_api(
        method, target, body, prefer="resolution=merge-duplicates" if "conflict" in target else "tx=commit"
    )
    assert (answer.status, answer.body["code"], answer.body["message"], answer.body["details"]) == (
        status, code, message, details,
    )  # fmt: skip
    assert fresh_api.rows("SELECT * FROM films") == before


@pytest.mark.parametrize(
    ("content", "content_type", "status", "message"),
    [
        ("", "application/json", 400, "Empty or invalid json"),
        ("{", "application/json", 400, "Empty or invalid json"),
        (b'{"title": "\xff"}', "application/json", 400, "Empty or invalid json"),
        ('{"title": "\\ud800"}', "application/json", 400, "Empty or invalid json"),
        ('{"year": 1e999}', "application/json", 400, "Empty or invalid json"),
        ("[" * 100_000, "application/json", 400, "Empty or invalid json"),
        ("3", "application/json", 400, "A row must be an object, not a number"),
        ("[3]", "application/json", 400, "All object keys must match"),
        ('[{"title": "a"}, {"year": 1}]', "application/json", 400, "All object keys must match"),
        ("", "text/csv", 400, "The CSV has no header line"),
        ("a,a\n1,2", "text/csv", 400, "A column stands twice in the header"),
        ("title,year\n1", "text/csv", 400, "All lines must have same number of fields"),
        ('title\n"x', "text/csv", 400, "The CSV cannot be read"),
        ("title=%ff", "application/x-www-form-urlencoded", 400, "The form cannot be read"),
        ("<film/>", "application/xml", 400, "Content-Type not acceptable: application/xml"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    fresh_api: Api, content: Any, content_type: Any, status: int, message: str
) -> None:
    answer = fresh_api("POST", "films", content=content, content_type=content_type)
    assert (answer.status, answer.body["code"], answer.body["message"]) == (status, "PGRST102", message)


def test_a_body_over_the_limit_is_refused(fresh_api: Api) -> None:
    answer = fresh_api("POST", "films", content=b" " * (10 * 1024 * 1024 + 1), content_type="application/json")
    assert (answer.status, answer.body["code"]) == (413, "PGRST102")
