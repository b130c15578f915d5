"""What will be done, with every name resolved: what `planner` makes and `compiler` turns into SQL.

A plan cannot forget its policy: a `ReadPlan` stands on a `Source` (a table as one role may read it), and the plans of
writes have required fields for the rows they may reach and the rows they may leave behind. Literals are still
indexes among the request's values.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from wherry.policies.model import Expression, Never, Source
from wherry.rest.api_request import Aggregate, IsValue, Operator, PathStep, Quantifier
from wherry.schema.model import Column, ColumnType, FullTextIndex, Relationship, Table

# ---- values ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ColumnValue:
    """A column, or a place inside its JSON, perhaps cast."""

    column: Column
    path: tuple[PathStep, ...] = ()
    cast: ColumnType | None = None
    is_day: bool = False  #: cast to a date: a text that begins with one is cut down to it

    @property
    def type(self) -> ColumnType:
        """How the value travels on the wire."""
        if self.cast is not None:
            return self.cast
        if self.path:
            return ColumnType.TEXT if self.path[-1].as_text else ColumnType.JSON
        return self.column.type


@dataclass(frozen=True, slots=True)
class RelatedValue:
    """A value of the one row that a to-one join leads to."""

    join: "Join"
    value: "ColumnValue | RelatedValue"

    @property
    def type(self) -> ColumnType:
        """How the value travels on the wire."""
        return self.value.type


@dataclass(frozen=True, slots=True)
class AggregateValue:
    """An aggregate over the rows of a group; `count()` has no operand.

    With `through` the operand belongs to the rows that these joins lead to, one after the other, and the aggregate is
    over all of them.
    """

    function: Aggregate
    operand: ColumnValue | RelatedValue | None
    cast: ColumnType | None = None
    through: "tuple[Join, ...]" = ()

    @property
    def type(self) -> ColumnType:
        """How the value travels on the wire."""
        if self.cast is not None:
            return self.cast
        if self.function is Aggregate.COUNT:
            return ColumnType.INTEGER
        if self.function in (Aggregate.MIN, Aggregate.MAX) and self.operand is not None:
            return self._type_of(self.operand)
        return ColumnType.NUMERIC

    def _type_of(self, operand: ColumnValue | RelatedValue) -> ColumnType:
        """Return how an operand travels: a place inside JSON is compared as the plain value that it holds."""
        if isinstance(operand, RelatedValue):
            return operand.type if isinstance(operand.value, RelatedValue) else self._type_of(operand.value)
        is_place = bool(operand.path) and operand.cast is None
        return ColumnType.UNTYPED if is_place and operand.type is ColumnType.JSON else operand.type


Value: TypeAlias = ColumnValue | RelatedValue | AggregateValue


# ---- what a row of the result holds ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutputField:
    """A member with a value of the row."""

    key: str
    value: Value


@dataclass(frozen=True, slots=True)
class OutputEmbed:
    """A member with an object (to-one) or a list (to-many) of related rows.

    With `through` they are related to the one row that these to-one joins lead to, one after the other.
    """

    key: str
    join: "Join"
    through: "tuple[Join, ...]" = ()


@dataclass(frozen=True, slots=True)
class OutputSpread:
    """The members of a related row among the row's own; of a to-many join each member is a list."""

    join: "Join"


OutputItem: TypeAlias = OutputField | OutputEmbed | OutputSpread


# ---- conditions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison:
    """A filter. `literal` is the index of the request's value; `index` the full-text index that answers it.

    A full-text search without an index looks through the words of each row, with `stems` through what they begin with.
    """

    value: ColumnValue
    operator: Operator
    negated: bool
    quantifier: Quantifier | None
    literal: int | None
    is_value: IsValue | None
    index: FullTextIndex | None = None
    stems: bool = False


@dataclass(frozen=True, slots=True)
class Conjunction:
    """Conditions joined by `and` or `or`."""

    conjunction: str
    negated: bool
    conditions: "tuple[PlannedCondition, ...]"


