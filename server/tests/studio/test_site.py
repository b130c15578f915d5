"""What is answered for each path of an export, by its headers and bytes."""

import gzip
import json
from hashlib import sha256
from pathlib import Path

import pytest

from tests.observability.conftest import Answer, Client
from tests.studio.conftest import HASH, SCRIPT, client_of
from wherry.observe import RequestServed
from wherry.studio import Site, read_export

pytestmark = pytest.mark.anyio

GUARDS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"strict-origin-when-cross-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
}
APP = "/_next/static/chunks/app.js"


def policy(*hashes: str) -> bytes:
    scripts = "".join(f" '{written}'" for written in hashes)
    return (
        f"default-src 'self'; script-src 'self'{scripts}; style-src 'self'; "
        "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ).encode()


def tag(body: bytes) -> bytes:
    return b'"%b"' % sha256(body).hexdigest()[:32].encode()


def without_id(answer: Answer) -> dict[bytes, bytes]:
    assert len(dict(answer.headers)) == len(answer.headers)
    return {name: value for name, value in answer.headers if name != b"x-request-id"}


async def test_a_page_is_asked_for_again_each_time_and_runs_its_own_inline_scripts_alone(client: Client) -> None:
    body = b"<title>Tables</title>"
    for path in ("/", "/index.html"):
        answer = await client.ask("GET", path, accept_encoding="gzip, br")
        assert (answer.status, answer.body, answer.complete) == (200, body, True)
        assert without_id(answer) == {
            b"content-type": b"text/html; charset=utf-8",
            b"cache-control": b"no-cache",
            b"content-security-policy": policy(HASH, HASH.replace("A", "B")),
            b"etag": tag(body),
            b"content-length": b"21",
            **GUARDS,
        }


async def test_a_page_without_hashes_runs_no_inline_script(client: Client) -> None:
    answer = await client.ask("GET", "/sign-in/")
    assert (answer.body, answer.header(b"content-security-policy")) == (b"<title>Sign in</title>", policy())


@pytest.mark.parametrize(
    ("accept", "coding", "body"),
    [
        ("gzip, deflate, br", b"br", b"brotli of the script"),
        ("gzip", b"gzip", gzip.compress(SCRIPT, mtime=0)),
        ("br;q=0", None, SCRIPT),
    ],
)
async def test_what_has_a_name_of_its_content_is_kept_for_a_year(
    client: Client, accept: str, coding: bytes | None, body: bytes
) -> None:
    answer = await client.ask("GET", APP, accept_encoding=accept)
    assert (answer.status, answer.body) == (200, body)
    assert without_id(answer) == {
        b"content-type": b"text/javascript; charset=utf-8",
        **({b"content-encoding": coding} if coding else {}),
        b"cache-control": b"public, max-age=31536000, immutable",
        b"content-security-policy": policy(),
        b"vary": b"Accept-Encoding",
        b"etag": tag(body),
        b"content-length": b"%d" % len(body),
        **GUARDS,
    }


async def test_a_head_is_a_get_without_its_body(client: Client) -> None:
    got, headed = [await client.ask(method, APP, accept_encoding="br", x_request_id="1") for method in ("GET", "HEAD")]
    assert (headed.status, headed.headers, headed.body) == (got.status, got.headers, b"")


async def test_what_has_not_changed_is_not_sent_again(client: Client) -> None:
    for accept in ("", "gzip", "br"):
        first = await client.ask("GET", APP, accept_encoding=accept)
        known = (first.header(b"etag") or b"").decode()
        for written in (known, f"W/{known}", f'"x", {known}', "*"):
            again = await client.ask("GET", APP, accept_encoding=accept, if_none_match=written)
            told = without_id(first)
            for name in (b"content-type", b"content-length", b"content-encoding"):
                told.pop(name, None)
            assert (again.status, again.body, without_id(again)) == (304, b"", told)


async def test_a_tag_is_that_of_one_coding(client: Client) -> None:
    tags = [(await client.ask("GET", APP, accept_encoding=accept)).header(b"etag") for accept in ("", "gzip", "br")]
    assert len(set(tags)) == 3
    other = await client.ask("GET", APP, accept_encoding="br", if_none_match=(tags[1] or b"").decode())
    assert other.status == 200
    assert (await client.ask("GET", APP, if_none_match="x, *")).status == 200


async def test_a_changed_page_is_sent_after_a_restart(export: Path) -> None:
    before = await client_of(export).ask("GET", "/")
    (export / "index.html").write_bytes(b"<title>New</title>")
    after = await client_of(export).ask("GET", "/", if_none_match=(before.header(b"etag") or b"").decode())
    assert (after.status, after.body) == (200, b"<title>New</title>")


async def test_a_folder_leads_to_its_page_with_the_query(client: Client) -> None:
    answer = await client.ask("GET", "/sign-in", "next=%2Ftables%2F&a")
    assert (answer.status, answer.body) == (301, b"")
    assert without_id(answer) == {
        b"location": b"/sign-in/?next=%2Ftables%2F&a",
        b"cache-control": b"no-cache",
        b"content-length": b"0",
    }
    assert (await client.ask("HEAD", "/sign-in")).header(b"location") == b"/sign-in/"


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/nowhere/",
        "/sign-in/x",
        "/index.html/",
        "//",
        "//evil.example/",
        "/_next",
        "/_next/static/",
        "/.csp.json",
        "/.env",
        "/.git/config",
        f"{APP}.br",
        f"{APP}.gz",
        "/../secret.txt",
        "/_next/../../secret.txt",
        "/..\\secret.txt",
        "/sign-in/../index.html",
        "/INDEX.HTML",
        "/index.html\0",
        "/\udcff",
        "",
    ],
)
async def test_what_is_not_in_the_export_is_a_page_that_says_so(client: Client, export: Path, path: str) -> None:
    (export.parent / "secret.txt").write_text("secret")
    answer = await client.ask("GET", path) if path.isascii() else await _ask_for_bytes(client, path)
    body = b"<title>Not here</title>"
    assert (answer.status, answer.body) == (404, body)
    assert without_id(answer) == {
        b"content-type": b"text/html; charset=utf-8",
        b"cache-control": b"no-cache",
        b"content-security-policy": policy(),
        b"etag": tag(body),
        b"content-length": b"23",
        **GUARDS,
    }


