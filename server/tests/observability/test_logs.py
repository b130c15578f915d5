"""The log: one line of JSON for each request, which nothing that a client sends can forge, and without secrets."""

import fcntl
import json
import os
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wherry import observe
from wherry.logs import JsonLog
from wherry.logs.lines import line_of
from wherry.logs.sink import LONGEST_LINE
from wherry.logs.text import url
from wherry.observe import Observation, RequestServed

from .conftest import LogFile

SERVED = RequestServed(
    method="GET",
    route="/api/rest/v1/films",
    status=200,
    seconds=0.0004123,
    bytes_out=54,
    request_id="5a-1",
    role="anon",
    path=b"/api/rest/v1/films",
    query=b"year=gte.2000",
    remote_address="10.0.0.9",
    user_agent=b"curl/8",
)
ROLLING = ("time", "pid", "hostname")


def without_place(line: dict[str, Any]) -> dict[str, Any]:
    """Leave out when and where a line was written."""
    assert isinstance(line["time"], int)
    assert isinstance(line["pid"], int)
    assert isinstance(line["hostname"], str)
    return {name: value for name, value in line.items() if name not in ROLLING}


def test_a_request_is_one_line_with_pinos_names(log_file: LogFile) -> None:
    log_file.log(SERVED)
    [line] = log_file.lines()
    assert list(line)[:4] == ["level", "time", "pid", "hostname"]
    assert line["time"] > 1_600_000_000_000
    assert line["pid"] == os.getpid()
    assert without_place(line) == {
        "level": 30,
        "reqId": "5a-1",
        "req": {
            "method": "GET",
            "url": "/api/rest/v1/films?year=gte.2000",
            "remoteAddress": "10.0.0.9",
            "userAgent": "curl/8",
        },
        "role": "anon",
        "res": {"statusCode": 200, "bytes": 54},
        "responseTime": 0.412,
        "msg": "request completed",
    }


def test_what_is_not_known_of_the_caller_is_left_out(log_file: LogFile) -> None:
    log_file.log(SERVED._replace(role=None, remote_address=None, user_agent=b"", query=b"", method="BREW"))
    [line] = log_file.lines()
    assert line["req"] == {"method": "BREW", "url": "/api/rest/v1/films"}
    assert "role" not in line


@pytest.mark.parametrize(
    ("status", "route", "level", "message"),
    [
        (200, "/api/rest/v1/films", 30, "request completed"),
        (404, "/api/rest/v1/films", 30, "request completed"),
        (499, "/api/rest/v1/films", 30, "request aborted"),
        (500, "/api/rest/v1/films", 50, "request completed"),
        (200, "/healthz", 20, "request completed"),
        (200, "/metrics", 20, "request completed"),
        (503, "/readyz", 50, "request completed"),
    ],
)
def test_the_level_follows_the_status_and_checks_are_quiet(
    log_file: LogFile, status: int, route: str, level: int, message: str
) -> None:
    log_file.log(SERVED._replace(status=status, route=route))
    assert [(line["level"], line["msg"]) for line in log_file.lines()] == [(level, message)]


def test_lines_below_the_level_are_not_written(log_file: LogFile) -> None:
    log = JsonLog(log_file.log._descriptor, level=50)
    log(SERVED)
    log(observe.Notice("hello"))
    log(SERVED._replace(status=500))
    assert [line["level"] for line in log_file.lines()] == [50]


def test_lines_wait_for_a_block_but_not_after_an_error(log_file: LogFile) -> None:
    log_file.log(SERVED)
    assert log_file.text() == b""
    log_file.log(SERVED._replace(status=500))
    assert log_file.text().count(b"\n") == 2
    for _ in range(199):
        log_file.log(SERVED)
    assert log_file.text().count(b"\n") == 2
    log_file.log(SERVED)
    assert log_file.text().count(b"\n") == 202
    log_file.log.flush()
    assert log_file.text().count(b"\n") == 202


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (b"apikey=abc&id=eq.1", "apikey=[Redacted]&id=eq.1"),
        (b"select=*&access_token=abc", "select=*&access_token=[Redacted]"),
        (b"API_KEY=abc", "API_KEY=[Redacted]"),
        (b"%61pi%6Bey=abc", "%61pi%6Bey=[Redacted]"),
        (b"users.password=eq.x", "users.password=[Redacted]"),
        (b"token", "token"),
        (b"keyword=eq.a", "keyword=eq.a"),
        (b"author_id=eq.1", "author_id=eq.1"),
        (b"name=eq.a%20b%22", "name=eq.a%20b%22"),
        (b"note=eq.eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln&x=eq.1", "note=eq.[Redacted]&x=eq.1"),
        (b'a=eq."x\\y"', "a=eq.%22x%5Cy%22"),
        (b"a=eq.\xc3\xa4\xff\x00\n", "a=eq.%C3%A4%FF%00%0A"),
    ],
)
def test_a_url_is_shown_without_secrets_and_percent_encoded(query: bytes, shown: str) -> None:
    assert url(b"/x", query) == f"/x?{shown}"


