"""Connections in time: requests in turn, however they are cut into pieces, slow clients, and the end of the server."""

import asyncio
import re
import select
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from contextvars import ContextVar
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.http1.conftest import HASTY, LOOPS, Serve, Served, echo, received, response
from wherry.asgi import Receive, Scope, Send, read_body, respond
from wherry.http1 import Limits
from wherry.http1.steps import Steps
from wherry.observe import RequestServed

GET = b"GET /%d HTTP/1.1\r\nhost: h\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n"
PIPELINE = (
    GET % 1
    + b"POST /2 HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello"
    + b"POST /3 HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nx-t: 1\r\n\r\n"
    + b"POST /4 HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: h2c\r\ncontent-length: 5\r\n\r\nhello"
    + b"HEAD /5 HTTP/1.1\r\nhost: h\r\n\r\n"
    + LAST
)
ANSWERS = [b"GET /1? ", b"POST /2? hello", b"POST /3? hello", b"POST /4? hello", b"", b"GET /last? "]


def bodies(answer: bytes) -> list[bytes]:
    """Return the bodies of responses; each must be a 200."""
    found = re.split(rb"HTTP/1\.1 200 OK\r\ncontent-length: \d+\r\n(?:connection: close\r\n)?\r\n", answer)
    assert found[0] == b""
    return found[1:]


async def hesitating(scope: Scope, receive: Receive, send: Send) -> None:
    """Echo, after others had their turn."""
    await asyncio.sleep(0)
    await echo(scope, receive, send)


@pytest.mark.parametrize("application", [echo, hesitating])
@pytest.mark.parametrize("limits", [Limits(), Limits(slice=1, unread=1), Limits(slice=40)])
def test_requests_that_are_sent_at_once_are_answered_in_turn(serve: Serve, application: object, limits: Limits) -> None:
    assert bodies(serve(application, limits).answer(PIPELINE)) == ANSWERS


def test_requests_may_be_cut_at_every_byte(serve: Serve) -> None:
    served = serve()
    for place in range(1, len(PIPELINE)):
        connection = served.connect(PIPELINE[:place])
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), served.loop).result(10)
        connection.sendall(PIPELINE[place:])
        assert bodies(received(connection)) == ANSWERS
        connection.close()


def test_requests_may_come_byte_by_byte(serve: Serve) -> None:
    connection = serve().connect()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for place in range(len(PIPELINE)):
        connection.sendall(PIPELINE[place : place + 1])
    assert bodies(received(connection)) == ANSWERS


def test_a_thousand_requests_that_are_sent_at_once_are_answered_in_turn(serve: Serve) -> None:
    connection = serve(hesitating).connect(b"".join(GET % number for number in range(5000)) + LAST)
    connection.shutdown(socket.SHUT_WR)
    assert bodies(received(connection)) == [b"GET /%d? " % number for number in range(5000)] + [b"GET /last? "]


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 70_000, 81_920, 140_000, 150_000, 1_000_000])
@pytest.mark.parametrize("reads", [True, False])
def test_after_a_body_of_any_size_the_next_request_is_answered(serve: Serve, size: int, reads: bool) -> None:
    go_on = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            await go_on.wait()
        if reads:
            await read_body(receive, 1 << 20)
        await respond(send, 200, [], b"")

    served = serve(application)
    connection = served.connect(b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n" % size)
    sender = Thread(target=connection.sendall, args=(b"x" * size,))
    sender.start()
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), served.loop).result(10)
    served.loop.call_soon_threadsafe(go_on.set)
    answer = response(connection)
    sender.join()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    if b"connection: close" not in answer:
        connection.sendall(GET % 1)
        assert response(connection).startswith(b"HTTP/1.1 200 OK\r\n")


def test_one_request_of_a_connection_is_answered_at_a_time(serve: Serve) -> None:
    running: list[int] = []
    most: list[int] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        running.append(1)
        most.append(len(running))
        await asyncio.sleep(0.001)
        running.pop()
        await respond(send, 200, [], b"")

    serve(application).answer(b"".join(GET % number for number in range(50)) + LAST)
    assert most == [1] * 51


