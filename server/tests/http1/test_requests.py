"""What the application is told of a request, and what is refused before."""

import json

import pytest

from tests.http1.conftest import Serve, Served, echo, received, response
from wherry.asgi import Receive, Scope, Send, respond
from wherry.http1 import Limits


def refused(answer: bytes) -> tuple[bytes, str]:
    """Return the status line and the message of a refusal."""
    head, body = answer.split(b"\r\n\r\n", 1)
    assert b"\r\nconnection: close" in head
    assert set(json.loads(body)) == {"code", "message", "details", "hint"}
    return head.partition(b"\r\n")[0], json.loads(body)["message"]


@pytest.fixture
def served(serve: Serve) -> Served:
    """A server that echoes."""
    return serve()


def test_the_application_is_told_what_was_asked(serve: Serve) -> None:
    told: list[Scope] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        told.append(scope)
        await respond(send, 204, [])

    served = serve(application)
    connection = served.connect(b"GET /a%20b%C3%A4/%ff?x=%20&y HTTP/1.1\r\nHost: h\r\nX-Y: \xe4 1\r\nx-y:\r\n\r\n")
    assert response(connection) == b"HTTP/1.1 204 No Content\r\n\r\n"
    assert told == [
        {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/a bä/\udcff",
            "raw_path": b"/a%20b%C3%A4/%ff",
            "query_string": b"x=%20&y",
            "root_path": "",
            "headers": [(b"host", b"h"), (b"x-y", b"\xe4 1"), (b"x-y", b"")],
            "client": connection.getsockname(),
            "server": ("127.0.0.1", served.port),
        }
    ]


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (b"http://example.org/a?b", b"/a?b"),
        (b"http://example.org", b"/?"),
        (b"http://example.org/?b", b"/?b"),
        (b"/?", b"/?"),
        (b"/a//b?c?d", b"/a//b?c?d"),
    ],
)
def test_the_forms_of_a_target(served: Served, target: bytes, told: bytes) -> None:
    answer = served.answer(b"GET %b HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n" % target)
    assert answer.endswith(b"\r\n\r\nGET %b " % told)


def test_an_asterisk_is_a_target(served: Served) -> None:
    answer = served.answer(b"OPTIONS * HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
    assert answer.endswith(b"\r\n\r\nOPTIONS *? ")


@pytest.mark.parametrize(
    "body",
    [
        b"content-length: 5\r\n\r\nhello",
        b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"transfer-encoding: Chunked\r\n\r\n2;x=y\r\nhe\r\n03\r\nllo\r\n0\r\nx-sum: 1\r\nhost: other\r\n\r\n",
    ],
    ids=["whole", "one chunk", "chunks with an extension and a trailer"],
)
def test_a_body_reaches_the_application(served: Served, body: bytes) -> None:
    connection = served.connect(b"POST /a HTTP/1.1\r\nhost: h\r\n" + body + b"GET /b HTTP/1.1\r\nhost: h\r\n\r\n")
    assert response(connection) == b"HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\nPOST /a? hello"
    assert response(connection) == b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nGET /b? "


def test_a_large_body_reaches_the_application(served: Served) -> None:
    body = bytes(range(256)) * 3000
    answer = served.answer(b"PUT / HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 768000\r\n\r\n" + body)
    assert answer.endswith(b"\r\n\r\nPUT /? " + body)


def test_a_connection_goes_on_after_a_body_of_any_size(served: Served) -> None:
    connection = served.connect()
    for size in (1, 16_384, 60_000, 65_536, 66_000, 70_000, 100_000, 150_000, 500_000):
        connection.sendall(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size)
        assert response(connection).endswith(b"\r\n\r\nPOST /? " + b"x" * size)
        connection.sendall(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
        assert response(connection).endswith(b"\r\n\r\nGET /? ")


def test_a_client_that_asks_first_is_told_to_send_its_body(served: Served) -> None:
    connection = served.connect(b"POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-Continue\r\ncontent-length: 2\r\n\r\n")
    assert response(connection) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(b"hi")
    assert response(connection) == b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nPOST /? hi"


def test_a_client_that_asks_first_may_be_refused_before_it_sends(serve: Serve) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, 401, [])

    served = serve(application)
    answer = served.answer(b"POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
    assert answer == b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [b"", b"content-length: 5\r\n\r\nhello", b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"],
    ids=["no body", "a length", "chunks"],
)
def test_another_protocol_is_not_changed_to(served: Served, body: bytes) -> None:
    head = b"POST /a HTTP/1.1\r\nhost: h\r\nconnection: Upgrade, x\r\nupgrade: h2c\r\n"
    connection = served.connect(head + (body or b"\r\n") + b"GET /b HTTP/1.1\r\nhost: h\r\n\r\n")
    assert response(connection).endswith(b"\r\n\r\nPOST /a? hello" if body else b"\r\n\r\nPOST /a? ")
    assert response(connection).endswith(b"\r\n\r\nGET /b? ")


@pytest.mark.parametrize(
    ("request_text", "status", "message"),
    [
        (b"\x16\x03\x01\x02", b"400 Bad Request", "The request is not HTTP/1.1: Invalid method encountered"),
        (b"GET /\r\n\r\n", b"505 HTTP Version Not Supported", "Only HTTP/1.1 and HTTP/1.0 are spoken here"),
        (b"GET / HTTP/2.0\r\n\r\n", b"505 HTTP Version Not Supported", "Only HTTP/1.1 and HTTP/1.0 are spoken here"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400 Bad Request", "The request does not name one host"),
        (b"GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", b"400 Bad Request", "The request does not name one host"),
        (b"GET / HTTP/1.0\r\nhost: a\r\nhost: a\r\n\r\n", b"400 Bad Request", "The request does not name one host"),
        (
            b"GET / HTTP/1.1\r\nhost: a\r\nx : 1\r\n\r\n",
            b"400 Bad Request",
            "The request is not HTTP/1.1: Invalid header token",
        ),
        (
            b"GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\n y: 2\r\n\r\n",
            b"400 Bad Request",
            "The request is not HTTP/1.1: Unexpected whitespace after header value",
        ),
        (
            b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\nabc",
            b"400 Bad Request",
            "The request is not HTTP/1.1: Transfer-Encoding can't be present with Content-Length",
        ),
        (
            b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\nabc",
            b"400 Bad Request",
            "The request is not HTTP/1.1: Content-Length can't be present with Transfer-Encoding",
        ),
        (
            b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
            b"400 Bad Request",
            "The request is not HTTP/1.1: Duplicate Content-Length",
        ),
        (
            b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
            b"501 Not Implemented",
            "The only transfer coding is chunked",
        ),
        (
            b"POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            b"501 Not Implemented",
            "The only transfer coding is chunked",
        ),
        (
            b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
            b"400 Bad Request",
            "The request is not HTTP/1.1: Invalid character in chunk size",
        ),
        (
            b"GET / HTTP/1.1\r\nhost: a\r\nexpect: a miracle\r\n\r\n",
            b"417 Expectation Failed",
            "Only 100-continue can be expected",
        ),
        (
            b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
            b"405 Method Not Allowed",
            "Unsupported HTTP method: CONNECT",
        ),
    ],
)
def test_what_is_no_request_is_refused(served: Served, request_text: bytes, status: bytes, message: str) -> None:
    assert refused(served.answer(request_text)) == (b"HTTP/1.1 " + status, message)


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"GET /%b HTTP/1.1\r\nhost: h\r\n\r\n" % (b"a" * 62_000), b"414 URI Too Long"),
        (b"GET /%b" % (b"a" * 70_000), b"414 URI Too Long"),
        (b"GET / HTTP/1.1\r\nhost: h\r\nx: %b\r\n\r\n" % (b"a" * 66_000), b"431 Request Header Fields Too Large"),
        (b"GET / HTTP/1.1\r\nhost: h\r\nx: %b" % (b"a" * 300_000), b"431 Request Header Fields Too Large"),
        (b"GET / HTTP/1.1\r\n" + b"x: 1\r\n" * 200, b"431 Request Header Fields Too Large"),
        (b"GET / HTTP/1.1\r\nhost: h\r\n%b\r\n" % (b"x: 1\r\n" * 100), b"431 Request Header Fields Too Large"),
        (b"\r\n" * 40_000, b"431 Request Header Fields Too Large"),
        (
            b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: %b" % (b"a" * 90_000),
            b"431 Request Header Fields Too Large",
        ),
        (
            b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n0\r\n" + b"x: 1\r\n" * 200,
            b"431 Request Header Fields Too Large",
        ),
        (
            b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n1;%b" % (b"a" * 90_000),
            b"431 Request Header Fields Too Large",
        ),
    ],
    ids=["target", "endless target", "field", "endless field", "endless fields", "fields", "empty lines", "trailer",
         "trailer fields", "chunk extension"],
)  # fmt: skip
def test_what_is_too_large_is_refused(served: Served, request_text: bytes, status: bytes) -> None:
    assert refused(served.answer(request_text))[0] == b"HTTP/1.1 " + status


