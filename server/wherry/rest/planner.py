"""Where request, schema, policies and identity meet: names become tables, columns and joins, under the policies.

`plan_request` is the only way to a plan. What is unknown, ambiguous or not allowed ends here.
"""

from wherry.errors import MethodNotAllowed, RequestError, SchemaError
from wherry.policies.model import Access, Always, Predicate
from wherry.rest.api_request import (
    ApiRequest,
    Count,
    Filter,
    Level,
    MediaType,
    Operator,
    Preferences,
    Query,
    Resolution,
    Return,
)
from wherry.rest.levels import resolve_levels
from wherry.rest.names import Names
from wherry.rest.plan import (
    Conflict,
    DeletePlan,
    InsertPlan,
    Plan,
    Predicates,
    Reach,
    ReadPlan,
    ReadRequestPlan,
    Returning,
    Total,
    UpdatePlan,
)
from wherry.rest.read_planner import ReadPlanner
from wherry.schema.definitions import default_expression
from wherry.schema.model import Table, TableKind


def plan_request(request: ApiRequest, names: Names, *, max_rows: int | None = None) -> Plan:
    """Plan a request.

    Raises SchemaError (PGRST2xx, 42703…) for names that do not exist, AccessDenied (42501) for what the role may
    not, RequestError for what the dialect does not allow and MethodNotAllowed for a view that cannot be written.
    """
    table = names.table(request.resource)
    match request.method:
        case "GET":
            return _plan_read(request, names, table, max_rows)
        case "POST":
            return _plan_insert(request, names, table)
        case "PUT":
            return _plan_put(request, names, table)
        case "PATCH":
            return _plan_update(request, names, table)
        case "DELETE":
            return _plan_delete(request, names, table)
        case _:
            raise MethodNotAllowed(f"Unsupported HTTP method: {request.method}")


def _together(*predicates: Predicate) -> Predicates:
    return tuple(dict.fromkeys(predicate for predicate in predicates if not isinstance(predicate, Always)))


# ---- reading ---------------------------------------------------------------------------------------------------


def _plan_read(request: ApiRequest, names: Names, table: Table, max_rows: int | None) -> ReadRequestPlan:
    query = resolve_levels(request.query)
    planner = ReadPlanner(names, query, nulls_stripped=request.format.nulls_stripped, max_rows=max_rows)
    level = request.query.level(())
    if request.range_offset is not None:  # the header goes before the parameters
        limit = level.limit if request.range_limit is None else request.range_limit
        level = Level(level.conditions, level.order, limit, request.range_offset)
    read = planner.plan(table, query.select, (), level)
    total, estimate = _plan_total(request.preferences.count, read, names)
    return ReadRequestPlan(read, total, estimate, as_csv=request.format.media_type is MediaType.CSV)


def _plan_total(count: Count | None, read: ReadPlan, names: Names) -> tuple[Total, int]:
    """Decide how rows are counted: an estimate is only told of a whole table, where it gives away nothing."""
    if count is None:
        return Total.NONE, 0
    estimate = names.schema.row_estimates.get(read.source.table)
    if count is Count.EXACT or estimate is None or read.conditions or read.grouped or not read.source.unrestricted:
        return Total.EXACT, 0
    if count is Count.ESTIMATED and estimate <= ESTIMATE_FROM:
        return Total.EXACT, 0
    return Total.ESTIMATED, estimate


#: Up to so many rows `count=estimated` counts them.
ESTIMATE_FROM = 10_000


# ---- writing ---------------------------------------------------------------------------------------------------


def _plan_insert(request: ApiRequest, names: Names, table: Table) -> InsertPlan:
    access = names.access(table)
    if not access.may_insert:
        raise names.denied(table)
    if not table.insertable:
        raise _not_writable(table, "insert into", "INSERT")
    for name in request.payload_columns:
        names.writable_column(table, name, access.insertable)
    returning = _plan_returning(request, names, table)
    conflict = _plan_conflict(request, names, table, access)
    return InsertPlan(
        table=table,
        columns=request.payload_columns,
        allowed=_together(
            *access.insert_checks,
            access.visible if returning.reads or conflict is not None else Always(),
        ),
        conflict=conflict,
        returning=returning,
    )


