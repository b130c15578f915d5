"""The OpenAPI document shows what a role may use, and nothing else."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from wherry.policies.model import Access, Always
from wherry.rest.openapi import openapi_document
from wherry.schema.model import Column, ColumnType, ForeignKey, Schema, Table, TableKind

PEOPLE = Table(
    name="people",
    kind=TableKind.TABLE,
    columns={
        "id": Column("id", "INTEGER", ColumnType.INTEGER, nullable=False, primary_key_position=1),
        "name": Column("name", "VARCHAR(80)", ColumnType.TEXT, nullable=False),
    },
    primary_key=("id",),
)
FILMS = Table(
    name="films",
    kind=TableKind.TABLE,
    columns={
        "id": Column("id", "INTEGER", ColumnType.INTEGER, nullable=False, primary_key_position=1),
        "title": Column("title", "TEXT", ColumnType.TEXT, nullable=False, default="'Unnamed'"),
        "director": Column("director", "INTEGER", ColumnType.INTEGER),
        "budget": Column("budget", "REAL", ColumnType.REAL),
        "slug": Column("slug", "TEXT", ColumnType.TEXT, nullable=False, generated=True),
    },
    primary_key=("id",),
    foreign_keys=(ForeignKey("films_director_fkey", "films", ("director",), "people", ("id",)),),
    description="Films\n\nof the library",
)


def schema_of(*tables: Table) -> Schema:
    """Return a schema of these tables."""
    return Schema(version=1, tables={table.name: table for table in tables}, relationships={})


def granting(
    readable: tuple[str, ...] = (),
    insertable: tuple[str, ...] = (),
    updatable: tuple[str, ...] = (),
    *,
    delete: bool = False,
) -> Access:
    """Return the access of a role with these privileges."""
    return Access(
        readable=readable,
        insertable=frozenset(insertable),
        updatable=frozenset(updatable),
        may_insert=bool(insertable),
        may_update=bool(updatable),
        may_delete=delete,
        visible=Always(),
        changeable=Always(),
        deletable=Always(),
        insert_checks=(Always(),),
        update_checks=(Always(),),
    )


def everything(table: Table) -> Access:
    """Grant everything on a table."""
    columns = tuple(table.columns)
    return granting(columns, columns, columns, delete=True)


def only(grants: Mapping[str, Access]) -> Callable[[Table], Access]:
    """Grant this, and nothing on other tables."""
    return lambda table: grants.get(table.name, granting())


def document_of(schema: Schema, access: Callable[[Table], Access] = everything) -> dict[str, Any]:
    """Return the document as a client reads it."""
    document = openapi_document(schema, access, base_path="/api/rest/v1", version="0.1.0")
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document))
    return decoded


def references(operation: dict[str, Any]) -> list[str]:
    """List the parameters of an operation."""
    return [parameter["$ref"].removeprefix("#/parameters/") for parameter in operation["parameters"]]


def test_the_document_says_what_and_where_the_api_is() -> None:
    document = document_of(schema_of())
    assert {name: document[name] for name in ("swagger", "info", "basePath", "definitions")} == {
        "swagger": "2.0",
        "info": {
            "title": "Wherry",
            "description": "The tables and views that you may use, in PostgREST's dialect.",
            "version": "0.1.0",
        },
        "basePath": "/api/rest/v1",
        "definitions": {},
    }
    assert list(document["paths"]) == ["/"]


def test_a_definition_describes_columns_keys_and_defaults() -> None:
    a_key = {
        "format": "bigint",
        "type": "integer",
        "description": "Note:\nThis is a Primary Key.<pk/>",
        "x-declared-type": "INTEGER",
    }
    assert document_of(schema_of(PEOPLE, FILMS))["definitions"] == {
        "films": {
            "type": "object",
            "x-kind": "table",
            "description": "Films\n\nof the library",
            "required": ["id", "title"],
            "properties": {
                "id": a_key,
                "title": {"format": "text", "type": "string", "default": "Unnamed", "x-declared-type": "TEXT"},
                "director": {
                    "format": "bigint",
                    "type": "integer",
                    "description": "Note:\nThis is a Foreign Key to `people.id`.<fk table='people' column='id'/>",
                    "x-declared-type": "INTEGER",
                },
                "budget": {"format": "double precision", "type": "number", "x-declared-type": "REAL"},
                "slug": {"format": "text", "type": "string", "readOnly": True, "x-declared-type": "TEXT"},
            },
        },
        "people": {
            "type": "object",
            "x-kind": "table",
            "required": ["id", "name"],
            "properties": {
                "id": a_key,
                "name": {"format": "varchar", "type": "string", "x-declared-type": "VARCHAR(80)"},
            },
        },
    }


def test_a_table_has_a_path_with_an_operation_for_each_method() -> None:
    path = document_of(schema_of(FILMS))["paths"]["/films"]
    filters = [f"rowFilter.films.{name}" for name in FILMS.columns]
    assert {method: references(operation) for method, operation in path.items()} == {
        "get": [*filters, "select", "order", "range", "rangeUnit", "offset", "limit", "preferCount"],
        "post": ["body.films", "columns", "on_conflict", "select", "preferPost"],
        "patch": [*filters, "body.films", "select", "preferReturn"],
        "delete": [*filters, "select", "preferReturn"],
    }
    assert {name: path["get"][name] for name in ("tags", "summary", "description", "responses")} == {
        "tags": ["films"],
        "summary": "Films",
        "description": "of the library",
        "responses": {
            "200": {
                "description": "OK",
                "schema": {"type": "array", "items": {"$ref": "#/definitions/films"}},
            },
            "206": {"description": "Partial Content"},
        },
    }
    statuses = {method: list(operation["responses"]) for method, operation in path.items()}
    assert statuses == {"get": ["200", "206"], "post": ["201"], "patch": ["204"], "delete": ["204"]}


def test_every_reference_leads_somewhere() -> None:
    document = document_of(schema_of(PEOPLE, FILMS))
    for name, path in document["paths"].items():
        for operation in path.values():
            if name != "/":
                assert set(references(operation)) <= set(document["parameters"])
    assert document["parameters"]["body.films"]["schema"] == {"$ref": "#/definitions/films"}


def test_a_table_without_privileges_is_not_there() -> None:
    document = document_of(schema_of(PEOPLE, FILMS), only({"people": granting(("id",))}))
    assert (list(document["paths"]), list(document["definitions"])) == (["/", "/people"], ["people"])
    assert "films" not in msgspec.json.encode(document).decode()


def test_columns_that_may_not_be_used_are_not_there() -> None:
    grants = {"films": granting(("id",), insertable=("title",))}
    document = document_of(schema_of(PEOPLE, FILMS), only(grants))
    assert list(document["definitions"]["films"]["properties"]) == ["id", "title"]
    assert [name for name in document["parameters"] if name.startswith("rowFilter")] == ["rowFilter.films.id"]
    assert set(document["paths"]["/films"]) == {"get", "post"}


def test_a_foreign_key_to_what_may_not_be_read_is_not_told() -> None:
    missing = ForeignKey("films_studio_fkey", "films", ("budget",), "studios", ("id",))
    films = Table("films", TableKind.TABLE, FILMS.columns, foreign_keys=(missing, *FILMS.foreign_keys))
    document = document_of(schema_of(PEOPLE, films), only({"films": everything(films)}))
    assert document["definitions"]["films"]["properties"]["director"] == {
        "format": "bigint",
        "type": "integer",
        "x-declared-type": "INTEGER",
    }
    assert "people" not in msgspec.json.encode(document).decode()


def test_a_view_that_cannot_be_written_has_no_writing_operations() -> None:
    view = Table("recent", TableKind.VIEW, PEOPLE.columns, insertable=False, updatable=False, deletable=False)
    document = document_of(schema_of(view))
    assert list(document["paths"]["/recent"]) == ["get"]
    assert document["definitions"]["recent"]["x-kind"] == "view"
    assert "body.recent" not in document["parameters"]


def test_a_role_that_may_only_write_sees_no_filters() -> None:
    document = document_of(schema_of(PEOPLE), only({"people": granting(updatable=("name",))}))
    path = document["paths"]["/people"]
    assert {method: references(operation) for method, operation in path.items()} == {
        "patch": ["body.people", "select", "preferReturn"]
    }
    assert document["definitions"]["people"] == {
        "type": "object",
        "x-kind": "table",
        "required": ["name"],
        "properties": {"name": {"format": "varchar", "type": "string", "x-declared-type": "VARCHAR(80)"}},
    }


def test_strange_names_are_escaped_in_paths_and_references() -> None:
    table = Table("a/b ~{ä}", TableKind.TABLE, {"x": Column("x")}, description="Odd")
    document = document_of(schema_of(table))
    assert list(document["paths"]) == ["/", "/a%2Fb%20~%7B%C3%A4%7D"]
    get = document["paths"]["/a%2Fb%20~%7B%C3%A4%7D"]["get"]
    assert get["responses"]["200"]["schema"]["items"] == {"$ref": "#/definitions/a~1b%20~0%7B%C3%A4%7D"}
    assert document["definitions"]["a/b ~{ä}"] == {
        "type": "object",
        "x-kind": "table",
        "description": "Odd",
        "properties": {"x": {}},
    }
    assert get["summary"] == "Odd"
    assert "description" not in get


@pytest.mark.parametrize(
    ("declared", "column_type", "default", "described"),
    [
        ("TEXT", ColumnType.TEXT, "'it''s'", {"format": "text", "type": "string", "default": "it's"}),
        ("TEXT", ColumnType.TEXT, "0", {"format": "text", "type": "string", "default": "0"}),
        ("TEXT", ColumnType.TEXT, "'a' || 'b'", {"format": "text", "type": "string"}),
        ("DATETIME", ColumnType.TEXT, "CURRENT_TIMESTAMP", {"format": "datetime", "type": "string"}),
        ("", ColumnType.TEXT, None, {"format": "text", "type": "string"}),
        ("INT", ColumnType.INTEGER, "-7", {"format": "bigint", "type": "integer", "default": -7}),
        ("INT", ColumnType.INTEGER, "'7'", {"format": "bigint", "type": "integer", "default": 7}),
        ("INT", ColumnType.INTEGER, "NULL", {"format": "bigint", "type": "integer"}),
        ("REAL", ColumnType.REAL, "1.5", {"format": "double precision", "type": "number", "default": 1.5}),
        ("REAL", ColumnType.REAL, "9e999", {"format": "double precision", "type": "number"}),
        ("DECIMAL(9,2)", ColumnType.NUMERIC, "abs(1)", {"format": "numeric", "type": "number"}),
        ("BOOLEAN", ColumnType.BOOLEAN, "1", {"format": "boolean", "type": "boolean", "default": True}),
        ("BOOLEAN", ColumnType.BOOLEAN, "FALSE", {"format": "boolean", "type": "boolean", "default": False}),
        ("JSON", ColumnType.JSON, "'{\"a\":1}'", {"format": "json", "default": {"a": 1}}),
        ("JSON", ColumnType.JSON, "'{'", {"format": "json"}),
        ("BLOB", ColumnType.BLOB, "x'00'", {"format": "bytea", "type": "string"}),
        ("", ColumnType.UNTYPED, "5", {"default": 5}),
        ("", ColumnType.UNTYPED, "'5'", {"default": "5"}),
        ("", ColumnType.UNTYPED, "random()", {}),
    ],
)
def test_types_and_defaults_are_told_as_they_travel(
    declared: str, column_type: ColumnType, default: str | None, described: dict[str, Any]
) -> None:
    table = Table("t", TableKind.TABLE, {"c": Column("c", declared, column_type, default=default)})
    as_declared = {"x-declared-type": declared} if declared else {}
    assert document_of(schema_of(table))["definitions"]["t"]["properties"]["c"] == {**described, **as_declared}
