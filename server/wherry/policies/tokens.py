"""The words of `policies.sql`: SQL text cut into tokens, each with its place.

Names, strings and numbers are cut as SQLite cuts them (https://www.sqlite.org/lang_expr.html), comments as PostgreSQL
does: `/*` nests. Comments are dropped, so that none reaches the SQL that is made from the tokens.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from wherry.policies.refused import PoliciesError, Position


class TokenKind(StrEnum):
    """What a token is."""

    NAME = "name"  #: an unquoted name or a keyword
    QUOTED = "quoted name"
    STRING = "string"
    BLOB = "blob"
    NUMBER = "number"
    OPERATOR = "operator"
    END = "end of the file"


@dataclass(frozen=True, slots=True)
class Token:
    """A token; `text` is as written, `value` without its quotes. Where it stands does not count when comparing."""

    kind: TokenKind
    text: str
    value: str
    at: Position = field(compare=False, repr=False)
    spaced: bool = field(default=False, compare=False, repr=False)  #: space or a comment stands before it

    @property
    def is_name(self) -> bool:
        """Tell whether SQLite may take the token for a name."""
        return self.kind in (TokenKind.NAME, TokenKind.QUOTED)

    def is_keyword(self, *keywords: str) -> bool:
        """Tell whether the token is one of the keywords, given in upper case."""
        return self.kind is TokenKind.NAME and self.value.upper() in keywords

    def is_operator(self, *operators: str) -> bool:
        """Tell whether the token is one of the operators."""
        return self.kind is TokenKind.OPERATOR and self.value in operators


def tokenize(text: str) -> tuple[Token, ...]:
    """Cut the text into tokens, the last of kind END. Raises PoliciesError for what is no token."""
    return _Tokenizer(text).tokens()


_NAME_START: Final = r"[A-Za-z_\u0080-\U0010ffff]"
_NAME_CHARACTER: Final = r"[A-Za-z0-9_$\u0080-\U0010ffff]"

#: The order matters: a blob before a name, a number before the dot.
_TOKEN: Final = re.compile(
    rf"""
      (?P<blob>[xX]'(?:[0-9a-fA-F]{{2}})*+')
    | (?P<name>{_NAME_START}{_NAME_CHARACTER}*+)
    | (?P<string>'(?:[^']|'')*+')
    | (?P<quoted>"(?:[^"]|"")*+"|`(?:[^`]|``)*+`|\[[^\]]*+\])
    | (?P<number>(?:0[xX][0-9a-fA-F]++
                  |(?:[0-9]++(?:_[0-9]++)*+(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+)(?!{_NAME_CHARACTER}))
    | (?P<operator>->>|->|\|\||<<|>>|<=|>=|<>|!=|==|[-+*/%&|~<>=(),.;])
    """,
    re.VERBOSE,
)
_SPACE: Final = re.compile(r"[ \t\n\f\r]++")
_LINE_COMMENT: Final = re.compile(r"--[^\n]*+")
_COMMENT_MARK: Final = re.compile(r"/\*|\*/")
_PARAMETER: Final = re.compile(r"[?:@$#]\w*")
_DOLLAR_QUOTE: Final = re.compile(r"\$\w*\$")
_UNENCODABLE: Final = re.compile("[\0\ud800-\udfff]")

_UNFINISHED: Final = {
    "'": "the string is not closed",
    '"': "the quoted name is not closed",
    "`": "the quoted name is not closed",
    "[": "the quoted name is not closed",
}


class _Tokenizer:
    """The text and how far it is read; a class because the place moves on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._offset = 0
        self._line = 1
        self._line_start = 0

    def tokens(self) -> tuple[Token, ...]:
        bad = _UNENCODABLE.search(self._text)
        if bad is not None:
            self._advance(bad.start())
            raise self._error(f"the character U+{ord(bad[0]):04X} cannot stand here")
        found: list[Token] = []
        if self._text.startswith("\ufeff"):
            self._offset = self._line_start = 1
        while True:
            spaced = self._skip_space()
            if self._offset == len(self._text):
                return (*found, Token(TokenKind.END, "", "", self._position(), spaced))
            found.append(self._token(spaced=spaced))

    def _skip_space(self) -> bool:
        start = self._offset
        while True:
            match = _SPACE.match(self._text, self._offset) or _LINE_COMMENT.match(self._text, self._offset)
            if match is not None:
                self._advance(match.end())
            elif self._text.startswith("/*", self._offset):
                self._advance(self._comment_end())
            else:
                return self._offset > start

    def _comment_end(self) -> int:
        depth = 0
        for mark in _COMMENT_MARK.finditer(self._text, self._offset):
            depth += 1 if mark[0] == "/*" else -1
            if depth == 0:
                return mark.end()
        raise self._error("the comment is not closed")

    def _token(self, *, spaced: bool) -> Token:
        match = _TOKEN.match(self._text, self._offset)
        if match is None or match.lastgroup is None:
            raise self._no_token()
        at = self._position()
        self._advance(match.end())
        kind = TokenKind[match.lastgroup.upper()]
        return Token(kind, match[0], _unquote(kind, match[0]), at, spaced)

    def _no_token(self) -> PoliciesError:
        rest = self._text[self._offset : self._offset + 80]
        if rest.startswith("::"):
            return self._error("'::' is not SQLite's", hint="Write CAST(value AS type), or leave the cast out")
        if _DOLLAR_QUOTE.match(rest):
            return self._error("dollar quotes are not supported", hint="Write 'text'")
        parameter = _PARAMETER.match(rest)
        if parameter is not None:
            return self._error(
                f"'{parameter[0]}' is a parameter, and policies have none",
                hint="Write auth_uid(), auth_role() or auth_jwt('claim') for what the caller's token says",
            )
        if rest[0] in _UNFINISHED:
            return self._error(_UNFINISHED[rest[0]])
        if rest[0].isdigit() or rest[0] == ".":
            return self._error(f"'{rest.split()[0]}' is not a number")
        return self._error(f"the character '{rest[0]}' cannot stand here")

    def _advance(self, end: int) -> None:
        newlines = self._text.count("\n", self._offset, end)
        if newlines:
            self._line += newlines
            self._line_start = self._text.rindex("\n", self._offset, end) + 1
        self._offset = end

    def _position(self) -> Position:
        return Position(self._line, self._offset - self._line_start + 1)

    def _error(self, message: str, *, hint: str | None = None) -> PoliciesError:
        return PoliciesError(message, self._position(), hint=hint)


def _unquote(kind: TokenKind, text: str) -> str:
    if kind is TokenKind.STRING:
        return text[1:-1].replace("''", "'")
    if kind is TokenKind.QUOTED:
        quote = text[0]
        return text[1:-1] if quote == "[" else text[1:-1].replace(quote * 2, quote)
    return text
