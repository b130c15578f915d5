"""What every request passes: it gets an id, is timed and observed, and an error becomes its response.

1. *Identified.* An incoming `X-Request-Id` of harmless characters is taken over, else one is made; the response
   carries it, and so does every log line about the request.
2. *Cross-origin.* Browsers ask before they call (https://fetch.spec.whatwg.org/#http-cors-protocol): a preflight is
   answered here, and every response to a request with an `Origin`, errors included, gets the headers.
3. *Answered.* An ApiError becomes PostgREST's JSON body; anything else that was raised becomes a 500 with the id and
   nothing of its cause, which goes to the log as UnexpectedError. If the response has started already, all that is
   left is to break it off: the application returns without finishing it, and the server cuts the connection; the log
   gets the cause, as ResponseBrokenOff where it is an ApiError.
4. *Observed.* One RequestServed for each request, whatever became of it; 499 where the client did not wait.

The rooms find the request's `Exchange` with `asgi.exchange_of(scope)`, and set its `route` and `role`.
"""

import re
from asyncio import CancelledError
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from json import dumps
from secrets import token_hex
from time import perf_counter

from msgspec.json import encode

from wherry.asgi import (
    FIELDS,
    Application,
    Exchange,
    Headers,
    Receive,
    Scope,
    Send,
    close_exchange,
    header_map,
    open_exchange,
    respond,
)
from wherry.errors import ApiError, ClientGone
from wherry.observe import Emit, RequestServed, ResponseBrokenOff, UnexpectedError
from wherry.proxies import TrustedProxies

CLIENT_CLOSED_REQUEST = 499  #: never sent; nginx' word for a client that went away

ALLOWED_METHODS = b"GET,POST,PATCH,PUT,DELETE,OPTIONS,HEAD"
ALLOWED_HEADERS = (
    b"authorization,apikey,content-type,prefer,range,range-unit,accept,accept-profile,content-profile,"
    b"if-none-match,x-client-info,x-request-id,x-retry-count,x-supabase-api-version"
)
EXPOSED_HEADERS = (
    b"Content-Range,Content-Location,Location,Preference-Applied,ETag,Proxy-Status,Retry-After,WWW-Authenticate,"
    b"X-Request-Id"
)

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}").fullmatch
_HEADER_NAMES = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~, \t-]{1,1024}").fullmatch  # RFC 9110, 5.6.2: tokens


