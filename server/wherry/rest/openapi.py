"""The API described as an OpenAPI 2.0 document, as far as the caller's role may use it.

It has the outline that tools made for PostgREST read (https://docs.postgrest.org/en/stable/references/api/openapi.html):
a definition and a path for each table, a parameter `rowFilter.table.column` for each column that can be filtered by,
and `<pk/>` and `<fk …/>` in the columns' descriptions. A table, column or method that the role may not use is not in
it, nor is a foreign key to a column that the role may not read.

What OpenAPI has no word for stands in extensions of it: `x-kind` of a definition is table, view or virtual,
`x-declared-type` of a column is its type as the schema declares it.
"""

from collections.abc import Callable, Iterator
from math import isfinite
from typing import TypeAlias
from urllib.parse import quote

from msgspec import DecodeError
from msgspec.json import decode

from wherry.policies.model import Access
from wherry.schema.model import Column, ColumnType, Schema, Table

Node: TypeAlias = dict[str, object]

MEDIA_TYPES = [
    "application/json",
    "application/vnd.pgrst.object+json;nulls=stripped",
    "application/vnd.pgrst.object+json",
    "text/csv",
]

#: JSON Schema's type and, in PostgreSQL's words, the format of what travels for a column
_TYPES: dict[ColumnType, Node] = {
    ColumnType.INTEGER: {"format": "bigint", "type": "integer"},
    ColumnType.REAL: {"format": "double precision", "type": "number"},
    ColumnType.NUMERIC: {"format": "numeric", "type": "number"},
    ColumnType.TEXT: {"format": "text", "type": "string"},
    ColumnType.BOOLEAN: {"format": "boolean", "type": "boolean"},
    ColumnType.JSON: {"format": "json"},  # any JSON
    ColumnType.BLOB: {"format": "bytea", "type": "string"},
    ColumnType.UNTYPED: {},
}


def openapi_document(schema: Schema, access: Callable[[Table], Access], *, base_path: str, version: str) -> Node:
    """Describe what a role may use of a schema: `access` says so for each table, `version` is the server's."""
    paths: Node = {"/": {"get": _OWN_OPERATION}}
    definitions: Node = {}
    parameters: Node = dict(_PARAMETERS)
    for table in sorted(schema.tables.values(), key=lambda table: table.name):
        granted = access(table)
        operations = _operations(table, granted)
        if operations:
            paths[f"/{quote(table.name, safe='')}"] = operations
            definitions[table.name] = _definition(schema, table, access)
            parameters |= _table_parameters(table, granted)
    return {
        "swagger": "2.0",
        "info": {
            "title": "Wherry",
            "description": "The tables and views that you may use, in PostgREST's dialect.",
            "version": version,
        },
        "basePath": base_path,
        "consumes": MEDIA_TYPES,
        "produces": MEDIA_TYPES,
        "paths": paths,
        "definitions": definitions,
        "parameters": parameters,
        "securityDefinitions": {
            "JWT": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": 'A key or token, with "Bearer " before it.',
            }
        },
        "security": [{"JWT": []}],
        "externalDocs": {
            "description": "PostgREST's documentation",
            "url": "https://docs.postgrest.org/en/stable/references/api.html",
        },
    }


# ---- operations ----------------------------------------------------------------------------------------------

_OWN_OPERATION: Node = {
    "tags": ["Introspection"],
    "summary": "OpenAPI description (this document)",
    "produces": ["application/openapi+json", "application/json"],
    "responses": {"200": {"description": "OK"}},
}


def _operations(table: Table, granted: Access) -> Node:
    """Describe the methods that the role may use on the table."""
    filters = [f"rowFilter.{table.name}.{name}" for name in granted.readable]
    body = f"body.{table.name}"
    operations: Node = {}
    if granted.may_select:
        paging = ["select", "order", "range", "rangeUnit", "offset", "limit", "preferCount"]
        rows: Node = {"type": "array", "items": _reference("definitions", table.name)}
        answers: Node = {
            "200": {"description": "OK", "schema": rows},
            "206": {"description": "Partial Content"},
        }
        operations["get"] = _operation(table, [*filters, *paging], answers)
    if granted.may_insert and table.insertable:
        created: Node = {"201": {"description": "Created"}}
        operations["post"] = _operation(table, [body, "columns", "on_conflict", "select", "preferPost"], created)
    changed: Node = {"204": {"description": "No Content"}}
    if granted.may_update and table.updatable:
        operations["patch"] = _operation(table, [*filters, body, "select", "preferReturn"], changed)
    if granted.may_delete and table.deletable:
        operations["delete"] = _operation(table, [*filters, "select", "preferReturn"], changed)
    return operations


def _operation(table: Table, parameters: list[str], responses: Node) -> Node:
    operation: Node = {"tags": [table.name]}
    if table.description:
        summary, _, description = table.description.partition("\n")
        operation["summary"] = summary
        if description.strip():
            operation["description"] = description.strip()
    operation["parameters"] = [_reference("parameters", name) for name in parameters]
    operation["responses"] = responses
    return operation


def _reference(section: str, name: str) -> Node:
    """Refer to a part of the document; a name is escaped as a JSON pointer (RFC 6901) in a URI fragment."""
    pointer = name.replace("~", "~0").replace("/", "~1")
    return {"$ref": f"#/{section}/{quote(pointer, safe='~')}"}


