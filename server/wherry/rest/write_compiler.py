"""Writes compiled: one statement, executed for each row, with a RETURNING where something must be known of the rows."""

from dataclasses import dataclass, replace

from wherry.policies.model import Never, Source
from wherry.rest.plan import (
    Conflict,
    DeletePlan,
    InsertPlan,
    Predicates,
    Reach,
    ReadPlan,
    Returning,
    SortKey,
    UpdatePlan,
)
from wherry.rest.read_compiler import ReadCompiler, framing_of
from wherry.rest.sources import all_hold_sql, within_sql
from wherry.rest.sql import Sql, join_balanced, join_sql, quote_identifier, sql, statement_of
from wherry.statement import Framing, Parameter


@dataclass(frozen=True, slots=True)
class PreparedWrite:
    """A write that lacks its rows: each row's values come first, then `tail`, the same for all rows.

    RETURNING gives, where there is one: whether the policies allow the row, then its representation if `shows`, then
    the columns of `key`, then the values of `order`, by which the representation is sorted.
    """

    sql: str
    tail: tuple[Parameter, ...]
    returning: bool
    checked: bool
    every_row: bool = False
    shows: bool = False
    key: tuple[str, ...] = ()
    order: tuple[SortKey, ...] = ()
    framing: Framing = Framing()


def compile_insert(plan: InsertPlan) -> PreparedWrite:
    """Compile new rows."""
    table = quote_identifier(plan.table.name)
    if plan.columns:
        names = ", ".join(quote_identifier(name) for name in plan.columns)
        values = ", ".join("?" * len(plan.columns))
        head = f"INSERT INTO main.{table} ({names}) VALUES ({values})"
    else:
        head = f"INSERT INTO main.{table} DEFAULT VALUES"
    conflict = plan.conflict if plan.columns else None
    # a row that the policies keep from being changed is skipped by DO UPDATE … WHERE: only RETURNING tells
    every_row = conflict is not None and bool(conflict.changeable)
    returning = replace(plan.returning, needed=plan.returning.needed or every_row)
    tail = sql(_on_conflict(conflict, plan), _returning(returning, plan.allowed, plan.table.name))
    return _prepared(head, tail, returning, plan.allowed, every_row=every_row)


def compile_update(plan: UpdatePlan) -> PreparedWrite:
    """Compile a change of rows."""
    table = quote_identifier(plan.reach.table.name)
    values = [*((name, "?") for name in plan.columns), *plan.defaults]
    assignments = ", ".join(f"{quote_identifier(name)} = {value}" for name, value in values)
    tail = sql(_within_reach(plan.reach), _returning(plan.returning, plan.allowed, plan.reach.table.name))
    return _prepared(f"UPDATE main.{table} SET {assignments}", tail, plan.returning, plan.allowed)


def compile_delete(plan: DeletePlan) -> PreparedWrite:
    """Compile a removal of rows."""
    table = quote_identifier(plan.reach.table.name)
    tail = sql(_within_reach(plan.reach), _returning(plan.returning, (), plan.reach.table.name))
    return _prepared(f"DELETE FROM main.{table}", tail, plan.returning, ())


def _prepared(
    head: str, tail: Sql, returning: Returning, allowed: Predicates, *, every_row: bool = False
) -> PreparedWrite:
    statement = statement_of(tail)
    needs_rows = returning.plan is not None or bool(returning.key) or returning.needed
    return PreparedWrite(
        head + statement.sql,
        statement.parameters,
        returning=needs_rows or bool(allowed),
        checked=bool(allowed),
        every_row=every_row,
        shows=returning.plan is not None,
        key=returning.key,
        order=tuple(SortKey(term.descending, term.nulls_first) for term in returning.plan.order)
        if returning.plan is not None
        else (),
        framing=framing_of(returning.plan) if returning.as_csv and returning.plan else Framing(),
    )


def _returning(returning: Returning, allowed: Predicates, name: str) -> Sql:
    compiler = ReadCompiler(written=name)
    table = quote_identifier(name)
    columns = [all_hold_sql(allowed)]
    if returning.plan is not None:
        row = compiler.line(returning.plan, table) if returning.as_csv else compiler.object(returning.plan, table)
        shown = sql("CAST(", row, " AS BLOB)")
        if returning.plan.conditions:  # an inner join shows the rows that have what it asks for
            found = [compiler.condition(condition, table, f"{table}.rowid") for condition in returning.plan.conditions]
            shown = sql("CASE WHEN ", join_sql(" AND ", found), " THEN ", shown, " END")
        columns.append(shown)
    columns += [(f"{table}.{quote_identifier(name)}",) for name in returning.key]
    if returning.plan is not None:
        columns += [compiler.sorted_by(term, table) for term in returning.plan.order]
    if len(columns) == 1 and not (allowed or returning.needed):
        return ()
    return sql(" RETURNING ", join_sql(", ", columns))


def _within_reach(reach: Reach) -> Sql:
    name = reach.table.name
    compiler = ReadCompiler(written=name)
    table = quote_identifier(name)
    parts = [compiler.condition(condition, table, f"{table}.rowid") for condition in reach.conditions]
    parts += [within_sql(predicate) for predicate in reach.within]
    where = sql(" WHERE ", join_balanced(" AND ", parts)) if parts else ()
    if reach.limit is None and reach.offset is None:
        return where
    keys = ", ".join(f"{table}.{quote_identifier(key)}" for key in reach.table.row_key)
    limited = ReadPlan(Source(name, (), Never()), (), order=reach.order, limit=reach.limit, offset=reach.offset)
    return sql(
        f" WHERE ({keys}) IN (SELECT {keys} FROM main.{table} AS {table}", where,
        compiler.order(limited.order, table), compiler.limit(limited), ")",
    )  # fmt: skip


def _on_conflict(conflict: Conflict | None, plan: InsertPlan) -> Sql:
    if conflict is None:
        return ()
    target = ", ".join(map(quote_identifier, conflict.target))
    if not conflict.merge:
        return (f" ON CONFLICT ({target}) DO NOTHING",)
    changed = [name for name in plan.columns if name not in conflict.target] or [conflict.target[0]]
    assignments = ", ".join(f"{quote_identifier(name)} = excluded.{quote_identifier(name)}" for name in changed)
    where = sql(" WHERE ", all_hold_sql(conflict.changeable)) if conflict.changeable else ()
    return sql(f" ON CONFLICT ({target}) DO UPDATE SET {assignments}", where)
