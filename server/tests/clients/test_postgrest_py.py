"""postgrest-py and supabase-py, synchronous and asynchronous, against a real server: the same queries with each."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from postgrest import APIError, AsyncPostgrestClient, CountMethod, ReturnMethod, SyncPostgrestClient
from supabase import AsyncClientOptions, Client, acreate_client
from supabase.lib.client_options import SyncClientOptions

from .conftest import ALICE, BOB, Library

EXACT = CountMethod.exact
KINDS = ["postgrest", "async postgrest", "supabase", "async supabase"]


@dataclass
class Caller:
    """A client of one kind for each who calls; `run` executes what was asked."""

    kind: str
    clients: dict[str, Any]
    runner: asyncio.Runner

    def __getitem__(self, name: str) -> Any:
        return self.clients[name]

    def table(self, name: str) -> Any:
        return self.clients["service"].from_(name)

    def run(self, query: Any) -> Any:
        return self.runner.run(_awaited(query.execute())) if self.kind.startswith("async") else query.execute()

    def data(self, query: Any) -> Any:
        return self.run(query).data

    def ids(self, query: Any) -> list[int]:
        return [row["id"] for row in self.data(query)]

    def refusal(self, query: Any) -> dict[str, Any]:
        with pytest.raises(APIError) as refused:
            self.run(query)
        error = refused.value
        return {"code": error.code, "message": error.message, "details": error.details, "hint": error.hint}


async def _awaited(execution: Any) -> Any:
    return await execution


async def _connect(kind: str, library: Library, name: str, http: Any) -> Any:
    key, token = library.keys["service" if name == "service" else "anon"], library.keys[name]
    headers = {"apikey": key, "Authorization": f"Bearer {token}"}
    match kind:
        case "postgrest":
            return SyncPostgrestClient(library.rest_url, headers=headers, http_client=http)
        case "async postgrest":
            return AsyncPostgrestClient(library.rest_url, headers=headers, http_client=http)
        case "supabase":
            return Client(library.url, key, SyncClientOptions(headers=headers, httpx_client=http))
        case _:
            return await acreate_client(library.url, key, AsyncClientOptions(headers=headers, httpx_client=http))


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module", params=KINDS)
def callers(request: pytest.FixtureRequest, served: Library, runner: asyncio.Runner) -> Iterator[Caller]:
    is_async = request.param.startswith("async")
    http = httpx.AsyncClient() if is_async else httpx.Client()

    async def connect() -> dict[str, Any]:
        return {name: await _connect(request.param, served, name, http) for name in served.keys}

    yield Caller(request.param, runner.run(connect()), runner)
    if isinstance(http, httpx.AsyncClient):
        runner.run(http.aclose())
    else:
        http.close()


@pytest.fixture
def caller(callers: Caller, library: Library) -> Caller:
    return callers


# ---- filters ---------------------------------------------------------------------------------------------------

Filter = Callable[[Any], Any]

FILTERS: list[tuple[str, Filter, list[int]]] = [
    ("eq", lambda q: q.eq("year", 1979), [2, 3]),
    ("eq true", lambda q: q.eq("in_print", True), [1, 4, 5]),
    ("eq a quoted title", lambda q: q.eq("title", 'Été, "bis"'), [5]),
    ("eq 64 bits", lambda q: q.eq("gross", 9007199254740993), [1]),
    ("eq other 64 bits", lambda q: q.eq("gross", 9007199254740992), []),
    ("neq", lambda q: q.neq("year", 1979), [1, 4, 5]),
    ("gt", lambda q: q.gt("year", 1979), [4, 5]),
    ("gte", lambda q: q.gte("rating", 7.5), [1, 2, 5]),
    ("lt", lambda q: q.lt("released", "1979-11-20"), [1]),
    ("lte", lambda q: q.lte("gross", 0), [4, 5]),
    ("is null", lambda q: q.is_("rating", None), [3]),
    ("is 'null'", lambda q: q.is_("rating", "null"), [3]),
    ("is true", lambda q: q.is_("in_print", True), [1, 4, 5]),
    ("is false", lambda q: q.is_("in_print", False), [2, 6]),
    ("is not null", lambda q: q.not_.is_("year", None), [1, 2, 3, 4, 5]),
    ("like", lambda q: q.like("title", "%Salt%"), [1]),
    ("like minds the case", lambda q: q.like("title", "%salt%"), []),
    ("ilike", lambda q: q.ilike("title", "%SALT%"), [1]),
    ("not ilike", lambda q: q.not_.ilike("title", "%R%"), [4, 5, 6]),
    ("like_all_of", lambda q: q.like_all_of("title", "%a%,%r%"), [3]),
    ("like_any_of", lambda q: q.like_any_of("title", "%Salt%,Night%"), [1, 2]),
    ("ilike_all_of", lambda q: q.ilike_all_of("title", "%PAPER%,%harb%"), [3]),
    ("ilike_any_of", lambda q: q.ilike_any_of("title", "%SALT%,night%"), [1, 2]),
    ("match", lambda q: q.match({"year": 1979, "in_print": False}), [2]),
    ("regex", lambda q: q.filter("title", "match", "^(The|Night) "), [1, 2]),
    ("regex without case", lambda q: q.filter("title", "imatch", "^the "), [1]),
    ("isdistinct", lambda q: q.filter("year", "isdistinct", "1979"), [1, 4, 5, 6]),
    ("in", lambda q: q.in_("id", [1, 3, 99]), [1, 3]),
    ("in with reserved characters", lambda q: q.in_("title", ["a, (b) c", 'Été, "bis"']), [5, 6]),
    ("in booleans", lambda q: q.in_("in_print", [False]), [2, 6]),
    ("in nothing", lambda q: q.in_("id", []), []),
    ("not in", lambda q: q.not_.in_("id", [1, 2, 3]), [4, 5, 6]),
    ("contains a list", lambda q: q.contains("tags", ["sea"]), [2, 3]),
    ("contains a comma", lambda q: q.contains("tags", ["odd,comma"]), [6]),
    ("contains JSON", lambda q: q.contains("tags", '["sea", "noir"]'), [2]),
    ("contains an object", lambda q: q.contains("details", {"sound": {"mono": True}}), [1]),
    ("contained_by", lambda q: q.contained_by("tags", ["sea", "desert", "classic"]), [1, 3, 4]),
    ("contained_by an object", lambda q: q.contained_by("details", {"length": 95, "x": None}), [5]),
    ("overlaps", lambda q: q.overlaps("tags", ["noir", "classic"]), [1, 2, 6]),
    ("cs", lambda q: q.cs("tags", ["sea", "noir"]), [2]),
    ("cd", lambda q: q.cd("tags", ["sea"]), [3, 4]),
    ("ov", lambda q: q.ov("tags", ["odd,comma"]), [6]),
    ("fts", lambda q: q.fts("plot", "ferry & !detective"), [4]),
    ("plfts", lambda q: q.plfts("plot", "lost ferry"), [2, 4]),
    ("phfts", lambda q: q.phfts("plot", "lost ferry"), [4]),
    ("wfts", lambda q: q.wfts("plot", '"lost ferry" or caravan'), [1, 4]),
    ("text_search", lambda q: q.text_search("plot", "'salt' | 'summers'"), [1, 5]),
    ("text_search plain", lambda q: q.text_search("plot", "lost ferry", {"type": "plain"}), [2, 4]),
    ("text_search phrase", lambda q: q.text_search("plot", "lost ferry", {"type": "phrase"}), [4]),
    ("text_search web", lambda q: q.text_search("plot", "ferry -detective", {"type": "web_search"}), [4]),
    ("text_search config", lambda q: q.text_search("plot", "ferry", {"config": "english"}), [2, 4]),
    ("or", lambda q: q.or_("year.eq.1964,rating.gt.8"), [1, 2, 5]),
    ("or with spaces", lambda q: q.or_("year.eq.1964, rating.gt.8"), [1, 2, 5]),
    ("or and", lambda q: q.or_("id.eq.1,and(year.eq.1979,rating.is.null)"), [1, 3]),
    ("not or", lambda q: q.not_.or_("year.gte.1979,id.eq.6"), [1]),
    ("or of lists", lambda q: q.or_('id.in.(1,2),title.in.("a, (b) c")'), [1, 2, 6]),
    ("filter any", lambda q: q.filter("year", "eq(any)", "{1964,1998}"), [1, 4]),
    ("not any leaves the unknown out", lambda q: q.not_.filter("year", "eq(any)", "{1964,1998}"), [2, 3, 5]),
    ("not all leaves the unknown out", lambda q: q.not_.filter("rating", "gt(all)", "{6,7}"), [4, 6]),
    ("JSON text", lambda q: q.eq("details->>language", "ja"), [4]),
    ("JSON number", lambda q: q.gte("details->length", 101), [1, 4, 6]),
    ("JSON boolean", lambda q: q.eq("details->sound->mono", True), [1]),
    ("JSON boolean is", lambda q: q.is_("details->sound->mono", True), [1]),
    ("JSON string", lambda q: q.eq("details->language", '"ja"'), [4]),
    ("JSON in a list", lambda q: q.eq("details->reels->-1->>feet", "870"), [1]),
]


@pytest.mark.parametrize(("filtered", "ids"), [case[1:] for case in FILTERS], ids=[case[0] for case in FILTERS])
def test_a_filter_finds_its_rows(caller: Caller, filtered: Filter, ids: list[int]) -> None:
    assert caller.ids(filtered(caller.table("films").select("id")).order("id")) == ids


def test_filters_stand_before_and_after_each_other(caller: Caller) -> None:
    query = caller.table("films").select("id").gte("id", 2).lte("id", 5).not_.eq("year", 1979).order("id")
    assert caller.ids(query) == [4, 5]


def test_embedded_rows_are_filtered(caller: Caller) -> None:
    query = (
        caller.table("directors").select("id,films!inner(id)").or_("year.lt.1970,rating.eq.6", reference_table="films")
    )
    assert caller.data(query.order("id")) == [{"id": 1, "films": [{"id": 1}]}, {"id": 3, "films": [{"id": 4}]}]
    query = caller.table("directors").select("id", "films(id)").eq("films.year", 1979).lte("id", 2).order("id")
    assert caller.data(query) == [{"id": 1, "films": []}, {"id": 2, "films": [{"id": 2}, {"id": 3}]}]


# ---- reading ---------------------------------------------------------------------------------------------------


def test_every_type_comes_back_as_it_was_declared(caller: Caller) -> None:
    assert caller.data(caller.table("films").select("*").eq("id", 1)) == [
        {
            "id": 1,
            "title": "The Salt Road",
            "year": 1964,
            "rating": 7.5,
            "in_print": True,
            "director_id": 1,
            "details": {"length": 101, "sound": {"mono": True}, "reels": [{"feet": 900}, {"feet": 870}], "note": None},
            "tags": ["desert", "classic"],
            "poster": "\\x00ff10",
            "gross": 9007199254740993,
            "released": "1964-03-02",
            "plot": "A caravan crosses the desert with salt and a secret.",
        }
    ]


def test_select_renames_casts_and_reaches_into_json(caller: Caller) -> None:
    query = caller.table("films").select(
        "name:title", "year::text", "in_print::text", "details->sound->mono", "details->>length"
    )
    assert caller.data(query.eq("id", 2)) == [
        {"name": "Night Ferry", "year": "1979", "in_print": "false", "mono": False, "length": "88"}
    ]


def test_odd_names_are_quoted(caller: Caller) -> None:
    query = caller.table("odd, names").select('"the id"', '"Größe (cm)"').eq("Größe (cm)", 2.5)
    assert caller.data(query) == [{"the id": 2, "Größe (cm)": 2.5}]


def test_embeds_of_every_kind(caller: Caller) -> None:
    query = caller.table("films").select(
        "title, director:directors(name, mentor:mentor_id(name)), specs(camera)",
        "roles(character, actors(last_name)), actors(first_name)",
    )
    assert caller.data(query.eq("id", 2).order("id", foreign_table="actors")) == [
        {
            "title": "Night Ferry",
            "director": {"name": "Bruno Tessari", "mentor": {"name": "Ada Marlow"}},
            "specs": {"camera": "Bolex"},
            "roles": [
                {"character": "Captain", "actors": {"last_name": "Vale"}},
                {"character": "Lost Brother", "actors": {"last_name": "Vale"}},
            ],
            "actors": [{"first_name": "Ines"}, {"first_name": "Kim"}],
        }
    ]


def test_spreads_and_hints(caller: Caller) -> None:
    query = caller.table("orders").select("item, ...addresses!shipping(shipped_to:town), billing_id(town)")
    assert caller.data(query.order("id").limit(1)) == [
        {"item": "reel", "shipped_to": "Lille", "billing_id": {"town": "Porto"}}
    ]


def test_an_ambiguous_embed_lists_its_candidates(caller: Caller) -> None:
    refusal = caller.refusal(caller.table("orders").select("item, addresses(town)"))
    assert (refusal["code"], [candidate["relationship"] for candidate in refusal["details"]]) == (
        "PGRST201",
        ["billing using orders(billing_id) and addresses(id)", "shipping using orders(shipping_id) and addresses(id)"],
    )


def test_aggregates(caller: Caller) -> None:
    assert caller.data(caller.table("films").select("year", "count()", "rating.avg()").order("year").limit(2)) == [
        {"year": 1964, "count": 1, "avg": 7.5},
        {"year": 1979, "count": 2, "avg": 8.25},
    ]
    assert caller.data(caller.table("directors").select("id, films(count)").order("id").limit(2)) == [
        {"id": 1, "films": [{"count": 1}]},
        {"id": 2, "films": [{"count": 2}]},
    ]


def test_order_limit_offset_and_range(caller: Caller) -> None:
    films = caller.table("films")
    assert caller.ids(films.select("id").order("year", desc=True, nullsfirst=False).order("id")) == [5, 4, 2, 3, 1, 6]
    assert caller.ids(films.select("id").order("rating", nullsfirst=True).limit(2)) == [3, 6]
    assert caller.ids(films.select("id").order("id").limit(2).offset(3)) == [4, 5]
    assert caller.ids(films.select("id").order("id").range(1, 2)) == [2, 3]
    assert caller.ids(films.select("id, directors(name)").order("directors(name)", desc=True).order("id")) == [
        5,
        4,
        6,
        2,
        3,
        1,
    ]
    query = caller.table("directors").select("films(id)").eq("id", 3)
    assert caller.data(query.order("id", desc=True, foreign_table="films").limit(1, foreign_table="films")) == [
        {"films": [{"id": 6}]}
    ]


@pytest.mark.parametrize("count", list(CountMethod))
def test_counts(caller: Caller, count: CountMethod) -> None:
    answer = caller.run(caller.table("films").select("id", count=count).order("id").limit(1))
    assert (answer.data, answer.count) == ([{"id": 1}], 6)
    answer = caller.run(caller.table("films").select("id", count=count, head=True).eq("year", 1979))
    assert (answer.data, answer.count) == ([], 2)


def test_single_and_maybe_single(caller: Caller) -> None:
    films = caller.table("films")
    assert caller.data(films.select("id").eq("id", 1).single()) == {"id": 1}
    assert caller.data(films.select("id").eq("id", 1).maybe_single()) == {"id": 1}
    assert caller.run(films.select("id").eq("id", 99).maybe_single()) is None
    assert caller.refusal(films.select("id").eq("year", 1979).single()) == {
        "code": "PGRST116",
        "message": "Cannot coerce the result to a single JSON object",
        "details": "The result contains 2 rows",
        "hint": "Filter by a unique key, or accept application/json",
    }


def test_csv_and_stripped_nulls(caller: Caller) -> None:
    films = caller.table("films")
    assert caller.data(films.select("id", "title", "in_print").gte("id", 5).order("id").csv()) == (
        'id,title,in_print\n5,"Été, ""bis""",true\n6,"a, (b) c",false'
    )
    assert caller.data(films.select("id", "year", "rating").eq("id", 6).strip_nulls()) == [{"id": 6, "rating": 3.5}]


