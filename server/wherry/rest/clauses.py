"""The clauses of a SELECT: which rows, in which order, and the values that are compared, sorted and aggregated.

What rows look like in the response is `read_compiler`'s. Writes find their rows by the same clauses.
"""

import functools
from collections.abc import Sequence
from dataclasses import replace

from wherry.rest.api_request import Aggregate
from wherry.rest.conditions import column_sql, comparison_sql, json_text_sql, text_sql
from wherry.rest.literals import to_capped_limit, to_limit, to_offset
from wherry.rest.plan import (
    AggregateValue,
    ColumnValue,
    Comparison,
    Conjunction,
    Exists,
    Join,
    OrderBy,
    PlannedCondition,
    ReadPlan,
    RelatedValue,
    Value,
)
from wherry.rest.sources import rowid_sql, source_sql
from wherry.rest.sql import Sql, join_balanced, join_sql, quote_identifier, sql
from wherry.schema.model import ColumnType, FullTextIndex, fold
from wherry.statement import Literal


class Clauses:
    """Compiles clauses; a class only to number the aliases of its tables.

    `written` is the table that a write names in the SQL around: no alias takes its name.
    """

    def __init__(self, *, written: str = "") -> None:
        self._aliases = 0
        self._written = fold(written)

    def alias(self) -> str:
        """Return a name that no table of the statement has."""
        self._aliases += 1
        alias = f"t{self._aliases}"
        return alias if alias != self._written else self.alias()

    # ---- clauses ---------------------------------------------------------------------------------------------

    def source(self, plan: ReadPlan, alias: str) -> Sql:
        """Write the plan's table, as its role may read it, for FROM."""
        return source_sql(plan.source, alias, with_rowid=_searches(plan.conditions))

    def where(self, plan: ReadPlan, alias: str, join_condition: Sql = ()) -> Sql:
        """Write WHERE: the plan's conditions, and what ties the row to one outside."""
        rowid = rowid_sql(plan.source, alias)
        parts = [join_condition] if join_condition else []
        parts += [self.condition(condition, alias, rowid) for condition in plan.conditions]
        return sql(" WHERE ", join_balanced(" AND ", parts)) if parts else ()

    def condition(self, condition: PlannedCondition, alias: str, rowid: str) -> Sql:
        """Write a condition on the row of `alias`."""
        match condition:
            case Comparison():
                return comparison_sql(condition, alias, rowid)
            case Conjunction(conjunction, negated, conditions):
                inner = [self.condition(c, alias, rowid) for c in conditions]
                return sql("NOT (" if negated else "(", join_balanced(f" {conjunction.upper()} ", inner), ")")
            case Exists(join, negated):
                related = self.joined(join, self.alias(), alias)
                return sql("NOT EXISTS (SELECT 1" if negated else "EXISTS (SELECT 1", related, ")")

    def order(self, order: Sequence[OrderBy], alias: str) -> Sql:
        """Write ORDER BY."""
        if not order:
            return ()
        terms = []
        for term in order:
            direction = " DESC" if term.descending else ""
            # SQLite sorts nulls first when ascending; saying so where it is so already can cost the use of an index
            nulls = "" if _never_null(term.value) or term.nulls_first is not term.descending else (
                " NULLS FIRST" if term.nulls_first else " NULLS LAST"
            )  # fmt: skip
            terms.append(sql(self.raw(term.value, alias), direction, nulls))
        return sql(" ORDER BY ", join_sql(", ", terms))

    def sorted_by(self, term: OrderBy, alias: str) -> Sql:
        """Write the value that a term of the order sorts by."""
        return self.raw(term.value, alias)

    def limit(self, plan: ReadPlan) -> Sql:
        """Write LIMIT and OFFSET."""
        if plan.limit is not None:
            convert = to_limit if plan.max_rows is None else functools.partial(to_capped_limit, cap=plan.max_rows)
            limit = sql(" LIMIT ", Literal(plan.limit, convert))
        elif plan.max_rows is not None:
            limit = (f" LIMIT {plan.max_rows}",)
        elif plan.offset is not None:
            limit = (" LIMIT -1",)
        else:
            return ()
        return sql(limit, " OFFSET ", Literal(plan.offset, to_offset)) if plan.offset is not None else limit

    # ---- joins -----------------------------------------------------------------------------------------------

    def joined(self, join: Join, alias: str, parent: str) -> Sql:
        """Write FROM and WHERE that lead from a row of `parent` to the rows of a join, its own conditions included."""
        source, condition = self._join_source(join, alias, parent)
        return sql(" FROM ", source, self.where(join.plan, alias, condition))

    def _join_source(self, join: Join, alias: str, parent: str) -> tuple[Sql, Sql]:
        relationship, junction = join.relationship, join.relationship.junction
        source = self.source(join.plan, alias)
        if junction is None or join.junction is None:
            return source, equal_sql(alias, relationship.target_columns, parent, relationship.source_columns)
        middle = self.alias()
        return (
            sql(source, " JOIN ", source_sql(join.junction, middle), " ON ",
                equal_sql(middle, junction.target_columns, alias, relationship.target_columns)),
            equal_sql(middle, junction.source_columns, parent, relationship.source_columns),
        )  # fmt: skip

    # ---- values ----------------------------------------------------------------------------------------------

    def raw(self, value: Value, alias: str) -> Sql:
        """Write a value as SQLite compares and sorts it."""
        match value:
            case ColumnValue():
                return column_sql(value, alias)
            case RelatedValue(join, related):
                target = self.alias()
                return sql("(SELECT ", self.raw(related, target), self.joined(join, target, alias), " LIMIT 1)")
            case AggregateValue():
                return self._aggregate(value, alias)

    def raw_output(self, value: Value, alias: str) -> Sql:
        """Write a value that will be rendered later: a place inside JSON stays JSON text."""
        if isinstance(value, ColumnValue) and value.path and value.cast is None and value.type is ColumnType.JSON:
            return json_text_sql(value, alias)
        if isinstance(value, RelatedValue):
            target = self.alias()
            related = self.raw_output(value.value, target)
            return sql("(SELECT ", related, self.joined(value.join, target, alias), " LIMIT 1)")
        return self.raw(value, alias)

    def _aggregate(self, value: AggregateValue, alias: str) -> Sql:
        if value.through and value.function is Aggregate.AVG:
            total, number = replace(value, function=Aggregate.SUM), replace(value, function=Aggregate.COUNT)
            written = sql(self._over(total, alias), " * 1.0 / ", self._over(number, alias))
        else:
            written = self._over(value, alias)
        if value.cast is ColumnType.INTEGER:  # PostgreSQL rounds where SQLite cuts off
            rounded = sql("CASE typeof(", written, ") WHEN 'real' THEN round(", written, ") ELSE ", written, " END")
            return sql("CAST(", rounded, " AS INTEGER)")
        if value.cast is ColumnType.TEXT and value.operand is not None:
            return text_sql(written)
        if value.cast in _AGGREGATE_CASTS:
            return sql("CAST(", written, f" AS {_AGGREGATE_CASTS[value.cast]})")
        return written

    def _over(self, value: AggregateValue, alias: str) -> Sql:
        """Aggregate over the rows of a group, or over those that joins lead to: a sum of sums, and so on."""
        if not value.through:
            return _function(value.function, None if value.operand is None else self.raw(value.operand, alias))
        join, *further = value.through
        target = self.alias()
        of_one = self._over(replace(value, through=tuple(further)), target)
        related = sql("(SELECT ", of_one, self.joined(join, target, alias), ")")
        if value.function is Aggregate.COUNT:
            return sql("coalesce(sum(", related, "), 0)")
        return _function(value.function, related)