def _plan_conflict(request: ApiRequest, names: Names, table: Table, access: Access) -> Conflict | None:
    resolution = request.preferences.resolution
    target = request.query.on_conflict or table.primary_key
    if resolution is None or not target or table.kind is TableKind.VIEW:
        return None
    known = access.insertable.union(access.readable)
    for name in request.query.on_conflict or ():
        if name not in known:
            raise SchemaError(f'column "{name}" does not exist', code="42703")
    if not any(set(key.columns) == set(target) for key in table.unique_keys):
        raise SchemaError(
            "there is no unique or exclusion constraint matching the ON CONFLICT specification",
            details=f"{table.name}({', '.join(target)}) is neither its primary key nor unique",
            hint="Write the columns of a unique key: "
            + "; ".join(
                "on_conflict=" + ",".join(key.columns) for key in table.unique_keys if known.issuperset(key.columns)
            ),
            code="42P10",
        )
    if not set(target) <= set(access.readable):  # what is compared is read
        raise names.denied(table)
    merge = resolution is Resolution.MERGE
    if merge:
        if not access.may_update:
            raise names.denied(table)
        for name in request.payload_columns:
            if name not in target:
                names.writable_column(table, name, access.updatable)
    return Conflict(
        target,
        merge,
        changeable=_together(access.changeable, access.visible) if merge else (),
        proposed=_together(*access.insert_checks, access.visible),
        allowed=_together(*access.update_checks, access.visible) if merge else (),
    )


def _plan_put(request: ApiRequest, names: Names, table: Table) -> InsertPlan:
    """Plan a PUT: insert or replace the one row that the filters name by its whole primary key."""
    level = request.query.level(())
    if level.limit is not None or level.offset is not None:
        raise RequestError("limit/offset querystring parameters are not allowed for PUT", code="PGRST114")
    literals = {
        condition.field.name: condition.literal
        for condition in level.conditions
        if isinstance(condition, Filter)
        and condition.operator is Operator.EQ
        and not (condition.negated or condition.quantifier or condition.field.path)
    }
    if not table.primary_key or len(level.conditions) != len(literals) or set(literals) != set(table.primary_key):
        raise RequestError(
            "Filters must include all and only primary key columns with 'eq' operators",
            hint="Write " + "&".join(f"{name}=eq.value" for name in table.primary_key) if table.primary_key else None,
            code="PGRST105",
            status=405,
        )
    missing = [name for name in table.primary_key if name not in request.payload_columns]
    if missing:
        raise _mismatch(missing)
    preferences = request.preferences
    upsert = ApiRequest(
        method="POST",
        resource=request.resource,
        query=Query(request.query.select, _below_root(request.query)),
        preferences=Preferences(returns=preferences.returns, count=preferences.count, resolution=Resolution.MERGE),
        format=request.format,
        payload_columns=request.payload_columns,
    )
    plan = _plan_insert(upsert, names, table)
    return InsertPlan(
        plan.table,
        plan.columns,
        plan.allowed,
        plan.conflict,
        plan.returning,
        identified_by=tuple(
            (plan.columns.index(name), literal) for name, literal in literals.items() if literal is not None
        ),
    )


def _below_root(query: Query) -> dict[tuple[str, ...], Level]:
    return {path: level for path, level in query.levels.items() if path}


def _mismatch(names: list[str]) -> RequestError:
    return RequestError(
        "Payload values do not match URL in primary key column(s)", details=", ".join(names), code="PGRST115"
    )


def _plan_update(request: ApiRequest, names: Names, table: Table) -> UpdatePlan:
    access = names.access(table)
    if not access.may_update:
        raise names.denied(table)
    if not table.updatable:
        raise _not_writable(table, "update", "UPDATE")
    for name in request.payload_columns:
        names.writable_column(table, name, access.updatable)
    returning = _plan_returning(request, names, table, needed=table.kind is TableKind.VIEW)
    reach = _plan_reach(request, names, table, access.changeable, returning)
    reads = returning.reads or bool(reach.conditions or reach.order)
    allowed = _together(*access.update_checks, access.visible if reads else Always())
    _require_told(table, returning, allowed)
    return UpdatePlan(
        reach=reach,
        columns=request.payload_columns,
        allowed=allowed,
        returning=returning,
        defaults=_plan_defaults(request, names, table, access),
    )


