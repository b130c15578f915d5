"""A literal of the query string turned into what SQLite compares with; every function here is a `Literal.convert`.

They run when a request is bound, so a literal that makes no sense is an error of that request alone.
"""

import functools
import re
import sys
from collections.abc import Callable, Iterator

import msgspec
import re2

from wherry.errors import RangeError, RequestError
from wherry.schema.model import ColumnType
from wherry.statement import SQLiteValue

Convert = Callable[[str], SQLiteValue]

_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INT64 = range(-(2**63), 2**63)


def to_boolean(text: str) -> int:
    """Read a boolean as PostgreSQL does. Raises RequestError 22P02."""
    word = text.strip().lower()
    if word in _TRUE:
        return 1
    if word in _FALSE:
        return 0
    raise RequestError(
        f'invalid input syntax for type boolean: "{text[:100]}"', hint="Write true or false", code="22P02"
    )


def to_number_or_text(text: str) -> SQLiteValue:
    """Read a number where there is one: for values without an affinity of their own."""
    if not _NUMBER.fullmatch(text):
        return text
    try:
        number = int(text)
    except ValueError:
        return float(text)
    return number if number in _INT64 else float(number) if abs(number) < 10**300 else text


def to_number(text: str) -> SQLiteValue:
    """Read what is compared with a column that can hold numbers only. Raises RequestError 22P02 for anything else."""
    try:
        return int(text)
    except ValueError:
        if _NUMBER.fullmatch(text.strip()):
            return text
        raise RequestError(
            f'invalid input syntax for type integer: "{text[:100]}"', hint="Write a number", code="22P02"
        ) from None


def to_minified(text: str) -> str:
    """Take the spaces between the tokens out of JSON, and read `{1,2}` as the array [1,2]; another text stays."""
    try:
        return msgspec.json.format(text, indent=-1)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _to_array(text, "eq") if text.startswith("{") and text.endswith("}") else text


def to_json_scalar(text: str) -> SQLiteValue:
    """Read what a place inside JSON is compared with: JSON, of which numbers and words need no quotes."""
    if text.startswith(("{", "[")):
        return to_minified(text)
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        try:
            return msgspec.json.decode(text.encode(), type=str)
        except (msgspec.MsgspecError, UnicodeError):
            return text
    return to_number_or_text(text)


def to_blob(text: str) -> SQLiteValue:
    r"""Read PostgreSQL's hex form of bytes (`\x00ff`); another text stays a text."""
    if text.startswith("\\x"):
        try:
            return bytes.fromhex(text[2:])
        except ValueError:
            return text
    return text


_BY_TYPE: dict[ColumnType, Convert | None] = {
    ColumnType.BOOLEAN: to_boolean,
    ColumnType.BLOB: to_blob,
    ColumnType.UNTYPED: to_number_or_text,
}


def converter_of(type_: ColumnType) -> Convert | None:
    """Return how a literal is read that is compared with a value of the type; None: bound as the text it is."""
    return _BY_TYPE.get(type_)


# ---- limits ----------------------------------------------------------------------------------------------------


def to_limit(text: str) -> int:
    """Read `limit`. Raises RangeError PGRST103 for a negative one and RequestError PGRST100 for no number."""
    limit = _to_count(text, "limit")
    if limit < 0:
        raise RangeError(
            "Requested range not satisfiable",
            details="Limit should be greater than or equal to zero.",
            hint="Write limit=0 or more",
        )
    return limit


def to_offset(text: str) -> int:
    """Read `offset`; a negative one is none, as in PostgREST. Raises RequestError PGRST100 for no number."""
    return max(_to_count(text, "offset"), 0)


def _to_count(text: str, name: str) -> int:
    if not re.fullmatch(r"\s*-?[0-9]{1,30}\s*", text):
        raise RequestError(
            f"'{text[:50]}' is not a number of rows", details=f"in the parameter {name}", hint=f"Write {name}=10"
        )
    return min(int(text), _INT64[-1])


def to_capped_limit(text: str, *, cap: int) -> int:
    """Read `limit`, but never more rows than the server gives at once."""
    return min(to_limit(text), cap)


# ---- lists -----------------------------------------------------------------------------------------------------

_LIST_ITEM = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*(?=,|$)|([^,]*)', re.DOTALL)


def read_list(text: str, *, opening: str, closing: str, operator: str) -> list[str]:
    """Read `(a,"b,c")` or `{a,"b,c"}`. Raises RequestError PGRST100.

    As in PostgREST an item is quoted only if its quotes are all of it: `5" disk` is what it says.
    """
    if not (text.startswith(opening) and text.endswith(closing) and len(text) > 1):
        raise RequestError(
            f"'{operator}' takes a list in {opening}{closing}, not '{text[:50]}'",
            hint=f"Write {operator}.{opening}1,2,3{closing}; quote items that hold a comma",
        )
    inside = text[1:-1]
    if not inside.strip():
        return []
    if '"' not in inside:
        return inside.split(",")
    items: list[str] = []
    position = 0
    while position <= len(inside):
        found = _LIST_ITEM.match(inside, position)
        if found is None:
            raise AssertionError("an item may be empty")
        items.append(re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL) if found[1] is not None else found[2])
        position = found.end() + 1
    return items