def test_a_long_url_is_cut() -> None:
    shown = url(b"/x", b"a=eq." + b"1" * 5000)
    assert (len(shown), shown[:10], shown[-4:]) == (2048, "/x?a=eq.11", "1...")


hostile_bytes = st.binary(max_size=3000) | st.text(alphabet='"\\\n\r\x00\x1b%{}&=\u2028\ud800ä', max_size=400).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
hostile_text = st.text(max_size=3000) | st.text(alphabet='"\\\n\r\x00\ud800\udfff😀', max_size=2000)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=hostile_text,
    path=hostile_bytes,
    query=hostile_bytes,
    remote=hostile_text,
    user_agent=hostile_bytes,
    role=hostile_text,
)
def test_whatever_a_client_sends_it_is_one_line_of_json(
    log_file: LogFile, method: str, path: bytes, query: bytes, remote: str, user_agent: bytes, role: str
) -> None:
    os.truncate(log_file.path, 0)
    log_file.log(
        SERVED._replace(method=method, path=path, query=query, remote_address=remote, user_agent=user_agent, role=role)
    )
    log_file.log.flush()
    text = log_file.text()
    assert text.endswith(b"\n")
    assert text.count(b"\n") == 1
    assert len(text) <= LONGEST_LINE
    line = json.loads(text)
    assert line["res"] == {"statusCode": 200, "bytes": 54}
    assert line["req"]["url"].isascii()
    assert line["req"]["url"].isprintable()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=hostile_text, field=hostile_text)
def test_whatever_a_line_tells_it_is_one_line_of_json(log_file: LogFile, message: str, field: str) -> None:
    os.truncate(log_file.path, 0)
    log_file.log.write(30, message, file=field)
    log_file.log(observe.UnexpectedError("5a-1", ValueError(message)))
    text = log_file.text()
    assert text.count(b"\n") == 2
    assert all(len(line) < LONGEST_LINE for line in text.split(b"\n"))
    assert [json.loads(line)["level"] for line in text.splitlines()] == [30, 50]


@pytest.mark.parametrize("character", ["a", '"', "\x00", "ä", "\ud800", "😀"])
def test_what_is_too_long_for_a_line_is_cut(log_file: LogFile, character: str) -> None:
    long = character * 5000
    escaped = long.encode("utf-8", "surrogatepass")
    log_file.log(SERVED._replace(path=escaped, user_agent=escaped, remote_address=long, role=long, method=long))
    log_file.log.write(30, long, file=long, other={"a": long})
    log_file.log(observe.UnexpectedError("5a-1", ValueError(long)))
    log_file.log(observe.ReadHandedOver(1, long))
    log_file.log.flush()
    lines = log_file.text().splitlines(keepends=True)
    assert all(len(line) <= LONGEST_LINE for line in lines)
    assert [list(json.loads(line))[-1] for line in lines] == ["msg"] * 4


OBSERVATIONS: list[tuple[Observation, dict[str, Any]]] = [
    (
        observe.TransactionRun(3, 0.002, 0.001),
        {"level": 20, "jobs": 3, "ms": 2.0, "commitMs": 1.0, "msg": "transaction committed"},
    ),
    (
        observe.TransactionRun(3, 0.002, 0.001, ok=False),
        {"level": 20, "jobs": 3, "ms": 2.0, "commitMs": 1.0, "msg": "transaction undone"},
    ),
    (
        observe.CheckpointRun(9, 0.003, "passive"),
        {"level": 20, "pages": 9, "mode": "passive", "ms": 3.0, "msg": "write-ahead log checkpointed"},
    ),
    (
        observe.ReadHandedOver(0.05, "select 1"),
        {"level": 20, "sql": "select 1", "ms": 50.0, "msg": "slow read handed to a reader thread"},
    ),
    (
        observe.StatementInterrupted(2, "its client went away"),
        {"level": 30, "ms": 2000, "msg": "statement interrupted: its client went away"},
    ),
    (
        observe.SchemaLoaded(7, 11, 0.004),
        {"level": 30, "version": 7, "tables": 11, "ms": 4.0, "msg": "schema loaded"},
    ),
    (
        observe.ResponseBrokenOff("5a-1", "read too slowly"),
        {"level": 40, "reqId": "5a-1", "msg": "response broken off: read too slowly"},
    ),
    (
        observe.PoliciesLoaded("policies.sql", "a1", 3),
        {"level": 30, "version": "a1", "roles": 3, "msg": "policies loaded from policies.sql"},
    ),
    (
        observe.PoliciesLoaded(None, "a1", 3, ("line 2: nothing grants it",)),
        {
            "level": 40,
            "version": "a1",
            "roles": 3,
            "warnings": ["line 2: nothing grants it"],
            "msg": "no policies: only service_role reads and writes",
        },
    ),
    (
        observe.PoliciesRefused("policies.sql", "line 3, column 4: no such table"),
        {"level": 50, "file": "policies.sql", "msg": "policies refused: line 3, column 4: no such table"},
    ),
    (
        observe.KeysLoaded("https://me:secret@id.example.org/jwks", 2),
        {
            "level": 30,
            "source": "https://[Redacted]@id.example.org/jwks",
            "keys": 2,
            "msg": "token keys loaded",
        },
    ),
    (
        observe.KeysRefused("keys.json", "not JSON"),
        {"level": 50, "source": "keys.json", "msg": "token keys refused: not JSON"},
    ),
    (
        observe.ServerStarted("0.1", "dev.db", True, "wal", "3.54.1", "http://127.0.0.1:4000"),
        {
            "level": 30,
            "version": "0.1",
            "file": "dev.db",
            "readOnly": True,
            "journalMode": "wal",
            "sqlite": "3.54.1",
            "msg": "serving dev.db at http://127.0.0.1:4000, read-only",
        },
    ),
    (observe.ServedFileReplaced("dev.db was replaced"), {"level": 50, "msg": "dev.db was replaced"}),
    (observe.ServerStopping("SIGTERM"), {"level": 30, "msg": "stopping: SIGTERM"}),
    (observe.ServerStopped(0.1), {"level": 30, "ms": 100.0, "msg": "stopped"}),
    (observe.Notice("hello"), {"level": 30, "msg": "hello"}),
    (observe.Notice("hello", warning=True), {"level": 40, "msg": "hello"}),
]


