"""The answers to what is no request: made once, sent before the connection is closed.

They have PostgREST's error body, as every other error.
"""

from dataclasses import dataclass
from http import HTTPStatus
from json import dumps

from wherry.errors import ApiError

#: RFC 9110's phrases where Python's, of some versions, are older.
_PHRASES = {413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}
#: Status lines of all that HTTP has a phrase for.
STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {_PHRASES.get(status.value, status.phrase)}\r\n".encode()
    for status in HTTPStatus
}


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """A whole response, after which the connection is closed; raised where a head cannot be accepted.

    `size` is that of its body, in bytes.
    """

    response: bytes
    status: int
    size: int


def _refusal(status: int, code: str, message: str, hint: str, header: str = "") -> Refusal:
    body = dumps(ApiError(message, hint=hint, code=code, status=status).body(), separators=(",", ":")).encode()
    head = f"content-type: application/json; charset=utf-8\r\ncontent-length: {len(body)}\r\n{header}connection: close"
    return Refusal(STATUS_LINES[status] + head.encode() + b"\r\n\r\n" + body, status, len(body))


def malformed(reason: str) -> Refusal:
    """Refuse what cannot be read as a request; `reason` is the parser's."""
    return _refusal(400, "PGRST100", f"The request is not HTTP/1.1: {reason}", "Send what RFC 9112 describes")


NO_HOST = _refusal(400, "PGRST100", "The request does not name one host", "Send one Host header")
BODY_BROKEN_OFF = malformed("the body ends too early")
NO_TUNNEL = _refusal(405, "PGRST117", "Unsupported HTTP method: CONNECT", "This is no proxy")
TOO_SLOW = _refusal(408, "PGRST100", "The request did not arrive in time", "Send it again, at once")
TARGET_TOO_LONG = _refusal(414, "PGRST100", "The URL is too long", "Use fewer or shorter filters")
EXPECTATION = _refusal(417, "PGRST100", "Only 100-continue can be expected", "Leave Expect out")
HEAD_TOO_LARGE = _refusal(
    431, "PGRST100", "The request's header fields are too many or too large", "Send fewer or shorter ones"
)
NO_ANSWER = _refusal(500, "PGRSTX00", "The request was not answered", "The server's log may say more")
CODING = _refusal(501, "PGRST100", "The only transfer coding is chunked", "Send the body uncompressed")
FULL = _refusal(503, "PGRST000", "Too many connections", "Come back later, or close those in use", "retry-after: 1\r\n")
VERSION = _refusal(505, "PGRST100", "Only HTTP/1.1 and HTTP/1.0 are spoken here", "Use HTTP/1.1")
