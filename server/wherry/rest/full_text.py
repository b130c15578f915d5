"""A full-text search of the dialect as a query of FTS5 (https://sqlite.org/fts5.html#full_text_query_syntax)."""

import re

from wherry.errors import RequestError

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
            query = _TsQuery(text).read() if text.strip() else ""
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
        query, negated = self.either()
        if self.token is not None:
            raise _bad_search(self.text, "an operator is missing between two words")
        if negated:
            raise _bad_search(self.text, "a search cannot consist of excluded words alone; write not.fts")
        return query

    def either(self) -> tuple[str, bool]:
        self.depth += 1
        if self.depth > 50:  # deeper than any search, shallower than the stack
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
        return ("(" + " NOT ".join([both, *unwanted]) + ")" if unwanted else both), False

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
            if parts[-1].endswith("*"):
                raise _bad_search(self.text, "only the last of the words that follow each other can end in :*")
            parts.append(following)
        if len(parts) == 1:
            return query, negated
        if distance <= 1:
            return " + ".join(parts), False
        return f"NEAR({' '.join(parts)}, {distance - 1})", False

    def one(self) -> tuple[str, bool]:
        excluded = False
        while self.operator() == "!":
            excluded = not excluded
            self.advance()
        token, operator = self.token, self.operator()
        if token is None or operator in ("&", "|", ")") or (operator and operator.startswith("<")):
            raise _bad_search(self.text, "a word is missing")
        self.advance()
        if operator == "(":
            query, negated = self.either()
            if self.operator() != ")":
                raise _bad_search(self.text, "a parenthesis is not closed")
            self.advance()
            return query, negated is not excluded
        word = token[2].replace("''", "'") if token[2] is not None else token[4]
        label = token[3] or token[5] or ""
        return _phrase(word) + ("*" if "*" in label else ""), excluded
