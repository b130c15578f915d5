"""Ways around row security that a reader of `policies.sql` may not have seen."""

from collections.abc import Iterator

from wherry.policies.access import AccessFinder
from wherry.policies.reading import ConditionChecker
from wherry.policies.rules import Rules
from wherry.schema.model import Schema, Table, TableKind


def warnings_of(rules: Rules, schema: Schema, finder: AccessFinder, conditions: ConditionChecker) -> Iterator[str]:
    """Give a sentence for each view and full-text index that shows rows of a table with row security and has none."""
    if not rules.secured:
        return
    for table in schema.tables.values():
        if table.name in rules.secured:
            continue
        readers = sorted(role for role in rules.roles - rules.bypassing if finder.access(role, table).may_select)
        if not readers:
            continue
        for shown in sorted(_shown(table, conditions) & rules.secured):
            yield (
                f"{', '.join(readers)} may read every row of '{table.name}', which shows '{shown}' and passes its row "
                f"security by: ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY, and give it policies"
            )


def _shown(table: Table, conditions: ConditionChecker) -> frozenset[str]:
    if table.kind is TableKind.VIEW:
        return conditions.tables_of(table)
    index = table.full_text
    if index is not None and index.table == table.name and index.content_table is not None:
        return frozenset({index.content_table})
    return frozenset()