async def _ask_for_bytes(client: Client, path: str) -> Answer:
    """Ask for a path that is no UTF-8, as the HTTP front hands it on."""

    async def send(message: dict[str, object]) -> None:
        client.sent.append(message)

    client.sent = []
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "raw_path": b"/%ff"}
    await client.middleware(scope, None, send)  # type: ignore[arg-type]
    return client.answer()


async def test_a_page_that_is_there_is_not_there_for_who_wants_to_change_it(client: Client) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = await client.ask(method, "/sign-in/")
        assert (answer.status, answer.header(b"allow")) == (405, b"GET, HEAD")
        assert json.loads(answer.body) == {
            "code": "PGRST117",
            "message": f"/sign-in/ has no method {method}",
            "details": None,
            "hint": "Use GET or HEAD.",
        }


async def test_log_and_metrics_have_one_name_for_all_its_paths(client: Client) -> None:
    for path in ("/", APP, "/sign-in", "/nowhere"):
        await client.ask("GET", path)
    routes = [served.route for served in client.observed if isinstance(served, RequestServed)]
    assert routes == ["studio"] * 4


def test_other_rooms_answer_what_nobody_can_read(export: Path) -> None:
    site = Site(read_export(export))
    assert site.endpoint("/nowhere", "POST") is None
    (export / "404.html").unlink()
    assert Site(read_export(export)).endpoint("/nowhere", "GET") is None


async def test_names_that_urls_escape_are_found_and_led_to(export: Path) -> None:
    for name in ('50% "off" # ?', "größe"):
        page = export / name / "index.html"
        page.parent.mkdir()
        page.write_text(name)
    client = client_of(export)
    assert (await client.ask("GET", '/50% "off" # ?/')).body == b'50% "off" # ?'
    assert (await client.ask("GET", '/50% "off" # ?')).header(b"location") == b"/50%25%20%22off%22%20%23%20%3F/"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.css", b"text/css; charset=utf-8"),
        ("a.svg", b"image/svg+xml; charset=utf-8"),
        ("index.txt", b"text/plain; charset=utf-8"),
        ("site.webmanifest", b"application/manifest+json; charset=utf-8"),
        ("a.woff2", b"font/woff2"),
        ("A.PNG", b"image/png"),
        ("LICENSE", b"application/octet-stream"),
        ("archive.tar.gz", b"application/octet-stream"),
    ],
)
async def test_the_name_says_what_a_file_is(export: Path, name: str, kind: bytes) -> None:
    (export / name).write_bytes(b"x")
    answer = await client_of(export).ask("GET", f"/{name}")
    assert (answer.status, answer.header(b"content-type"), answer.body) == (200, kind, b"x")
