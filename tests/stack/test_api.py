"""The API as nginx publishes it: what passes, what is refused and how, and who is believed."""

import json
import socket
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from stack import REST, Stack, Web, ask, eventually, is_problem

ECHO = Path(__file__).with_name("echo.py")


@pytest.fixture(scope="module")
def echo(stack: Stack) -> Iterator[str]:
    """Return the name of an upstream in the stack's network that says what it was sent."""
    name = f"{stack.project}-echo"
    stack.engine.docker(
        "run", "--detach", "--name", name, "--network", stack.network, "--volume", f"{ECHO}:/echo.py:ro",
        stack.variables["SERVER_IMAGE"], "python", "/echo.py",
    )  # fmt: skip
    yield name
    stack.engine.docker("rm", "--force", "--volumes", name)


@pytest.fixture(scope="module")
def echoing(stack: Stack, echo: str) -> Iterator[Web]:
    """A web in front of it, which trusts nobody, as by default."""
    with stack.another_web(API_UPSTREAM=f"{echo}:4000", RATE_LIMIT="off") as web:
        eventually(lambda: httpx.get(f"{web.url}/api/", trust_env=False).is_success)
        yield web


@contextmanager
def trusting(stack: Stack, echo: str) -> Iterator[Web]:
    """A web that trusts whoever comes through the engine's own address, which here is everybody."""
    gateway = stack.engine.inspect(stack.network)["IPAM"]["Config"][0]["Gateway"]
    with stack.another_web(API_UPSTREAM=f"{echo}:4000", TRUSTED_PROXIES=f"192.0.2.0/24 {gateway}") as web:
        eventually(lambda: httpx.get(f"{web.url}/api/", trust_env=False).is_success)
        yield web


def get(stack: Stack, target: str) -> bytes:
    """Return the words of a request that is signed in, and ends its connection."""
    head = f"GET {target} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {stack.token()}\r\n"
    return f"{head}connection: close\r\n\r\n".encode()


