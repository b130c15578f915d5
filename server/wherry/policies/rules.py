"""The statements applied to a schema, one after the other: who was granted what, and which policies there are.

Names are resolved here, as SQLite does: letter for letter first, then without case. What names nothing is refused
with its place and with what was probably meant. https://www.postgresql.org/docs/current/sql-grant.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from wherry.identity import BUILT_IN_ROLES, SERVICE_ROLE
from wherry.policies.reading import CheckedCondition
from wherry.policies.refused import PoliciesError, Position
from wherry.policies.statements import (
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
from wherry.schema.model import Schema, Table, fold
from wherry.schema.suggest import closest

#: Stands for PUBLIC among the names of roles; no role may be called so.
PUBLIC: Final = "public"


class ChecksConditions(Protocol):
    """Checks a condition on a table's rows."""

    def check(self, condition: Condition, table: Table) -> CheckedCondition:
        """Return the condition with what it reads. Raises PoliciesError."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy with its names resolved; `roles` may hold PUBLIC."""

    name: str
    table: str
    command: Command
    restrictive: bool
    roles: frozenset[str]
    using: CheckedCondition | None
    check: CheckedCondition | None
    at: Position


@dataclass(slots=True)
class Rules:
    """What the statements came to. Filled by `apply_statements`, only read afterwards."""

    roles: set[str] = field(default_factory=lambda: set(BUILT_IN_ROLES))
    bypassing: set[str] = field(default_factory=lambda: {SERVICE_ROLE})
    isolated: set[str] = field(default_factory=set)  #: NOINHERIT
    memberships: dict[str, set[str]] = field(default_factory=dict)  #: member → roles granted to it
    table_grants: dict[tuple[str, Command], set[str]] = field(default_factory=dict)  #: (role, privilege) → tables
    #: (role, privilege, table) → columns
    column_grants: dict[tuple[str, Command, str], set[str]] = field(default_factory=dict)
    secured: set[str] = field(default_factory=set)  #: tables with row security
    policies: dict[str, list[Policy]] = field(default_factory=dict)  #: by table
    warnings: list[str] = field(default_factory=list)

    def effective_roles(self, role: str) -> frozenset[str]:
        """Return the role, the roles that it is a member of, through others too, and PUBLIC."""
        found, waiting = {PUBLIC}, [role]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self.memberships.get(one, ()) if one not in self.isolated else ()
        return frozenset(found)


def apply_statements(statements: Iterable[PolicyStatement], schema: Schema, conditions: ChecksConditions) -> Rules:
    """Apply the statements in their order. Raises PoliciesError for the first that cannot be."""
    application = _Application(schema, conditions)
    for statement in statements:
        application.apply(statement)
    for policies in application.rules.policies.values():
        _require_row_security(application.rules, policies[0])
    return application.rules


def _require_row_security(rules: Rules, policy: Policy) -> None:
    if policy.table not in rules.secured:
        raise PoliciesError(
            f"the policy '{policy.name}' does nothing, for row security is not enabled on '{policy.table}'", policy.at,
            hint=f"Add ALTER TABLE {policy.table} ENABLE ROW LEVEL SECURITY;",
        )  # fmt: skip


