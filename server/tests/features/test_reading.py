"""Rows and columns: select, filters, order, pages, counts, aggregates, and the forms of the body."""

# ruff: noqa: E501 - the rows of a table read better whole

from pathlib import Path
from typing import Any

import pytest

from .conftest import Api, served


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ("title,year", {"title": "Metropolis", "year": 1927}),
        ("name:title,when:year", {"name": "Metropolis", "when": 1927}),
        ("year::text,rating::int,id::bool,title::int", {"year": "1927", "rating": 8, "id": True, "title": 0}),
        ("rating::numeric,y:year::real", {"rating": 8.3, "y": 1927.0}),
        ("facts->reels,facts->>s", {"reels": 9, "s": "9"}),
        ("facts->s,n:facts->>reels", {"s": "9", "n": "9"}),
        ("facts->cut->year,l:facts->cut->lost,t:facts->cut->>lost", {"year": 2010, "l": False, "t": "false"}),
        ("facts->tags->0,last:facts->tags->-1,none:facts->tags->7", {"tags": "city", "last": "robot", "none": None}),
        ("facts->tags", {"tags": ["city", "robot"]}),
        ("facts->cut", {"cut": {"year": 2010, "lost": False}}),
        ("facts->>cut", {"cut": '{"year":2010,"lost":false}'}),
        ("n:facts->reels::int,s:facts->>reels::int", {"n": 9, "s": 9}),
        ("id, title , year", {"id": 1, "title": "Metropolis", "year": 1927}),
        ('"title","my key":"year"', {"title": "Metropolis", "my key": 1927}),
        ("id,id", {"id": 1}),
    ],
)
def test_select_chooses_renames_and_casts(api: Api, select: Any, expected: Any) -> None:
    assert api.get(f"films?select={select}&id=eq.1") == [expected]


