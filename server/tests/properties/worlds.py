"""Small databases and who may do what in them, drawn at random; each drawn value can be written as SQL.

The tables are always the same, so that requests can be composed that mostly make sense: foreign keys two ways between
two tables, a junction, a self reference, one-to-one, a table without a key and with rows that are equal, a view, a
full-text index. What varies are rows, indexes, grants, policies, and who asks. The columns of every table hold values
that do not fit their types.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, TypeAlias

import apsw
from hypothesis import strategies as st

Value: TypeAlias = None | int | float | str | bytes
Row: TypeAlias = tuple[Value, ...]


@dataclass(frozen=True)
class Column:
    """A column, and where it refers to."""

    name: str
    type: str
    values: tuple[Value, ...] = field(repr=False)
    refers_to: tuple[tuple[str, str], ...] = ()
    key_name: str = ""
    suffix: str = ""


@dataclass(frozen=True)
class Table:
    """A table of every world."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    without_rowid: bool = False
    is_view: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def create(self, readable: "dict[str, tuple[str, ...]]") -> str:
        """Write the table with those columns that are readable, and what they alone make."""
        shown = readable[self.name]
        parts = [f"{c.name} {c.type} {c.suffix}" for c in self.columns if c.name in shown]
        if self.key and set(self.key) <= set(shown):
            parts.append(f"PRIMARY KEY ({', '.join(self.key)})")
        parts += [f"UNIQUE ({name})" for name in self.unique if name in shown]
        for column in self.columns:
            for table, referred in column.refers_to:
                if column.name in shown and referred in readable.get(table, ()):
                    parts.append(
                        f"CONSTRAINT {column.key_name} FOREIGN KEY ({column.name}) REFERENCES {table} ({referred})"
                    )
        has_key = self.key and set(self.key) <= set(shown)
        return f"CREATE TABLE {self.name} ({', '.join(parts)}){' WITHOUT ROWID' * bool(self.without_rowid and has_key)}"


_WORDS = ("a", "b", "B", "red fox", 'red, "hen"', "x*%_", "é", "", "1", "a\nb", "NULL", "\U0001f98a")
_TEXT = (*_WORDS, *_WORDS, None, None, b"red", b"\xff\x00")
_JSON = (
    None,
    '{"k":1}',
    '{"k":"a","l":[1,2,{"m":null}]}',
    "[1,2]",
    '"a"',
    "true",
    "1",
    "null",
    '{"k":',
    "",
    b"\x01",
    "{k:1}",
)
_INTEGER = (*range(5), *range(5), *range(5), None, None, 2**63 - 1, -(2**63), "abc", 1.5, b"\x00")
_REAL = (None, 0.5, 1.0, 1.5, -2.25, "abc", 9e999, b"r")
_BOOLEAN = (0, 1, 0, 1, None, 2, "yes")
_PERSON = (1, 2, 3, 4, None)


def _refers(name: str, key_name: str, *to: tuple[str, str], declared: str = "INTEGER") -> Column:
    return Column(name, declared, _PERSON, to, key_name)


_ID = Column("id", "INTEGER", ())

