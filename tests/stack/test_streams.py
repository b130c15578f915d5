"""What goes on for long: WebSocket, Server-Sent Events, large exports, and clients that are slow to take them."""

import base64
import hashlib
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from stack import REST, Stack, Web, eventually

ECHO = Path(__file__).with_name("echo.py")
EXPORT_ROWS, ROW_BYTES = 100_000, 1000


@pytest.fixture(scope="module")
def echoing(stack: Stack) -> Iterator[Web]:
    """A web in front of an upstream that speaks WebSocket and Server-Sent Events."""
    name = f"{stack.project}-streams"
    stack.engine.docker(
        "run", "--detach", "--name", name, "--network", stack.network, "--volume", f"{ECHO}:/echo.py:ro",
        stack.variables["SERVER_IMAGE"], "python", "/echo.py",
    )  # fmt: skip
    try:
        with stack.another_web(API_UPSTREAM=f"{name}:4000") as web:
            eventually(lambda: httpx.get(f"{web.url}/api/", trust_env=False).is_success)
            yield web
    finally:
        stack.engine.docker("rm", "--force", "--volumes", name)


def test_a_websocket_is_opened_and_carries_messages_both_ways(echoing: Web) -> None:
    key = base64.b64encode(os.urandom(16))
    with socket.create_connection(("127.0.0.1", echoing.port), timeout=20) as connection:
        connection.sendall(
            b"GET /api/realtime/v1/websocket HTTP/1.1\r\nhost: x\r\nupgrade: WebSocket\r\nconnection: Upgrade\r\n"
            b"sec-websocket-key: %b\r\nsec-websocket-version: 13\r\n\r\n" % key
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(1)
        mask, text = b"\x01\x02\x03\x04", b"over and back"
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(text))
        connection.sendall(bytes([0x81, 0x80 | len(text)]) + mask + masked)
        answer = connection.recv(64)

    expected = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    assert head.startswith(b"HTTP/1.1 101 ")
    assert re.search(rb"(?i)sec-websocket-accept: (.*)\r\n", head).group(1) == expected  # type: ignore[union-attr]
    assert answer == bytes([0x81, len(text)]) + text


@pytest.mark.parametrize(
    ("path", "asks"),
    [
        ("/api/events", {"accept": "text/event-stream", "accept-encoding": "identity"}),
        ("/api/events", {"accept": "text/event-stream", "accept-encoding": "gzip, br"}),
        ("/api/unasked", {"accept": "*/*"}),
    ],
)
def test_an_event_arrives_when_it_is_sent_and_not_when_the_stream_ends(
    echoing: Web, path: str, asks: dict[str, str]
) -> None:
    """To who asks for a stream, and where the upstream says that its answer is one."""
    with (
        httpx.Client(base_url=echoing.url, timeout=20, trust_env=False) as client,
        client.stream("GET", path, headers=asks) as response,
    ):
        lines = response.iter_lines()
        first = next(lines)
        assert client.get("/api/more").is_success, "the stream is still open, and others are answered"
        rest = [line for line in lines if line]

    assert (first, rest) == ("data: first", ["data: second"])
    assert response.headers["content-type"] == "text/event-stream"


@pytest.fixture(scope="module")
def large(stack: Stack) -> int:
    """Make a table of 100 MB, and return its rows."""
    stack.sql(
        "CREATE TABLE large (id INTEGER PRIMARY KEY, text TEXT);"
        f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {EXPORT_ROWS})"
        f" INSERT INTO large SELECT i, hex(zeroblob({ROW_BYTES // 2})) FROM n"
    )
    return EXPORT_ROWS


def test_a_large_export_flows_through_and_fills_no_memory(stack: Stack, large: int) -> None:
    """The client stops in the middle: what was not taken stays with the server, and not in the web's memory or /tmp."""
    [web] = stack.containers("web")
    size = lines = 0
    with (
        stack.client() as client,
        client.stream(
            "GET", f"{REST}/large", headers={"accept": "text/csv", "accept-encoding": "identity"}
        ) as response,
    ):
        for piece in response.iter_raw(1 << 20):
            size += len(piece)
            lines += piece.count(b"\n")
            if size // (1 << 20) == 20:
                held = _memory(stack, web)
                files = stack.engine.docker("exec", web, "find", "/tmp", "-type", "f")

    assert (response.status_code, lines) == (200, large), "the last line has no end"
    assert size > EXPORT_ROWS * ROW_BYTES
    assert (held < 64 * 1024 * 1024, files) == (True, "")


def test_a_client_that_takes_nothing_more_is_cut_off(stack: Stack, large: int) -> None:
    """After 30 seconds; the server's own limit is later."""
    words = f"GET {REST}/large HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {stack.token()}\r\naccept: text/csv\r\n\r\n"
    [web] = stack.containers("web")
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", stack.port))
        connection.sendall(words.encode())
        connection.recv(1024)

        def broken_off() -> bool:
            return any(line.get("path") == f"{REST}/large" and line["seconds"] > 25 for line in stack.logs(web))

        eventually(broken_off, 50)


def _memory(stack: Stack, container: str) -> int:
    """Return the bytes that a container uses, its files in memory among them."""
    identity = stack.engine.inspect(container)["Id"]
    for path in (
        f"/sys/fs/cgroup/memory/docker/{identity}/memory.usage_in_bytes",
        f"/sys/fs/cgroup/docker/{identity}/memory.current",
    ):
        if Path(path).exists():
            return int(Path(path).read_text())
    used, unit = re.match(
        r"([\d.]+)(\w+)", stack.engine.docker("stats", "--no-stream", "--format", "{{.MemUsage}}", container)
    ).groups()  # type: ignore[union-attr]
    return int(float(used) * {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[unit])
