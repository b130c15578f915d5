"""Relationships from values alone; no database."""

import time

import pytest

from wherry.schema.model import (
    Cardinality,
    Column,
    ForeignKey,
    Junction,
    Relationship,
    Schema,
    Table,
    TableKind,
    UniqueKey,
)
from wherry.schema.relationships import relate


def _key(table: str, columns: str, parent: str, referenced: str = "id", name: str = "") -> ForeignKey:
    return ForeignKey(name or f"{table}_{parent}", table, tuple(columns.split()), parent, tuple(referenced.split()))


def _table(name: str, columns: str, *keys: ForeignKey, unique: tuple[str, ...] = ("id",)) -> Table:
    unique_keys = tuple(UniqueKey(f"{name}_{key}", tuple(key.split())) for key in unique)
    return Table(
        name,
        TableKind.TABLE,
        {column: Column(column) for column in columns.split()},
        unique_keys=unique_keys,
        foreign_keys=keys,
    )


def _view(name: str, /, **origins: str) -> Table:
    """Make a view: `_view("v", a="films.id")`."""
    columns = {}
    for column, origin in origins.items():
        table, _, of = origin.partition(".")
        columns[column] = Column(column, origin=(table, of) if of else None)
    return Table(name, TableKind.VIEW, columns)


def _related(*tables: Table) -> dict[str, tuple[Relationship, ...]]:
    return relate({table.name: table for table in tables})


PEOPLE = _table("people", "id name")
FILMS = _table("films", "id director", _key("films", "director", "people"))
ROLES_FILM, ROLES_PERSON = _key("roles", "film", "films"), _key("roles", "person", "people")
ROLES = _table("roles", "film person part", ROLES_FILM, ROLES_PERSON, unique=("film person",))


def test_a_foreign_key_relates_both_tables() -> None:
    assert _related(PEOPLE, FILMS) == {
        "films": (
            Relationship("films_people", "films", "people", Cardinality.MANY_TO_ONE, ("director",), ("id",)),
        ),
        "people": (
            Relationship("films_people", "people", "films", Cardinality.ONE_TO_MANY, ("id",), ("director",)),
        ),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("unique", "cardinality"),
    [
        (("director",), Cardinality.ONE_TO_ONE),
        (("id", "director"), Cardinality.ONE_TO_ONE),
        (("director year",), Cardinality.MANY_TO_ONE),
        ((), Cardinality.MANY_TO_ONE),
    ],
)
def test_a_unique_key_within_the_foreign_key_makes_it_one_to_one(
    unique: tuple[str, ...], cardinality: Cardinality
) -> None:
    films = _table("films", "id director year", _key("films", "director", "people"), unique=unique)
    related = _related(PEOPLE, films)
    assert related["films"][0].cardinality is cardinality
    assert related["films"][0].leads_to_one
    assert related["people"][0].leads_to_one is (cardinality is Cardinality.ONE_TO_ONE)


def test_a_composite_key_relates_column_by_column() -> None:
    parent = _table("parent", "a b", unique=("a b",))
    child = _table("child", "x y", _key("child", "y x", "parent", "a b"), unique=())
    assert [(r.source_columns, r.target_columns) for r in _related(parent, child)["parent"]] == [
        (("a", "b"), ("y", "x"))
    ]


def test_a_table_related_to_itself_is_related_in_both_directions() -> None:
    staff = _table("staff", "id boss", _key("staff", "boss", "staff"))
    assert _related(staff) == {
        "staff": (
            Relationship("staff_staff", "staff", "staff", Cardinality.MANY_TO_ONE, ("boss",), ("id",), is_self=True),
            Relationship("staff_staff", "staff", "staff", Cardinality.ONE_TO_MANY, ("id",), ("boss",), is_self=True),
        )
    }


def test_two_keys_to_one_table_make_two_relationships() -> None:
    loans = _table("loans", "id a b", _key("loans", "a", "people", name="x"), _key("loans", "b", "people", name="y"))
    assert [(r.name, r.target_columns) for r in _related(PEOPLE, loans)["people"]] == [("x", ("a",)), ("y", ("b",))]


def test_a_junction_relates_many_to_many_in_both_directions() -> None:
    related = _related(PEOPLE, _table("films", "id"), ROLES)
    assert related["films"][-1] == Relationship(
        "roles", "films", "people", Cardinality.MANY_TO_MANY, ("id",), ("id",),
        Junction("roles", ROLES_FILM, ROLES_PERSON, ("film",), ("person",)),
    )  # fmt: skip
    assert related["people"][-1] == Relationship(
        "roles", "people", "films", Cardinality.MANY_TO_MANY, ("id",), ("id",),
        Junction("roles", ROLES_PERSON, ROLES_FILM, ("person",), ("film",)),
    )  # fmt: skip
    assert {name: len(found) for name, found in related.items()} == {"films": 2, "people": 2, "roles": 2}