def said(web: Web, **headers: str) -> tuple[httpx.Response, dict[str, str]]:
    """Return an answer, and the headers with which the upstream was asked."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = httpx.get(f"{web.url}/api/some%2Fthing?a=%20b", headers=named, trust_env=False)
    assert response.json()["target"] == "/api/some%2Fthing?a=%20b", "the target is passed as it came"
    return response, response.json()["headers"]


# What passes


def test_the_api_answers_as_the_server_does(stack: Stack) -> None:
    with stack.client() as client:
        films = client.get(f"{REST}/films", params={"select": "id,title", "order": "id", "limit": 2})
        ranged = client.get(f"{REST}/films?select=id&order=id", headers={"range": "2-3", "range-unit": "items"})
        error = client.get(f"{REST}/fims")
        head = client.head(f"{REST}/films", headers={"prefer": "count=exact"})

    assert [film["id"] for film in films.json()] == [1, 2]
    assert (ranged.status_code, ranged.json()) == (200, [{"id": 3}, {"id": 4}])
    assert (error.status_code, error.json()["code"], error.headers["proxy-status"]) == (
        404, "PGRST205", "PostgREST; error=PGRST205",
    )  # fmt: skip
    assert (head.status_code, head.content, head.headers["content-range"].partition("/")[0]) == (200, b"", "0-159")


def test_an_answer_that_has_not_changed_is_not_sent_again(stack: Stack) -> None:
    with stack.client() as client:
        first = client.get(f"{REST}/films?limit=5", headers={"accept-encoding": "gzip"})
        again = client.get(f"{REST}/films?limit=5", headers={"if-none-match": first.headers["etag"]})

    assert (first.headers["content-encoding"], again.status_code, again.content) == ("gzip", 304, b"")


def test_answers_of_the_api_are_compressed_here(stack: Stack) -> None:
    with stack.client() as client:
        plain = client.get(f"{REST}/films?limit=100", headers={"accept-encoding": "identity"})
        with client.stream("GET", f"{REST}/films?limit=100", headers={"accept-encoding": "gzip"}) as packed:
            body = b"".join(packed.iter_raw())
        with client.stream("GET", f"{REST}/films?limit=100", headers={"accept-encoding": "br, gzip"}) as smaller:
            brotli = b"".join(smaller.iter_raw())

    assert zlib.decompress(body, wbits=31) == plain.content
    assert (packed.headers["content-encoding"], smaller.headers["content-encoding"]) == ("gzip", "br")
    assert len(brotli) < len(plain.content) / 2


def test_pages_of_other_origins_may_ask_as_the_server_says(stack: Stack) -> None:
    with stack.client(role=None) as client:
        preflight = client.options(
            f"{REST}/films",
            headers={"origin": "https://app.example.org", "access-control-request-method": "GET"},
        )

    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, "*")


@pytest.mark.parametrize("kilobytes", [16, 50])
def test_filters_that_make_a_long_url_pass(stack: Stack, kilobytes: int) -> None:
    ids = ",".join(f"{number:05}" for number in range(kilobytes * 1024 // 6))
    status, _, body = ask(stack.port, get(stack, f"{REST}/films?select=id&order=id&limit=1&id=in.({ids})"))

    assert (status, json.loads(body)) == (200, [{"id": 1}])


def test_a_token_of_many_claims_passes(stack: Stack) -> None:
    with stack.client() as client:
        response = client.get(f"{REST}/films?limit=1", headers={"x-large": "x" * 40_000})

    assert response.status_code == 200


# What is refused, in the API's shape


@pytest.mark.parametrize(("size", "status"), [(10485760, 400), (10485761, 413)])
def test_a_body_is_limited_where_the_server_limits_it(stack: Stack, size: int, status: int) -> None:
    """At the limit the server reads it, and finds that it is no JSON; beyond, nobody reads it."""
    codes = []
    for target in (f"{stack.url}{REST}/marks", None):
        if target is not None:
            with stack.client() as client:
                response = client.post(target, content=b"x" * size)
            codes.append((response.status_code, response.json()["code"]))
        else:
            code = (
                "import http.client as h; c = h.HTTPConnection('127.0.0.1', 4000);"
                f"c.request('POST', '{REST}/marks', b'x' * {size}, {{'authorization': 'Bearer {stack.token()}'}});"
                "import json; r = c.getresponse(); print(json.dumps([r.status, json.load(r)['code']]))"
            )
            codes.append(tuple(json.loads(stack.execute(code))))
    assert codes == [(status, "PGRST102")] * 2


def test_a_body_without_a_length_is_limited_as_well(stack: Stack) -> None:
    with stack.client() as client:
        response = client.post(f"{REST}/marks", content=(b"x" * 65536 for _ in range(200)))

    assert (response.status_code, response.json()["code"]) == (413, "PGRST102")


def test_the_limit_is_one_setting_of_both(stack: Stack) -> None:
    with stack.another_web(WHERRY_MAX_BODY="1000") as web, stack.client(web.url) as client:
        refused = client.post(f"{REST}/marks", content=b"x" * 1001)

    assert is_problem(refused, 413, "PGRST102")
    assert refused.json()["message"] == "The body is larger than 1000 bytes"


@pytest.mark.parametrize("kilobytes", [61, 70, 200])
def test_a_url_that_is_too_long_is_refused(stack: Stack, kilobytes: int) -> None:
    """Up to 64 kB the server refuses it, beyond nginx."""
    status, headers, body = ask(stack.port, get(stack, f"{REST}/films?id=eq.{'1' * kilobytes * 1024}"))

    assert is_problem(httpx.Response(status, headers=headers, content=body), 414, "PGRST100")


def test_header_fields_that_are_too_large_are_refused(stack: Stack) -> None:
    with stack.client() as client:
        refused = client.get(f"{REST}/films", headers={"x-large": "x" * 70_000})

    assert is_problem(refused, 431, "PGRST100")


@pytest.mark.parametrize("words", [b"nonsense\r\n\r\n", b"GET /api/ HTTP/1.1\r\n\r\n"])
def test_what_is_no_request_is_refused(stack: Stack, words: bytes) -> None:
    status, headers, body = ask(stack.port, words)

    assert is_problem(httpx.Response(status, headers=headers, content=body), 400, "PGRST100")


def test_who_asks_too_often_is_told_to_come_back(stack: Stack) -> None:
    with stack.another_web(RATE_LIMIT="1r/s", RATE_BURST="2") as web, stack.client(web.url) as client:
        answers = [client.get(f"{REST}/films?limit=1") for _ in range(5)]
        page = client.get("/")

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert is_problem(answers[-1], 429, "PGRST000")
    assert answers[-1].headers["retry-after"] == "1"
    assert page.is_success, "pages are not counted"


def test_who_has_too_many_requests_open_is_told_to_come_back(stack: Stack, echo: str) -> None:
    with stack.another_web(API_UPSTREAM=f"{echo}:4000", CONNECTION_LIMIT="2") as web:
        open_streams = []
        for _ in range(2):
            connection = socket.create_connection(("127.0.0.1", web.port), timeout=20)
            connection.sendall(b"GET /api/events HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
            open_streams.append(connection)
        refused = httpx.get(f"{web.url}/api/", trust_env=False)
        for connection in open_streams:
            connection.close()
        eventually(lambda: httpx.get(f"{web.url}/api/", trust_env=False).status_code == 200)

    assert is_problem(refused, 429, "PGRST000")


def test_a_server_that_takes_no_connection_is_given_up_soon(stack: Stack, echo: str) -> None:
    with stack.another_web(API_UPSTREAM=f"{echo}:4001") as web, stack.client(web.url) as client:
        refused = client.get("/api/")

    assert is_problem(refused, 504, "PGRST003")
    assert refused.headers["retry-after"] == "5"
    assert refused.elapsed.total_seconds() < 3


def test_an_error_of_the_servers_own_passes_as_it_is(echoing: Web) -> None:
    response = httpx.get(f"{echoing.url}/api/busy", trust_env=False)

    assert (response.status_code, response.json()["message"]) == (503, "its own")


def test_a_slow_client_is_cut_off(stack: Stack) -> None:
    """A head that comes letter by letter is waited for no longer than 10 seconds; others are served meanwhile."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=30) as slow:
        slow.sendall(b"GET /api/ HTTP/1.1\r\nhost: x\r\n")
        slow.settimeout(1)
        letters = 0
        while letters < 20:
            try:
                slow.sendall(b"x")
                letters += 1
                if slow.recv(1024) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        with stack.client() as client:
            assert client.get(f"{REST}/films?limit=1").is_success

    assert 8 <= letters <= 13


