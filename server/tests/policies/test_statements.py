"""Statements: what is written is what is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.policies import PoliciesError
from wherry.policies.parser import parse_statements
from wherry.policies.refused import Position
from wherry.policies.statements import (
    PRIVILEGES,
    AllTables,
    AlterRowSecurity,
    Command,
    Condition,
    CreatePolicy,
    CreateRole,
    GrantPrivileges,
    GrantRoles,
    GrantUsage,
    Name,
    PolicyStatement,
    Privilege,
    Public,
    RowSecurityAction,
    render,
)
from wherry.policies.tokens import Token, TokenKind, tokenize

letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
names = st.builds(
    Name, st.text(letters, min_size=1, max_size=8) | st.sampled_from(["to", "ON", "all", "select", "public"])
)
several = st.lists(names, min_size=1, max_size=3).map(tuple)
roles = st.lists(names | st.just(Public()), min_size=1, max_size=3).map(tuple)
privileges = st.one_of(
    st.builds(Privilege, st.sampled_from(PRIVILEGES)),
    st.builds(Privilege, st.sampled_from(PRIVILEGES[:3]), several),
)
conditions = st.sampled_from(
    [
        "true",
        "a=(1)",
        'a IN (SELECT "b" FROM [c d])',
        "x'00ff' || 'it''s;)' -- c",
        "f((1), ')') /* ) */ + .5e-3",
        "`a`->>'b'",
    ]
).map(lambda text: Condition(tokenize(text)[:-1]))
optional = st.none() | conditions
grants = st.builds(
    GrantPrivileges,
    st.lists(privileges, min_size=1, max_size=3).map(tuple),
    several | st.just(AllTables()),
    roles,
    st.booleans(),
)
statements: st.SearchStrategy[PolicyStatement] = st.one_of(
    st.builds(CreateRole, names, st.booleans(), st.booleans()),
    grants,
    st.builds(GrantRoles, several, several, st.booleans()),
    st.builds(GrantUsage, roles),
    st.builds(AlterRowSecurity, names, st.sampled_from(RowSecurityAction)),
    st.builds(CreatePolicy, names, names, st.sampled_from([Command.ALL, Command.UPDATE]), st.booleans(), roles,
              optional, optional),
    st.builds(CreatePolicy, names, names, st.just(Command.INSERT), st.booleans(), roles, st.none(), optional),
    st.builds(CreatePolicy, names, names, st.just(Command.SELECT), st.booleans(), roles, optional),
)  # fmt: skip


@given(st.lists(statements, max_size=4))
def test_what_is_rendered_is_parsed_to_the_same(given_statements: list[PolicyStatement]) -> None:
    assert parse_statements("\n".join(map(render, given_statements))) == tuple(given_statements)


@given(st.text(max_size=200) | st.text("CREATE POLICY p ON t USING(()'\"/*-;\n", max_size=60))
def test_any_text_is_parsed_or_refused_with_its_place(text: str) -> None:
    place = _place_of_refusal(text)
    lines = text.split("\n")
    assert place is None or 1 <= place.column <= len(lines[place.line - 1]) + 1


def _place_of_refusal(text: str) -> Position | None:
    try:
        parse_statements(text)
    except PoliciesError as error:
        return Position(error.line, error.column)
    return None


def test_every_form_is_read() -> None:
    text = """\ufeff-- who may
    create role editor with nologin noinherit bypassrls;;
    GRANT select (a, "B"), UPDATE ON TABLE public.films, main.x TO anon, public;
    grant all privileges on all tables in schema PUBLIC to anon;
    grant select to update;
    grant select on table to anon;
    revoke editor from anon
    """
    anon = Name("anon")
    assert parse_statements(text) == (
        CreateRole(Name("editor"), bypasses_row_security=True, inherits=False),
        GrantPrivileges(
            (Privilege(Command.SELECT, (Name("a"), Name("B"))), Privilege(Command.UPDATE)),
            (Name("films"), Name("x")),
            (anon, Public()),
        ),
        GrantPrivileges(tuple(map(Privilege, PRIVILEGES)), AllTables(), (anon,)),
        GrantRoles((Name("select"),), (Name("update"),)),
        GrantPrivileges((Privilege(Command.SELECT),), (Name("table"),), (anon,)),
        GrantRoles((Name("editor"),), (anon,), revokes=True),
    )


def test_tokens_know_their_place_and_value() -> None:
    name, operator, string, end = tokenize("a\n  /* é */->> 'it''s'")
    assert [token.at for token in (name, operator, string, end)] == [
        Position(1, 1),
        Position(2, 10),
        Position(2, 14),
        Position(2, 21),
    ]
    assert string == Token(TokenKind.STRING, "'it''s'", "it's", Position(1, 1))


@pytest.mark.parametrize("text", ['"a""b"', "`a``b`", '[a"b]'])
def test_names_are_quoted_in_three_ways(text: str) -> None:
    value = {'"': 'a"b', "`": "a`b", "[": 'a"b'}[text[0]]
    assert tokenize(text)[0].value == value