@dataclass(frozen=True, slots=True)
class CrossOrigin:
    """Which origins' pages may call: every one (`*`), or those listed (`https://app.example.org`)."""

    origins: frozenset[str] = frozenset({"*"})

    @property
    def any_origin(self) -> bool:
        """Tell whether pages of every origin may call."""
        return "*" in self.origins

    def headers_for(self, origin: bytes) -> Headers:
        """Return what the response to a request from `origin` says; nothing to an origin that may not call."""
        if self.any_origin:
            return [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", EXPOSED_HEADERS)]
        if origin.decode("latin-1") in self.origins:
            return [
                (b"access-control-allow-origin", origin),
                (b"access-control-expose-headers", EXPOSED_HEADERS),
                (b"vary", b"Origin"),
            ]
        return [(b"vary", b"Origin")]


class Middleware:
    """The ASGI application around the application; a class because it numbers the requests."""

    def __init__(
        self,
        application: Application,
        emit: Emit,
        cross_origin: CrossOrigin | None = None,
        proxies: TrustedProxies | None = None,
    ) -> None:
        self._application = application
        self._emit = emit
        self._cross_origin = cross_origin or CrossOrigin()
        self._proxies = proxies
        # without an Origin the response is the same, but a cache must not give it to a page that has one
        self._same_origin: Headers = [] if self._cross_origin.any_origin else [(b"vary", b"Origin")]
        self._any_origin = self._cross_origin.headers_for(b"") if self._cross_origin.any_origin else None
        self._prefix = token_hex(5)
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; lifespan and websocket pass unchanged."""
        if scope["type"] != "http":
            return await self._application(scope, receive, send)
        started = perf_counter()
        headers = scope.get(FIELDS) or header_map(scope["headers"])
        method = scope["method"]
        exchange = self._exchange(send, method, headers)
        open_exchange(scope, exchange)
        try:
            if method == "OPTIONS" and _is_preflight(headers):
                exchange.route = "preflight"
                await respond(exchange.send, 204, _preflight(headers))
            else:
                await self._application(scope, receive, exchange.send)
        except ClientGone:
            exchange.status = CLIENT_CLOSED_REQUEST
        except CancelledError:
            exchange.status = exchange.status or CLIENT_CLOSED_REQUEST
            raise
        except ApiError as error:
            await self._answer(exchange, error)
        except Exception as error:
            await self._answer_unexpected(exchange, error)
        finally:
            close_exchange(scope)
            self._observe(scope, exchange, method, headers, perf_counter() - started)

    def _exchange(self, send: Send, method: str, headers: Mapping[bytes, bytes]) -> Exchange:
        given = headers.get(b"x-request-id")
        if given is not None and _REQUEST_ID(given):
            request_id = given.decode("ascii")
        else:
            request_id = f"{self._prefix}-{next(self._numbers):x}"
        added = [(b"x-request-id", request_id.encode())]
        origin = headers.get(b"origin")
        if origin is None:
            added += self._same_origin
        else:
            added += self._any_origin or self._cross_origin.headers_for(origin)
        return Exchange(send, request_id, added, method == "HEAD", headers)

    def _observe(
        self, scope: Scope, exchange: Exchange, method: str, headers: Mapping[bytes, bytes], seconds: float
    ) -> None:
        client = scope.get("client")
        address: str | None = client[0] if client else None
        if self._proxies is not None and address is not None:
            address = self._proxies.client_of(address, headers)
        self._emit(
            RequestServed(
                method,
                exchange.route,
                exchange.status or 500,
                seconds,
                exchange.bytes_out,
                exchange.request_id,
                exchange.role,
                scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass"),
                scope["query_string"],
                address,
                headers.get(b"user-agent", b""),
            )
        )

    async def _answer(self, exchange: Exchange, error: ApiError) -> None:
        """Send the error, or break off a response that has started."""
        if exchange.status:
            exchange.status = error.status  # for log and metrics: what it would have been
            self._emit(ResponseBrokenOff(exchange.request_id, error.message))
            return
        await respond(exchange.send, error.status, error_headers(error), error_body(error))

    async def _answer_unexpected(self, exchange: Exchange, error: Exception) -> None:
        self._emit(UnexpectedError(exchange.request_id, error))
        if exchange.status:
            exchange.status = 500
        else:
            answer = ApiError(
                f"Internal error in request {exchange.request_id}",
                hint="The server's log says more under this id.",
            )
            await respond(exchange.send, 500, error_headers(answer), error_body(answer))


def error_headers(error: ApiError) -> Headers:
    """Return the response headers of an error: its media type, and what its class adds (`retry-after`…).

    `proxy-status` repeats the code as PostgREST does, for the answer to a HEAD, which has no body (RFC 9209).
    """
    added = [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in error.headers.items()
    ]
    code = error.code.encode("latin-1", "replace")
    return [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"proxy-status", b"PostgREST; error=%b" % code),
        *added,
    ]


def error_body(error: ApiError) -> bytes:
    """Return PostgREST's JSON of an error: code, message, details, hint."""
    try:
        return encode(error.body())
    except UnicodeEncodeError:  # the client's words, with half a surrogate pair: has no UTF-8, but an escape
        return dumps(error.body(), separators=(",", ":")).encode()


def _is_preflight(headers: Mapping[bytes, bytes]) -> bool:
    return b"origin" in headers and b"access-control-request-method" in headers


def _preflight(headers: Mapping[bytes, bytes]) -> Headers:
    """Return the answer to a preflight; it allows the headers that are asked for, as long as they are names."""
    asked = headers.get(b"access-control-request-headers", b"")
    return [
        (b"access-control-allow-methods", ALLOWED_METHODS),
        (b"access-control-allow-headers", asked if _HEADER_NAMES(asked) else ALLOWED_HEADERS),
        (b"access-control-max-age", b"86400"),
        (b"vary", b"Access-Control-Request-Headers"),
    ]
