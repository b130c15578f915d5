"""Requests whose header fields are known already: answered as by the parser, whatever they look like."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.http1.conftest import undated
from wherry.asgi import FIELDS, Receive, Scope, Send, header_map, read_body, respond
from wherry.errors import ClientGone
from wherry.http1 import Limits, Server
from wherry.http1.connection import Connection
from wherry.http1.heads import CAPACITY, LARGEST, KnownHeads

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Wire(asyncio.Transport):
    """What a connection writes to, kept; a transport needs no socket to be one."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.sent = b""
        self.ends: list[str] = []

    def write(self, data: Any) -> None:
        self.sent += data

    def writelines(self, pieces: Any) -> None:
        self.sent += b"".join(pieces)

    def write_eof(self) -> None:
        self.ends.append("eof")

    def close(self) -> None:
        self.ends.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.ends

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.ends.append("paused")

    def resume_reading(self) -> None:
        self.ends.append("resumed")


async def mirror(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer all that the application is told."""
    with suppress(ClientGone):
        body = await read_body(receive, 1 << 20)
        assert scope.get(FIELDS, header_map(scope["headers"])) == header_map(scope["headers"])
        told = {name: value for name, value in scope.items() if name != FIELDS}
        headers = sorted(told["headers"], key=lambda field: field[0] == b"x-request-id")  # its place is nobody's matter
        await respond(send, 200, [], repr((told | {"headers": headers}, body)).encode())


async def answered(server: Server, *pieces: bytes) -> tuple[bytes, list[str]]:
    """Return what a new connection answers to pieces that arrive one after the other, and how it ends."""
    connection, wire = Connection(server), Wire()
    loop = asyncio.get_running_loop()
    loop.call_soon(connection.connection_made, wire)  # as a loop does: outside of any task
    for piece in pieces:
        loop.call_soon(connection.data_received, piece)
        for _ in range(6):
            await asyncio.sleep(0)
    loop.call_soon(connection.connection_lost, None)
    for _ in range(3):
        await asyncio.sleep(0)
    return undated(wire.sent), wire.ends


async def twice(*pieces: bytes, limits: Limits | None = None) -> tuple[Any, Any, int]:
    """Return the answers of a server that has not seen the pieces before, of one that has, and what it has found."""
    fresh, used = Server(mirror, limits), Server(mirror, limits)
    for _ in range(2):
        await answered(used, *pieces)
    found: list[bytes] = []
    find = used.heads.find

    def counted(data: bytes) -> Any:
        plain = find(data)
        if plain is not None:
            found.append(data)
        return plain

    used.heads.find = counted  # type: ignore[method-assign]
    return await answered(fresh, *pieces), await answered(used, *pieces), len(found)


def request(line: bytes = b"GET /a?b=c HTTP/1.1", fields: bytes = b"Host: h\r\nAccept: x", body: bytes = b"") -> bytes:
    return line + b"\r\n" + fields + b"\r\n\r\n" + body


FIELDS_OF_A_BODY = b"Host: h\r\nContent-Length: 2"


@pytest.mark.parametrize(
    "pieces",
    [
        [request()],
        [request(fields=b"HOST:h\r\nX-Y: \t 1\r\nx-y:\r\nConnection: keep-alive")],
        [request(fields=b"host: h\r\nx: \xe4\xff")],
        [request(b"GET /%C3%A4//b?c?d&\"<>{}|~' HTTP/1.1")],
        [request(b"HEAD / HTTP/1.1")],
        [request(b"POST /a HTTP/1.1", FIELDS_OF_A_BODY, b"hi")],
        [request(b"PATCH /a HTTP/1.1", b"Host: h\r\nContent-Length: 0")],
        [request(), request(b"DELETE /other HTTP/1.1"), request()],
        [request(fields=b"Host: h\r\nX-Request-Id: 7a")],
        [request(fields=b"X-Request-Id: 7a\r\nHost: h")],
    ],
)
async def test_a_plain_request_is_found_and_answered_as_the_first_was(pieces: list[bytes]) -> None:
    first, second, found = await twice(*pieces)
    assert first == second
    assert first[0].count(b"HTTP/1.1 200 OK") == len(pieces)
    assert found == len(pieces)


@pytest.mark.parametrize(
    "pieces",
    [
        [request(b"GET / HTTP/1.0")],
        [request(b"GET /a#b HTTP/1.1")],
        [request(b"GET http://h/ HTTP/1.1")],
        [request(b"OPTIONS * HTTP/1.1")],
        [request(b"QUERY / HTTP/1.1")],
        [request(b"GET /a\x01 HTTP/1.1")],
        [request(b"GET /\xe4 HTTP/1.1")],
        [request(b"GET  / HTTP/1.1")],
        [b"\r\n" + request()],
        [request(fields=b"Host: h\r\nConnection: close")],
        [request(fields=b"Host: h\r\nConnection: upgrade\r\nUpgrade: h2c")],
        [request(fields=b"Accept: x")],
        [request(fields=b"Host: h\r\nHost: h")],
        [request(fields=b"Host: h\r\nX: %b" % (b"x" * LARGEST))],
        [request(b"POST / HTTP/1.1", b"Host: h\r\nTransfer-Encoding: chunked", b"1\r\na\r\n0\r\n\r\n")],
        [request(b"POST / HTTP/1.1", b"Host: h\r\nExpect: 100-continue\r\nContent-Length: 2", b"hi")],
        [request(b"POST / HTTP/1.1", FIELDS_OF_A_BODY, b"h"), b"i"],
        [request()[:30], request()[30:]],
        [request(fields=b"Host: h\r\nx-request-id: 7a")],
        [request(fields=b"Host: h\r\nX-Request-Id: 7 a")],
        [request(fields=b"Host: h\r\nX-Request-Id: 7a\r\nX-Request-Id: 7a")],
        [request(fields=b"X-Request-Id: 7a")],
        [request() + request()],
        [request(fields=b"Host: h\n\nGET /smuggled HTTP/1.1\r\nHost: h")],
        [request(b"POST / HTTP/1.1", FIELDS_OF_A_BODY, b"hiGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")],
    ],
)
async def test_what_is_not_plain_meets_the_parser_each_time(pieces: list[bytes]) -> None:
    first, second, found = await twice(*pieces)
    assert first == second
    assert found == 0


@pytest.mark.parametrize(
    "then",
    [
        [request(b"POST /b HTTP/1.1", FIELDS_OF_A_BODY, b"h")],
        [request(b"POST /b HTTP/1.1", FIELDS_OF_A_BODY, b"h"), b"i"],
        [request(b"POST /b HTTP/1.1", FIELDS_OF_A_BODY, b"hi") + request()],
        [request(b"POST /b HTTP/1.1", FIELDS_OF_A_BODY, b"hi" + b"x" * 20_000)],
        [request(b"POST /b HTTP/1.0", FIELDS_OF_A_BODY, b"hi")],
        [request(b"POST /b\n HTTP/1.1", FIELDS_OF_A_BODY, b"hi")],
        [request(b"CONNECT /b HTTP/1.1", FIELDS_OF_A_BODY, b"hi")],
        [request(b"POST /%b HTTP/1.1" % (b"b" * 200), FIELDS_OF_A_BODY, b"hi")],
    ],
)
async def test_known_fields_excuse_nothing_else(then: list[bytes]) -> None:
    known = request(b"POST /a HTTP/1.1", FIELDS_OF_A_BODY, b"hi")
    limits = Limits(target=150)
    used = Server(mirror, limits)
    assert (await answered(used, known))[0].startswith(b"HTTP/1.1 200 OK")
    assert used.heads.find(known) is not None
    assert await answered(used, *then) == await answered(Server(mirror, limits), *then)


async def test_a_number_is_no_part_of_what_is_known() -> None:
    used, pieces = (
        Server(mirror),
        [request(fields=b"Host: h\r\nX-Request-Id: %d\r\nA: b" % number) for number in (1, 2)],
    )
    first, second = await answered(used, pieces[0]), await answered(used, pieces[1])
    assert used.heads.find(pieces[1]) is not None
    assert used.heads.find(request(fields=b"Host: h\r\nA: b")) is not None
    for piece, seen in zip(pieces, (first, second), strict=True):
        assert b"(b'x-request-id', b'" in seen[0]
        assert seen == await answered(Server(mirror), piece)
    for split in (b"Ho", b"Host: h\r\nA:", b"Host: h\r\nA: b"):
        rest = b"Host: h\r\nA: b".removeprefix(split)
        assert used.heads.find(request(fields=b"%bX-Request-Id: 3\r\n%b" % (split, rest))) is None


async def test_a_number_counts_among_the_fields() -> None:
    limits = Limits(headers=3)
    used = Server(mirror, limits)
    for fields in (b"Host: h\r\nA: b\r\nC: d", b"Host: h\r\nA: b\r\nC: d\r\nX-Request-Id: 7"):
        first, second, found = await twice(request(fields=fields), limits=limits)
        assert (first, found) == (second, 0)
        assert await answered(used, request(fields=fields)) == first


LINES = st.builds(
    lambda method, target, version: b" ".join((method, target, version)),
    st.sampled_from([b"GET", b"POST", b"PATCH"]) | st.sampled_from([b"get", b"PRI", b""]),
    st.one_of(
        st.sampled_from([b"/", b"/a?b=c", b"//h/a"]),
        st.sampled_from([b"*", b"/a#b", b"http://h/"]),
        st.binary(max_size=4).map(lambda end: b"/" + end),
    ),
    st.just(b"HTTP/1.1") | st.sampled_from([b"HTTP/1.0", b"HTTP/1.1 "]),
)
FIELD = st.one_of(
    st.sampled_from(
        [b"Host: h", b"host:h ", b"Content-Length: 2", b"Content-Length: 0", b"content-length: 02",
         b"Connection: close", b"Connection: keep-alive", b"Connection: x", b"Transfer-Encoding: chunked",
         b"Upgrade: h2c", b"X-Request-Id: 7a", b"X-Request-Id: ", b"x-request-id: 7a",
         b"x: 1\n\ny: 2", b"x", b": y", b" folded", b"x : 1"]
    ),
    st.binary(max_size=6).map(lambda value: b"X: " + value),
)  # fmt: skip
REQUESTS = st.builds(
    lambda line, fields, body: line + b"\r\n" + b"\r\n".join(fields) + b"\r\n\r\n" + body,
    LINES,
    st.lists(FIELD, max_size=3).map(lambda fields: [b"Host: h", *fields]) | st.lists(FIELD, min_size=1, max_size=4),
    st.sampled_from([b"", b"hi", b"h", b"2\r\nhi\r\n0\r\n\r\n", request()]),
)

PLAIN = st.builds(
    lambda method, target, value, number, body: request(
        b"%b %b HTTP/1.1" % (method, target),
        b"Host: h\r\nX: %b%b\r\nContent-Length: %d" % (value, number, len(body)),
        body,
    ),
    st.sampled_from([b"GET", b"POST", b"PATCH"]),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=6).map(lambda end: b"/" + end.encode()),
    st.binary(max_size=2),
    st.sampled_from([b"", b"\r\nX-Request-Id: 7a", b"X-Request-Id: 7a", b"\r\nY-X-Request-Id: 7a"]),
    st.binary(max_size=6),
)


@given(st.lists(PLAIN | REQUESTS, min_size=1, max_size=3))
@settings(deadline=None)
def test_what_was_seen_before_is_answered_as_if_it_were_new(pieces: list[bytes]) -> None:
    first, second, _ = asyncio.run(twice(*pieces))
    assert first == second


def remembered(heads: KnownHeads, number: int) -> bool:
    """Send a request that a proxy has numbered, as a server does; return whether its fields were known."""
    headers = [(b"host", b"h"), (b"x-number", b"%d" % number)]
    data = request(fields=b"Host: h\r\nX-Number: %d" % number)
    found = heads.find(data) is not None
    if not found:
        heads.remember(data, headers)
    return found


def test_the_oldest_are_forgotten() -> None:
    heads = KnownHeads(Limits())
    assert [remembered(heads, number) for number in range(CAPACITY - 1)] == [False] * (CAPACITY - 1)
    assert remembered(heads, 0)  # which says that it is worth looking
    assert not remembered(heads, CAPACITY - 1)
    assert [remembered(heads, number) for number in range(CAPACITY, CAPACITY + 9)] == [False] * 9
    assert [remembered(heads, number) for number in (9, 8)] == [True, False]


def test_it_is_hardly_looked_where_nothing_was_known_for_long() -> None:
    heads = KnownHeads(Limits())
    for number in range(CAPACITY + 100):
        remembered(heads, number)
    looked = [remembered(heads, CAPACITY - 1) for _ in range(200)]
    assert looked.index(True) < 32
    assert all(looked[looked.index(True) :])