# Who is believed


def test_nobody_is_believed_who_says_that_another_asks(echoing: Web, stack: Stack) -> None:
    spoofed = {
        "X_Forwarded_For": "203.0.113.9", "X_Real_IP": "203.0.113.9", "X_Forwarded_Proto": "https",
        "X_Forwarded_Host": "evil.example", "Forwarded": "for=203.0.113.9", "X_Request_Id": "mine",
    }  # fmt: skip
    response, headers = said(echoing, **spoofed)

    assert headers["x-forwarded-for"] == headers["x-real-ip"] != "203.0.113.9"
    assert (headers["x-forwarded-proto"], headers["x-forwarded-host"]) == ("http", f"127.0.0.1:{echoing.port}")
    assert (headers["host"], "forwarded" in headers) == (f"127.0.0.1:{echoing.port}", False)
    assert "strict-transport-security" not in response.headers
    assert response.headers["x-request-id"] == headers["x-request-id"] != "mine"
    [line] = [line for line in stack.logs(echoing.container) if line.get("clientRequestId") == "mine"]
    assert line["requestId"] == headers["x-request-id"]
    assert line["remoteAddress"] == headers["x-forwarded-for"]


def test_a_trusted_proxy_is_believed(stack: Stack, echo: str) -> None:
    with trusting(stack, echo) as web:
        response, headers = said(
            web, X_Forwarded_For="198.51.100.1, 203.0.113.9, 192.0.2.7", X_Forwarded_Proto="https",
            X_Forwarded_Host="app.example.org", X_Request_Id="theirs-1",
        )  # fmt: skip
        _, odd = said(web, X_Request_Id='"; drop', X_Forwarded_Proto="gopher")

    assert headers["x-forwarded-for"] == "203.0.113.9", "the last that is no trusted proxy"
    assert (headers["x-forwarded-proto"], headers["x-forwarded-host"]) == ("https", "app.example.org")
    assert response.headers["strict-transport-security"] == "max-age=31536000"
    assert response.headers["x-request-id"] == headers["x-request-id"] == "theirs-1"
    assert (len(odd["x-request-id"]), odd["x-forwarded-proto"]) == (32, "http")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TRUSTED_PROXIES", "10.0.0.0/8; include /etc/passwd"), ("RATE_LIMIT", "fast"), ("API_UPSTREAM", "server"),
        ("WHERRY_MAX_BODY", "10m"), ("CONNECTION_LIMIT", "0"), ("TLS_CERT_FILE", "/run/none.crt"),
        ("WEB_WORKERS", "auto"),
        ("RATE_BURST", "1\n}"),
    ],
)  # fmt: skip
def test_a_variable_that_cannot_be_used_ends_the_start_with_a_sentence(stack: Stack, variable: str, value: str) -> None:
    words = ("--rm", "--tmpfs", "/run/nginx:uid=10002", "--env", f"{variable}={value}", stack.variables["WEB_IMAGE"])
    with pytest.raises(AssertionError) as caught:
        stack.engine.docker("run", *words)

    assert str(caught.value).splitlines()[-1].startswith("wherry-web: ") or "wherry-web: " in str(caught.value)
    assert variable in str(caught.value).partition("wherry-web: ")[2]


def test_many_at_once_are_served(stack: Stack) -> None:
    def ask(number: int) -> Any:
        with stack.client() as client:
            return client.get(f"{REST}/films?select=id&id=eq.{number + 1}").json()

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(64))) == [[{"id": number + 1}] for number in range(64)]