@pytest.mark.parametrize(
    ("unique", "is_junction"),
    [
        (("film person",), True),
        (("id", "film person part"), True),
        (("id",), False),
        (("film", "person"), False),
        (("film part",), False),
        ((), False),
    ],
)
def test_only_keys_within_one_unique_key_make_a_junction(unique: tuple[str, ...], is_junction: bool) -> None:
    roles = _table("roles", "id film person part", ROLES_FILM, ROLES_PERSON, unique=unique)
    cardinalities = {r.cardinality for r in _related(PEOPLE, _table("films", "id"), roles)["films"]}
    assert (Cardinality.MANY_TO_MANY in cardinalities) is is_junction


def test_a_junction_may_relate_a_table_to_itself() -> None:
    one, other = _key("knows", "a", "people", name="x"), _key("knows", "b", "people", name="y")
    knows = _table("knows", "a b", one, other, unique=("a b",))
    through = [r for r in _related(PEOPLE, knows)["people"] if r.junction]
    assert through == [
        Relationship(
            "knows", "people", "people", Cardinality.MANY_TO_MANY, ("id",), ("id",),
            Junction("knows", one, other, ("a",), ("b",)), is_self=True,
        ),
        Relationship(
            "knows", "people", "people", Cardinality.MANY_TO_MANY, ("id",), ("id",),
            Junction("knows", other, one, ("b",), ("a",)), is_self=True,
        ),
    ]  # fmt: skip


def test_views_stand_in_for_their_tables() -> None:
    related = _related(
        PEOPLE,
        FILMS,
        _view("old_films", key="films.id", by="films.director"),
        _view("stars", who="people.id", sum=""),
        _view("names", name="people.name"),
    )
    assert {
        source: [(r.target, r.source_columns, r.target_columns) for r in found] for source, found in related.items()
    } == {
        "films": [("people", ("director",), ("id",)), ("stars", ("director",), ("who",))],
        "people": [("films", ("id",), ("director",)), ("old_films", ("id",), ("by",))],
        "old_films": [("people", ("by",), ("id",)), ("stars", ("by",), ("who",))],
        "stars": [("films", ("who",), ("director",)), ("old_films", ("who",), ("by",))],
    }  # fmt: skip


def test_a_view_may_stand_at_every_place_of_a_junction() -> None:
    related = _related(
        PEOPLE,
        _table("films", "id"),
        ROLES,
        _view("casts", f="roles.film", p="roles.person"),
        _view("v", k="people.id"),
    )
    through = [(r.name, r.target, r.target_columns, r.junction.target_columns) for r in related["films"] if r.junction]
    assert through == [
        ("roles", "people", ("id",), ("person",)),
        ("casts", "people", ("id",), ("p",)),
        ("roles", "v", ("k",), ("person",)),
        ("casts", "v", ("k",), ("p",)),
    ]


def test_a_view_that_shows_a_column_twice_is_related_twice() -> None:
    related = _related(PEOPLE, FILMS, _view("pairs", one="people.id", other="people.id"))
    assert [r.source_columns for r in related["pairs"]] == [("one",), ("other",)]


def test_a_view_of_a_table_related_to_itself_is_related_to_the_table_and_to_itself() -> None:
    staff = _table("staff", "id boss", _key("staff", "boss", "staff"))
    related = _related(staff, _view("v", id="staff.id", boss="staff.boss"))
    assert [(r.target, r.cardinality.value, r.is_self) for r in related["v"]] == [
        ("staff", "many-to-one", False),
        ("staff", "one-to-many", False),
        ("v", "many-to-one", True),
        ("v", "one-to-many", True),
    ]


def test_hundreds_of_views_make_a_bounded_number_of_relationships() -> None:
    views = [_view(f"p{i}", id="people.id") for i in range(200)]
    views += [_view(f"f{i}", id="films.id", director="films.director") for i in range(200)]
    views += [_view(f"r{i}", film="roles.film", person="roles.person") for i in range(200)]
    start = time.process_time()
    related = _related(PEOPLE, FILMS, ROLES, *views)
    assert time.process_time() - start < 5
    assert sum(map(len, related.values())) == 8000
    assert {"films", "f0", "f199"} <= {r.target for r in related["people"]}


def test_a_schema_lists_the_ways_from_a_table() -> None:
    related = _related(PEOPLE, FILMS)
    schema = Schema(1, {"people": PEOPLE, "films": FILMS}, related)
    assert schema.relationships_of("films") == related["films"]
    assert schema.relationships_of("nothing") == ()
    assert FILMS.column("director") == Column("director")
    assert FILMS.column("DIRECTOR") is None
