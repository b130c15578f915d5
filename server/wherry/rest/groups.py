"""The columns of a grouped subquery, and what each becomes in the object or in the line of CSV."""

from collections.abc import Sequence
from dataclasses import dataclass

from wherry.rest.rows import FlatMember, Member, TextMember, csv_field, csv_json_field, csv_line_of, render
from wherry.rest.sql import Sql
from wherry.schema.model import ColumnType


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A column of a grouped subquery and what it becomes; no type means JSON text."""

    key: str
    column: str
    type: ColumnType | None
    can_hold_blob: bool = False


def members_of_group(members: Sequence[GroupMember]) -> list[Member]:
    """Return the members of the object of a group."""
    return [
        TextMember(m.key, (m.column,))
        if m.type is None
        else FlatMember(m.key, render((m.column,), m.type, can_hold_blob=m.can_hold_blob))
        for m in members
    ]


def line_of_group(members: Sequence[GroupMember]) -> Sql:
    """Write the line of CSV of a group."""
    return csv_line_of(
        [
            csv_json_field((m.column,))
            if m.type is None
            else csv_field((m.column,), m.type, can_hold_blob=m.can_hold_blob)
            for m in members
        ]
    )
