"""What a condition reads beside its own row, found out by asking SQLite.

A condition is prepared over a row of the table's columns that is no table, so that every table that SQLite reports is
read by a subquery. The names that stand in the condition say which of those it reads itself, and which
only a view reads that it names: a view counts as itself, as in PostgreSQL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from wherry.errors import StatementRefused
from wherry.policies.conditions import Part, condition_parts, pieces_of, spaces_of
from wherry.policies.model import Always, Expression, Never, Predicate, Source
from wherry.policies.refused import PoliciesError, Position
from wherry.policies.statements import Condition
from wherry.policies.tokens import Token, TokenKind
from wherry.schema.model import Schema, Table, TableKind, fold
from wherry.schema.suggest import closest
from wherry.statement import Parameter, Read, Statement


class ExpressionChecker(Protocol):
    """Prepares statements against the file and runs none, as `sqlite.expressions.ExpressionReader.check` does."""

    def __call__(self, statement: Statement, /) -> frozenset[Read]:
        """Return what the statement reads. Raises StatementRefused where it cannot be prepared or may do more."""


@dataclass(frozen=True, slots=True)
class CheckedCondition:
    """A condition that holds for the schema. `reads` are the tables and columns of its subqueries, "" for no column."""

    pieces: tuple[str | Parameter, ...]
    reads: frozenset[tuple[str, str]]
    at: Position

    def predicate(self, sources: tuple[Source, ...]) -> Predicate:
        """Return the condition over the tables that it reads."""
        match self.pieces:
            case (str(text),) if text.lower() == "true":
                return Always()
            case (str(text),) if text.lower() == "false":
                return Never()
        return Expression(self.pieces, sources)


#: Functions that give a table and read none.
_TABLE_FUNCTIONS: Final = frozenset({"json_each", "json_tree", "jsonb_each", "jsonb_tree", "generate_series"})

#: What people paste from PostgreSQL and SQLite calls otherwise.
_CALLED_OTHERWISE: Final = {
    "now": "Write CURRENT_TIMESTAMP, or datetime('now')",
    "current_setting": "Write auth_jwt('claim')",
    "any": "Write value IN (SELECT value FROM json_each(list))",
    "string_to_array": "Write json_each over a JSON list",
    "current_user": "Write auth_role()",
    "session_user": "Write auth_role()",
}


class ConditionChecker:
    """Checks conditions against one schema; a class because it remembers what it has confirmed."""

    def __init__(self, schema: Schema, checker: ExpressionChecker) -> None:
        self._schema = schema
        self._checker = checker
        self._tables = {fold(name): name for name in schema.tables}
        self._views = frozenset(t.name for t in schema.tables.values() if t.kind is TableKind.VIEW)
        self._confirmed: set[str] = set()

    def check(self, condition: Condition, table: Table) -> CheckedCondition:
        """Check a condition on the table's rows. Raises PoliciesError where it cannot be used."""
        parts = condition_parts(condition, self._tables)
        if not _reads_tables([part.token for part in parts]):
            self._prepare(f"SELECT 1 FROM main.{_quote(table.name)} WHERE (", parts, table)
            return CheckedCondition(pieces_of(parts), frozenset(), condition.at)
        reads = self._prepare(f"SELECT 1 FROM ({_row(table)}) AS {_quote(table.name)} WHERE (", parts, table)
        return CheckedCondition(pieces_of(parts), self._own_reads(condition.tokens, reads), condition.at)

    def confirm(self, predicate: Predicate, table: Table, at: Position) -> None:
        """Prepare the predicate as it will run, with its sources. Raises PoliciesError."""
        if not isinstance(predicate, Expression):
            return
        pieces = ("SELECT 1 FROM main.", _quote(table.name), " WHERE ((", *_with(predicate), ")) IS TRUE")
        text = "".join(piece if isinstance(piece, str) else "?" for piece in pieces)
        if text in self._confirmed:
            return
        self._confirmed.add(text)
        try:
            self._checker(Statement(text, tuple(piece for piece in pieces if not isinstance(piece, str))))
        except StatementRefused as error:
            raise PoliciesError(f"the condition cannot be used: {error.message}", at) from error

    def tables_of(self, view: Table) -> frozenset[str]:
        """Return the tables and views that a view shows; none for a view that SQLite cannot read."""
        try:
            reads = self._checker(Statement(f"SELECT * FROM main.{_quote(view.name)}"))
        except StatementRefused:
            return frozenset()
        return frozenset(self._tables[fold(read.table)] for read in reads if fold(read.table) in self._tables)

    def _prepare(self, before: str, parts: Sequence[Part], table: Table) -> frozenset[Read]:
        text = "".join(space + part.text for space, part in zip(spaces_of(parts), parts, strict=True))
        parameters = tuple(part.piece for part in parts if not isinstance(part.piece, str))
        try:
            return self._checker(Statement(f"{before}{text})", parameters))
        except StatementRefused as error:
            offset = None if error.offset is None else error.offset - len(before.encode())
            raise self._refused(error.message, _at_offset(parts, offset), parts, table) from error

    def _refused(self, message: str, found: Token | None, parts: Sequence[Part], table: Table) -> PoliciesError:
        what, _, name = message.partition(": ")
        named = [part.token for part in parts if name and fold(part.token.value) == fold(name.rpartition(".")[2])]
        at = found or (named[0] if named else parts[0].token)
        hint = _CALLED_OTHERWISE.get(fold(name))
        if what == "no such column" and hint is None:
            hint = _meant(name.rpartition(".")[2], self._columns(parts, table))
        elif what == "no such table":
            hint = _meant(name, self._schema.tables)
        return PoliciesError(message, at.at, hint=hint)

    def _columns(self, parts: Sequence[Part], table: Table) -> list[str]:
        named = [self._tables[name] for part in parts if (name := fold(part.token.value)) in self._tables]
        return [*table.columns, *[column for name in named for column in self._schema.tables[name].columns]]

    def _own_reads(self, tokens: Sequence[Token], reads: frozenset[Read]) -> frozenset[tuple[str, str]]:
        """Return what the condition reads itself. Raises PoliciesError for a table that is not served.

        No table can be read without its name standing in the condition, but `sqlite_schema` which SQLite reports
        under its old name. What is not named is read by a view, or by SQLite for a full-text index.
        """
        # A string may stand for a name: FROM 'films'.
        named: Mapping[str, Token] = {fold(t.value): t for t in reversed(tokens) if t.kind is not TokenKind.OPERATOR}
        for name, token in named.items():
            if name.startswith("sqlite_") and any(fold(read.table).startswith("sqlite_") for read in reads):
                raise _not_served(token)
        own: set[tuple[str, str]] = set()
        for read in reads:
            view = self._tables.get(fold(read.within or ""))
            is_within_view = read.within == "" or view in self._views
            if view is not None and is_within_view and fold(view) in named:
                own.add((view, ""))
            if is_within_view or fold(read.table) not in named:
                continue
            table = self._tables.get(fold(read.table))
            if table is not None:
                own.add((table, read.column))
            elif fold(read.table) not in _TABLE_FUNCTIONS:
                raise _not_served(named[fold(read.table)])
        return frozenset(own)


