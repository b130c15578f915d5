"""Values on the wire, by the declared types of their columns, and names and tables of every kind."""

# ruff: noqa: E501 - the rows of a table read better whole

from pathlib import Path
from typing import Any

import pytest

from .conftest import Api, served

WIDE = ", ".join(f'"column {number}" INTEGER DEFAULT {number}' for number in range(1900))

SCHEMA = f"""
CREATE TABLE kinds (
    id INTEGER PRIMARY KEY,
    flag BOOLEAN,
    number INTEGER,
    amount NUMERIC(10, 2),
    ratio REAL,
    bytes BLOB,
    document JSON,
    day DATE,
    text TEXT,
    anything
);
INSERT INTO kinds VALUES
    (1, 1, 9223372036854775807, 12.5, 0.1, x'00ff', '{{"a": [1, null]}}', '2026-01-31', 'a "quoted" \\ text', 1),
    (2, 0, -9223372036854775808, 3, 1e300, x'', 'null', NULL, '', 'one'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, 'maybe', 'many', 'much', 'often', 'text', 'not json', 20260131, x'c3a9', x'ab'),
    (5, 2, 1.5, 9e999, -9e999, 5, '"text"', '12:00', char(0, 7, 0x1f600, 0x2028) || 'x', 1.0);
CREATE TABLE "select" ("from" TEXT, "a ""quote"" b" TEXT, "dot.ted" TEXT, "Größe, (cm)" TEXT, "it's" TEXT, "[x]" TEXT, " " TEXT, "*" TEXT, "->" TEXT);
INSERT INTO "select" VALUES ('1', '2', '3', '4', '5', '6', '7', '8', '9');
CREATE TABLE "a b/c" (id INTEGER PRIMARY KEY, "limit" INTEGER, "order" TEXT, "t1" INTEGER REFERENCES "a b/c" (id));
INSERT INTO "a b/c" VALUES (1, 10, 'x', NULL), (2, 20, 'y', 1);
CREATE TABLE wide ({WIDE});
INSERT INTO wide DEFAULT VALUES;
CREATE TABLE long (id INTEGER PRIMARY KEY, text TEXT);
INSERT INTO long SELECT 1, replace(hex(zeroblob(500000)), '00', 'ä');
CREATE TABLE heap (x INTEGER);
INSERT INTO heap VALUES (1), (1), (2);
CREATE TABLE pairs (a INTEGER, b TEXT, v TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
INSERT INTO pairs VALUES (1, 'x', 'one'), (1, 'y', 'two');
CREATE TABLE generated (a INTEGER, doubled INTEGER AS (a * 2), label TEXT AS ('n' || a) STORED);
INSERT INTO generated (a) VALUES (21);
CREATE VIRTUAL TABLE notes USING fts5 (title, body);
INSERT INTO notes VALUES ('cats', 'the cat sat on the mat'), ('dogs', 'a dog and a cat'), ('birds', 'the sea lion''s bird');
CREATE TABLE plain_notes (id INTEGER PRIMARY KEY, title TEXT, body TEXT, about JSON) WITHOUT ROWID;
INSERT INTO plain_notes SELECT rowid, title, body, NULL FROM notes;
UPDATE plain_notes SET about = '{{"by": "Fritz Lang", "tags": ["city", "robot"]}}' WHERE title = 'cats';
UPDATE plain_notes SET about = '{{"year": 1967}}' WHERE title = 'dogs';
CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT, body TEXT);
CREATE VIRTUAL TABLE articles_index USING fts5 (title, body, content = 'articles', content_rowid = 'id');
INSERT INTO articles VALUES (10, 'Running', 'he runs fast'), (20, 'Walking', 'she walks');
INSERT INTO articles_index (articles_index) VALUES ('rebuild');
CREATE TABLE untyped (x);
INSERT INTO untyped VALUES (5), ('5'), ('abc'), (7), (NULL), (x'00ff');
"""


