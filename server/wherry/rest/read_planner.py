"""Reads planned: select, filters, order and embeds with their names resolved, level by level, under the policies."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from wherry.errors import RequestError, SchemaError
from wherry.policies.model import Access, Always, Source
from wherry.rest.api_request import (
    FULL_TEXT,
    Aggregate,
    Condition,
    Field,
    Filter,
    Group,
    IsValue,
    JoinType,
    Level,
    Operator,
    OrderTerm,
    Query,
    SelectEmbed,
    SelectField,
    SelectItem,
    Star,
)
from wherry.rest.levels import not_embedded
from wherry.rest.names import Names, cast_type
from wherry.rest.plan import (
    AggregateValue,
    ColumnValue,
    Comparison,
    Conjunction,
    Exists,
    Join,
    OrderBy,
    OutputEmbed,
    OutputField,
    OutputItem,
    OutputSpread,
    PlannedCondition,
    ReadPlan,
    RelatedValue,
)
from wherry.schema.model import Column, ColumnType, FullTextIndex, Table


def source_of(table: Table, access: Access) -> Source:
    """Return the table as its role may read it."""
    return Source(table.name, access.readable, access.visible, access.unrestricted or _is_whole(table, access))


def _is_whole(table: Table, access: Access) -> bool:
    return isinstance(access.visible, Always) and len(access.readable) == len(table.columns)


@dataclass(slots=True)
class ReadPlanner:
    """Plans one query, whose levels are those of its embeds (`levels.resolve_levels`), level by level."""

    names: Names
    query: Query
    nulls_stripped: bool = False
    max_rows: int | None = None

    def plan(self, table: Table, items: tuple[SelectItem, ...], path: tuple[str, ...], level: Level) -> ReadPlan:
        """Plan one level and the embeds below it."""
        items = tuple(_with_count(item, table) for item in items)
        readable = self.names.readable(table)
        embeds = [item for item in items if isinstance(item, SelectEmbed)]
        _require_distinct(embeds)
        joins = {embed.name: (embed, self._join(table, embed, (*path, embed.name))) for embed in embeds}
        conditions = [self.condition(table, condition, joins) for condition in level.conditions]
        conditions += [Exists(join) for embed, join in joins.values() if embed.join is JoinType.INNER]
        grouped = any(_aggregates(item) for item in items)
        output = self._group_output if grouped else self._output
        return ReadPlan(
            source=source_of(table, self.names.access(table)),
            items=_without_repeats(output(table, readable, items, joins)),
            conditions=tuple(conditions),
            order=tuple(self.order_by(table, term, joins) for term in level.order),
            limit=level.limit,
            offset=level.offset,
            max_rows=self.max_rows,
            grouped=grouped,
            nulls_stripped=self.nulls_stripped,
        )

    def _join(self, source: Table, embed: SelectEmbed, path: tuple[str, ...]) -> Join:
        relationship = self.names.relationship(source, embed)
        target = self.names.schema.tables[relationship.target]
        junction = None
        if relationship.junction is not None:
            middle = self.names.schema.tables[relationship.junction.table]
            junction = source_of(middle, self.names.access(middle))
        return Join(relationship, self.plan(target, embed.items, path, self.query.level(path)), junction)

    # ---- output ----------------------------------------------------------------------------------------------

    def _output(
        self, table: Table, readable: tuple[str, ...], items: tuple[SelectItem, ...], joins: "_Joins"
    ) -> Iterator[OutputItem]:
        for item in items:
            match item:
                case Star():
                    yield from (OutputField(name, ColumnValue(table.columns[name])) for name in readable)
                case SelectField(field=Field() as selected):
                    yield OutputField(_key_of(item), self._column_value(table, selected, item.cast))
                case SelectEmbed(spread=True) if _shows_something(item):
                    yield OutputSpread(joins[item.name][1])
                case SelectEmbed(spread=False) if _shows_something(item):
                    yield OutputEmbed(item.name, joins[item.name][1])

    def _group_output(
        self, table: Table, readable: tuple[str, ...], items: tuple[SelectItem, ...], joins: "_Joins"
    ) -> Iterator[OutputItem]:
        for item in items:
            match item:
                case SelectField(aggregate=Aggregate()):
                    yield OutputField(_key_of(item), self._aggregate(table, item))
                case SelectEmbed(spread=True):
                    yield from self._spread_in_group(item, joins[item.name][1])
                case _:
                    yield from self._output(table, readable, (item,), joins)

    def _aggregate(self, table: Table, item: SelectField) -> AggregateValue:
        operand = None if item.field is None else self._column_value(table, item.field, item.cast)
        function = Aggregate(item.aggregate or Aggregate.COUNT)
        if function in (Aggregate.SUM, Aggregate.AVG) and operand is not None and operand.type in _NOT_NUMBERS:
            raise SchemaError(
                f"function {function}({operand.type}) does not exist",
                details=f'"{operand.column.name}" is of the type {operand.type}',
                hint=f"Cast it to a number: {_written(operand)}::numeric.{function}()",
                code="42883",
                status=404,
            )
        cast = None if item.aggregate_cast is None else cast_type(item.aggregate_cast)
        return AggregateValue(function, operand, cast)

    def _spread_in_group(self, embed: SelectEmbed, join: Join) -> Iterator[OutputItem]:
        """Yield the members of a spread inside a group: aggregates are over the related rows, others are group keys."""
        for item in join.plan.items:
            hoisted = list(_hoisted(item, join))
            if not hoisted:
                raise RequestError(
                    "Feature not implemented",
                    details=f"'...{embed.relation}' leads to many rows: beside an aggregate it can hold nothing else",
                    hint=f"Embed {embed.relation}(…) without the three dots",
                    code="PGRST127",
                )
            yield from hoisted

    def _column_value(self, table: Table, selected: Field, cast: str | None = None) -> ColumnValue:
        column = self.names.column(table, selected.name)
        type_ = None if cast is None else cast_type(cast)
        return ColumnValue(column, selected.path, type_, is_day=cast == "date")

    # ---- conditions and order --------------------------------------------------------------------------------

    def condition(self, table: Table, condition: Condition, joins: "_Joins") -> PlannedCondition:
        """Plan a condition on the rows of a table, whose embeds are `joins`."""
        match condition:
            case Group(conjunction, negated, conditions):
                return Conjunction(conjunction, negated, tuple(self.condition(table, c, joins) for c in conditions))
            case Filter(field=Field(name, path)) if name in joins and not path:
                return self._embed_filter(table, condition, joins[name][1])
        return self._comparison(table, condition)

    def _embed_filter(self, table: Table, condition: Filter, join: Join) -> PlannedCondition:
        """`rel=is.null` and `rel=not.is.null` ask whether the embed has rows."""
        if condition.operator is Operator.IS and condition.is_value in (IsValue.NULL, IsValue.NOT_NULL):
            has_rows = condition.negated is (condition.is_value is IsValue.NULL)
            return Exists(join, negated=not has_rows)
        if condition.field.name in self.names.readable(table):
            return self._comparison(table, condition)
        raise RequestError(
            f"Bad operator on the '{condition.field.name}' embedded resource",
            details="Only is null or not is null filters are allowed on embedded resources",
            hint=f"Write {condition.field.name}=not.is.null, or filter a column: {condition.field.name}.id=eq.1",
            code="PGRST120",
        )

    def _comparison(self, table: Table, condition: Filter) -> Comparison:
        index = None
        if condition.operator in FULL_TEXT:
            index = self._full_text_index(table, condition.field)
        whole_row = index is not None and condition.field.name == index.table
        value = (
            ColumnValue(Column(index.table))
            if whole_row and index is not None
            else self._column_value(table, condition.field)
        )
        return Comparison(
            value,
            condition.operator,
            condition.negated,
            condition.quantifier,
            condition.literal,
            condition.is_value,
            index,
            stems=(condition.language or "").lower() == "english",
        )

    def _full_text_index(self, table: Table, searched: Field) -> FullTextIndex | None:
        """Find the index that answers a search; None where the texts themselves must be looked through."""
        index = table.full_text
        if index is not None and searched.name == index.table == table.name and searched.name not in table.columns:
            self._require_all(table, index)
            return index
        value = self._column_value(table, searched)
        if index is not None and searched.name in index.columns and not searched.path:
            return index
        if value.type not in _TEXTS:
            raise SchemaError(
                f'"{searched.name}" of "{table.name}" is {value.type}, in which there are no words to search',
                hint=f"Compare its value: {searched.name}=eq.…",
                code="42883",
                status=404,
            )
        return None

    def _require_all(self, table: Table, index: FullTextIndex) -> None:
        for name in index.columns:
            self.names.column(table, name)

    def order_by(self, table: Table, term: OrderTerm, joins: "_Joins") -> OrderBy:
        """Plan a term of the order."""
        value: ColumnValue | RelatedValue
        if term.relation is None:
            value = self._column_value(table, term.field)
        else:
            value = self._related_value(table, term.relation, term.field, joins)
        nulls_first = term.descending if term.nulls_first is None else term.nulls_first
        return OrderBy(value, term.descending, nulls_first)

    def _related_value(self, table: Table, relation: str, ordered: Field, joins: "_Joins") -> RelatedValue:
        if relation not in joins:
            raise not_embedded(relation)
        join = joins[relation][1]
        if not join.relationship.leads_to_one:
            raise RequestError(
                f"A related order on '{relation}' is not possible",
                details=f"'{table.name}' and '{relation}' do not form a many-to-one or one-to-one relationship",
                hint=f"Order the embedded rows themselves: {relation}.order=column",
                code="PGRST118",
            )
        target = self.names.schema.tables[join.relationship.target]
        for item in join.plan.items:  # a name that the embed gives, as `person(known_as:name)` does
            match item:
                case OutputField(key, ColumnValue() as value) if key == ordered.name and key not in target.columns:
                    return RelatedValue(join, replace(value, path=(*value.path, *ordered.path)))
        return RelatedValue(join, self._column_value(target, ordered))


_Joins = dict[str, tuple[SelectEmbed, Join]]
_TEXTS = frozenset({ColumnType.TEXT, ColumnType.JSON, ColumnType.UNTYPED})
_NOT_NUMBERS = frozenset({ColumnType.TEXT, ColumnType.BOOLEAN, ColumnType.JSON, ColumnType.BLOB})


def _hoisted(item: OutputItem, join: Join) -> Iterator[OutputItem]:
    """Yield what a member of a spread is in the group that the spread stands in; nothing where it can be none."""
    to_one = join.relationship.leads_to_one
    match item:
        case OutputField(key, AggregateValue(function, operand, cast, ())) if to_one and operand is not None:
            yield OutputField(key, AggregateValue(function, RelatedValue(join, operand), cast))
        case OutputField(key, AggregateValue(function, operand, cast, through)):
            yield OutputField(key, AggregateValue(function, operand, cast, (join, *through)))
        case OutputField(key, ColumnValue() | RelatedValue() as value) if to_one:
            yield OutputField(key, RelatedValue(join, value))
        case OutputEmbed(key, inner, through) if to_one:
            yield OutputEmbed(key, inner, (join, *through))
        case OutputSpread(inner) if to_one and inner.relationship.leads_to_one:
            for member in inner.plan.items:
                for hoisted in _hoisted(member, inner):
                    yield from _hoisted(hoisted, join)


def _with_count(item: SelectItem, table: Table) -> SelectItem:
    """Read `count` as `count()` where no column has that name, as in PostgREST's older form `films(count)`."""
    is_field = isinstance(item, SelectField) and item.field == Field("count") and item.aggregate is None
    if isinstance(item, SelectField) and is_field and "count" not in table.columns:
        return SelectField(None, item.alias, aggregate=Aggregate.COUNT, aggregate_cast=item.cast)
    return item