def test_without_select_every_column_is_there_with_its_type(api: Api) -> None:
    assert api.get("films?id=in.(2,4)&order=id") == [
        {
            "id": 2,
            "title": "M",
            "year": 1931,
            "rating": 8.3,
            "director": 1,
            "producer": None,
            "facts": {"reels": 11, "tags": ["city"], "cut": None, "s": "true"},
        },
        {
            "id": 4,
            "title": "Été*100%_",
            "year": None,
            "rating": 5.5,
            "director": None,
            "producer": None,
            "facts": "not json",
        },
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("id=eq.2", [2]),
        ("id=neq.2", [1, 3, 4]),
        ("id=not.eq.2", [1, 3, 4]),
        ("year=gt.1931", [3]),
        ("year=gte.1931", [2, 3]),
        ("year=lt.1931", [1]),
        ("year=lte.1931", [1, 2]),
        ("year=not.lte.1931", [3]),
        ("rating=eq.8.3", [1, 2]),
        ("year=eq.1927.0", [1]),
        ("year=eq.nonsense", []),
        ("title=like.M*", [1, 2]),
        ("title=like.m*", []),
        ("title=ilike.m*", [1, 2]),
        ("title=ilike.ÉTÉ*", [4]),
        ("title=like._", [2]),
        (r"title=like.*\%25*", [4]),
        (r"title=like.*\**", [4]),
        (r"title=ilike.*\**", [4]),
        (r"title=ilike.été\*100\%25\_", [4]),
        ("title=like.*[*", []),
        ("title=match.^M.t", [1]),
        ("title=imatch.^m", [1, 2]),
        ("title=not.imatch.^m", [3, 4]),
        ("title=like(any).{M,*time}", [2, 3]),
        ("title=like(all).{M*,*s}", [1]),
        ("title=ilike(any).{m,*TIME}", [2, 3]),
        ("title=match(all).{^M,s$}", [1]),
        ("title=imatch(any).{^M,s$}", [1, 2]),
        ("year=eq(any).{1927,1967}", [1, 3]),
        ("year=not.eq(any).{1927,1967}", [2]),
        ("year=neq(all).{1927,1967}", [2]),
        ("year=neq(any).{1927,1967}", [1, 2, 3]),
        ("year=gt(all).{1900,1930}", [2, 3]),
        ("year=not.gt(all).{1900,1930}", [1]),
        ("year=lt(any).{1930,1932}", [1, 2]),
        ("year=gt(any).{}", []),
        ("id=in.(1,3,99)", [1, 3]),
        ("id=not.in.(1,3)", [2, 4]),
        ("id=in.()", []),
        ('title=in.("M","Été*100%25_")', [2, 4]),
        ("year=is.null", [4]),
        ("year=is.not_null", [1, 2, 3]),
        ("year=not.is.null", [1, 2, 3]),
        ("year=is.unknown", [4]),
        ("year=isdistinct.1927", [2, 3, 4]),
        ("year=not.isdistinct.1927", [1]),
        ("facts->reels=eq.9", [1]),
        ("facts->reels=gt.9", [2]),
        ("facts->>reels=eq.9", [1]),
        ("facts->>s=eq.true", [2]),
        ("facts->cut->lost=is.false", [1]),
        ("facts->cut->year=in.(2010)", [1]),
        ("facts->tags=cs.[\"robot\"]", [1]),
        ("facts->tags=cs.{city,robot}", [1]),
        ("facts->tags=cd.{city,robot}", [1, 2]),
        ("facts->tags=ov.{robot,x}", [1]),
        ("facts=cs.{\"cut\":{\"lost\":false}}", [1]),
        ("facts=cs.{\"reels\": 9, \"s\": \"9\"}", [1]),
        ("or=(id.eq.1,title.eq.Playtime)", [1, 3]),
        ("and=(id.gt.1,or(year.is.null,year.lt.1940))", [2, 4]),
        ("not.or=(id.eq.1,id.eq.2)", [3, 4]),
        ("not.and=(id.gt.1,id.lt.4)", [1, 4]),
        ("or=(not.and(id.gt.1,id.lt.4),title.eq.M)", [1, 2, 4]),
        ("or=(title.eq.\"M\",id.in.(3,4))", [2, 3, 4]),
        ("or=(facts->>s.eq.9,title.like.*time)", [1, 3]),
        ("and=(year.not.eq(any).{1927,1931},id.gt.0)", [3]),
        ("id=gt.1&id=lt.4", [2, 3]),
    ],
)  # fmt: skip
def test_filters_choose_rows(api: Api, query: str, expected: Any) -> None:
    assert [row["id"] for row in api.get(f"films?select=id&order=id&{query}")] == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("year", [1, 2, 3, 4]),
        ("year.desc", [4, 3, 2, 1]),
        ("year.desc.nullslast", [3, 2, 1, 4]),
        ("year.nullsfirst", [4, 1, 2, 3]),
        ("year.asc.nullslast", [1, 2, 3, 4]),
        ("rating.desc.nullslast,title", [2, 1, 4, 3]),
        ("facts->reels.desc.nullslast,id.desc", [2, 1, 4, 3]),
        ("facts->>reels,id", [2, 1, 3, 4]),
    ],
)
def test_order_sorts_with_nulls_where_postgresql_has_them(api: Api, order: Any, expected: Any) -> None:
    assert [row["id"] for row in api.get(f"films?select=id&order={order}")] == expected


