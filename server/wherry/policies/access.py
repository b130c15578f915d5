"""What a role may do with a table: the rules combined as PostgreSQL combines them.

https://www.postgresql.org/docs/current/sql-createpolicy.html, "Application of Multiple Policies" and the table
"Policies Applied by Command Type":

1. Without row security on the table, and for a role that bypasses it, every row.
2. Policies for the command and for ALL count, of the role, the roles that it is a member of, and PUBLIC.
3. One of the permissive ones must hold, and every restrictive one. Without a permissive one: no row.
4. A new row is measured by WITH CHECK; by USING where the policy has none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import itemgetter
from typing import Final

from wherry.identity import SERVICE_ROLE
from wherry.policies.model import NO_ACCESS, Access, Always, Expression, Never, Predicate, Source
from wherry.policies.reading import CheckedCondition, ConditionChecker
from wherry.policies.refused import PoliciesError
from wherry.policies.rules import Policy, Rules
from wherry.policies.statements import Command
from wherry.schema.model import Schema, Table
from wherry.statement import Parameter

#: How many tables may stand on each other, each read by the policies of the one before.
MOST_LEVELS: Final = 16


class AccessFinder:
    """Finds a role's access to a table; a class because it remembers what roles see of what policies read."""

    def __init__(self, rules: Rules, schema: Schema) -> None:
        self._rules = rules
        self._schema = schema
        self._effective = {role: rules.effective_roles(role) for role in rules.roles}
        self._sources: dict[tuple[str, str], Source] = {}

    def access(self, role: str, table: Table) -> Access:
        """Return what the role may do with the table."""
        if role == SERVICE_ROLE:
            return _everything(table)
        commands = frozenset(self._commands(role, table))
        if not commands:
            return NO_ACCESS

        def predicate(command: Command) -> Predicate:
            return _all_of(self._predicates(role, command, table)) if command in commands else Never()

        def checks(command: Command) -> tuple[Predicate, ...]:
            return self._predicates(role, command, table, new_row=True) if command in commands else (Never(),)

        return Access(
            readable=self._readable(role, table),
            insertable=self._columns(role, Command.INSERT, table),
            updatable=self._columns(role, Command.UPDATE, table),
            may_insert=Command.INSERT in commands,
            may_update=Command.UPDATE in commands,
            may_delete=Command.DELETE in commands,
            visible=predicate(Command.SELECT),
            changeable=predicate(Command.UPDATE),
            deletable=predicate(Command.DELETE),
            insert_checks=checks(Command.INSERT),
            update_checks=checks(Command.UPDATE),
        )

    def require_readable(self, conditions: ConditionChecker) -> None:
        """Raise PoliciesError for a policy that a role cannot evaluate, or that would never come to an end.

        PostgreSQL finds out when the query is run: "permission denied for table", "infinite recursion detected in
        policy for relation".
        """
        for role in sorted(self._rules.roles - self._rules.bypassing):
            heights: dict[str, int] = {}
            for name in self._rules.policies:
                table = self._schema.tables[name]
                for command in self._commands(role, table):
                    for policy in self._policies(role, command, table):
                        self._require_sources(role, policy, command)
                        for source, _ in _reads(policy, command):
                            self._height(role, source, (), heights, policy)
            for name in self._rules.policies:
                self._confirm(role, self._schema.tables[name], conditions)

    # ---- privileges ------------------------------------------------------------------------------------------

    def _has(self, role: str, command: Command, table: Table) -> bool:
        """Tell whether the role has the privilege on the whole table."""
        effective = self._effective[role]
        return SERVICE_ROLE in effective or any(
            table.name in self._rules.table_grants.get((one, command), ()) for one in effective
        )

    def _columns(self, role: str, command: Command, table: Table) -> frozenset[str]:
        if self._has(role, command, table):
            return frozenset(table.columns)
        grants = self._rules.column_grants
        return frozenset(
            column for one in self._effective[role] for column in grants.get((one, command, table.name), ())
        )

    def _readable(self, role: str, table: Table) -> tuple[str, ...]:
        granted = self._columns(role, Command.SELECT, table)
        return tuple(name for name in table.columns if name in granted)

    def _commands(self, role: str, table: Table) -> Iterator[Command]:
        """Give the commands that the role has a privilege for."""
        for command in (Command.SELECT, Command.INSERT, Command.UPDATE):
            if self._columns(role, command, table):
                yield command
        if self._has(role, Command.DELETE, table):
            yield Command.DELETE

    # ---- rows ------------------------------------------------------------------------------------------------

    def _policies(self, role: str, command: Command, table: Table) -> Iterator[Policy]:
        effective = self._effective[role]
        for policy in self._rules.policies.get(table.name, ()):
            if policy.command in (Command.ALL, command) and not effective.isdisjoint(policy.roles):
                yield policy

    def _predicates(self, role: str, command: Command, table: Table, *, new_row: bool = False) -> tuple[Predicate, ...]:
        """Return what must hold of a row: the permissive policies together, then each restrictive one by its name."""
        if table.name not in self._rules.secured or role in self._rules.bypassing:
            return (Always(),)
        permissive: list[Predicate] = []
        restrictive: list[tuple[str, Predicate]] = []
        for policy in self._policies(role, command, table):
            condition = (policy.check or policy.using) if new_row else policy.using
            if condition is not None:
                predicate = condition.predicate(self._sources_of(role, condition))
                if not policy.restrictive:
                    permissive.append(predicate)
                elif isinstance(predicate, Expression):
                    restrictive.append((policy.name, replace(predicate, name=policy.name)))
                elif isinstance(predicate, Never):
                    restrictive.append((policy.name, predicate))
        return (_any_of(permissive), *[predicate for _, predicate in sorted(restrictive, key=itemgetter(0))])

    def _sources_of(self, role: str, condition: CheckedCondition) -> tuple[Source, ...]:
        return tuple(self._source(role, name) for name in sorted({name for name, _ in condition.reads}))

    def _source(self, role: str, name: str) -> Source:
        found = self._sources.get((role, name))
        if found is None:
            table = self._schema.tables[name]
            readable = self._readable(role, table)
            visible = _all_of(self._predicates(role, Command.SELECT, table))
            whole = len(readable) == len(table.columns) and visible == Always()
            found = self._sources[role, name] = Source(name, readable, visible, whole)
        return found

    # ---- what cannot be evaluated ----------------------------------------------------------------------------

    def _require_sources(self, role: str, policy: Policy, command: Command) -> None:
        for name, column in sorted(_reads(policy, command)):
            table = self._schema.tables[name]
            readable = self._readable(role, table)
            if not readable or (column in table.columns and column not in readable):
                what = f"the column '{column}' of '{name}'" if readable else f"'{name}'"
                privilege = f"SELECT ({column})" if readable else "SELECT"
                raise PoliciesError(
                    f"the policy '{policy.name}' on '{policy.table}' reads {what}, and {role} may not", policy.at,
                    hint=f"GRANT {privilege} ON {name} TO {role}, or name other roles in the policy",
                )  # fmt: skip
            if column and column not in table.columns and not self._is_whole(role, table):
                raise PoliciesError(
                    f"the policy '{policy.name}' on '{policy.table}' reads '{column}' of '{name}', "
                    f"of which {role} does not see every row and column", policy.at, hint="Read a column instead",
                )  # fmt: skip

    def _is_whole(self, role: str, table: Table) -> bool:
        """Tell whether the table is in no way restricted, from its rules alone: its policies may not be sound yet."""
        return table.name not in self._rules.secured and len(self._readable(role, table)) == len(table.columns)

    def _height(self, role: str, name: str, path: tuple[str, ...], heights: dict[str, int], policy: Policy) -> int:
        """Return how many tables stand on each other below the table. Raises PoliciesError for a circle."""
        if name in path:
            circle = " → ".join([*path[path.index(name) :], name])
            raise PoliciesError(
                f"infinite recursion in the policies for {role}: {circle}", policy.at,
                hint="Read another table: the rows that a policy reads are themselves subject to their policies",
            )  # fmt: skip
        if name not in heights:
            below = [0]
            for each in self._policies(role, Command.SELECT, self._schema.tables[name]):
                for source, _ in each.using.reads if each.using is not None else ():
                    below.append(1 + self._height(role, source, (*path, name), heights, each))
            heights[name] = max(below)
        if heights[name] + len(path) > MOST_LEVELS:
            raise PoliciesError(f"more than {MOST_LEVELS} tables read each other in policies", policy.at)
        return heights[name]

    def _confirm(self, role: str, table: Table, conditions: ConditionChecker) -> None:
        for command in self._commands(role, table):
            for policy in self._policies(role, command, table):
                for condition in _conditions(policy, command):
                    if condition.reads:
                        conditions.confirm(condition.predicate(self._sources_of(role, condition)), table, condition.at)


