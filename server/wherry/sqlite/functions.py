"""The SQL functions that PostgREST's operators need and SQLite lacks, registered on every connection.

| function | operator | meaning |
| --- | --- | --- |
| `regexp_match(value, pattern, ignore_case)` | `match`, `imatch` | RE2 finds the pattern, in time linear in the text |
| `ilike(value, pattern)` | `ilike` | LIKE with `%`, `_`, backslash; case ignored in all of Unicode |
| `json_contains(document, wanted)` | `cs`, `cd` | PostgreSQL's `@>` of jsonb |
| `json_overlaps(a, b)` | `ov` | PostgreSQL's `&&`: two arrays share an element |
| `text_search(value, search, stems)` | `fts` … | the words of a text, where no index answers; see `text_search` |
| `json_strip_nulls(document)` | `nulls=stripped` | the JSON without the members, at any depth, that are null |

The operators' give 1, 0, or NULL: for a NULL, and for what cannot be read as asked. They never raise, because one odd
row must not make a table unreadable; a pattern is checked by `compile_pattern` before a statement is run.
"""

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Final, TypeAlias

import apsw
import msgspec
import re2

from wherry.errors import RequestError
from wherry.sqlite.encoding import takers_of_utf8, utf8_of
from wherry.sqlite.text_search import text_searcher
from wherry.statement import SQLiteValue

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Truth: TypeAlias = int | None
Search: TypeAlias = Callable[[bytes], object]

#: json_contains compares containers pairwise; beyond this many pairs it gives NULL rather than hold up the server.
COMPARISONS: Final = 100_000

_decode = msgspec.json.Decoder().decode


def register_functions(connection: apsw.Connection) -> None:
    """Register the functions; they may stand in indexes, views and triggers."""
    taking = takers_of_utf8(connection)
    own = (regexp_match, ilike, json_contains, json_overlaps, json_strip_nulls, text_searcher(connection))
    for function in own:
        connection.create_scalar_function(
            function.__name__,
            taking(function),
            function.__code__.co_argcount,
            deterministic=True,
            flags=apsw.SQLITE_INNOCUOUS,
        )


def compile_pattern(pattern: str) -> str:
    """Return `pattern` if it is a regular expression that RE2 knows, else raise RequestError (2201B)."""
    try:
        _search(pattern, False)
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0] if isinstance(error, re2.error) else b"it is no UTF-8"
        raise RequestError(
            f"invalid regular expression: {_text(reason)}",
            code="2201B",
            details=f"in the pattern {pattern!r}",
            hint="Write an RE2 expression: no look-around, no back references. https://github.com/google/re2/wiki/Syntax",
        ) from error
    return pattern


def regexp_match(value: SQLiteValue, pattern: SQLiteValue, ignore_case: SQLiteValue) -> Truth:
    """Return whether RE2 finds `pattern` anywhere in `value`; `.` matches a newline as in PostgreSQL."""
    text = utf8_of(value)
    if text is None or not isinstance(pattern, str):
        return None
    try:
        search = _search(pattern, bool(ignore_case))
    except (re2.error, UnicodeEncodeError):
        return None
    return 1 if search(text) is not None else 0


def ilike(value: SQLiteValue, pattern: SQLiteValue) -> Truth:
    """Return whether the whole of `value` is like `pattern`, upper and lower case being the same letter."""
    text = utf8_of(value)
    if text is None or not isinstance(pattern, str):
        return None
    try:
        match = _like(pattern)
    except (re2.error, UnicodeEncodeError):
        return None
    return 1 if match(text) is not None else 0


@lru_cache(maxsize=256)
def _search(pattern: str, ignore_case: bool) -> Search:
    search: Search = re2.compile(pattern.encode(), _options(ignore_case)).search
    return search


@lru_cache(maxsize=256)
def _like(pattern: str) -> Search:
    match: Search = re2.compile(_like_to_regexp(pattern).encode(), _options(True)).fullmatch
    return match