TABLES: Final = {
    table.name: table
    for table in (
        Table(
            "people",
            (
                _ID,
                Column("name", "TEXT", _TEXT),
                _refers("boss", "people_boss_fkey", ("people", "id")),
                _refers("team", "belongs", ("teams", "id")),
                Column("active", "BOOLEAN", _BOOLEAN),
                Column("data", "JSON", _JSON),
            ),
            key=("id",),
        ),
        Table(
            "teams",
            (
                _ID,
                Column("name", "TEXT COLLATE NOCASE", _TEXT),
                _refers("lead", "led", ("people", "id")),
                Column("budget", "NUMERIC", _INTEGER),
            ),
            key=("id",),
        ),
        Table(
            "docs",
            (
                _ID,
                _refers("owner", "docs_owner_fkey", ("people", "id")),
                Column("title", "TEXT", _TEXT),
                Column("body", "TEXT", _TEXT),
                Column("stars", "INTEGER", _INTEGER),
                Column("tags", "JSON", _JSON),
                Column("raw", "BLOB", (None, b"", b"\x00\xff", "text")),
                Column("score", "REAL", _REAL),
            ),
            key=("id",),
        ),
        Table(
            "members",
            (
                _refers("person", "members_person_fkey", ("people", "id"), declared="INTEGER NOT NULL"),
                _refers("team", "members_team_fkey", ("teams", "id"), declared="INTEGER NOT NULL"),
                Column("level", "INTEGER", _INTEGER),
            ),
            key=("person", "team"),
            without_rowid=True,
        ),
        Table(
            "profiles",
            (_refers("person", "profiles_person_fkey", ("people", "id")), Column("bio", "TEXT", _TEXT)),
            unique=("person",),
        ),
        Table(
            "notes",
            (
                _refers("doc", "notes_doc_fkey", ("docs", "id"), ("good_docs", "id")),
                _refers("by", "notes_by_fkey", ("people", "id")),
                Column("text", "TEXT", _TEXT),
            ),
        ),
        Table(
            "good_docs",
            (
                _ID,
                _refers("owner", "docs_owner_fkey", ("people", "id")),
                Column("title", "TEXT", _TEXT),
                Column("stars", "INTEGER", _INTEGER),
            ),
            key=("id",),
            is_view=True,
        ),
    )
}
VIEW: Final = "CREATE VIEW good_docs AS SELECT id, owner, title, stars FROM docs WHERE stars > 1"
_INDEXES: Final = (
    "CREATE INDEX docs_by_owner ON docs (owner)",
    "CREATE INDEX docs_by_title ON docs (title, stars)",
    "CREATE INDEX notes_by_doc ON notes (doc)",
    "CREATE INDEX teams_by_name ON teams (name)",
    "ANALYZE",
)