def test_what_is_not_there_is_named(caller: Caller) -> None:
    assert caller.refusal(caller.table("filmz").select("*")) == {
        "code": "PGRST205",
        "message": "Could not find the table 'public.filmz' in the schema cache",
        "details": None,
        "hint": "Perhaps you meant the table 'public.films'",
    }
    assert caller.refusal(caller.table("films").select("titel")) == {
        "code": "42703",
        "message": "column films.titel does not exist",
        "details": None,
        "hint": 'Perhaps you meant to reference the column "films.title".',
    }


def test_a_head_request_that_is_refused_says_why(caller: Caller) -> None:
    with pytest.raises(APIError) as refused:
        caller.run(caller.table("films").select("nope", head=True))
    assert refused.value.code == "42703"


def test_functions_and_other_schemas_are_not_there(caller: Caller) -> None:
    query = caller["service"].rpc("add", {"a": 1})
    assert (
        caller.refusal(caller.runner.run(_awaited(query)) if hasattr(query, "__await__") else query)["code"]
        == "PGRST202"
    )
    assert caller.refusal(caller["service"].schema("other").from_("films").select("id")) == {
        "code": "PGRST106",
        "message": "Invalid schema: other",
        "details": "in the header Accept-Profile",
        "hint": "Only the following schemas are exposed: public",
    }