# ---- definitions ---------------------------------------------------------------------------------------------


def _definition(schema: Schema, table: Table, access: Callable[[Table], Access]) -> Node:
    """Describe the rows of a table: the columns that the role may read or write."""
    granted = access(table)
    columns = [
        column
        for column in table.columns.values()
        if column.name in granted.readable or column.name in granted.insertable or column.name in granted.updatable
    ]
    definition: Node = {"type": "object", "x-kind": table.kind.value}
    if table.description:
        definition["description"] = table.description
    required = [column.name for column in columns if not column.nullable and not column.generated]
    if required:  # JSON Schema's draft 4 forbids an empty list
        definition["required"] = required
    definition["properties"] = {column.name: _property(schema, table, column, access) for column in columns}
    return definition


def _property(schema: Schema, table: Table, column: Column, access: Callable[[Table], Access]) -> Node:
    described = dict(_TYPES[column.type])
    if column.type is ColumnType.TEXT and column.declared_type:  # varchar, date, timestamp, uuid…
        described["format"] = column.declared_type.partition("(")[0].strip().lower()
    if column.declared_type:
        described["x-declared-type"] = column.declared_type
    default = _default(column)
    if default is not None:
        described["default"] = default
    notes = list(_notes(schema, table, column, access))
    if notes:
        described["description"] = "\n".join(["Note:", *notes])
    if column.generated:
        described["readOnly"] = True
    return described


def _notes(schema: Schema, table: Table, column: Column, access: Callable[[Table], Access]) -> Iterator[str]:
    """Say which keys a column is of, in the words that PostgREST's tools look for."""
    primary = table.primary_key
    if column.name in primary and set(primary) <= set(access(table).readable):  # a part of a key is none
        yield "This is a Primary Key.<pk/>"
    for key in table.foreign_keys:
        target = schema.tables.get(key.referenced_table)
        if key.columns == (column.name,) and target is not None:
            name = key.referenced_columns[0]
            if name in access(target).readable:
                yield f"This is a Foreign Key to `{target.name}.{name}`.<fk table='{target.name}' column='{name}'/>"
                return


def _default(column: Column) -> object:
    """Return the value of a default that is a literal, as it travels; None for NULL and for an expression."""
    text = (column.default or "").strip()
    is_text = len(text) >= 2 and text[0] == text[-1] == "'" and "'" not in text[1:-1].replace("''", "")
    literal = text[1:-1].replace("''", "'") if is_text else text
    match column.type:
        case ColumnType.TEXT:
            return literal if is_text or _number(text) is not None else None
        case ColumnType.BOOLEAN:
            return {"0": False, "1": True, "false": False, "true": True}.get(literal.lower())
        case ColumnType.JSON:
            return _decoded(literal)
        case ColumnType.BLOB:
            return None
        case ColumnType.UNTYPED:
            return literal if is_text else _number(text)
        case _:  # a column of numbers makes a number of a text that is one
            return _number(literal)


def _number(text: str) -> int | float | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _decoded(text: str) -> object:
    try:
        return decode(text)
    except (DecodeError, UnicodeEncodeError):
        return None


# ---- parameters ----------------------------------------------------------------------------------------------


def _parameter(name: str, description: str, place: str = "query", **more: object) -> Node:
    return {"name": name, "description": description, "required": False, "in": place, "type": "string", **more}


_RETURN = ["return=representation", "return=minimal", "return=headers-only"]
_RESOLUTION = ["resolution=ignore-duplicates", "resolution=merge-duplicates"]

_PARAMETERS: Node = {
    "preferReturn": _parameter("Prefer", "What a write returns", "header", enum=_RETURN),
    "preferCount": _parameter(
        "Prefer", "Whether rows are counted", "header", enum=["count=exact", "count=planned", "count=estimated"]
    ),
    "preferPost": _parameter(
        "Prefer", "What a write returns, and what it does with duplicates", "header", enum=[*_RETURN, *_RESOLUTION]
    ),
    "select": _parameter("select", "The columns and related rows to return"),
    "columns": _parameter("columns", "The columns to take from the body"),
    "on_conflict": _parameter("on_conflict", "The unique columns by which rows are duplicates"),
    "order": _parameter("order", "The order of the rows"),
    "range": _parameter("Range", "The first and last row to return, from 0", "header"),
    "rangeUnit": _parameter("Range-Unit", "The unit of Range", "header", default="items"),
    "offset": _parameter("offset", "How many rows to skip"),
    "limit": _parameter("limit", "How many rows to return at most"),
}


def _table_parameters(table: Table, granted: Access) -> Node:
    """Describe a body with rows of the table, and a filter for each column that the role may read."""
    parameters: Node = {}
    if (granted.may_insert and table.insertable) or (granted.may_update and table.updatable):
        parameters[f"body.{table.name}"] = {
            "name": table.name,
            "description": table.name,
            "required": False,
            "in": "body",
            "schema": _reference("definitions", table.name),
        }
    for name in granted.readable:
        parameters[f"rowFilter.{table.name}.{name}"] = {
            "name": name,
            "required": False,
            "in": "query",
            "type": "string",
        }
    return parameters
