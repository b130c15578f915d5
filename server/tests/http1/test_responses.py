"""What the client gets of what the application sends, and what of an application that fails."""

import asyncio
import socket
from collections.abc import Iterable
from contextlib import suppress

import pytest

from tests.http1.conftest import Serve, received, response
from wherry.asgi import Application, Message, Receive, Scope, Send, read_body
from wherry.errors import ClientGone
from wherry.http1 import Limits

LAST = b"GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\n\r\n"
NOT_ANSWERED = b'"The request was not answered"'


def sending(*messages: Message) -> Application:
    """Return an application that sends some messages."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(dict(message))

    return application


def start(status: int = 200, headers: Iterable[tuple[bytes, bytes]] = ()) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(content: bytes = b"", more: bool = False) -> Message:
    return {"type": "http.response.body", "body": content, "more_body": more}


LENGTH_4 = [(b"content-length", b"4")]


@pytest.mark.parametrize(
    ("messages", "request_text", "answer"),
    [
        (
            [start(200, LENGTH_4), body(b"text")],
            LAST,
            b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\ntext",
        ),
        ([start(), body(b"text")], LAST, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\ntext"),
        ([start(), body()], LAST, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        (
            [start(200, LENGTH_4), body(b"te", True), body(b"", True), body(b"xt")],
            LAST,
            b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\ntext",
        ),
        (
            [start(), body(b"te", True), body(b"", True), body(b"xt", True), body()],
            LAST,
            (
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
                b"2\r\nte\r\n2\r\nxt\r\n0\r\n\r\n"
            ),
        ),
        (
            [start(), body(b"", True), body(b"text")],
            LAST,
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n4\r\ntext\r\n0\r\n\r\n",
        ),
        (
            [start(), body(b"te", True), body(b"xt")],
            OLD,
            b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\ntext",
        ),
        (
            [start(), body(b"text")],
            b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n" + OLD,
            (
                b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: keep-alive\r\n\r\ntext"
                b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\ntext"
            ),
        ),
        (
            [start(200, LENGTH_4), body(b"text")],
            b"HEAD / HTTP/1.1\r\nhost: h\r\n\r\n" + LAST,
            (
                b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"
                b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\ntext"
            ),
        ),
        (
            [start(), body(b"te", True), body(b"xt")],
            b"HEAD / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
        ),
        (
            [start(204, LENGTH_4), body(b"text")],
            LAST,
            b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
        ),
        (
            [start(304, [(b"etag", b'"1"'), *LENGTH_4]), body()],
            LAST,
            b'HTTP/1.1 304 Not Modified\r\netag: "1"\r\ncontent-length: 4\r\nconnection: close\r\n\r\n',
        ),
        (
            [start(299, [(b"connection", b"close"), (b"transfer-encoding", b"chunked"), (b"date", b"now")]), body()],
            GET,
            b"HTTP/1.1 299 \r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        ),
        (
            [start(200, [(b"connection", b"keep-alive")]), body(b"x" * 40_000)],
            LAST,
            b"HTTP/1.1 200 OK\r\ncontent-length: 40000\r\nconnection: close\r\n\r\n" + b"x" * 40_000,
        ),
    ],
)
def test_the_framing_of_a_response(serve: Serve, messages: list[Message], request_text: bytes, answer: bytes) -> None:
    assert serve(sending(*messages)).answer(request_text) == answer


def test_every_response_has_its_date(serve: Serve) -> None:
    connection = serve(sending(start(), body())).connect(LAST)
    line = connection.recv(65536).split(b"\r\n")[1]
    assert (line[:6], line[-4:], len(line)) == (b"date: ", b" GMT", 35)


def test_a_connection_is_kept(serve: Serve) -> None:
    connection = serve(sending(start(), body(b"text"))).connect()
    for _ in range(3):
        connection.sendall(GET)
        assert response(connection) == b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntext"


def test_a_client_that_has_closed_its_side_gets_its_answer(serve: Serve) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        assert await receive() == {"type": "http.request", "body": b"", "more_body": False}
        assert await receive() == {"type": "http.disconnect"}
        await sending(start(), body(b"text"))(scope, receive, send)

    connection = serve(application).connect(GET)
    connection.shutdown(socket.SHUT_WR)
    assert received(connection) == b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntext"


def test_a_body_that_nobody_reads_ends_the_connection_after_the_answer(serve: Serve) -> None:
    connection = serve(sending(start(413), body())).connect(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\n")
    answer = response(connection)
    connection.sendall(b"123456789" + GET)
    assert answer == b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    assert connection.recv(1) == b""


# An application that fails


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    """Return without a response."""


async def failing(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail before the response."""
    raise ValueError


async def failing_later(scope: Scope, receive: Receive, send: Send) -> None:
    """Fail before the response, after some waiting."""
    await asyncio.sleep(0)
    raise ValueError


