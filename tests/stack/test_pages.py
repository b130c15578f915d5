"""The export as browsers get it: compressed, cached, guarded, and nothing else beside it."""

import base64
import hashlib
import re
import socket
import zlib

import httpx
import pytest
from stack import Stack, eventually, is_problem

#: What every page is sent with, but for the hashes of its own scripts.
PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' HASHES; style-src 'self'; img-src 'self' data: blob:; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self' blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-content-type-options": "nosniff",
}
_SCRIPT = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)


@pytest.fixture
def page(stack: Stack) -> httpx.Response:
    """The first page, as it is without compression."""
    return httpx.get(f"{stack.url}/", headers={"accept-encoding": "identity"}, trust_env=False)


def raw(stack: Stack, path: str, encoding: str) -> tuple[httpx.Headers, bytes]:
    """Return the headers of an answer, and its body as it was sent."""
    with (
        stack.client(role=None) as client,
        client.stream("GET", path, headers={"accept-encoding": encoding}) as response,
    ):
        return response.headers, b"".join(response.iter_raw())


def asset(page: httpx.Response) -> str:
    """Return the path of a script of the page."""
    found = re.search(r'"(/_next/static/[^"]+\.js)"', page.text)
    assert found is not None
    return found[1]


def test_the_page_is_sent_compressed_as_the_browser_likes_it(stack: Stack, page: httpx.Response) -> None:
    for path in ("/", asset(page)):
        plain = raw(stack, path, "identity")
        gzip, brotli = raw(stack, path, "gzip"), raw(stack, path, "gzip, br")
        refused = raw(stack, path, "br;q=0, gzip")
        encodings = [headers.get("content-encoding") for headers, _ in (plain, gzip, brotli, refused)]
        assert encodings == [None, "gzip", "br", "gzip"]
        assert {headers["vary"] for headers, _ in (gzip, brotli)} == {"Accept-Encoding"}
        assert zlib.decompress(gzip[1], wbits=31) == plain[1]
        assert _unpacked(stack, brotli[1]) == plain[1]
        assert len(brotli[1]) < len(gzip[1]) < len(plain[1])


def _unpacked(stack: Stack, body: bytes) -> bytes:
    """Unpack brotli with Node.js, in the image that built it."""
    code = (
        "const packed = Buffer.from(process.argv[1], 'base64');"
        "process.stdout.write(require('zlib').brotliDecompressSync(packed).toString('base64'))"
    )
    words = ("run", "--rm", "--network", "none", "node:24-trixie-slim", "node", "-e", code)
    return base64.b64decode(stack.engine.docker(*words, base64.b64encode(body).decode()))


def test_hashed_files_are_kept_for_ever_and_pages_asked_for_again(stack: Stack, page: httpx.Response) -> None:
    with stack.client(role=None) as client:
        kept = client.get(asset(page))
        again = client.get("/", headers={"if-none-match": client.get("/").headers["etag"]})

    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert page.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


def test_a_hashed_file_that_is_not_there_is_not_kept(stack: Stack) -> None:
    with stack.client(role=None) as client:
        missing = client.get("/_next/static/nothing.js")

    assert is_problem(missing, 404, "PGRST125")
    assert missing.headers["cache-control"] == "no-store"


def test_every_page_has_its_guards_and_allows_its_own_scripts_alone(stack: Stack) -> None:
    [web] = stack.containers("web")
    found = stack.engine.docker("exec", web, "find", "/usr/share/nginx/html", "-name", "*.html").split()
    paths = [
        path.removeprefix("/usr/share/nginx/html").removesuffix("index.html").replace("404.html", "none")
        for path in found
    ]
    assert "/" in paths
    for path in paths:
        with stack.client(role=None) as client:
            response = client.get(path)
        digests = [hashlib.sha256(script.encode()).digest() for script in _SCRIPT.findall(response.text)]
        own = {f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests}
        policy = response.headers["content-security-policy"]
        allowed = set(re.findall(r"'sha256-[^']+'", policy))
        headers = {name: response.headers[name] for name in PAGE_HEADERS}
        headers["content-security-policy"] = re.sub(r"('sha256-[^']+' ?)+", "HASHES", policy)
        assert headers == PAGE_HEADERS, path
        assert own <= allowed, path
        assert "strict-transport-security" not in response.headers


def test_the_guards_of_what_is_no_page(stack: Stack) -> None:
    with stack.client(role=None) as client:
        for path, whose in (("/healthz", "same-origin"), ("/api/rest/v1/films?limit=1", "cross-origin")):
            headers = client.get(path).headers
            assert {name: headers.get(name) for name in PAGE_HEADERS} == {
                "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
                "cross-origin-opener-policy": None,
                "cross-origin-resource-policy": whose,
                "permissions-policy": None,
                "referrer-policy": "strict-origin-when-cross-origin",
                "x-content-type-options": "nosniff",
            }
            assert len(headers.get_list("x-content-type-options")) == 1


def test_a_page_that_is_not_there_is_the_pages_own_404(stack: Stack) -> None:
    with stack.client(role=None) as client:
        missing = client.get("/nothing/here/")

    assert (missing.status_code, missing.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert missing.headers["cache-control"] == "no-store"


def test_a_folder_without_its_slash_is_sent_to_where_it_is_whatever_the_port(stack: Stack) -> None:
    [web] = stack.containers("web")
    pages = stack.engine.docker("exec", web, "find", "/usr/share/nginx/html", "-name", "index.html").split()
    folder = sorted(path.removeprefix("/usr/share/nginx/html").removesuffix("/index.html") for path in pages)[1]
    with stack.client(role=None) as client:
        response = client.get(folder)

    assert (response.status_code, response.headers["location"]) == (301, f"{folder}/")


def test_the_health_is_the_webs_own(stack: Stack) -> None:
    with stack.client(role=None) as client:
        response = client.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "target",
    [
        "/metrics", "/readyz", "//metrics", "/./metrics", "/api/../metrics", "/api/%2e%2e/metrics", "/api/..%2fmetrics",
        "/api/../readyz", "/x/../metrics", "/metrics?/api/", "/.csp.json", "/.env", "/nginx.conf", "/apiary",
        "/api/.%2e/metrics", "/api//../metrics",
    ],
)  # fmt: skip
def test_nothing_but_pages_and_the_api_is_published(stack: Stack, target: str) -> None:
    with socket.create_connection(("127.0.0.1", stack.port), timeout=20) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"wherry_" not in answer


def test_nobody_learns_which_nginx_it_is(stack: Stack) -> None:
    with stack.client(role=None) as client:
        assert {client.get(path).headers["server"] for path in ("/", "/healthz", "/nothing")} == {"nginx"}


def test_files_are_only_read(stack: Stack) -> None:
    with stack.client(role=None) as client:
        assert is_problem(client.post("/", content=b"x"), 405, "PGRST117")


def test_the_web_serves_the_pages_before_there_is_a_server(stack: Stack) -> None:
    with stack.another_web(API_UPSTREAM="nobody:4000") as web, stack.client(web.url) as client:
        eventually(lambda: client.get("/").is_success)
        refused = client.get("/api/rest/v1/films")

    assert is_problem(refused, 502, "PGRST000")
    assert (refused.headers["retry-after"], refused.headers["cache-control"]) == ("2", "no-store")
