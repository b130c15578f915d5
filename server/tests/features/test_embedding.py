"""Related rows inside rows: every kind of relationship, hints, conditions inside and through embeds, spreads."""

# ruff: noqa: E501 - the rows of a table read better whole

from pathlib import Path
from typing import Any

import pytest

from .conftest import Api, served

METROPOLIS, M, PLAYTIME, ETE = "Metropolis", "M", "Playtime", "Été*100%_"


def titles(rows: list[dict[str, object]]) -> list[object]:
    return [row["title"] for row in rows]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(
            "films?select=title,director(name)&order=id&limit=2",
            [
                {"title": METROPOLIS, "director": {"name": "Fritz Lang"}},
                {"title": M, "director": {"name": "Fritz Lang"}},
            ],
            id="to one, by the column of the foreign key",
        ),
        pytest.param(
            "films?select=title,by:films_director(name)&id=eq.3",
            [{"title": PLAYTIME, "by": {"name": "Jacques Tati"}}],
            id="to one, by the name of the foreign key, renamed",
        ),
        pytest.param(
            "films?select=director:people!films_director(name),producer:people!producer(name)&order=id&limit=1",
            [{"director": {"name": "Fritz Lang"}, "producer": {"name": "Unknown"}}],
            id="the same table twice, by hints",
        ),
        pytest.param(
            "films?select=id,director(name)&id=eq.4", [{"id": 4, "director": None}], id="to one that leads nowhere"
        ),
        pytest.param(
            "people?select=name,films!director(title)&order=id&limit=2&films.order=year.desc",
            [
                {"name": "Fritz Lang", "films": [{"title": M}, {"title": METROPOLIS}]},
                {"name": "Jacques Tati", "films": [{"title": PLAYTIME}]},
            ],
            id="to many, ordered",
        ),
        pytest.param(
            "people?select=name,films!director(title)&id=eq.3",
            [{"name": "Brigitte Helm", "films": []}],
            id="to many that leads nowhere",
        ),
        pytest.param(
            "films?select=title,posters(artist)&order=id&limit=2",
            [{"title": METROPOLIS, "posters": {"artist": "Schulz-Neudamm"}}, {"title": M, "posters": None}],
            id="one to one, where the other side has the key",
        ),
        pytest.param(
            "films?select=title,actors:people!roles(name)&order=id&limit=3&actors.order=name.desc",
            [
                {"title": METROPOLIS, "actors": [{"name": "Unknown"}, {"name": "Brigitte Helm"}]},
                {"title": M, "actors": []},
                {"title": PLAYTIME, "actors": [{"name": "Unknown"}, {"name": "Jacques Tati"}]},
            ],
            id="many to many",
        ),
        pytest.param(
            "films?select=title,roles(part,actor(name))&id=eq.1&roles.order=part",
            [
                {
                    "title": METROPOLIS,
                    "roles": [
                        {"part": "Maria", "actor": {"name": "Brigitte Helm"}},
                        {"part": "Worker", "actor": {"name": "Unknown"}},
                    ],
                }
            ],
            id="nested",
        ),
        pytest.param(
            "genres?select=name,parent(name,parent(name)),genres(name)&id=eq.2",
            [{"name": "crime", "parent": {"name": "drama", "parent": None}, "genres": [{"name": "noir"}]}],
            id="a table related to itself, both ways",
        ),
        pytest.param(
            "long_reviews?select=id,films(title)&order=id",
            [{"id": 1, "films": {"title": METROPOLIS}}, {"id": 3, "films": {"title": M}}],
            id="from a view",
        ),
        pytest.param(
            "films?select=title,long_reviews(id)&order=id&limit=2",
            [{"title": METROPOLIS, "long_reviews": [{"id": 1}]}, {"title": M, "long_reviews": [{"id": 3}]}],
            id="to a view",
        ),
        pytest.param(
            "films?select=id,director(*)&id=eq.3",
            [{"id": 3, "director": {"id": 2, "name": "Jacques Tati", "born": 1907}}],
            id="all columns",
        ),
        pytest.param("films?select=director(id)&id=eq.3", [{"director": {"id": 2}}], id="nothing but an embed"),
        pytest.param("films?select=id,director()&id=eq.3", [{"id": 3}], id="an embed that shows nothing"),
        pytest.param("films?select=director()&id=eq.3", [{}], id="nothing but an embed that shows nothing"),
    ],
)
def test_embeds_stand_in_the_row(api: Api, query: str, expected: Any) -> None:
    assert api.get(query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("films?select=title,director!inner()&order=id", [METROPOLIS, M, PLAYTIME]),
        ("films?select=title,director!left()&order=id", [METROPOLIS, M, PLAYTIME, ETE]),
        ("films?select=title,director!inner()&director.name=like.Fritz*&order=id", [METROPOLIS, M]),
        ("films?select=title,director()&director=is.null", [ETE]),
        ("films?select=title,director()&director=not.is.null&order=id", [METROPOLIS, M, PLAYTIME]),
        ("films?select=title,director()&director=is.not_null&order=id", [METROPOLIS, M, PLAYTIME]),
        ("films?select=title,reviews()&reviews.stars=eq.5&reviews=is.null&order=id", [M, ETE]),
        ("films?select=title,reviews()&reviews.stars=eq.5&or=(reviews.not.is.null,year.is.null)&order=id", [METROPOLIS, PLAYTIME, ETE]),
        ("films?select=title,reviews!inner()&reviews.or=(stars.eq.4,stars.is.null)&order=id", [METROPOLIS, M]),
        ("films?select=title,actors:people!roles!inner()&actors.name=eq.Jacques Tati", [PLAYTIME]),
        ("films?select=title,roles!inner(actor!inner())&roles.actor.born=gt.1907&order=id", [METROPOLIS]),
        ("films?select=title,director()&order=director(born).desc.nullslast,title.desc", [PLAYTIME, METROPOLIS, M, ETE]),
        ("films?select=title,d:director()&order=d(name).nullsfirst,id", [ETE, METROPOLIS, M, PLAYTIME]),
    ],
)  # fmt: skip
def test_embeds_filter_and_order_the_rows_around_them(api: Api, query: str, expected: Any) -> None:
    assert titles(api.get(query)) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("reviews.stars=gte.5", [[1], [], [4], []]),
        ("reviews.order=stars.desc,id&reviews.limit=1", [[1], [3], [4], []]),
        ("reviews.order=id&reviews.limit=1&reviews.offset=1", [[2], [], [], []]),
        ("reviews.stars=not.is.null&reviews.text=not.is.null&reviews.order=id", [[1, 2], [], [], []]),
        ("reviews.and=(stars.gt.3,text.like.l*)", [[2], [], [], []]),
        ("reviews.not.or=(stars.eq.5,stars.is.null)", [[2], [], [], []]),
        ("reviews.limit=0", [[], [], [], []]),
    ],
)
def test_conditions_order_and_limit_inside_an_embed_leave_the_rows_around_it(
    api: Api, query: str, expected: Any
) -> None:
    rows = api.get(f"films?select=reviews(id)&order=id&{query}")
    assert [[review["id"] for review in row["reviews"]] for row in rows] == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(
            "films?select=title,...director(by:name,born)&order=id&offset=2",
            [{"title": PLAYTIME, "by": "Jacques Tati", "born": 1907}, {"title": ETE, "by": None, "born": None}],
            id="to one; all null where it leads nowhere",
        ),
        pytest.param(
            "films?select=title,...director(name,films!director(year))&id=eq.3",
            [{"title": PLAYTIME, "name": "Jacques Tati", "films": [{"year": 1967}]}],
            id="to one with an embed inside",
        ),
        pytest.param(
            "reviews?select=id,...films(title,...director(name))&id=eq.1",
            [{"id": 1, "title": METROPOLIS, "name": "Fritz Lang"}],
            id="to one inside to one",
        ),
        pytest.param(
            "films?select=title,...reviews(stars,text)&order=id&reviews.order=id",
            [
                {"title": METROPOLIS, "stars": [5, 4], "text": ["a city", "long"]},
                {"title": M, "stars": [None], "text": ["whistled"]},
                {"title": PLAYTIME, "stars": [5], "text": [None]},
                {"title": ETE, "stars": [], "text": []},
            ],
            id="to many: lists",
        ),
        pytest.param(
            "people?select=name,...films!director(title,director(born))&order=id&limit=1&films.order=id",
            [{"name": "Fritz Lang", "title": [METROPOLIS, M], "director": [{"born": 1890}, {"born": 1890}]}],
            id="to many with an embed inside",
        ),
        pytest.param(
            "people?select=id,...films!director(title,...producer(born,producer:name))&id=eq.1&films.order=id",
            [{"id": 1, "title": [METROPOLIS, M], "born": [None, None], "producer": ["Unknown", None]}],
            id="to one inside to many",
        ),
        pytest.param(
            "people?select=id,...films!director(title,...reviews(stars))&order=id&limit=3&films.order=id&films.reviews.order=id",
            [
                {"id": 1, "title": [METROPOLIS, M], "stars": [[5, 4], [None]]},
                {"id": 2, "title": [PLAYTIME], "stars": [[5]]},
                {"id": 3, "title": [], "stars": []},
            ],
            id="to many inside to many: lists of lists",
        ),
        pytest.param(
            "people?select=id,...films!director(...reviews(t:films(title)))&id=eq.2",
            [{"id": 2, "t": [[{"title": PLAYTIME}]]}],
            id="an embed inside to many inside to many",
        ),
        pytest.param(
            "films?select=id,...reviews()&order=id",
            [{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}],
            id="to many that shows nothing keeps rows without any",
        ),
        pytest.param(
            "films?select=id,...reviews!inner()&order=id",
            [{"id": 1}, {"id": 2}, {"id": 3}],
            id="inner, showing nothing",
        ),
        pytest.param(
            "people?select=id,...films!director(lost:facts->cut->lost,tag:facts->tags->>0)&id=eq.1&films.order=id",
            [{"id": 1, "lost": [False, None], "tag": ["city", "city"]}],
            id="JSON paths",
        ),
        pytest.param(
            "reviews?select=id,...films(d:facts->cut,...director(name))&order=id&limit=2",
            [
                {"id": 1, "d": {"year": 2010, "lost": False}, "name": "Fritz Lang"},
                {"id": 2, "d": {"year": 2010, "lost": False}, "name": "Fritz Lang"},
            ],
            id="JSON objects",
        ),
    ],
)  # fmt: skip
def test_spreads_put_members_into_the_row(api: Api, query: str, expected: Any) -> None:
    assert api.get(query) == expected