@dataclass(frozen=True, slots=True)
class Exists:
    """The join leads to a row (or, negated, to none)."""

    join: "Join"
    negated: bool = False


PlannedCondition: TypeAlias = Comparison | Conjunction | Exists


@dataclass(frozen=True, slots=True)
class OrderBy:
    """One term of the order."""

    value: ColumnValue | RelatedValue
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class SortKey:
    """How the values of one term of `order` are sorted."""

    descending: bool
    nulls_first: bool


#: Predicates that must all hold; those that always do are left out, so an empty tuple restricts nothing.
Predicates: TypeAlias = tuple[Expression | Never, ...]

# ---- plans -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """Rows of a source, and what is shown of each."""

    source: Source
    items: tuple[OutputItem, ...]
    conditions: tuple[PlannedCondition, ...] = ()
    order: tuple[OrderBy, ...] = ()
    limit: int | None = None
    offset: int | None = None
    max_rows: int | None = None
    grouped: bool = False
    nulls_stripped: bool = False


@dataclass(frozen=True, slots=True)
class Join:
    """The way from a row to related rows. `junction` is the table in the middle, as the role may read it."""

    relationship: Relationship
    plan: ReadPlan
    junction: Source | None = None


class Total(StrEnum):
    """What Content-Range says of the number of rows without the limit."""

    NONE = "none"
    EXACT = "exact"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class ReadRequestPlan:
    """A whole read: the rows, their form, and the total."""

    read: ReadPlan
    total: Total = Total.NONE
    estimate: int = 0  #: the total, when it is ESTIMATED
    as_csv: bool = False


@dataclass(frozen=True, slots=True)
class Returning:
    """What a write gives back of each row: its representation, and its key for `Location`.

    `needed` says that rows must be counted although nothing of them is shown.
    """

    plan: ReadPlan | None = None
    key: tuple[str, ...] = ()
    needed: bool = False
    as_csv: bool = False

    @property
    def reads(self) -> bool:
        """Tell whether something of the rows is shown, which then must be visible to the role."""
        return self.plan is not None or bool(self.key)


@dataclass(frozen=True, slots=True)
class Conflict:
    """What an upsert does with a row whose key exists: changes it (`merge`), or leaves it.

    As in PostgreSQL (the note on ON CONFLICT in https://www.postgresql.org/docs/current/sql-createpolicy.html), the
    row that is proposed must be allowed as a new one, whatever becomes of it.
    """

    target: tuple[str, ...]
    merge: bool
    changeable: Predicates  #: which existing rows may be changed
    proposed: Predicates  #: what the proposed row must satisfy
    allowed: Predicates  #: what a changed row must satisfy


@dataclass(frozen=True, slots=True)
class InsertPlan:
    """New rows with values for `columns`; each must satisfy `allowed`, but those that a conflict has changed."""

    table: Table
    columns: tuple[str, ...]
    allowed: Predicates
    conflict: Conflict | None
    returning: Returning
    #: for PUT: (position among `columns`, literal of the filter) pairs that must be equal
    identified_by: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """Which rows an update or a delete touches: the caller's conditions within what the policies let it reach."""

    table: Table
    conditions: tuple[PlannedCondition, ...]
    within: Predicates
    order: tuple[OrderBy, ...] = ()
    limit: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class UpdatePlan:
    """New values for `columns` of the rows in reach; each must satisfy `allowed` afterwards.

    `defaults` are further columns, which get the value of an SQL expression from the schema.
    """

    reach: Reach
    columns: tuple[str, ...]
    allowed: Predicates
    returning: Returning
    defaults: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DeletePlan:
    """The rows in reach go."""

    reach: Reach
    returning: Returning


Plan: TypeAlias = ReadRequestPlan | InsertPlan | UpdatePlan | DeletePlan