@pytest.mark.parametrize(
    ("query", "headers", "status", "content_range", "ids"),
    [
        ("", {}, 200, "0-3/*", [1, 2, 3, 4]),
        ("limit=2", {}, 200, "0-1/*", [1, 2]),
        ("limit=2&offset=1", {}, 200, "1-2/*", [2, 3]),
        ("offset=3", {}, 200, "3-3/*", [4]),
        ("limit=0", {}, 200, "*/*", []),
        ("limit=99999999999999999999", {}, 200, "0-3/*", [1, 2, 3, 4]),
        ("offset=99999999999999999999", {}, 200, "*/*", []),
        ("offset=-1", {}, 200, "0-3/*", [1, 2, 3, 4]),
        ("limit=2", {"prefer": "count=exact"}, 206, "0-1/4", [1, 2]),
        ("limit=4", {"prefer": "count=exact"}, 200, "0-3/4", [1, 2, 3, 4]),
        ("id=gt.9", {"prefer": "count=exact"}, 200, "*/0", []),
        ("", {"range": "1-2"}, 200, "1-2/*", [2, 3]),
        ("", {"range": "items=1-2", "range-unit": "items"}, 200, "1-2/*", [2, 3]),
        ("", {"range": "2-"}, 200, "2-3/*", [3, 4]),
        ("", {"range": "0-1", "prefer": "count=exact"}, 206, "0-1/4", [1, 2]),
        ("", {"range": "0-1", "range-unit": "bytes"}, 200, "0-3/*", [1, 2, 3, 4]),
        ("", {"range": "nonsense"}, 200, "0-3/*", [1, 2, 3, 4]),
        ("limit=1", {"prefer": "count=planned"}, 206, "0-0/4", [1]),
        ("limit=1", {"prefer": "count=estimated"}, 206, "0-0/4", [1]),
    ],
)
def test_pages_and_counts(
    api: Api, query: str, headers: dict[str, str], status: int, content_range: Any, ids: Any
) -> None:
    answer = api("GET", f"films?select=id&order=id&{query}", **headers)
    assert (answer.status, answer.headers["content-range"]) == (status, content_range)
    assert answer.body == [{"id": number} for number in ids]


def test_an_estimate_that_is_too_low_denies_no_rows_that_are_there(tmp_path: Path) -> None:
    insert = "INSERT INTO lines WITH r (i) AS (SELECT {0} UNION ALL SELECT i + 1 FROM r LIMIT 10) SELECT i, i FROM r;"
    made = "CREATE TABLE lines (id INTEGER PRIMARY KEY, n INTEGER); CREATE INDEX by_n ON lines (n);"
    with served(tmp_path / "lines.db", made + insert.format(1) + "ANALYZE;" + insert.format(11)) as api:
        answer = api("GET", "lines?order=id&offset=15&limit=2", prefer="count=planned")
        beyond = api("GET", "lines?order=id&offset=25", prefer="count=planned")
    assert (answer.status, answer.headers["content-range"], answer.body) == (
        206, "15-16/17", [{"id": 16, "n": 16}, {"id": 17, "n": 17}]
    )  # fmt: skip
    assert (beyond.status, beyond.headers["content-range"]) == (416, "*/10")


