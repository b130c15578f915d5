"""Requests become plans: names are found as the role may see them, and what is not there or not allowed ends here."""

# ruff: noqa: E501 - the rows of a table read better whole

from typing import Any

import pytest

from wherry.errors import ApiError
from wherry.policies.model import Access, Always, Expression
from wherry.rest.api_request import Aggregate, Operator
from wherry.rest.names import Names
from wherry.rest.plan import (
    AggregateValue,
    ColumnValue,
    Comparison,
    DeletePlan,
    Exists,
    InsertPlan,
    OutputEmbed,
    OutputField,
    OutputSpread,
    ReadRequestPlan,
    RelatedValue,
    Total,
    UpdatePlan,
)
from wherry.schema.model import ColumnType, Table

from .library import LIBRARY, SCHEMA, granted, names_of, nothing, planned, schema_of

VISIBLE = Expression(("year > 1900",))


def some(table: Table) -> Access:
    """Read and write parts of films and people; nothing else."""
    match table.name:
        case "films":
            return granted(table, "id", "title", "director", insertable=("title", "year"), updatable=("title",))
        case "people":
            return granted(table, "id", "name", visible=Always())
    return nothing(table)


LIMITED = names_of(grant=some)


def refusal(method: str, target: str, names: Names | None = None, **more: str) -> ApiError:
    with pytest.raises(ApiError) as refused:
        planned(method, target, names=names, **more)
    return refused.value


def test_a_read_knows_its_table_columns_and_policy() -> None:
    plan = planned("GET", "films?select=title,d:director(name)&title=eq.x&limit=1", names=LIMITED)
    assert isinstance(plan, ReadRequestPlan)
    read = plan.read
    films, people = SCHEMA.tables["films"], SCHEMA.tables["people"]
    assert (read.source.table, read.source.columns, read.source.visible) == (
        "films",
        ("id", "title", "director"),
        VISIBLE,
    )
    assert not read.source.unrestricted
    assert read.conditions == (Comparison(ColumnValue(films.columns["title"]), Operator.EQ, False, None, 0, None),)
    field, embed = read.items
    assert field == OutputField("title", ColumnValue(films.columns["title"]))
    assert isinstance(embed, OutputEmbed)
    assert (embed.key, embed.join.relationship.name, embed.join.plan.source.columns) == (
        "d",
        "films_director_fkey",
        ("id", "name"),
    )
    assert embed.join.plan.items == (OutputField("name", ColumnValue(people.columns["name"])),)
    assert (read.limit, plan.total) == (1, Total.NONE)


@pytest.mark.parametrize(
    ("select", "keys"),
    [
        ("*", ["id", "title", "year", "good", "facts", "director", "slug"]),
        ("title,*,title", ["title", "id", "year", "good", "facts", "director", "slug"]),
        ("facts->a->b,facts->>c,facts->0,n:id", ["b", "c", "facts", "n"]),
        ("count(),n:id.sum(),year.max()", ["count", "n", "max"]),
        ("count", ["count"]),
        ("director(id),x:roles()", ["director"]),
    ],
)
def test_members_are_named_as_in_postgrest(select: str, keys: list[str]) -> None:
    plan = planned("GET", f"films?select={select}")
    assert isinstance(plan, ReadRequestPlan)
    assert [item.key for item in plan.read.items if not isinstance(item, OutputSpread)] == keys


@pytest.mark.parametrize(
    ("select", "type_"),
    [
        ("id", ColumnType.INTEGER),
        ("facts", ColumnType.JSON),
        ("facts->a", ColumnType.JSON),
        ("facts->>a", ColumnType.TEXT),
        ("facts->>a::int", ColumnType.INTEGER),
        ("id::character varying", ColumnType.TEXT),
        ("id.count()", ColumnType.INTEGER),
        ("id.sum()", ColumnType.NUMERIC),
        ("id.sum()::text", ColumnType.TEXT),
        ("title.max()", ColumnType.TEXT),
        ("facts->a.max()", ColumnType.UNTYPED),
        ("facts->>a.max()", ColumnType.TEXT),
    ],
)
def test_values_have_the_type_that_they_travel_by(select: str, type_: ColumnType) -> None:
    plan = planned("GET", f"films?select={select}")
    assert isinstance(plan, ReadRequestPlan)
    (item,) = plan.read.items
    assert isinstance(item, OutputField)
    assert item.value.type is type_


