"""Alive, ready, counted."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from wherry.errors import DatabaseBusy
from wherry.observe import RequestServed
from wherry.operations import PATHS, Operations

from .conftest import Answer, Client

pytestmark = pytest.mark.anyio


async def answers() -> None:
    """Be a database that answers."""


async def ask(
    path: str, method: str = "GET", *, ready: Callable[[], Awaitable[None]] = answers, patience: float = 2.0
) -> tuple[Answer, Client]:
    """Ask the operations of a server whose database is like `ready`."""
    client = Client(Operations(ready, lambda: b"wherry_workers 1\n", patience=patience))
    return await client.ask(method, path), client


async def test_healthz_says_ok_even_when_the_database_does_not_answer() -> None:
    async def busy() -> None:
        raise DatabaseBusy("The database is locked")

    answer, _ = await ask("/healthz", ready=busy)
    assert (answer.status, answer.body) == (200, b'{"status":"ok"}')


async def test_readyz_says_ok_when_the_database_answers() -> None:
    answer, _ = await ask("/readyz")
    assert (answer.status, answer.body) == (200, b'{"status":"ok"}')


async def test_readyz_names_what_fails() -> None:
    async def busy() -> None:
        raise DatabaseBusy("The database \ud800 is locked")

    answer, _ = await ask("/readyz", ready=busy)
    assert (answer.status, answer.header(b"retry-after")) == (503, b"1")
    assert json.loads(answer.body) == {"status": "unavailable", "failed": "The database ? is locked"}


async def test_readyz_does_not_wait_for_ever() -> None:
    async def hangs() -> None:
        await asyncio.Event().wait()

    answer, _ = await ask("/readyz", ready=hangs, patience=0.01)
    assert answer.status == 503
    assert json.loads(answer.body) == {
        "status": "unavailable",
        "failed": "the database did not answer within 0.01 seconds",
    }


async def test_metrics_are_prometheus_text() -> None:
    answer, client = await ask("/metrics")
    assert (answer.status, answer.body) == (200, b"wherry_workers 1\n")
    assert answer.header(b"content-type") == b"text/plain; version=0.0.4; charset=utf-8"
    [served] = client.observed
    assert isinstance(served, RequestServed)
    assert served.route == "/metrics"


@pytest.mark.parametrize("path", PATHS)
async def test_only_get_and_head_are_taken(path: str) -> None:
    answer, _ = await ask(path, "POST")
    assert (answer.status, answer.header(b"allow")) == (405, b"GET, HEAD")
    assert json.loads(answer.body) == {
        "code": "PGRST117",
        "message": f"{path} has no method POST",
        "details": None,
        "hint": "Use GET or HEAD.",
    }
    answer, _ = await ask(path, "HEAD")
    assert (answer.status, answer.body) == (200, b"")


def test_other_paths_are_left_to_other_rooms() -> None:
    operations = Operations(answers, bytes)
    assert operations.endpoint("/healthz") is operations
    assert operations.endpoint("/api/rest/v1/healthz") is None
