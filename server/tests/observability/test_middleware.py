"""What every request passes: an id, an observation, an answer whatever happens."""

import asyncio
import json

import pytest

from wherry.asgi import Message, Receive, Scope, Send, read_body, respond
from wherry.errors import ApiError, ClientGone, DatabaseBusy, RequestError, SchemaError, TooLarge
from wherry.middleware import CrossOrigin
from wherry.observe import Observation, RequestServed, ResponseBrokenOff, UnexpectedError

from .conftest import Client, films

pytestmark = pytest.mark.anyio

JSON = b"application/json; charset=utf-8"


def failing(error: BaseException, *, after: int = 0) -> Client:
    """Return a client of an application that fails after it has sent so many messages."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = [
            {"type": "http.response.start", "status": 200},
            {"type": "http.response.body", "body": b"[1,", "more_body": True},
        ]
        for message in messages[:after]:
            await send(message)
        raise error

    return Client(application)


async def test_a_request_is_observed_with_what_the_room_told() -> None:
    client = Client(films)
    answer = await client.ask("GET", "/api/rest/v1/films", "select=*", x_request_id="abc.1", user_agent="curl/8")
    assert (answer.status, answer.body, answer.complete) == (200, b"[1]", True)
    assert answer.headers == [
        (b"content-type", b"application/json"),
        (b"content-length", b"3"),
        (b"x-request-id", b"abc.1"),
    ]
    [served] = client.observed
    assert isinstance(served, RequestServed)
    assert 0 < served.seconds < 10
    assert served._replace(seconds=0) == RequestServed(
        method="GET",
        route="/api/rest/v1/films",
        status=200,
        seconds=0,
        bytes_out=3,
        request_id="abc.1",
        role="anon",
        path=b"/api/rest/v1/films",
        query=b"select=*",
        remote_address="10.0.0.9",
        user_agent=b"curl/8",
    )


async def test_each_request_without_an_id_gets_one_of_its_own() -> None:
    client = Client(films)
    ids = {(await client.ask("GET")).header(b"x-request-id") for _ in range(20)}
    ids |= {(await Client(films).ask("GET")).header(b"x-request-id")}
    assert len(ids) == 21


@pytest.mark.parametrize("bad", ["", "a b", 'a"b', "a\nb", "ä", "x" * 65])
async def test_an_id_of_other_characters_is_not_taken_over(bad: str) -> None:
    answer = await Client(films).ask("GET", x_request_id=bad)
    made = answer.header(b"x-request-id")
    assert made is not None
    assert made.decode() != bad
    assert made.replace(b"-", b"").isalnum()


async def test_an_api_error_is_its_status_and_its_four_members() -> None:
    error = SchemaError("Could not find 'flims'", details="in the path", hint="Perhaps you meant 'films'", status=404)
    client = failing(error)
    answer = await client.ask("GET", x_request_id="r1")
    assert answer.status == 404
    assert json.loads(answer.body) == {
        "code": "PGRST200",
        "message": "Could not find 'flims'",
        "details": "in the path",
        "hint": "Perhaps you meant 'films'",
    }
    assert answer.headers == [
        (b"content-type", JSON),
        (b"proxy-status", b"PostgREST; error=PGRST200"),
        (b"content-length", b"%d" % len(answer.body)),
        (b"x-request-id", b"r1"),
    ]
    [served] = client.observed
    assert isinstance(served, RequestServed)
    assert served.status == 404


async def test_an_error_of_a_class_with_headers_has_them() -> None:
    answer = await failing(DatabaseBusy("The database is locked")).ask("GET")
    assert (answer.status, answer.header(b"retry-after")) == (503, b"1")


async def test_a_message_with_half_a_surrogate_pair_is_still_json() -> None:
    answer = await failing(RequestError("'\ud800' is not an operator")).ask("GET")
    assert json.loads(answer.body)["message"] == "'\ud800' is not an operator"


async def test_an_unexpected_error_tells_the_client_its_id_and_the_log_its_cause() -> None:
    error = RuntimeError("secret detail")
    client = failing(error)
    answer = await client.ask("GET", x_request_id="r1")
    assert answer.status == 500
    assert json.loads(answer.body) == {
        "code": "PGRSTX00",
        "message": "Internal error in request r1",
        "details": None,
        "hint": "The server's log says more under this id.",
    }
    unexpected, served = client.observed
    assert unexpected == UnexpectedError("r1", error)
    assert isinstance(served, RequestServed)
    assert served.status == 500


UNEXPECTED = RuntimeError("x")


@pytest.mark.parametrize(
    ("error", "told"),
    [(UNEXPECTED, UnexpectedError("r1", UNEXPECTED)), (ApiError("x"), ResponseBrokenOff("r1", "x"))],
)
@pytest.mark.parametrize("after", [1, 2])
async def test_a_response_that_has_started_is_broken_off(error: Exception, told: Observation, after: int) -> None:
    client = failing(error, after=after)
    answer = await client.ask("GET", x_request_id="r1")
    assert (answer.status, answer.complete, len(client.sent)) == (200, False, after)
    unexpected, served = client.observed
    assert unexpected == told
    assert isinstance(served, RequestServed)
    assert served.status == 500


async def test_a_client_that_went_away_is_not_an_error() -> None:
    client = failing(ClientGone())
    await client.ask("POST")
    assert client.sent == []
    [served] = client.observed
    assert isinstance(served, RequestServed)
    assert served.status == 499


async def test_cancellation_passes_through_and_is_observed() -> None:
    client = failing(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await client.ask("GET")
    [served] = client.observed
    assert isinstance(served, RequestServed)
    assert served.status == 499


async def test_an_application_that_answers_nothing_is_observed_as_a_failure() -> None:
    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        pass

    client = Client(silent)
    await client.ask("GET")
    [served] = client.observed
    assert isinstance(served, RequestServed)
    assert served.status == 500


async def test_a_head_has_the_headers_of_a_get_and_no_body() -> None:
    client = Client(films)
    got, headed = [await client.ask(method, x_request_id="r1") for method in ("GET", "HEAD")]
    assert (headed.status, headed.headers, headed.body) == (got.status, got.headers, b"")
    served = client.observed[-1]
    assert isinstance(served, RequestServed)
    assert served.bytes_out == 0


async def test_lifespan_and_websocket_pass_unchanged() -> None:
    seen: list[Scope] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    client = Client(application)
    for kind in ("lifespan", "websocket"):
        await client.middleware({"type": kind}, None, None)  # type: ignore[arg-type]
    assert (seen, client.observed) == ([{"type": "lifespan"}, {"type": "websocket"}], [])


async def test_a_scope_without_raw_path_and_client_is_observed() -> None:
    client = Client(films)

    async def send(message: Message) -> None:
        client.sent.append(message)

    scope: Scope = {"type": "http", "method": "GET", "path": "/ä", "query_string": b"", "headers": []}
    await client.middleware(scope, None, send)  # type: ignore[arg-type]
    [served] = client.observed
    assert isinstance(served, RequestServed)
    assert (served.path, served.remote_address) == ("/ä".encode(), None)


async def test_a_preflight_is_answered_without_the_application() -> None:
    client = failing(RuntimeError("not reached"))
    answer = await client.ask(
        "OPTIONS",
        origin="https://app.example.org",
        access_control_request_method="PATCH",
        access_control_request_headers="apikey, x-mine",
        x_request_id="r1",
    )
    assert (answer.status, answer.body, answer.complete) == (204, b"", True)
    assert answer.headers == [
        (b"access-control-allow-methods", b"GET,POST,PATCH,PUT,DELETE,OPTIONS,HEAD"),
        (b"access-control-allow-headers", b"apikey, x-mine"),
        (b"access-control-max-age", b"86400"),
        (b"vary", b"Access-Control-Request-Headers"),
        (b"x-request-id", b"r1"),
        (b"access-control-allow-origin", b"*"),
        (
            b"access-control-expose-headers",
            (
                b"Content-Range,Content-Location,Location,Preference-Applied,ETag,Proxy-Status,Retry-After,"
                b"WWW-Authenticate,X-Request-Id"
            ),
        ),
    ]
    [served] = client.observed
    assert isinstance(served, RequestServed)
    assert (served.route, served.status) == ("preflight", 204)


@pytest.mark.parametrize("asked", ["", "a\x01b", 'a"b', "x" * 1025])
async def test_a_preflight_for_what_is_no_list_of_names_gets_the_usual_headers(asked: str) -> None:
    answer = await Client(films).ask(
        "OPTIONS", origin="x", access_control_request_method="GET", access_control_request_headers=asked
    )
    allowed = answer.header(b"access-control-allow-headers")
    assert allowed is not None
    assert allowed.startswith(b"authorization,apikey,content-type,prefer,range")


async def test_an_options_that_is_no_preflight_goes_to_the_application() -> None:
    answer = await Client(films).ask("OPTIONS", origin="https://app.example.org")
    assert (answer.status, answer.body) == (200, b"[1]")
    answer = await Client(films).ask("OPTIONS", access_control_request_method="GET")
    assert (answer.status, answer.body) == (200, b"[1]")


async def test_errors_have_the_cross_origin_headers_too() -> None:
    for error in (RequestError("no"), RuntimeError("no")):
        answer = await failing(error).ask("GET", origin="https://app.example.org")
        assert answer.header(b"access-control-allow-origin") == b"*"


async def test_listed_origins_are_allowed_and_no_others() -> None:
    client = Client(films, CrossOrigin(frozenset({"https://app.example.org"})))
    answers = [
        await client.ask("GET", origin="https://app.example.org"),
        await client.ask("GET", origin="https://evil.example.org"),
        await client.ask("GET"),
    ]
    allowed = [(answer.header(b"access-control-allow-origin"), answer.header(b"vary")) for answer in answers]
    assert allowed == [(b"https://app.example.org", b"Origin"), (None, b"Origin"), (None, b"Origin")]


def receiving(*messages: Message) -> Receive:
    """Return a `receive` that gives these messages."""
    remaining = iter(messages)

    async def receive() -> Message:
        return next(remaining)

    return receive


def piece(body: bytes, *, more: bool) -> Message:
    """Return a message with a piece of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_is_read_whole() -> None:
    assert await read_body(receiving(piece(b"ab", more=False)), 2) == b"ab"
    assert await read_body(receiving(piece(b"a", more=True), piece(b"b", more=False)), 2) == b"ab"
    assert await read_body(receiving({"type": "http.request"}), 2) == b""


async def test_a_body_over_the_limit_is_refused_as_soon_as_it_is_known() -> None:
    for messages in ([piece(b"abc", more=False)], [piece(b"ab", more=True), piece(b"c", more=True)]):
        with pytest.raises(TooLarge, match="larger than 2 bytes"):
            await read_body(receiving(*messages), 2)


async def test_a_client_that_goes_away_while_its_body_is_read_is_gone() -> None:
    for messages in ([{"type": "http.disconnect"}], [piece(b"a", more=True), {"type": "http.disconnect"}]):
        with pytest.raises(ClientGone):
            await read_body(receiving(*messages), 2)


async def test_responses_that_cannot_have_a_length_have_none() -> None:
    for status in (204, 304):
        sent: list[Message] = []

        async def send(message: Message, sent: list[Message] = sent) -> None:
            sent.append(message)

        await respond(send, status, [])
        assert sent == [
            {"type": "http.response.start", "status": status, "headers": []},
            {"type": "http.response.body", "body": b""},
        ]
