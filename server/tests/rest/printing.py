"""The way back from a parsed query to its text, which the properties of the parser are told with."""

from urllib.parse import quote

from wherry.rest.api_request import (
    Condition,
    Field,
    Filter,
    Group,
    OrderTerm,
    Query,
    SelectEmbed,
    SelectField,
    SelectItem,
    Star,
)


def name_text(name: str) -> str:
    """Write a name in quotes, which any name may have."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def field_text(field: Field) -> str:
    steps = (f"->{'>' if s.as_text else ''}{s.key if isinstance(s.key, int) else name_text(s.key)}" for s in field.path)
    return name_text(field.name) + "".join(steps)


def item_text(item: SelectItem) -> str:
    match item:
        case Star():
            return "*"
        case SelectEmbed():
            alias = f"{name_text(item.alias)}:" if item.alias is not None else ""
            hint = f"!{name_text(item.hint)}" if item.hint is not None else ""
            join = f"!{item.join}" if item.join is not None else ""
            spread = "..." if item.spread else ""
            return f"{spread}{alias}{name_text(item.relation)}{hint}{join}({select_text(item.items)})"
        case SelectField():
            alias = f"{name_text(item.alias)}:" if item.alias is not None else ""
            written = "count()" if item.field is None else field_text(item.field)
            written += f"::{item.cast}" if item.cast is not None else ""
            written += f".{item.aggregate}()" if item.aggregate is not None and item.field is not None else ""
            return alias + written + (f"::{item.aggregate_cast}" if item.aggregate_cast is not None else "")


def select_text(items: tuple[SelectItem, ...]) -> str:
    return ",".join(map(item_text, items))


def operator_text(filter_: Filter) -> str:
    """Write what stands between field and literal."""
    text = ("not." if filter_.negated else "") + filter_.operator
    return f"{text}({filter_.quantifier})" if filter_.quantifier is not None else text


def literal_text(filter_: Filter, values: list[str]) -> str:
    return values[filter_.literal] if filter_.literal is not None else str(filter_.is_value)


def condition_text(condition: Condition, values: list[str]) -> str:
    """Write a condition as it stands inside a logic tree."""
    match condition:
        case Group(conjunction, negated, conditions):
            inner = ",".join(condition_text(c, values) for c in conditions)
            return f"{'not.' if negated else ''}{conjunction}({inner})"
        case Filter():
            literal = literal_text(condition, values)
            quoted = literal if condition.is_value is not None else name_text(literal)
            return f"{field_text(condition.field)}.{operator_text(condition)}.{quoted}"


def order_text(term: OrderTerm) -> str:
    field = field_text(term.field)
    direction = ".desc" if term.descending else ""
    nulls = {None: "", True: ".nullsfirst", False: ".nullslast"}[term.nulls_first]
    return (f"{name_text(term.relation)}({field})" if term.relation is not None else field) + direction + nulls


def query_text(query: Query, values: list[str]) -> str:
    """Write a whole query string. Conditions come level by level, and so do their literals."""
    pairs = [("select", select_text(query.select))]
    if query.columns is not None:
        pairs.append(("columns", ",".join(map(name_text, query.columns))))
    if query.on_conflict is not None:
        pairs.append(("on_conflict", ",".join(map(name_text, query.on_conflict))))
    for path, level in query.levels.items():
        prefix = "".join(f"{name_text(name)}." for name in path)
        for condition in level.conditions:
            if isinstance(condition, Group):
                text = condition_text(condition, values)
                word = f"{'not.' if condition.negated else ''}{condition.conjunction}"
                pairs.append((prefix + word, text[len(word) :]))
            else:
                value = f"{operator_text(condition)}.{literal_text(condition, values)}"
                pairs.append((prefix + field_text(condition.field), value))
        if level.order:
            pairs.append((f"{prefix}order", ",".join(map(order_text, level.order))))
        if level.limit is not None:
            pairs.append((f"{prefix}limit", values[level.limit]))
        if level.offset is not None:
            pairs.append((f"{prefix}offset", values[level.offset]))
    return "&".join(f"{quote(key)}={quote(value)}" for key, value in pairs)