def test_spreads_are_columns_of_csv(api: Api) -> None:
    query = "people?select=id,...films!director(title,...reviews(stars)),...posters:films!producer(year)&order=id"
    answer = api("GET", query + "&films.order=id&films.reviews.order=id", accept="text/csv")
    assert answer.body == (
        "id,title,stars,year\n"
        '1,"[""Metropolis"",""M""]","[[5,4],[null]]","[]"\n'
        '2,"[""Playtime""]","[[5]]","[1967]"\n'
        '3,"[]","[]","[]"\n'
        '4,"[]","[]","[1927]"'
    )
    answer = api(
        "GET", "films?select=id,...director(name,born,genre:films!director(id))&id=in.(3,4)&order=id", accept="text/csv"
    )
    assert answer.body == 'id,name,born,genre\n3,Jacques Tati,1907,"[{""id"":3}]"\n4,,,'


def test_an_embed_in_csv_is_quoted_json(api: Api) -> None:
    answer = api("GET", "films?select=id,posters(artist)&order=id&limit=2", accept="text/csv")
    assert answer.body == 'id,posters\n1,"{""artist"":""Schulz-Neudamm""}"\n2,'


def test_an_ambiguous_embed_lists_the_candidates(api: Api) -> None:
    answer = api("GET", "films?select=people(name)")
    assert (answer.status, answer.body) == (
        300,
        {
            "code": "PGRST201",
            "message": "Could not embed because more than one relationship was found for 'films' and 'people'",
            "details": [
                {
                    "cardinality": "many-to-one",
                    "embedding": "films with people",
                    "relationship": "films_director using films(director) and people(id)",
                },
                {
                    "cardinality": "many-to-one",
                    "embedding": "films with people",
                    "relationship": "films_producer using films(producer) and people(id)",
                },
                {
                    "cardinality": "many-to-many",
                    "embedding": "films with people",
                    "relationship": "roles using roles_film_fkey(film) and roles_actor_fkey(actor)",
                },
            ],
            "hint": "Try changing 'people' to one of the following: 'people!films_director', 'people!films_producer', "
            "'people!roles'. Find the desired relationship in the 'details' key.",
        },
    )