def to_json_list(text: str, *, type_: ColumnType, convert: Convert | None = None) -> str:
    """Read the list of `in` as JSON text for json_each()."""
    items = read_list(text, opening="(", closing=")", operator="in")
    if convert is not None:
        return msgspec.json.encode([convert(item) for item in items]).decode()
    return _encode_items(items, type_)


def to_quantified_list(text: str, *, type_: ColumnType, convert: Convert | None = None) -> str:
    """Read the list of `eq(any)` and the like as JSON text for json_each()."""
    items = read_list(text, opening="{", closing="}", operator="(any)")
    if convert is not None:
        return msgspec.json.encode([convert(item) for item in items]).decode()
    return _encode_items(items, type_)


def _encode_items(items: list[str], type_: ColumnType) -> str:
    if type_ is ColumnType.BOOLEAN:
        return msgspec.json.encode([to_boolean(item) for item in items]).decode()
    if type_ is ColumnType.UNTYPED:
        both = [value for item in items for value in dict.fromkeys((item, to_number_or_text(item)))]
        return msgspec.json.encode(both).decode()
    return msgspec.json.encode(items).decode()


def to_document(text: str) -> str:
    """Read the right side of cs, cd and ov: JSON, or an array in braces. Raises RequestError 22P02.

    `{a,1}` becomes `["a",1]`, and `{}` is an empty array.
    """
    stripped = text.strip()
    try:
        document = msgspec.json.decode(stripped.encode()) if stripped != "{}" else []
        return msgspec.json.encode(document).decode()
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        if stripped.startswith("{"):
            return _to_array(stripped, "cs")
        raise RequestError(
            f"'{text[:100]}' is neither an array nor JSON",
            details=str(error),
            hint='Write {a,b}, ["a","b"] or {"key": "value"}',
            code="22P02",
        ) from error


def _to_array(text: str, operator: str) -> str:
    """Read PostgreSQL's form of an array, `{a,1}`, as JSON."""
    items = read_list(text, opening="{", closing="}", operator=operator)
    return msgspec.json.encode([to_number_or_text(item) for item in items]).decode()


# ---- patterns --------------------------------------------------------------------------------------------------


_LITERAL_PREFIX = re.compile(r"(?:[^%*_\\]|\\.)+", re.DOTALL)


def to_glob(text: str) -> str:
    """Turn a LIKE pattern (with * for %) into a GLOB pattern, which is case-sensitive as PostgreSQL's LIKE is."""
    glob = []
    characters = iter(text)
    for character in characters:
        if character in "%*":
            glob.append("*")
        elif character == "_":
            glob.append("?")
        else:
            if character == "\\":
                character = _after_escape(characters)  # noqa: PLW2901 - the escaped character takes its place
            glob.append(f"[{character}]" if character in "*?[" else character)
    return "".join(glob)


def to_prefix(text: str) -> str:
    """Return what every match of a LIKE pattern begins with."""
    return _prefix_of(text)


def to_prefix_end(text: str) -> SQLiteValue:
    """Return what is greater than every match of a LIKE pattern: the prefix' successor, a BLOB where there is none."""
    prefix = _prefix_of(text)
    while prefix:
        following = ord(prefix[-1]) + 1
        if following <= sys.maxunicode:
            # SQLite compares UTF-8 byte by byte, in which surrogates have no place
            return prefix[:-1] + chr(0xE000 if following == 0xD800 else following)
        prefix = prefix[:-1]
    return b""


def _prefix_of(text: str) -> str:
    found = _LITERAL_PREFIX.match(text)
    return "" if found is None else re.sub(r"\\(.)", r"\1", found.group(), flags=re.DOTALL)


def _after_escape(characters: Iterator[str]) -> str:
    following = next(characters, None)
    if following is None:
        raise RequestError(
            "LIKE pattern must not end with escape character", hint="Write two backslashes for one", code="22025"
        )
    return following


def to_like(text: str) -> str:
    """Turn * into %; a backslash escapes, also a *. Raises RequestError 22025 for a pattern that ends in one."""
    if "\\" not in text:
        return text.replace("*", "%")
    like = []
    characters = iter(text)
    for character in characters:
        if character == "\\":
            escaped = _after_escape(characters)
            like.append(escaped if escaped == "*" else "\\" + escaped)
        else:
            like.append("%" if character == "*" else character)
    return "".join(like)


def is_not_ascii(text: str) -> int:
    """Tell whether an ilike pattern needs Unicode's rules of case, which SQLite's LIKE does not know."""
    return 0 if text.isascii() else 1


@functools.lru_cache(maxsize=512)
def to_pattern(text: str) -> str:
    """Check a regular expression, which runs in linear time (RE2's syntax). Raises RequestError 2201B."""
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(text, options)
    except re2.error as error:
        raise RequestError(
            f"invalid regular expression: {_message_of(error)}",
            details=f"in the pattern {text[:200]}",
            hint="The syntax is RE2's: no backreferences and no lookaround",
            code="2201B",
        ) from error
    return text


def _message_of(error: Exception) -> str:
    message = error.args[0] if error.args else ""
    return message.decode(errors="replace") if isinstance(message, bytes) else str(message)