def test_what_follows_the_last_request_is_not_answered(serve: Serve) -> None:
    assert bodies(serve().answer(LAST + GET % 1)) == [b"GET /last? "]


def test_a_client_that_leaves_before_its_turn_is_not_answered(serve: Serve) -> None:
    asked: list[str] = []
    go_on = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await go_on.wait()
        await respond(send, 200, [], b"")

    served = serve(application)
    connection = served.connect(GET % 1 + GET % 2)
    while not asked:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), served.loop).result(10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
    served.loop.call_soon_threadsafe(go_on.set)
    while served.server.connections:  # until the first answer could not be written
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), served.loop).result(10)
    assert response(served.connect(GET % 3)).startswith(b"HTTP/1.1 200 OK\r\n")
    assert asked[0] == "/1"
    assert asked[-1] == "/3"
    assert served.complaints == []


# The first step is not in the request's own task, and nobody may notice


def test_a_request_is_in_one_task_from_its_first_step(serve: Serve) -> None:
    seen: list[object] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())
        await asyncio.sleep(0.001)
        seen.append(asyncio.current_task())
        await respond(send, 200, [], b"")

    serve(application).answer(GET % 1 + LAST)
    assert len(seen) == 6
    assert None not in seen
    assert seen[:3] == [seen[0]] * 3
    assert seen[3:] == [seen[3]] * 3
    assert seen[0] is not seen[3]


