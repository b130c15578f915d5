"""The door of the data API: one request, from its words to its bytes.

Five verbs: *parse* (`query_params`, `headers`, `payload`), *plan* (`planner`), *compile* (`compiler`), *run*
(`sqlite.database`), *respond* (`response`). Plan and compile are remembered by the request's shape (`plan_cache`), so a
request of a known shape is split, bound, run and answered.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias, TypeVar, cast
from urllib.parse import quote

from wherry.asgi import Headers, Receive, Scope, Send, exchange_of, read_body, respond
from wherry.auth.tokens import TokenVerifier
from wherry.errors import (
    AccessDenied,
    ApiError,
    CardinalityError,
    ClientGone,
    ConstraintError,
    DatabaseBusy,
    MaxAffectedError,
    MethodNotAllowed,
    RequestError,
    SchemaChanged,
    SchemaError,
    UndoReason,
    WriteUndone,
)
from wherry.identity import Identity
from wherry.rest.api_request import ApiRequest
from wherry.rest.headers import check_profile, parse_accept, parse_preferences, parse_range
from wherry.rest.literals import to_number_or_text, to_offset
from wherry.rest.payload import Payload, PayloadParts, decode_payload
from wherry.rest.plan_cache import ParsedWrite, PlanCache, PreparedRows
from wherry.rest.query_params import Shape, parse_query, split_query
from wherry.rest.response import (
    Response,
    content_range,
    entity_tag,
    in_utf8,
    is_known,
    read_status,
    require_single,
)
from wherry.rest.violations import explain_violation
from wherry.sqlite.database import Database
from wherry.sqlite.results import Page, Stream
from wherry.statement import ReadTransaction, SQLiteValue, Step, WriteResult, WriteTransaction

BASE_PATH = "/api/rest/v1"

#: How often a request is planned again because the schema changed under it.
_ATTEMPTS = 5

#: What an older schema than the file's may explain: it changed, or the name is new.
_OF_AN_OLDER_SCHEMA = (SchemaChanged, SchemaError, AccessDenied)

_Answer = TypeVar("_Answer")
_HeaderMap: TypeAlias = Mapping[bytes, bytes]
#: Indexes of the values that a Range header added: where the page starts, and how many rows it may have.
_RangeValues: TypeAlias = tuple[int, int | None] | None
#: Makes the OpenAPI document of what the caller may see.
Describe: TypeAlias = Callable[[PlanCache, Identity], bytes]


class DataApi:
    """The ASGI application of `/api/rest/v1/…`.

    `plans` gives the plan cache of the current schema and policies; `refresh` reads the schema again if the file's
    has changed, and tells whether it had.
    """

    def __init__(
        self,
        database: Database,
        tokens: TokenVerifier,
        plans: Callable[[], PlanCache],
        refresh: Callable[[], Awaitable[bool]],
        describe: Describe,
        *,
        max_body: int,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._plans = plans
        self._refresh = refresh
        self._describe = describe
        self._max_body = max_body

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request. Raises ApiError for the middleware to answer."""
        # not a coroutine function: each request would pay for one more coroutine
        exchange = exchange_of(scope)
        headers = exchange.headers
        identity = self._tokens.verify(headers.get(b"authorization"), headers.get(b"apikey"))
        exchange.role = identity.role
        method: str = scope["method"]
        resource: str = scope["path"][len(BASE_PATH) + 1 :]
        if resource in self._plans().schema.tables:
            exchange.route = f"{BASE_PATH}/{resource}"
        elif not resource or resource.startswith("rpc/"):
            return self._beside_tables(send, method, resource, identity)
        if method in ("GET", "HEAD"):
            return self._read(scope, receive, send, resource, headers, identity)
        if method in ("POST", "PATCH", "PUT", "DELETE"):
            return self._write(scope, receive, send, resource, headers, identity)
        if method == "OPTIONS":
            return self._allow(send, resource, identity)
        raise MethodNotAllowed(f"Unsupported HTTP method: {method[:20]}")

    async def _newer(self, error: SchemaChanged | ApiError) -> PlanCache:
        """Return the plans of the file's present schema, after an error that an older schema may explain.

        Raises the error where there is no newer schema.
        """
        if not await self._refresh() and not isinstance(error, SchemaChanged):
            raise error
        return self._plans()

    # ---- reading ---------------------------------------------------------------------------------------------

    async def _read(
        self, scope: Scope, receive: Receive, send: Send, resource: str, headers: _HeaderMap, identity: Identity
    ) -> None:
        query: bytes = scope["query_string"]
        shape, values = split_query(query.decode(errors="replace"))
        range_ = _split_range(headers.get(b"range"), headers.get(b"range-unit"), values)
        key = (
            resource,
            shape,
            range_,
            headers.get(b"prefer"),
            headers.get(b"accept"),
            headers.get(b"accept-profile"),
            identity.role,
        )
        plans = self._plans()
        for _ in range(_ATTEMPTS):
            try:
                prepared = plans.read(key, identity, lambda: _parse_read(resource, shape, headers, range_))
                version = plans.schema.version
                result: Page | Stream | None = self._database.read_now(prepared.transaction, values, identity, version)
                if result is None:
                    later = self._database.read_later(prepared.transaction, values, identity, version)
                    result = await _unless_gone(receive, later)
                break
            except _OF_AN_OLDER_SCHEMA as error:
                plans = await self._newer(error)
        else:
            raise _too_fast()
        offset = 0 if prepared.offset is None else to_offset(values[prepared.offset])
        try:
            if prepared.singular:
                require_single(result.rows)
            status = read_status(rows=result.rows, total=result.total, offset=offset)
        except ApiError:
            await _close(result)
            raise
        answer: Headers = [
            *prepared.headers.fixed,
            (b"content-range", content_range(rows=result.rows, total=result.total, offset=offset)),
            (b"content-location", _location(scope, query)),
        ]
        if not isinstance(result, Page):
            return await _unless_gone(receive, _send_stream(send, status, answer, result))
        tag = entity_tag(result.body)
        if tag is not None:
            answer.append((b"etag", tag))
            if b"if-none-match" in headers and status == 200 and is_known(tag, headers[b"if-none-match"]):
                return await respond(send, 304, answer)
        await respond(send, status, answer, in_utf8(result.body))

    # ---- writing ---------------------------------------------------------------------------------------------

    async def _write(
        self, scope: Scope, receive: Receive, send: Send, resource: str, headers: _HeaderMap, identity: Identity
    ) -> None:
        method: str = scope["method"]
        shape, values = split_query(scope["query_string"].decode(errors="replace"))
        key = (
            method,
            resource,
            shape,
            headers.get(b"prefer"),
            headers.get(b"accept"),
            headers.get(b"content-profile"),
            identity.role,
        )
        body = b"" if method == "DELETE" else await read_body(receive, self._max_body)

        plans = self._plans()
        for _ in range(_ATTEMPTS):
            try:
                parsed = plans.write(key, lambda: _parse_write(method, resource, shape, headers))
                payload = _decode(method, body, headers, parsed.request)
                response = await self._run(plans, parsed, payload, values, identity, f"{BASE_PATH}/{resource}")
                break
            except _OF_AN_OLDER_SCHEMA as error:
                plans = await self._newer(error)
        else:
            raise _too_fast()
        await respond(send, response.status, response.headers, in_utf8(response.body))

    async def _run(
        self,
        plans: PlanCache,
        parsed: ParsedWrite,
        payload: PayloadParts,
        values: Sequence[str],
        identity: Identity,
        path: str,
    ) -> Response:
        """Run a write and make its response, once it is durable."""
        prepared = [
            plans.rows(parsed, part.columns, identity, is_text=part.is_text, path=path) for part in payload.parts
        ]
        if not payload.count:
            return _without_rows(plans.rows(parsed, (), identity, is_text=False, path=path), parsed.request)
        first, preferences = prepared[0], parsed.request.preferences
        steps = tuple([_bind(rows, part, values, identity) for rows, part in zip(prepared, payload.parts, strict=True)])
        transaction = WriteTransaction(
            steps,
            plans.schema.version,
            max_affected=preferences.max_affected if preferences.strict else None,
            exactly=1 if parsed.request.format.is_singular else None,
            every_row=first.write.every_row,
            rollback=preferences.rollback,
            upsert=first.upsert,
        )
        try:
            return first.form.respond(await self._database.write(transaction))
        except WriteUndone as undone:
            _refuse(undone, first, identity)
        except ConstraintError as error:
            columns, names = payload.parts[0].columns, plans.names(identity)
            raise await explain_violation(
                error, names, first.table, columns, steps[0].rows, self._counter(plans, identity)
            ) from error

    def _counter(
        self, plans: PlanCache, identity: Identity
    ) -> Callable[[ReadTransaction, Sequence[SQLiteValue]], Coroutine[Any, Any, int]]:
        async def count_rows(transaction: ReadTransaction, values: Sequence[SQLiteValue]) -> int:
            # these literals are bound as they are, whatever their type
            literals = cast("Sequence[str]", values)
            result = await self._database.read(transaction, literals, identity, plans.schema.version)
            await _close(result)
            return result.rows

        return count_rows

    # ---- beside tables ---------------------------------------------------------------------------------------

    async def _beside_tables(self, send: Send, method: str, resource: str, identity: Identity) -> None:
        """Answer the root, which describes the API, and functions, of which there are none yet."""
        if resource:
            name = resource.removeprefix("rpc/")
            raise SchemaError(
                f"Could not find the function public.{name} in the schema cache",
                details=f"Searched for the function public.{name}, but no matches were found in the schema cache.",
                hint="Functions are not supported; read a view instead",
                code="PGRST202",
                status=404,
            )
        if method not in ("GET", "HEAD"):
            raise MethodNotAllowed(f"The root of the API has no method {method[:20]}", hint="Use GET")
        document = self._describe(self._plans(), identity)
        await respond(send, 200, [(b"content-type", b"application/openapi+json; charset=utf-8")], document)

    async def _allow(self, send: Send, resource: str, identity: Identity) -> None:
        """Say which methods the role may use."""
        names = self._plans().names(identity)
        table = names.table(resource)
        access = names.access(table)
        may = {
            "OPTIONS": True,
            "GET": access.may_select,
            "HEAD": access.may_select,
            "POST": access.may_insert and table.insertable,
            "PUT": access.may_insert and access.may_update and bool(table.primary_key),
            "PATCH": access.may_update and table.updatable,
            "DELETE": access.may_delete and table.deletable,
        }
        allowed = ",".join(method for method, allowed in may.items() if allowed)
        await respond(send, 200, [(b"allow", allowed.encode())])