def can_hold_blob(value: Value) -> bool:
    """Tell whether a value may be a BLOB, which JSON cannot hold."""
    match value:
        case ColumnValue(column, path, cast):
            is_stored = not path and cast in (None, ColumnType.JSON)
            return cast is ColumnType.BLOB or (is_stored and column.can_hold_blob)
        case RelatedValue(_, related):
            return can_hold_blob(related)
        case AggregateValue(function, operand):
            return function in (Aggregate.MIN, Aggregate.MAX) and operand is not None and can_hold_blob(operand)


def _never_null(value: ColumnValue | RelatedValue) -> bool:
    return isinstance(value, ColumnValue) and not value.path and not value.column.nullable


_AGGREGATE_CASTS: dict[ColumnType | None, str] = {
    ColumnType.TEXT: "TEXT",
    ColumnType.REAL: "REAL",
    ColumnType.NUMERIC: "NUMERIC",
}


def _function(function: Aggregate, operand: Sql | None) -> Sql:
    return sql(f"{function}(", operand or ("*",), ")")


def equal_sql(left: str, left_columns: Sequence[str], right: str, right_columns: Sequence[str]) -> Sql:
    """Write that the columns of one alias are equal to those of another."""
    pairs = zip(left_columns, right_columns, strict=True)
    return (" AND ".join(f"{left}.{quote_identifier(a)} = {right}.{quote_identifier(b)}" for a, b in pairs),)


def _searches(conditions: tuple[PlannedCondition, ...]) -> bool:
    """Tell whether a condition needs the rowid."""
    for condition in conditions:
        match condition:
            case Comparison(index=FullTextIndex()):
                return True
            case Conjunction(conditions=inner) if _searches(inner):
                return True
    return False