# ---- writing ---------------------------------------------------------------------------------------------------


def test_insert_shows_the_row_or_nothing(caller: Caller) -> None:
    tickets = caller.table("tickets")
    assert caller.data(
        tickets.insert({"id": 10, "holder": "Yan", "seat": "B7", "extras": {"a": [1, None]}, "scan": b"\x01"})
    ) == [
        {
            "id": 10,
            "holder": "Yan",
            "seat": "B7",
            "price": 10,
            "paid": False,
            "extras": {"a": [1, None]},
            "scan": "\\x01",
            "film_id": None,
            "label": "Yan/B7",
        }
    ]
    assert caller.data(tickets.insert({"id": 11, "holder": "Zoe"}, returning=ReturnMethod.minimal)) == []
    assert caller.ids(tickets.select("id").gte("id", 10).order("id")) == [10, 11]


def test_insert_many_with_nulls_or_defaults(caller: Caller) -> None:
    rows = [{"holder": "a", "price": 3}, {"holder": "b"}]
    tickets = caller.table("tickets")
    assert [row["price"] for row in caller.data(tickets.insert(rows))] == [3, None]
    answer = caller.run(tickets.insert(rows, default_to_null=False, count=EXACT).select("holder", "price"))
    assert (answer.data, answer.count) == ([{"holder": "a", "price": 3}, {"holder": "b", "price": 10}], 2)
    assert caller.data(tickets.insert([])) == []


