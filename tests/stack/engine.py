"""The Docker engine and its two command lines: which ones of this machine can do what the tests need."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


class Failed(AssertionError):
    """A command of the engine ended with another exit code than 0; its message is what it printed."""


def run(
    *words: str | Path, environment: Mapping[str, str] | None = None, cwd: Path = ROOT, timeout: float = 800
) -> str:
    """Run a command and return what it prints on standard output. Raises Failed."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers; `client` is a docker that can build, `compose` the words that call Compose."""

    client: str
    compose: tuple[str, ...]

    def docker(self, *words: str | Path, timeout: float = 800) -> str:
        """Run docker, with BuildKit."""
        return run(self.client, *words, environment={"DOCKER_BUILDKIT": "1"}, timeout=timeout)

    def inspect(self, name: str) -> dict[str, Any]:
        """Return what the engine knows of a container or an image."""
        [found] = json.loads(self.docker("inspect", name))
        return dict(found)


def find_engine() -> Engine | str:
    """Return the engine, or why there is none to be used."""
    clients = [found for found in (shutil.which("docker"), "/usr/bin/docker") if found and Path(found).exists()]
    if not clients:
        return "there is no Docker here: make system-deps installs it on Debian"
    answering = [client for client in clients if _succeeds(client, "version")]
    if not answering:
        return "no Docker engine answers: start dockerd, or let this user reach its socket"
    building = [client for client in answering if _builds(client)]
    if not building:
        return "this docker cannot build: install its buildx plugin, or make system-deps"
    compose = _compose(building[0])
    return "there is no docker compose: make setup installs it" if compose is None else Engine(building[0], compose)


def give(path: Path, user: int) -> None:
    """Give a file to a user of the containers, which takes a superuser, or one who may become that by sudo."""
    if os.geteuid() == 0:
        os.chown(path, user, user)
        return
    try:
        run("sudo", "--non-interactive", "chown", f"{user}:{user}", path)
    except (Failed, OSError):
        pytest.skip("only the superuser gives files to others: run this as root, or with sudo that asks for nothing")


def _builds(client: str) -> bool:
    """Tell whether it has BuildKit: up to version 22 by itself, from then on by its plugin."""
    version = run(client, "version", "--format", "{{.Client.Version}}")
    return int(version.split(".")[0]) < 23 or _succeeds(client, "buildx", "version")


def _compose(client: str) -> tuple[str, ...] | None:
    beside = Path(sys.executable).with_name("docker-compose")
    if beside.exists():
        return (str(beside),)
    if _succeeds(client, "compose", "version"):
        return (client, "compose")
    found = shutil.which("docker-compose")
    return (found,) if found else None


def _succeeds(*words: str) -> bool:
    try:
        run(*words, timeout=30)
    except (Failed, OSError, subprocess.TimeoutExpired):
        return False
    return True
