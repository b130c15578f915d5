"""The plans that hold now: for the file's schema and for `policies.sql` as they are, read again when either changes.

Schema and policies are read together, in one snapshot and in a reader thread, so that no request ever meets the one
without the other. A `policies.sql` that cannot be used leaves the last good one in force as long as the schema is the
same; against another schema the last good one was never checked, and until there is a good one only the service role
reads and writes.
"""

import asyncio
from time import perf_counter
from typing import Final

import msgspec

from wherry import __version__
from wherry.errors import AccessDenied, DatabaseBusy, SchemaChanged, SchemaError, StartError, WherryError
from wherry.identity import Identity
from wherry.observe import Emit, PoliciesLoaded, PoliciesRefused, SchemaLoaded
from wherry.policies import (
    Policies,
    PoliciesError,
    PoliciesFile,
    PoliciesUnreadable,
    Stamp,
    load_policies,
    no_policies,
)
from wherry.rest.openapi import openapi_document
from wherry.rest.plan_cache import PlanCache
from wherry.schema.model import Schema
from wherry.schema.reader import interpret
from wherry.sqlite.catalogue import read_catalogue
from wherry.sqlite.database import Database
from wherry.sqlite.expressions import ExpressionReader

#: What an older schema than the file's may explain: it changed, or the name is new.
OF_AN_OLDER_SCHEMA: Final = (SchemaChanged, SchemaError, AccessDenied)

#: How often a request is planned again because the schema changed under it.
ATTEMPTS: Final = 5


def changed_too_fast() -> DatabaseBusy:
    """Make the error of a request that was planned in vain so often."""
    return DatabaseBusy("The schema changes faster than the request can be planned", hint="Send it again")


class CurrentPlans:
    """Holds the plan cache of the current schema and policies; a class because it replaces it. Call `load` first."""

    def __init__(self, database: Database, policies: PoliciesFile, *, max_rows: int | None, emit: Emit) -> None:
        self._database = database
        self._file = policies
        self._max_rows = max_rows
        self._emit = emit
        self._lock = asyncio.Lock()
        self._current: PlanCache | None = None
        self._stamp: Stamp = None
        self._past_hits = self._past_misses = 0
        self.has_policies = False  #: whether those of a policies.sql are in force, be it an earlier state of it
        self.policies_refusal: str | None = None  #: why policies.sql cannot be used as it is

    @property
    def current(self) -> PlanCache:
        """The plans to use for a request that comes now."""
        if self._current is None:
            raise AssertionError("load() comes first")
        return self._current

    @property
    def hits(self) -> int:
        """How many plans were found remembered, since the start."""
        return self._past_hits + (self._current.hits if self._current else 0)

    @property
    def misses(self) -> int:
        """How many plans had to be made, since the start."""
        return self._past_misses + (self._current.misses if self._current else 0)

    async def load(self) -> None:
        """Read schema and policies for the first time. Raises StartError for a policies.sql that cannot be used."""
        async with self._lock:
            await self._read()

    async def refresh(self) -> bool:
        """Read the schema again if the file's has changed; tell whether it had since the request took its plans."""
        seen = self.current
        async with self._lock:
            if self.current is not seen:
                return True
            if self._database.schema_version() == seen.schema.version:
                return False
            await self._read()
            return True

    async def newer(self, error: WherryError) -> PlanCache:
        """Return the plans of the file's present schema, after an error that an older one may explain.

        Raises the error where there is no newer schema.
        """
        if not await self.refresh() and not isinstance(error, SchemaChanged):
            raise error
        return self.current

    async def watch(self) -> None:
        """Look whether schema or policies.sql changed; to be called about twice a second."""
        if self._file.stamp() != self._stamp or self._database.schema_version() != self.current.schema.version:
            async with self._lock:
                await self._read()

    async def _read(self) -> None:
        started = perf_counter()
        stamp = self._file.stamp()
        schema = await self._database.call(lambda connection: interpret(read_catalogue(connection)))
        last = self._current
        if last is None or last.schema.version != schema.version:
            self._emit(SchemaLoaded(schema.version, len(schema.tables), perf_counter() - started))
        try:
            policies = await asyncio.to_thread(self._load_policies, schema)
        except (PoliciesError, PoliciesUnreadable) as error:
            if last is None:
                raise StartError(f"{error}") from error
            self._emit(PoliciesRefused(str(self._file.path), str(error)))
            policies = last.policies if last.schema.version == schema.version else no_policies(schema)
            self.has_policies = self.has_policies and last.schema.version == schema.version
            self.policies_refusal = str(error)
        else:
            path = str(self._file.path) if stamp is not None else None
            self._emit(PoliciesLoaded(path, policies.version, len(policies.roles), policies.warnings))
            self.has_policies = path is not None
            self.policies_refusal = None
        self._past_hits, self._past_misses = self.hits, self.misses
        self._stamp = stamp
        self._current = PlanCache(schema, policies, max_rows=self._max_rows)

    def _load_policies(self, schema: Schema) -> Policies:
        read = self._file.read()
        if read is None:
            return no_policies(schema)
        text, version = read
        state = self._database.state
        reader = ExpressionReader(state.path, state.access)
        try:
            return load_policies(text, schema, reader.check, version=version, file=self._file.path.name)
        finally:
            reader.close()


def describe(plans: PlanCache, identity: Identity, base_path: str) -> bytes:
    """Make the OpenAPI document of what the caller's role may use."""
    names = plans.names(identity)
    document = openapi_document(plans.schema, names.access, base_path=base_path, version=__version__)
    return msgspec.json.encode(document)