def test_a_head_within_the_limits_is_taken(served: Served) -> None:
    fields = b"".join(b"x-%d: %b\r\n" % (number, b"a" * 300) for number in range(98))
    target = b"/" + b"a" * 32_000
    answer = served.answer(b"GET %b HTTP/1.1\r\nhost: h\r\nconnection: close\r\n%b\r\n" % (target, fields))
    assert answer.endswith(b"\r\n\r\nGET %b? " % target)


def test_a_refusal_follows_the_responses_before_it(served: Served) -> None:
    answer = served.answer(b"GET /1 HTTP/1.1\r\nhost: h\r\n\r\nGET /2 HTTP/1.1\r\nhost: h\r\n\r\nBAD\r\n\r\n")
    first, second, refusal = answer.split(b"HTTP/1.1 ")[1:]
    assert first == b"200 OK\r\ncontent-length: 8\r\n\r\nGET /1? "
    assert second == b"200 OK\r\ncontent-length: 8\r\n\r\nGET /2? "
    assert refused(b"HTTP/1.1 " + refusal)[0] == b"HTTP/1.1 400 Bad Request"


@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_broken_body_is_refused_after_the_responses_before_it(served: Served, before: int) -> None:
    broken = b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\nx"
    answer = served.answer(b"GET /1 HTTP/1.1\r\nhost: h\r\n\r\n" * before + broken)
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == before
    assert answer.split(b"HTTP/1.1 ")[-1].startswith(b"400 Bad Request\r\n")


def test_a_body_that_breaks_while_it_is_read_is_refused(served: Served) -> None:
    connection = served.connect(b"POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\n")
    connection.sendall(b"transfer-encoding: chunked\r\n\r\n")
    assert response(connection) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(b"x")
    assert refused(received(connection))[0] == b"HTTP/1.1 400 Bad Request"


def test_more_connections_than_the_limit_are_refused(serve: Serve) -> None:
    served = serve(echo, Limits(connections=1))
    first = served.connect(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
    assert response(first).startswith(b"HTTP/1.1 200 OK\r\n")

    answer = received(served.connect())
    assert refused(answer) == (b"HTTP/1.1 503 Service Unavailable", "Too many connections")
    assert b"\r\nretry-after: 1\r\n" in answer

    first.sendall(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
    assert response(first).startswith(b"HTTP/1.1 200 OK\r\n")
