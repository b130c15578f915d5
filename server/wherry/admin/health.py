"""How this server is: what Studio's first page tells an administrator."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname
from time import monotonic
from typing import Literal

from wherry import __version__
from wherry.config import Settings
from wherry.rest.current_plans import CurrentPlans
from wherry.schema.model import TableKind
from wherry.sqlite.connection import SQLITE_VERSION
from wherry.sqlite.database import Database


@dataclass(frozen=True, slots=True)
class DatabaseHealth:
    """The served file; sizes in bytes. A virtual table is a table."""

    name: str
    size: int
    wal_size: int
    journal_mode: str
    read_only: bool
    schema_version: int
    tables: int
    views: int


@dataclass(frozen=True, slots=True)
class PoliciesHealth:
    """`policies.sql`: whether what it says, or last said, is in force; `error` says why it cannot be used now."""

    file: str
    loaded: bool
    error: str | None


@dataclass(frozen=True, slots=True)
class Health:
    """One answer. `host` tells replicas from each other; `uptime` is in seconds, of this process."""

    status: Literal["ok"]
    version: str
    sqlite_version: str
    started_at: str
    uptime: float
    host: str
    workers: int
    database: DatabaseHealth
    policies: PoliciesHealth


class HealthReport:
    """Reports on the database that this process serves; a class because it knows since when."""

    def __init__(self, settings: Settings, database: Database, plans: CurrentPlans) -> None:
        self._settings = settings
        self._database = database
        self._plans = plans
        self._started_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._started = monotonic()

    async def __call__(self) -> Health:
        """Look. Raises DatabaseError where the file does not answer."""
        await self._plans.refresh()
        return Health(
            status="ok",
            version=__version__,
            sqlite_version=SQLITE_VERSION,
            started_at=self._started_at,
            uptime=round(monotonic() - self._started, 3),
            host=gethostname(),
            workers=self._settings.workers,
            database=self._look_at_database(),
            policies=PoliciesHealth(
                self._settings.policies.name, self._plans.has_policies, self._plans.policies_refusal
            ),
        )

    def _look_at_database(self) -> DatabaseHealth:
        state, schema = self._database.state, self._plans.current.schema
        views = sum(table.kind is TableKind.VIEW for table in schema.tables.values())
        return DatabaseHealth(
            name=state.path.name,
            size=_size(state.path),
            wal_size=self._database.wal_size(),
            journal_mode=state.journal_mode,
            read_only=state.read_only,
            schema_version=schema.version,
            tables=len(schema.tables) - views,
            views=views,
        )


def _size(path: Path) -> int:
    """Return a file's size; 0 for one that was moved away, which SQLite may still have open."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
