"""The text of a condition → SQL in pieces."""

import pytest

from wherry.policies.conditions import condition_parts, pieces_of
from wherry.policies.statements import Condition
from wherry.policies.tokens import tokenize
from wherry.statement import Claim, CurrentRole, Parameter

UID, ROLE, TOKEN = Claim(("sub",)), CurrentRole(), Claim(())


def pieces(text: str, tables: tuple[str, ...] = ("films",)) -> tuple[str | Parameter, ...]:
    return pieces_of(condition_parts(Condition(tokenize(text)[:-1]), {name: name for name in tables}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("owner = auth_uid()", ("owner = ", UID)),
        ("AUTH_UID ( ) = owner", (UID, " = owner")),
        ("auth.uid() = auth_uid()", (UID, " = ", UID)),
        ("(select auth.uid()) = owner", ("(", UID, ") = owner")),
        ("(select auth.uid() as uid) = owner", ("(select ", UID, " as uid) = owner")),
        ("auth_role() = 'x' OR auth.role()='y'", (ROLE, " = 'x' OR ", ROLE, "='y'")),
        ("auth_jwt('a.b') = 1", (Claim(("a", "b")), " = 1")),
        ("auth_jwt() IS NULL", (TOKEN, " IS NULL")),
        ("auth.jwt() ->> 'a' = 1", (Claim(("a",)), " = 1")),
        ("(auth.jwt() -> 'a' ->> 'b.c')", ("(", Claim(("a", "b.c")), ")")),
        ("(select auth.jwt() -> 'a' ->> 'b')", ("(", Claim(("a", "b")), ")")),
        ("(auth.jwt() -> 'a') ->> 'b'", ("(", TOKEN, " -> 'a') ->> 'b'")),
        ("auth.jwt() -> 'a' -> 0", (TOKEN, " -> 'a' -> 0")),
        ("auth.jwt() ->> '$.a'", (TOKEN, " ->> '$.a'")),
        ("auth.jwt() ->> 'a' COLLATE NOCASE", (TOKEN, " ->> 'a' COLLATE NOCASE")),
        ("x || auth.jwt() ->> 'a'", ("x || ", TOKEN, " ->> 'a'")),
        ("auth.jwt() ->> 'a' ->> 'b'", (Claim(("a",)), " ->> 'b'")),
        ("auth.uid = t.auth_uid", ("auth.uid = t.auth_uid",)),
        ("t.auth_uid()", ("t.auth_uid()",)),
        ("a IN (SELECT b FROM public.films)", ("a IN (SELECT b FROM films)",)),
        ("a IN public.films", ("a IN films",)),
        ('"a""b" = [c`d]', ('`a"b` = `c``d`',)),
        ("a -- comment\n = /* x */1", ("a = 1",)),
        ("auth_uid()1", (UID, " 1")),
        ("'a'=-1.5", ("'a'=-1.5",)),
    ],
)
def test_a_condition_becomes_pieces(text: str, expected: tuple[str | Parameter, ...]) -> None:
    assert pieces(text) == expected


def test_a_table_called_public_keeps_its_name() -> None:
    assert pieces("public.id = 1", ("public",)) == ("public.id = 1",)