@pytest.mark.parametrize(
    ("query", "status", "code", "message"),
    [
        ("films?select=x(id)", 400, "PGRST200", "Could not find a relationship between 'films' and 'x' in the schema cache"),
        ("films?select=people!x(id)", 400, "PGRST200", "Could not find a relationship between 'films' and 'people' in the schema cache"),
        ("films?reviews.stars=eq.1", 400, "PGRST108", "'reviews' is not an embedded resource in this request"),
        ("films?select=reviews(id)&reviews.films.limit=1", 400, "PGRST108", "'films' is not an embedded resource in this request"),
        ("films?select=id&order=director(name)", 400, "PGRST108", "'director' is not an embedded resource in this request"),
        ("films?select=id,reviews(id)&order=reviews(stars)", 400, "PGRST118", "A related order on 'reviews' is not possible"),
        ("films?select=id,reviews(id)&reviews=eq.1", 400, "PGRST120", "Bad operator on the 'reviews' embedded resource"),
        ("films?select=reviews(id),reviews(stars)", 400, "42712", 'table name "reviews" specified more than once'),
        ("films?select=...reviews(id),...reviews(stars)", 400, "42712", 'table name "reviews" specified more than once'),
        ("films?select=director(nam)", 400, "42703", "column people.nam does not exist"),
        ("films?select=director(name)&order=director(nam)", 400, "42703", "column people.nam does not exist"),
    ],
)  # fmt: skip
def test_what_cannot_be_embedded_is_refused(api: Api, query: str, status: int, code: str, message: str) -> None:
    assert api.refused(query) == (status, code, message)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("people?select=id,made:films!films_director(id)&films.order=id.desc&films.limit=1&id=eq.1", [{"id": 1, "made": [{"id": 2}]}]),
        ("people?select=id,made:films!films_director(id)&films.id=eq.2&made.id=lt.9&id=eq.1", [{"id": 1, "made": [{"id": 2}]}]),
        ("people?select=id,made:films!films_director(id),films!films_producer(id)&films.id=eq.1&id=eq.1", [{"id": 1, "made": [{"id": 1}, {"id": 2}], "films": []}]),
        ("people?select=id,made:films!films_director(id,marks:reviews(id))&films.reviews.limit=0&id=eq.2", [{"id": 2, "made": [{"id": 3, "marks": []}]}]),
        ("films?select=id,director(name)&people.name=eq.x&id=eq.1", None),
    ],
)  # fmt: skip
def test_an_embed_with_an_alias_is_found_by_its_own_name_too(api: Api, query: str, expected: Any) -> None:
    answer = api("GET", query)
    assert (answer.body == expected) if expected else (answer.body["code"] == "PGRST108")


def test_rows_are_ordered_by_a_name_that_the_embed_gives(api: Api) -> None:
    assert api.get("films?select=id,director(called:name)&order=director(called).desc.nullslast,id&limit=2") == [
        {"id": 3, "director": {"called": "Jacques Tati"}},
        {"id": 1, "director": {"called": "Fritz Lang"}},
    ]


def test_a_foreign_key_leads_to_its_table_whatever_views_show_the_table(tmp_path: Path) -> None:
    schema = """
    CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT);
    CREATE TABLE reviews (id INTEGER PRIMARY KEY, film INTEGER CONSTRAINT of_film REFERENCES films (id));
    CREATE VIEW titles AS SELECT id, title FROM films;
    INSERT INTO films VALUES (1, 'M');
    INSERT INTO reviews VALUES (1, 1);
    """
    with served(tmp_path / "library.db", schema) as api:
        assert api.get("reviews?select=film(title)") == [{"film": {"title": "M"}}]
        assert api.get("reviews?select=of_film(title)") == [{"of_film": {"title": "M"}}]
        assert api.get("reviews?select=titles(title)") == [{"titles": {"title": "M"}}]
