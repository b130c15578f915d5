"""A violated constraint, told as PostgreSQL tells it: by its name, its table and the key.

SQLite says little (`UNIQUE constraint failed: films.title`, for a foreign key nothing at all); the schema knows the
rest. Tables that the role may not see are not named, nor are columns that the caller neither sees nor wrote.
"""

from collections.abc import Awaitable, Callable, Sequence

from wherry.errors import ConstraintError
from wherry.rest.names import Names
from wherry.rest.sql import quote_identifier
from wherry.schema.model import ForeignKey, Table, fold
from wherry.schema.tokens import TokenKind, tokenize
from wherry.statement import Framing, Literal, ReadTransaction, SQLiteValue, Statement

#: Counts the rows that a transaction's page finds for some values.
CountRows = Callable[[ReadTransaction, Sequence[SQLiteValue]], Awaitable[int]]

UNIQUE, FOREIGN_KEY, NOT_NULL, CHECK = "23505", "23503", "23502", "23514"

#: So many rows of a payload are looked through for the one whose foreign key leads nowhere.
_SEARCHED_ROWS = 100

#: So many characters of a value are shown, as in PostgreSQL.
_SHOWN = 64


async def explain_violation(
    error: ConstraintError,
    names: Names,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[SQLiteValue]],
    count_rows: CountRows,
) -> ConstraintError:
    """Return the error that the caller gets, for a write of `rows` with values for `columns` of `table`."""
    if error.code == FOREIGN_KEY:
        return await _explain_foreign_key(error, names, table, columns, rows, count_rows)
    if error.code == CHECK:
        return _explain_check(error, names, table, columns, rows)
    subject_table, subject_columns = _read_subject(error.subject, table)
    if subject_table is None or error.code not in (UNIQUE, NOT_NULL):
        return _hide_other_table(error, names, table)
    if not subject_columns:  # a unique index over an expression is told by its name: index 'films_lower_title'
        name = error.subject.removeprefix("index ").strip("'")
        return _told(error, f'duplicate key value violates unique constraint "{name}"', None)
    if error.code == UNIQUE:
        key = f"Key ({', '.join(subject_columns)}){_values_of(subject_columns, columns, rows)} already exists."
        name = _unique_name(table, subject_columns)
        known = _known_columns(names, table, columns)
        details = key if known.issuperset(subject_columns) else None
        return _told(error, f'duplicate key value violates unique constraint "{name}"', details)
    name = subject_columns[0]
    message = f'null value in column "{name}" of relation "{table.name}" violates not-null constraint'
    failing = [row for row in rows if name not in columns or row[columns.index(name)] is None]
    return _told(error, message, _failing_row(columns, failing[:1]), hint=f'Give "{name}" a value')


def _told(error: ConstraintError, message: str, details: str | None, *, hint: str | None = None) -> ConstraintError:
    told = ConstraintError(
        message, code=error.code, subject=error.subject, status=error.status, hint=hint or error.hint
    )
    told.details = details
    return told


def _known_columns(names: Names, table: Table, columns: Sequence[str]) -> set[str]:
    return {*names.access(table).readable, *columns}


def _failing_row(columns: Sequence[str], rows: Sequence[Sequence[SQLiteValue]]) -> str | None:
    """Write the caller's own values of the one row, as PostgreSQL shows a row to who does not see all of it."""
    if len(rows) != 1 or not columns:
        return None
    values = ", ".join(_shortened(value) for _, value in zip(columns, rows[0], strict=False))  # literals follow
    return f"Failing row contains ({', '.join(columns)}) = ({values})."


def _shortened(value: SQLiteValue) -> str:
    if value is None:
        return "null"
    text = f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _explain_check(
    error: ConstraintError,
    names: Names,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[SQLiteValue]],
) -> ConstraintError:
    """Tell the check by its name or, where it has none, by its expression, unless that names what is hidden.

    SQLite says the one or the other, and not of which table: a trigger may have written to another one.
    """
    words = {fold(token.text) for token in tokenize(error.subject) if token.kind in (TokenKind.WORD, TokenKind.QUOTED)}
    mentioned = {table.folded[word] for word in words if word in table.folded}
    others = [other for other in names.schema.tables.values() if other is not table]
    if not mentioned and any(word in other.folded for other in others for word in words):
        return _told(error, f'the write to "{table.name}" violates a check constraint of another table', None)
    failing = _failing_row(columns, rows)
    if not mentioned <= _known_columns(names, table, columns):
        return _told(error, f'new row for relation "{table.name}" violates a check constraint', failing)
    message = f'new row for relation "{table.name}" violates check constraint "{error.subject}"'
    return _told(error, message, failing)