@pytest.mark.parametrize(
    ("application", "complaints"),
    [
        (silent, []),
        (failing, ["the application has failed to answer a request"]),
        (failing_later, ["the application has failed to answer a request"]),
        (sending(start()), []),
        (sending(body()), ["the application has failed to answer a request"]),
        (sending(start(), start()), ["the application has failed to answer a request"]),
        (sending({"type": "http.response.push"}), ["the application has failed to answer a request"]),
        (sending(start(200, LENGTH_4), body(b"long text")), ["the application has failed to answer a request"]),
        (sending(start(200, LENGTH_4), body(b"txt")), ["the application has failed to answer a request"]),
        (sending(start(200, [(b"x", b"\r\ny: 1")]), body()), ["the application has failed to answer a request"]),
        (sending(start(200, [(b"x", b"\ny")]), body()), ["the application has failed to answer a request"]),
        (sending(start(200, [(b"x\r", b"y")]), body()), ["the application has failed to answer a request"]),
    ],
)
def test_an_application_that_does_not_answer_is_answered_for(
    serve: Serve, application: Application, complaints: list[str]
) -> None:
    served = serve(application)
    answer = served.answer(GET)
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert NOT_ANSWERED in answer
    assert served.complaints == complaints


def test_an_answer_for_a_head_request_has_no_body(serve: Serve) -> None:
    answer = serve(silent).answer(b"HEAD / HTTP/1.1\r\nhost: h\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("application", "answer"),
    [
        (
            sending(start(), body(b"text", True)),
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\ntext\r\n",
        ),
        (sending(start(200, LENGTH_4), body(b"te", True)), b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nte"),
        (
            sending(start(200, LENGTH_4), body(b"te", True), body(b"x")),
            b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nte",
        ),
    ],
)
def test_a_response_that_breaks_off_is_cut(serve: Serve, application: Application, answer: bytes) -> None:
    connection = serve(application).connect(GET)
    pieces = b""
    try:
        while piece := connection.recv(65536):
            pieces += piece
    except ConnectionResetError:
        pass
    assert answer.startswith(b"".join(line for line in pieces.splitlines(True) if not line.startswith(b"date: ")))


def test_a_response_without_a_length_that_breaks_off_is_reset(serve: Serve) -> None:
    connection = serve(sending(start(), body(b"text", True))).connect(OLD)
    with pytest.raises(ConnectionResetError):
        received(connection)


def test_after_its_response_an_application_may_go_on(serve: Serve) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await sending(start(), body(b"text"))(scope, receive, send)
        assert await receive() == {"type": "http.request", "body": b"", "more_body": False}
        assert await receive() == {"type": "http.disconnect"}
        if scope["path"] == "/first":
            await asyncio.Event().wait()

    served = serve(application)
    connection = served.connect(b"GET /first HTTP/1.1\r\nhost: h\r\n\r\n")
    assert response(connection) == b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntext"
    connection.sendall(LAST)
    assert received(connection) == b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\ntext"
    assert served.complaints == []


# A client that goes away


def test_who_waits_for_the_body_of_a_client_that_is_gone_is_told(serve: Serve) -> None:
    told = asyncio.Queue[object]()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await read_body(receive, 100)
        except ClientGone as gone:
            served.loop.call_soon(told.put_nowait, type(gone))
            raise

    served = serve(application)
    connection = served.connect(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nhalf")
    connection.close()
    assert asyncio.run_coroutine_threadsafe(told.get(), served.loop).result(10) is ClientGone


def test_who_sends_to_a_client_that_is_gone_is_told(serve: Serve) -> None:
    told = asyncio.Queue[object]()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        try:
            while True:
                await send(body(b"x" * 100_000, True))
        except ClientGone as gone:
            served.loop.call_soon(told.put_nowait, isinstance(gone, OSError))
            raise

    served = serve(application)
    connection = served.connect(GET)
    connection.recv(1000)
    connection.close()
    assert asyncio.run_coroutine_threadsafe(told.get(), served.loop).result(10) is True
    assert served.complaints == []


def test_a_slow_client_slows_the_application_down(serve: Serve) -> None:
    sent: list[int] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        for part in range(200):
            await send(body(b"x" * 100_000, True))
            sent.append(part)
        await send(body())

    served = serve(application, Limits(tick=0.01))
    connection = served.connect(LAST)
    connection.recv(1000)
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.1), served.loop).result(10)
    assert len(sent) < 150
    assert received(connection).endswith(b"\r\n0\r\n\r\n")
    assert len(sent) == 200


def test_a_fast_client_is_slowed_down_by_the_application(serve: Serve) -> None:
    go_on = asyncio.Event()
    sizes: list[int] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await go_on.wait()
        more = True
        while more:
            message = await receive()
            sizes.append(len(message["body"]))
            more = message["more_body"]
        await sending(start(), body())(scope, receive, send)

    served = serve(application)
    connection = served.connect()
    connection.settimeout(0.2)
    connection.sendall(b"POST / HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 50000000\r\n\r\n")
    taken = 0
    with suppress(TimeoutError):
        while taken < 50_000_000:
            taken += connection.send(b"x" * 100_000)
    assert taken < 50_000_000
    connection.settimeout(10)
    served.loop.call_soon_threadsafe(go_on.set)
    connection.sendall(b"x" * (50_000_000 - taken))
    assert received(connection) == b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    assert (sum(sizes), max(sizes) <= 64 * 1024 + 16 * 1024) == (50_000_000, True)