SELECT, INSERT, UPDATE, DELETE = COMMANDS = ("SELECT", "INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True)
class Policy:
    """A row policy; `applies` says whether it is the tested role's."""

    table: str
    command: str
    roles: str
    applies: bool
    restrictive: bool
    using: str | None
    check: str | None

    def sql(self, number: int) -> str:
        clauses = [f"CREATE POLICY p{number} ON {self.table}"]
        clauses += ["AS RESTRICTIVE"] * self.restrictive + [f"FOR {self.command}", f"TO {self.roles}"]
        clauses += [f"USING ({self.using})"] if self.using is not None else []
        clauses += [f"WITH CHECK ({self.check})"] if self.check is not None else []
        return " ".join(clauses) + ";"


@dataclass(frozen=True, repr=False)
class World:
    """A database, and what one role may do in it."""

    rows: dict[str, tuple[Row, ...]]
    indexes: tuple[str, ...]
    order: tuple[str, ...]  #: a policy reads only tables that stand before its own
    role: str
    member: bool  #: whether the role has its privileges from another
    claims: dict[str, Any]
    granted: dict[str, dict[str, tuple[str, ...]]]  #: the columns of each command on each table
    secured: frozenset[str]
    policies: tuple[Policy, ...]

    def __repr__(self) -> str:
        rows = "\n".join(f"{name}: {rows}" for name, rows in self.rows.items() if rows)
        return f"{self.role} with {self.claims}\n{rows}\n{self.indexes}\n{self.policies_sql()}"

    def readable(self, table: str) -> tuple[str, ...]:
        return self.granted[table].get(SELECT, ())

    def database(self) -> apsw.Connection:
        """Make the database, in memory."""
        connection = apsw.Connection(":memory:")
        everything = {name: table.names for name, table in TABLES.items() if not table.is_view}
        for name in everything:
            connection.execute(TABLES[name].create(everything))
            fill(connection, name, TABLES[name].names, self.rows[name])
        connection.execute(VIEW)
        add_index(connection, ("title", "body"))
        for index in self.indexes:
            connection.execute(index)
        return connection

    def policies_sql(self) -> str:
        """Write policies.sql."""
        lines = ["CREATE ROLE editor;", "CREATE ROLE auditor;"]
        lines += [f"GRANT SELECT ON {', '.join(TABLES)} TO auditor;"]
        grantee = self.role
        if self.member:
            lines.append("GRANT authenticated TO editor;")
            grantee = "authenticated"
        for table, commands in self.granted.items():
            for command, columns in commands.items():
                whole = columns == TABLES[table].names
                what = command if whole else f"{command} ({', '.join(columns)})"
                lines.append(f"GRANT {what} ON {table} TO {grantee};")
        lines += [f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;" for table in sorted(self.secured)]
        lines += [policy.sql(number) for number, policy in enumerate(self.policies)]
        return "\n".join(lines)


def fill(connection: apsw.Connection, table: str, columns: tuple[str, ...], rows: "tuple[Row, ...]") -> None:
    """Insert rows."""
    values = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO main.{table} ({', '.join(columns)}) VALUES ({values})", rows)


def add_index(connection: apsw.Connection, columns: tuple[str, ...]) -> None:
    """Make the full-text index of docs over some of its columns."""
    if columns:
        connection.execute(
            f"CREATE VIRTUAL TABLE docs_fts USING fts5({', '.join(columns)}, content=docs);"
            "INSERT INTO docs_fts (docs_fts) VALUES ('rebuild')"
        )


# ---- drawn -----------------------------------------------------------------------------------------------------


def _rows(random: Random, table: Table) -> tuple[Row, ...]:
    rows: list[Row] = [
        tuple(number if column is _ID else random.choice(column.values) for column in table.columns)
        for number in range(1, random.choice([3, 4, 5, 2, 0]) + 1)
    ]
    if table.name == "members":
        rows = [(person or 1, team or 1, level) for person, team, level in rows]
        rows = list({row[:2]: row for row in rows}.values())
    if table.unique:
        rows = list({row[0]: row for row in rows}.values())
    elif not table.key and rows:
        rows.append(rows[0])
    return tuple(rows)


_COMPARISONS = (
    "= auth_uid()",
    "= auth_jwt('team')",
    "IS NOT NULL",
    "IS NULL",
    "> 1",
    "= 'a'",
    "IN (1, 3)",
    "<> 2",
    "<= 2",
    "IS NOT 1",
)
_CONSTANTS = (
    "auth_role() = 'editor'",
    "auth_uid() IS NOT NULL",
    "auth_jwt('app.level') > 1",
    "auth_jwt('app') ->> 'level' = 2",
    "true",
    "false",
    "NULL",
    "2",
)


@st.composite
def _expression(draw: st.DrawFn, table: Table, others: "dict[str, tuple[str, ...]]", depth: int = 2) -> str:
    """Draw a condition on a row of the table, which may read some columns of other tables."""
    column = draw(st.sampled_from(table.names))
    named = draw(st.sampled_from([column, f"{table.name}.{column}", f'"{column}"']))
    kinds = ["compare", "compare", "constant"] + ["and", "or", "not"] * (depth > 0) + ["sub", "sub"] * bool(others)
    match draw(st.sampled_from(kinds)):
        case "compare":
            return f"{named} {draw(st.sampled_from(_COMPARISONS))}"
        case "constant":
            return draw(st.sampled_from(_CONSTANTS))
        case "not":
            return f"NOT ({draw(_expression(table, others, depth - 1))})"
        case "sub":
            other = draw(st.sampled_from(sorted(others)))
            read, tested = (draw(st.sampled_from(others[other])) for _ in "12")
            where = draw(st.sampled_from(["", f" WHERE {tested} {draw(st.sampled_from(_COMPARISONS))}"]))
            return draw(
                st.sampled_from(
                    [
                        f"{table.name}.{column} IN (SELECT {read} FROM {other}{where})",
                        f"{table.name}.{column} NOT IN (SELECT {read} FROM {other}{where})",
                        f"EXISTS (SELECT 1 FROM {other} AS o WHERE o.{read} = {table.name}.{column})",
                        f"(SELECT count({read}) FROM {other}{where}) > 1",
                        f"(SELECT max(o.{read}) FROM {other} o) >= {table.name}.{column}",
                    ]
                )
            )
        case word:
            one, two = (draw(_expression(table, others, depth - 1)) for _ in "12")
            return f"({one}) {word.upper()} ({two})"


@st.composite
def _policy(
    draw: st.DrawFn,
    table: Table,
    others: "dict[str, tuple[str, ...]]",
    role: str,
    member: bool,
    commands: tuple[str, ...],
    *,
    shows: bool = False,
) -> Policy:
    """Draw a policy; one that `shows` lets the role read rows."""
    mine = ["PUBLIC", role, f"auditor, {role}"] + ["authenticated"] * member
    roles = draw(st.sampled_from(mine if shows else [*mine, *mine, "auditor"]))
    command = draw(
        st.sampled_from([SELECT, "ALL"] if shows else [SELECT, SELECT, "ALL", "ALL", INSERT, UPDATE, DELETE])
    )
    condition = _expression(table, others)
    return Policy(
        table.name,
        command,
        roles,
        roles != "auditor",
        not shows and draw(st.integers(0, 2)) == 0,
        None if command == INSERT else draw(condition),
        draw(condition) if command == INSERT or (command in ("ALL", UPDATE) and draw(st.booleans())) else None,
    )


def _columns(random: Random, table: Table) -> tuple[str, ...]:
    hidden = random.sample(table.names, random.choice([0, 0, 0, 1, 1, 2]))
    return tuple(name for name in table.names if name not in hidden)


@st.composite
def worlds(draw: st.DrawFn, *, writes: bool = False) -> World:
    """Draw a world; in one for reading every table is readable or nothing at all."""
    random = Random(draw(st.integers(0, 2**32)))  # drawn one by one they would leave no room for policies and requests
    rows = {name: _rows(random, table) for name, table in TABLES.items() if not table.is_view}
    role = draw(st.sampled_from(["anon", "authenticated", "editor"]))
    member = role == "editor" and draw(st.booleans())
    claims: dict[str, Any] = {}
    if draw(st.booleans()):
        claims = {"sub": draw(st.sampled_from(["1", "2", "a"])), "team": draw(st.sampled_from([1, 2, "a"]))}
        claims["app"] = {"level": draw(st.integers(0, 3))}
    granted: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, table in TABLES.items():
        granted[name] = {}
        if columns := _columns(random, table) if random.random() < 0.9 else ():
            granted[name][SELECT] = columns
        if writes and not table.is_view:
            for command in (INSERT, UPDATE):
                if columns := _columns(random, table) if random.random() < 0.8 else ():
                    granted[name][command] = columns
            if random.random() < 0.8:
                granted[name][DELETE] = table.names
    order = tuple(draw(st.permutations(sorted(TABLES))))
    secured = frozenset(name for name in sorted(TABLES) if random.random() < 0.5)
    policies: list[Policy] = []
    for position, name in enumerate(order):
        others = {other: granted[other][SELECT] for other in order[:position] if SELECT in granted[other]}
        if writes and name == "docs":  # a policy that reads its own table sees what is being written there
            others.pop("good_docs", None)
        if name in secured and random.random() < 0.9:
            shown = _policy(TABLES[name], others, role, member, (SELECT, SELECT, "ALL"), shows=True)
            other = _policy(TABLES[name], others, role, member, COMMANDS if writes else (SELECT, "ALL", UPDATE))
            policies += [draw(shown), *[draw(other) for _ in range(draw(st.integers(writes, 2 + writes)))]]
    indexes = draw(st.sets(st.sampled_from(_INDEXES)))
    return World(
        rows,
        tuple(index for index in _INDEXES if index in indexes),
        order,
        role,
        member,
        claims,
        granted,
        secured,
        tuple(policies),
    )