def _require_distinct(embeds: list[SelectEmbed]) -> None:
    """Refuse two embeds of one name: filters, order and limits could mean either. Raises RequestError 42712."""
    seen: set[str] = set()
    for embed in embeds:
        if embed.name in seen:
            raise RequestError(
                f'table name "{embed.name}" specified more than once',
                hint=f"Give each embed a name of its own, for example a:{embed.relation}(…),b:{embed.relation}(…)",
                code="42712",
            )
        seen.add(embed.name)


def _aggregates(item: SelectItem) -> bool:
    """Tell whether the item makes its level a group: an aggregate, or a spread that has one."""
    match item:
        case SelectField(aggregate=Aggregate()):
            return True
        case SelectEmbed(spread=True, items=items):
            return any(_aggregates(inner) for inner in items)
    return False


def _shows_something(embed: SelectEmbed) -> bool:
    """Tell whether an embed has a member to show: `rel()` only filters."""
    return any(not isinstance(item, SelectEmbed) or _shows_something(item) for item in embed.items)


def _key_of(item: SelectField) -> str:
    """Name the member: the alias, the aggregate, the last key of a JSON path, or the column."""
    if item.alias is not None:
        return item.alias
    if item.aggregate is not None or item.field is None:
        return str(item.aggregate)
    keys = [step.key for step in item.field.path if isinstance(step.key, str)]
    return keys[-1] if keys else item.field.name


def _written(value: ColumnValue) -> str:
    """Write a value as a select does."""
    return value.column.name + "".join(f"->{'>' if step.as_text else ''}{step.key}" for step in value.path)


def _without_repeats(items: Iterator[OutputItem]) -> tuple[OutputItem, ...]:
    """Leave out what is selected twice (`*,id`): an object has each member once."""
    return tuple(dict.fromkeys(items))
