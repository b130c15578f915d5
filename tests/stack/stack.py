"""A stack that runs: the project's own compose files under a name of their own, seen from outside."""

import json
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from engine import ROOT, Engine, run

from wherry.auth.tokens import sign

REST = "/api/rest/v1"
#: What is asked about in each error of the API.
SHAPE = {"code", "message", "details", "hint"}


def eventually(holds: Callable[[], object], seconds: float = 30) -> None:
    """Return as soon as something holds, and fail where it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass
class Stack:
    """A compose project; `variables` are what its operator sets, in the place of a `.env`."""

    engine: Engine
    variables: dict[str, str]
    files: tuple[str, ...] = ("docker-compose.yml",)
    folder: Path = ROOT
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)
    project: str = field(default_factory=lambda: f"wherry-test-{secrets.token_hex(4)}")
    port: int = field(default_factory=free_port)

    def environment(self) -> dict[str, str]:
        """Return what its commands are given."""
        return {
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_FILE": ":".join(self.files),
            "COMPOSE": " ".join(self.engine.compose),
            "PATH": f"{Path(self.engine.client).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "WEB_PORT": str(self.port),
            **self.variables,
        }

    def compose(self, *words: str | Path, timeout: float = 800, **more: str) -> str:
        """Run a compose command."""
        environment = {**self.environment(), **more}
        return run(*self.engine.compose, *words, environment=environment, cwd=self.folder, timeout=timeout)

    def up(self, *words: str, replicas: int = 2, **more: str) -> float:
        """Start it and return the seconds until all of it was healthy."""
        started = time.monotonic()
        scale = ("--scale", f"server={replicas}")
        self.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", "90", *scale, *words, **more)
        return time.monotonic() - started

    def down(self, *words: str) -> None:
        """Stop it; with `--volumes` nothing is left of it."""
        self.compose("down", "--remove-orphans", "--timeout", "15", *words)

    def containers(self, service: str) -> list[str]:
        """Return the ids of the containers of a service that run."""
        return self.compose("ps", "--quiet", service).split()

    def addresses(self, service: str) -> set[str]:
        """Return their addresses in the stack's network."""
        return {self.address(container) for container in self.containers(service)}

    def address(self, container: str) -> str:
        """Return the address of a container in the stack's network."""
        networks = self.engine.inspect(container)["NetworkSettings"]["Networks"]
        return str(networks[self.network]["IPAddress"])

    @property
    def network(self) -> str:
        """The name of its network."""
        return f"{self.project}_wherry"

    def logs(self, container: str) -> list[dict[str, Any]]:
        """Return the lines of a container's standard output, all of which are JSON."""
        return [json.loads(line) for line in self.engine.docker("logs", container).splitlines()]

    def execute(self, code: str) -> str:
        """Run Python in one of the servers, and return what it prints."""
        [first, *_] = self.containers("server")
        return self.engine.docker("exec", first, "python", "-c", code).strip()

    def sql(self, statements: str, path: str = "/app/database/dev.db") -> list[list[Any]]:
        """Run SQL on the file itself, past the servers, and return the rows of the last statement."""
        code = (
            "import apsw, json; c = apsw.Connection({path!r}); c.set_busy_timeout(20000); "
            "print(json.dumps(c.execute({statements!r}).fetchall()))"
        )
        return list(json.loads(self.execute(code.format(path=path, statements=statements))))

    @property
    def url(self) -> str:
        """Where the web is published."""
        return f"http://127.0.0.1:{self.port}"

    def token(self, role: str = "service_role") -> str:
        """Return a token of a role."""
        return sign({"role": role}, self.secret)

    def client(self, url: str | None = None, role: str | None = "service_role") -> httpx.Client:
        """Return a client that is signed in."""
        headers = {"authorization": f"Bearer {self.token(role)}"} if role else {}
        return httpx.Client(base_url=url or self.url, headers=headers, timeout=60, trust_env=False)

    @contextmanager
    def another_web(self, *words: str, network: str | None = None, **variables: str) -> Iterator["Web"]:
        """Run another web container in the stack's network, with other variables, as compose would."""
        port = free_port()
        hardened = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
        folders = ("--tmpfs", "/run/nginx:uid=10002,gid=10002", "--tmpfs", "/tmp:uid=10002,gid=10002,size=16m")
        given = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
        container = self.engine.docker(
            "run", "--detach", *hardened, *folders, *given, "--network", network or self.network,
            "--publish", f"127.0.0.1:{port}:8080", *words, self.variables["WEB_IMAGE"],
        ).strip()  # fmt: skip
        try:
            web = Web(container, f"http://127.0.0.1:{port}", port)
            eventually(web.answers)
            yield web
        finally:
            self.engine.docker("rm", "--force", "--volumes", container)


@dataclass(frozen=True, slots=True)
class Web:
    """A web container beside the stack's own."""

    container: str
    url: str
    port: int

    def answers(self) -> bool:
        """Tell whether it serves."""
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).is_success
        except httpx.TransportError:
            return False


def ask(port: int, words: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes on a connection of their own; return status, headers and body of the answer, after which it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(words)
        head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return (
        int(first.split(" ")[1]),
        {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)},
        body,
    )


def is_problem(response: httpx.Response, status: int, code: str) -> bool:
    """Tell whether a response is an error as the API tells them."""
    body = response.json()
    kind = response.headers["content-type"]
    found = (response.status_code, kind, set(body), body["code"])
    return found == (status, "application/json; charset=utf-8", SHAPE, code) and bool(body["message"])
