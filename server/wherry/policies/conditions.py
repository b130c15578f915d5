"""The text of a condition made into SQL in pieces: the functions that speak of the caller become parameters.

| written | becomes |
| --- | --- |
| `auth_uid()`, `auth.uid()` | the claim `sub` |
| `auth_role()`, `auth.role()` | the caller's role |
| `auth_jwt('a.b')`, `auth.jwt() -> 'a' ->> 'b'` | the claim `b` of the claim `a` |
| `auth_jwt()`, `auth.jwt()` | all claims, as JSON text |
| `(SELECT auth.uid())` | as without the SELECT, which costs SQLite a subquery |
| `public.films` | `films`, for the tables that the caller may read stand in the place of the tables |
| `"films"` | `` `films` ``: SQLite takes a name in double quotes that it does not know for a string |

What would lead past the policies is refused: `main.films` names the table itself, and a common table expression
named like a table makes the two indistinguishable.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from wherry.policies.refused import PoliciesError
from wherry.policies.statements import Condition
from wherry.policies.tokens import Token, TokenKind
from wherry.schema.model import fold
from wherry.statement import Claim, CurrentRole, Parameter


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a condition and the token that it begins with."""

    piece: str | Parameter
    token: Token

    @property
    def text(self) -> str:
        """Return it as it stands in the SQL."""
        return self.piece if isinstance(self.piece, str) else "?"


def condition_parts(condition: Condition, tables: Mapping[str, str]) -> tuple[Part, ...]:
    """Make the condition's SQL; `tables` are the schema's, by folded name.

    Raises PoliciesError for what would lead past the policies.
    """
    _refuse_detours(condition.tokens, tables)
    parts: list[Part] = []
    place = 0
    tokens = condition.tokens
    while place < len(tokens):
        token = tokens[place]
        parameter, end = _parameter(tokens, place)
        if parameter is not None:
            parts.append(Part(parameter, token))
            if _is_selected(parts, tokens, end):
                select = parts[-2].token
                parts[-2:] = [Part(parameter, replace(token, spaced=select.spaced))]
        elif _is_schema(tokens, place, tables):
            end = place + 2
        else:
            end = place + 1
            parts.append(Part(_text(token), token))
        place = end
    return tuple(parts)


def spaces_of(parts: Sequence[Part]) -> tuple[str, ...]:
    """Return what stands before each part: the space that was written, and one where two words would become one."""
    if not parts:
        return ()
    pairs = pairwise(parts)
    return ("", *[" " if right.token.spaced or _would_join(left, right) else "" for left, right in pairs])


def pieces_of(parts: Sequence[Part]) -> tuple[str | Parameter, ...]:
    """Join the parts to as few pieces as there can be."""
    pieces: list[str | Parameter] = []
    for space, part in zip(spaces_of(parts), parts, strict=True):
        for piece in (space, part.piece):
            if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
                pieces[-1] += piece
            elif piece != "":
                pieces.append(piece)
    return tuple(pieces)


def _would_join(left: Part, right: Part) -> bool:
    return _is_wordlike(left.text[-1]) and (_is_wordlike(right.text[0]) or right.text[0] == "'")


def _is_wordlike(character: str) -> bool:
    return character.isalnum() or character in "_$?" or character > "\x7f"


# ---- the caller ------------------------------------------------------------------------------------------------

_FUNCTIONS: Final = ("uid", "role", "jwt")
_HINT: Final = "Functions that speak of the caller are auth_uid(), auth_role() and auth_jwt('claim')"
#: What binds as tightly as `->>` or tighter: after it the chain is not the operand that it looks like.
_TIGHT: Final = ("||", "->", "->>", "+", "-", "~")


def _parameter(tokens: Sequence[Token], place: int) -> tuple[Parameter | None, int]:
    """Read a function of the caller at `place`; return it and the place after it."""
    function, end = _function(tokens, place)
    match function:
        case "uid" | "role":
            _require_operator(tokens, end, ")", tokens[place])
            return (Claim(("sub",)) if function == "uid" else CurrentRole()), end + 1
        case "jwt" if end < len(tokens) and tokens[end].kind is TokenKind.STRING:
            _require_operator(tokens, end + 1, ")", tokens[place])
            path = tuple(tokens[end].value.split("."))
            if not all(path):
                raise PoliciesError(f"{tokens[end].text} names no claim", tokens[end].at, hint="Write auth_jwt('a.b')")
            return Claim(path), end + 2
        case "jwt":
            _require_operator(tokens, end, ")", tokens[place])
            return _member(tokens, place, end + 1)
    return None, place


