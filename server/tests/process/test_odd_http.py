"""HTTP as clients seldom write it: pipelined, in chunks, too large, malformed, with odd names in the path."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.process.conftest import received
from tests.process.served import BASE, Served, make, start_serving, token

NAMES = ("films", "two words", "a/b", "größe, 東京 😀", 'quo"te', "semi;colon?#&=+%41", "..", "a%2Fb", " ")


def created(name: str) -> str:
    quoted = name.replace('"', '""')
    return f'CREATE TABLE "{quoted}" (id INTEGER PRIMARY KEY, title TEXT); INSERT INTO "{quoted}" VALUES (1, \'M\');'


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server for all tests of the module."""
    path = make(tmp_path_factory.mktemp("odd") / "app.db", "".join(map(created, NAMES)))
    served = start_serving(path, WHERRY_MAX_BODY="100000")
    yield served
    served.kill()


@pytest.fixture
def served(shared: Served) -> Iterator[Served]:
    """The server, which must still answer after the test, and must have met nothing unexpected."""
    yield shared
    assert shared.answer(shared.request(f"{BASE}/films?id=eq.1")) == (200, b'[{"id":1,"title":"M"}]')
    assert shared.said("unexpected error") == []


def raw(served: Served, words: bytes) -> bytes:
    """Send bytes and return all that comes until the server closes."""
    with served.connect() as connection:
        connection.sendall(words)
        return received(connection)


# Requests


def test_pipelined_requests_are_answered_in_their_order(served: Served) -> None:
    head = f"host: wherry\r\napikey: {token()}\r\n"
    words = [f"GET {BASE}/films?select=id,n:id&id=eq.1&limit={n} HTTP/1.1\r\n{head}\r\n" for n in range(3)]
    slow = f"GET {BASE}/films?select=title HTTP/1.1\r\n{head}connection: close\r\n\r\n"

    answers = raw(served, "".join([*words, slow]).encode()).split(b"HTTP/1.1 200 OK\r\n")[1:]

    bodies = [answer.partition(b"\r\n\r\n")[2] for answer in answers]
    assert bodies == [b"[]", b'[{"id":1,"n":1}]', b'[{"id":1,"n":1}]', b'[{"title":"M"}]']


def test_a_body_in_chunks_is_read_as_one(served: Served) -> None:
    headers = "content-type: application/json\r\ntransfer-encoding: chunked\r\nprefer: return=representation\r\n"
    body = b"".join(b"1\r\n%c\r\n" % byte for byte in b'{"id":2,"title":"Playtime"}') + b"0\r\n\r\n"
    words = served.request(f"{BASE}/films", method="POST", headers=headers, body=body)
    assert served.answer(words) == (201, b'[{"id":2,"title":"Playtime"}]')
    assert served.answer(served.request(f"{BASE}/films?id=eq.2", method="DELETE"))[0] == 204


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused(served: Served, chunked: bool) -> None:
    body = b'{"title":"' + b"x" * 200_000 + b'"}'
    headers = "content-type: application/json\r\n"
    if chunked:
        headers += "transfer-encoding: chunked\r\n"
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    else:
        headers += f"content-length: {len(body)}\r\n"

    status, answer = served.answer(served.request(f"{BASE}/films", method="POST", headers=headers, body=body))

    assert status == 413
    assert answer.startswith(b'{"code":"PGRST102","message":"The body is larger than 100000 bytes"')


def test_a_huge_body_is_refused_before_it_has_come(served: Served) -> None:
    headers = "content-type: application/json\r\ncontent-length: 100000000000\r\n"
    words = served.request(f"{BASE}/films", method="POST", headers=headers, body=b"[" * 200_000)
    assert served.answer(words)[0] == 413


def test_a_client_that_asks_first_is_told_to_go_on(served: Served) -> None:
    headers = "content-type: application/json\r\ncontent-length: 8\r\nexpect: 100-continue\r\n"
    with served.connect() as connection:
        connection.sendall(served.request(f"{BASE}/films", method="POST", headers=headers))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'{"id":3}')
        assert received(connection).startswith(b"HTTP/1.1 201 Created\r\n")
    assert served.answer(served.request(f"{BASE}/films?id=eq.3", method="DELETE"))[0] == 204


def test_a_head_has_the_headers_of_a_get_and_no_body(served: Served) -> None:
    def headers(method: str) -> tuple[set[bytes], bytes]:
        head, _, body = raw(served, served.request(f"{BASE}/films", method=method)).partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        return {line for line in lines if not line.startswith((b"date:", b"x-request-id:"))}, body

    assert headers("GET")[1] == b'[{"id":1,"title":"M"}]'
    assert headers("HEAD") == (headers("GET")[0], b"")


@pytest.mark.parametrize("method", ["BREW", "TRACE", "CONNECT", "get", "PROPFIND", "QUERY", "M" * 100])
def test_methods_that_there_are_not(served: Served, method: str) -> None:
    assert served.answer(served.request(f"{BASE}/films", method=method))[0] in (400, 405)


