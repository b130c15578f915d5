"""What a line says of an observation that is not about a request: its level, its message, its fields."""

import re
import traceback
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from wherry import observe
from wherry.logs.text import CENSORED, censor_tokens, shortened
from wherry.observe import Observation

LEVELS: Mapping[str, int] = MappingProxyType(
    {"trace": 10, "debug": 20, "info": 30, "warn": 40, "error": 50, "fatal": 60, "silent": 100}
)
DEBUG, INFO, WARN, ERROR = 20, 30, 40, 50

Fields: TypeAlias = dict[str, Any]  # what JSON can hold
Line: TypeAlias = tuple[int, str, Fields]


def line_of(observation: Observation) -> Line | None:
    """Return the line for an observation; None for one that is not written by itself."""
    make = _LINES.get(observation.__class__)
    return make(observation) if make else None


def _unexpected(o: observe.UnexpectedError) -> Line:
    """Tell of an error with its stack, the innermost calls if that is long; SQL and rows are not in it."""
    stack = "".join(traceback.format_exception(o.error, chain=True))
    error = {
        "type": type(o.error).__name__,
        "message": shortened(censor_tokens(str(o.error)), 300),
        "stack": shortened(censor_tokens(stack), 1800),
    }
    return ERROR, "unexpected error", {"reqId": o.request_id, "err": error}


def _started(o: observe.ServerStarted) -> Line:
    message = f"serving {o.file}" + (f" at {o.address}" if o.address else "") + (", read-only" if o.read_only else "")
    fields = {"version": o.version, "file": o.file, "readOnly": o.read_only, "journalMode": o.journal_mode}
    return INFO, message, {**fields, "sqlite": o.sqlite_version}


def _policies(o: observe.PoliciesLoaded) -> Line:
    message = f"policies loaded from {o.path}" if o.path else "no policies: only service_role reads and writes"
    fields = {"version": o.version, "roles": o.roles, "warnings": o.warnings or None}
    return WARN if o.warnings else INFO, message, fields


_LINES: Mapping[type, Callable[[Any], Line]] = {
    observe.UnexpectedError: _unexpected,
    observe.ResponseBrokenOff: lambda o: (WARN, f"response broken off: {o.message}", {"reqId": o.request_id}),
    observe.TransactionRun: lambda o: (
        DEBUG,
        "transaction committed" if o.ok else "transaction undone",
        {"jobs": o.jobs, "ms": _ms(o.seconds), "commitMs": _ms(o.commit_seconds)},
    ),
    observe.CheckpointRun: lambda o: (
        DEBUG,
        "write-ahead log checkpointed",
        {"pages": o.pages, "mode": o.mode, "ms": _ms(o.seconds)},
    ),
    observe.ReadHandedOver: lambda o: (
        DEBUG,
        "slow read handed to a reader thread",
        {"sql": shortened(o.sql, 1500), "ms": _ms(o.seconds)},
    ),
    observe.StatementInterrupted: lambda o: (INFO, f"statement interrupted: {o.reason}", {"ms": _ms(o.seconds)}),
    observe.SchemaLoaded: lambda o: (
        INFO,
        "schema loaded",
        {"version": o.version, "tables": o.tables, "ms": _ms(o.seconds)},
    ),
    observe.PoliciesLoaded: _policies,
    observe.PoliciesRefused: lambda o: (ERROR, f"policies refused: {o.message}", {"file": o.path}),
    observe.KeysLoaded: lambda o: (INFO, "token keys loaded", {"source": _source(o.source), "keys": o.keys}),
    observe.KeysRefused: lambda o: (ERROR, f"token keys refused: {o.message}", {"source": _source(o.source)}),
    observe.ServerStarted: _started,
    observe.ServedFileReplaced: lambda o: (ERROR, o.message, {}),
    observe.ServerStopping: lambda o: (INFO, f"stopping: {o.reason}", {}),
    observe.ServerStopped: lambda o: (INFO, "stopped", {"ms": _ms(o.seconds)}),
    observe.Notice: lambda o: (WARN if o.warning else INFO, o.message, {}),
}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _source(source: str) -> str:
    """Return where keys come from, without a password that the URL may hold."""
    return re.sub(r"//[^/@]*@", f"//{CENSORED}@", source)
