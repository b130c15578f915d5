"""SQLite's SQL as tokens, without its spaces and comments (https://sqlite.org/lang_keywords.html, tokenize.c).

Reads what stands in sqlite_schema, which SQLite itself has parsed once: no text is refused here, a letter that fits
nowhere is a symbol.
"""

import re
from enum import Enum
from typing import NamedTuple

from wherry.schema.model import fold


class TokenKind(Enum):
    """What a token is; a quoted one can be a name but never a keyword."""

    WORD = "word"
    QUOTED = "quoted"
    NUMBER = "number"
    SYMBOL = "symbol"


class Token(NamedTuple):
    """A token; `text` of a quoted one is what is between the quotes, with doubled quotes made single."""

    kind: TokenKind
    text: str

    @property
    def keyword(self) -> str:
        """The word in lower case, if it is one that could be a keyword, else ""."""
        return fold(self.text) if self.kind is TokenKind.WORD else ""

    def is_symbol(self, text: str) -> bool:
        """Tell whether the token is this symbol."""
        return self.kind is TokenKind.SYMBOL and self.text == text


_TOKEN = re.compile(
    r"""
    (?P<blank> [\ \t\n\f\r\ufeff]+ | --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<word> [A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]* )
    | (?P<quoted> "[^"]*(?:""[^"]*)*" | '[^']*(?:''[^']*)*' | `[^`]*(?:``[^`]*)*` | \[[^\]]*\] )
    | (?P<number> \.?[0-9][0-9A-Za-z_.]* )
    | (?P<symbol> . )
    """,
    re.VERBOSE | re.DOTALL,
)


def tokenize(sql: str) -> list[Token]:
    """Split SQL into its tokens."""
    tokens = []
    for match in _TOKEN.finditer(sql):
        kind, text = match.lastgroup, match.group()
        if kind == "word":
            tokens.append(Token(TokenKind.WORD, text))
        elif kind == "symbol":
            tokens.append(Token(TokenKind.SYMBOL, text))
        elif kind == "quoted":
            quote = text[-1]
            tokens.append(Token(TokenKind.QUOTED, text[1:-1].replace(quote * 2, quote) if quote != "]" else text[1:-1]))
        elif kind == "number":
            tokens.append(Token(TokenKind.NUMBER, text))
    return tokens
