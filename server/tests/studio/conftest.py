"""An export as the web client's build leaves it, and a client of the site that serves it."""

import gzip
import json
from pathlib import Path

import pytest

from tests.observability.conftest import Client
from wherry.asgi import Receive, Scope, Send
from wherry.studio import Site, read_export

HASH = "sha256-" + "A" * 43 + "="
SCRIPT = b"console.log('hello');" * 60


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """The folder of an export: two pages, one that says 404, a script with its compressed copies, and an image."""
    return make_export(tmp_path / "out")


def make_export(folder: Path) -> Path:
    """Make an export in a folder."""
    for path, body in {
        "index.html": b"<title>Tables</title>",
        "sign-in/index.html": b"<title>Sign in</title>",
        "404.html": b"<title>Not here</title>",
        "favicon.ico": b"\0\0\1\0",
        "_next/static/chunks/app.js": SCRIPT,
        "_next/static/chunks/app.js.br": b"brotli of the script",
        "_next/static/chunks/app.js.gz": gzip.compress(SCRIPT, mtime=0),
        ".csp.json": json.dumps({"/index.html": [HASH, HASH.replace("A", "B")], "/404.html": []}).encode(),
        ".env": b"SECRET=hunter2",
        ".git/config": b"[core]",
    }.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    return folder


@pytest.fixture
def client(export: Path) -> Client:
    """A client of the export's site."""
    return client_of(export)


def client_of(folder: Path) -> Client:
    """Return a client of the site of a folder, as it is now."""
    site = Site(read_export(folder))

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = site.endpoint(scope["path"], scope["method"])
        assert endpoint is not None
        await endpoint(scope, receive, send)

    return Client(application)
