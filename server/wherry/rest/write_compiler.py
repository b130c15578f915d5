"""Writes compiled: one statement, executed for each row, with a RETURNING where something must be known of the rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product

from wherry.policies.model import Expression, Never, Source
from wherry.rest.plan import (
    Conflict,
    DeletePlan,
    InsertPlan,
    OutputField,
    Predicates,
    Reach,
    ReadPlan,
    Returning,
    SortKey,
    UpdatePlan,
)
from wherry.rest.read_compiler import ReadCompiler, framing_of
from wherry.rest.sources import all_hold_sql, holds_sql, within_sql
from wherry.rest.sql import Sql, join_balanced, join_sql, quote_identifier, sql, statement_of
from wherry.schema.model import Table, TableKind, fold
from wherry.schema.tokens import TokenKind, tokenize
from wherry.schema.types import affinity_cast
from wherry.statement import Framing, Parameter, Statement


@dataclass(frozen=True, slots=True)
class PreparedWrite:
    """A write that lacks its rows: each row's values come first, then `tail`, the same for all rows.

    RETURNING gives, where there is one: whether the policies allow the row (see `Step`), then its representation if
    `shows`, then the parts of the `key`, then what sorts the representation by `order`.
    """

    sql: str
    tail: tuple[Parameter, ...]
    returning: bool
    checked: bool
    policies: tuple[str | None, ...] = ()  #: the names of the restrictive ones among those that are checked
    resolves: bool = False
    every_row: bool = False
    shows: bool = False
    joins: bool = False  #: some rows may not be shown: an inner join leaves them out
    key: tuple[str, ...] = ()
    order: tuple[SortKey, ...] = ()
    framing: Framing = Framing()
    before: Statement | None = None  #: gives what RETURNING would, before the write: what it takes along is still there
    forbids: "PreparedWrite | None" = None  #: to be tried, and undone, where a key is taken: see `_forbids`


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
    check = _check(plan.allowed)
    if conflict is None:
        prepared = _prepared(head, sql(_returning(plan.returning, check, plan.table.name)), plan.returning, check)
        return replace(prepared, policies=_names(plan.allowed), forbids=_forbids(plan))
    # a row that the policies keep from being changed is skipped by DO UPDATE … WHERE: only RETURNING tells
    every_row = bool(conflict.changeable) or (conflict.merge and bool(conflict.proposed))
    resolves = every_row or bool(check or conflict.allowed)
    if resolves and conflict.merge:
        check = sql("(", all_hold_sql(plan.allowed), ") + 2 * (", all_hold_sql(conflict.allowed), ")")
    tail = sql(_on_conflict(conflict, plan), _returning(plan.returning, check, plan.table.name))
    prepared = _prepared(head, tail, plan.returning, check)
    return replace(prepared, every_row=every_row, resolves=resolves)


def _forbids(plan: InsertPlan) -> PreparedWrite | None:
    """Compile a write that is undone as forbidden where a new row is, whether or not its key is taken.

    PostgreSQL measures a row before it looks at keys. SQLite does it the other way round, so that who may not write
    a row could learn from the error whether there is one with its key.
    """
    if not plan.allowed or not plan.columns or plan.table.kind is not TableKind.TABLE:
        return None
    conflict = Conflict((), merge=False, changeable=(), proposed=plan.allowed, allowed=())
    return compile_insert(replace(plan, conflict=conflict, returning=Returning()))


def compile_update(plan: UpdatePlan) -> PreparedWrite:
    """Compile a change of rows."""
    table = quote_identifier(plan.reach.table.name)
    values = [*((name, "?") for name in plan.columns), *plan.defaults]
    assignments = ", ".join(f"{quote_identifier(name)} = {value}" for name, value in values)
    check = _check(plan.allowed)
    tail = sql(_within_reach(plan.reach), _returning(plan.returning, check, plan.reach.table.name))
    prepared = _prepared(f"UPDATE main.{table} SET {assignments}", tail, plan.returning, check)
    return replace(prepared, policies=_names(plan.allowed))


def compile_delete(plan: DeletePlan) -> PreparedWrite:
    """Compile a removal of rows."""
    table = quote_identifier(plan.reach.table.name)
    reach = _within_reach(plan.reach)
    tail = sql(reach, _returning(plan.returning, (), plan.reach.table.name))
    prepared = _prepared(f"DELETE FROM main.{table}", tail, plan.returning, ())
    if plan.returning.plan is None or all(isinstance(item, OutputField) for item in plan.returning.plan.items):
        return prepared
    shown = join_sql(", ", _returned(plan.returning, (), plan.reach.table.name))
    before = statement_of(sql("SELECT ", shown, f" FROM main.{table}", reach))
    only = statement_of(reach)
    return replace(
        prepared, sql=f"DELETE FROM main.{table}{only.sql}", tail=only.parameters, returning=False, before=before
    )


def _check(allowed: Predicates) -> Sql:
    """Write 1 where a new row is allowed; else 0, or less than that for the first restrictive policy that it violates.

    -1 stands for the first of `_names`.
    """
    names = _names(allowed)
    if not any(names):
        return all_hold_sql(allowed) if allowed else ()
    cases = [
        sql("WHEN NOT ", holds_sql(predicate), " THEN ", "0" if names[place] is None else f"{-1 - place}")
        for place, predicate in enumerate(allowed)
    ]
    return sql("CASE ", join_sql(" ", cases), " ELSE 1 END")


def _names(allowed: Predicates) -> tuple[str | None, ...]:
    return tuple([predicate.name if isinstance(predicate, Expression) else None for predicate in allowed])


def _prepared(head: str, tail: Sql, returning: Returning, check: Sql) -> PreparedWrite:
    statement = statement_of(tail)
    needs_rows = returning.plan is not None or bool(returning.key) or returning.needed
    return PreparedWrite(
        head + statement.sql,
        statement.parameters,
        returning=needs_rows or bool(check),
        checked=bool(check),
        shows=returning.plan is not None,
        joins=returning.plan is not None and bool(returning.plan.conditions),
        key=returning.key,
        order=tuple(SortKey(term.descending, term.nulls_first) for term in returning.plan.order)
        if returning.plan is not None
        else (),
        framing=framing_of(returning.plan) if returning.as_csv and returning.plan else Framing(),
    )


def _returning(returning: Returning, check: Sql, name: str) -> Sql:
    columns = _returned(returning, check, name)
    if len(columns) == 1 and not (check or returning.needed):
        return ()
    return sql(" RETURNING ", join_sql(", ", columns))


def _returned(returning: Returning, check: Sql, name: str) -> list[Sql]:
    compiler = ReadCompiler(written=name)
    table = quote_identifier(name)
    columns = [check or ("1",)]
    if returning.plan is not None:
        row = compiler.line(returning.plan, table) if returning.as_csv else compiler.object(returning.plan, table)
        shown = sql("CAST(", row, " AS BLOB)")
        if returning.plan.conditions:  # an inner join shows the rows that have what it asks for
            found = [compiler.condition(condition, table, f"{table}.rowid") for condition in returning.plan.conditions]
            shown = sql("CASE WHEN ", join_sql(" AND ", found), " THEN ", shown, " END")
        columns.append(shown)
    columns += [_key_part(f"{table}.{quote_identifier(name)}") for name in returning.key]
    if returning.plan is not None:
        columns += [_sortable(compiler.sorted_by(term, table)) for term in returning.plan.order]
    return columns


def _key_part(column: str) -> Sql:
    """Write a value of a key as a filter has it: texts as bytes, for one that is no UTF-8 cannot come out otherwise."""
    as_text = f"CASE typeof({column}) WHEN 'text' THEN CAST({column} AS BLOB) "
    return (as_text + f"WHEN 'blob' THEN '\\x' || lower(hex({column})) ELSE {column} END",)


def _sortable(value: Sql) -> Sql:
    """Write what sorts as a value does: numbers, then texts, then blobs. A text that is no UTF-8 cannot come out."""
    return sql(
        "CASE typeof(", value, ") WHEN 'text' THEN 't' || hex(", value, ") WHEN 'blob' THEN 'u' || hex(", value,
        ") ELSE ", value, " END",
    )  # fmt: skip


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
    target = f" ({', '.join(map(quote_identifier, conflict.target))})" if conflict.target else ""
    proposed = _proposed(conflict, plan.table) if conflict.proposed else ()
    if not conflict.merge and not proposed:
        return (f" ON CONFLICT{target} DO NOTHING",)
    if not conflict.merge:  # what is not allowed shows itself: it changes the row, to what it is, and is undone
        name = quote_identifier(plan.columns[0])
        return sql(f" ON CONFLICT{target} DO UPDATE SET {name} = {name} WHERE NOT ", proposed)
    changed = [name for name in plan.columns if name not in conflict.target] or [conflict.target[0]]
    assignments = ", ".join(f"{quote_identifier(name)} = excluded.{quote_identifier(name)}" for name in changed)
    conditions = [holds_sql(predicate) for predicate in conflict.changeable] + ([proposed] if proposed else [])
    where = sql(" WHERE ", join_sql(" AND ", conditions)) if conditions else ()
    return sql(f" ON CONFLICT{target} DO UPDATE SET {assignments}", where)


#: So many columns are compared by their declared type in a proposed row.
_TYPED_COLUMNS = 3


def _proposed(conflict: Conflict, table: Table) -> Sql:
    """Write whether the proposed row is allowed: SQLite calls it `excluded` (https://sqlite.org/lang_upsert.html).

    `excluded` has no affinity, so that in a number's column 2 would not be equal to '2', which it is in a column. A
    CAST has one, and leaves a value as it is that fits its column. So there is one case for each way in which the
    columns that the policies mention may fit.
    """
    typed = _typed_columns(conflict.proposed, table)[:_TYPED_COLUMNS]
    cases: list[Sql] = []
    for fits in product((True, False), repeat=len(typed)):
        casts = {name: cast for (name, cast), fit in zip(typed, fits, strict=True) if fit}
        row = f" FROM ({_excluded(table, casts)}) AS {quote_identifier(table.name)})"
        allowed = sql("(SELECT ", all_hold_sql(conflict.proposed), row)
        when = " AND ".join(
            f"typeof(excluded.{quote_identifier(name)}) {'NOT ' if fit else ''}IN ({_MISFITS[cast]})"
            for (name, cast), fit in zip(typed, fits, strict=True)
        )
        cases.append(sql(f"WHEN {when} THEN ", allowed) if when else allowed)
    return sql("CASE ", join_sql(" ", cases), " END") if typed else cases[0]


_MISFITS = {"NUMERIC": "'text', 'blob'", "TEXT": "'blob'"}


def _typed_columns(predicates: Predicates, table: Table) -> list[tuple[str, str]]:
    """Return the columns that predicates mention and have an affinity, each with the cast that has it too."""
    text = " ".join(
        piece
        for predicate in predicates
        if isinstance(predicate, Expression)
        for piece in predicate.pieces
        if isinstance(piece, str)
    )
    words = dict.fromkeys(
        fold(token.text) for token in tokenize(text) if token.kind in (TokenKind.WORD, TokenKind.QUOTED)
    )
    mentioned = [table.columns[table.folded[word]] for word in words if word in table.folded]
    casts = [(column.name, affinity_cast(column.declared_type, strict=table.strict)) for column in mentioned]
    return [(name, cast) for name, cast in casts if cast is not None]


def _excluded(table: Table, casts: Mapping[str, str]) -> str:
    """Write the proposed row, with the casts of some columns, as a row of its table: under every name of its rowid."""
    names = [*table.columns]
    if not table.without_rowid:
        names += [name for name in ("rowid", "oid", "_rowid_") if fold(name) not in table.folded]
    values = [(f"excluded.{quote_identifier(name)}", name) for name in names]
    return "SELECT " + ", ".join(
        f"CAST({value} AS {casts[name]}) AS {quote_identifier(name)}"
        if name in casts
        else f"{value} AS {quote_identifier(name)}"
        for value, name in values
    )
