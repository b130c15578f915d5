"""Results as responses: status, headers, bytes (https://docs.postgrest.org/en/stable/references/api.html)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote
from zlib import crc32

from wherry.asgi import Headers
from wherry.errors import CardinalityError, RangeError
from wherry.rest.api_request import ApiRequest, Format, Preferences, Resolution
from wherry.rest.plan import SortKey
from wherry.statement import Framing, SQLiteValue, WriteResult


class Response(NamedTuple):
    """What is sent."""

    status: int
    headers: Headers
    body: bytes = b""


def in_utf8(body: bytes) -> bytes:
    """Return a body as UTF-8: what is none becomes U+FFFD.

    SQLite keeps text as it was given and does not look at its encoding (https://www.sqlite.org/invalidutf.html);
    files of older programs hold text in Latin-1.
    """
    if body.isascii():
        return body
    try:
        body.decode()
    except UnicodeDecodeError:
        return body.decode(errors="replace").encode()
    return body


# ---- reading ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReadHeaders:
    """The headers of a read that its shape decides."""

    fixed: tuple[tuple[bytes, bytes], ...]

    @classmethod
    def of(cls, format_: Format, preferences: Preferences) -> "ReadHeaders":
        """Make the fixed headers of a form and of preferences."""
        headers = [(b"content-type", format_.content_type.encode())]
        applied = _applied(preferences, "count", "tx", "handling")
        return cls((*headers, *applied))


def read_status(*, rows: int, total: int | None, offset: int) -> int:
    """Return 200, or 206 when the total is known and larger.

    Raises RangeError for a page that starts past the last row (RFC 9110, 15.5.17).
    """
    if total is None:
        return 200
    if offset > total:
        error = RangeError(
            "Requested range not satisfiable",
            details=f"An offset of {offset} was requested, but there are only {total} rows.",
        )
        error.headers = {"content-range": f"*/{total}"}
        raise error
    return 206 if rows < total else 200


def content_range(*, rows: int, total: int | None, offset: int) -> bytes:
    """Write Content-Range: `0-9/20`, `*/0`, `0-9/*` where the total is not known."""
    shown = b"%d-%d" % (offset, offset + rows - 1) if rows and total != 0 else b"*"
    return b"%b/*" % shown if total is None else b"%b/%d" % (shown, total)


#: Larger pages carry no ETag: making one would cost more than a page of this size costs to send.
LARGEST_TAGGED = 4096


def entity_tag(body: bytes) -> bytes | None:
    """Return the ETag of a page (RFC 9110, 8.8.3), None for one that is too large to be worth it."""
    return None if len(body) > LARGEST_TAGGED else b'W/"%x-%x"' % (crc32(body), len(body))


def is_known(tag: bytes, if_none_match: bytes) -> bool:
    """Tell whether the client has what the tag stands for (RFC 9110, 13.1.2)."""
    return if_none_match.strip() == b"*" or tag in [known.strip() for known in if_none_match.split(b",")]


def require_single(rows: int) -> None:
    """Refuse a singular response of another number of rows than one. Raises CardinalityError PGRST116."""
    if rows != 1:
        raise CardinalityError(
            "Cannot coerce the result to a single JSON object",
            details=f"The result contains {rows} rows",
            hint="Filter by a unique key, or accept application/json",
        )


# ---- writing ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WriteForm:
    """How the result of a write is shown: which method did it, and what was preferred."""

    method: str
    path: str
    preferences: Preferences
    framing: Framing
    shows: bool
    key: tuple[str, ...]
    order: tuple[SortKey, ...]
    fixed: Headers  #: the headers that do not depend on the result

    @classmethod
    def of(
        cls,
        request: ApiRequest,
        path: str,
        framing: Framing,
        *,
        shows: bool,
        key: tuple[str, ...],
        order: tuple[SortKey, ...],
        resolves: bool,
    ) -> "WriteForm":
        """Make the form of a write. `resolves` says that what exists already is changed or left."""
        fixed = _applied(request.preferences, *_told(request.method, request.preferences, resolves=resolves))
        if shows:
            fixed.append((b"content-type", request.format.content_type.encode()))
        return cls(request.method, path, request.preferences, framing, shows, key, order, fixed)

    def respond(self, result: WriteResult) -> Response:
        """Make the response of a write that is durable."""
        headers = list(self.fixed)
        if self.method != "PUT":
            headers.append((b"content-range", self._content_range(result.affected)))
        if self.key and len(result.rows) == 1:
            headers.append((b"location", self._location(result.rows[0])))
        if not self.shows:
            return Response(self._status(result) if self.method == "POST" else 204, headers)
        return Response(self._status(result), headers, self._body(result.rows))

    def _status(self, result: WriteResult) -> int:
        if self.method == "POST" and self.preferences.resolution is Resolution.IGNORE:
            return 201  # whether a row is new or not, as in PostgREST
        creates = self.method in ("POST", "PUT")
        return 201 if creates and result.inserted else 200

    def _content_range(self, affected: int) -> bytes:
        total = affected if self.preferences.count is not None else None
        if self.method == "PATCH":
            return content_range(rows=affected, total=total, offset=0)
        return content_range(rows=0, total=total, offset=0)

    def _location(self, row: Sequence[SQLiteValue]) -> bytes:
        values = row[len(row) - len(self.key) :]
        filters = [
            f"{quote(name, safe='')}={'is.null' if value is None else 'eq.' + quote(_written(value), safe='')}"
            for name, value in zip(self.key, values, strict=True)
        ]
        return f"{quote(self.path)}?{'&'.join(filters)}".encode()

    def _body(self, rows: Sequence[tuple[SQLiteValue, ...]]) -> bytes:
        framing = self.framing
        if self.order and len(rows) > 1:
            rows = _sorted(rows, self.order)
        texts = [row[1] for row in rows]
        return framing.prefix + framing.separator.join(t for t in texts if isinstance(t, bytes)) + framing.suffix


def _sorted(rows: Sequence[tuple[SQLiteValue, ...]], order: tuple[SortKey, ...]) -> list[tuple[SQLiteValue, ...]]:
    """Sort rows by their last values as SQLite does; what stands there for texts and blobs says `write_compiler`.

    https://sqlite.org/datatype3.html#sort_order
    """
    result = list(rows)
    for position, key in reversed(list(enumerate(order, start=-len(order)))):
        null = -1 if key.nulls_first is not key.descending else 2

        def rank(row: tuple[SQLiteValue, ...], at: int = position, null: int = null) -> tuple[int, SQLiteValue]:
            value = row[at]
            if value is None:
                return null, 0
            return (1 if isinstance(value, str) else 0), value

        result.sort(key=rank, reverse=key.descending)
    return result


def _told(method: str, preferences: Preferences, *, resolves: bool) -> tuple[str, ...]:
    """Name the preferences that a write follows, in the order in which they are told."""
    match method:
        case "POST":
            return (*(("resolution",) if resolves else ()), "missing", "return", "count", "tx", "handling")
        case "PUT":
            return ("return", "count", "tx", "handling")
        case _:
            limited = ("max-affected",) if preferences.strict else ()
            return ("missing", "return", "count", "tx", "handling", *limited)


def _written(value: SQLiteValue) -> str:
    """Write a part of a key, whose texts come as bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _applied(preferences: Preferences, *names: str) -> Headers:
    applied = dict(preference.split("=", 1) for preference in preferences.applied)
    told = [f"{name}={applied[name]}" for name in names if name in applied]
    return [(b"preference-applied", ", ".join(told).encode())] if told else []
