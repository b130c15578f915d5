"""A full-text search of the dialect, read once and written for who answers it.

- an FTS5 index of the table (https://sqlite.org/fts5.html#full_text_query_syntax): `to_match`;
- nobody: the words of each row are looked through by the SQL function `text_search`: `to_search`.

FTS5 has no rows that lack a word, only rows that have one word and not another. So a search is written as a query and
whether the rows are asked that it does not find: `!a | b` is what `a NOT b` does not find.
"""

import functools
import re
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from wherry.errors import RequestError

_TSQUERY_TOKEN = re.compile(r"\s*(?:(<->|<\d+>|[&|!()])|'((?:[^']|'')*)'(:[\w*]*)?|([^\s&|!()<':]+)(:[\w*]*)?)\s*")
_WEB_TOKEN = re.compile(r'\s*(-)?(?:"([^"]*)"?|(\S+))\s*')

# ---- what is searched ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand side by side; the last may be the beginning of a word."""

    text: str
    is_beginning: bool = False


@dataclass(frozen=True, slots=True)
class Following:
    """Phrases that follow each other, each as many words after the one before as `distances` says."""

    phrases: tuple[Phrase, ...]
    distances: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Both:
    """All parts are found."""

    parts: "tuple[Search, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    """One of the parts is found; without parts nothing is."""

    parts: "tuple[Search, ...]"


@dataclass(frozen=True, slots=True)
class Excluded:
    """The search is not found."""

    search: "Search"


Search: TypeAlias = Phrase | Following | Both | Either | Excluded

_NOTHING = Either(())


@functools.lru_cache(maxsize=512)
def read_search(text: str, syntax: str) -> Search:
    """Read a search. `syntax` is PostgREST's operator: fts (to_tsquery), plfts (all words), phfts (the phrase), wfts.

    Raises RequestError 42601 for a query that cannot be read.
    """
    return _meant(_read(text, syntax)) or _NOTHING


def _read(text: str, syntax: str) -> Search:
    if not text.strip():
        return _NOTHING
    match syntax:
        case "plfts":
            return _both([Phrase(word) for word in text.split()])
        case "phfts":
            return Phrase(text)
        case "wfts":
            return _read_web_search(text)
    return _TsQuery(text).read()


def _meant(search: Search) -> Search | None:
    """Leave out what has no letter and no digit, as PostgreSQL does: `cat & ++` searches `cat`."""
    match search:
        case Phrase(text):
            return search if any(character.isalnum() for character in text) else None
        case Following(phrases, distances):
            kept: list[Phrase] = []
            between: list[int] = []
            skipped = 0
            for phrase, distance in zip(phrases, (0, *distances), strict=True):
                skipped += distance
                if _meant(phrase) is not None:
                    between.append(skipped)
                    kept.append(phrase)
                    skipped = 0
            return Following(tuple(kept), tuple(between[1:])) if len(kept) > 1 else kept[0] if kept else None
        case Excluded(inner):
            meant = _meant(inner)
            return None if meant is None else Excluded(meant)
        case Both(parts):
            some = [meant for part in parts if (meant := _meant(part)) is not None]
            return _both(some) if some else None
        case Either(parts):
            some = [meant for part in parts if (meant := _meant(part)) is not None]
            return _either(some) if some else None


def _both(parts: list[Search]) -> Search:
    return parts[0] if len(parts) == 1 else Both(tuple(parts))


def _either(parts: list[Search]) -> Search:
    return parts[0] if len(parts) == 1 else Either(tuple(parts))


def _read_web_search(text: str) -> Search:
    """Words must all occur, "…" is a phrase, `or` between two is either, `-` before one means not."""
    alternatives: list[list[Search]] = [[]]
    for found in _WEB_TOKEN.finditer(text):
        negated, quoted, word = found.groups()
        if word is not None and word.lower() == "or" and not negated:
            alternatives.append([])
            continue
        content = quoted if quoted is not None else word
        if content.strip('"').strip():
            alternatives[-1].append(Excluded(Phrase(content)) if negated else Phrase(content))
    return _either([_both(parts) for parts in alternatives if parts])


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

    def read(self) -> Search:
        search = self.either()
        if self.token is not None:
            raise _bad_search(self.text, "an operator is missing between two words")
        return search

    def either(self) -> Search:
        self.depth += 1
        if self.depth > 50:  # deeper than any search, shallower than the stack
            raise _bad_search(self.text, "more than 50 levels")
        parts = [self.both()]
        while self.operator() == "|":
            self.advance()
            parts.append(self.both())
        self.depth -= 1
        return _either(parts)

    def both(self) -> Search:
        parts = [self.sequence()]
        while self.operator() == "&":
            self.advance()
            parts.append(self.sequence())
        return _both(parts)

    def sequence(self) -> Search:
        first = self.one()
        phrases, distances = [first], []
        while (operator := self.operator()) and operator.startswith("<"):
            self.advance()
            distances.append(1 if operator == "<->" else int(operator[1:-1]))
            phrases.append(self.one())
        if not distances:
            return first
        words = tuple([phrase for phrase in phrases if isinstance(phrase, Phrase)])
        if len(words) < len(phrases):
            raise _bad_search(self.text, "only words can follow each other with <->")
        if any(word.is_beginning for word in words[:-1]):
            raise _bad_search(self.text, "only the last of the words that follow each other can end in :*")
        return Following(words, tuple(distances))

    def one(self) -> Search:
        excluded = False
        while self.operator() == "!":
            excluded = not excluded
            self.advance()
        token, operator = self.token, self.operator()
        if token is None or operator in ("&", "|", ")") or (operator and operator.startswith("<")):
            raise _bad_search(self.text, "a word is missing")
        self.advance()
        if operator == "(":
            search = self.either()
            if self.operator() != ")":
                raise _bad_search(self.text, "a parenthesis is not closed")
            self.advance()
        else:
            word = token[2].replace("''", "'") if token[2] is not None else token[4]
            search = Phrase(word, "*" in (token[3] or token[5] or ""))
        return Excluded(search) if excluded else search


# ---- as a query of FTS5 ----------------------------------------------------------------------------------------


def to_match(text: str, *, syntax: str, columns: tuple[str, ...], excluded: bool = False) -> str:
    """Write the FTS5 query, over some columns, whose rows are found; with `excluded` the one whose rows are not.

    The other of the two finds nothing.
    """
    query, negated = _fts5_query(read_search(text, syntax))
    if negated is not excluded or not query:
        return '""'
    names = " ".join('"' + name.replace('"', '""') + '"' for name in columns)
    return f"{{{names}}} : ({query})"


def is_excluded(text: str, *, syntax: str) -> int:
    """Tell whether a search asks for the rows that its query does not find."""
    return int(_fts5_query(read_search(text, syntax))[1])


def _fts5_query(search: Search) -> tuple[str, bool]:
    """Return a query, and whether the rows are meant that it does not find."""
    match search:
        case Phrase(text, is_beginning):
            return '"' + text.replace('"', '""').replace("\x00", " ") + ('"*' if is_beginning else '"'), False
        case Following(phrases, distances):
            words = [_fts5_query(phrase)[0] for phrase in phrases]
            farthest = max(distances)
            return (f"NEAR({' '.join(words)}, {farthest - 1})" if farthest > 1 else " + ".join(words)), False
        case Excluded(inner):
            query, negated = _fts5_query(inner)
            return query, not negated
        case Both(parts):
            wanted, unwanted = _by_negation(parts)
            if not wanted:
                return _joined(" OR ", unwanted), True
            return _joined(" NOT ", [_joined(" AND ", wanted), *unwanted]), False
        case Either(parts):
            wanted, unwanted = _by_negation(parts)
            if not unwanted:
                return _joined(" OR ", wanted), False
            return _joined(" NOT ", [_joined(" AND ", unwanted), *wanted]), True


def _by_negation(parts: tuple[Search, ...]) -> tuple[list[str], list[str]]:
    queries = [_fts5_query(part) for part in parts]
    return [query for query, negated in queries if not negated], [query for query, negated in queries if negated]


def _joined(operator: str, queries: list[str]) -> str:
    return queries[0] if len(queries) == 1 else f"({operator.join(queries)})" if queries else ""


# ---- for the function text_search ------------------------------------------------------------------------------


def to_search(text: str, *, syntax: str) -> str:
    """Write a search as the JSON that the SQL function `text_search` reads."""
    return msgspec.json.encode(_as_json(read_search(text, syntax))).decode()


def _as_json(search: Search) -> list[object]:
    match search:
        case Phrase(text, is_beginning):
            return ["phrase", text, is_beginning]
        case Following(phrases, distances):
            return ["following", [_as_json(phrase) for phrase in phrases], distances]
        case Both(parts):
            return ["both", [_as_json(part) for part in parts]]
        case Either(parts):
            return ["either", [_as_json(part) for part in parts]]
        case Excluded(inner):
            return ["excluded", _as_json(inner)]