@pytest.mark.parametrize(
    ("query", "headers", "details"),
    [
        ("offset=5", {"prefer": "count=exact"}, "An offset of 5 was requested, but there are only 4 rows."),
        ("limit=-1", {}, "Limit should be greater than or equal to zero."),
        (
            "",
            {"range": "3-1"},
            "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
        ),
    ],
)
def test_a_range_that_cannot_be_is_refused(api: Api, query: str, headers: dict[str, str], details: Any) -> None:
    answer = api("GET", f"films?{query}", **headers)
    assert (answer.status, answer.body["code"], answer.body["details"]) == (416, "PGRST103", details)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("films?select=count()", [{"count": 4}]),
        ("films?select=n:count()::text", [{"n": "4"}]),
        ("films?select=year.count(),a:year.min(),b:year.max(),c:year.sum(),d:year.avg()", [{"count": 3, "a": 1927, "b": 1967, "c": 5825, "d": 5825 / 3}]),
        ("films?select=title.min(),rating.max()", [{"min": "M", "max": 8.3}]),
        ("films?select=year.avg()::int", [{"avg": 1942}]),
        ("films?select=year::text.min()", [{"min": "1927"}]),
        ("films?select=rating,count()&order=rating.nullsfirst", [{"rating": None, "count": 1}, {"rating": 5.5, "count": 1}, {"rating": 8.3, "count": 2}]),
        ("films?select=r:rating,count()&order=rating.desc.nullslast&limit=1", [{"r": 8.3, "count": 2}]),
        ("films?select=facts->reels::int.sum()", [{"sum": 20}]),
        ("films?select=facts->>reels::int.max()", [{"max": 11}]),
        ("films?select=facts->s.max()", [{"max": "true"}]),
        ("films?select=facts->cut->lost,count()&order=facts->cut->lost.nullsfirst", [{"lost": None, "count": 3}, {"lost": False, "count": 1}]),
        ("films?select=year.sum()&id=eq.99", [{"sum": None}]),
        ("films?select=title,year.sum()&id=eq.99", []),
        ("films?select=title,reviews(count())&order=id", [{"title": "Metropolis", "reviews": [{"count": 2}]}, {"title": "M", "reviews": [{"count": 1}]}, {"title": "Playtime", "reviews": [{"count": 1}]}, {"title": "Été*100%_", "reviews": [{"count": 0}]}]),
        ("films?select=title,reviews(count)&id=eq.1", [{"title": "Metropolis", "reviews": [{"count": 2}]}]),
        ("people?select=name,films!director(rating,count())&id=eq.1", [{"name": "Fritz Lang", "films": [{"rating": 8.3, "count": 2}]}]),
        ("films?select=title,people!roles(born.max())&id=eq.1", [{"title": "Metropolis", "people": [{"max": 1908}]}]),
        ("films?select=title,director(born.max())&id=eq.1", [{"title": "Metropolis", "director": {"max": 1890}}]),
        ("films?select=...director(name),count()&order=director(name).nullsfirst", [{"name": None, "count": 1}, {"name": "Fritz Lang", "count": 2}, {"name": "Jacques Tati", "count": 1}]),
        ("films?select=...director(born.sum())", [{"sum": 1890 + 1890 + 1907}]),
        ("films?select=...reviews(stars.sum(),n:stars.count(),a:stars.avg(),rows:count(),m:stars.max())", [{"sum": 14, "n": 3, "a": 14 / 3, "rows": 4, "m": 5}]),
        ("films?select=...reviews(count())&id=eq.99", [{"count": 0}]),
        ("films?select=...reviews(a:stars.avg())&id=eq.4", [{"a": None}]),
        ("reviews?select=...films(...director(count()))", [{"count": 4}]),
        ("reviews?select=...films(year,...director(n:count()))&order=films(year)", [{"year": 1927, "n": 2}, {"year": 1931, "n": 1}, {"year": 1967, "n": 1}]),
        ("reviews?select=...films(posted:year,films:count(),...director(n:count()))&order=films(posted).desc&limit=1", [{"posted": 1967, "films": 1, "n": 1}]),
        ("reviews?select=...films(director(name),...posters(n:count()))&order=films(year)", [{"director": {"name": "Fritz Lang"}, "n": 2}, {"director": {"name": "Jacques Tati"}, "n": 0}]),
        ("reviews?select=stars.sum(),...films(...director(name,films!producer(id)))&order=films(id)", [{"sum": 9, "name": "Fritz Lang", "films": []}, {"sum": 5, "name": "Jacques Tati", "films": [{"id": 3}]}]),
        ("reviews?select=...films(...roles(n:count(),parts:part.count()))", [{"n": 6, "parts": 5}]),
        ("reviews?select=...films(...roles(...actor(born.avg())))&film=eq.1", [{"avg": 1908}]),
        ("films?select=rating,...reviews(stars.min())&order=rating.desc.nullslast", [{"rating": 8.3, "min": 4}, {"rating": 5.5, "min": None}, {"rating": None, "min": 5}]),
        ("films?select=director(name),count()&director=not.is.null&order=director(name)", [{"director": {"name": "Fritz Lang"}, "count": 2}, {"director": {"name": "Jacques Tati"}, "count": 1}]),
    ],
)  # fmt: skip
def test_aggregates(api: Api, query: str, expected: Any) -> None:
    assert api.get(query) == expected