def _too_fast() -> DatabaseBusy:
    return DatabaseBusy("The schema changes faster than the request can be planned", hint="Send it again")


# ---- parse -----------------------------------------------------------------------------------------------------


def _split_range(header: bytes | None, unit: bytes | None, values: list[str]) -> _RangeValues:
    """Append what a Range header asks to the values."""
    if header is None or (unit is not None and unit.strip().lower() != b"items"):
        return None
    found = parse_range(header.decode("latin-1"))
    if found is None:
        return None
    offset, limit = found
    values.append(offset)
    if limit is None:
        return len(values) - 1, None
    values.append(limit)
    return len(values) - 2, len(values) - 1


def _text(headers: _HeaderMap, name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")


def _parse_read(resource: str, shape: Shape, headers: _HeaderMap, range_: _RangeValues) -> ApiRequest:
    if b"accept-profile" in headers:
        check_profile(_text(headers, b"accept-profile"), "Accept-Profile")
    return ApiRequest(
        method="GET",
        resource=resource,
        query=parse_query(shape),
        preferences=parse_preferences(_text(headers, b"prefer")),
        format=parse_accept(_text(headers, b"accept")),
        range_offset=None if range_ is None else range_[0],
        range_limit=None if range_ is None else range_[1],
    )


def _parse_write(method: str, resource: str, shape: Shape, headers: _HeaderMap) -> ApiRequest:
    if b"content-profile" in headers:
        check_profile(_text(headers, b"content-profile"), "Content-Profile")
    return ApiRequest(
        method=method,
        resource=resource,
        query=parse_query(shape),
        preferences=parse_preferences(_text(headers, b"prefer")),
        format=parse_accept(_text(headers, b"accept")),
    )


_NO_VALUES = PayloadParts((Payload((), ((),)),))


def _decode(method: str, body: bytes, headers: _HeaderMap, request: ApiRequest) -> PayloadParts:
    """Decode the body. A DELETE has none; an update takes one row, and a PUT as well."""
    if method == "DELETE":
        return _NO_VALUES
    payload = decode_payload(
        body,
        _text(headers, b"content-type"),
        columns=request.query.columns,
        missing_default=request.preferences.missing_default,
    )
    if method == "POST":
        return payload
    if payload.count > 1 or (method == "PUT" and payload.count != 1):
        raise RequestError(f"A {method} takes one row, not {payload.count}", hint="Send one object", code="PGRST102")
    return PayloadParts(tuple(part for part in payload.parts if part.columns))


# ---- run -------------------------------------------------------------------------------------------------------


def _bind(prepared: PreparedRows, part: Payload, values: Sequence[str], identity: Identity) -> Step:
    write = prepared.write
    for position, literal in prepared.identified_by:
        given, named = part.rows[0][position], values[literal]
        if given != named and given != to_number_or_text(named):
            raise RequestError(
                "Payload values do not match URL in primary key column(s)",
                details=part.columns[position],
                hint="Give the key the same value in the URL and in the body",
                code="PGRST115",
            )
    tail = tuple([parameter.resolve(values, identity) for parameter in write.tail])
    return Step(write.sql, prepared.convert(part.rows, tail), write.returning)


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
            raise AccessDenied(
                f'new row violates row-level security policy for table "{prepared.table.name}"', role=identity.role
            ) from undone


async def _unless_gone(receive: Receive, reading: "Coroutine[Any, Any, _Answer]") -> _Answer:
    """Wait for a slow read or the sending of a stream, and stop it when its client goes away."""
    task = asyncio.ensure_future(reading)
    gone = asyncio.ensure_future(_client_gone(receive))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientGone
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


# ---- respond ---------------------------------------------------------------------------------------------------


def _location(scope: Scope, query: bytes) -> bytes:
    path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return b"%b?%b" % (path, query) if query else path


async def _close(result: Page | Stream) -> None:
    if isinstance(result, Stream):
        await result.aclose()


async def _send_stream(send: Send, status: int, headers: Headers, stream: Stream) -> None:
    """Send a body part by part, as fast as the client takes it; what one that has gone would get is not made."""
    try:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        async for chunk in stream.chunks:
            await send({"type": "http.response.body", "body": in_utf8(chunk), "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        await stream.aclose()
