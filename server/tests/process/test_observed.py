"""What whoever runs the server sees: a line for each request, metrics of all workers, and no secret in either."""

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.process.conftest import SECRET, Serve, eventually
from tests.process.served import BASE, Served, make, token
from wherry.auth.keys import api_keys

SCHEMA = "CREATE TABLE films (id INTEGER PRIMARY KEY, title TEXT, token TEXT); INSERT INTO films VALUES (1, 'M', 't')"
PRODUCTION = {"WHERRY_ENV": "production", "HOST": "127.0.0.1"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database of one film."""
    return make(tmp_path / "app.db", SCHEMA)


def requests_of(served: Served) -> list[dict[str, object]]:
    return [line for line in served.lines() if "req" in line]


def test_each_request_has_one_line_by_its_id_and_no_line_tells_a_secret(serve: Serve, file: Path) -> None:
    served = serve(file, workers=2, **PRODUCTION)
    secrets = {token(), token("anon", sub="ada"), *api_keys(SECRET).values(), SECRET, "hunter2"}
    expected: dict[str, tuple[str, int]] = {}

    def ask(api: httpx.Client, name: str, status: int, method: str, target: str, **options: object) -> None:
        answer = api.request(method, target, headers={"x-request-id": name}, **options)  # type: ignore[arg-type]
        assert (answer.status_code, answer.headers["x-request-id"]) == (status, name)
        expected[name] = (method, status)

    with served.client() as api, served.client("anon", sub="ada") as anonymous:
        for number in range(30):
            ask(api, f"read-{number}", 200, "GET", f"films?id=eq.{number}")
            ask(anonymous, f"refused-{number}", 401, "GET", "films")
        ask(api, "write", 201, "POST", "films", json={"title": "hunter2"})
        ask(api, "missing", 404, "GET", "hunter")
        ask(api, "bad", 400, "GET", "films?id=foo.hunter")
        ask(api, "head", 200, "HEAD", "films")
        ask(api, "query-key", 200, "GET", f"films?token=eq.{token()}")
        ask(api, "value", 200, "GET", f"films?title=eq.{token()}")
        ask(api, "path", 404, "GET", token())
        api.headers["apikey"] = api_keys(SECRET)["service_role"]
        ask(api, "apikey", 200, "GET", "films")
        api.headers["authorization"] = f"Bearer {token()}x"
        ask(api, "forged", 401, "GET", "films")
        made = api.get("films").headers["x-request-id"]
        odd = {b"x-request-id": b'a"b', b"user-agent": b'x"\\\xe9\xff'}
        evil = api.get("films", headers=odd).headers["x-request-id"]  # type: ignore[arg-type]
        assert re.fullmatch(r"[0-9a-f]+-[0-9a-f]+", made)
        assert re.fullmatch(r"[0-9a-f]+-[0-9a-f]+", evil)
        expected |= {made: ("GET", 401), evil: ("GET", 401)}
    assert served.end() == 0

    lines = requests_of(served)
    seen = {line["reqId"]: (line["req"]["method"], line["res"]["statusCode"]) for line in lines}  # type: ignore[index]
    assert (len(lines), seen) == (len(expected), expected)
    assert {line["level"] for line in lines} == {30}
    assert {line["pid"] for line in lines} <= set(served.workers)
    assert served.errors.read_bytes() == b""
    said = served.log.read_text()
    assert [secret for secret in secrets if secret in said or secret.split(".")[-1] in said] == []


def test_what_is_no_request_has_a_line_and_is_counted(serve: Serve, file: Path) -> None:
    served = serve(file)
    raw(served, b"GET /api/rest/v1/films?a=b HTTP/3.0\r\n\r\n")
    raw(served, b"GET /%b HTTP/1.1\r\nhost: h\r\n\r\n" % (b"a" * 62_000))
    counted = dict(samples(served))
    for status in (400, 414):
        assert counted[f'wherry_http_requests_total{{method="other",route="refused",status="{status}"}}'] == 1
    assert served.end() == 0
    wrong, long = requests_of(served)
    assert (wrong["req"], wrong["res"]) == (
        {"method": "?", "url": "/api/rest/v1/films?a=b", "remoteAddress": "127.0.0.1"},
        {"statusCode": 400, "bytes": 134},
    )
    assert (long["res"]["statusCode"], len(long["req"]["url"])) == (414, 2048)  # type: ignore[index]


def raw(served: Served, words: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(words)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_metrics_count_what_all_workers_answered(serve: Serve, file: Path) -> None:
    served = serve(file, workers=2)

    def ask(number: int) -> int:
        with served.client() as api:
            return api.get(f"films?id=eq.{number}").status_code

    def write(number: int) -> int:
        with served.client() as api:
            return api.post("films", json={"title": "Playtime"}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(30))) == [200] * 30
        assert list(pool.map(write, range(10))) == [201] * 10

    def sample(line: str) -> float:
        # absent until the worker that is asked has heard of one
        return sum(value for name, value in samples(served) if name == line)

    reads = f'wherry_http_requests_total{{method="GET",route="{BASE}/films",status="200"}}'
    writes = f'wherry_http_requests_total{{method="POST",route="{BASE}/films",status="201"}}'
    # A worker shows the others about five times a second what it has counted.
    eventually(lambda: (sample(reads), sample(writes), sample("wherry_workers")) == (30, 10, 2))
    eventually(lambda: served.metric("wherry_transaction_jobs_sum") == 10)
    eventually(lambda: len({line["pid"] for line in requests_of(served)}) == 2)
    for _ in range(20):
        assert sample(reads) == 30


def samples(served: Served) -> Iterator[tuple[str, float]]:
    text = httpx.get(f"{served.url}/metrics", timeout=30).text
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            yield name, float(value)


def test_health_and_readiness_answer_without_a_key(serve: Serve, file: Path) -> None:
    served = serve(file)
    for path in ("/healthz", "/readyz"):
        answer = httpx.get(f"{served.url}{path}", timeout=30)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert requests_of(served) == []
    assert served.end() == 0


def test_the_log_believes_a_proxy_that_is_trusted_and_nobody_else(serve: Serve, file: Path) -> None:
    spoofed = {"x-forwarded-for": "198.51.100.7, 203.0.113.9", "x-real-ip": "198.51.100.7", "x-request-id": "a" * 32}
    logged = []
    for trusted in ("", "10.0.0.0/8", "10.0.0.0/8 127.0.0.0/8"):
        served = serve(file, TRUSTED_PROXIES=trusted)
        with served.client() as api:
            assert api.get("films", headers=spoofed).headers["x-request-id"] == "a" * 32
        assert served.end() == 0
        logged += [line["req"] for line in requests_of(served) if line["reqId"] == "a" * 32]
    addresses = [request["remoteAddress"] for request in logged if isinstance(request, dict)]
    assert addresses == ["127.0.0.1", "127.0.0.1", "203.0.113.9"]