def test_spreads_of_spreads_are_what_is_grouped_by(api: Api) -> None:
    assert api.get("reviews?select=count(),...films(year,...director(name))&order=films(year)") == [
        {"count": 2, "year": 1927, "name": "Fritz Lang"},
        {"count": 1, "year": 1931, "name": "Fritz Lang"},
        {"count": 1, "year": 1967, "name": "Jacques Tati"},
    ]
    assert api.get("reviews?select=...films(...director(born.max()))") == [{"max": 1907}]


def test_a_filter_on_a_name_that_column_and_embed_share_is_on_the_column(api: Api) -> None:
    assert api.get("films?select=id,director(name)&director=eq.2") == [{"id": 3, "director": {"name": "Jacques Tati"}}]


def test_aggregates_are_counted_and_paged_as_groups(api: Api) -> None:
    answer = api("GET", "films?select=rating,count()&order=rating&limit=1", prefer="count=exact")
    assert (answer.status, answer.headers["content-range"]) == (206, "0-0/3")
    assert answer.body == [{"rating": 5.5, "count": 1}]


def test_aggregates_in_csv(api: Api) -> None:
    assert api.get("films?select=rating,count(),d:director(name)&order=rating&id=lt.3", accept="text/csv") == (
        'rating,count,d\n8.3,2,"{""name"":""Fritz Lang""}"'
    )


