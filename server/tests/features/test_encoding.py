"""A file whose text is UTF-16 is served as any other: what goes over the wire is UTF-8."""

from .conftest import Api

SCHEMA = """
PRAGMA encoding = 'UTF-16be';
CREATE TABLE cities (name TEXT PRIMARY KEY, land TEXT REFERENCES lands (name), flag BLOB, more JSON);
CREATE TABLE lands (name TEXT PRIMARY KEY);
CREATE TABLE keys (key BLOB PRIMARY KEY, text TEXT);
CREATE TABLE long (id INTEGER PRIMARY KEY, text TEXT);
CREATE VIRTUAL TABLE words USING fts5 (text);
INSERT INTO lands VALUES ('Österreich'), ('日本');
INSERT INTO cities VALUES ('Wien', 'Österreich', x'00ff', '{"é": ["😀"]}'), ('東京', '日本', NULL, NULL);
INSERT INTO words VALUES ('größer als'), ('kleiner');
INSERT INTO long WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
    SELECT i, replace(hex(zeroblob(500)), '00', 'ä😀') FROM n;
"""
WIEN = {"name": "Wien", "land": "Österreich", "flag": "\\x00ff", "more": {"é": ["😀"]}}


def test_text_in_utf_16_is_read(api: Api) -> None:
    assert api.get("cities?name=eq.Wien") == [WIEN]
    assert api.get("cities?name=like.東*&select=name,lands(name)") == [{"name": "東京", "lands": {"name": "日本"}}]
    assert api.get("cities?land=ilike.öster*&select=more->é") == [{"é": ["😀"]}]
    assert api.get("cities?more->é->>0=eq.😀&select=name") == [{"name": "Wien"}]
    assert api.get('cities?land=match.Ö.*ich$&more=cs.{"é":["😀"]}&select=name') == [{"name": "Wien"}]
    assert api.get("cities?land=plfts.österreich&select=name") == [{"name": "Wien"}]
    stripped = {"accept": "application/vnd.pgrst.array+json;nulls=stripped"}
    assert api.get("cities?name=eq.東京&select=name,more", **stripped) == [{"name": "東京"}]
    assert api.get("words?text=fts.größer") == [{"text": "größer als"}]
    assert api.get("lands?order=name", accept="text/csv") == "name\nÖsterreich\n日本"


def test_a_long_answer_in_utf_16_is_streamed_in_utf_8(api: Api) -> None:
    rows = api.get("long?order=id")
    assert rows == [{"id": n, "text": "ä😀" * 500} for n in range(1, 1501)]


def test_text_in_utf_16_is_written(fresh_api: Api) -> None:
    headers = {"prefer": "return=representation"}
    graz = {"name": "Graz", "land": "Österreich", "flag": "\\xfeff", "more": ["ö"]}
    assert fresh_api("POST", "cities", json=graz, **headers).body == [graz]
    assert fresh_api("PATCH", "cities?name=eq.東京&select=name", json={"name": "京都"}, **headers).body == [
        {"name": "京都"}
    ]
    assert fresh_api("DELETE", "cities?name=eq.京都&select=name", **headers).body == [{"name": "京都"}]
    assert fresh_api.rows("SELECT name, typeof(flag) FROM cities ORDER BY name") == [("Graz", "blob"), ("Wien", "blob")]

    created = fresh_api("POST", "keys?select=text", json={"key": "\\x00ff", "text": "ß"}, prefer="return=headers-only")
    assert created.status == 201
    assert fresh_api.get("keys") == [{"key": "\\x00ff", "text": "ß"}]
    assert fresh_api("POST", "cities", json=graz).status == 409
