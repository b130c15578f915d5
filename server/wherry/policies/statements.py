"""The statements of `policies.sql`, as values, and how each is written.

They are PostgreSQL's: https://www.postgresql.org/docs/current/sql-createpolicy.html, sql-grant, sql-revoke,
sql-createrole and sql-altertable. `render` writes what `parser.parse_statements` reads: one undoes the other.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from wherry.policies.refused import Position
from wherry.policies.tokens import Token


class Command(StrEnum):
    """The command that a policy is for."""

    ALL = "ALL"
    SELECT = "SELECT"
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


#: What can be granted; GRANT ALL is all of them.
PRIVILEGES: Final = (Command.SELECT, Command.INSERT, Command.UPDATE, Command.DELETE)


class RowSecurityAction(StrEnum):
    """What ALTER TABLE does to a table's row security. FORCE concerns a table's owner, and here there is none."""

    ENABLE = "ENABLE"
    DISABLE = "DISABLE"
    FORCE = "FORCE"
    NO_FORCE = "NO FORCE"


@dataclass(frozen=True, slots=True)
class Name:
    """A name as written, without its quotes."""

    text: str
    at: Position = field(compare=False, repr=False, default=Position(1, 1))


@dataclass(frozen=True, slots=True)
class Public:
    """PUBLIC: every role."""


@dataclass(frozen=True, slots=True)
class AllTables:
    """ALL TABLES IN SCHEMA public: every table and view."""


RoleName: TypeAlias = Name | Public


@dataclass(frozen=True, slots=True)
class Condition:
    """The text of a USING or WITH CHECK: its tokens, without the parentheses around them; at least one."""

    tokens: tuple[Token, ...]

    @property
    def at(self) -> Position:
        """Where it begins."""
        return self.tokens[0].at


@dataclass(frozen=True, slots=True)
class Privilege:
    """A privilege, on the whole table or (`columns`) on some columns."""

    command: Command
    columns: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class CreateRole:
    """CREATE ROLE: a role that tokens may carry."""

    name: Name
    bypasses_row_security: bool = False
    inherits: bool = True


@dataclass(frozen=True, slots=True)
class GrantPrivileges:
    """GRANT … ON … TO …, or with `revokes` REVOKE … ON … FROM …."""

    privileges: tuple[Privilege, ...]
    tables: tuple[Name, ...] | AllTables
    roles: tuple[RoleName, ...]
    revokes: bool = False


@dataclass(frozen=True, slots=True)
class GrantRoles:
    """GRANT role TO member, or with `revokes` REVOKE role FROM member."""

    roles: tuple[Name, ...]
    members: tuple[Name, ...]
    revokes: bool = False


@dataclass(frozen=True, slots=True)
class GrantUsage:
    """GRANT USAGE ON SCHEMA public TO …: means nothing here, and stands in every script made for Supabase."""

    roles: tuple[RoleName, ...]


@dataclass(frozen=True, slots=True)
class AlterRowSecurity:
    """ALTER TABLE … ROW LEVEL SECURITY."""

    table: Name
    action: RowSecurityAction


@dataclass(frozen=True, slots=True)
class CreatePolicy:
    """CREATE POLICY."""

    name: Name
    table: Name
    command: Command = Command.ALL
    restrictive: bool = False
    roles: tuple[RoleName, ...] = (Public(),)
    using: Condition | None = None
    check: Condition | None = None


PolicyStatement: TypeAlias = CreateRole | GrantPrivileges | GrantRoles | GrantUsage | AlterRowSecurity | CreatePolicy


def render(statement: PolicyStatement) -> str:
    """Write the statement, with its semicolon."""
    return " ".join(_words(statement)) + ";"


def _words(statement: PolicyStatement) -> list[str]:
    match statement:
        case CreateRole(name, bypasses, inherits):
            options = [*(["BYPASSRLS"] if bypasses else []), *([] if inherits else ["NOINHERIT"])]
            return ["CREATE ROLE", _name(name), *options]
        case GrantPrivileges(privileges, tables, roles, revokes):
            what = ", ".join(_privilege(privilege) for privilege in privileges)
            where = "ALL TABLES IN SCHEMA public" if isinstance(tables, AllTables) else _names(tables)
            return [*_granting(revokes, f"{what} ON {where}"), _roles(roles)]
        case GrantRoles(granted, members, revokes):
            return [*_granting(revokes, _names(granted)), _names(members)]
        case GrantUsage(roles):
            return ["GRANT USAGE ON SCHEMA public TO", _roles(roles)]
        case AlterRowSecurity(table, action):
            return ["ALTER TABLE", _name(table), action, "ROW LEVEL SECURITY"]
        case CreatePolicy():
            return _policy(statement)


def _granting(revokes: bool, what: str) -> list[str]:
    return ["REVOKE", what, "FROM"] if revokes else ["GRANT", what, "TO"]


def _policy(policy: CreatePolicy) -> list[str]:
    return [
        f"CREATE POLICY {_name(policy.name)} ON {_name(policy.table)}",
        f"AS {'RESTRICTIVE' if policy.restrictive else 'PERMISSIVE'}",
        f"FOR {policy.command}",
        f"TO {_roles(policy.roles)}",
        *([f"USING ({_condition(policy.using)})"] if policy.using else []),
        *([f"WITH CHECK ({_condition(policy.check)})"] if policy.check else []),
    ]


def _privilege(privilege: Privilege) -> str:
    return f"{privilege.command} ({_names(privilege.columns)})" if privilege.columns else privilege.command


def _name(name: Name) -> str:
    return '"' + name.text.replace('"', '""') + '"'


def _names(names: tuple[Name, ...]) -> str:
    return ", ".join(_name(name) for name in names)


def _roles(roles: tuple[RoleName, ...]) -> str:
    return ", ".join("PUBLIC" if isinstance(role, Public) else _name(role) for role in roles)


def _condition(condition: Condition) -> str:
    return " ".join(token.text for token in condition.tokens)