def test_values_travel_by_the_type_of_their_column_and_misfits_as_they_are(api: Api) -> None:
    assert api.get("kinds?order=id&id=lt.5") == [
        {
            "id": 1,
            "flag": True,
            "number": 9223372036854775807,
            "amount": 12.5,
            "ratio": 0.1,
            "bytes": "\\x00ff",
            "document": {"a": [1, None]},
            "day": "2026-01-31",
            "text": 'a "quoted" \\ text',
            "anything": 1,
        },
        {
            "id": 2,
            "flag": False,
            "number": -9223372036854775808,
            "amount": 3,
            "ratio": 1e300,
            "bytes": "\\x",
            "document": None,
            "day": None,
            "text": "",
            "anything": "one",
        },
        {
            "id": 3,
            "flag": None,
            "number": None,
            "amount": None,
            "ratio": None,
            "bytes": None,
            "document": None,
            "day": None,
            "text": None,
            "anything": None,
        },
        {
            "id": 4,
            "flag": "maybe",
            "number": "many",
            "amount": "much",
            "ratio": "often",
            "bytes": "text",
            "document": "not json",
            "day": 20260131,
            "text": "\\xc3a9",
            "anything": "\\xab",
        },
    ]


def test_infinity_and_control_characters_are_still_json(api: Api) -> None:
    assert api.get("kinds?id=eq.5") == [
        {
            "id": 5,
            "flag": 2,
            "number": 1.5,
            "amount": float("inf"),
            "ratio": float("-inf"),
            "bytes": 5,
            "document": "text",
            "day": "12:00",
            "text": "\x00\x07\U0001f600\u2028x",
            "anything": 1.0,
        }
    ]


def test_values_in_csv(api: Api) -> None:
    assert api.get("kinds?order=id&id=lt.5", accept="text/csv").split("\n") == [
        "id,flag,number,amount,ratio,bytes,document,day,text,anything",
        '1,true,9223372036854775807,12.5,0.1,\\x00ff,"{""a"": [1, null]}",2026-01-31,"a ""quoted"" \\ text",1',
        '2,false,-9223372036854775808,3,1.0e+300,\\x,null,,"",one',
        "3,,,,,,,,,",
        "4,maybe,many,much,often,text,not json,20260131,\\xc3a9,\\xab",
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("flag=eq.true", [1]),
        ("flag=is.false&id=lt.4", [2]),
        ("flag=in.(t,f)", [1, 2]),
        ("flag=not.is.true&id=lt.4", [2, 3]),
        ("number=eq.9223372036854775807", [1]),
        ("amount=eq.12.50", [1]),
        (r"bytes=eq.\x00FF", [1]),
        (r"bytes=in.(\x,\x00ff)", [1, 2]),
        (r"bytes=eq(any).{\x00ff,text}", [1, 4]),
        (r"bytes=lt(all).{\x00ff,\xff}", [2, 4, 5]),
        ("day=gte.2026-01-01", [1]),
        ("anything=eq.1", [1, 5]),
        ("anything=eq.one", [2]),
        ("anything=neq.1", [2, 4]),
        ("text=like.*quoted*", [1]),
        ("document->a->0=eq.1", [1]),
    ],
)
def test_literals_are_compared_as_their_column_s_type(api: Api, query: str, expected: Any) -> None:
    assert [row["id"] for row in api.get(f"kinds?select=id&order=id&{query}")] == expected


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ("eq.5", [5, "5"]),
        ("neq.5", ["abc", 7, "\\x00ff"]),
        ("in.(5,abc)", [5, "5", "abc"]),
        ("isdistinct.5", ["abc", 7, None, "\\x00ff"]),
        ("eq(any).{5,7}", [5, "5", 7]),
        ("eq(all).{5}", [5, "5"]),
        ("neq(any).{5}", ["abc", 7, "\\x00ff"]),
        ("neq(all).{5,7}", ["abc", "\\x00ff"]),
        ("lt(all).{6,7}", [5]),
        ("lte.5", [5]),
    ],
)
def test_values_without_a_type_are_compared_as_number_and_as_text(api: Api, filter_: Any, expected: Any) -> None:
    assert [row["x"] for row in api.get(f"untyped?x={filter_}")] == expected


