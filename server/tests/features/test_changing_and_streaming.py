"""What is beside rows and columns: a schema that changes, results too large to hold, the API's description, roles."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from wherry.auth.tokens import sign

from .conftest import KEYS, SECRET, Api, served

SCHEMA = """
CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT NOT NULL, owner TEXT, secret TEXT);
INSERT INTO films VALUES (1, 'Metropolis', 'ann', 'x'), (2, 'M', 'bob', 'y');
CREATE TABLE hidden (id INTEGER PRIMARY KEY, film INTEGER REFERENCES films (id));
CREATE TABLE numbers (n INTEGER PRIMARY KEY, text TEXT);
INSERT INTO numbers SELECT value, printf('number %d %.*c', value, 100, 'x') FROM (
    WITH RECURSIVE counted (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM counted LIMIT 30000)
    SELECT value FROM counted
);
"""
POLICIES = """
GRANT SELECT (id, title, owner) ON films TO anon, authenticated;
GRANT INSERT (id, title, owner), UPDATE (title, owner), DELETE ON films TO authenticated;
ALTER TABLE films ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON films FOR SELECT TO anon USING (owner = 'bob');
CREATE POLICY own ON films FOR ALL TO authenticated USING (owner = auth_uid()) WITH CHECK (owner = auth_uid());
"""


def change(api: Api, sql: str) -> None:
    """Change the file as another process would."""
    connection = apsw.Connection(str(api.path))
    connection.execute(sql)
    connection.close()


# ---- a schema that changes -------------------------------------------------------------------------------------


def test_a_new_table_and_a_new_column_are_there_at_once(fresh_api: Api) -> None:
    assert fresh_api.refused("people")[:2] == (404, "PGRST205")
    change(fresh_api, "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO people VALUES (1, 'Lang')")
    assert fresh_api.get("people") == [{"id": 1, "name": "Lang"}]
    assert fresh_api.get("films?select=id&id=eq.1") == [{"id": 1}]
    change(fresh_api, "ALTER TABLE films ADD COLUMN year INTEGER DEFAULT 1900")
    assert fresh_api.get("films?select=year&id=eq.1") == [{"year": 1900}]
    assert fresh_api("POST", "films", {"title": "A", "year": 2000}).status == 201


def test_a_new_table_is_described_at_once(fresh_api: Api) -> None:
    change(fresh_api, "CREATE TABLE people (id INTEGER PRIMARY KEY)")
    assert "/people" in fresh_api("GET", "").body["paths"]
    change(fresh_api, "CREATE TABLE places (id INTEGER PRIMARY KEY)")
    assert fresh_api("OPTIONS", "places").headers["allow"] == "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"


def test_what_is_gone_is_gone_even_where_its_plan_was_remembered(fresh_api: Api) -> None:
    assert len(fresh_api.get("films?select=id,secret")) == 2
    assert fresh_api("PATCH", "films?id=eq.1", {"secret": "z"}).status == 204
    change(fresh_api, "ALTER TABLE films DROP COLUMN secret")
    assert fresh_api.refused("films?select=id,secret")[:2] == (400, "42703")
    assert fresh_api("PATCH", "films?id=eq.1", {"secret": "z"}).body["code"] == "PGRST204"
    change(fresh_api, "DROP TABLE films")
    assert fresh_api.refused("films?select=id")[:2] == (404, "PGRST205")


# ---- results too large to hold ---------------------------------------------------------------------------------


def test_a_large_result_comes_whole(fresh_api: Api) -> None:
    answer = fresh_api("GET", "numbers?order=n", prefer="count=exact")
    assert (answer.status, answer.headers["content-range"]) == (200, "0-29999/30000")
    assert [row["n"] for row in answer.body] == list(range(1, 30_001))


def test_a_large_result_in_csv_comes_whole(fresh_api: Api) -> None:
    lines = fresh_api.get("numbers?order=n&select=n,text", accept="text/csv").split("\n")
    assert (len(lines), lines[0], lines[-1][:18]) == (30_001, "n,text", "30000,number 30000")


def test_a_large_result_is_no_single_object(fresh_api: Api) -> None:
    answer = fresh_api("GET", "numbers", accept="application/vnd.pgrst.object+json")
    assert (answer.status, answer.body["details"]) == (406, "The result contains 30000 rows")


def test_the_server_may_give_fewer_rows_than_asked(tmp_path: Path) -> None:
    with served(tmp_path / "library.db", SCHEMA, max_rows=10) as api:
        assert [row["n"] for row in api.get("numbers?order=n&limit=100&select=n")] == list(range(1, 11))
        answer = api("GET", "numbers?select=n&offset=5&order=n", prefer="count=exact")
        assert (answer.status, answer.headers["content-range"]) == (206, "5-14/30000")


# ---- the API's description -------------------------------------------------------------------------------------


def test_the_root_describes_what_the_caller_may_use(fresh_api: Api) -> None:
    answer = fresh_api("GET", "")
    assert answer.headers["content-type"] == "application/openapi+json; charset=utf-8"
    assert set(answer.body["paths"]) == {"/", "/films", "/hidden", "/numbers"}
    refused = fresh_api("POST", "", {})
    assert (refused.status, refused.body["code"]) == (405, "PGRST117")


def test_only_the_schema_public_is_written(fresh_api: Api) -> None:
    answer = fresh_api("POST", "films", {"title": "A"}, content_profile="private")
    assert (answer.status, answer.body["code"]) == (406, "PGRST106")
    assert fresh_api("POST", "films", {"title": "A"}, content_profile="public").status == 201


# ---- roles -----------------------------------------------------------------------------------------------------


@pytest.fixture
def policed(tmp_path: Path) -> Iterator[Api]:
    """Serve the file with policies."""
    (tmp_path / "library.sql").write_text(POLICIES)
    with served(tmp_path / "library.db", SCHEMA) as api:
        yield api


ANON = {"authorization": f"Bearer {KEYS['anon']}"}
ANN = {"authorization": "Bearer " + sign({"role": "authenticated", "sub": "ann", "exp": 9_999_999_999}, SECRET)}


def test_each_role_sees_its_rows_and_columns(policed: Api) -> None:
    assert policed.get("films", **ANON) == [{"id": 2, "title": "M", "owner": "bob"}]
    assert policed.get("films", **ANN) == [{"id": 1, "title": "Metropolis", "owner": "ann"}]
    assert policed.get("films?select=count()", **ANN) == [{"count": 1}]
    assert policed("GET", "films", prefer="count=exact", **ANN).headers["content-range"] == "0-0/1"


def test_a_hidden_column_does_not_exist_and_a_hidden_table_is_refused(policed: Api) -> None:
    assert policed.refused("films?select=secret", **ANN) == (400, "42703", "column films.secret does not exist")
    assert policed.refused("hidden", **ANON) == (401, "42501", "permission denied for table hidden")
    assert policed.refused("hidden", **ANN) == (403, "42501", "permission denied for table hidden")
    assert policed.refused("films?select=hidden(id)", **ANN)[:2] == (403, "42501")
    assert policed("OPTIONS", "films", **ANON).headers["allow"] == "OPTIONS,GET,HEAD"
    assert set(policed("GET", "", **ANON).body["paths"]) == {"/", "/films"}


def test_writes_stay_within_the_policies(policed: Api) -> None:
    assert policed("POST", "films", {"title": "A", "owner": "ann"}, **ANN).status == 201
    refused = policed("POST", "films", [{"title": "B", "owner": "ann"}, {"title": "C", "owner": "bob"}], **ANN)
    assert (refused.status, refused.body["code"], refused.body["message"]) == (
        403,
        "42501",
        'new row violates row-level security policy for table "films"',
    )
    assert policed("PATCH", "films?id=eq.1", {"owner": "bob"}, **ANN).status == 403
    assert policed("PATCH", "films", {"title": "Mine"}, prefer="return=representation", **ANN).body == [
        {"id": 1, "title": "Mine", "owner": "ann"},
        {"id": 3, "title": "Mine", "owner": "ann"},
    ]
    assert policed("DELETE", "films", **ANN).status == 204
    assert policed("POST", "films", {"title": "A"}, **ANON).status == 401
    assert policed.rows("SELECT id, title, owner FROM films") == [(2, "M", "bob")]


def test_a_forbidden_row_is_refused_before_its_key_is_compared(policed: Api) -> None:
    """Who may not write a row does not learn whether there is one with its key."""

    def refused(*rows: dict[str, Any]) -> tuple[int, str]:
        made = [{"id": 7, "title": "A", "owner": "ann", **row} for row in rows]
        answer = policed("POST", "films", made if len(made) > 1 else made[0], **ANN)
        return answer.status, answer.body["code"]

    for number in (1, 2, 3):
        assert refused({"id": number, "owner": "bob"}) == (403, "42501")
        assert refused({}, {"id": number, "owner": "bob"}) == (403, "42501")
    assert refused({"id": 2}) == (409, "23505")
    assert refused({}, {}) == (409, "23505")
    assert policed.rows("SELECT id, title FROM films") == [(1, "Metropolis"), (2, "M")]


def test_a_merge_with_a_row_of_somebody_else_is_refused(policed: Api) -> None:
    merge = {"prefer": "resolution=merge-duplicates", **ANN}
    assert policed("POST", "films?on_conflict=id", {"id": 2, "title": "Mine", "owner": "ann"}, **merge).status == 403
    assert policed.rows("SELECT title, owner FROM films WHERE id = 2") == [("M", "bob")]


def test_a_row_that_is_proposed_must_be_allowed_whatever_becomes_of_it(policed: Api) -> None:
    for resolution in ("merge-duplicates", "ignore-duplicates"):
        prefer = {"prefer": f"resolution={resolution}, return=representation"}
        for proposed in ({"id": 1, "title": "A"}, {"id": 1, "title": "A", "owner": "bob"}):
            answer = policed(
                "POST", "films", [{"id": 7, "title": "B", "owner": "ann"}, {"owner": None, **proposed}], **prefer, **ANN
            )
            assert (answer.status, answer.body["code"]) == (403, "42501")
    assert policed.rows("SELECT id, title FROM films") == [(1, "Metropolis"), (2, "M")]
    answer = policed("POST", "films", {"id": 1, "title": "A", "owner": "ann"}, **prefer, **ANN)
    assert (answer.status, answer.body) == (201, [])


@pytest.mark.parametrize("owner", [7, "ab-1"])
def test_a_proposed_row_is_compared_by_the_types_of_its_columns(tmp_path: Path, owner: int | str) -> None:
    """As a row that is there: a number equals the text of a claim, and what does not fit its column is as it is."""
    (tmp_path / "library.sql").write_text(
        """
        GRANT SELECT, INSERT, UPDATE ON notes TO authenticated;
        ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON notes TO authenticated USING (owner = auth_uid() AND team = auth_jwt('team'));
        """
    )
    schema = "CREATE TABLE notes (id INTEGER PRIMARY KEY, owner UUID, team TEXT, text)"
    with served(tmp_path / "library.db", f"{schema}; INSERT INTO notes VALUES (1, '{owner}', 5, 'a')") as api:

        def upserted(sub: str, claimed: int, **note: Any) -> list[int]:
            claims = {"role": "authenticated", "sub": sub, "team": claimed, "exp": 9_999_999_999}
            who = {"authorization": f"Bearer {sign(claims, SECRET)}"}
            return [
                api("POST", "notes", {"id": 1, **note}, prefer=f"resolution={word}-duplicates", **who).status
                for word in ("merge", "ignore")
            ]

        assert upserted(str(owner), 5, owner=owner, team="5") == [200, 201]
        assert upserted(str(owner), 5, owner=str(owner), team=5) == [200, 201]
        assert upserted(str(owner), 6, owner=owner, team="5") == [403, 403]
        assert upserted("8", 5, owner=owner, team="5") == [403, 403]


def test_the_restrictive_policy_that_is_violated_is_named(tmp_path: Path) -> None:
    (tmp_path / "library.sql").write_text(
        """
        GRANT SELECT, INSERT, UPDATE ON films TO authenticated;
        ALTER TABLE films ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON films TO authenticated USING (owner = auth_uid());
        CREATE POLICY "not late" ON films AS RESTRICTIVE TO authenticated USING (true) WITH CHECK (id < 100);
        CREATE POLICY brief ON films AS RESTRICTIVE TO authenticated USING (true) WITH CHECK (length(title) < 9);
        """
    )
    with served(tmp_path / "library.db", SCHEMA) as api:

        def refusal(method: str, target: str, *rows: dict[str, Any]) -> tuple[int, str]:
            answer = api(method, target, rows if len(rows) > 1 else rows[0], **ANN)
            return answer.status, answer.body["message"].partition("policy ")[2]

        own = {"id": 7, "title": "A", "owner": "ann"}
        long = {"title": "A long title"}
        assert refusal("POST", "films", {**own, "owner": "bob", **long}) == (403, 'for table "films"')
        assert refusal("POST", "films", {**own, **long, "id": 100}) == (403, '"brief" for table "films"')
        assert refusal("POST", "films", own, {**own, "id": 100}) == (403, '"not late" for table "films"')
        assert refusal("PATCH", "films?id=eq.1", long) == (403, '"brief" for table "films"')
        assert api("POST", "films", own, **ANN).status == 201


def test_an_upsert_asks_of_a_new_row_nothing_that_is_asked_of_a_changed_one(tmp_path: Path) -> None:
    (tmp_path / "library.sql").write_text(
        """
        GRANT SELECT, INSERT, UPDATE ON films TO authenticated;
        ALTER TABLE films ENABLE ROW LEVEL SECURITY;
        CREATE POLICY see ON films FOR SELECT TO authenticated USING (true);
        CREATE POLICY make ON films FOR INSERT TO authenticated WITH CHECK (owner = auth_uid());
        CREATE POLICY change ON films FOR UPDATE TO authenticated USING (id = 1) WITH CHECK (title <> 'Final');
        """
    )
    with served(tmp_path / "library.db", SCHEMA) as api:

        def upsert(*rows: dict[str, Any]) -> int:
            made = [{"owner": "ann", **row} for row in rows]
            return api("POST", "films", made, prefer="resolution=merge-duplicates", **ANN).status

        assert upsert({"id": 7, "title": "Final"}) == 201
        assert upsert({"id": 1, "title": "Draft"}, {"id": 8, "title": "Final"}) == 201
        assert upsert({"id": 8, "title": "Draft"}) == 403
        assert upsert({"id": 9, "title": "Draft"}, {"id": 1, "title": "Final"}) == 403
        assert api.rows("SELECT id, title FROM films WHERE id IN (1, 7, 8, 9)") == [
            (1, "Draft"),
            (7, "Final"),
            (8, "Final"),
        ]


def test_an_upsert_by_a_key_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library.sql").write_text("GRANT INSERT, UPDATE, SELECT (title) ON films TO authenticated;")
    with served(tmp_path / "library.db", SCHEMA) as api:
        for resolution in ("merge-duplicates", "ignore-duplicates"):
            answer = api("POST", "films", {"id": 7, "title": "A"}, prefer=f"resolution={resolution}", **ANN)
            assert (answer.status, answer.body["message"]) == (403, "permission denied for table films")
        assert api("POST", "films", {"id": 7, "title": "A"}, **ANN).status == 201


def test_a_location_needs_a_key_that_may_be_read(tmp_path: Path) -> None:
    (tmp_path / "library.sql").write_text("GRANT INSERT, SELECT (title) ON films TO authenticated;")
    with served(tmp_path / "library.db", SCHEMA) as api:
        answer = api("POST", "films", {"title": "A"}, prefer="return=headers-only", **ANN)
        assert (answer.status, answer.body["message"]) == (403, "permission denied for table films")
        assert api("POST", "films", {"title": "A"}, prefer="return=minimal", **ANN).status == 201


def test_a_hidden_column_is_no_key_to_merge_by(tmp_path: Path) -> None:
    (tmp_path / "library.sql").write_text(POLICIES)
    with served(tmp_path / "library.db", SCHEMA + "CREATE UNIQUE INDEX by_secret ON films (secret);") as api:
        merge = {"prefer": "resolution=merge-duplicates", **ANN}
        hidden, missing, useless = (
            api("POST", f"films?on_conflict={name}", {"title": "A", "owner": "ann"}, **merge)
            for name in ("secret", "nothing", "owner")
        )

        assert (hidden.status, hidden.body["code"]) == (400, "42703")
        assert {**hidden.body, "message": ""} == {**missing.body, "message": ""}
        assert hidden.body["message"] == 'column "secret" does not exist'
        assert (useless.body["code"], useless.body["hint"]) == (
            "42P10",
            "Write the columns of a unique key: on_conflict=id",
        )


def test_the_key_of_a_row_that_the_writer_may_not_see_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "notes.sql").write_text(
        "GRANT SELECT, INSERT ON notes TO authenticated;"
        "ALTER TABLE notes ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY anything ON notes FOR INSERT WITH CHECK (true);"
        "CREATE POLICY own ON notes FOR SELECT USING (owner = auth_uid());"
    )
    with served(tmp_path / "notes.db", "CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT)") as api:
        told = {"prefer": "return=headers-only", **ANN}

        assert api("POST", "notes", {"owner": "bob"}, **told).status == 403
        assert api("POST", "notes", {"owner": "ann"}, **told).headers["location"] == "/api/rest/v1/notes?id=eq.1"
        assert api("POST", "notes", {"owner": "bob"}, **ANN).status == 201