@pytest.mark.parametrize(
    "words",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /api/rest/v1/films HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET /api/rest/v1/films HTTP/1.1\r\nhost: wherry\r\nx: a\0b\r\n\r\n",
        b"GET /api/rest/v1/films HTTP/1.1\r\nhost: wherry\r\ncontent-length: -1\r\n\r\n",
        b"POST /api/rest/v1/films HTTP/1.1\r\nhost: wherry\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"GET /api/rest/v1/films\xff HTTP/1.1\r\nhost: wherry\r\n\x00\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\r\n" * 100 + b"x y z w\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_or_cut(served: Served, words: bytes) -> None:
    answer = raw(served, words)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 505 ", b"HTTP/1.0 400 "))


def test_a_head_that_is_too_large_is_refused(served: Served) -> None:
    assert served.answer(served.request(f"{BASE}/films", headers=f"x-much: {'a' * 300_000}\r\n"))[0] == 431
    many = "".join(f"x-{n}: {n}\r\n" for n in range(1000))
    assert served.answer(served.request(f"{BASE}/films", headers=many))[0] == 431


def test_a_long_query_is_read(served: Served) -> None:
    ids = ",".join(str(n) for n in range(1, 8000))
    assert served.answer(served.request(f"{BASE}/films?id=in.({ids})")) == (200, b'[{"id":1,"title":"M"}]')


def test_an_absolute_target_and_no_host_are_understood(served: Served) -> None:
    assert served.answer(served.request(f"http://elsewhere{BASE}/films?select=id")) == (200, b'[{"id":1}]')
    words = f"GET {BASE}/films?select=id HTTP/1.0\r\napikey: {token()}\r\n\r\n"
    assert served.answer(words.encode()) == (200, b'[{"id":1}]')


# Names


@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_any_name_is_read_and_written(served: Served, name: str) -> None:
    path = f"{BASE}/{quote(name, safe='')}"
    if name == "..":
        path = f"{BASE}/%2E%2E"
    assert served.answer(served.request(path)) == (200, b'[{"id":1,"title":"M"}]')
    headers = "content-type: application/json\r\ncontent-length: 8\r\nprefer: return=headers-only\r\n"
    answer = raw(served, served.request(path, method="POST", headers=headers, body=b'{"id":9}'))
    assert answer.startswith(b"HTTP/1.1 201 Created\r\n")
    (location,) = [line[10:].decode() for line in answer.split(b"\r\n") if line.lower().startswith(b"location: ")]
    assert served.answer(served.request(location)) == (200, b'[{"id":9,"title":null}]')
    assert served.answer(served.request(location, method="DELETE"))[0] == 204


@pytest.mark.parametrize(
    "target",
    [
        "/%FF",
        "/films%00",
        "/films/",
        "/films/1",
        "//films",
        "/%",
        "/%zz",
        "/\xff\xfe",
        "/%ED%A0%80",
        "/" + "a" * 5000,
        "/films;x=1",
        "/FILMS%C0%80",
        "x/films",
    ],
)
def test_names_that_there_are_not(served: Served, target: str) -> None:
    status, body = served.answer(served.request(f"{BASE}{target}"))
    assert (status in (400, 404), body.startswith(b'{"code":"PGRST')) == (True, True), (status, body)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("title=eq.%FF", 200),
        ("title=eq.\xff", 400),
        ("title=eq.%ED%A0%80", 200),
        ("title=eq.%00", 200),
        ("%FF=eq.1", 400),
        ("select=%FF", 400),
        ("order=%ED%B0%80", 400),
        ("title=like.%zz%", 200),
        ("&&&==&", 200),
        ("select", 200),
        ("=", 200),
        ("title=in.(%22%FF%22)", 200),
        ("or=(title.eq.%FF,id.eq.1)", 200),
    ],
)
def test_queries_of_any_bytes_are_understood_or_refused(served: Served, query: str, status: int) -> None:
    answer = served.answer(served.request(f"{BASE}/films?{query}"))
    assert answer[0] == status, answer


@pytest.mark.parametrize(
    "body", [b"\xff", b'{"title":"\xff"}', b'{"title":"\\ud800"}', b'{"\\ud800":1}', b"\xef\xbb\xbf{}", b"{"]
)
@pytest.mark.parametrize("kind", ["application/json", "text/csv", "application/x-www-form-urlencoded", "x" * 500])
def test_bodies_of_any_bytes_are_understood_or_refused(served: Served, body: bytes, kind: str) -> None:
    headers = f"content-type: {kind}\r\ncontent-length: {len(body)}\r\nprefer: tx=rollback\r\n"
    status, answer = served.answer(served.request(f"{BASE}/films", method="POST", headers=headers, body=body))
    assert status in (201, 400), answer


@pytest.mark.parametrize(
    "header",
    [
        "prefer",
        "range",
        "accept",
        "accept-profile",
        "authorization",
        "apikey",
        "origin",
        "x-request-id",
        "if-none-match",
    ],
)
def test_headers_of_any_bytes_are_understood_or_refused(served: Served, header: str) -> None:
    for value in ("\xff\xfe", "", ",;=\t", "Bearer \xe9", "a" * 5000, "0-" + "9" * 400, '"' * 99):
        status, body = served.answer(served.request(f"{BASE}/films", headers=f"{header}: {value}\r\n"))
        assert status in (200, 206, 304, 400, 401, 406, 416), (value, body)