def test_upsert_merges_or_ignores(caller: Caller) -> None:
    stock, tickets = caller.table("stock"), caller.table("tickets")
    assert caller.data(
        stock.upsert([{"warehouse": "north", "sku": "lamp", "amount": 7}, {"warehouse": "w", "sku": "x", "amount": 1}])
    ) == [
        {"warehouse": "north", "sku": "lamp", "amount": 7, "note": "old"},
        {"warehouse": "w", "sku": "x", "amount": 1, "note": None},
    ]
    assert caller.data(
        tickets.upsert({"holder": "V", "seat": "A1"}, on_conflict="seat").select("id", "holder", "price")
    ) == [{"id": 1, "holder": "V", "price": 12.5}]
    assert caller.data(tickets.upsert({"id": 1, "holder": "W"}, ignore_duplicates=True)) == []
    assert caller.data(tickets.insert({"id": 1, "holder": "X"}, upsert=True).select("holder")) == [{"holder": "X"}]
    assert caller.data(tickets.select("holder").eq("id", 1)) == [{"holder": "X"}]


def test_update_and_delete(caller: Caller) -> None:
    tickets = caller.table("tickets")
    answer = caller.run(tickets.update({"price": 2}, count=EXACT, returning=ReturnMethod.minimal).lte("id", 2))
    assert (answer.data, answer.count) == ([], 2)
    assert caller.data(tickets.update({"extras": {"x": 1}, "paid": True}).eq("id", 3).select("id, extras, paid")) == [
        {"id": 3, "extras": {"x": 1}, "paid": True}
    ]
    assert caller.data(tickets.update({"price": 2}).eq("id", 99)) == []
    assert caller.data(tickets.delete().eq("id", 1).select("id, films(title)")) == [
        {"id": 1, "films": {"title": "The Salt Road"}}
    ]
    answer = caller.run(tickets.delete(count=EXACT, returning=ReturnMethod.minimal).gte("id", 0))
    assert (answer.data, answer.count) == ([], 2)