def test_a_spread_of_aggregates_groups_the_rows_around_it() -> None:
    plan = planned("GET", "films?select=title,...director(name,id.max(),count()),...roles(film.count())")
    assert isinstance(plan, ReadRequestPlan)
    values = [item.value for item in plan.read.items if isinstance(item, OutputField)]
    assert plan.read.grouped
    assert [type(value) for value in values] == [ColumnValue, RelatedValue, *[AggregateValue] * 3]
    functions = [(value.function, len(value.through)) for value in values if isinstance(value, AggregateValue)]
    assert functions == [(Aggregate.MAX, 0), (Aggregate.COUNT, 1), (Aggregate.COUNT, 1)]


def test_an_inner_embed_is_a_condition_on_its_parent() -> None:
    plan = planned("GET", "people?select=films!director!inner(id,roles!inner())")
    assert isinstance(plan, ReadRequestPlan)
    (outer,) = plan.read.conditions
    assert isinstance(outer, Exists)
    (inner,) = outer.join.plan.conditions
    assert isinstance(inner, Exists)
    assert (outer.negated, inner.join.relationship.target) == (False, "roles")


# ---- names that are not there ----------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["select=id,{}", "{}=eq.1", "or=(id.eq.1,{}.eq.1)", "order={}", "select={}.max()"])
def test_a_hidden_column_is_answered_as_one_that_does_not_exist(place: str) -> None:
    hidden = refusal("GET", "films?" + place.format("year"), LIMITED)
    missing = refusal("GET", "films?" + place.format("zzzz"), LIMITED)
    assert (
        (hidden.status, hidden.code, hidden.hint)
        == (missing.status, missing.code, missing.hint)
        == (400, "42703", None)
    )
    assert hidden.message == missing.message.replace("zzzz", "year") == "column films.year does not exist"


def test_hints_suggest_what_the_role_may_see() -> None:
    assert refusal("GET", "films?select=titel").hint == 'Perhaps you meant to reference the column "films.title".'
    assert refusal("GET", "films?select=slog", LIMITED).hint is None
    assert refusal("GET", "rolls").hint == "Perhaps you meant the table 'public.roles'"
    assert refusal("GET", "rolls", LIMITED).hint is None
    assert refusal("POST", "films", LIMITED, columns="yeer").hint == "Perhaps you meant 'year'"
    assert refusal("POST", "films", LIMITED, columns="slog").hint is None


@pytest.mark.parametrize(
    ("target", "status", "code", "message"),
    [
        ("nothing", 404, "PGRST205", "Could not find the table 'public.nothing' in the schema cache"),
        ("Films", 404, "PGRST205", "Could not find the table 'public.Films' in the schema cache"),
        ("films?select=x(id)", 400, "PGRST200", "Could not find a relationship between 'films' and 'x' in the schema cache"),
        ("films?select=log(line)", 400, "PGRST200", "Could not find a relationship between 'films' and 'log' in the schema cache"),
        ("films?select=people(id)", 300, "PGRST201", "Could not embed because more than one relationship was found for 'films' and 'people'"),
        ("films?select=people!films(id)", 400, "PGRST200", "Could not find a relationship between 'films' and 'people' in the schema cache"),
        ("films?select=id::point", 400, "42704", 'type "point" does not exist'),
        ("films?select=good.avg()", 404, "42883", "function avg(boolean) does not exist"),
        ("films?year=fts.x", 404, "42883", '"year" of "films" is integer, in which there are no words to search'),
        ("films?search=fts.x", 400, "42703", "column films.search does not exist"),
        ("films?select=roles(film)&roles.limit=1&rules.limit=1", 400, "PGRST108", "'rules' is not an embedded resource in this request"),
        ("films?select=roles(film)&roles=gt.1", 400, "PGRST120", "Bad operator on the 'roles' embedded resource"),
        ("films?select=title,...roles(film,count())", 400, "PGRST127", "Feature not implemented"),
        ("films?select=title,...roles(...actor(name),count())", 400, "PGRST127", "Feature not implemented"),
    ],
)  # fmt: skip
def test_what_the_schema_does_not_have_is_refused(target: str, status: int, code: str, message: str) -> None:
    error = refusal("GET", target)
    assert (error.status, error.code, error.message) == (status, code, message)


@pytest.mark.parametrize(
    ("method", "target", "columns", "message"),
    [
        ("GET", "roles", "", "permission denied for table roles"),
        ("GET", "films?select=roles(film)", "", "permission denied for table roles"),
        ("POST", "people", "name", "permission denied for table people"),
        ("PATCH", "people", "name", "permission denied for table people"),
        ("DELETE", "people", "", "permission denied for table people"),
        ("POST", "films", "director", 'permission denied for column "director" of table films'),
        ("PATCH", "films", "director", 'permission denied for column "director" of table films'),
    ],
)
def test_what_the_role_may_not_is_refused(method: str, target: str, columns: str, message: str) -> None:
    error = refusal(method, target, LIMITED, columns=columns)
    assert (error.status, error.code, error.message) == (401, "42501", message)
    signed_in = Names(SCHEMA, "authenticated", some)
    assert refusal(method, target, signed_in, columns=columns).status == 403


