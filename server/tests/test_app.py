"""The application's life around its requests."""

from pathlib import Path

import pytest

from wherry.app import Wherry
from wherry.asgi import Message
from wherry.config import Settings


class Broken(Wherry):
    """An application that cannot start for a reason that nobody thought of."""

    async def start(self) -> None:
        raise RuntimeError("the moon is in the wrong phase")


@pytest.mark.anyio
async def test_a_start_that_fails_unexpectedly_is_no_start(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {"DATABASE_URL": str(tmp_path / "app.db"), "JWT_SECRET": "a secret of thirty-two bytes or more"}
    )
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    await Broken(settings)({"type": "lifespan"}, receive, send)
    assert sent == [
        {
            "type": "lifespan.startup.failed",
            "message": "The start failed unexpectedly: RuntimeError: the moon is in the wrong phase",
        }
    ]


@pytest.mark.anyio
async def test_a_request_before_the_start_is_told_to_come_again(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {"DATABASE_URL": str(tmp_path / "app.db"), "JWT_SECRET": "a secret of thirty-two bytes or more"}
    )
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    request = {"type": "http", "method": "GET", "path": "/api/rest/v1/films", "query_string": b"", "headers": []}
    await Wherry(settings)(request, receive, send)

    assert sent[0]["status"] == 503
    assert (b"retry-after", b"1") in sent[0]["headers"]
