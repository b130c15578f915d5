"""Plans remembered by the shape of the request: the second request of a shape is only bound and run.

Plan and compile are pure functions of (shape, schema, policies, role). A `PlanCache` stands for one state of schema and
policies; when either changes a new one takes its place, so that nothing in it can be stale.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

from wherry.identity import Identity
from wherry.policies import Policies
from wherry.rest.api_request import ApiRequest
from wherry.rest.compiler import compile_plan
from wherry.rest.conversion import ConvertRows, rows_converter
from wherry.rest.names import Names
from wherry.rest.payload import DecodeBody
from wherry.rest.plan import InsertPlan, ReadRequestPlan
from wherry.rest.planner import plan_request
from wherry.rest.response import ReadHeaders, WriteForm
from wherry.rest.write_compiler import PreparedWrite
from wherry.schema.model import Schema, Table
from wherry.statement import NO_EXPECTATIONS, Expectations, Framing, ReadTransaction

Key: TypeAlias = Hashable
_Key = TypeVar("_Key", bound=Hashable)
_Kept = TypeVar("_Kept")

#: How many shapes are remembered; the oldest goes when one more comes.
CAPACITY = 4096


@dataclass(frozen=True, slots=True)
class PreparedRead:
    """A read that only lacks its values."""

    transaction: ReadTransaction
    headers: ReadHeaders
    singular: bool
    offset: int | None  #: index of the value that says where the page starts
    in_order: bool  #: whether the parameters stand in the order of the alphabet, as Content-Location has them


@dataclass(frozen=True, slots=True)
class PreparedRows:
    """A write of some columns that only lacks its values."""

    write: PreparedWrite
    expects: Expectations
    convert: ConvertRows
    form: WriteForm
    table: Table
    identified_by: tuple[tuple[int, int], ...] = ()
    upsert: bool = False


@dataclass(frozen=True, slots=True)
class ParsedWrite:
    """The words of a write without its body, and the plans made for the columns that bodies had."""

    request: ApiRequest
    path: str  #: of the resource, for Location
    decode: DecodeBody
    by_columns: dict[tuple[tuple[str, ...], bool], PreparedRows] = field(default_factory=dict)


class PlanCache:
    """The plans for one state of schema and policies; a class because it remembers and counts."""

    def __init__(self, schema: Schema, policies: Policies, *, max_rows: int | None) -> None:
        self.schema = schema
        self.policies = policies
        self.hits = 0
        self.misses = 0
        self._max_rows = max_rows
        self._reads: dict[Key, PreparedRead] = {}
        self._writes: dict[Key, ParsedWrite] = {}

    def names(self, identity: Identity) -> Names:
        """Return the schema as the caller's role sees it."""
        role = identity.role
        return Names(self.schema, role, lambda table: self.policies.access(role, table))

    def read(self, key: Key, identity: Identity, parse: Callable[[], ApiRequest]) -> PreparedRead:
        """Return the prepared read of a key, which holds everything that `parse` reads and the role."""
        found = self._reads.get(key)
        if found is not None:
            self.hits += 1
            return found
        self.misses += 1
        return _remember(self._reads, key, self._prepare_read(parse(), identity))

    def _prepare_read(self, request: ApiRequest, identity: Identity) -> PreparedRead:
        plan = plan_request(request, self.names(identity), max_rows=self._max_rows)
        transaction = compile_plan(plan)
        if not isinstance(plan, ReadRequestPlan) or not isinstance(transaction, ReadTransaction):
            raise AssertionError("a GET is planned as a read")
        if request.format.is_singular:
            transaction = replace(transaction, framing=Framing(b"", b",", b""))
        headers = ReadHeaders.of(request.format, request.preferences)
        return PreparedRead(
            transaction, headers, request.format.is_singular, plan.read.offset, in_order=request.in_order
        )

    def write(self, key: Key) -> ParsedWrite | None:
        """Return the parsed words of a write, None for one that was not seen yet."""
        return self._writes.get(key)

    def remember_write(self, key: Key, parsed: ParsedWrite) -> ParsedWrite:
        """Remember the parsed words of a write; the key holds all that they were parsed from, and the role."""
        return _remember(self._writes, key, parsed)

    def rows(self, parsed: ParsedWrite, columns: tuple[str, ...], identity: Identity, *, is_text: bool) -> PreparedRows:
        """Return the prepared write of some columns; the role is in the key that `parsed` was found by."""
        found = parsed.by_columns.get((columns, is_text))
        if found is not None:
            self.hits += 1
            return found
        self.misses += 1
        request = replace(parsed.request, payload_columns=columns)
        prepared = self._prepare_rows(request, identity, is_text=is_text, path=parsed.path)
        return _remember(parsed.by_columns, (columns, is_text), prepared)

    def _prepare_rows(self, request: ApiRequest, identity: Identity, *, is_text: bool, path: str) -> PreparedRows:
        plan = plan_request(request, self.names(identity))
        write = compile_plan(plan)
        if isinstance(plan, ReadRequestPlan) or isinstance(write, ReadTransaction):
            raise AssertionError("a write is planned as a write")
        table = plan.table if isinstance(plan, InsertPlan) else plan.reach.table
        framing = Framing(b"", b",", b"") if request.format.is_singular else write.framing
        return PreparedRows(
            write=write,
            expects=_expectations(request, write),
            convert=rows_converter([table.columns[name] for name in request.payload_columns], is_text=is_text),
            form=WriteForm.of(
                request,
                path,
                framing,
                shows=write.shows,
                key=write.key,
                order=write.order,
                resolves=isinstance(plan, InsertPlan) and plan.conflict is not None,
            ),
            table=table,
            identified_by=plan.identified_by if isinstance(plan, InsertPlan) else (),
            upsert=isinstance(plan, InsertPlan)
            and plan.conflict is not None
            and (plan.conflict.merge or write.resolves),
        )


def _expectations(request: ApiRequest, write: PreparedWrite) -> Expectations:
    preferences = request.preferences
    expects = Expectations(
        max_affected=preferences.max_affected if preferences.strict else None,
        exactly=1 if request.format.is_singular else None,
        every_row=write.every_row,
        rollback=preferences.rollback,
        shown=write.joins,
    )
    return NO_EXPECTATIONS if expects == NO_EXPECTATIONS else expects


def _remember(kept: dict[_Key, _Kept], key: _Key, value: _Kept) -> _Kept:
    if len(kept) >= CAPACITY:
        del kept[next(iter(kept))]
    kept[key] = value
    return value
