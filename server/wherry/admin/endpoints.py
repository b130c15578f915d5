"""The door of the admin API.

POST /api/admin/v1/sign-in   the code of a one-time link → a token of the role service_role; asks for no token
GET  /api/admin/v1/health    how this server is; for service_role alone
"""

from collections.abc import Awaitable, Callable
from time import time
from typing import Final

import msgspec

from wherry.admin.health import Health
from wherry.admin.links import Links
from wherry.asgi import Exchange, Receive, Scope, Send, exchange_of, read_body, respond
from wherry.auth.keys import SESSION_SECONDS, session_token
from wherry.auth.tokens import TokenVerifier
from wherry.errors import AccessDenied, MethodNotAllowed, RequestError, SchemaError, SignInRefused, TooLarge
from wherry.identity import SERVICE_ROLE

BASE_PATH: Final = "/api/admin/v1"

_SIGN_IN, _HEALTH = f"{BASE_PATH}/sign-in", f"{BASE_PATH}/health"
#: Bytes of a body; one with a code has 54.
_LARGEST: Final = 1024
_ANSWER: Final = [(b"content-type", b"application/json; charset=utf-8"), (b"cache-control", b"no-store")]


class _SignIn(msgspec.Struct):
    """The body of a sign-in."""

    code: str


class _Session(msgspec.Struct):
    """The answer to one, as the Supabase clients know it; times in seconds, of the epoch and from now."""

    access_token: str
    expires_in: int
    expires_at: int
    role: str = SERVICE_ROLE
    token_type: str = "bearer"  # noqa: S105 - its kind


class AdminApi:
    """The ASGI application of `/api/admin/v1/…`. `secret` signs tokens; None where only public keys are trusted."""

    def __init__(
        self, tokens: TokenVerifier, links: Links, health: Callable[[], Awaitable[Health]], *, secret: str | None
    ) -> None:
        self._tokens = tokens
        self._links = links
        self._health = health
        self._secret = secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises ApiError for the middleware to answer."""
        path, method, exchange = scope["path"], scope["method"], exchange_of(scope)
        if path == _SIGN_IN:
            exchange.route = path
            _require(method == "POST", path, method, allow="POST")
            answer: Health | _Session = await self._sign_in(exchange, receive)
        elif path == _HEALTH:
            exchange.route = path
            _require(method in ("GET", "HEAD"), path, method, allow="GET, HEAD")
            self._require_administrator(exchange)
            answer = await self._health()
        else:
            raise SchemaError(
                "Invalid path specified in request URL",
                hint=f"The admin API has {_SIGN_IN} and {_HEALTH}",
                code="PGRST125",
                status=404,
            )
        await respond(send, 200, _ANSWER, msgspec.json.encode(answer))

    async def _sign_in(self, exchange: Exchange, receive: Receive) -> _Session:
        if self._secret is None:
            raise RequestError(
                "Nobody can sign in with a link here: only the tokens of another issuer are trusted",
                hint="Sign in there, or set JWT_SECRET for this server",
                code="PGRST127",
            )
        media_type = exchange.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if media_type not in (b"", b"application/json"):
            raise RequestError(
                f"Content-Type not acceptable: {media_type[:100].decode('latin-1')}",
                hint="Send JSON, with Content-Type: application/json",
                code="PGRST102",
                status=415,
            )
        if not self._links.claim(_code(await _read(receive))):
            raise SignInRefused(
                "The link cannot be used: it was used before, it is too old, or there never was one",
                hint="Make a new one: wherry link",
            )
        now = int(time())
        return _Session(session_token(self._secret, now), SESSION_SECONDS, now + SESSION_SECONDS)

    def _require_administrator(self, exchange: Exchange) -> None:
        headers = exchange.headers
        role = self._tokens.verify(headers.get(b"authorization"), headers.get(b"apikey")).role
        exchange.role = role
        if role != SERVICE_ROLE:
            raise AccessDenied(
                "permission denied for the admin API", role=role, hint="Send a token of the role service_role"
            )


def _require(is_possible: bool, path: str, method: str, *, allow: str) -> None:
    if not is_possible:
        verbs = allow.replace(", ", " or ")
        raise MethodNotAllowed(f"{path} has no method {method[:20]}", allow=allow, hint=f"Use {verbs}.")


async def _read(receive: Receive) -> bytes:
    try:
        return await read_body(receive, _LARGEST)
    except TooLarge as error:
        raise TooLarge(error.message, hint="Send the code alone.") from error


def _code(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_SignIn).code
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RequestError(
            "The body is not a JSON object with the text 'code'",
            details=str(error),
            hint='Send {"code": "…"}, with what stands behind #code= in the link',
            code="PGRST102",
        ) from error
