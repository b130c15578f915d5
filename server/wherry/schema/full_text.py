"""FTS5 tables: which columns they search, and of which table's rows (https://sqlite.org/fts5.html)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from wherry.schema.definitions import split_at_commas
from wherry.schema.model import FullTextIndex, Table, TableKind, fold
from wherry.schema.tokens import Token, TokenKind, tokenize

#: FTS5's options in the order in which it looks for them; it takes any beginning of one for the whole.
_OPTIONS = (
    "prefix",
    "tokenize",
    "content",
    "contentless_delete",
    "contentless_unindexed",
    "content_rowid",
    "columnsize",
    "locale",
    "detail",
    "tokendata",
)


@dataclass(frozen=True, slots=True)
class FullTextDefinition:
    """The arguments of `USING fts5(…)`. `content` is None for an index with its own rows, "" for one without."""

    unindexed: tuple[bool, ...]  #: column by column
    content: str | None = None
    content_rowid: str = "rowid"


def read_full_text(sql: str) -> FullTextDefinition | None:
    """Read CREATE VIRTUAL TABLE; None for another module than FTS5."""
    tokens = tokenize(sql)
    using = next((i for i, token in enumerate(tokens) if token.keyword == "using"), len(tokens))
    module = tokens[using + 1 : using + 2]
    if not module or fold(module[0].text) != "fts5":
        return None
    unindexed: list[bool] = []
    options: dict[str, str] = {}
    for argument in split_at_commas(tokens[using + 3 : -1]):
        if _is_option(argument):
            written = fold(argument[0].text)
            option = next((name for name in _OPTIONS if name.startswith(written)), written)
            options[option] = "".join(token.text for token in argument[2:])
        elif argument:
            unindexed.append(any(fold(token.text) == "unindexed" for token in argument[1:]))
    return FullTextDefinition(tuple(unindexed), options.get("content"), options.get("content_rowid", "rowid"))


def _is_option(argument: Sequence[Token]) -> bool:
    return len(argument) > 1 and argument[0].kind is TokenKind.WORD and argument[1].is_symbol("=")


def with_full_text(tables: Mapping[str, Table], definitions: Mapping[str, str]) -> dict[str, Table]:
    """Set `full_text` on the FTS5 tables among `tables` (`definitions` holds their SQL) and on their content tables."""
    names = {fold(name): name for name in tables}
    found = dict(tables)
    for name, sql in definitions.items():
        definition = read_full_text(sql)
        if definition is None:
            continue
        index = _index(tables[name], definition, names)
        found[name] = replace(tables[name], full_text=index)
        if index.content_table is not None:
            content = found[index.content_table]
            found[content.name] = replace(content, full_text=_better(content.full_text, _on_content(index, content)))
    return found


def _index(table: Table, definition: FullTextDefinition, names: Mapping[str, str]) -> FullTextIndex:
    shown = zip(table.columns, definition.unindexed, strict=False)
    columns = tuple(column for column, is_unindexed in shown if not is_unindexed)
    content = names.get(fold(definition.content)) if definition.content else None
    return FullTextIndex(table.name, columns, content, None if content is None else definition.content_rowid)


def _on_content(index: FullTextIndex, content: Table) -> FullTextIndex | None:
    """Return the index as the content table's rows are searched by it, if its rowid is theirs."""
    columns = tuple(content.folded[fold(column)] for column in index.columns if fold(column) in content.folded)
    if content.kind is not TableKind.TABLE or content.without_rowid or not columns:
        return None
    rowid = fold(index.content_rowid or "rowid")
    named_rowid = content.folded.get("rowid")
    if rowid != "rowid":
        column = content.columns.get(content.folded.get(rowid, ""))
        if column is None or not column.is_rowid or named_rowid not in (None, column.name):
            return None
    return replace(index, columns=columns)


def _better(*indexes: FullTextIndex | None) -> FullTextIndex | None:
    """Choose the index with the most columns, of several the first."""
    found: Iterable[FullTextIndex] = [index for index in indexes if index is not None]
    return max(found, key=lambda index: len(index.columns), default=None)
