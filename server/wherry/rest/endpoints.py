"""The door of the data API: one request, from its words to its bytes.

Five verbs: *parse* (`query_params`, `headers`, `payload`), *plan* (`planner`), *compile* (`compiler`), *run*
(`sqlite.database`), *respond* (`response`). Plan and compile are remembered by the request's shape (`plan_cache`), so a
request of a known shape is split, bound, run and answered.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from wherry.asgi import Receive, Scope, Send, exchange_of, respond
from wherry.auth.tokens import TokenVerifier
from wherry.errors import MethodNotAllowed, SchemaError
from wherry.identity import Identity
from wherry.rest.current_plans import CurrentPlans
from wherry.rest.headers import check_profile, text_of
from wherry.rest.plan_cache import PlanCache
from wherry.rest.reading import ReadEndpoint
from wherry.rest.writing import WriteEndpoint
from wherry.sqlite.database import Database

BASE_PATH = "/api/rest/v1"

#: Makes the OpenAPI document of what the caller may see.
Describe: TypeAlias = Callable[[PlanCache, Identity], bytes]


class DataApi:
    """The ASGI application of `/api/rest/v1/…`."""

    def __init__(
        self,
        database: Database,
        tokens: TokenVerifier,
        plans: CurrentPlans,
        describe: Describe,
        *,
        max_body: int,
    ) -> None:
        self._tokens = tokens
        self._plans = plans
        self._describe = describe
        self._read = ReadEndpoint(database, plans)
        self._write = WriteEndpoint(database, plans, base_path=BASE_PATH, max_body=max_body)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request. Raises ApiError for the middleware to answer."""
        # not a coroutine function: each request would pay for one more coroutine
        exchange = exchange_of(scope)
        headers = exchange.headers
        identity = self._tokens.verify(headers.get(b"authorization"), headers.get(b"apikey"))
        exchange.role = identity.role
        method: str = scope["method"]
        resource: str = scope["path"][len(BASE_PATH) + 1 :]
        if resource in self._plans.current.schema.tables:
            exchange.route = f"{BASE_PATH}/{resource}"
        elif not resource or resource.startswith("rpc/"):
            return self._beside_tables(scope, send, method, resource, identity)
        if method in ("GET", "HEAD"):
            return self._read(scope, receive, send, resource, headers, identity)
        if method in ("POST", "PATCH", "PUT", "DELETE"):
            return self._write(scope, receive, send, resource, headers, identity)
        if method == "OPTIONS":
            return self._allow(send, resource, identity)
        raise MethodNotAllowed(f"Unsupported HTTP method: {method[:20]}")

    async def _beside_tables(self, scope: Scope, send: Send, method: str, resource: str, identity: Identity) -> None:
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
        if method == "OPTIONS":
            return await respond(send, 200, [(b"allow", b"OPTIONS,GET,HEAD")])
        if method not in ("GET", "HEAD"):
            raise MethodNotAllowed(f"The root of the API has no method {method[:20]}", hint="Use GET")
        headers = exchange_of(scope).headers
        if b"accept-profile" in headers:
            check_profile(text_of(headers, b"accept-profile"), "Accept-Profile")
        await self._plans.refresh()  # nothing else here would notice that another process changed the schema
        document = self._describe(self._plans.current, identity)
        await respond(send, 200, [(b"content-type", b"application/openapi+json; charset=utf-8")], document)

    async def _allow(self, send: Send, resource: str, identity: Identity) -> None:
        """Say which methods the role may use."""
        await self._plans.refresh()
        names = self._plans.current.names(identity)
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