def _like_to_regexp(pattern: str) -> str:
    """Rewrite a LIKE pattern; a backslash takes the next character literally, a last one itself."""
    parts = []
    characters = iter(pattern)
    for character in characters:
        match character:
            case "%":
                parts.append(".*")
            case "_":
                parts.append(".")
            case "\\":
                parts.append(re2.escape(next(characters, "\\")))
            case _:
                parts.append(re2.escape(character))
    return "".join(parts)


def _options(ignore_case: bool) -> re2.Options:
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.dot_nl = True
    options.never_capture = True
    options.log_errors = False
    return options


def _text(reason: bytes | str) -> str:
    return reason.decode(errors="replace") if isinstance(reason, bytes) else reason


def json_contains(document: SQLiteValue, wanted: SQLiteValue) -> Truth:
    """Return whether `document` has all that `wanted` has (PostgreSQL's `document @> wanted`).

    https://www.postgresql.org/docs/current/datatype-json.html#JSON-CONTAINMENT
    """
    try:
        left, right = _json(document), _json(wanted)
        if isinstance(left, list) and not isinstance(right, list | dict):
            right = [right]  # the rule's one exception: an array at the top contains a bare scalar
        return int(_Containment().holds(left, right))
    except (ValueError, RecursionError):
        return None


def json_overlaps(a: SQLiteValue, b: SQLiteValue) -> Truth:
    """Return whether two JSON arrays share an element (PostgreSQL's `a && b` of arrays); nulls are never shared."""
    try:
        left, right = _json(a), _json(b)
        if not isinstance(left, list) or not isinstance(right, list):
            return None
        known = {_key(element) for element in left if element is not None}
        return int(any(_key(element) in known for element in right))
    except (ValueError, RecursionError):
        return None


def json_strip_nulls(document: SQLiteValue) -> SQLiteValue:
    """Return JSON text without the members, at any depth, that are null; what cannot be read as it is."""
    if isinstance(document, bytes):
        document = document.decode(errors="replace")
    if not isinstance(document, str) or "null" not in document:
        return document
    try:
        return msgspec.json.encode(_without_nulls(_decode(document))).decode()
    except (ValueError, RecursionError):
        return document


def _without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    return [_without_nulls(element) for element in value] if isinstance(value, list) else value


def _json(value: SQLiteValue) -> Json:
    """Decode JSON; raise ValueError for NULL and for what is none."""
    if value is None:
        raise ValueError("NULL")
    if isinstance(value, int | float):
        return value
    json: Json = _decode(value)
    return json


class _Containment:
    """One question of containment, which counts its comparisons."""

    def __init__(self) -> None:
        self._left = COMPARISONS

    def holds(self, document: Json, wanted: Json) -> bool:
        """Return whether `document` contains `wanted`; raise ValueError when it takes too long to tell."""
        self._left -= 1
        if self._left < 0:
            raise ValueError("too many comparisons")
        if isinstance(document, dict) and isinstance(wanted, dict):
            return all(key in document and self.holds(document[key], value) for key, value in wanted.items())
        if isinstance(document, list) and isinstance(wanted, list):
            return self._array_holds(document, wanted)
        if isinstance(document, list | dict) or isinstance(wanted, list | dict):
            return False
        return _key(document) == _key(wanted)

    def _array_holds(self, document: list[Json], wanted: list[Json]) -> bool:
        containers = [element for element in document if isinstance(element, list | dict)]
        scalars = {_key(element) for element in document if not isinstance(element, list | dict)}
        for element in wanted:
            if isinstance(element, list | dict):
                if not any(self.holds(container, element) for container in containers):
                    return False
            elif _key(element) not in scalars:
                return False
        return True


def _key(value: Json) -> Hashable:
    """Return something that is equal exactly where the JSON values are: 1 is 1.0 and not true."""
    match value:
        case bool():
            return ("boolean", value)
        case dict():
            return ("object", frozenset((name, _key(member)) for name, member in value.items()))
        case list():
            return ("array", *[_key(element) for element in value])
    return value
