"""A literal of the query string turned into what SQLite compares with; every function here is a `Literal.convert`.

They run when a request is bound, so a literal that makes no sense is an error of that request alone.
"""

import functools
import re
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
    return _to_count(text, "limit", "Limit should be greater than or equal to zero.")


def to_offset(text: str) -> int:
    """Read `offset`; errors as `to_limit`."""
    return _to_count(text, "offset", "Offset should be greater than or equal to zero.")


def _to_count(text: str, name: str, negative: str) -> int:
    if not re.fullmatch(r"\s*-?[0-9]{1,30}\s*", text):
        raise RequestError(
            f"'{text[:50]}' is not a number of rows", details=f"in the parameter {name}", hint=f"Write {name}=10"
        )
    number = int(text)
    if number < 0:
        raise RangeError("Requested range not satisfiable", details=negative, hint=f"Write {name}=0 or more")
    return min(number, _INT64[-1])


def to_capped_limit(text: str, *, cap: int) -> int:
    """Read `limit`, but never more rows than the server gives at once."""
    return min(to_limit(text), cap)


# ---- lists -----------------------------------------------------------------------------------------------------

_LIST_ITEM = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,"]*))\s*', re.DOTALL)


def read_list(text: str, *, opening: str, closing: str, operator: str) -> list[str]:
    """Read `(a,"b,c")` or `{a,"b,c"}`. Raises RequestError PGRST100."""
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
    items = []
    position = 0
    while True:
        found = _LIST_ITEM.match(inside, position)
        end = len(inside) if found is None else found.end()
        if found is None or (end < len(inside) and inside[end] != ","):
            raise RequestError(
                f"A quote in the list of '{operator}' is not closed",
                details=f"in {text[:100]}",
                hint=f'Write {operator}.{opening}"a, b","c"{closing}; put a backslash before a quote inside',
            )
        items.append(re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL) if found[1] is not None else found[2])
        if end == len(inside):
            return items
        position = end + 1


def to_json_list(text: str, *, type_: ColumnType) -> str:
    """Read the list of `in` as JSON text for json_each()."""
    return _encode_items(read_list(text, opening="(", closing=")", operator="in"), type_)


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
    """Read the right side of cs, cd and ov: an array in braces, or JSON. Raises RequestError 22P02.

    `{a,b}` (an array of texts) becomes `["a","b"]` with a leading `{` mark, for its items match numbers as well.
    """
    stripped = text.strip()
    if stripped.startswith("{") and ":" not in stripped.partition(",")[0]:
        return msgspec.json.encode(
            [to_number_or_text(item) for item in read_list(stripped, opening="{", closing="}", operator="cs")]
        ).decode()
    try:
        return msgspec.json.encode(msgspec.json.decode(stripped.encode())).decode()
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise RequestError(
            f"'{text[:100]}' is neither an array nor JSON",
            details=str(error),
            hint='Write {a,b}, ["a","b"] or {"key": "value"}',
            code="22P02",
        ) from error


# ---- patterns --------------------------------------------------------------------------------------------------


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


def _after_escape(characters: Iterator[str]) -> str:
    following = next(characters, None)
    if following is None:
        raise RequestError(
            "LIKE pattern must not end with escape character", hint="Write two backslashes for one", code="22025"
        )
    return following


def to_like(text: str) -> str:
    """Turn * into %; a backslash escapes. Raises RequestError 22025 for a pattern that ends in one."""
    if text.endswith("\\") and (len(text) - len(text.rstrip("\\"))) % 2:
        _after_escape(iter(()))
    return text.replace("*", "%")


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


# ---- full text -------------------------------------------------------------------------------------------------

_TSQUERY_TOKEN = re.compile(r"\s*(?:(<->|<\d+>|[&|!()])|'((?:[^']|'')*)'(:[\w*]*)?|([^\s&|!()<':]+)(:[\w*]*)?)\s*")
_WEB_TOKEN = re.compile(r'\s*(-)?(?:"([^"]*)"?|(\S+))\s*')


def to_match(text: str, *, syntax: str, columns: tuple[str, ...]) -> str:
    """Turn a search into an FTS5 query (https://sqlite.org/fts5.html#full_text_query_syntax) over some columns.

    `syntax` is PostgREST's operator: fts (to_tsquery), plfts (all words), phfts (the phrase), wfts (as search engines).
    Raises RequestError 42601 for a query that cannot be read.
    """
    match syntax:
        case "plfts":
            query = " AND ".join(_phrase(word) for word in text.split())
        case "phfts":
            query = _phrase(text) if text.strip() else ""
        case "wfts":
            query = _read_web_search(text)
        case _:
            query = _TsQuery(text).read()
    if not query:
        return '""'
    names = " ".join('"' + name.replace('"', '""') + '"' for name in columns)
    return f"{{{names}}} : ({query})"