def _conditions(policy: Policy, command: Command) -> tuple[CheckedCondition, ...]:
    """Return the conditions that are evaluated when the command is run."""
    found: tuple[CheckedCondition | None, ...]
    match command:
        case Command.SELECT | Command.DELETE:
            found = (policy.using,)
        case Command.INSERT:
            found = (policy.check or policy.using,)
        case _:
            found = (policy.using, policy.check)
    return tuple(condition for condition in found if condition is not None)


def _reads(policy: Policy, command: Command) -> frozenset[tuple[str, str]]:
    return frozenset(read for condition in _conditions(policy, command) for read in condition.reads)


def _everything(table: Table) -> Access:
    columns = frozenset(table.columns)
    every = Always()
    return Access(
        readable=tuple(table.columns),
        insertable=columns,
        updatable=columns,
        may_insert=True,
        may_update=True,
        may_delete=True,
        visible=every,
        changeable=every,
        deletable=every,
        insert_checks=(every,),
        update_checks=(every,),
        unrestricted=True,
    )


# ---- logic -----------------------------------------------------------------------------------------------------


def _any_of(predicates: Iterable[Predicate]) -> Predicate:
    expressions: list[Expression] = []
    for predicate in predicates:
        match predicate:
            case Always():
                return predicate
            case Expression():
                expressions.append(predicate)
            case Never():
                pass
    return _joined(" OR ", expressions) if expressions else Never()


def _all_of(predicates: Iterable[Predicate]) -> Predicate:
    expressions: list[Expression] = []
    for predicate in predicates:
        match predicate:
            case Never():
                return predicate
            case Expression():
                expressions.append(predicate)
            case Always():
                pass
    return _joined(" AND ", expressions) if expressions else Always()


def _joined(operator: str, expressions: list[Expression]) -> Expression:
    if len(expressions) == 1:
        return replace(expressions[0], name=None)
    pieces: list[str | Parameter] = []
    sources: dict[str, Source] = {}
    for number, expression in enumerate(expressions):
        for piece in (f"{operator}(" if number else "(", *expression.pieces, ")"):
            if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
                pieces[-1] += piece
            else:
                pieces.append(piece)
        sources |= {source.table: source for source in expression.sources}
    return Expression(tuple(pieces), tuple(sources.values()))
