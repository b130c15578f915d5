"""Reads of the data API: split, bind, run, answer."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

from wherry.asgi import Headers, Receive, Scope, Send, respond
from wherry.errors import ApiError, ClientGone
from wherry.identity import Identity
from wherry.rest.api_request import ApiRequest
from wherry.rest.current_plans import ATTEMPTS, OF_AN_OLDER_SCHEMA, CurrentPlans, changed_too_fast
from wherry.rest.headers import HeaderMap, check_profile, parse_accept, parse_preferences, parse_range, text_of
from wherry.rest.literals import to_offset
from wherry.rest.query_params import Shape, parse_query, split_query
from wherry.rest.response import content_range, entity_tag, in_utf8, is_known, read_status, require_single
from wherry.sqlite.database import Database
from wherry.sqlite.results import Page, Stream

_Answer = TypeVar("_Answer")
#: Indexes of the values that a Range header added: where the page starts, and how many rows it may have.
_RangeValues: TypeAlias = tuple[int, int | None] | None


class ReadEndpoint:
    """Answers reads; a class because it holds what all of them need."""

    def __init__(self, database: Database, plans: CurrentPlans) -> None:
        self._database = database
        self._plans = plans

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, resource: str, headers: HeaderMap, identity: Identity
    ) -> None:
        """Answer one GET or HEAD. Raises ApiError."""
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
        plans = self._plans.current
        for _ in range(ATTEMPTS):
            try:
                prepared = plans.read(key, identity, lambda: _parse_read(resource, shape, headers, range_))
                version = plans.schema.version
                result: Page | Stream | None = self._database.read_now(prepared.transaction, values, identity, version)
                if result is None:
                    later = self._database.read_later(prepared.transaction, values, identity, version)
                    result = await _unless_gone(receive, later)
                break
            except OF_AN_OLDER_SCHEMA as error:
                plans = await self._plans.newer(error)
        else:
            raise changed_too_fast()
        offset = 0 if prepared.offset is None else to_offset(values[prepared.offset])
        total = result.total
        if total is not None and result.rows:
            total = max(total, offset + result.rows)  # an estimate is corrected by rows that are there
        try:
            if prepared.singular:
                require_single(result.rows)
            status = read_status(rows=result.rows, total=total, offset=offset)
        except ApiError:
            await _close(result)
            raise
        answer: Headers = [
            *prepared.headers.fixed,
            (b"content-range", content_range(rows=result.rows, total=total, offset=offset)),
            (b"content-location", _location(scope, query, in_order=prepared.in_order)),
        ]
        if not isinstance(result, Page):
            return await _send_stream(receive, send, status, answer, result)
        tag = entity_tag(result.body)
        if tag is not None:
            answer.append((b"etag", tag))
            if b"if-none-match" in headers and status == 200 and is_known(tag, headers[b"if-none-match"]):
                return await respond(send, 304, answer)
        await respond(send, status, answer, in_utf8(result.body))


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


def _parse_read(resource: str, shape: Shape, headers: HeaderMap, range_: _RangeValues) -> ApiRequest:
    if b"accept-profile" in headers:
        check_profile(text_of(headers, b"accept-profile"), "Accept-Profile")
    names = [name for _, name, _ in shape]
    return ApiRequest(
        method="GET",
        resource=resource,
        in_order=names == sorted(names),
        query=parse_query(shape),
        preferences=parse_preferences(text_of(headers, b"prefer")),
        format=parse_accept(text_of(headers, b"accept")),
        range_offset=None if range_ is None else range_[0],
        range_limit=None if range_ is None else range_[1],
    )


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


def _location(scope: Scope, query: bytes, *, in_order: bool) -> bytes:
    """Name what was read: the same thing by the same name, in whatever order the parameters came."""
    path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    if not in_order:
        query = b"&".join(sorted(query.split(b"&")))
    return b"%b?%b" % (path, query) if query else path


async def _close(result: Page | Stream) -> None:
    if isinstance(result, Stream):
        await result.aclose()


async def _send_stream(receive: Receive, send: Send, status: int, headers: Headers, stream: Stream) -> None:
    """Send a body part by part, as fast as the client takes it; what one that has gone would get is not made."""
    try:
        await _unless_gone(receive, _send_parts(send, status, headers, stream))
        # Not among the parts: when the response is complete, `receive` says the same as of a client that has gone.
        await send({"type": "http.response.body", "body": b""})
    finally:
        await stream.aclose()


async def _send_parts(send: Send, status: int, headers: Headers, stream: Stream) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    async for chunk in stream.chunks:
        await send({"type": "http.response.body", "body": in_utf8(chunk), "more_body": True})
