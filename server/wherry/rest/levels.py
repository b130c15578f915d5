"""Whose filters, orders and limits are they: the levels of a query matched with the embeds of its select.

`roles.limit=1` speaks of the embed that is called `roles`: by its alias, by its name where it has no alias, and else
the first that embeds `roles`, whatever its alias.
"""

from dataclasses import replace

from wherry.errors import RequestError
from wherry.rest.api_request import Level, Query, SelectEmbed, SelectItem


def resolve_levels(query: Query) -> Query:
    """Key the levels by the names of the embeds. Raises RequestError PGRST108 for one that is not in the select."""
    if not any(query.levels):  # nothing but the resource itself
        return query
    levels: dict[tuple[str, ...], Level] = {}
    for path, level in query.levels.items():
        resolved = _resolve(query.select, path)
        levels[resolved] = _together(levels.get(resolved, Level()), level)
    return replace(query, levels=levels)


def not_embedded(name: str) -> RequestError:
    """Make the error for an embed that the select lacks."""
    return RequestError(
        f"'{name}' is not an embedded resource in this request",
        hint=f"Verify that '{name}' is included in the 'select' query parameter.",
        code="PGRST108",
    )


def _resolve(items: tuple[SelectItem, ...], path: tuple[str, ...]) -> tuple[str, ...]:
    names: list[str] = []
    for name in path:
        embeds = [item for item in items if isinstance(item, SelectEmbed)]
        found = [embed for embed in embeds if embed.name == name] or [e for e in embeds if e.relation == name]
        if not found:
            raise not_embedded(name)
        names.append(found[0].name)
        items = found[0].items
    return tuple(names)


def _together(one: Level, other: Level) -> Level:
    return Level(
        conditions=(*one.conditions, *other.conditions),
        order=other.order or one.order,
        limit=one.limit if other.limit is None else other.limit,
        offset=one.offset if other.offset is None else other.offset,
    )