def test_a_relationship_through_hidden_columns_is_not_there() -> None:
    hidden = names_of(grant=lambda t: granted(t, *(c for c in t.columns if c not in ("director", "actor"))))
    for embed in ("director", "people", "people!roles"):
        error = refusal("GET", f"films?select={embed}(id)", hidden)
        assert (error.code, error.hint) == ("PGRST200", None)


def test_only_the_visible_one_of_several_relationships_is_meant() -> None:
    no_roles = names_of(grant=lambda t: nothing(t) if t.name == "roles" else granted(t, *t.columns))
    plan = planned("GET", "films?select=people(name)", names=no_roles)
    assert isinstance(plan, ReadRequestPlan)
    (embed,) = plan.read.items
    assert isinstance(embed, OutputEmbed)
    assert embed.join.relationship.name == "films_director_fkey"


# ---- relationships ---------------------------------------------------------------------------------------------

FAMILY = schema_of("""
CREATE TABLE people (id INTEGER PRIMARY KEY, mother INTEGER REFERENCES people (id),
    father INTEGER CONSTRAINT fathered REFERENCES people (id));
CREATE TABLE passports (person INTEGER PRIMARY KEY REFERENCES people (id), number TEXT);
CREATE TABLE towns (country TEXT, name TEXT, PRIMARY KEY (country, name));
CREATE TABLE houses (id INTEGER PRIMARY KEY, country TEXT, town TEXT, owner INTEGER REFERENCES people (id),
    tenant INTEGER REFERENCES people (id), CONSTRAINT stands_in FOREIGN KEY (country, town) REFERENCES towns (country, name));
""")


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("people?select=mother(id)", ("people_mother_fkey", "many-to-one", ("mother",), ("id",))),
        ("people?select=people!mother(id)", ("people_mother_fkey", "one-to-many", ("id",), ("mother",))),
        ("people?select=people!fathered(id)", ("fathered", "one-to-many", ("id",), ("father",))),
        ("people?select=passports(number)", ("passports_person_fkey", "one-to-one", ("id",), ("person",))),
        ("passports?select=people(id)", ("passports_person_fkey", "one-to-one", ("person",), ("id",))),
        ("passports?select=person(id)", ("passports_person_fkey", "one-to-one", ("person",), ("id",))),
        ("houses?select=towns(name)", ("stands_in", "many-to-one", ("country", "town"), ("country", "name"))),
        ("houses?select=stands_in(name)", ("stands_in", "many-to-one", ("country", "town"), ("country", "name"))),
        ("towns?select=houses(id)", ("stands_in", "one-to-many", ("country", "name"), ("country", "town"))),
        ("houses?select=people!owner(id)", ("houses_owner_fkey", "many-to-one", ("owner",), ("id",))),
        ("houses?select=people!houses_tenant_fkey(id)", ("houses_tenant_fkey", "many-to-one", ("tenant",), ("id",))),
        ("people?select=houses!tenant(id)", ("houses_tenant_fkey", "one-to-many", ("id",), ("tenant",))),
    ],
)
def test_an_embed_means_one_relationship(target: str, found: Any) -> None:
    plan = planned("GET", target, names=names_of(FAMILY))
    assert isinstance(plan, ReadRequestPlan)
    (embed,) = plan.read.items
    assert isinstance(embed, OutputEmbed)
    meant = embed.join.relationship
    assert (meant.name, meant.cardinality, meant.source_columns, meant.target_columns) == found


# ---- totals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "target", "prefer", "total"),
    [
        (50_000, "films", "", (Total.NONE, 0)),
        (50_000, "films", "count=exact", (Total.EXACT, 0)),
        (50_000, "films", "count=planned", (Total.ESTIMATED, 50_000)),
        (50_000, "films", "count=estimated", (Total.ESTIMATED, 50_000)),
        (500, "films", "count=planned", (Total.ESTIMATED, 500)),
        (500, "films", "count=estimated", (Total.EXACT, 0)),
        (50_000, "films?id=gt.1", "count=planned", (Total.EXACT, 0)),
        (50_000, "films?select=year,count()", "count=planned", (Total.EXACT, 0)),
        (50_000, "people", "count=planned", (Total.EXACT, 0)),
    ],
)
def test_rows_are_estimated_where_a_whole_table_was_analysed(
    rows: int, target: str, prefer: str, total: tuple[Total, int]
) -> None:
    analysed = schema_of(f"{LIBRARY}; ANALYZE; INSERT INTO sqlite_stat1 VALUES ('films', NULL, '{rows}')")
    plan = planned("GET", target, prefer=prefer, names=names_of(analysed))
    assert isinstance(plan, ReadRequestPlan)
    assert (plan.total, plan.estimate) == total