def _phrase(text: str) -> str:
    return '"' + text.replace('"', '""').replace("\x00", " ") + '"'


def _read_web_search(text: str) -> str:
    """Words must all occur, "…" is a phrase, `or` between two is either, `-` before one means not."""
    alternatives: list[tuple[list[str], list[str]]] = [([], [])]
    for found in _WEB_TOKEN.finditer(text):
        negated, quoted, word = found.groups()
        if word is not None and word.lower() == "or" and not negated:
            alternatives.append(([], []))
            continue
        content = quoted if quoted is not None else word
        if content.strip('"').strip():
            alternatives[-1][1 if negated else 0].append(_phrase(content))
    parts = []
    for wanted, unwanted in alternatives:
        if not wanted and unwanted:
            raise _bad_search(text, "a search cannot consist of excluded words alone")
        if wanted:
            parts.append("(" + " NOT ".join([" AND ".join(wanted), *unwanted]) + ")")
    return " OR ".join(parts)


def _bad_search(text: str, problem: str) -> RequestError:
    return RequestError(
        f'syntax error in tsquery: "{text[:100]}"',
        details=problem,
        hint="Write words joined by & | ! and <->, for example fts.cat & (dog | 'sea lion'); "
        "or use plfts for plain words and wfts for a search as people type it",
        code="42601",
    )


class _TsQuery:
    """A reader of PostgreSQL's tsquery (https://www.postgresql.org/docs/current/datatype-textsearch.html)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.token: re.Match[str] | None = None
        self.depth = 0
        self.advance()

    def advance(self) -> None:
        self.token = None
        if self.position < len(self.text):
            self.token = _TSQUERY_TOKEN.match(self.text, self.position)
            if self.token is None:
                raise _bad_search(self.text, f"at character {self.position + 1}")
            self.position = self.token.end()

    def operator(self) -> str | None:
        return self.token[1] if self.token else None

    def read(self) -> str:
        if not self.text.strip():
            return ""
        query, negated = self.either()
        if self.token is not None:
            raise _bad_search(self.text, "an operator is missing between two words")
        if negated:
            raise _bad_search(self.text, "a search cannot consist of excluded words alone; write not.fts")
        return query

    def either(self) -> tuple[str, bool]:
        self.depth += 1
        if self.depth > 50:  # noqa: PLR2004 - deeper than any search, shallower than the stack
            raise _bad_search(self.text, "more than 50 levels")
        parts = [self.both()]
        while self.operator() == "|":
            self.advance()
            parts.append(self.both())
        self.depth -= 1
        if len(parts) == 1:
            return parts[0]
        if any(negated for _, negated in parts):
            raise _bad_search(self.text, "an excluded word cannot stand beside |")
        return "(" + " OR ".join(query for query, _ in parts) + ")", False

    def both(self) -> tuple[str, bool]:
        parts = [self.sequence()]
        while self.operator() == "&":
            self.advance()
            parts.append(self.sequence())
        wanted = [query for query, negated in parts if not negated]
        unwanted = [query for query, negated in parts if negated]
        if len(parts) == 1:
            return parts[0]
        if not wanted:
            return f"({' OR '.join(unwanted)})", True
        both = "(" + " AND ".join(wanted) + ")"
        return "(" + " NOT ".join([both, *unwanted]) + ")", False

    def sequence(self) -> tuple[str, bool]:
        query, negated = self.one()
        parts = [query]
        distance = 0
        while (operator := self.operator()) and operator.startswith("<"):
            self.advance()
            distance = max(distance, 1 if operator == "<->" else int(operator[1:-1]))
            following, following_negated = self.one()
            if negated or following_negated or not (query.startswith('"') and following.startswith('"')):
                raise _bad_search(self.text, "only words can follow each other with <->")
            parts.append(following)
        if len(parts) == 1:
            return query, negated
        if distance <= 1:
            return " + ".join(parts), False
        return f"NEAR({' '.join(parts)}, {distance - 1})", False

    def one(self) -> tuple[str, bool]:
        token, operator = self.token, self.operator()
        if token is None or operator in ("&", "|", ")") or (operator and operator.startswith("<")):
            raise _bad_search(self.text, "a word is missing")
        self.advance()
        if operator == "!":
            query, negated = self.one()
            return query, not negated
        if operator == "(":
            query, negated = self.either()
            if self.operator() != ")":
                raise _bad_search(self.text, "a parenthesis is not closed")
            self.advance()
            return query, negated
        word = token[2].replace("''", "'") if token[2] is not None else token[4]
        label = token[3] or token[5] or ""
        return _phrase(word) + ("*" if "*" in label else ""), False