def test_a_literal_that_is_no_boolean_is_refused(api: Api) -> None:
    assert api.refused("kinds?flag=eq.maybe") == (400, "22P02", 'invalid input syntax for type boolean: "maybe"')


# ---- names -----------------------------------------------------------------------------------------------------


def test_names_may_be_anything(api: Api) -> None:
    assert api.get("select") == [
        {"from": "1", 'a "quote" b': "2", "dot.ted": "3", "Größe, (cm)": "4", "it's": "5", "[x]": "6", " ": "7", "*": "8", "->": "9"}
    ]  # fmt: skip
    assert api.get("select", accept="text/csv") == (
        'from,"a ""quote"" b",dot.ted,"Größe, (cm)",it\'s,[x], ,*,->\n1,2,3,4,5,6,7,8,9'
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("from", "1"),
        (r'"a \"quote\" b"', "2"),
        ('"dot.ted"', "3"),
        ('"Größe, (cm)"', "4"),
        ("it's", "5"),
        ("[x]", "6"),
        ('" "', "7"),
        ('"*"', "8"),
        ('"->"', "9"),
    ],
)
def test_any_name_can_be_selected_filtered_and_ordered(api: Api, name: Any, value: Any) -> None:
    query = f"select?select=x:{name}&{name}=eq.{value}&or=({name}.eq.{value})&order={name}.desc"
    assert api.get(query) == [{"x": value}]


def test_tables_of_any_name_with_columns_called_as_parameters_are(api: Api) -> None:
    assert api.get('a%20b%2Fc?select=limit,order,t1(id)&"limit"=eq.20') == [
        {"limit": 20, "order": "y", "t1": {"id": 1}}
    ]
    assert api.get('a%20b%2Fc?select=id&"order"=eq.x&order=order.desc&limit=1') == [{"id": 1}]


def test_a_table_may_have_as_many_columns_as_sqlite_takes(api: Api) -> None:
    expected = {f"column {number}": number for number in range(1900)}
    assert api.get("wide") == [expected]
    assert api.get("wide", accept="application/vnd.pgrst.array+json;nulls=stripped") == [expected]
    assert api.get("wide", accept="text/csv") == ",".join(expected) + "\n" + ",".join(map(str, expected.values()))


def test_a_long_text_comes_whole(api: Api) -> None:
    text = api.get("long?select=text")[0]["text"]
    assert (len(text), set(text)) == (500_000, {"ä"})


# ---- tables of every kind --------------------------------------------------------------------------------------


def test_tables_without_a_key_with_two_and_with_generated_columns(api: Api) -> None:
    assert api.get("heap?order=x") == [{"x": 1}, {"x": 1}, {"x": 2}]
    assert api.get("pairs?a=eq.1&b=eq.y") == [{"a": 1, "b": "y", "v": "two"}]
    assert api.get("generated") == [{"a": 21, "doubled": 42, "label": "n21"}]


#: The same of the words of `body`, whether an index finds them or each text is looked through.
SEARCHES = [
    ("fts.cat", ["cats", "dogs"]),
    ("fts.CAT", ["cats", "dogs"]),
    ("fts.ca:*", ["cats", "dogs"]),
    ("fts.cat %26 dog", ["dogs"]),
    ("fts.mat | dog", ["cats", "dogs"]),
    ("fts.cat %26 !dog", ["cats"]),
    ("fts.cat %26 !(dog | bird)", ["cats"]),
    ("fts.!cat", ["birds"]),
    ("fts.!cat %26 !dog", ["birds"]),
    ("fts.!cat | !dog", ["cats", "birds"]),
    ("fts.mat | !cat", ["cats", "birds"]),
    ("fts." + "!" * 5001 + "cat", ["birds"]),
    ("fts.the<->cat", ["cats"]),
    ("fts.cat<2>on", ["cats"]),
    ("fts.'sea lion''s'", ["birds"]),
    ("fts(english).dog", ["dogs"]),
    ("not.fts.cat", ["birds"]),
    ("not.fts.!cat", ["cats", "dogs"]),
    ("plfts.cat mat", ["cats"]),
    ("plfts.cat ++", ["cats", "dogs"]),
    ("phfts.the cat", ["cats"]),
    ("phfts.cat the", []),
    ('wfts."a dog" or mat', ["cats", "dogs"]),
    ("wfts.cat -dog", ["cats"]),
    ("wfts.-cat", ["birds"]),
    ("wfts.-cat or mat", ["cats", "birds"]),
    ("fts.", []),
    ("wfts.", []),
    ("fts.++", []),
]


