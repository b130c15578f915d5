"""Parse `policies.sql` into statements.

The grammar is PostgreSQL's, as far as it means something here; whatever else stands in the file is refused with its
place, never skipped, because a statement that silently does nothing is a hole in the policies.
"""

from collections.abc import Callable
from typing import Final, NoReturn, TypeVar

from wherry.policies.refused import PoliciesError
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
    RoleName,
    RowSecurityAction,
)
from wherry.policies.tokens import Token, TokenKind, tokenize

_T = TypeVar("_T")

_STATEMENTS: Final = "CREATE ROLE, GRANT, REVOKE, ALTER TABLE … ROW LEVEL SECURITY and CREATE POLICY"
#: Options of CREATE ROLE about logging in and administering, which no role does here.
_MEANINGLESS_OPTIONS: Final = (
    "NOLOGIN", "NOSUPERUSER", "NOCREATEDB", "NOCREATEROLE", "NOREPLICATION", "NOBYPASSRLS", "INHERIT"
)  # fmt: skip
_SCHEMAS: Final = ("public", "main")


def parse_statements(text: str) -> tuple[PolicyStatement, ...]:
    """Parse the whole file. Raises PoliciesError at the first thing that is wrong."""
    return _Parser(tokenize(text)).statements()


class _Parser:
    """The tokens and which is next; a class because the place moves on."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._next = 0

    def statements(self) -> tuple[PolicyStatement, ...]:
        found: list[PolicyStatement] = []
        while True:
            while self._takes_operator(";"):
                pass
            if self._is_at_end():
                return tuple(found)
            found.append(self._statement())
            if not self._is_at_end() and not self._takes_operator(";"):
                self._unexpected("';'")

    # ---- statements ------------------------------------------------------------------------------------------

    def _statement(self) -> PolicyStatement:
        first = self._token
        if self._takes("CREATE"):
            if self._takes("ROLE"):
                return self._create_role()
            if self._takes("POLICY"):
                return self._create_policy()
        elif self._takes("GRANT"):
            return self._grant(revokes=False)
        elif self._takes("REVOKE"):
            return self._grant(revokes=True)
        elif self._takes("ALTER") and self._takes("TABLE"):
            return self._alter_table()
        if first.is_keyword("DROP"):
            raise PoliciesError(
                "DROP is not supported", first.at,
                hint="The file is read as a whole: delete the statement that creates what you drop",
            )  # fmt: skip
        if first.is_keyword("ALTER") and self._token.is_keyword("DEFAULT"):
            raise PoliciesError(
                "ALTER DEFAULT PRIVILEGES is not supported", first.at,
                hint="GRANT … ON ALL TABLES IN SCHEMA public holds for tables that are made later, too",
            )  # fmt: skip
        words = " ".join(token.text for token in dict.fromkeys((first, self._token)) if token.is_name)
        raise PoliciesError(
            f"'{words or first.text}' begins no statement of this file", first.at, hint=f"Statements are {_STATEMENTS}"
        )

    def _create_role(self) -> CreateRole:
        name = self._name("the role's name")
        bypasses, inherits = False, True
        self._takes("WITH")
        while self._token.kind is TokenKind.NAME:
            if self._takes("BYPASSRLS"):
                bypasses = True
            elif self._takes("NOINHERIT"):
                inherits = False
            elif not self._takes(*_MEANINGLESS_OPTIONS):
                raise PoliciesError(
                    f"the option {self._token.text} of CREATE ROLE is not supported", self._token.at,
                    hint="Supported are BYPASSRLS and NOINHERIT",
                )  # fmt: skip
        return CreateRole(name, bypasses, inherits)

    def _alter_table(self) -> AlterRowSecurity:
        self._takes("ONLY")
        table = self._qualified_name("a table")
        for action in RowSecurityAction:
            if self._takes_all(*action.split()):
                self._expect("ROW")
                self._expect("LEVEL")
                self._expect("SECURITY")
                return AlterRowSecurity(table, action)
        self._unexpected("ENABLE, DISABLE, FORCE or NO FORCE ROW LEVEL SECURITY")

    def _create_policy(self) -> CreatePolicy:
        name = self._name("the policy's name")
        self._expect("ON")
        table = self._qualified_name("a table")
        restrictive = False
        if self._takes("AS"):
            restrictive = self._one_of("PERMISSIVE", "RESTRICTIVE") == "RESTRICTIVE"
        command = Command(self._one_of(*Command)) if self._takes("FOR") else Command.ALL
        roles = self._list(self._role) if self._takes("TO") else (Public(),)
        using = check = None
        at = self._token.at
        if self._takes("USING"):
            if command is Command.INSERT:
                raise PoliciesError(
                    "a policy FOR INSERT has no USING, for there is no row yet", at, hint="Write WITH CHECK (…)"
                )
            using = self._condition()
        at = self._token.at
        if self._takes("WITH"):
            self._expect("CHECK")
            if command in (Command.SELECT, Command.DELETE):
                raise PoliciesError(
                    f"a policy FOR {command} has no WITH CHECK, for it makes no new row", at, hint="Write USING (…)"
                )
            check = self._condition()
        return CreatePolicy(name, table, command, restrictive, roles, using, check)

    def _grant(self, *, revokes: bool) -> PolicyStatement:
        preposition = "FROM" if revokes else "TO"
        first = self._token
        if not revokes and self._takes("USAGE"):
            for word in ("ON", "SCHEMA", "PUBLIC", "TO"):
                self._expect(word)
            return GrantUsage(self._list(self._role))
        if self._is_privilege():
            privileges = tuple(p for group in self._list(self._privilege) for p in group)
            self._expect("ON")
            tables = self._tables()
            self._expect(preposition)
            return GrantPrivileges(privileges, tables, self._grantees(), revokes)
        if self._following.is_keyword("ON") or self._following.is_operator("("):
            raise PoliciesError(
                f"'{first.text}' is not a privilege",
                first.at,
                hint="Privileges are SELECT, INSERT, UPDATE, DELETE, ALL",
            )
        roles = self._list(lambda: self._name("a privilege or a role"))
        self._expect(preposition)
        return GrantRoles(roles, self._list(lambda: self._name("a role")), revokes)

    def _is_privilege(self) -> bool:
        # A role may be called like a privilege: GRANT select TO me. Then TO or FROM follows.
        return self._token.is_keyword(*Command) and not self._following.is_keyword("TO", "FROM")

    def _privilege(self) -> tuple[Privilege, ...]:
        at = self._token.at
        if not self._token.is_keyword(*Command):
            raise PoliciesError(
                f"{self._described()} is not a privilege", at, hint="Privileges are SELECT, INSERT, UPDATE, DELETE, ALL"
            )
        command = Command(self._one_of(*Command))
        if command is Command.ALL:
            self._takes("PRIVILEGES")
        columns: tuple[Name, ...] = ()
        if self._takes_operator("("):
            columns = self._list(lambda: self._name("a column"))
            self._expect_operator(")")
        if columns and command is Command.DELETE:
            raise PoliciesError("DELETE takes whole rows, and no columns", at, hint="Write DELETE without columns")
        if command is not Command.ALL:
            return (Privilege(command, columns),)
        return tuple(Privilege(each, columns) for each in PRIVILEGES if not (columns and each is Command.DELETE))

    def _tables(self) -> tuple[Name, ...] | AllTables:
        at = self._token.at
        if self._takes_all("ALL", "TABLES"):
            for word in ("IN", "SCHEMA"):
                self._expect(word)
            schema = self._name("a schema")
            if schema.text.lower() not in _SCHEMAS:
                raise PoliciesError(f"there is no schema '{schema.text}'", schema.at, hint="Write public")
            return AllTables()
        following = self._following
        if following.is_name and not following.is_keyword("TO", "FROM") and not self._token.is_keyword("TABLE"):
            raise PoliciesError(
                f"'{self._token.text} {following.text}' cannot be granted on", at,
                hint="Privileges are granted ON [TABLE] name, … or ON ALL TABLES IN SCHEMA public",
            )  # fmt: skip
        if self._token.is_keyword("TABLE") and following.is_name and not following.is_keyword("TO", "FROM"):
            self._next += 1
        return self._list(lambda: self._qualified_name("a table"))

    def _grantees(self) -> tuple[RoleName, ...]:
        roles = self._list(self._role)
        if self._token.is_keyword("WITH"):
            raise PoliciesError("WITH GRANT OPTION is not supported", self._token.at, hint="Only this file grants")
        return roles

    # ---- parts -----------------------------------------------------------------------------------------------

    def _condition(self) -> Condition:
        opening = self._token
        self._expect_operator("(")
        start, depth = self._next, 1
        while depth:
            token = self._token
            if token.kind is TokenKind.END or token.is_operator(";"):
                raise PoliciesError("the parenthesis is not closed", opening.at)
            depth += token.is_operator("(") - token.is_operator(")")
            self._next += 1
        tokens = self._tokens[start : self._next - 1]
        if not tokens:
            raise PoliciesError("the condition is empty", opening.at, hint="Write true for every row")
        return Condition(tokens)

    def _role(self) -> RoleName:
        if self._takes("PUBLIC"):
            return Public()
        if self._token.is_keyword("CURRENT_USER", "SESSION_USER", "CURRENT_ROLE"):
            raise PoliciesError(f"{self._token.text} is no role of this file", self._token.at, hint="Name the role")
        return self._name("a role")

    def _qualified_name(self, what: str) -> Name:
        name = self._name(what)
        if not self._takes_operator("."):
            return name
        if name.text.lower() not in _SCHEMAS:
            raise PoliciesError(f"there is no schema '{name.text}'", name.at, hint="Write the table's name alone")
        return self._name(what)

    def _name(self, what: str) -> Name:
        token = self._token
        if not token.is_name:
            self._unexpected(what)
        self._next += 1
        return Name(token.value, token.at)

    def _list(self, item: Callable[[], _T]) -> tuple[_T, ...]:
        found = [item()]
        while self._takes_operator(","):
            found.append(item())
        return tuple(found)

    # ---- tokens ----------------------------------------------------------------------------------------------

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    @property
    def _following(self) -> Token:
        return self._tokens[min(self._next + 1, len(self._tokens) - 1)]

    def _is_at_end(self) -> bool:
        return self._token.kind is TokenKind.END

    def _takes(self, *keywords: str) -> bool:
        found = self._token.is_keyword(*keywords)
        self._next += found
        return found

    def _takes_all(self, *keywords: str) -> bool:
        following = self._tokens[self._next : self._next + len(keywords)]
        found = all(token.is_keyword(word) for token, word in zip(following, keywords, strict=False))
        self._next += len(keywords) if found else 0
        return found

    def _takes_operator(self, operator: str) -> bool:
        found = self._token.is_operator(operator)
        self._next += found
        return found

    def _one_of(self, *keywords: str) -> str:
        token = self._token
        if not self._takes(*keywords):
            self._unexpected(" or ".join((", ".join(keywords[:-1]), keywords[-1])))
        return token.value.upper()

    def _expect(self, keyword: str) -> None:
        if not self._takes(keyword):
            self._unexpected(keyword)

    def _expect_operator(self, operator: str) -> None:
        if not self._takes_operator(operator):
            self._unexpected(f"'{operator}'")

    def _described(self) -> str:
        return "the end of the file" if self._is_at_end() else f"'{self._token.text}'"

    def _unexpected(self, wanted: str) -> NoReturn:
        raise PoliciesError(f"expected {wanted}, found {self._described()}", self._token.at)
