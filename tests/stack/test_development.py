"""A fresh checkout: what README's command gives, and what the development overrides do."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import build
from engine import ROOT, Engine, give
from stack import REST, Stack, eventually, free_port


@pytest.fixture
def checkout(contexts: Path, tmp_path: Path) -> Path:
    """Return a folder with what a clone has, as far as Compose looks at it."""
    for name in ("server", "client"):
        shutil.copytree(contexts / name, tmp_path / name, ignore=shutil.ignore_patterns("tests", ".env*", "secret.txt"))
    for path in (*ROOT.glob("docker-compose*.yml"), ROOT / ".env.example"):
        shutil.copy(path, tmp_path)
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    tmp_path.chmod(0o755)
    return tmp_path


def test_the_copied_example_serves_the_client_and_the_api(
    make_stack: Any, checkout: Path, measured: dict[str, Any]
) -> None:
    """What `cp .env.example .env && docker compose up --build --wait` does, with images that are built already."""
    stack: Stack = make_stack(folder=checkout, variables={"JWT_SECRET": ""})
    seconds = stack.up(replicas=1)
    measured["from up to healthy, one replica, a fresh volume, seconds"] = round(seconds, 1)
    [server] = stack.containers("server")
    said = stack.engine.docker("exec", server, "wherry", "keys")
    key = dict(line.split(": ") for line in said.splitlines())["service_role"]
    page = httpx.get(f"{stack.url}/", trust_env=False)
    tables = httpx.get(f"{stack.url}{REST}/", headers={"apikey": key}, trust_env=False)

    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (tables.status_code, tables.json()["swagger"]) == (200, "2.0")
    assert seconds < 30
    stack.down("--volumes")


@contextmanager
def watching(stack: Stack) -> Iterator[None]:
    """Let Compose watch the sources of the server."""
    words = [*stack.engine.compose, "watch", "--no-up", "server"]
    environment = {**os.environ, **stack.environment()}
    with subprocess.Popen(
        words, cwd=stack.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as watch:
        try:
            assert watch.stdout is not None
            assert any(b"Watch enabled" in line for line in watch.stdout)
            yield
        finally:
            watch.send_signal(signal.SIGINT)
            watch.communicate(timeout=20)


def change(path: Path, before: str, after: str) -> None:
    """Change a source."""
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_a_change_of_a_source_is_seen_by_both_sides(make_stack: Any, engine: Engine, checkout: Path) -> None:
    client_port, server_port = free_port(), free_port()
    image = "wherry-client:test"
    build(engine, checkout / "client", image, "--target", "deps")
    (checkout / "docker-compose.override.example.yml").rename(checkout / "docker-compose.override.yml")
    stack: Stack = make_stack(
        folder=checkout,
        files=("docker-compose.yml", "docker-compose.override.yml"),
        variables={
            "JWT_SECRET": "", "CLIENT_IMAGE": image, "CLIENT_PORT": str(client_port), "SERVER_PORT": str(server_port),
        },
    )  # fmt: skip
    stack.compose("run", "--rm", "--no-deps", "server", "wherry", "demo", "/app/database/dev.db")
    stack.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", "60", "server", "client")
    layout = checkout / "client" / "app" / "layout.tsx"
    described = re.search(r'description: "([^"]+)"', layout.read_text(encoding="utf-8"))
    assert described is not None

    def page() -> str:
        try:
            return httpx.get(f"http://127.0.0.1:{client_port}/", timeout=60, trust_env=False).text
        except httpx.TransportError:
            return ""

    def served() -> set[str]:
        lines = [line for server in stack.containers("server") for line in stack.logs(server)]
        return {line["version"] for line in lines if line["msg"].startswith("serving ")}

    eventually(lambda: f'content="{described[1]}"' in page(), 90)
    change(layout, f'"{described[1]}"', '"Changed while it runs"')
    eventually(lambda: 'content="Changed while it runs"' in page(), 60)
    proxied = httpx.get(f"http://127.0.0.1:{client_port}{REST}/films?limit=1", trust_env=False)
    assert (proxied.status_code, len(proxied.json())) == (200, 1), "its /api is the server's"

    with watching(stack):
        source = checkout / "server" / "wherry" / "__init__.py"
        [version] = served()
        change(source, f'"{version}"', '"9.9.9"')
        eventually(lambda: served() == {version, "9.9.9"}, 60)
    stack.down("--volumes")
    engine.docker("rmi", "--force", image)


def test_the_client_builder_leaves_the_export_to_whom_the_folder_belongs(
    make_stack: Any, engine: Engine, checkout: Path
) -> None:
    image = "wherry-client-builder:test"
    build(engine, checkout / "client", image, "--target", "builder")
    dist = checkout / "dist"
    dist.mkdir()
    give(dist, 12345)
    stack: Stack = make_stack(folder=checkout, variables={"BUILDER_IMAGE": image})
    stack.compose("run", "--rm", "client-builder")
    engine.docker("rmi", "--force", image)

    assert {"index.html", "index.html.br", "index.html.gz", "csp-map.conf"} <= {path.name for path in dist.iterdir()}
    assert {path.stat().st_uid for path in dist.rglob("*")} == {12345}