@pytest.mark.parametrize(
    ("query", "status", "code", "message"),
    [
        ("film?select=id", 404, "PGRST205", "Could not find the table 'public.film' in the schema cache"),
        ("films?select=nam", 400, "42703", "column films.nam does not exist"),
        ("films?nam=eq.1", 400, "42703", "column films.nam does not exist"),
        ("films?order=nam", 400, "42703", "column films.nam does not exist"),
        ("films?select=id::uint", 400, "42704", 'type "uint" does not exist'),
        ("films?select=title.sum()", 404, "42883", "function sum(text) does not exist"),
        ("films?select=facts->reels.sum()", 404, "42883", "function sum(json) does not exist"),
        ("films?year=fts.x", 404, "42883", '"year" of "films" is integer, in which there are no words to search'),
        ("films?title=match.(", 400, "2201B", "invalid regular expression: missing ): ("),
        ("films?title=like.x\\", 400, "22025", "LIKE pattern must not end with escape character"),
        ("films?title=ilike.x\\", 400, "22025", "LIKE pattern must not end with escape character"),
        ("films?id=in.1,2", 400, "PGRST100", "'in' takes a list in (), not '1,2'"),
        ("films?id=eq(any).1", 400, "PGRST100", "'(any)' takes a list in {}, not '1'"),
        ("films?facts=cs.x", 400, "22P02", "'x' is neither an array nor JSON"),
        ("films?limit=x", 400, "PGRST100", "'x' is not a number of rows"),
        ("rpc/sing", 404, "PGRST202", "Could not find the function public.sing in the schema cache"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(api: Api, query: str, status: int, code: str, message: str) -> None:
    assert api.refused(query) == (status, code, message)


def test_a_wrong_name_is_answered_with_the_one_that_was_meant(api: Api) -> None:
    assert api("GET", "film").body["hint"] == "Perhaps you meant the table 'public.films'"
    assert api("GET", "films?select=titel").body["hint"] == ('Perhaps you meant to reference the column "films.title".')
    assert api("GET", "films?select=facts->>s.sum()").body["hint"] == ("Cast it to a number: facts->>s::numeric.sum()")
    assert api("GET", "films?select=review(id)").body["hint"] == "Perhaps you meant 'reviews' instead of 'review'."


def test_long_lists_of_conditions_do_not_grow_too_deep(api: Api) -> None:
    either = ",".join(f"id.eq.{number}" for number in range(3, 3000))
    assert api.get(f"films?select=id&order=id&or=({either})") == [{"id": 3}, {"id": 4}]
    both = "&".join(f"id=neq.{number}" for number in range(3, 990))
    assert api.get(f"films?select=id&order=id&{both}") == [{"id": 1}, {"id": 2}]
    listed = ",".join(str(number) for number in range(3, 3000))
    assert api.get(f"films?select=id&order=id&id=in.({listed})") == [{"id": 3}, {"id": 4}]


# ---- the form of the body --------------------------------------------------------------------------------------


def test_a_singular_response_is_one_object(api: Api) -> None:
    answer = api("GET", "films?select=id,title&id=eq.2", accept="application/vnd.pgrst.object+json")
    assert (answer.status, answer.body) == (200, {"id": 2, "title": "M"})
    assert answer.headers["content-type"] == "application/vnd.pgrst.object+json; charset=utf-8"


@pytest.mark.parametrize(("query", "found"), [("id=eq.9", 0), ("id=lt.3", 2)])
def test_a_singular_response_of_another_number_of_rows_is_refused(api: Api, query: str, found: Any) -> None:
    answer = api("GET", f"films?{query}", accept="application/vnd.pgrst.object+json")
    assert (answer.status, answer.body) == (
        406,
        {
            "code": "PGRST116",
            "message": "Cannot coerce the result to a single JSON object",
            "details": f"The result contains {found} rows",
            "hint": "Filter by a unique key, or accept application/json",
        },
    )


def test_csv_has_a_header_quotes_what_must_be_and_leaves_null_empty(api: Api) -> None:
    answer = api("GET", "reviews?select=id,stars,text,film::bool&order=id", accept="text/csv")
    assert answer.body == "id,stars,text,film\n1,5,a city,true\n2,4,long,true\n3,,whistled,true\n4,5,,true"
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    answer = api("GET", 'films?select="a,b":facts->>cut,facts->tags&id=in.(1,2)&order=id', accept="text/csv")
    assert answer.body == ('"a,b",tags\n"{""year"":2010,""lost"":false}","[""city"",""robot""]"\n,"[""city""]"')


def test_csv_of_no_rows_is_its_header(api: Api) -> None:
    assert api.get("films?select=id,title&id=eq.9", accept="text/csv") == "id,title\n"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("films?select=id,year,director(name,born),posters(artist)&id=in.(2,4)&order=id", [{"id": 2, "year": 1931, "director": {"name": "Fritz Lang", "born": 1890}}, {"id": 4}]),
        ("people?select=id,born&id=eq.4", [{"id": 4}]),
        ("people?select=born&id=eq.4", [{}]),
        ("reviews?select=id,stars,...films(year,rating)&order=id&offset=2", [{"id": 3, "year": 1931, "rating": 8.3}, {"id": 4, "stars": 5, "year": 1967}]),
        ("films?select=id,...reviews(stars)&id=in.(2,4)&order=id", [{"id": 2, "stars": [None]}, {"id": 4, "stars": []}]),
        ("films?select=rating,year.max()&order=rating", [{"rating": 5.5}, {"rating": 8.3, "max": 1931}, {"max": 1967}]),
        ("films?select=facts->cut,id::bool&id=in.(1,2)&order=id", [{"cut": {"year": 2010, "lost": False}, "id": True}, {"id": True}]),
    ],
)  # fmt: skip
def test_stripped_nulls_are_not_there(api: Api, query: str, expected: Any) -> None:
    assert api.get(query, accept="application/vnd.pgrst.array+json;nulls=stripped") == expected


def test_stripped_nulls_of_a_singular_response(api: Api) -> None:
    answer = api("GET", "people?id=eq.4", accept="application/vnd.pgrst.object+json;nulls=stripped")
    assert answer.body == {"id": 4, "name": "Unknown"}
    assert answer.headers["content-type"] == "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8"


def test_head_has_the_headers_and_no_body(api: Api) -> None:
    answer = api("HEAD", "films?limit=2", prefer="count=exact")
    assert (answer.status, answer.body) == (206, None)
    assert answer.headers["content-range"] == "0-1/4"


def test_the_response_says_where_it_came_from_and_which_preferences_counted(api: Api) -> None:
    answer = api("GET", "films?select=id&limit=1", prefer="count=exact, return=minimal, tx=commit")
    assert answer.headers["content-location"] == "/api/rest/v1/films?limit=1&select=id"
    assert answer.headers["preference-applied"] == "count=exact, tx=commit"


def test_options_says_what_may_be_done(api: Api) -> None:
    assert api("OPTIONS", "films").headers["allow"] == "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"
    assert api("OPTIONS", "long_reviews").headers["allow"] == "OPTIONS,GET,HEAD"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"accept": "image/png"}, 406, "PGRST107"),
        ({"accept": "application/openapi+json"}, 406, "PGRST107"),
        ({"accept_profile": "private"}, 406, "PGRST106"),
        ({"prefer": "handling=strict, colour=red"}, 400, "PGRST122"),
    ],
)
def test_headers_that_cannot_be_served_are_refused(api: Api, headers: dict[str, str], status: int, code: str) -> None:
    answer = api("GET", "films", **headers)
    assert (answer.status, answer.body["code"]) == (status, code)