def test_a_time_limit_holds_from_the_first_step(serve: Serve) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(0 if scope["path"] == "/1" else 0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            await respond(send, 200, [], b"late")

    assert bodies(serve(application).answer(GET % 1 + LAST)) == [b"late", b"late"]


def test_a_request_that_cancels_itself_takes_no_other_with_it(serve: Serve) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None
        if scope["path"] != "/last":
            task.cancel()
        if scope["path"] == "/2":
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(10)
        if scope["path"] == "/3":
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        await respond(send, 200, [], scope["raw_path"])

    served = serve(application)
    assert bodies(served.answer(GET % 1 + GET % 2 + GET % 3 + LAST)) == [b"/1", b"/2", b"/3", b"/last"]


def test_what_a_request_waits_for_is_cancelled_with_it(serve: Serve) -> None:
    cancelled: list[bool] = []

    async def child() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().call_soon(task.cancel)
        try:
            await asyncio.ensure_future(child())
        except asyncio.CancelledError:
            await respond(send, 200, [], b"cancelled")

    assert bodies(serve(application).answer(LAST)) == [b"cancelled"]


def test_two_requests_may_wait_for_one_thing_from_the_same_moment_on() -> None:
    ended: list[object] = []

    async def work(future: asyncio.Future[str]) -> None:
        ended.append(await future)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        steps = Steps(loop)
        future: asyncio.Future[str] = loop.create_future()

        def begin() -> None:
            steps.start(work(future), ended.append)
            steps.start(work(future), ended.append)
            loop.call_soon(loop.call_soon, future.set_result, "came")

        loop.call_soon(begin)
        while len(ended) < 4:
            await asyncio.sleep(0)

    asyncio.run(main())
    assert ended == ["came", None, "came", None]


async def _one_after_another(works: int, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run works that wait, each after the one before has ended."""
    loop = asyncio.get_running_loop()
    steps = Steps(loop)
    for _ in range(works):
        over = asyncio.Event()
        loop.call_soon(lambda over=over: steps.start(work(), lambda failure: over.set()))
        await over.wait()
    steps.close()


def test_a_task_whose_request_has_ended_takes_another() -> None:
    seen: set[object] = set()

    async def work() -> None:
        await asyncio.sleep(0)
        seen.add(asyncio.current_task())

    asyncio.run(_one_after_another(10, work))
    assert len(seen) == 2


def test_a_context_that_a_request_has_changed_is_not_the_next_ones() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="none")
    seen: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0)
        seen.append(variable.get())
        variable.set("of another")

    asyncio.run(_one_after_another(5, work))
    assert seen == ["none"] * 5


def test_two_requests_may_wait_for_one_thing(serve: Serve) -> None:
    shared: list[asyncio.Future[bytes]] = []
    waiting: list[str] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if not shared:
            shared.append(asyncio.get_running_loop().create_future())
        if scope["path"] == "/last":
            shared[0].set_result(b"came")
        waiting.append(scope["path"])
        await respond(send, 200, [], await shared[0])

    served = serve(application)
    first = served.connect(GET % 1)
    second = served.connect(GET % 2)
    while len(waiting) < 2:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), served.loop).result(10)
    third = served.connect(LAST)
    assert bodies(received(third)) == [b"came"]
    assert bodies(response(first)) == bodies(response(second)) == [b"came"]


# Slow clients


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HT", b"408 Request Timeout"),
        (b"\r\n", b"408 Request Timeout"),
        (GET % 1 + b"GET / HTTP/1.1\r\nx: ", b"408 Request Timeout"),
        (b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhe", b"408 Request Timeout"),
        (b"POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n", b"408 Request Timeout"),
    ],
    ids=["half a head", "no head", "half of a second head", "half a body", "a body that was invited"],
)
def test_a_request_that_does_not_arrive_in_time_is_refused(serve: Serve, sent: bytes, status: bytes) -> None:
    answer = serve(echo, HASTY).answer(sent)
    assert answer.split(b"HTTP/1.1 ")[-1].startswith(status)


def test_an_idle_connection_is_closed(serve: Serve) -> None:
    served = serve(echo, HASTY)
    silent = served.connect()
    kept = served.connect(GET % 1)
    assert received(kept) == b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nGET /1? "
    assert received(silent) == b""


def test_a_request_that_takes_long_is_waited_for(serve: Serve) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.6)
        await echo(scope, receive, send)

    assert bodies(serve(application, HASTY).answer(LAST)) == [b"GET /last? "]


def test_a_client_that_does_not_take_its_answer_is_cut(serve: Serve) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, 200, [], b"x" * 20_000_000)

    served = serve(application, HASTY)
    connection = served.connect(GET % 1)
    connection.recv(10)
    while served.server.connections:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), served.loop).result(10)
    with suppress(ConnectionResetError):
        assert len(received(connection)) < 20_000_000


def test_a_refused_client_that_goes_on_sending_is_cut(serve: Serve) -> None:
    served = serve(echo, HASTY)
    connection = served.connect(b"BAD\r\n")
    assert received(connection).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    with suppress(ConnectionError):
        while True:
            connection.sendall(b"x")


# The end


def test_at_the_end_idle_connections_are_closed_and_requests_answered(serve: Serve) -> None:
    begun = asyncio.Event()
    go_on = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/1":
            begun.set()
            await go_on.wait()
        await respond(send, 200, [], b"")

    served = serve(application)
    idle = served.connect(GET % 2)
    assert response(idle).startswith(b"HTTP/1.1 200 OK\r\n")
    half = served.connect(b"GET /3 HTTP/1.1\r\n")
    working = served.connect(GET % 1)
    asyncio.run_coroutine_threadsafe(begun.wait(), served.loop).result(10)

    served.end()

    assert received(idle) == b""
    half.sendall(b"host: h\r\n\r\n")
    last = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    assert received(half) == last
    served.loop.call_soon_threadsafe(go_on.set)
    assert received(working) == last
    with pytest.raises(ConnectionError):
        served.connect()


def test_at_the_end_an_idle_connection_may_bring_one_more_request(serve: Serve) -> None:
    """A proxy may be sending it just now: into a connection that is being closed it would send in vain."""
    served = serve(limits=Limits(parting_seconds=20))
    idle, used = served.connect(GET % 1), served.connect(GET % 1)
    for connection in (idle, used):
        response(connection)

    served.end()
    while not served.server.is_ending:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), served.loop).result(10)

    used.sendall(GET % 2 + GET % 3)
    assert received(used) == b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\nconnection: close\r\n\r\nGET /2? "
    assert select.select([idle], [], [], 0) == ([], [], [])
    served.cut()
    assert received(idle) == b""


def test_at_the_end_connections_that_wait_to_be_accepted_are_answered(serve: Serve) -> None:
    served = serve()
    go_on = threading.Event()
    served.loop.call_soon_threadsafe(go_on.wait)
    waiting = [served.connect(GET % number) for number in range(20)]
    served.end()
    go_on.set()
    answers = [received(connection).partition(b"\r\n\r\n")[2] for connection in waiting]
    assert answers == [b"GET /%d? " % number for number in range(20)]


def test_on_the_last_call_what_is_in_flight_is_cut(serve: Serve) -> None:
    ends: list[str] = []
    begun = asyncio.Event()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("cancelled")

    served = serve(application)
    working = served.connect(GET % 1)
    asyncio.run_coroutine_threadsafe(begun.wait(), served.loop).result(10)
    served.end()
    served.cut()
    assert received(working) == b""
    assert ends == ["cancelled"]
    assert served.complaints == []


# Hostile clients

WORDS = st.sampled_from(
    [b"GET", b"POST", b" ", b"/", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\n", b"\r\n\r\n", b"host: h",
     b"content-length: ", b"transfer-encoding: chunked", b"connection: close", b"connection: upgrade", b"upgrade: x",
     b"expect: 100-continue", b"0\r\n\r\n", b"3", b"abc", b":", b"\0", GET % 7, LAST]
)  # fmt: skip


@pytest.fixture(scope="module", params=LOOPS)
def echoing(request: pytest.FixtureRequest) -> Iterator[Served]:
    """A server for many examples."""
    served = Served(echo, HASTY, request.param)
    yield served
    served.close()


@given(pieces=st.lists(st.lists(WORDS | st.binary(max_size=8)).map(b"".join), max_size=4))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_the_server_goes_on(echoing: Served, pieces: list[bytes]) -> None:
    connection = echoing.connect()
    with suppress(OSError):
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        answer = received(connection)
        # never more responses than requests: each has its request line, or was what is no request
        statuses = re.findall(rb"HTTP/1\.1 (\d+)", answer)
        final = [status for status in statuses if status != b"100"]
        assert len(final) <= b"".join(pieces).count(b" HTTP/1.") + b"".join(pieces).count(b"/") + 1
        assert all(status == b"200" for status in final[:-1])
    connection.close()
    assert response(echoing.connect(GET % 1)) == b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nGET /1? "
    assert echoing.complaints == []


@given(cuts=st.lists(st.integers(0, len(PIPELINE)), max_size=12).map(sorted))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_it_is_cut_a_pipeline_has_the_same_answers(echoing: Served, cuts: list[int]) -> None:
    connection = echoing.connect()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for begin, end in zip([0, *cuts], [*cuts, len(PIPELINE)], strict=True):
        connection.sendall(PIPELINE[begin:end])
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), echoing.loop).result(10)
    assert bodies(received(connection)) == ANSWERS
    connection.close()


def test_what_is_refused_before_an_application_sees_it_is_observed_once(serve: Serve) -> None:
    served = serve(limits=HASTY)
    served.answer(b"GET /a HTTP/1.1\r\nhost: h\r\n\r\nGET /b?c=d HTTP/1.1\r\n\r\n")
    served.answer(b"GET /slow HTTP/1.1\r\nho")
    served.answer(b"POST /body HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")
    seen = [
        (one.method, one.route, one.status, one.path, one.query, one.remote_address)
        for one in served.observed
        if isinstance(one, RequestServed)
    ]
    assert seen == [
        ("?", "refused", 400, b"/b", b"c=d", "127.0.0.1"),
        ("?", "refused", 408, b"/slow", b"", "127.0.0.1"),
        ("?", "refused", 400, b"/body", b"", "127.0.0.1"),
    ]