def test_a_policed_table_is_never_estimated() -> None:
    analysed = schema_of(f"{LIBRARY}; ANALYZE; INSERT INTO sqlite_stat1 VALUES ('films', NULL, '50000')")
    plan = planned("GET", "films", prefer="count=planned", names=names_of(analysed, some))
    assert isinstance(plan, ReadRequestPlan)
    assert plan.total is Total.EXACT


# ---- writes ----------------------------------------------------------------------------------------------------


def test_a_write_cannot_forget_its_policy() -> None:
    check = Expression(("year < 2100",))
    insert = planned("POST", "films", columns="title,year", names=LIMITED)
    assert isinstance(insert, InsertPlan)
    assert (insert.allowed, insert.conflict) == ((check,), None)
    shown = planned("POST", "films?select=id", columns="title", prefer="return=representation", names=LIMITED)
    assert isinstance(shown, InsertPlan)
    assert shown.allowed == (check, VISIBLE)
    update = planned("PATCH", "films?id=eq.1", columns="title", names=LIMITED)
    assert isinstance(update, UpdatePlan)
    assert (update.reach.within, update.allowed) == ((VISIBLE,), (check, VISIBLE))
    delete = planned("DELETE", "films", names=LIMITED)
    assert isinstance(delete, DeletePlan)
    assert delete.reach.within == (VISIBLE,)


@pytest.mark.parametrize(
    ("method", "target", "columns", "prefer", "status", "code"),
    [
        ("POST", "titles", "title", "", 405, "55000"),
        ("PATCH", "titles", "title", "", 405, "55000"),
        ("DELETE", "titles", "", "", 405, "55000"),
        ("POST", "films", "slug", "", 400, "428C9"),
        ("POST", "films", "nothing", "", 400, "PGRST204"),
        ("PATCH", "films", "nothing", "", 400, "PGRST204"),
        ("POST", "films?on_conflict=nothing", "title", "resolution=merge-duplicates", 400, "42703"),
        ("POST", "films?on_conflict=year", "title", "resolution=merge-duplicates", 400, "42P10"),
        ("PATCH", "films?limit=1", "title", "", 400, "PGRST109"),
        ("PATCH", "films?reviews.limit=1", "title", "", 400, "PGRST108"),
        ("PATCH", "films?select=count()", "title", "return=representation", 400, "PGRST127"),
        ("PUT", "films", "id", "", 405, "PGRST105"),
        ("PUT", "films?id=eq.1&limit=1", "id", "", 400, "PGRST114"),
        ("PUT", "films?id=eq.1", "title", "", 400, "PGRST115"),
        ("PUT", "log", "line", "", 405, "PGRST105"),
        ("TRACE", "films", "", "", 405, "PGRST117"),
    ],
)
def test_a_write_that_cannot_be_is_refused(
    method: str, target: str, columns: str, prefer: str, status: int, code: str
) -> None:
    error = refusal(method, target, columns=columns, prefer=prefer)
    assert (error.status, error.code) == (status, code)


def test_a_table_whose_rows_nothing_tells_apart_is_not_written_with_a_limit() -> None:
    schema = schema_of("CREATE TABLE odd (rowid TEXT, _rowid_ TEXT, oid TEXT)")
    error = refusal("DELETE", "odd?order=oid&limit=1", names_of(schema))
    assert (error.code, error.message) == (
        "PGRST127",
        "'odd' cannot be written with a 'limit': nothing tells its rows from each other",
    )


@pytest.mark.parametrize(
    ("sql", "key"),
    [
        ("CREATE TABLE t (a)", ("rowid",)),
        ("CREATE TABLE t (RowId TEXT)", ("_rowid_",)),
        ("CREATE TABLE t (rowid INTEGER PRIMARY KEY)", ("rowid",)),
        ("CREATE TABLE t (rowid TEXT, _ROWID_ TEXT)", ("oid",)),
        ("CREATE TABLE t (a, b, PRIMARY KEY (b, a)) WITHOUT ROWID", ("b", "a")),
        ("CREATE VIEW t AS SELECT 1 AS a", ()),
    ],
)
def test_rows_are_told_apart_by_a_name_that_no_column_has(sql: str, key: tuple[str, ...]) -> None:
    assert schema_of(sql).tables["t"].row_key == key
