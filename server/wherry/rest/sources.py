"""A table as one role may read it, and the policies' predicates, as SQL.

Every table is read through `source_sql`: the table itself where the role may see all of it, else a subquery that holds
only its columns and rows. SQLite flattens such a subquery into the query around it
(https://sqlite.org/optoverview.html#subquery_flattening), so that a policy costs no more than the same condition
written by hand.

The tables that a policy's own subqueries read are put in the place of the real ones by WITH, for inside a policy
PostgreSQL applies the policies too; the real tables are always written `main.…`, which no WITH can take the place of.
"""

from wherry.policies.model import Always, Expression, Never, Predicate, Source
from wherry.rest.plan import Predicates
from wherry.rest.sql import Sql, join_sql, quote_identifier, sql


def source_sql(source: Source, alias: str, *, with_rowid: bool = False) -> Sql:
    """Write a table as its role may read it, for FROM."""
    table = f"main.{quote_identifier(source.table)}"
    if source.unrestricted:
        return (f"{table} AS {alias}",)
    columns = ", ".join(quote_identifier(name) for name in source.columns)
    if with_rowid:
        columns = f"rowid AS {_rowid_name(source)}, {columns}"
    return sql(
        "(", _with(source.visible), f"SELECT {columns} FROM {table}", _where_visible(source.visible), f") AS {alias}"
    )  # fmt: skip


def rowid_sql(source: Source, alias: str) -> str:
    """Write the rowid of a source made `with_rowid`."""
    return f"{alias}.rowid" if source.unrestricted else f"{alias}.{_rowid_name(source)}"


def _rowid_name(source: Source) -> str:
    """Name the rowid in a policed source as none of its columns is named."""
    name = "rowid"
    while name in source.columns:
        name += "_"
    return quote_identifier(name)


def _with(predicate: Predicate) -> Sql:
    """Write the tables that a policy's subqueries read, each as the role may read it, in the place of the tables."""
    if not isinstance(predicate, Expression):
        return ()
    policed = [source for source in predicate.sources if not source.unrestricted]
    if not policed:
        return ()
    tables = [
        sql(
            f"{quote_identifier(source.table)} AS NOT MATERIALIZED (", _with(source.visible),
            f"SELECT {', '.join(map(quote_identifier, source.columns))} FROM main.{quote_identifier(source.table)}",
            _where_visible(source.visible), ")",
        )
        for source in policed
    ]  # fmt: skip
    return sql("WITH ", join_sql(", ", tables), " ")


def _where_visible(visible: Predicate) -> Sql:
    match visible:
        case Always():
            return ()
        case Never():
            return (" WHERE 0",)
        case Expression(pieces):
            return sql(" WHERE (", pieces, ")")


def within_sql(predicate: Expression | Never) -> Sql:
    """Write a predicate for the WHERE of a write, where an index may serve it."""
    match predicate:
        case Expression(pieces) if not _with(predicate):
            return sql("(", pieces, ")")
        case _:
            return holds_sql(predicate)


def holds_sql(predicate: Expression | Never) -> Sql:
    """Write a predicate where no FROM can stand before it: in the WHERE and the RETURNING of a write."""
    if isinstance(predicate, Never):
        return ("0",)
    tables = _with(predicate)
    if tables:
        return sql("(", tables, "SELECT (", predicate.pieces, ")) IS TRUE")
    return sql("(", predicate.pieces, ") IS TRUE")


def all_hold_sql(predicates: Predicates) -> Sql:
    """Write that all predicates hold; 1 where there is none."""
    return join_sql(" AND ", [holds_sql(predicate) for predicate in predicates]) if predicates else ("1",)
