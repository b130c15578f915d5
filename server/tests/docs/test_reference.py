"""The reference names all that there is: settings, commands, metrics, log lines, errors, words, modules."""

import json
import os
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import httpx
import pytest
import typer.main

from tests.docs.pages import ROOT, Page, page, spans_of
from tests.docs.requests import Example, examples_of
from wherry import observe
from wherry.auth.tokens import LONGEST_TOKEN
from wherry.cli import app
from wherry.config import SETTINGS
from wherry.errors import ApiError, FileReplaced
from wherry.http1 import Limits
from wherry.logs import JsonLog
from wherry.logs.lines import LEVELS, line_of
from wherry.metrics.samples import FAMILIES
from wherry.observe import Observation, RequestServed
from wherry.rest.api_request import Aggregate, Count, IsValue, JoinType, MediaType, Operator, Resolution, Return
from wherry.rest.grammar import MAX_DEPTH
from wherry.rest.headers import _VALUES
from wherry.rest.plan_cache import CAPACITY
from wherry.rest.query_params import MAX_PARAMETERS
from wherry.sqlite.readers import WAITING_READS
from wherry.sqlite.writer import WAITING_WRITES

PACKAGE = ROOT / "server" / "wherry"
DIALECT, ERRORS, LOGS, METRICS = (page(f"docs/reference/{n}.md") for n in ("dialect", "errors", "logs", "metrics"))

ARCHITECTURE = page("docs/explanation/architecture.md")

_CODE = re.compile(r'(?<!b)"(PGRST[0-9X]\d\d|(?:\d\d|P0|XX)[0-9A-Z]{3})"')


def test_the_settings() -> None:
    [table, *_] = page("docs/reference/settings.md").tables()
    told = [(row["Variable"].strip("`"), row["Default"].strip("`"), row["Meaning"]) for row in table]
    assert told == [(setting.name, setting.default, setting.meaning) for setting in SETTINGS]


def test_the_command_line() -> None:
    group: Any = typer.main.get_command(app)
    there_is = {
        "wherry": [*(option.opts[0] for option in group.params), "--help"],
        **{f"wherry {name}": [_written(argument) for argument in it.params] for name, it in group.commands.items()},
    }
    shown = page("docs/reference/command-line.md")
    commands = re.findall(r"^## `(.*)`$", shown.text, re.MULTILINE)
    tables = [[row["Argument"].strip("`") for row in table] for table in shown.tables()]
    assert dict(zip(commands, tables, strict=True)) == there_is


def _written(argument: Any) -> str:
    return str(argument.name).upper() if argument.param_type_name == "argument" else str(argument.opts[0])


# ---- metrics and logs ------------------------------------------------------------------------------------------


def test_the_metrics() -> None:
    [table, *_] = METRICS.tables()
    told = [(row["Metric"].strip("`"), row["Kind"], tuple(spans_of(row["Labels"])), row["Meaning"]) for row in table]
    assert told == [(name, family.kind, family.labels, family.help) for name, family in FAMILIES.items()]


def test_a_server_shows_metrics_of_the_reference(ask: Callable[[Page, Example], httpx.Response]) -> None:
    [_, readiness] = examples_of(METRICS)
    scrape = Example(METRICS.name, "", "", "GET", "/metrics", "anon", (), None, 200, None, ())
    ask(METRICS, readiness)
    shown = set(re.findall(r"^# TYPE (\S+)", ask(METRICS, scrape).text, re.MULTILINE))
    assert shown <= METRICS.codes("Metric")
    assert {"wherry_http_requests_total", "wherry_reads_total", "wherry_schema_loads_total", "wherry_workers"} <= shown


#: Of each kind of observation that is a line of its own, one.
OBSERVATIONS: list[Observation] = [
    observe.UnexpectedError("1", ValueError("x")),
    observe.ResponseBrokenOff("1", "the response was read too slowly and was given up"),
    observe.TransactionRun(1, 0.1, 0.1),
    observe.TransactionRun(1, 0.1, 0.1, ok=False),
    observe.CheckpointRun(1, 0.1, "passive"),
    observe.ReadHandedOver(0.1, "SELECT 1"),
    observe.StatementInterrupted(0.1, "over its time limit"),
    observe.SchemaLoaded(1, 2, 0.1),
    observe.PoliciesLoaded("policies.sql", "1", 2, ("careful",)),
    observe.PoliciesLoaded(None, "1", 2),
    observe.PoliciesRefused("policies.sql", "1:1: no"),
    observe.KeysLoaded("keys.json", 1),
    observe.KeysRefused("keys.json", "no"),
    observe.ServerStarted("1", "app.db", False, "wal", "3", "127.0.0.1:4000"),
    observe.ServedFileReplaced(str(FileReplaced("app.db"))),
    observe.ServerStopping("told to"),
    observe.ServerStopped(0.1),
]


@pytest.mark.parametrize("observation", OBSERVATIONS, ids=lambda o: type(o).__name__)
def test_a_log_line(observation: Observation) -> None:
    line = line_of(observation)
    assert line is not None
    level, message, fields = line
    [row] = [row for row in _log_lines() if any(_is_shown(shown, message) for shown in spans_of(row["Message"]))]
    names = {number: name for name, number in LEVELS.items()}
    there_are = {name for name, value in fields.items() if value is not None}
    assert names[level] in row["Level"]
    assert there_are == set(spans_of(row["Fields"])) - {"type", "message", "stack"}


