"""What a role may see and do, found out without Wherry's compiler: SQLite evaluates the policies as they are written.

The functions that speak of the caller are real functions here, and the tables that a policy reads are temporary ones
that hold the permitted rows: by their names SQLite finds these first.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import apsw

from .worlds import INSERT, SELECT, TABLES, UPDATE, Row, Value, World, add_index, fill
from .writes import Write


class Oracle:
    """A world's database, and what its role may do there."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.connection = world.database()
        self.connection.execute("PRAGMA foreign_keys = ON")
        for name, function, arguments in (
            ("auth_uid", self._uid, 0),
            ("auth_role", self._role, 0),
            ("auth_jwt", self._jwt, 1),
        ):
            self.connection.create_scalar_function(name, function, arguments)
        self.permitted: dict[str, tuple[Row, ...]] = {}
        for name in world.order:
            if columns := world.readable(name):
                self._permit(name, columns)

    def _permit(self, name: str, columns: tuple[str, ...]) -> None:
        shown = ", ".join(columns)
        order = "" if TABLES[name].is_view or TABLES[name].without_rowid else f" ORDER BY {name}.rowid"
        rows = self.connection.execute(
            f"SELECT {shown} FROM main.{name} AS {name} WHERE {self.condition(name, SELECT)}{order}"
        ).fetchall()
        self.permitted[name] = tuple(rows)
        types = {column.name: column.type for column in TABLES[name].columns}
        self.connection.execute(f"CREATE TEMP TABLE {name} ({', '.join(f'{c} {types[c]}' for c in columns)})")
        self.connection.executemany(f"INSERT INTO temp.{name} VALUES ({', '.join('?' * len(columns))})", rows)

    def condition(self, table: str, command: str, *, new_row: bool = False) -> str:
        """Write the condition that a row must satisfy, as PostgreSQL combines policies."""
        if table not in self.world.secured:
            return "1"
        permissive, restrictive = [], []
        for policy in self.world.policies:
            if policy.table == table and policy.applies and policy.command in ("ALL", command):
                condition = policy.check if new_row and policy.check is not None else policy.using
                (restrictive if policy.restrictive else permissive).append(f"({condition})")
        if not permissive:
            return "0"
        return " AND ".join([f"({' OR '.join(permissive)})", *restrictive])

    def copy(self) -> tuple[apsw.Connection, str]:
        """Make the database that holds only what is permitted, and the policies.sql by which the role sees it all."""
        world = self.world
        connection = apsw.Connection(":memory:")
        readable = {name: world.readable(name) for name in TABLES if world.readable(name)}
        for name, columns in readable.items():
            connection.execute(TABLES[name].create(readable))
            fill(connection, name, columns, self.permitted[name])
        add_index(connection, tuple(c for c in ("title", "body") if c in readable.get("docs", ())))
        grants = [f"GRANT SELECT ON {name} TO {world.role};" for name in readable]
        return connection, "\n".join(["CREATE ROLE editor;", *grants])

    def tables(self) -> dict[str, list[Row]]:
        """Return the rows of all tables."""
        return {name: sorted(self._all(name), key=repr) for name, table in TABLES.items() if not table.is_view}

    def _all(self, name: str) -> Iterator[Row]:
        yield from self.connection.execute(f"SELECT * FROM main.{name}")

    # ---- writing ---------------------------------------------------------------------------------------------

    def write(self, write: Write) -> str | int:
        """Do a write, and return how many rows it touched; or undo it, and tell why it is refused."""
        refused = self._lacks(write)
        if refused:
            return refused
        self.connection.execute("SAVEPOINT write")
        try:
            rows = self._touch(write)
            reads = write.returns == "representation" or bool(write.filters)
            if write.method != "DELETE" and not self._pass(write, rows, shown=reads and self._may_read(write)):
                return self._undo("42501")
        except apsw.ConstraintError:
            return self._undo("23")
        except apsw.MismatchError:
            return self._undo("22")
        self.connection.execute("ROLLBACK TO write; RELEASE write" if write.rollback else "RELEASE write")
        return len(rows)

    def _undo(self, why: str) -> str:
        self.connection.execute("ROLLBACK TO write; RELEASE write")
        return why

    def _may_read(self, write: Write) -> bool:
        return bool(self.world.readable(write.table))

    def _lacks(self, write: Write) -> str | None:
        """Tell whether a privilege is missing."""
        granted, readable = self.world.granted[write.table], self.world.readable(write.table)
        if write.command not in granted or (write.returns == "representation" and not readable):
            return "privilege"
        if not set(write.columns) <= set(granted[write.command]):
            return "privilege"
        if not {column for column, _, _ in write.filters} <= set(readable):
            return "privilege"
        return None

    def _touch(self, write: Write) -> list[Row]:
        """Write, and return the rows as they are then; the deleted ones as they were."""
        table = write.table
        if write.method == "POST":
            names, values = ", ".join(write.columns), ", ".join("?" * len(write.columns))
            insert = f"INSERT INTO main.{table} ({names}) VALUES ({values}) RETURNING *"
            return self.connection.executemany(insert, write.stored).fetchall()
        parts = [write.condition, self.condition(table, write.command)]
        if (write.filters or write.returns == "representation") and self._may_read(write):
            parts.append(self.condition(table, SELECT))
        where = " AND ".join(f"({part})" for part in parts)
        if write.method == "DELETE":
            return self.connection.execute(f"DELETE FROM main.{table} AS {table} WHERE {where} RETURNING *").fetchall()
        sets = ", ".join(f"{name} = ?" for name in write.columns)
        return self.connection.execute(
            f"UPDATE main.{table} AS {table} SET {sets} WHERE {where} RETURNING *", write.stored[0]
        ).fetchall()

    def upsert(self, write: Write) -> int | None:
        """Do an upsert, and return how many rows it touched; or undo it, and return None, where it is refused."""
        granted, key = self.world.granted[write.table], TABLES[write.table].key
        merges = write.resolution == "merge-duplicates"
        changed = [name for name in write.columns if name not in key]
        lacks_update = merges and (UPDATE not in granted or not set(changed) <= set(granted[UPDATE]))
        if self._lacks(write) or not set(key) <= set(self.world.readable(write.table)) or lacks_update:
            return None
        self.connection.execute("SAVEPOINT write")
        try:
            touched = [self._resolve(write, row, changed if merges else None) for row in write.stored]
        except (apsw.ConstraintError, apsw.MismatchError):
            touched = [None]
        undone = None in touched
        self.connection.execute("ROLLBACK TO write; RELEASE write" if write.rollback or undone else "RELEASE write")
        return None if undone else sum(count for count in touched if count is not None)

    def _resolve(self, write: Write, values: Row, changed: list[str] | None) -> int | None:
        """Insert a row, or change the named columns of the one that has its key; None where that is refused."""
        name, table = write.table, TABLES[write.table]
        with closing(apsw.Connection(":memory:")) as scratch:
            scratch.execute(table.create({name: table.names}))
            insert = (
                f"INSERT INTO {name} ({', '.join(write.columns)}) VALUES ({', '.join('?' * len(values))}) RETURNING *"
            )
            proposed = dict(zip(table.names, scratch.execute(insert, values).fetchall()[0], strict=True))
        seen = self.condition(name, SELECT)
        if not self.all_satisfy(
            name, [tuple(proposed.values())], f"({self.condition(name, INSERT, new_row=True)}) AND {seen}"
        ):
            return None
        has_key = " AND ".join(f"{column} = ?" for column in table.key)
        found = [proposed[column] for column in table.key]
        existing = self.connection.execute(f"SELECT * FROM main.{name} WHERE {has_key}", found).fetchall()
        if not existing:
            self.connection.execute(insert.replace(name, f"main.{name}", 1), values).fetchall()
            return 1
        if changed is None:
            return 0
        if not self.all_satisfy(name, existing, f"({self.condition(name, UPDATE)}) AND {seen}"):
            return None
        sets = ", ".join(f"{column} = ?" for column in (changed or table.key[:1]))
        new = [proposed[column] for column in (changed or table.key[:1])]
        rows = self.connection.execute(
            f"UPDATE main.{name} SET {sets} WHERE {has_key} RETURNING *", (*new, *found)
        ).fetchall()
        check = f"({self.condition(name, UPDATE, new_row=True)}) AND {seen}"
        return 1 if self.all_satisfy(name, rows, check) else None

    def _pass(self, write: Write, rows: list[Row], *, shown: bool) -> bool:
        """Tell whether new rows satisfy WITH CHECK, and can be seen where they are shown."""
        check = self.condition(write.table, write.command, new_row=True)
        if shown:
            check = f"({check}) AND ({self.condition(write.table, SELECT)})"
        return self.all_satisfy(write.table, rows, check)

    def all_satisfy(self, table: str, rows: Sequence[Row], condition: str) -> bool:
        """Tell whether whole rows of a table satisfy a condition."""
        columns = ", ".join(f"{c.name} {c.type.removesuffix(' NOT NULL')}" for c in TABLES[table].columns)
        self.connection.execute(f"CREATE TEMP TABLE asked ({columns})")
        self.connection.executemany(f"INSERT INTO asked VALUES ({', '.join('?' * len(TABLES[table].columns))})", rows)
        satisfying = self.connection.execute(f"SELECT count(*) FROM asked AS {table} WHERE {condition}").fetchall()
        self.connection.execute("DROP TABLE asked")
        return satisfying == [(len(rows),)]

    # ---- the caller ------------------------------------------------------------------------------------------

    def _uid(self) -> Value:
        return self._jwt("sub")

    def _role(self) -> Value:
        return self.world.role

    def _jwt(self, path: str) -> Value:
        value: Any = self.world.claims
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return json.dumps(value) if isinstance(value, dict | list) else value