def test_max_affected_refuses_more(caller: Caller) -> None:
    tickets = caller.table("tickets")
    assert caller.refusal(tickets.delete().gte("id", 1).max_affected(2)) == {
        "code": "PGRST124",
        "message": "Query result exceeds max-affected preference constraint",
        "details": "The query affects 3 rows",
        "hint": "Filter more narrowly, or allow more in Prefer: max-affected",
    }
    assert caller.ids(tickets.delete().gte("id", 2).max_affected(2)) == [2, 3]


def test_constraints_are_told(caller: Caller) -> None:
    tickets = caller.table("tickets")
    assert caller.refusal(tickets.insert({"id": 1, "holder": "x"})) == {
        "code": "23505",
        "message": 'duplicate key value violates unique constraint "tickets_pkey"',
        "details": "Key (id)=(1) already exists.",
        "hint": None,
    }
    assert caller.refusal(tickets.insert({"seat": "x"}))["code"] == "23502"
    assert caller.refusal(tickets.update({"price": -1}).eq("id", 1))["code"] == "23514"
    assert caller.refusal(tickets.insert({"holder": "x", "film_id": 77}))["code"] == "23503"
    assert caller.refusal(tickets.insert({"holder": "x", "sea": 1}))["code"] == "PGRST204"


# ---- who may ---------------------------------------------------------------------------------------------------


