"""The heads of requests: what one says, and its fields, found again by their bytes where they were read before.

A client sends the same fields with each of its requests, and what they mean depends on nothing but their bytes: the
parser's product is remembered, and a request of known fields is only cut into its parts. The parser decides what is
accepted; here nothing is, but what it has accepted already, byte for byte.

Only plain requests are found: one that has arrived whole and alone, of the methods of the API, in HTTP/1.1, whose
body has a Content-Length or is empty, and that asks nothing of the connection.

A proxy numbers the requests that it hands on. So one line is left out of what is compared: `X-Request-Id`, spelt so,
with letters and digits.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from wherry.asgi import header_map
from wherry.http1.limits import Limits

#: Heads that are remembered, the oldest forgotten first, and their largest size in bytes.
CAPACITY: Final = 1024
LARGEST: Final = 4096

#: What the parser takes for a target in origin form, but for the fragment that nobody should send.
_REQUEST_LINE = re.compile(rb'(GET|HEAD|POST|PATCH|PUT|DELETE|OPTIONS) (/[!"$-~]*) HTTP/1\.1\r\n').match
_NUMBERED = b"\r\nX-Request-Id: "
#: Fields with which a request is not plain.
_TELLING = frozenset((b"expect", b"transfer-encoding", b"upgrade", b"x-request-id"))


class Head(NamedTuple):
    """What the head of a request says; `fields` are its headers by name (see `asgi.header_map`), where they are known.

    `keeps_alive` says whether the client would keep the connection, `is_recent` whether it speaks HTTP/1.1, and
    `expects_continue` whether it sends its body only when it is told that it is wanted.
    """

    method: str
    target: bytes
    headers: Sequence[tuple[bytes, bytes]]
    keeps_alive: bool = True
    is_recent: bool = True
    expects_continue: bool = False
    fields: Mapping[bytes, bytes] | None = None


class _Known(NamedTuple):
    headers: tuple[tuple[bytes, bytes], ...]
    fields: Mapping[bytes, bytes]
    body_bytes: int  #: that follow the head


class KnownHeads:
    """Remembers heads for the connections of a process; a class because it remembers."""

    def __init__(self, limits: Limits) -> None:
        self._longest = min(limits.target, limits.head)  # a head of this size is within both
        self._most_fields = limits.headers - 1  # beside the number
        self._heads: dict[bytes, _Known] = {}
        self._patience = CAPACITY

    @property
    def _looks(self) -> bool:
        """Whether to look at a request: at few of them after many unknown ones, as of a proxy that numbers them."""
        return self._patience > 0 or self._patience % 32 == 0

    def find(self, data: bytes) -> tuple[Head, bytes] | None:
        """Return head and body of the request that the data is, if it is one, whole and alone, with known fields."""
        self._patience -= 1
        line = _REQUEST_LINE(data) if self._looks else None
        if line is None:
            return None
        lines, number, end = _cut(data, line.end())
        known = self._heads.get(lines)
        if known is None or len(data) != end + known.body_bytes or end > self._longest:
            return None
        self._patience = CAPACITY
        headers, fields, _ = known
        if number:
            headers, fields = (*headers, (b"x-request-id", number)), {**fields, b"x-request-id": number}
        return Head(line[1].decode(), line[2], headers, fields=fields), data[end:]

    def remember(self, data: bytes, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Remember the fields that the parser has read from a request, if it is plain: whole, and not the last."""
        line = _REQUEST_LINE(data) if self._looks else None
        if line is None:
            return
        lines, number, end = _cut(data, line.end())
        read = tuple([field for field in headers if not number or field != (b"x-request-id", number)])
        fields = header_map(read)
        if len(lines) > LARGEST or len(read) > self._most_fields:
            return
        if not _TELLING.isdisjoint(fields) or _fields_of(lines) != read:
            return
        length = fields.get(b"content-length", b"0")
        if not length.isdigit() or len(data) != end + int(length):
            return
        if len(self._heads) >= CAPACITY:
            del self._heads[next(iter(self._heads))]
        self._heads[lines] = _Known(read, fields, int(length))


def _cut(data: bytes, start: int) -> tuple[bytes, bytes, int]:
    """Return the lines of the fields without that of the request's number, the number, and where the head ends."""
    end = data.find(b"\r\n\r\n", start) + 4
    at = data.find(_NUMBERED, start - 2, end) + 2  # which is the beginning of the line
    if at >= start:
        after = data.find(b"\r\n", at) + 2
        number = data[at + len(_NUMBERED) - 2 : after - 2]
        if number.isalnum():
            return data[start:at] + data[after:end], number, end
    return data[start:end], b"", end


def _fields_of(lines: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Return the fields of lines as they should be: who writes them otherwise meets the parser each time."""
    fields = [line.partition(b":") for line in lines[:-4].split(b"\r\n")]
    return tuple([(name.lower(), value.strip(b" \t")) for name, _, value in fields])