def _plan_defaults(request: ApiRequest, names: Names, table: Table, access: Access) -> tuple[tuple[str, str], ...]:
    """Give what `columns` names and the body lacks its default, where `missing=default` asks for that."""
    if not request.preferences.missing_default:
        return ()
    lacking = [name for name in request.query.columns or () if name not in request.payload_columns]
    columns = [names.writable_column(table, name, access.updatable) for name in lacking]
    return tuple((column.name, default_expression(column.default or "NULL")) for column in columns)


def _plan_delete(request: ApiRequest, names: Names, table: Table) -> DeletePlan:
    access = names.access(table)
    if not access.may_delete:
        raise names.denied(table)
    if not table.deletable:
        raise _not_writable(table, "delete from", "DELETE")
    returning = _plan_returning(request, names, table, needed=table.kind is TableKind.VIEW)
    _require_told(table, returning, ())
    return DeletePlan(_plan_reach(request, names, table, access.deletable, returning), returning)


def _plan_reach(request: ApiRequest, names: Names, table: Table, reachable: Predicate, returning: Returning) -> Reach:
    """Plan which rows a write touches.

    As in PostgreSQL, a write that reads columns, to find rows or to return them, touches none that cannot be seen.
    """
    level = request.query.level(())
    planner = ReadPlanner(names, request.query)
    conditions = tuple(planner.condition(table, condition, {}) for condition in level.conditions)
    limited = level.limit is not None or level.offset is not None
    order = tuple(planner.order_by(table, term, {}) for term in level.order) if limited else ()
    if limited and not order:
        raise RequestError(
            "A 'limit' was applied without an explicit 'order'",
            hint="Apply an 'order' using unique column(s)",
            code="PGRST109",
        )
    if limited and not table.row_key:
        raise RequestError(
            f"'{table.name}' cannot be written with a 'limit': nothing tells its rows from each other",
            hint="Leave limit and offset out, and filter",
            code="PGRST127",
        )
    reads = returning.reads or bool(conditions or order)
    visible = names.access(table).visible if reads else Always()
    return Reach(
        table,
        conditions,
        _together(visible, reachable),
        order,
        level.limit,
        level.offset,
    )


def _plan_returning(request: ApiRequest, names: Names, table: Table, *, needed: bool = False) -> Returning:
    preferences = request.preferences
    as_csv = request.format.media_type is MediaType.CSV
    needed = needed or preferences.count is not None or preferences.max_affected is not None
    if preferences.returns is not Return.REPRESENTATION:
        key = table.primary_key if preferences.returns is Return.HEADERS_ONLY else ()
        if not set(key) <= set(names.access(table).readable):  # what is returned is read
            raise names.denied(table)
        resolve_levels(request.query)
        return Returning(None, key, needed)
    query = resolve_levels(request.query)
    planner = ReadPlanner(names, query, nulls_stripped=request.format.nulls_stripped)
    plan = planner.plan(table, query.select, (), Level(order=query.level(()).order))
    if plan.grouped:
        raise RequestError(
            "Feature not implemented",
            details="An aggregate cannot stand in the representation of a write",
            hint="Write with return=minimal and read in a second request",
            code="PGRST127",
        )
    return Returning(plan, (), needed, as_csv)


def _require_told(table: Table, returning: Returning, allowed: Predicates) -> None:
    """Refuse to ask a virtual table which rows it changed (https://sqlite.org/lang_returning.html, limitations)."""
    asks = returning.plan is not None or returning.needed or returning.key or allowed
    if asks and table.kind is TableKind.VIRTUAL:
        raise RequestError(
            "Feature not implemented",
            details=f"'{table.name}' is a virtual table, which does not tell what rows it changed",
            hint="Write without policies on new rows, and with return=minimal and no count",
            code="PGRST127",
        )


def _not_writable(table: Table, verb: str, event: str) -> MethodNotAllowed:
    return MethodNotAllowed(
        f'cannot {verb} view "{table.name}"',
        hint=f"CREATE TRIGGER … INSTEAD OF {event} ON {table.name} makes the view writable",
        code="55000",
    )
