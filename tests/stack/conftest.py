"""What the tests of the containers share: the engine, the images, and one stack with two replicas."""

import json
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from engine import ROOT, Engine, find_engine, run
from stack import Stack

RESULTS = Path(__file__).with_name("results.json")
ENGINE = find_engine()
#: Stands in every place of the build contexts from which nothing may get into an image.
CANARY = f"canary-{secrets.token_hex(16)}"
_measured: dict[str, Any] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip all that needs an engine, loudly, where there is none."""
    if isinstance(ENGINE, str):
        for item in items:
            if "engine" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason=ENGINE))


def pytest_configure() -> None:
    """End as on Ctrl-C where the run is told to end, so that the fixtures clean up."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured, and leave it in a file."""
    if _measured:
        terminalreporter.section("measured")
        for name, value in _measured.items():
            terminalreporter.line(f"{name}: {value}")
        RESULTS.write_text(json.dumps(_measured, indent=2) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def measured() -> dict[str, Any]:
    """What is measured by the way: printed at the end, and asserted roughly at the most."""
    return _measured


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine."""
    assert isinstance(ENGINE, Engine)
    return ENGINE


@pytest.fixture(scope="session")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with copies of `server` and `client`, and a canary where no file may get into an image from."""
    folder = tmp_path_factory.mktemp("contexts")
    ignored = shutil.ignore_patterns("node_modules", ".next", "out", "__pycache__", "export", ".venv")
    for name in ("server", "client"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for place in ("server/.env", "server/wherry/.env", "server/secret.txt", "client/.env", "client/.env.local"):
        (folder / place).write_text(f"NEXT_PUBLIC_CANARY={CANARY}\nJWT_SECRET={CANARY}\n")
    return folder


@pytest.fixture(scope="session")
def images(engine: Engine, contexts: Path, measured: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Build the images from the contexts, and return their tags by the variables that name them."""
    run(ROOT / "tests/stack/standins/make", environment={"DOCKER": engine.client, "PYTHON": sys.executable})
    tag = secrets.token_hex(4)
    tags = {"SERVER_IMAGE": f"wherry-server:test-{tag}", "WEB_IMAGE": f"wherry-web:test-{tag}"}
    for variable, name in (("SERVER_IMAGE", "server"), ("WEB_IMAGE", "client")):
        started = time.monotonic()
        build(engine, contexts / name, tags[variable])
        measured[f"build of {name}, seconds (with what the cache had)"] = round(time.monotonic() - started, 1)
    yield tags
    for image in tags.values():
        engine.docker("rmi", "--force", image)


def build(engine: Engine, context: Path, tag: str, *words: str) -> None:
    """Build an image; the network is the machine's, from which packages can be reached wherever they can be at all."""
    engine.docker("build", "--quiet", "--network", "host", "--tag", tag, *words, context)


@pytest.fixture(scope="session")
def make_stack(engine: Engine, images: dict[str, str]) -> Iterator["MakeStack"]:
    """Make stacks; whatever is left of them in the end is removed, also where the run is interrupted."""
    made: list[Stack] = []

    def make(**settings: Any) -> Stack:
        variables = {**images, "RATE_LIMIT": "off", **settings.pop("variables", {})}
        made.append(Stack(engine, variables, **settings))
        return made[-1]

    try:
        yield MakeStack(make)
    finally:
        for stack in made:
            stack.variables["WHERRY_ENV"] = "development"  # so that down is not refused
            for _ in range(2):
                try:
                    stack.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "2")
                    break
                except KeyboardInterrupt:
                    continue


class MakeStack:
    """Makes a stack that is not started yet."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, **settings: Any) -> Stack:
        """Return it; `variables` and the fields of Stack can be given."""
        stack = self._make(**settings)
        stack.variables.setdefault("JWT_SECRET", stack.secret)
        return stack


@pytest.fixture(scope="session")
def stack(make_stack: MakeStack, measured: dict[str, Any]) -> Stack:
    """The stack that most tests look at: in production, two replicas, the demonstration, and a table to write into."""
    stack = make_stack()
    stack.compose("run", "--rm", "--no-deps", "server", "wherry", "demo", "/app/database/dev.db")
    seconds = stack.up()
    measured["from up to healthy, two replicas, seconds"] = round(seconds, 1)
    stack.sql("CREATE TABLE marks (id INTEGER PRIMARY KEY, text TEXT)")
    return stack


@pytest.fixture(autouse=True)
def _two_replicas(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give the next test two replicas again, whatever this one did to them."""
    yield
    if "stack" in request.fixturenames:
        stack: Stack = request.getfixturevalue("stack")
        if len(stack.containers("server")) != 2 or len(stack.containers("web")) != 1:
            stack.up()