def _not_served(token: Token) -> PoliciesError:
    return PoliciesError(f"a policy cannot read '{token.value}'", token.at, hint="It may read the tables of the API")


def _meant(name: str, names: Mapping[str, object] | list[str]) -> str | None:
    meant = closest(name, names)
    return f"Perhaps you meant '{meant}'" if meant else None


def _reads_tables(tokens: Sequence[Token]) -> bool:
    """Tell whether a subquery may stand in the condition: there is no other way than SELECT, and `value IN table`."""
    return any(
        token.is_keyword("SELECT")
        or (token.is_keyword("IN") and not (place + 1 < len(tokens) and tokens[place + 1].is_operator("(")))
        for place, token in enumerate(tokens)
    )


def _row(table: Table) -> str:
    """Write a SELECT of one row that has the table's columns and is not read from it."""
    folded = {fold(name) for name in table.columns}
    hidden = [] if table.kind is TableKind.VIEW or table.without_rowid else ["rowid", "oid", "_rowid_"]
    if table.full_text is not None and table.full_text.table == table.name:
        hidden += [fold(table.name), "rank"]
    names = [*table.columns, *[name for name in hidden if name not in folded]]
    return "SELECT " + ", ".join(f"NULL AS {_quote(name)}" for name in names)


def _at_offset(parts: Sequence[Part], offset: int | None) -> Token | None:
    """Find the token at an offset, in bytes, of the condition's SQL."""
    if offset is None:
        return None
    end = 0
    for space, part in zip(spaces_of(parts), parts, strict=True):
        end += len(space) + len(part.text.encode())
        if offset < end:
            return part.token
    return parts[-1].token


def _with(expression: Expression) -> tuple[str | Parameter, ...]:
    """Write `WITH … SELECT (condition)`, the sources in the place of the tables."""
    pieces: list[str | Parameter] = []
    for source in expression.sources:
        if not source.unrestricted:
            columns = ", ".join(map(_quote, source.columns))
            pieces += [
                ", " if pieces else "WITH ",
                f"{_quote(source.table)} AS (SELECT {columns} FROM main.{_quote(source.table)}",
            ]
            if isinstance(source.visible, Expression):
                pieces += [" WHERE (", *_with(source.visible), ")"]
            pieces.append(")")
    return (*pieces, " SELECT (", *expression.pieces, ")")


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