class _Application:
    """The rules while they grow."""

    def __init__(self, schema: Schema, conditions: ChecksConditions) -> None:
        self.rules = Rules()
        self._schema = schema
        self._conditions = conditions
        self._tables = {fold(name): name for name in schema.tables}

    def apply(self, statement: PolicyStatement) -> None:
        match statement:
            case CreateRole():
                self._create_role(statement)
            case GrantPrivileges():
                self._grant(statement)
            case GrantRoles():
                self._grant_roles(statement)
            case GrantUsage(roles):
                self._roles(roles)
            case AlterRowSecurity(name, action):
                table = self._table(name).name
                if action is RowSecurityAction.ENABLE:
                    self.rules.secured.add(table)
                elif action is RowSecurityAction.DISABLE:
                    self.rules.secured.discard(table)
            case CreatePolicy():
                self._create_policy(statement)

    # ---- roles and privileges --------------------------------------------------------------------------------

    def _create_role(self, statement: CreateRole) -> None:
        name = statement.name.text
        if fold(name) in (PUBLIC, "none", ""):
            raise PoliciesError(f"no role can be called '{name}'", statement.name.at)
        existing = next((role for role in self.rules.roles if fold(role) == fold(name)), None)
        if existing is not None:
            hint = f"{existing} is built in: leave the statement out" if existing in BUILT_IN_ROLES else None
            raise PoliciesError(f"there is a role '{existing}' already", statement.name.at, hint=hint)
        self.rules.roles.add(name)
        if statement.bypasses_row_security:
            self.rules.bypassing.add(name)
        if not statement.inherits:
            self.rules.isolated.add(name)

    def _grant_roles(self, statement: GrantRoles) -> None:
        granted = [self._role(name) for name in statement.roles]
        for name in statement.members:
            member = self._role(name)
            for role in granted:
                if statement.revokes:
                    self.rules.memberships.get(member, set()).discard(role)
                    continue
                if member in self._above(role):
                    raise PoliciesError(f"'{role}' is a member of '{member}' already, or the same role", name.at)
                self.rules.memberships.setdefault(member, set()).add(role)

    def _above(self, role: str) -> set[str]:
        found, waiting = set[str](), [role]
        while waiting:
            one = waiting.pop()
            found.add(one)
            waiting += self.rules.memberships.get(one, set()) - found
        return found

    def _grant(self, statement: GrantPrivileges) -> None:
        if isinstance(statement.tables, AllTables):
            tables = list(self._schema.tables.values())
            for privilege in statement.privileges:
                if privilege.columns:
                    at = privilege.columns[0].at
                    raise PoliciesError("columns of ALL TABLES cannot be granted", at, hint="Name the tables")
        else:
            tables = [self._table(name) for name in statement.tables]
        for role in self._roles(statement.roles, revokes=statement.revokes):
            for privilege in statement.privileges:
                if privilege.columns:
                    for table in tables:
                        self._grant_columns(role, privilege, table, revokes=statement.revokes)
                else:
                    self._grant_tables(role, privilege.command, tables, revokes=statement.revokes)

    def _grant_tables(self, role: str, command: Command, tables: Iterable[Table], *, revokes: bool) -> None:
        names = {table.name for table in tables}
        granted = self.rules.table_grants.setdefault((role, command), set())
        if not revokes:
            granted |= names
            return
        granted -= names
        for name in names:  # who revokes a table's privilege revokes that of its columns
            self.rules.column_grants.pop((role, command, name), None)

    def _grant_columns(self, role: str, privilege: Privilege, table: Table, *, revokes: bool) -> None:
        columns = {self._column(table, name) for name in privilege.columns}
        granted = self.rules.column_grants.setdefault((role, privilege.command, table.name), set())
        if not revokes:
            granted |= columns
            return
        granted -= columns
        if table.name in self.rules.table_grants.get((role, privilege.command), ()):
            at = privilege.columns[0].at
            self.rules.warnings.append(
                f"{at.line}:{at.column}: REVOKE {privilege.command} on columns of '{table.name}' takes nothing from "
                f"{role}, which has {privilege.command} on the whole table: revoke that, and grant the other columns"
            )

    # ---- policies --------------------------------------------------------------------------------------------

    def _create_policy(self, statement: CreatePolicy) -> None:
        table = self._table(statement.table)
        policies = self.rules.policies.setdefault(table.name, [])
        name = statement.name
        if any(fold(policy.name) == fold(name.text) for policy in policies):
            raise PoliciesError(f"there is a policy '{name.text}' on '{table.name}' already", name.at)
        if statement.using is None and statement.check is None:
            self.rules.warnings.append(
                f"{name.at.line}:{name.at.column}: the policy '{name.text}' on '{table.name}' has no condition "
                "and so lets no row through: write USING (true) for every row"
            )
        policies.append(
            Policy(
                name.text,
                table.name,
                statement.command,
                statement.restrictive,
                frozenset(self._roles(statement.roles)),
                self._conditions.check(statement.using, table) if statement.using else None,
                self._conditions.check(statement.check, table) if statement.check else None,
                name.at,
            )
        )

    # ---- names -----------------------------------------------------------------------------------------------

    def _table(self, name: Name) -> Table:
        found = self._schema.tables.get(self._tables.get(fold(name.text), ""))
        if found is None:
            raise _unknown("table", name, self._schema.tables)
        return found

    def _column(self, table: Table, name: Name) -> str:
        folded = {fold(column): column for column in table.columns}
        if fold(name.text) not in folded:
            raise _unknown("column", name, table.columns, of=table.name)
        return folded[fold(name.text)]

    def _role(self, name: Name) -> str:
        for role in self.rules.roles:
            if fold(role) == fold(name.text):
                return role
        raise _unknown("role", name, dict.fromkeys(sorted(self.rules.roles)))

    def _roles(self, names: Iterable[RoleName], *, revokes: bool = False) -> list[str]:
        roles: list[str] = []
        for name in names:
            if isinstance(name, Public):
                roles.append(PUBLIC)
                continue
            roles.append(self._role(name))
            if revokes and roles[-1] == SERVICE_ROLE:
                raise PoliciesError("service_role has every privilege, always", name.at, hint="Use another role")
        return roles


def _unknown(what: str, name: Name, names: Mapping[str, object], *, of: str | None = None) -> PoliciesError:
    meant = closest(name.text, names)
    hint = f"Perhaps you meant '{meant}'" if meant else None
    if hint is None and what == "role":
        hint = f"Add CREATE ROLE {name.text}; before"
    where = f" in '{of}'" if of else ""
    return PoliciesError(f"there is no {what} '{name.text}'{where}", name.at, hint=hint)
