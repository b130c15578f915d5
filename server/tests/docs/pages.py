"""The pages of the documentation as values: their links, code blocks and tables.

A page is plain Markdown without marks of its own; the language of a block says what the tests do with it:

- `sh`, `js` and `python` blocks are run in the page's order. A `json` or `text` block right behind one is what it
  prints. A `sh` block that ends in a server (`wherry serve`, `make run`) goes on running while the page lasts.
- `sql` blocks are loaded: statements of policies.sql as policies, others into the page's database.
- Blocks of other languages (`console`, `javascript`, `nginx`…) are only shown.
- Each row of a table with the columns Example and Answer is a request that is made and compared.

`docs/contributing.md` tells authors the same.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\w*)[ ]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"(`+)(.+?)\1")
_CELLS = re.compile(r"(?<!\\)\|")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `line` is where it begins, `follows` the language of a block right before it."""

    language: str
    text: str
    line: int
    follows: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """A Markdown file."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        """The path from the root of the project."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def blocks(self) -> list[Block]:
        """The fenced blocks in their order."""
        found: list[Block] = []
        end = -1
        for match in _FENCE.finditer(self.text):
            adjacent = bool(found) and not self.text[end : match.start()].strip()
            line = self.text.count("\n", 0, match.start()) + 1
            found.append(Block(match[1], match[2], line, found[-1].language if adjacent else None))
            end = match.end()
        return found

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return _FENCE.sub("", self.text)

    @property
    def links(self) -> list[str]:
        """Where links lead."""
        return _LINK.findall(re.sub(r"`[^`\n]*`", "", self.prose))

    @property
    def anchors(self) -> set[str]:
        """The names of its headings, as forges and MkDocs make them."""
        return {anchor_of(heading) for heading in _HEADING.findall(self.prose)}

    def tables(self) -> Iterator[list[dict[str, str]]]:
        """Yield the tables as rows: heading → cell."""
        rows: list[list[str]] = []
        for line in [*self.prose.splitlines(), ""]:
            if line.startswith("|"):
                rows.append([cell.strip().replace("\\|", "|") for cell in _CELLS.split(line)[1:-1]])
            elif rows:
                head, _, *body = rows
                yield [dict(zip(head, row, strict=True)) for row in body]
                rows = []

    def codes(self, heading: str) -> set[str]:
        """Return the first code span of each row of the column."""
        return {
            spans_of(row[heading])[0]
            for table in self.tables()
            for row in table
            if heading in row and spans_of(row[heading])
        }


def spans_of(cell: str) -> list[str]:
    """Return the code spans of a cell."""
    return [text.strip() for _, text in _SPAN.findall(cell)]


def anchor_of(heading: str) -> str:
    """Return the anchor of a heading."""
    plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
    return plain.strip().replace(" ", "-")


def page(name: str) -> Page:
    """Read a page by its path from the root of the project."""
    path = ROOT / name
    return Page(path, path.read_text(encoding="utf-8"))


def all_pages() -> list[Page]:
    """Read every page that readers see."""
    return [page(path.relative_to(ROOT).as_posix()) for path in sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])]
