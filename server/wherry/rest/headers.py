"""The request headers that the dialect gives a meaning: Prefer, Accept, Range, Content-Type, profiles."""

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from wherry.errors import NotAcceptable, PreferenceError, RangeError, UnknownProfile
from wherry.rest.api_request import Count, Format, MediaType, Preferences, Resolution, Return

#: Headers by their lower-case names.
HeaderMap: TypeAlias = Mapping[bytes, bytes]


def text_of(headers: HeaderMap, name: bytes) -> str:
    """Return a header's value, empty where it is absent."""
    return headers.get(name, b"").decode("latin-1")


#: The one schema that is served, by the name that the clients use for it.
PROFILE = "public"


def parse_preferences(header: str) -> Preferences:
    """Read `Prefer` (RFC 7240, 2): the first of a name counts.

    What is not known is ignored; with `handling=strict` it is refused: PreferenceError PGRST122.
    """
    seen: dict[str, str] = {}
    for preference in header.split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip():
            seen.setdefault(name.strip().lower(), value.strip().strip('"'))
    known = {name: value for name, value in seen.items() if _is_known(name, value)}
    if seen.get("handling") == "strict" and len(known) < len(seen):
        unknown = ", ".join(f"{name}={value}" if value else name for name, value in seen.items() if name not in known)
        raise PreferenceError(
            "Invalid preferences given with handling=strict",
            details=f"Invalid preferences: {unknown}",
            hint="Leave them out, or send handling=lenient",
        )
    return Preferences(
        returns=Return(known["return"]) if "return" in known else None,
        count=Count(known["count"]) if "count" in known else None,
        resolution=Resolution(known["resolution"]) if "resolution" in known else None,
        missing_default=known.get("missing") == "default",
        strict=known.get("handling") == "strict",
        rollback=known.get("tx") == "rollback",
        max_affected=int(known["max-affected"]) if "max-affected" in known else None,
        applied=tuple(f"{name}={value}" for name, value in known.items()),
    )


_VALUES = {
    "return": frozenset(Return),
    "count": frozenset(Count),
    "resolution": frozenset(Resolution),
    "missing": frozenset({"default", "null"}),
    "handling": frozenset({"strict", "lenient"}),
    "tx": frozenset({"commit", "rollback"}),
}


def _is_known(name: str, value: str) -> bool:
    if name == "max-affected":
        return value.isascii() and value.isdigit() and len(value) <= 18  # fits 64 bits
    return value in _VALUES.get(name, ())


def parse_accept(header: str) -> Format:
    """Choose the form of the body (RFC 9110 section 12.5.1). Raises NotAcceptable PGRST107."""
    for media_range, parameters in _by_quality(header):
        if media_range in ("*/*", "application/*"):
            return Format()
        if media_range == "text/*":
            return Format(MediaType.CSV)
        media_type = _ALIASES.get(media_range, media_range)
        if media_type in _MEDIA_TYPES:
            stripped = parameters.get("nulls") == "stripped"
            return Format(MediaType(media_type), stripped and MediaType(media_type) in _CAN_STRIP)
    raise NotAcceptable(
        f"None of these media types are available: {header[:200]}",
        hint="Accept one of " + ", ".join(sorted(_MEDIA_TYPES)),
    )


#: What rows can be; the description of the API has a place of its own.
_MEDIA_TYPES = frozenset(MediaType) - {MediaType.OPENAPI}
_ALIASES = {"application/vnd.pgrst.object": MediaType.SINGULAR, "application/vnd.pgrst.array": MediaType.ARRAY}
_CAN_STRIP = frozenset({MediaType.SINGULAR, MediaType.ARRAY})


def _by_quality(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the media ranges that are asked, the most wanted first; no header asks for anything."""
    ranges: list[tuple[float, str, dict[str, str]]] = []
    for item in header.split(",") if header.strip() else ["*/*"]:
        media_range, *rest = [part.strip() for part in item.split(";")]
        parameters = {}
        for parameter in rest:
            name, _, value = parameter.partition("=")
            parameters[name.strip().lower()] = value.strip().strip('"').lower()
        quality = _read_quality(parameters.get("q", "1"))
        if quality > 0:
            ranges.append((quality, media_range.lower(), parameters))
    ranges.sort(key=lambda item: -item[0])
    for _, media_range, parameters in ranges:
        yield media_range, parameters


def _read_quality(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](\.[0-9]{0,3})?", text) else 1.0


_RANGE = re.compile(r"\s*(?:items=)?([0-9]{1,18})-([0-9]{1,18})?\s*")


def parse_range(header: str) -> tuple[str, str | None] | None:
    """Read `Range: 0-9` as (offset, limit) in decimal; None for a header of another unit, which is ignored.

    Raises RangeError PGRST103 when the range ends before it starts.
    """
    found = _RANGE.fullmatch(header)
    if found is None:
        return None
    first = int(found[1])
    if found[2] is None:
        return str(first), None
    last = int(found[2])
    if last < first:
        raise RangeError(
            "Requested range not satisfiable",
            details="The lower boundary must be lower than or equal to the upper boundary in the Range header.",
            hint=f"Write Range: {last}-{first}",
        )
    return str(first), str(last - first + 1)


def check_profile(header: str, name: str) -> None:
    """Refuse a schema that is not served. Raises UnknownProfile PGRST106."""
    if header != PROFILE:
        raise UnknownProfile(
            f"Invalid schema: {header[:100]}",
            details=f"in the header {name}",
            hint=f"Only the following schemas are exposed: {PROFILE}",
        )
