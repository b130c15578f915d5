"""The composition root: builds every room, joins them, and says who answers which path.

`create_app` makes the ASGI application of one worker. Nothing is opened before its lifespan starts, and all is closed
when it ends: writes that wait are committed, the write-ahead log goes into the file, the last log lines are written.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

from wherry import __version__
from wherry.admin import BASE_PATH as ADMIN_PATH
from wherry.admin import AdminApi, HealthReport, Links
from wherry.asgi import Application, Receive, Scope, Send
from wherry.auth.jwks import KeyRefresher, trust_issuer
from wherry.auth.keys import load_secret
from wherry.auth.tokens import TokenVerifier
from wherry.config import OWN_EXPORT, Settings
from wherry.errors import DatabaseBusy, FileReplaced, SchemaError, StartError, WherryError
from wherry.logs import LEVELS, JsonLog
from wherry.metrics import RUNTIME_DIRECTORY, Metrics
from wherry.middleware import CrossOrigin, Middleware
from wherry.observe import (
    Emit,
    Readings,
    ServedFileReplaced,
    ServerStarted,
    ServerStopped,
    ServerStopping,
    UnexpectedError,
    fan_out,
)
from wherry.operations import Operations
from wherry.policies import PoliciesFile
from wherry.proxies import TrustedProxies
from wherry.rest.current_plans import CurrentPlans, describe
from wherry.rest.endpoints import BASE_PATH, DataApi
from wherry.sqlite.connection import SQLITE_VERSION
from wherry.sqlite.database import Database
from wherry.studio import Site, has_export, read_export

_TABLES = f"{BASE_PATH}/"
_ADMIN = f"{ADMIN_PATH}/"
#: What no page stands below.
_OURS = "/api/"

#: Seconds between two looks at policies.sql and the schema, and between two flushes of the log.
_WATCH, _FLUSH = 0.5, 0.2


def create_app(settings: Settings) -> Application:
    """Make the application of one worker. Raises StartError when its lifespan starts and something is not right."""
    return Wherry(settings)


class Wherry:
    """One worker's rooms; a class because they are opened and closed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        directory = os.environ.get(RUNTIME_DIRECTORY)
        self._log = JsonLog(level=LEVELS[settings.log_level])
        self._metrics = Metrics(self._readings, Path(directory) if directory else None)
        self.emit: Emit = fan_out(self._log, self._metrics)
        self.failure: StartError | None = None  #: why it has told its process to end
        self._tasks: list[asyncio.Task[None]] = []
        self._database: Database | None = None
        self._plans: CurrentPlans | None = None
        self._data_api: Application | None = None
        self._admin: Application | None = None
        self._keys: KeyRefresher | None = None
        self._secret = load_secret(settings)
        self._tokens = TokenVerifier(self._secret, audience=settings.jwt_audience)
        self._site = _site(settings)
        self._operations = Operations(self._ready, self._metrics.text)
        self._middleware = Middleware(
            self._route,
            self.emit,
            CrossOrigin(frozenset(settings.cors_origins)),
            TrustedProxies(settings.trusted_proxies) if settings.trusted_proxies else None,
        )

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer a request, or live through the lifespan."""
        # no coroutine functions here and in _route: each would cost every request one more coroutine
        if scope["type"] == "lifespan":
            return self._live(receive, send)
        return self._middleware(scope, receive, send)

    def _route(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        path: str = scope["path"]
        if path.startswith(_TABLES) or path == BASE_PATH:
            if self._data_api is None:
                raise _starting()
            return self._data_api(scope, receive, send)
        operation = self._operations.endpoint(path)
        if operation is not None:
            return operation(scope, receive, send)
        if path.startswith(_ADMIN):
            if self._admin is None:
                raise _starting()
            return self._admin(scope, receive, send)
        if self._site is not None and not path.startswith(_OURS) and path != _OURS[:-1]:
            page = self._site.endpoint(path, scope["method"])
            if page is not None:
                return page(scope, receive, send)
        raise SchemaError(
            "Invalid path specified in request URL",
            hint=f"The API is at {BASE_PATH}/<table or view>",
            code="PGRST125",
            status=404,
        )

    # ---- lifespan --------------------------------------------------------------------------------------------

    async def _live(self, receive: Receive, send: Send) -> None:
        """Follow the ASGI lifespan protocol (https://asgi.readthedocs.io/en/latest/specs/lifespan.html)."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.start()
                except WherryError as error:
                    self._log.flush()
                    return await send({"type": "lifespan.startup.failed", "message": str(error)})
                except Exception as error:  # to raise it would mean to serve without a lifespan, that is nothing
                    self.emit(UnexpectedError(None, error))
                    self._log.flush()
                    reason = f"The start failed unexpectedly: {type(error).__name__}: {error}"
                    return await send({"type": "lifespan.startup.failed", "message": reason})
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop(message["type"])
                return await send({"type": "lifespan.shutdown.complete"})

    async def start(self) -> None:
        """Open everything. Raises StartError."""
        settings = self._settings
        self._database = database = Database.open(
            settings.database,
            sidecar=settings.sidecar,
            readers=settings.readers,
            inline_budget=settings.inline_budget,
            statement_timeout=settings.statement_timeout,
            busy_timeout=settings.busy_timeout,
            wal=settings.wal,
            emit=self.emit,
        )
        self._plans = plans = CurrentPlans(
            database, PoliciesFile(settings.policies), max_rows=settings.max_rows, emit=self.emit
        )
        await plans.load()
        self._data_api = DataApi(
            database,
            self._tokens,
            plans,
            lambda current, identity: describe(current, identity, BASE_PATH),
            max_body=settings.max_body,
        )
        self._admin = AdminApi(
            self._tokens,
            Links(settings.sidecar),
            HealthReport(settings, database, plans),
            secret=self._secret,
        )
        self._keys = trust_issuer(self._tokens, settings, self.emit)
        if self._keys is not None:
            self._keys.start()
        self._tasks = [
            asyncio.create_task(self._every(_FLUSH, self._flush)),
            asyncio.create_task(self._every(_WATCH, plans.watch)),
            asyncio.create_task(self._every(_WATCH, self._watch_file)),
        ]
        state = database.state
        self.emit(
            ServerStarted(
                __version__, str(settings.database), state.read_only, state.journal_mode, SQLITE_VERSION,
                f"{settings.host}:{settings.port}",
            )
        )  # fmt: skip
        self._log.flush()
        _tune_process()

    async def stop(self, reason: str) -> None:
        """Close everything; what was acknowledged is in the file, what waits is written."""
        started = perf_counter()
        self.emit(ServerStopping(reason))
        for task in self._tasks:
            task.cancel()
        if self._keys is not None:
            self._keys.close()
        if self._database is not None:
            await self._database.close()
        self.emit(ServerStopped(perf_counter() - started))
        self._metrics.close()
        self._log.flush()

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do some work again and again; what goes wrong is logged and tried again."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except WherryError:
                continue  # the file is busy: the next look comes soon
            except Exception as error:
                self.emit(UnexpectedError(None, error))

    async def _watch_file(self) -> None:
        """End the process, as a signal does, when the file is no longer the one that its path leads to.

        What was answered is in the file that is open here, whose log is emptied at the end: it stands beside the new
        file now, and whoever opened that would take it for the new file's
        (https://sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use).
        """
        if self._database is not None and self.failure is None and self._database.is_replaced():
            self.failure = FileReplaced(self._settings.database)
            self.emit(ServedFileReplaced(str(self.failure)))
            signal.raise_signal(signal.SIGTERM)

    async def _flush(self) -> None:
        self._log.flush()
        self._metrics.publish()

    # ---- what the rooms ask ----------------------------------------------------------------------------------

    async def _ready(self) -> None:
        """Return when the database answers and the schema is known. Raises WherryError."""
        if self._plans is None or self._database is None:
            raise StartError("the server is starting")
        self._database.schema_version()
        await self._plans.refresh()

    def _readings(self) -> Readings:
        database, plans = self._database, self._plans
        if database is None or plans is None:
            return Readings()
        hits, misses = plans.hits, plans.misses
        return Readings(
            reads_inline=database.reads_inline,
            reads_handed_over=database.reads_handed_over,
            writer_queue_length=database.queue_length,
            wal_bytes=database.wal_size(),
            plan_cache_hits=hits,
            plan_cache_misses=misses,
            token_cache_hits=self._tokens.hits,
            token_cache_misses=self._tokens.misses,
        )


def _starting() -> DatabaseBusy:
    return DatabaseBusy("The server is starting", hint="Send the request again in a moment")


def _site(settings: Settings) -> Site | None:
    """Return the web client's pages; None where there are none, which only the package's own folder may be without."""
    folder = settings.studio
    if folder is None or (folder == OWN_EXPORT and not has_export(folder)):
        return None
    return Site(read_export(folder))


def _tune_process() -> None:
    """Suit the interpreter to a server: what was loaded stays, and garbage is looked for seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
