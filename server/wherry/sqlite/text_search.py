"""The SQL function `text_search(value, search, stems)`: full-text search in a text that no index was made of.

The words are those that FTS5's tokenizer `unicode61` finds (case and accents aside), with `stems` those of `porter`,
so that a search finds the same with an index and without. `search` is the JSON that `rest.full_text` writes. It gives
1, 0, or NULL for what is no text, and never raises.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import apsw
import msgspec

from wherry.sqlite.encoding import utf8_of
from wherry.statement import SQLiteValue

_Words: TypeAlias = Sequence[str]
#: Tells whether a search is found among the words of a text.
_Found: TypeAlias = Callable[[_Words], bool]
_Tokenize: TypeAlias = Callable[[bytes], _Words]


def text_searcher(connection: apsw.Connection) -> Callable[[SQLiteValue, SQLiteValue, SQLiteValue], int | None]:
    """Return the function `text_search`, with the tokenizers of a connection."""
    plain, stemming = _tokenizer(connection, "unicode61"), _tokenizer(connection, "porter", "unicode61")

    @lru_cache(maxsize=64)
    def compiled(search: str, stems: bool) -> _Found:
        return _compile(msgspec.json.decode(search), stemming if stems else plain)

    def text_search(value: SQLiteValue, search: SQLiteValue, stems: SQLiteValue) -> int | None:
        text = utf8_of(value)
        if text is None or not isinstance(search, str):
            return None
        try:
            words = (stemming if stems else plain)(text)
            return int(compiled(search, bool(stems))(words))
        except (ValueError, TypeError, apsw.Error):
            return None

    return text_search


def _tokenizer(connection: apsw.Connection, name: str, *arguments: str) -> _Tokenize:
    tokenizer: apsw.FTS5Tokenizer | None = None

    def tokenize(text: bytes) -> _Words:
        nonlocal tokenizer
        if tokenizer is None:  # most connections never search
            tokenizer = connection.fts5_tokenizer(name, list(arguments))
        words: Any = tokenizer(text, apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False, include_colocated=False)
        return words  # type: ignore[no-any-return]  # without offsets and colocated words: a list of str

    return tokenize


def _never(words: _Words) -> bool:
    return False


def _compile(search: list[Any], tokenize: _Tokenize) -> _Found:
    """Make the test of a search."""
    match search:
        case ["phrase", str(text), is_beginning]:
            return _phrase(tokenize(text.encode(errors="replace")), bool(is_beginning))
        case ["following", phrases, distances]:
            return _following(phrases, distances, tokenize)
        case ["excluded", inner]:
            found = _compile(inner, tokenize)
            return lambda words: not found(words)
        case ["both" | "either" as kind, parts]:
            tests = [_compile(part, tokenize) for part in parts]
            together = all if kind == "both" else any
            return lambda words: together(test(words) for test in tests)
    raise ValueError("no search")


def _phrase(phrase: _Words, is_beginning: bool) -> _Found:
    if not phrase:
        return _never
    if len(phrase) == 1 and not is_beginning:
        return lambda words: phrase[0] in words
    return lambda words: any(_stands_at(words, start, phrase, is_beginning) for start in range(len(words)))


def _stands_at(words: _Words, start: int, phrase: _Words, is_beginning: bool) -> bool:
    end = start + len(phrase)
    if start < 0 or end > len(words):
        return False
    if not is_beginning:
        return words[start:end] == phrase
    return words[start : end - 1] == phrase[:-1] and words[end - 1].startswith(phrase[-1])


def _following(phrases: list[Any], distances: list[int], tokenize: _Tokenize) -> _Found:
    """Make the test of phrases that follow each other: where each starts, from where the first does."""
    placed: list[tuple[int, _Words, bool]] = []
    last = 0
    for (_, text, is_beginning), distance in zip(phrases, [0, *distances], strict=True):
        words = tokenize(text.encode(errors="replace"))
        if words:
            placed.append((last + distance, words, bool(is_beginning)))
            last += distance + len(words) - 1
    if not placed:
        return _never
    return lambda words: any(
        all(_stands_at(words, start + offset, phrase, beginning) for offset, phrase, beginning in placed)
        for start in range(-placed[0][0], len(words))
    )