def test_unknown_preferences_are_ignored_unless_strict(api: Api) -> None:
    assert api("GET", "films?select=id&limit=1", prefer="handling=lenient, colour=red").body == [{"id": 1}]


@pytest.mark.parametrize(
    "filter_",
    ["id=eq.undefined", "id=lt.x", "id=neq.", "id=in.(1,x)", "id=eq(any).{1,x}", "id=gt(all).{x}", "id=isdistinct.x"],
)
def test_what_a_key_cannot_be_is_refused(api: Api, filter_: str) -> None:
    status, code, message = api.refused(f"films?{filter_}")
    assert (status, code) == (400, "22P02")
    assert message.startswith('invalid input syntax for type integer: "')


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ("id=eq.2", [2]),
        ("id=eq.+2", [2]),
        ("id=eq.2.0", [2]),
        ("id=gt.2.5", [3, 4]),
        ("id=in.(2, 3,1e0)", [1, 2, 3]),
        ("id=eq(any).{2,3}", [2, 3]),
        ("id=lt(all).{3,2.5}", [1, 2]),
        ("year=eq.soon", []),
    ],
)
def test_a_key_is_compared_with_numbers_of_every_form(api: Api, filter_: str, expected: list[int]) -> None:
    assert [row["id"] for row in api.get(f"films?select=id&order=id&{filter_}")] == expected


def test_a_number_beyond_64_bits_is_no_key(api: Api) -> None:
    assert api.refused(f"films?id=eq.{2**63}")[:2] == (400, "22003")


def test_one_set_of_parameters_is_one_location(api: Api) -> None:
    for query in ("order=id&id=gt.2&id=lt.4", "id=lt.4&order=id&id=gt.2"):
        location = api("GET", f"films?{query}").headers["content-location"]
        assert location == "/api/rest/v1/films?id=gt.2&id=lt.4&order=id"


def test_an_array_in_braces_is_equal_to_the_array(api: Api) -> None:
    assert api.get("films?select=id&facts->tags=eq.{city,robot}") == [{"id": 1}]
    assert api.get("films?select=id&facts->tags=isdistinct.{city}&facts->tags=not.is.null") == [{"id": 1}]


def test_the_root_describes_one_schema_and_says_what_may_be_done(api: Api) -> None:
    assert api("OPTIONS", "").headers["allow"] == "OPTIONS,GET,HEAD"
    answer = api("GET", "", accept_profile="private")
    assert (answer.status, answer.body["code"], answer.body["message"]) == (406, "PGRST106", "Invalid schema: private")


def test_a_path_below_a_table_leads_nowhere(api: Api) -> None:
    assert api.refused("films/1") == (404, "PGRST125", "Invalid path specified in request URL")


def test_the_schema_of_the_clients_is_public(api: Api) -> None:
    assert api.get("films?select=id&limit=1", accept_profile="public") == [{"id": 1}]


def test_a_method_that_is_none_is_refused(api: Api) -> None:
    answer = api("TRACE", "films")
    assert (answer.status, answer.body["code"]) == (405, "PGRST117")