def test_the_line_of_a_request_has_the_fields_that_are_shown() -> None:
    reading, writing = os.pipe()
    log = JsonLog(writing)
    log(RequestServed("GET", "/api/rest/v1/films", 200, 0.1, 54, "1", "anon", b"/api", b"", "127.0.0.1", b"curl/8"))
    log.flush()
    written = json.loads(os.read(reading, 4096))
    os.close(reading)
    os.close(writing)
    [shown] = [json.loads(block.text) for block in LOGS.blocks if block.language == "json"]
    assert _fields(shown) == _fields(written)
    [fields, *_] = LOGS.tables()
    assert [name for row in fields for name in spans_of(row["Field"])] == [*shown]


def _fields(line: dict[str, Any]) -> list[Any]:
    return [(name, _fields(value) if isinstance(value, dict) else type(value)) for name, value in line.items()]


def test_every_observation_has_its_line() -> None:
    of_requests = {observe.RequestServed, observe.Notice}
    assert {type(o) for o in OBSERVATIONS} | of_requests == set(observe.Observation.__args__)  # type: ignore[attr-defined]
    assert len(_log_lines()) == len(OBSERVATIONS) - 1  # a transaction committed and undone stand in one row


def _log_lines() -> list[dict[str, str]]:
    return [row for table in LOGS.tables() for row in table if "Message" in row]


def _is_shown(shown: str, message: str) -> bool:
    pattern = re.sub("FILE|ADDRESS|…", ".+", re.sub(r"([.()])", r"\\\1", shown))
    return re.fullmatch(pattern, message) is not None


# ---- errors and the dialect ------------------------------------------------------------------------------------


def test_the_errors() -> None:
    in_the_code = {
        text
        for path in PACKAGE.rglob("*.py")
        if "demo" not in path.parts
        for text in _CODE.findall(path.read_text(encoding="utf-8"))
    }
    assert ERRORS.codes("Code") == in_the_code


def test_the_example_of_an_error_has_its_code_and_status() -> None:
    for table in ERRORS.tables():
        for row in table:
            if row["Example"]:
                status, code = row["Answer"].split()
                assert (f"`{code}`", status in row["Status"].split(", ")) == (row["Code"], True)


def test_the_statuses_of_the_errors() -> None:
    told = {row["Code"].strip("`"): row["Status"].split(", ") for table in ERRORS.tables() for row in table}
    refusals = (PACKAGE / "http1" / "refusals.py").read_text(encoding="utf-8")
    there_are = {(code, status) for status, code in re.findall(r'_refusal\(\s*(\d+), "(\w+)"', refusals)}
    there_are |= {(error.code, str(error.status)) for error in _kinds_of(ApiError)}
    assert [(code, status) for code, status in sorted(there_are) if status not in told[code]] == []
    assert len(there_are) > 20


def _kinds_of(error: type[ApiError]) -> list[type[ApiError]]:
    return [error, *(kind for below in error.__subclasses__() for kind in _kinds_of(below))]


@pytest.mark.parametrize(
    ("words", "written"),
    [
        (Operator, "`{}`"),
        (Aggregate, "`{}()`"),
        (JoinType, "`!{}`"),
        (IsValue, "{}"),
        (MediaType, "`{}`"),
        (Return, "`return={}`"),
        (Count, "`count={}`"),
        (Resolution, "`resolution={}`"),
    ],
)
def test_the_words_of_the_dialect(words: type[StrEnum], written: str) -> None:
    assert [word for word in words if written.format(word) not in DIALECT.text] == []


def test_the_preferences() -> None:
    accepted = {f"{name}={value}" for name, values in _VALUES.items() for value in values} | {"max-affected"}
    told = {span for table in DIALECT.tables() for row in table for span in spans_of(row.get("Feature", ""))}
    assert accepted - told == set()


# ---- the map of the code ---------------------------------------------------------------------------------------


def test_the_code_map_names_every_module() -> None:
    there_are = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if path.read_text(encoding="utf-8").strip() and path.name != "__init__.py"
    }
    assert ARCHITECTURE.codes("Module") == there_are


def test_the_names_of_the_walk_stand_in_the_code() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    known = set(re.findall(r"\w+", text)) | {path.stem for path in PACKAGE.rglob("*")}
    walk, _, _ = ARCHITECTURE.text.partition("## The map")
    names = [name for name in spans_of(walk) if re.fullmatch(r"[A-Za-z_]+(\.[A-Za-z_]+)*", name)]
    assert [name for name in names if not set(name.split(".")) <= known | {"writer", "lock", "sql", "main"}] == []
    assert len(names) > 50


def test_the_limits_are_those_of_the_code() -> None:
    limits = Limits()
    told = {
        row["What"]: row["Limit"]
        for table in page("docs/explanation/security.md").tables()
        for row in table
        if "Limit" in row
    }
    for what, limit in {
        "Parameters of a query string": f"{MAX_PARAMETERS:,}",
        "Nesting of embeds and of logic": f"{MAX_DEPTH} levels",
        "Connections of a process": f"{limits.connections:,}; one more is answered 503",
        "Head of a request": f"{limits.head >> 10} kB, {limits.target >> 10} kB of them its first line, "
        f"{limits.headers} header fields",
        "Time for a head to arrive, or for the next piece of a body": f"{limits.head_seconds} seconds",
        "Time between two requests of a connection": f"{limits.idle_seconds} seconds",
        "Time without the client taking a byte of its response": f"{limits.write_seconds} seconds",
        "Token": f"{LONGEST_TOKEN // 1024} kB",
        "Remembered shapes and tokens": f"{CAPACITY:,} each",
        "Slow reads that wait": f"{WAITING_READS} for each process, writes {WAITING_WRITES:,}; more are answered 503",
    }.items():
        assert told[what] == limit