def _function(tokens: Sequence[Token], place: int) -> tuple[str, int]:
    """Return which function is called at `place` and the place of what follows its parenthesis."""
    token = tokens[place]
    if not token.is_name or (place and tokens[place - 1].is_operator(".")):
        return "", place
    name = fold(token.value)
    if name == "auth" and _operators_at(tokens, place + 1, ".") and _operators_at(tokens, place + 3, "("):
        name, end = "auth_" + fold(tokens[place + 2].value), place + 4
    elif name.startswith("auth_") and _operators_at(tokens, place + 1, "("):
        end = place + 2
    else:
        return "", place
    function = name.removeprefix("auth_")
    if function not in _FUNCTIONS:
        raise PoliciesError(f"there is no function {name}()", token.at, hint=_HINT)
    return function, end


def _member(tokens: Sequence[Token], place: int, end: int) -> tuple[Parameter, int]:
    """Follow `-> 'a' ->> 'b'` after auth.jwt(): the claim itself is bound where it is plain that it is meant."""
    path: list[str] = []
    reached, claim = end, Claim(())
    at = end
    while _operators_at(tokens, at, "->", "->>") and _is_key(tokens, at + 1):
        path.append(tokens[at + 1].value)
        at += 2
        if tokens[at - 2].is_operator("->>"):
            reached, claim = at, Claim(tuple(path))
            break
    follows_tight = place > 0 and tokens[place - 1].is_operator(*_TIGHT)
    collated = reached < len(tokens) and tokens[reached].is_keyword("COLLATE")
    return (Claim(()), end) if follows_tight or collated else (claim, reached)


def _is_key(tokens: Sequence[Token], place: int) -> bool:
    """Tell whether the token is a member's name; `'$.a'` is a path, and `0` the first of a list."""
    return (
        place < len(tokens) and tokens[place].kind is TokenKind.STRING and tokens[place].value[:1] not in ("", "$", "[")
    )


def _is_selected(parts: Sequence[Part], tokens: Sequence[Token], end: int) -> bool:
    """Tell whether the last part is all of `(SELECT …)`."""
    return (
        len(parts) > 2
        and parts[-2].token.is_keyword("SELECT")
        and parts[-3].token.is_operator("(")
        and _operators_at(tokens, end, ")")
    )


def _operators_at(tokens: Sequence[Token], place: int, *operators: str) -> bool:
    return place < len(tokens) and tokens[place].is_operator(*operators)


def _require_operator(tokens: Sequence[Token], place: int, operator: str, function: Token) -> None:
    if not _operators_at(tokens, place, operator):
        raise PoliciesError("the arguments of the function are not the ones that it takes", function.at, hint=_HINT)


# ---- names -----------------------------------------------------------------------------------------------------


def _text(token: Token) -> str:
    if token.kind is TokenKind.QUOTED:
        return "`" + token.value.replace("`", "``") + "`"
    return token.text


def _is_schema(tokens: Sequence[Token], place: int, tables: Mapping[str, str]) -> bool:
    return (
        tokens[place].is_name
        and fold(tokens[place].value) == "public"
        and _operators_at(tokens, place + 1, ".")
        and place + 2 < len(tokens)
        and "public" not in tables
    )


def _refuse_detours(tokens: Sequence[Token], tables: Mapping[str, str]) -> None:
    for place, token in enumerate(tokens):
        # SQLite takes a string for a name wherever only a name can stand: FROM 'films'.
        if token.kind is TokenKind.OPERATOR:
            continue
        if fold(token.value) in ("main", "temp") and _operators_at(tokens, place + 1, "."):
            raise PoliciesError(
                f"{token.text}.… leads past the policies of the table", token.at, hint="Write the table's name alone"
            )
        if token.is_keyword("AS"):
            named = _common_table(tokens, place)
            if named is not None and fold(named.value) in tables:
                raise PoliciesError(
                    f"the common table expression '{named.value}' is named like a table", named.at,
                    hint="Give it another name",
                )  # fmt: skip


def _common_table(tokens: Sequence[Token], place: int) -> Token | None:
    """Return the name before `AS [NOT MATERIALIZED] (`, where AS stands at `place`."""
    after = place + 1
    while after < len(tokens) and tokens[after].is_keyword("NOT", "MATERIALIZED"):
        after += 1
    if not _operators_at(tokens, after, "("):
        return None
    before = place - 1
    depth = 0
    while before >= 0:  # over the names of its columns
        depth += tokens[before].is_operator(")") - tokens[before].is_operator("(")
        if depth == 0 and not tokens[before].is_operator("("):
            return tokens[before]
        before -= 1
    return None
