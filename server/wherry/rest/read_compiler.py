"""Reads compiled: a plan as SQL that makes the response's bytes inside SQLite."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from wherry.rest.clauses import Clauses, can_hold_blob, equal_sql
from wherry.rest.conditions import json_text_sql
from wherry.rest.groups import GroupMember, line_of_group, members_of_group
from wherry.rest.plan import (
    AggregateValue,
    ColumnValue,
    Join,
    OutputEmbed,
    OutputField,
    OutputSpread,
    ReadPlan,
    ReadRequestPlan,
    Total,
    Value,
)
from wherry.rest.rows import (
    FlatMember,
    Member,
    SpreadMembers,
    TextMember,
    csv_field,
    csv_header_of,
    csv_json_field,
    csv_line_of,
    fragment_of,
    object_of,
    render,
)
from wherry.rest.sources import source_sql
from wherry.rest.sql import Sql, join_sql, sql, statement_of
from wherry.schema.model import ColumnType
from wherry.statement import Framing, ReadTransaction


@dataclass(frozen=True, slots=True)
class _SpreadColumn:
    """A value of a related row that becomes a member of the row outside; no type means JSON text."""

    key: str
    value: Sql
    type: ColumnType | None
    can_hold_blob: bool = False


class ReadCompiler(Clauses):
    """Compiles one plan."""

    # ---- reading ---------------------------------------------------------------------------------------------

    def read(self, request: ReadRequestPlan) -> ReadTransaction:
        """Compile a whole read."""
        plan = request.read
        total = self._total(request)
        separator = "char(10)" if request.as_csv else "','"
        if plan.grouped or plan.order or plan.limit is not None or plan.offset is not None or plan.max_rows is not None:
            rows = self._rows(plan, as_csv=request.as_csv)
            page = sql("SELECT count(*), CAST(group_concat(j, ", separator, ") AS BLOB)", total, " FROM (", rows, ")")
        else:
            row, tail = self._plain_rows(plan, as_csv=request.as_csv)
            page = sql("SELECT count(*), CAST(group_concat(", row, ", ", separator, ") AS BLOB)", total, tail)
        one_by_one = sql("SELECT CAST(j AS BLOB) FROM (", self._rows(plan, as_csv=request.as_csv), ")")
        size = sql("SELECT (SELECT count(*) FROM (", self._bare_rows(plan), "))", self._total(request))
        return ReadTransaction(
            page=statement_of(page),
            rows=statement_of(one_by_one),
            size=statement_of(size),
            framing=framing_of(plan) if request.as_csv else Framing(),
        )

    def _total(self, request: ReadRequestPlan) -> Sql:
        """Write the extra column for the total: the number of rows without the limit."""
        match request.total:
            case Total.NONE:
                return ()
            case Total.ESTIMATED:
                return (f", {request.estimate}",)
            case Total.EXACT:
                return sql(", (SELECT count(*) FROM (", self._bare_rows(request.read, limited=False), "))")

    def _bare_rows(self, plan: ReadPlan, *, limited: bool = True) -> Sql:
        """Select a 1 for each row of the plan."""
        alias = self.alias()
        limit = self.limit(plan) if limited else ()
        where = self.where(plan, alias)
        if not plan.grouped:
            return sql("SELECT 1 FROM ", self.source(plan, alias), where, limit)
        keys = self._group_keys(plan, alias)
        group = sql(" GROUP BY ", join_sql(", ", keys)) if keys else ()
        return sql("SELECT count(*) FROM ", self.source(plan, alias), where, group, limit)

    def _rows(self, plan: ReadPlan, *, as_csv: bool) -> Sql:
        """Select the text of each row as j, in order and within the limit."""
        if plan.grouped:
            inner, members = self._group(plan, _no_link)
            object_ = object_of(members_of_group(members), nulls_stripped=plan.nulls_stripped)
            row = line_of_group(members) if as_csv else object_
            return sql("SELECT ", row, " AS j FROM (", inner, ") AS g")
        row, tail = self._plain_rows(plan, as_csv=as_csv)
        return sql("SELECT ", row, " AS j", tail)

    def _plain_rows(self, plan: ReadPlan, *, as_csv: bool) -> tuple[Sql, Sql]:
        """Write the text of a row, and the FROM … LIMIT that it stands on."""
        alias = self.alias()
        row = self.line(plan, alias) if as_csv else self.object(plan, alias)
        source = self.source(plan, alias)
        return row, sql(" FROM ", source, self.where(plan, alias), self.order(plan.order, alias), self.limit(plan))

    def object(self, plan: ReadPlan, alias: str) -> Sql:
        """Write the object of a row."""
        return object_of(self._members(plan, alias), nulls_stripped=plan.nulls_stripped)

    def _members(self, plan: ReadPlan, alias: str) -> list[Member]:
        members: list[Member] = []
        for item in plan.items:
            match item:
                case OutputField(key, value):
                    rendered = self._rendered(value, alias)
                    if plan.nulls_stripped and value.type is ColumnType.JSON:
                        raw = self.raw_output(value, alias)
                        stripped = sql("json(json_strip_nulls(CAST(json(", raw, ") AS BLOB)))")
                        rendered = sql("CASE WHEN json_valid(", raw, ", 9) THEN ", stripped, " ELSE ", rendered, " END")
                    members.append(FlatMember(key, rendered))
                case OutputEmbed(key, join):
                    members.append(TextMember(key, self._embed(join, alias)))
                case OutputSpread(join):
                    members.append(SpreadMembers(self._spread(join, alias)))
        return members

    def _rendered(self, value: Value, alias: str) -> Sql:
        if isinstance(value, ColumnValue) and value.path and value.cast is None and value.type is ColumnType.JSON:
            return sql("json(", json_text_sql(value, alias), ")")
        return render(self.raw(value, alias), value.type, can_hold_blob=can_hold_blob(value))

    def line(self, plan: ReadPlan, alias: str) -> Sql:
        """Write the line of CSV of a row."""
        return csv_line_of(list(self._fields(plan, alias)))

    def _fields(self, plan: ReadPlan, alias: str) -> Iterator[Sql]:
        for item in plan.items:
            match item:
                case OutputField(_, value):
                    yield csv_field(self.raw(value, alias), value.type, can_hold_blob=can_hold_blob(value))
                case OutputEmbed(_, join):
                    yield csv_json_field(self._embed(join, alias))
                case OutputSpread(join) if join.relationship.leads_to_one:
                    target = self.alias()
                    for field in self._fields(join.plan, target):
                        yield sql("coalesce((SELECT ", field, self.joined(join, target, alias), " LIMIT 1), '')")
                case OutputSpread(join):
                    yield from (csv_json_field(column.value) for column in self._lists(join, alias))

    # ---- groups ----------------------------------------------------------------------------------------------

    def _group(self, plan: ReadPlan, link: Callable[[str], Sql]) -> "tuple[Sql, list[GroupMember]]":
        """Select the columns c0, c1… of a grouped plan, and say what each becomes in the object.

        `link` writes the condition that ties the rows, whose alias it gets, to a row outside.
        """
        alias = self.alias()
        columns: list[Sql] = []
        members: list[GroupMember] = []
        for number, item in enumerate(plan.items):
            match item:
                case OutputField(key, value):
                    columns.append(sql(self.raw_output(value, alias), f" AS c{number}"))
                    members.append(GroupMember(key, f"g.c{number}", value.type, can_hold_blob(value)))
                case OutputEmbed(key):
                    columns.append(sql(self._embed_through(item, alias), f" AS c{number}"))
                    members.append(GroupMember(key, f"g.c{number}", None))
                case OutputSpread():
                    raise AssertionError("the planner puts no spread into a group")
        keys = self._group_keys(plan, alias)
        return sql(
            "SELECT ", join_sql(", ", columns), " FROM ", self.source(plan, alias),
            self.where(plan, alias, link(alias)), sql(" GROUP BY ", join_sql(", ", keys)) if keys else (),
            self.order(plan.order, alias), self.limit(plan),
        ), members  # fmt: skip

    def _group_keys(self, plan: ReadPlan, alias: str) -> list[Sql]:
        keys = []
        for item in plan.items:
            match item:
                case OutputField(_, AggregateValue()):
                    pass
                case OutputField(_, value):
                    keys.append(self.raw_output(value, alias))
                case OutputEmbed():
                    keys.append(self._embed_through(item, alias))
        return keys

    def _embed_through(self, embed: OutputEmbed, alias: str) -> Sql:
        """Write an embed of a row that to-one joins lead to."""
        if not embed.through:
            return self._embed(embed.join, alias)
        join, *further = embed.through
        target = self.alias()
        related = self._embed_through(replace(embed, through=tuple(further)), target)
        return sql("(SELECT ", related, self.joined(join, target, alias), " LIMIT 1)")

    # ---- embeds and spreads ------------------------------------------------------------------------------------

    def _embed(self, join: Join, parent: str) -> Sql:
        """Write an embed as JSON text: an object or NULL, or a list."""
        plan = join.plan
        if join.relationship.leads_to_one and plan.grouped:
            return sql("(SELECT j FROM (", self._related(join, parent), ") LIMIT 1)")
        if join.relationship.leads_to_one:
            alias = self.alias()
            return sql("(SELECT ", self.object(plan, alias), self.joined(join, alias, parent), " LIMIT 1)")
        return sql("(SELECT '[' || coalesce(group_concat(j, ','), '') || ']' FROM (", self._related(join, parent), "))")

    def _related(self, join: Join, parent: str) -> Sql:
        """Select the objects of a to-many join as j, in order and within the limit."""
        plan = join.plan
        if plan.grouped:
            inner, members = self._group_related(join, parent)
            row = object_of(members_of_group(members), nulls_stripped=plan.nulls_stripped)
            return sql("SELECT ", row, " AS j FROM (", inner, ") AS g")
        alias = self.alias()
        return sql(
            "SELECT ", self.object(plan, alias), " AS j", self.joined(join, alias, parent),
            self.order(plan.order, alias), self.limit(plan),
        )  # fmt: skip

    def _group_related(self, join: Join, parent: str) -> "tuple[Sql, list[GroupMember]]":
        """As `_group`, over the rows that a join leads to from one parent."""
        relationship, junction = join.relationship, join.relationship.junction

        def link(alias: str) -> Sql:
            if junction is None or join.junction is None:
                return equal_sql(alias, relationship.target_columns, parent, relationship.source_columns)
            middle = self.alias()
            return sql(
                "EXISTS (SELECT 1 FROM ", source_sql(join.junction, middle), " WHERE ",
                equal_sql(middle, junction.target_columns, alias, relationship.target_columns), " AND ",
                equal_sql(middle, junction.source_columns, parent, relationship.source_columns), ")",
            )  # fmt: skip

        return self._group(join.plan, link)

    def _spread(self, join: Join, parent: str) -> Sql:
        """Write the members of a spread as the beginning of an object (see `rows.fragment_of`)."""
        plan = join.plan
        if join.relationship.leads_to_one:
            alias = self.alias()
            members = self._members(plan, alias)
            found = sql(
                "(SELECT ", fragment_of(members, nulls_stripped=plan.nulls_stripped),
                self.joined(join, alias, parent), " LIMIT 1)",
            )  # fmt: skip
            return sql("coalesce(", found, ", ", _missing(plan), ")")
        alias = self.alias()
        columns = list(self._spread_columns(plan, alias))
        lists: list[Member] = [TextMember(c.key, _list_of(c, f"g.c{number}")) for number, c in enumerate(columns)]
        values = join_sql(", ", [sql(column.value, f" AS c{number}") for number, column in enumerate(columns)])
        rows = self._spread_rows(join, alias, parent, values)
        return sql("(SELECT ", fragment_of(lists, nulls_stripped=False), " FROM (", rows, ") AS g)")

    def _spread_rows(self, join: Join, alias: str, parent: str, values: Sql) -> Sql:
        order, limit = self.order(join.plan.order, alias), self.limit(join.plan)
        return sql("SELECT ", values, self.joined(join, alias, parent), order, limit)

    def _lists(self, join: Join, parent: str) -> Iterator[_SpreadColumn]:
        """Write each member of a to-many spread as a list of its own."""
        alias = self.alias()
        for column in self._spread_columns(join.plan, alias):
            rows = self._spread_rows(join, alias, parent, sql(column.value, " AS c"))
            yield _SpreadColumn(column.key, sql("(SELECT ", _list_of(column, "g.c"), " FROM (", rows, ") AS g)"), None)

    def _spread_columns(self, plan: ReadPlan, alias: str) -> Iterator[_SpreadColumn]:
        """Write the values of a row that a to-many spread lists; of spreads inside it, too."""
        for item in plan.items:
            match item:
                case OutputField(key, value):
                    yield _SpreadColumn(key, self.raw_output(value, alias), value.type, can_hold_blob(value))
                case OutputEmbed(key, join):
                    yield _SpreadColumn(key, self._embed(join, alias), None)
                case OutputSpread(join) if join.relationship.leads_to_one:
                    target = self.alias()
                    for column in self._spread_columns(join.plan, target):
                        found = sql("(SELECT ", column.value, self.joined(join, target, alias), " LIMIT 1)")
                        yield replace(column, value=found)
                case OutputSpread(join):
                    yield from self._lists(join, alias)


def _no_link(alias: str) -> Sql:
    """Tie the rows of a group to nothing."""
    return ()


def framing_of(plan: ReadPlan) -> Framing:
    """Return the framing of CSV: the header line, and rows that end in a line feed."""
    return Framing(csv_header_of(_keys_of(plan)), b"\n", b"")


def _list_of(column: _SpreadColumn, name: str) -> Sql:
    """Aggregate the values in `name` to the text of a list."""
    shown: Sql = (f"coalesce({name}, 'null')",)
    if column.type is not None:
        shown = sql("json_quote(", render((name,), column.type, can_hold_blob=column.can_hold_blob), ")")
    return sql("'[' || coalesce(group_concat(", shown, ", ','), '') || ']'")


def _missing(plan: ReadPlan) -> Sql:
    """Write the members of a to-one spread that leads nowhere: all null."""
    members: list[Member] = [FlatMember(key, ("NULL",)) for key in _keys_of(plan)]
    return fragment_of(members, nulls_stripped=plan.nulls_stripped)


def _keys_of(plan: ReadPlan) -> list[str]:
    """List the members of a row, those of spreads among them."""
    keys: list[str] = []
    for item in plan.items:
        match item:
            case OutputField(key) | OutputEmbed(key):
                keys.append(key)
            case OutputSpread(join):
                keys += _keys_of(join.plan)
    return keys
