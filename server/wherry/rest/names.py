"""Names of a request looked up in the schema, as far as the role may see it.

What the role may not read is not there: a hidden column and one that does not exist give the same error, and hints
suggest visible names only. A table on which the role has no privilege is refused by name (PostgREST's 42501).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from wherry.errors import AccessDenied, RequestError, SchemaError
from wherry.policies.model import Access
from wherry.rest.api_request import SelectEmbed
from wherry.schema.model import Cardinality, Column, ColumnType, Junction, Relationship, Schema, Table, TableKind
from wherry.schema.suggest import closest


@dataclass(frozen=True, slots=True)
class Names:
    """The schema as one role sees it."""

    schema: Schema
    role: str
    access: Callable[[Table], Access]

    def table(self, name: str) -> Table:
        """Find a table or view.

        Raises SchemaError (404; PGRST125 for a path of several parts), or AccessDenied where the role has no privilege.
        """
        table = self.schema.tables.get(name)
        if table is None and "/" in name:
            raise SchemaError(
                "Invalid path specified in request URL",
                details=f"There is nothing below a table, and none is called '{name[:200]}'",
                hint="Embed what is related: films?select=*,roles(*)",
                code="PGRST125",
                status=404,
            )
        if table is None:
            visible = (t.name for t in self.schema.tables.values() if not self.access(t).is_nothing)
            meant = closest(name, visible)
            raise SchemaError(
                f"Could not find the table 'public.{name}' in the schema cache",
                hint=f"Perhaps you meant the table 'public.{meant}'" if meant else None,
                code="PGRST205",
                status=404,
            )
        if self.access(table).is_nothing:
            raise self.denied(table)
        return table

    def denied(self, table: Table) -> AccessDenied:
        """Make the error for a privilege that the role lacks on the table."""
        return AccessDenied(
            f"permission denied for table {table.name}",
            role=self.role,
            hint="Send the key or token of a role that may"
            if self.role == "anon"
            else f"GRANT the privilege to {self.role} in policies.sql",
        )

    def readable(self, table: Table) -> tuple[str, ...]:
        """List the columns that the role may read. Raises AccessDenied where there is none."""
        columns = self.access(table).readable
        if not columns:
            raise self.denied(table)
        return columns

    def column(self, table: Table, name: str) -> Column:
        """Find a readable column. Raises SchemaError 42703."""
        readable = self.readable(table)
        column = table.columns.get(name)
        if column is None or name not in readable:
            meant = closest(name, readable)
            raise SchemaError(
                f"column {table.name}.{name} does not exist",
                hint=f'Perhaps you meant to reference the column "{table.name}.{meant}".' if meant else None,
                code="42703",
            )
        return column

    def writable_column(self, table: Table, name: str, granted: Iterable[str]) -> Column:
        """Find a column to write. Raises SchemaError PGRST204, or AccessDenied for one that is seen but not granted."""
        column = table.columns.get(name)
        readable = self.access(table).readable
        granted = frozenset(granted)
        if column is None or not (name in granted or name in readable):
            meant = closest(name, [c for c in table.columns if c in granted])
            raise SchemaError(
                f"Could not find the '{name}' column of '{table.name}' in the schema cache",
                hint=f"Perhaps you meant '{meant}'" if meant else None,
                code="PGRST204",
            )
        if name not in granted:
            raise AccessDenied(
                f'permission denied for column "{name}" of table {table.name}',
                role=self.role,
                hint="Leave the column out",
            )
        if column.generated:
            raise RequestError(
                f'cannot write a value into column "{name}"',
                details=f'Column "{name}" is a generated column.',
                hint="Leave the column out",
                code="428C9",
            )
        return column

    # ---- relationships ---------------------------------------------------------------------------------------

    def relationship(self, source: Table, embed: SelectEmbed) -> Relationship:
        """Find the one way that an embed means. Raises SchemaError PGRST200 for none and PGRST201 for several."""
        named = [
            relationship
            for relationship in self.schema.relationships_of(source.name)
            if _is_meant(relationship, embed.relation, embed.hint, to_view=self._is_view(relationship.target))
        ]
        found = [r for r in named if self._is_visible(r)]
        if len(found) > 1:
            # a view of a junction leads where the junction itself does, which is meant if it is the only one
            found = [r for r in found if r.junction is None or not self._is_view(r.junction.table)] or found
        if len(found) == 1:
            return found[0]
        if found:
            raise _ambiguous(source, embed, found)
        for relationship in named:
            target = self.schema.tables[relationship.target]
            if embed.relation == target.name and not self.access(target).may_select:
                raise self.denied(target)
        raise self._unrelated(source, embed)

    def _is_view(self, name: str) -> bool:
        return self.schema.tables[name].kind is TableKind.VIEW

    def _is_visible(self, relationship: Relationship) -> bool:
        """Tell whether the role may read all columns that the relationship compares."""
        junction = relationship.junction
        return (
            self._may_read(relationship.source, relationship.source_columns)
            and self._may_read(relationship.target, relationship.target_columns)
            and (
                junction is None or self._may_read(junction.table, (*junction.source_columns, *junction.target_columns))
            )
        )

    def _may_read(self, table: str, columns: tuple[str, ...]) -> bool:
        readable = self.access(self.schema.tables[table]).readable
        return all(column in readable for column in columns)

    def _unrelated(self, source: Table, embed: SelectEmbed) -> SchemaError:
        targets = {r.target for r in self.schema.relationships_of(source.name) if self._is_visible(r)}
        meant = None if embed.relation in targets else closest(embed.relation, sorted(targets))
        using = f" using the hint '{embed.hint}'" if embed.hint else ""
        return SchemaError(
            f"Could not find a relationship between '{source.name}' and '{embed.relation}' in the schema cache",
            details=f"Searched for a foreign key relationship between '{source.name}' and '{embed.relation}'{using} "
            "in the schema 'public', but no matches were found.",
            hint=f"Perhaps you meant '{meant}' instead of '{embed.relation}'." if meant else None,
            code="PGRST200",
        )


def _is_meant(relationship: Relationship, name: str, hint: str | None, *, to_view: bool) -> bool:
    """Tell whether `name!hint` means the relationship.

    https://docs.postgrest.org/en/stable/references/api/resource_embedding.html: a target is a table, a foreign key
    or its column; a hint is a foreign key, a column of it or a junction. Of a table related to itself the table's
    name means the rows that refer here, and the column's name the row referred to. A view is meant by its own name
    only (https://github.com/PostgREST/postgrest/issues/2277): else each view of a table would make its keys ambiguous.
    """
    columns = relationship.source_columns if relationship.junction is None else ()
    referring = relationship.target_columns if relationship.junction is None else ()
    by_table = name == relationship.target
    if relationship.is_self and relationship.junction is None:
        refers_here = relationship.cardinality is Cardinality.ONE_TO_MANY
        if hint is None:
            return refers_here if by_table else columns == (name,) and not refers_here
        return by_table and refers_here and (referring == (hint,) or hint == relationship.name)
    if hint is None:
        by_key = columns == (name,) or (relationship.junction is None and name == relationship.name)
        return by_table or (by_key and not to_view)
    return by_table and (
        hint == relationship.name
        or columns == (hint,)
        or referring == (hint,)
        or (relationship.junction is not None and _leads_through(relationship.junction, hint))
    )


def _leads_through(junction: Junction, hint: str) -> bool:
    """Tell whether a hint means a junction: by its name, or by its key to the target.

    The key tells apart the two ways of a many-to-many relationship of a table with itself.
    """
    return hint in (junction.table, junction.target_key.name) or junction.target_columns == (hint,)


def _ambiguous(source: Table, embed: SelectEmbed, found: list[Relationship]) -> SchemaError:
    choices = ", ".join(f"'{embed.relation}!{r.name}'" for r in found)
    return SchemaError(
        f"Could not embed because more than one relationship was found for '{source.name}' and '{embed.relation}'",
        details=[
            {
                "cardinality": r.cardinality,
                "embedding": f"{r.source} with {r.target}",
                "relationship": _describe(r),
            }
            for r in found
        ],
        hint=f"Try changing '{embed.relation}' to one of the following: {choices}. "
        "Find the desired relationship in the 'details' key.",
        code="PGRST201",
        status=300,
    )


def _describe(relationship: Relationship) -> str:
    def columns(names: tuple[str, ...]) -> str:
        return "(" + ", ".join(names) + ")"

    junction = relationship.junction
    if junction is not None:
        return (
            f"{junction.table} using {junction.source_key.name}{columns(junction.source_columns)} "
            f"and {junction.target_key.name}{columns(junction.target_columns)}"
        )
    return (
        f"{relationship.name} using {relationship.source}{columns(relationship.source_columns)} "
        f"and {relationship.target}{columns(relationship.target_columns)}"
    )


# ---- types -----------------------------------------------------------------------------------------------------

_CAST_TYPES = {
    ColumnType.TEXT: "text varchar char bpchar citext name uuid date time timetz timestamp timestamptz interval",
    ColumnType.INTEGER: "int int2 int4 int8 integer bigint smallint",
    ColumnType.REAL: "real float float4 float8 double",
    ColumnType.NUMERIC: "numeric decimal",
    ColumnType.BOOLEAN: "bool boolean",
    ColumnType.JSON: "json jsonb",
    ColumnType.BLOB: "bytea blob",
}
_TYPES = {
    "character varying": ColumnType.TEXT,
    "double precision": ColumnType.REAL,
    "timestamp with time zone": ColumnType.TEXT,
    "timestamp without time zone": ColumnType.TEXT,
} | {name: type_ for type_, names in _CAST_TYPES.items() for name in names.split()}


def cast_type(name: str) -> ColumnType:
    """Find what a cast means. Raises SchemaError 42704."""
    type_ = _TYPES.get(name)
    if type_ is None:
        raise SchemaError(
            f'type "{name}" does not exist',
            hint="Cast to one of text, integer, real, numeric, boolean, json, bytea",
            code="42704",
        )
    return type_