def _read_subject(subject: str, table: Table) -> tuple[str | None, tuple[str, ...]]:
    """Read `films.title, films.year` as table and columns; a subject of another table gives None."""
    if not subject.startswith(f"{table.name}."):
        return (table.name, ()) if "." not in subject else (None, ())
    # a name may hold ", " and ".": the table's name, known, is what separates the columns
    return table.name, tuple(subject[len(table.name) + 1 :].split(f", {table.name}."))


def _hide_other_table(error: ConstraintError, names: Names, table: Table) -> ConstraintError:
    """Tell that a trigger violates a constraint of another table, which is named only to who may see it."""
    if error.code not in (UNIQUE, NOT_NULL, CHECK, FOREIGN_KEY):
        return error
    other = error.subject.rpartition(".")[0]
    known = names.schema.tables.get(other)
    if known is not None and not names.access(known).is_nothing:
        return error
    return _told(error, f'the write to "{table.name}" violates a constraint of another table', None)


def _unique_name(table: Table, columns: tuple[str, ...]) -> str:
    for key in table.unique_keys:
        if set(key.columns) == set(columns):
            return key.name
    return f"{table.name}_{'_'.join(columns)}_key"


def _values_of(wanted: Sequence[str], columns: Sequence[str], rows: Sequence[Sequence[SQLiteValue]]) -> str:
    """Write the caller's own values, when there is one row and it has them all."""
    if len(rows) != 1 or not all(name in columns for name in wanted):
        return ""
    return f"=({', '.join(str(rows[0][columns.index(name)]) for name in wanted)})"


async def _explain_foreign_key(
    error: ConstraintError,
    names: Names,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Sequence[SQLiteValue]],
    count_rows: CountRows,
) -> ConstraintError:
    for key in table.foreign_keys:
        if all(name in columns for name in key.columns):
            for row in rows[:_SEARCHED_ROWS]:
                values = [row[columns.index(name)] for name in key.columns]
                if None not in values and not await count_rows(_parent_of(key), values):
                    referenced = names.schema.tables[key.referenced_table]
                    parent = "the table" if names.access(referenced).is_nothing else f'table "{referenced.name}"'
                    return _told(
                        error,
                        f'insert or update on table "{table.name}" violates foreign key constraint "{key.name}"',
                        f"Key ({', '.join(key.columns)})=({', '.join(map(str, values))}) is not present in {parent}.",
                    )
    referring = [
        key
        for other in names.schema.tables.values()
        if not names.access(other).is_nothing
        for key in other.foreign_keys
        if key.referenced_table == table.name
    ]
    if len(referring) == 1:
        return _told(
            error,
            f'update or delete on table "{table.name}" violates foreign key constraint "{referring[0].name}" '
            f'on table "{referring[0].table}"',
            f"Key ({', '.join(referring[0].referenced_columns)}) is still referenced "
            f'from table "{referring[0].table}".',
        )
    candidates = ", ".join(f'"{key.name}"' for key in referring)
    return _told(
        error,
        f'the write to table "{table.name}" violates a foreign key constraint',
        f"One of {candidates}" if candidates else None,
    )


def _parent_of(key: ForeignKey) -> ReadTransaction:
    """Count the rows that a foreign key's values lead to."""
    matches = " AND ".join(f"{quote_identifier(name)} = ?" for name in key.referenced_columns)
    count = Statement(
        f"SELECT count(*), NULL FROM main.{quote_identifier(key.referenced_table)} WHERE {matches}",
        tuple(Literal(index) for index in range(len(key.columns))),
    )
    return ReadTransaction(page=count, rows=count, size=count, framing=Framing())