def test_each_sees_and_writes_their_own(caller: Caller) -> None:
    seen = {
        name: caller.ids(caller[name].from_("notes").select("id").order("id"))
        for name in ("service", "anon", "alice", "bob")
    }
    assert seen == {"service": [1, 2, 3], "anon": [2], "alice": [1, 2], "bob": [2, 3]}
    mine = caller["alice"].from_("notes").insert({"id": 10, "owner": ALICE, "text": "new"})
    assert caller.data(mine) == [{"id": 10, "owner": ALICE, "text": "new", "public": False}]
    forged = caller["alice"].from_("notes").insert({"id": 11, "owner": BOB, "text": "forged"})
    assert caller.refusal(forged)["message"] == 'new row violates row-level security policy for table "notes"'
    assert caller.ids(caller["alice"].from_("notes").update({"text": "x"}).gte("id", 0).order("id")) == [1, 2, 10]


def test_what_is_not_granted_is_refused(caller: Caller) -> None:
    for name in ("anon", "alice"):
        refusal = caller.refusal(caller[name].from_("vault").select("*"))
        assert (refusal["code"], refusal["message"]) == ("42501", "permission denied for table vault")
    refusal = caller.refusal(caller["expired"].from_("films").select("id"))
    assert (refusal["code"], refusal["message"]) == ("PGRST303", "JWT expired")