@pytest.mark.parametrize(("observation", "line"), OBSERVATIONS)
def test_every_observation_has_its_line(log_file: LogFile, observation: Observation, line: dict[str, Any]) -> None:
    log_file.log(observation)
    assert [without_place(written) for written in log_file.lines()] == [line]


def test_no_kind_of_observation_is_forgotten() -> None:
    shown = {type(observation) for observation, _ in OBSERVATIONS} | {observe.UnexpectedError}
    assert shown == set(get_args(observe.Observation)) - {RequestServed}
    assert line_of(SERVED) is None


def test_an_unexpected_error_is_written_with_its_stack_but_without_tokens(log_file: LogFile) -> None:
    try:
        raise ValueError("bad eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln")
    except ValueError as error:
        log_file.log(observe.UnexpectedError("5a-1", error))
    [line] = [json.loads(text) for text in log_file.text().splitlines()]
    assert (line["level"], line["reqId"], line["msg"]) == (50, "5a-1", "unexpected error")
    assert (line["err"]["type"], line["err"]["message"]) == ("ValueError", "bad [Redacted]")
    assert line["err"]["stack"].startswith("Traceback")
    assert "eyJ" not in line["err"]["stack"]


def test_a_reader_that_is_gone_does_not_disturb(log_file: LogFile) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    log = JsonLog(writer)
    log(SERVED._replace(status=500))
    log.flush()
    os.close(writer)
    log(SERVED._replace(status=500))
    assert JsonLog(writer)._block == LONGEST_LINE  # a descriptor that is closed already


def test_a_slow_reader_gets_whole_lines_later_and_is_told_what_was_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wherry.logs.sink._HELD_BYTES", 200_000)
    reader, writer = os.pipe()
    for descriptor in (reader, writer):
        os.set_blocking(descriptor, False)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 8192)
    log = JsonLog(writer)
    written = 2000
    for _ in range(written):
        log(SERVED)
    read = b""
    for _ in range(1000):
        log.flush()
        try:
            read += os.read(reader, 65536)
        except BlockingIOError:
            break
    lines = [json.loads(line) for line in read.splitlines()]
    dropped = [line["msg"] for line in lines if line["level"] == 40]
    arrived = sum(line["level"] == 30 for line in lines)
    assert 0 < arrived < written
    assert dropped == [f"{written - arrived} log lines were dropped: nobody read them fast enough"]
    os.close(reader)
    os.close(writer)


def test_a_pipe_gets_only_whole_lines_in_writes_that_do_not_mix() -> None:
    reader, writer = os.pipe()
    log = JsonLog(writer)
    for _ in range(100):
        log(SERVED)
    os.set_blocking(reader, False)
    log.flush()
    first = os.read(reader, LONGEST_LINE)
    assert len(first) <= LONGEST_LINE
    assert first.startswith(b'{"level"')
    os.close(reader)
    os.close(writer)


def test_a_half_written_line_is_continued(log_file: LogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr("os.write", lambda descriptor, text: write(descriptor, text[:50]))
    log_file.log(SERVED)
    log_file.log(SERVED)
    assert len(log_file.lines()) == 2


def test_callers_are_forgotten_before_they_fill_the_memory(log_file: LogFile) -> None:
    for number in range(1100):
        log_file.log(SERVED._replace(remote_address=f"10.0.{number // 256}.{number % 256}"))
    assert len(log_file.log._callers) == 1100 - 1024
    assert log_file.lines()[-1]["req"]["remoteAddress"] == "10.0.4.75"
