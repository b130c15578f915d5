"""Writes of the data API: split, decode, bind, run, answer once it is durable."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NoReturn, cast

from wherry.asgi import Receive, Scope, Send, read_body, respond
from wherry.errors import (
    AccessDenied,
    CardinalityError,
    ConstraintError,
    DatabaseBusy,
    DatabaseError,
    MaxAffectedError,
    RequestError,
    UndoReason,
    WriteUndone,
)
from wherry.identity import Identity
from wherry.rest.api_request import ApiRequest
from wherry.rest.current_plans import ATTEMPTS, OF_AN_OLDER_SCHEMA, CurrentPlans, changed_too_fast
from wherry.rest.headers import HeaderMap, check_profile, parse_accept, parse_preferences, text_of
from wherry.rest.literals import to_number_or_text
from wherry.rest.payload import DecodeBody, JSONValue, Parts, Payload, payload_decoder
from wherry.rest.plan_cache import ParsedWrite, PlanCache, PreparedRows
from wherry.rest.query_params import Shape, parse_query, split_query
from wherry.rest.response import Response, in_utf8, require_single
from wherry.rest.violations import UNIQUE, explain_violation
from wherry.rest.write_compiler import PreparedWrite
from wherry.sqlite.database import Database
from wherry.sqlite.results import Stream
from wherry.statement import Expectations, ReadTransaction, SQLiteValue, Step, WriteResult, WriteTransaction


class WriteEndpoint:
    """Answers writes; a class because it holds what all of them need. `max_body` is in bytes."""

    def __init__(self, database: Database, plans: CurrentPlans, *, base_path: str, max_body: int) -> None:
        self._database = database
        self._plans = plans
        self._base_path = base_path
        self._max_body = max_body

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, resource: str, headers: HeaderMap, identity: Identity
    ) -> None:
        """Answer one POST, PATCH, PUT or DELETE. Raises ApiError."""
        method: str = scope["method"]
        shape, values = split_query(scope["query_string"].decode(errors="replace"))
        key = (
            method,
            resource,
            shape,
            headers.get(b"prefer"),
            headers.get(b"accept"),
            headers.get(b"content-type"),
            headers.get(b"content-profile"),
            identity.role,
        )
        body = b"" if method == "DELETE" else await read_body(receive, self._max_body)

        plans = self._plans.current
        for _ in range(ATTEMPTS):
            try:
                parsed = plans.write(key)
                if parsed is None:
                    path = f"{self._base_path}/{resource}"
                    parsed = plans.remember_write(key, _parse_write(method, resource, shape, headers, path))
                response = await self._run(plans, parsed, parsed.decode(body), values, identity)
                break
            except OF_AN_OLDER_SCHEMA as error:
                plans = await self._plans.newer(error)
        else:
            raise changed_too_fast()
        await respond(send, response.status, response.headers, in_utf8(response.body))

    async def _run(
        self, plans: PlanCache, parsed: ParsedWrite, parts: Parts, values: Sequence[str], identity: Identity
    ) -> Response:
        """Run a write and make its response, once it is durable."""
        prepared = [plans.rows(parsed, part.columns, identity, is_text=part.is_text) for part in parts]
        if not prepared or not parts[0].rows:
            return _without_rows(plans.rows(parsed, (), identity, is_text=False), parsed.request)
        first = prepared[0]
        steps = _bind([rows.write for rows in prepared], prepared, parts, values, identity)
        if first.write.before is not None:
            found = Step(first.write.before.sql, (first.write.before.bind(values, identity),), True, False)
            steps = (found, *[step._replace(counts=False) for step in steps])
        transaction = WriteTransaction(steps, plans.schema.version, first.expects, first.upsert)
        try:
            return first.form.respond(await self._database.write(transaction))
        except WriteUndone as undone:
            _refuse(undone, first, identity)
        except ConstraintError as error:
            if error.code == UNIQUE:
                await self._refuse_forbidden(plans, prepared, parts, values, identity)
            columns, names = parts[0].columns, plans.names(identity)
            rows = steps[0].rows if len(steps) == 1 else ()  # of several, which one failed is not known
            raise await explain_violation(
                error, names, first.table, columns, rows, self._counter(plans, identity)
            ) from error

    async def _refuse_forbidden(
        self,
        plans: PlanCache,
        prepared: Sequence[PreparedRows],
        parts: Parts,
        values: Sequence[str],
        identity: Identity,
    ) -> None:
        """Refuse a write for a row that is forbidden, if one is, before anything is said of a key that is taken."""
        forbids = [rows.write.forbids for rows in prepared if rows.write.forbids is not None]
        if len(forbids) < len(prepared):
            return
        steps = _bind(forbids, prepared, parts, values, identity)
        try:
            await self._database.write(
                WriteTransaction(steps, plans.schema.version, Expectations(rollback=True), upsert=True)
            )
        except WriteUndone as undone:
            _refuse(undone, prepared[0], identity)
        except DatabaseBusy:
            raise  # with nothing said of the key
        except DatabaseError:
            return  # something else is wrong with a row that comes before any that is forbidden

    def _counter(
        self, plans: PlanCache, identity: Identity
    ) -> Callable[[ReadTransaction, Sequence[SQLiteValue]], Coroutine[Any, Any, int]]:
        async def count_rows(transaction: ReadTransaction, values: Sequence[SQLiteValue]) -> int:
            # these literals are bound as they are, whatever their type
            literals = cast("Sequence[str]", values)
            result = await self._database.read(transaction, literals, identity, plans.schema.version)
            if isinstance(result, Stream):
                await result.aclose()
            return result.rows

        return count_rows


# ---- parse -----------------------------------------------------------------------------------------------------------


def _parse_write(method: str, resource: str, shape: Shape, headers: HeaderMap, path: str) -> ParsedWrite:
    if b"content-profile" in headers:
        check_profile(text_of(headers, b"content-profile"), "Content-Profile")
    request = ApiRequest(
        method=method,
        resource=resource,
        query=parse_query(shape),
        preferences=parse_preferences(text_of(headers, b"prefer")),
        format=parse_accept(text_of(headers, b"accept")),
    )
    return ParsedWrite(request, path, _decoder(request, text_of(headers, b"content-type")))


_NO_VALUES: Parts = (Payload((), ((),)),)


def _decoder(request: ApiRequest, content_type: str) -> DecodeBody:
    """Return what decodes the bodies. A DELETE has none, an update takes one row, and a PUT no `columns`."""
    columns, missing_default = request.query.columns, request.preferences.missing_default
    if request.method == "DELETE":
        return lambda body: _NO_VALUES
    if request.method == "PUT":
        return payload_decoder(content_type, columns=None, missing_default=False)
    decode = payload_decoder(content_type, columns=columns, missing_default=missing_default)
    if request.method == "POST":
        return decode

    def decode_one(body: bytes) -> Parts:
        parts = decode(body)
        count = sum([len(part.rows) for part in parts])
        if count > 1:
            raise RequestError(f"A PATCH takes one row, not {count}", hint="Send one object", code="PGRST102")
        # `{}` changes nothing, unless `columns` names what gets its default
        return parts if columns or all(part.columns for part in parts) else ()

    return decode_one


# ---- run -------------------------------------------------------------------------------------------------------


def _bind(
    writes: Sequence[PreparedWrite],
    prepared: Sequence[PreparedRows],
    parts: Parts,
    values: Sequence[str],
    identity: Identity,
) -> tuple[Step, ...]:
    """Return the steps of writes with the rows that were prepared for them."""
    steps = []
    for write, known, part in zip(writes, prepared, parts, strict=True):
        rows = part.rows if not known.identified_by else _identified(known, part, values)
        tail = tuple([parameter.resolve(values, identity) for parameter in write.tail])
        steps.append(Step(write.sql, known.convert(rows, tail), write.returning, write.checked, write.resolves))
    return tuple(steps)


def _identified(prepared: PreparedRows, part: Payload, values: Sequence[str]) -> Sequence[tuple[JSONValue, ...]]:
    """Return the row of a PUT: the one of the body that has the key of the URL. Raises RequestError PGRST115."""
    rows = [
        row
        for row in part.rows
        if all(
            row[position] in (values[literal], to_number_or_text(values[literal]))
            for position, literal in prepared.identified_by
        )
    ]
    if len(rows) == 1:
        return rows
    raise RequestError(
        "Payload values do not match URL in primary key column(s)",
        details=", ".join(part.columns[position] for position, _ in prepared.identified_by),
        hint="Give the key the same value in the URL and in one row of the body",
        code="PGRST115",
    )


def _without_rows(prepared: PreparedRows, request: ApiRequest) -> Response:
    """Answer a write that has nothing to do; it was planned, so it is no more allowed than one that has."""
    if request.format.is_singular:
        require_single(0)
    return prepared.form.respond(WriteResult(0, (), inserted=not prepared.upsert))


def _refuse(undone: WriteUndone, prepared: PreparedRows, identity: Identity) -> NoReturn:
    """Tell why a write was undone."""
    match undone.reason:
        case UndoReason.TOO_MANY:
            raise MaxAffectedError(
                "Query result exceeds max-affected preference constraint",
                details=f"The query affects {undone.affected} rows",
                hint="Filter more narrowly, or allow more in Prefer: max-affected",
            ) from undone
        case UndoReason.NOT_EXACTLY:
            raise CardinalityError(
                "Cannot coerce the result to a single JSON object",
                details=f"The result contains {undone.affected} rows",
                hint="Filter by a unique key, or accept application/json",
            ) from undone
        case UndoReason.FORBIDDEN:
            policy = f' "{prepared.write.policies[-1 - undone.check]}"' if undone.check < 0 else ""
            raise AccessDenied(
                f'new row violates row-level security policy{policy} for table "{prepared.table.name}"',
                role=identity.role,
            ) from undone