@pytest.mark.parametrize(("search", "expected"), SEARCHES)
def test_full_text_search(api: Api, search: str, expected: Any) -> None:
    for table in ("notes", "plain_notes"):
        assert [row["title"] for row in api.get(f"{table}?select=title&body={search}")] == expected


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ("notes=fts.cat", ["cats", "dogs"]),
        ("title=fts.cat", []),
        ("title=fts.cat:*", ["cats"]),
        ("or=(body.fts.dog,title.eq.birds)", ["dogs", "birds"]),
    ],
)
def test_full_text_search_of_an_index(api: Api, filter_: Any, expected: Any) -> None:
    assert [row["title"] for row in api.get(f"notes?select=title&{filter_}")] == expected


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ("body=fts.mats", []),
        ("body=fts(english).mats", ["cats"]),
        ("body=fts(simple).mats", []),
        ("about=fts.robot", ["cats"]),
        ("about=fts.tags", []),
        ("about->>by=plfts.fritz", ["cats"]),
        ("about->by=plfts.fritz", ["cats"]),
        ("about->tags=fts.city", ["cats"]),
        ("about=not.fts.robot", ["dogs"]),
        ("or=(about.fts.robot,body.fts(english).birds)", ["cats", "birds"]),
    ],
)
def test_texts_and_json_are_searched_without_an_index(api: Api, filter_: Any, expected: Any) -> None:
    assert [row["title"] for row in api.get(f"plain_notes?select=title&{filter_}")] == expected


def test_a_table_is_searched_by_its_full_text_index(api: Api) -> None:
    assert api.get("articles?select=id&body=fts.runs") == [{"id": 10}]
    assert api.get("articles?select=id&title=wfts.walking or running&order=id") == [{"id": 10}, {"id": 20}]


@pytest.mark.parametrize(
    ("search", "details"),
    [
        ("fts.cat dog", "an operator is missing between two words"),
        ("fts.cat %26", "a word is missing"),
        ("fts.(cat", "a parenthesis is not closed"),
        ("fts.'cat", "at character 1"),
        ("fts.cat:*<->dog", "only the last of the words that follow each other can end in :*"),
        ("fts.(a | b)<->dog", "only words can follow each other with <->"),
        ("fts." + "(" * 60 + "cat", "more than 50 levels"),
    ],
)
def test_a_search_that_cannot_be_read_is_refused(api: Api, search: Any, details: Any) -> None:
    answer = api("GET", f"notes?body={search}")
    assert (answer.status, answer.body["code"], answer.body["details"]) == (400, "42601", details)


def test_a_cast_to_a_date_gives_the_day(tmp_path: Path) -> None:
    schema = """
    CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMP, n INTEGER);
    INSERT INTO t (at, n) VALUES ('2024-02-29 10:00:00', 1), ('2024-02-29T23:30:00-02:00', 2), ('2024-02-29', 3), ('soon', 4), (1700000000, 5),
        (NULL, 6), (x'00ff', 7), ('2024-99-99', 8);
    """
    with served(tmp_path / "library.db", schema) as api:
        days = ["2024-02-29", "2024-03-01", "2024-02-29", "soon", "1700000000", None, "\\x00ff", "2024-99-99"]
        assert [row["at"] for row in api.get("t?select=at::date&order=id")] == days
        assert api.get("t?select=at::date,n.sum()&at=like.2024-02-*&order=at") == [
            {"at": "2024-02-29", "sum": 4},
            {"at": "2024-03-01", "sum": 2},
        ]
