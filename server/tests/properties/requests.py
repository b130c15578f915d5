"""Reads composed from the dialect for the tables of `worlds`: mostly sensible, some of what is hidden or unknown."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from hypothesis import strategies as st

from .worlds import TABLES, World

#: From each table: what can stand before the parenthesis of an embed, and the table it leads to.
EMBEDS: Final = {
    "people": (
        ("boss", "people"), ("people!boss", "people"), ("team", "teams"), ("teams!belongs", "teams"),
        ("teams!led", "teams"), ("teams!members", "teams"), ("teams!members", "teams"), ("docs", "docs"),
        ("profiles", "profiles"), ("notes", "notes"), ("members", "members"), ("good_docs", "good_docs"),
        ("teams", "teams"),
    ),
    "teams": (
        ("lead", "people"), ("people!belongs", "people"), ("people!members", "people"), ("people!members", "people"),
        ("members", "members"), ("people", "people"),
    ),
    "docs": (("owner", "people"), ("people", "people"), ("notes", "notes")),
    "members": (("person", "people"), ("teams", "teams"), ("people!members_person_fkey", "people")),
    "profiles": (("people", "people"), ("person", "people")),
    "notes": (("docs!doc", "docs"), ("docs", "docs"), ("by", "people"), ("good_docs", "good_docs")),
    "good_docs": (("people", "people"), ("notes", "notes"), ("owner", "people")),
}  # fmt: skip

_VALUES = (
    "1", "2", "3", "a", "b", "red", "", "null", "true", "1.5", "é", "9223372036854775807", "\\x00ff", "*", "a*",
    "%", "x*%_",
)  # fmt: skip
_LISTS = ("(1,2)", "(a,b)", '("a","red fox")', "()", "(1,a,null)")
_FILTERS = (
    *((operator, _VALUES) for operator in ("eq", "neq", "gt", "gte", "lt", "lte", "isdistinct", "like", "ilike")),
    *((operator, ("^a", "b$", ".", "[", "(", "a{2,1}")) for operator in ("match", "imatch")),
    ("in", _LISTS),
    ("is", ("null", "not_null", "true", "false", "unknown")),
    ("eq(any)", ("{1,2}", "{a,b}")),
    ("like(all)", ("{a*,*b}", "{*}")),
    *((operator, ('{"k":1}', "[1]", "{1,2}", '"a"', "1", "{")) for operator in ("cs", "cd", "ov")),
)
_SEARCHES = (
    ("fts", ("red", "red & fox", "!red", "fo:*", "(")),
    ("plfts", ("red fox", "hen")),
    ("wfts", ('"red fox"', "-hen")),
)
_CASTS = ("text", "int", "numeric", "bool", "json", "bytea", "real")
_PATHS = ("->k", "->>k", "->l->0", "->>l", "->l->2->>m", "->0", "->>-1")
_ACCEPTS = (
    "application/json", "application/json", "application/json", "text/csv", "text/csv",
    "application/vnd.pgrst.object+json", "application/vnd.pgrst.array+json;nulls=stripped",
    "application/vnd.pgrst.object+json;nulls=stripped",
)  # fmt: skip


@dataclass(frozen=True)
class Read:
    """A read: `ordered` if every list in its answer is in an order that the rows determine."""

    method: str
    table: str
    query: str
    headers: dict[str, str]
    ordered: bool
    named: frozenset[str] = field(default_factory=frozenset)  #: every table that it names

    @property
    def target(self) -> str:
        return f"{self.table}?{self.query}" if self.query else self.table


@st.composite
def reads(draw: st.DrawFn, world: World) -> Read:
    """Draw a read."""
    return _Reader(draw, world).read()


class _Reader:
    """What one read is composed with."""

    def __init__(self, draw: st.DrawFn, world: World) -> None:
        self.draw = draw
        self.world = world
        self.ordered = draw(st.booleans())
        self.plain = draw(st.booleans())  #: all columns, no conditions: what is hidden would be seen
        self.named: set[str] = set()
        self.parameters: list[tuple[str, str]] = []

    def one(self, *values: str) -> str:
        return self.draw(st.sampled_from(values))

    def sometimes(self, odds: int) -> bool:
        return self.draw(st.integers(1, odds)) == 1

    def read(self) -> Read:
        readable = [name for name in TABLES if self.world.readable(name)]
        table = self.one(*TABLES) if self.sometimes(10) or not readable else self.one(*readable)
        self.named.add(table)
        items = self.level(table, (), depth=2)
        if items:
            self.parameters.append(("select", ",".join(items)))
        headers = {"accept": self.one(*_ACCEPTS[: 2 if self.plain else None])}
        preferences = []
        if self.sometimes(2):
            preferences.append("count=" + self.one("exact", "planned", "estimated"))
        if self.sometimes(6):
            preferences.append("handling=" + self.one("strict", "lenient"))
        if self.sometimes(8):
            preferences.append(self.one("tx=rollback", "foo=bar", "max-affected=1"))
        if preferences:
            headers["prefer"] = ", ".join(preferences)
        if self.ordered and self.sometimes(5):
            headers["range"] = self.one("0-1", "1-2", "3-9", "9-10", "2-1", "1-")
        query = "&".join(f"{quote(name)}={quote(value)}" for name, value in self.parameters)
        method = "HEAD" if self.sometimes(12) else "GET"
        return Read(method, table, query, headers, self.ordered, frozenset(self.named))

    def column(self, table: str) -> str:
        """Draw a column: mostly one that may be read."""
        readable = self.world.readable(table)
        if self.sometimes(60):
            return self.one(*TABLES[table].names, "nothing", "secret", "rowid")
        return self.one(*(readable or TABLES[table].names))

    def path(self, table: str) -> str:
        """Draw a place inside JSON."""
        documents = [name for name in ("data", "tags") if name in self.world.readable(table)]
        column = self.one(*documents) if documents and not self.sometimes(10) else self.column(table)
        return column + self.one(*_PATHS)

    def level(self, table: str, path: tuple[str, ...], depth: int) -> list[str]:
        """Draw a level: its parameters are added, what it selects is returned."""
        embeds: dict[str, tuple[str, str]] = {}
        grouped = not self.ordered and not self.plain and self.sometimes(4)
        item = self.group_item if grouped else self.item
        items = [item(table) for _ in range(0 if self.plain else self.draw(st.integers(0, 3)))]
        if not grouped and (not items or self.sometimes(3)):
            items.insert(0, "*")
        likely = [embed for embed in EMBEDS[table] if self.is_likely(table, *embed)]
        if not likely and self.sometimes(9):
            likely = [*EMBEDS[table]]
        count = self.draw(st.sampled_from([0, 0, 1, 1, 2])) if depth and likely else 0
        items += [self.embed(likely, path, depth, number, embeds) for number in range(count)]
        for _ in range(0 if self.plain else self.draw(st.sampled_from([0, 0, 1, 1, 2]))):
            self.filter(table, path, embeds)
        if self.ordered:
            self.order(table, path, embeds)
        return items

    def item(self, table: str) -> str:
        column = self.column(table)
        match self.draw(st.integers(0, 5)):
            case 0:
                return f"other{self.draw(st.integers(0, 2))}:{column}"
            case 1:
                return f"{column}::{self.one(*_CASTS)}"
            case 2:
                return self.path(table)
            case _:
                return column

    def group_item(self, table: str) -> str:
        column = self.column(table)
        if self.sometimes(3):
            return column
        function = self.one("count", "sum", "avg", "min", "max")
        cast = self.one("", "", "", "::numeric", "::int", "::text")
        return self.one("count()", f"{column}{cast}.{function}()", f"a:{column}.{function}(){cast}")

    def embed(
        self,
        likely: list[tuple[str, str]],
        path: tuple[str, ...],
        depth: int,
        number: int,
        embeds: dict[str, tuple[str, str]],
    ) -> str:
        relation, target = self.draw(st.sampled_from(likely))
        if self.sometimes(30):
            relation, target = self.one(*TABLES), self.one(*TABLES)
        self.named |= {target, relation.partition("!")[0]}
        name, _, hint = relation.partition("!")
        join = self.one("", "", "!inner", "!left") if not hint else self.one("", "!inner")
        spread = self.sometimes(5)
        alias = name if self.sometimes(3) and not spread else f"e{depth}{number}"
        embeds[alias] = (relation, target)
        inner = self.level(target, (*path, alias), depth - 1)
        if self.sometimes(8) and not self.plain:
            inner = []
        head = relation if alias == name else f"{alias}:{relation}"
        return f"{'...' if spread else ''}{head}{join}({','.join(inner)})"

    def is_likely(self, table: str, relation: str, target: str) -> bool:
        """Tell whether the tables, and a column that the embed names, can be read."""
        readable = self.world.readable(table)
        name, _, hint = relation.partition("!")
        if hint == "members":
            whole = set(self.world.readable("members")) >= {"person", "team"}
            return whole and "id" in readable and "id" in self.world.readable(target)
        keys = [column for column in TABLES[table].columns if any(to == target for to, _ in column.refers_to)]
        back = [c.name for c in TABLES[target].columns if any(to == table for to, _ in c.refers_to)]
        forth = [column.name for column in keys if name in (column.name, target)]
        refers = any(name in readable for name in forth) and "id" in self.world.readable(target)
        referred = any(name in self.world.readable(target) for name in back) and "id" in readable
        return bool(self.world.readable(target)) and (refers or referred)

    def condition(self, table: str) -> tuple[str, str]:
        """Draw a condition as (field, operator.value)."""
        column = self.path(table) if self.sometimes(6) else self.column(table)
        operator, values = self.draw(st.sampled_from(_FILTERS))
        if table == "docs" and self.sometimes(4):
            column = self.one("title", "body", "title", "body", self.column(table))
            operator, values = self.draw(st.sampled_from(_SEARCHES))
        return column, f"{self.one('', '', '', 'not.')}{operator}.{self.one(*values)}"

    def filter(self, table: str, path: tuple[str, ...], embeds: dict[str, tuple[str, str]]) -> None:
        prefix = "".join(f"{name}." for name in path)
        if embeds and self.sometimes(3):
            self.parameters.append((prefix + self.one(*embeds), self.one("is.null", "not.is.null", "eq.1")))
        elif self.sometimes(3):
            children = []
            for _ in range(self.draw(st.integers(1, 3))):
                column, condition = self.condition(table)
                before, _, value = condition.rpartition(".")
                if not value or value.strip("({[")[:1] in (",", ")") or any(c in value for c in '",') or value in "({[":
                    before, value = "is", "null"
                children.append(f"{column}.{before}.{value}")
            if embeds and self.sometimes(2):
                children.append(f"{self.one(*embeds)}.not.is.null")
            self.parameters.append((prefix + self.one("or", "and", "not.or"), f"({','.join(children)})"))
        else:
            column, condition = self.condition(table)
            self.parameters.append((prefix + column, condition))

    def order(self, table: str, path: tuple[str, ...], embeds: dict[str, tuple[str, str]]) -> None:
        """Order by something and then by all that can be seen, so that rows which are still tied look the same."""
        terms = []
        if self.sometimes(2):
            terms.append(self.column(table) + self.one("", ".desc", ".nullslast", ".desc.nullslast", ".asc.nullsfirst"))
        if embeds and self.sometimes(3):
            name = self.one(*embeds)
            terms.append(f"{name}({self.column(embeds[name][1])}){self.one('', '.desc')}")
        terms += self.world.readable(table)
        prefix = "".join(f"{name}." for name in path)
        if terms:
            self.parameters.append((f"{prefix}order", ",".join(terms)))
        if self.plain:
            return
        if self.sometimes(3):
            self.parameters.append((f"{prefix}limit", self.one("0", "1", "2", "10")))
        if self.sometimes(5):
            self.parameters.append((f"{prefix}offset", self.one("0", "1", "3")))
