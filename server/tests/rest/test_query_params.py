"""Query strings become values: what is asked, the literals beside it, and errors that name the place."""

# ruff: noqa: E501 - the rows of a table read better whole

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.errors import RequestError
from wherry.rest.api_request import (
    FULL_TEXT,
    QUANTIFIABLE,
    Aggregate,
    Condition,
    Field,
    Filter,
    Group,
    IsValue,
    JoinType,
    Level,
    Operator,
    OrderTerm,
    PathStep,
    Quantifier,
    Query,
    SelectEmbed,
    SelectField,
    SelectItem,
    Star,
)
from wherry.rest.query_params import MAX_PARAMETERS, parse_query, split_query

from .printing import query_text


def parsed(text: str) -> tuple[Query, list[str]]:
    shape, values = split_query(text)
    return parse_query(shape), values


def column(name: str, *path: PathStep) -> SelectField:
    return SelectField(Field(name, path))


def embed(relation: str, *items: SelectItem, **more: Any) -> SelectEmbed:
    defaults: dict[str, Any] = {"alias": None, "hint": None, "join": None, "spread": False}
    return SelectEmbed(relation, items=items, **{**defaults, **more})


@pytest.mark.parametrize(
    ("select", "items"),
    [
        ("", (Star(),)),
        ("*", (Star(),)),
        ("id,title", (column("id"), column("title"))),
        (" id , title ", (column("id"), column("title"))),
        ("name:title", (SelectField(Field("title"), alias="name"),)),
        ("year::text", (SelectField(Field("year"), cast="text"),)),
        ("y:year::TEXT", (SelectField(Field("year"), alias="y", cast="text"),)),
        ("year::character varying", (SelectField(Field("year"), cast="character varying"),)),
        ("first-name", (column("first-name"),)),
        ('"a, ""b"', None),
        (r'"a, \"b\\"', (column('a, "b\\'),)),
        ("été", (column("été"),)),
        ("data->a", (column("data", PathStep("a", as_text=False)),)),
        ("data->>a", (column("data", PathStep("a", as_text=True)),)),
        ("data->a->0->>b", (column("data", PathStep("a", as_text=False), PathStep(0, as_text=False), PathStep("b", as_text=True)),)),
        ("data->-1", (column("data", PathStep(-1, as_text=False)),)),
        ('data->"a.b"', (column("data", PathStep("a.b", as_text=False)),)),
        ("data->a-b", (column("data", PathStep("a-b", as_text=False)),)),
        ("data->12345678901", (column("data", PathStep("12345678901", as_text=False)),)),
        ("count()", (SelectField(None, aggregate=Aggregate.COUNT),)),
        ("n:count()::text", (SelectField(None, alias="n", aggregate=Aggregate.COUNT, aggregate_cast="text"),)),
        ("count", (column("count"),)),
        ("year.sum()", (SelectField(Field("year"), aggregate=Aggregate.SUM),)),
        ("y:year::int.avg()::text", (SelectField(Field("year"), "y", "int", Aggregate.AVG, "text"),)),
        ("data->a::int.max()", (SelectField(Field("data", (PathStep("a", as_text=False),)), cast="int", aggregate=Aggregate.MAX),)),
        ("actors(*)", (embed("actors", Star()),)),
        ("actors()", (embed("actors"),)),
        ("a:actors(id)", (embed("actors", column("id"), alias="a"),)),
        ("actors!fk(id)", (embed("actors", column("id"), hint="fk"),)),
        ("actors!inner(id)", (embed("actors", column("id"), join=JoinType.INNER),)),
        ("actors!left(id)", (embed("actors", column("id"), join=JoinType.LEFT),)),
        ("actors!fk!inner(id)", (embed("actors", column("id"), hint="fk", join=JoinType.INNER),)),
        ("actors!inner!fk(id)", (embed("actors", column("id"), hint="fk", join=JoinType.INNER),)),
        ("...actors(id)", (embed("actors", column("id"), spread=True),)),
        ("...a:actors(id)", (embed("actors", column("id"), alias="a", spread=True),)),
        ("films(actors(id),title)", (embed("films", embed("actors", column("id")), column("title")),)),
        ("count(id)", (embed("count", column("id")),)),
    ],
)  # fmt: skip
def test_select(select: str, items: tuple[SelectItem, ...] | None) -> None:
    if items is None:
        with pytest.raises(RequestError):
            parsed(f"select={select}")
    else:
        assert parsed(f"select={select}") == (Query(items), [])


def where(*conditions: Condition) -> Query:
    return Query(levels={(): Level(conditions)})


YEAR = Field("year")


@pytest.mark.parametrize(
    ("text", "query", "values"),
    [
        ("", Query(), []),
        ("&&=x&", Query(), []),
        ("year=eq.2000", where(Filter(YEAR, Operator.EQ, literal=0)), ["2000"]),
        ("year=not.gte.2000", where(Filter(YEAR, Operator.GTE, negated=True, literal=0)), ["2000"]),
        ("year=eq.", where(Filter(YEAR, Operator.EQ, literal=0)), [""]),
        ("title=eq.a.b%20c+d%26", where(Filter(Field("title"), Operator.EQ, literal=0)), ["a.b c d&"]),
        ("title=eq.100%25", where(Filter(Field("title"), Operator.EQ, literal=0)), ["100%"]),
        ("title=eq.%ff", where(Filter(Field("title"), Operator.EQ, literal=0)), ["\ufffd"]),
        ("a%20b=eq.1", where(Filter(Field("a b"), Operator.EQ, literal=0)), ["1"]),
        ('"a.b"=eq.1', where(Filter(Field("a.b"), Operator.EQ, literal=0)), ["1"]),
        ('"limit"=eq.1', where(Filter(Field("limit"), Operator.EQ, literal=0)), ["1"]),
        ("year=eq(any).{1,2}", where(Filter(YEAR, Operator.EQ, quantifier=Quantifier.ANY, literal=0)), ["{1,2}"]),
        ("year=not.lt(all).{1,2}", where(Filter(YEAR, Operator.LT, negated=True, quantifier=Quantifier.ALL, literal=0)), ["{1,2}"]),
        ("year=is.null", where(Filter(YEAR, Operator.IS, literal=None, is_value=IsValue.NULL)), [""]),
        ("year=is.NULL", where(Filter(YEAR, Operator.IS, literal=None, is_value=IsValue.NULL)), [""]),
        ("year=not.is.true", where(Filter(YEAR, Operator.IS, negated=True, is_value=IsValue.TRUE)), [""]),
        ("year=in.(1,2)", where(Filter(YEAR, Operator.IN, literal=0)), ["(1,2)"]),
        ("text=fts(english).cat", where(Filter(Field("text"), Operator.FTS, literal=0, language="english")), ["cat"]),
        ("data->>a=eq.1", where(Filter(Field("data", (PathStep("a", as_text=True),)), Operator.EQ, literal=0)), ["1"]),
        ("year=gt.1&year=lt.9", where(Filter(YEAR, Operator.GT, literal=0), Filter(YEAR, Operator.LT, literal=1)), ["1", "9"]),
        ("limit=5&offset=10", Query(levels={(): Level(limit=0, offset=1)}), ["5", "10"]),
        ("actors.limit=5", Query(levels={("actors",): Level(limit=0)}), ["5"]),
        ("a.b.order=x", Query(levels={("a", "b"): Level(order=(OrderTerm(Field("x")),))}), []),
        ("actors.age=gt.5", Query(levels={("actors",): Level((Filter(Field("age"), Operator.GT, literal=0),))}), ["5"]),
        ("a.b.data->x=gt.5", Query(levels={("a", "b"): Level((Filter(Field("data", (PathStep("x", as_text=False),)), Operator.GT, literal=0),))}), ["5"]),
        ("columns=a,b,a", Query(columns=("a", "b")), []),
        ('columns="a,b",c', Query(columns=("a,b", "c")), []),
        ("columns=", Query(), []),
        ("on_conflict=a,b", Query(on_conflict=("a", "b")), []),
        ("on_conflict=", Query(), []),
        ("order=", Query(), []),
        ("or=(year.eq.1,title.is.null)", where(Group("or", False, (Filter(YEAR, Operator.EQ, literal=0), Filter(Field("title"), Operator.IS, is_value=IsValue.NULL)))), ["1", ""]),
        ("not.and=(year.eq.1)", where(Group("and", True, (Filter(YEAR, Operator.EQ, literal=0),))), ["1"]),
        ("actors.or=(age.eq.1)", Query(levels={("actors",): Level((Group("or", False, (Filter(Field("age"), Operator.EQ, literal=0),)),))}), ["1"]),
        ('"not".or=(age.eq.1)', Query(levels={("not",): Level((Group("or", False, (Filter(Field("age"), Operator.EQ, literal=0),)),))}), ["1"]),
        ("actors.not.or=(age.eq.1)", Query(levels={("actors",): Level((Group("or", True, (Filter(Field("age"), Operator.EQ, literal=0),)),))}), ["1"]),
        ("or=(a.eq.1,and(b.not.eq.2,not.or(c.lt.3)))", where(Group("or", False, (
            Filter(Field("a"), Operator.EQ, literal=0),
            Group("and", False, (Filter(Field("b"), Operator.EQ, negated=True, literal=1), Group("or", True, (Filter(Field("c"), Operator.LT, literal=2),)))),
        ))), ["1", "2", "3"]),
        ('or=(a.eq."x,(y)",b.in.("p,q",r),c.cs.{"z)"},d.cs.[1,{"e":"]"}])', where(Group("or", False, (
            Filter(Field("a"), Operator.EQ, literal=0),
            Filter(Field("b"), Operator.IN, literal=1),
            Filter(Field("c"), Operator.CS, literal=2),
            Filter(Field("d"), Operator.CS, literal=3),
        ))), ["x,(y)", '("p,q",r)', '{"z)"}', '[1,{"e":"]"}]']),
        ("or=(a->b.eq.1,a.eq(any).{1,2})", where(Group("or", False, (
            Filter(Field("a", (PathStep("b", as_text=False),)), Operator.EQ, literal=0),
            Filter(Field("a"), Operator.EQ, quantifier=Quantifier.ANY, literal=1),
        ))), ["1", "{1,2}"]),
    ],
)  # fmt: skip
def test_filters_levels_and_literals(text: str, query: Query, values: list[str]) -> None:
    assert parsed(text) == (query, values)


@pytest.mark.parametrize(
    ("order", "terms"),
    [
        ("a", [OrderTerm(Field("a"))]),
        ("a.asc,b.desc", [OrderTerm(Field("a")), OrderTerm(Field("b"), descending=True)]),
        ("a.nullsfirst", [OrderTerm(Field("a"), nulls_first=True)]),
        ("a.desc.nullslast", [OrderTerm(Field("a"), descending=True, nulls_first=False)]),
        ("data->a->>b.desc", [OrderTerm(Field("data", (PathStep("a", as_text=False), PathStep("b", as_text=True))), descending=True)]),
        ("director(name).desc", [OrderTerm(Field("name"), descending=True, relation="director")]),
        ("director(data->a)", [OrderTerm(Field("data", (PathStep("a", as_text=False),)), relation="director")]),
        ('"a.b".desc', [OrderTerm(Field("a.b"), descending=True)]),
    ],
)  # fmt: skip
def test_order(order: str, terms: list[OrderTerm]) -> None:
    assert parsed(f"order={order}") == (Query(levels={(): Level(order=tuple(terms))}), [])


@pytest.mark.parametrize(
    ("text", "message", "details"),
    [
        ("year=foo.1", "'foo' is not an operator", "in the filter year=foo"),
        ("year=2000", "'2000' is not an operator", "in the filter year=2000"),
        ("year=", "An operator is missing", "in the filter year="),
        ("year=not.", "'not' is not an operator", "in the filter year=not."),
        ("or=(year.foo.1)", "'foo' is not an operator", "in the filter year.foo"),
        ("year=is.maybe", "'maybe' cannot stand after 'is'", "in the filter year=is.maybe"),
        ("year=is", "'' cannot stand after 'is'", "in the filter year=is"),
        ("year=in(any).(1)", "The operator 'in' takes no modifier '(any)'", "in the filter year=in(any)"),
        ("year=eq(some).{1}", "The operator 'eq' takes no modifier '(some)'", "in the filter year=eq(some)"),
        ("select=id,", "'select' cannot be parsed: a name expected at the end", "in the parameter select=id,, character 4"),
        ("select=id name(", "'select' cannot be parsed: a name expected at the end", "in the parameter select=id name(, character 9"),
        ("select=a(b", "'select' cannot be parsed: ')' expected at the end", "in the parameter select=a(b, character 4"),
        ("select=a)b", "'select' cannot be parsed: ',' expected before ')b'", "in the parameter select=a)b, character 2"),
        ("select=a::", "'select' cannot be parsed: a type expected at the end", "in the parameter select=a::, character 4"),
        ("select=a.median()", "'select' cannot be parsed: 'median' is not an aggregate (count, sum, avg, min, max), which is what a dot announces, before '()'", "in the parameter select=a.median(), character 9"),
        ("select=a.sum", "'select' cannot be parsed: '()' expected at the end", "in the parameter select=a.sum, character 6"),
        ("select=a!b!c(d)", "'select' cannot be parsed: a second hint 'c' before '(d)'", "in the parameter select=a!b!c(d), character 6"),
        ("select=a->", "'select' cannot be parsed: a key or an index expected after the arrow at the end", "in the parameter select=a->, character 4"),
        ('select="a', "'select' cannot be parsed: a double quote that is never closed before '\"a'", 'in the parameter select="a, character 1'),
        ('select="a%00"', "'select' cannot be parsed: a NUL character in a name at the end", 'in the parameter select="a\x00", character 5'),
        ("order=a.up", "'order' cannot be parsed: 'up' is neither a direction (asc, desc) nor a place for nulls (nullsfirst, nullslast), at the end", "in the parameter order=a.up, character 5"),
        ("order=a b)", "'order' cannot be parsed: ',' expected before ')'", "in the parameter order=a b), character 4"),
        ("films.order=", None, None),
        ("or=a.eq.1", "'or' cannot be parsed: '(' expected before 'a.eq.1'", "in the parameter or=a.eq.1, character 1"),
        ("or=(a.eq.1", "'or' cannot be parsed: ')' expected at the end", "in the parameter or=(a.eq.1, character 8"),
        ("or=(a.eq.1)x", "'or' cannot be parsed: nothing expected after the closing parenthesis before 'x'", "in the parameter or=(a.eq.1)x, character 9"),
        ("or=(a)", "'or' cannot be parsed: '.' expected before ')'", "in the parameter or=(a), character 3"),
        ("or=(a.1)", "'or' cannot be parsed: an operator expected before '1)'", "in the parameter or=(a.1), character 4"),
        ("or=(a.in.(1)", "'or' cannot be parsed: ')' expected at the end", "in the parameter or=(a.in.(1), character 10"),
        ("or=(a.in.(1", "'or' cannot be parsed: a bracket that is never closed at the end", "in the parameter or=(a.in.(1, character 9"),
        ("columns=a b)", "'columns' cannot be parsed: ',' expected before ')'", "in the parameter columns=a b), character 4"),
        ("data->a.b=eq.1", "'data->a.b' cannot be parsed: nothing expected after a JSON path before '.b'", "in the parameter data->a.b=data->a.b, character 8"),
        ("a!b=eq.1", "'a!b' cannot be parsed: '.' expected before '!b'", "in the parameter a!b=a!b, character 2"),
        ("a=eq", "'eq' lacks its value", "in the filter a=eq"),
        ("a=not.eq(any)", "'not.eq(any)' lacks its value", "in the filter a=not.eq(any)"),
        ("a=fts(english)", "'fts(english)' lacks its value", "in the filter a=fts(english)"),
        ("a=is", "'' cannot stand after 'is'", "in the filter a=is"),
        ("a=not", "'not' is not an operator", "in the filter a=not."),
        ("a=foo", "'foo' is not an operator", "in the filter a=foo"),
        ("a!b.limit=1", "'a!b.limit' cannot be parsed: '.' expected before '!b.limit'", "in the parameter a!b.limit=a!b.limit, character 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_parsed_is_named_with_its_place(text: str, message: str | None, details: str | None) -> None:
    if message is None:
        assert parsed(text) == (Query(), [])
        return
    with pytest.raises(RequestError) as refused:
        parsed(text)
    error = refused.value
    assert (error.status, error.code, error.message, error.details) == (400, "PGRST100", message, details)
    assert error.hint


def test_hints_say_what_to_write_instead() -> None:
    hints = {}
    for text in (
        "select=,",
        "order=.",
        "or=x",
        "and=x",
        "columns=)",
        "on_conflict=)",
        "x!=eq.1",
        "year=eq",
        "year=foo.1",
    ):
        with pytest.raises(RequestError) as refused:
            parsed(text)
        hints[text] = refused.value.hint
    operators = (
        "eq, neq, gt, gte, lt, lte, like, ilike, match, imatch, in, is, isdistinct, fts, plfts, phfts, wfts, cs, cd, ov"
    )
    assert hints == {
        "select=,": "Write columns, renames and embeds separated by commas, for example select=id,name:title,director(name)",
        "order=.": "Write column.direction.nulls, for example order=year.desc.nullslast,title",
        "or=x": "Write conditions in parentheses, for example or=(year.gte.2000,title.like.A*)",
        "and=x": "Write conditions in parentheses, for example and=(year.gte.2000,or(rating.gt.4,title.like.A*))",
        "columns=)": "Write column names separated by commas, for example columns=id,title",
        "on_conflict=)": "Write column names separated by commas, for example on_conflict=id",
        "x!=eq.1": "Write column=operator.value, for example year=gte.2000",
        "year=eq": "Write year=eq.value; year=eq. compares with an empty text",
        "year=foo.1": f"Write column=operator.value, for example year=eq.value; the operators are {operators}",
    }


# ---- bounds ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "select=" + "a(" * 31 + "b" + ")" * 31,
        "select=" + "a(" * 100_000,
        "or=(" + "and(" * 31 + "a.eq.1" + ")" * 32,
        "or=(" + "and(" * 100_000,
        "&".join(["a=eq.1"] * (MAX_PARAMETERS + 1)),
        "select=" + "->" * 100_000,
        "select=" + "-" * 100_000 + ">",
        'or=(a.eq."' + "\\" * 100_001,
        "or=(a.in." + "(" * 100_000,
        "." * 100_000 + "=eq.1",
    ],
    ids=lambda text: text[:20],
)
def test_what_is_too_deep_or_too_much_is_refused_soon(text: str) -> None:
    started = time.process_time()
    with pytest.raises(RequestError):
        parsed(text)
    assert time.process_time() - started < 1


def test_thirty_levels_are_not_too_deep() -> None:
    query, _ = parsed("select=" + "a(" * 30 + "b" + ")" * 30 + "&or=(" + "and(" * 29 + "a.eq.1" + ")" * 30)
    assert isinstance(query.select[0], SelectEmbed)
    assert len(query.levels[()].conditions) == 1


# ---- shape and values ------------------------------------------------------------------------------------------


def test_two_queries_that_differ_in_literals_only_have_one_shape() -> None:
    first, first_values = split_query("year=gte.2000&or=(a.eq.1,b.in.(2,3))&limit=5&select=id")
    second, second_values = split_query("year=gte.1900&or=(a.eq.x,b.in.(y))&limit=50&select=id")
    assert first == second
    assert hash(first) == hash(second)
    assert (first_values, second_values) == (["2000", "1", "(2,3)", "5"], ["1900", "x", "(y)", "50"])


def test_another_operator_null_or_column_is_another_shape() -> None:
    texts = [
        "a=eq.1",
        "a=neq.1",
        "a=not.eq.1",
        "b=eq.1",
        "a=is.null",
        "a=is.true",
        "a=eq(any).1",
        "and=(a.eq.1)",
        "a.b=eq.1",
    ]
    assert len({split_query(text)[0] for text in texts}) == len(texts)


# ---- properties ------------------------------------------------------------------------------------------------

NAMES = st.text(min_size=1, max_size=8).filter(lambda name: "\x00" not in name) | st.sampled_from(
    ["id", "title", "a b", "a.b", "a->b", "not", "and", "or", "limit", "count", "*", '"', "\\", "select", "inner", "é", "(", ","]
)  # fmt: skip
QUOTABLE = NAMES.filter(lambda name: not any(0xD800 <= ord(character) <= 0xDFFF for character in name))
STEPS = st.builds(PathStep, QUOTABLE | st.integers(-999_999_999, 999_999_999), st.just(False))


@st.composite
def fields(draw: st.DrawFn) -> Field:
    steps = draw(st.lists(STEPS, max_size=3))
    if steps and draw(st.booleans()):
        steps[-1] = PathStep(steps[-1].key, as_text=True)
    return Field(draw(QUOTABLE), tuple(steps))


CASTS = st.none() | st.sampled_from(["text", "int", "double precision"])
ALIASES = st.none() | QUOTABLE
AGGREGATES = st.none() | st.sampled_from(Aggregate)


@st.composite
def select_fields(draw: st.DrawFn) -> SelectField:
    aggregate = draw(AGGREGATES)
    cast = draw(CASTS) if aggregate is not None else None
    field = None if aggregate is Aggregate.COUNT and draw(st.booleans()) else draw(fields())
    return SelectField(field, draw(ALIASES), None if field is None else draw(CASTS), aggregate, cast)


def embeds(items: st.SearchStrategy[SelectItem]) -> st.SearchStrategy[SelectEmbed]:
    hints = ALIASES.filter(lambda hint: hint not in tuple(JoinType))
    found = st.builds(
        SelectEmbed,
        relation=QUOTABLE,
        alias=ALIASES,
        hint=hints,
        join=st.none() | st.sampled_from(JoinType),
        spread=st.booleans(),
        items=st.lists(items, max_size=3).map(tuple),
    )
    # an empty embed of a table called count is written as the aggregate is
    return found.filter(lambda embed: embed.relation != "count" or bool(embed.items))


ITEMS: st.SearchStrategy[SelectItem] = st.recursive(st.just(Star()) | select_fields(), embeds, max_leaves=8)
ORDERS = st.builds(OrderTerm, fields(), st.booleans(), st.none() | st.booleans(), st.none()) | st.builds(
    OrderTerm, fields(), st.booleans(), st.none() | st.booleans(), QUOTABLE
)
LITERALS = st.text(max_size=10).filter(lambda text: not any(0xD800 <= ord(character) <= 0xDFFF for character in text))


@st.composite
def filters(draw: st.DrawFn, values: list[str]) -> Filter:
    operator = draw(st.sampled_from(Operator))
    field, negated = draw(fields()), draw(st.booleans())
    if operator is Operator.IS:
        values.append("")
        return Filter(field, operator, negated, is_value=draw(st.sampled_from(IsValue)))
    quantifier = draw(st.none() | st.sampled_from(Quantifier)) if operator in QUANTIFIABLE else None
    values.append(draw(LITERALS))
    return Filter(field, operator, negated, quantifier, len(values) - 1)


@st.composite
def conditions(draw: st.DrawFn, values: list[str], depth: int = 3) -> Condition:
    if depth == 0 or draw(st.booleans()):
        return draw(filters(values))
    inner = [draw(conditions(values, depth - 1)) for _ in range(draw(st.integers(1, 3)))]
    return Group(draw(st.sampled_from(["and", "or"])), draw(st.booleans()), tuple(inner))


@st.composite
def queries(draw: st.DrawFn) -> tuple[Query, list[str]]:
    values: list[str] = []
    levels = {}
    for path in draw(st.lists(st.lists(QUOTABLE, max_size=2).map(tuple), max_size=2, unique=True)):
        found = tuple(draw(conditions(values)) for _ in range(draw(st.integers(0, 2))))
        order = tuple(draw(st.lists(ORDERS, max_size=2)))
        limit = offset = None
        if draw(st.booleans()):
            values.append(str(draw(st.integers())))
            limit = len(values) - 1
        if draw(st.booleans()):
            values.append(str(draw(st.integers())))
            offset = len(values) - 1
        if found or order or limit is not None or offset is not None:
            levels[path] = Level(found, order, limit, offset)
    columns = st.none() | st.lists(QUOTABLE, min_size=1, max_size=3, unique=True).map(tuple)
    select = tuple(draw(st.lists(ITEMS, min_size=1, max_size=4)))
    return Query(select, levels, draw(columns), draw(columns)), values


@given(queries())
def test_a_query_that_is_written_and_parsed_is_the_same(written: tuple[Query, list[str]]) -> None:
    query, values = written
    assert parsed(query_text(query, values)) == (query, values)


WORDS = st.sampled_from(
    ["select", "order", "limit", "and", "or", "not", "is", "in", "eq", "any", "count", "null", "id", "a", "->", "->>", "::",
     ":", "!", "...", "(", ")", "{", "}", "[", "]", ",", ".", '"', "\\", "*", "=", "&", "%", "%22", "+", " ", "1", "-", "\x00", "ü"]
)  # fmt: skip


def refusal_of(text: str) -> RequestError | None:
    try:
        parsed(text)
    except RequestError as error:
        return error
    return None


@given(st.lists(WORDS, max_size=30).map("".join) | st.text(max_size=50))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    refused = refusal_of(text)
    assert refused is None or (refused.status, refused.code, bool(refused.hint)) == (400, "PGRST100", True)


@given(st.sampled_from(["or=(", "select=", "order=", "a="]), st.lists(WORDS, max_size=20).map("".join))
def test_any_logic_select_and_order_is_parsed_or_refused(parameter: str, text: str) -> None:
    refused = refusal_of(parameter + text)
    assert refused is None or (refused.status, refused.code, bool(refused.hint)) == (400, "PGRST100", True)


def test_full_text_operators_take_a_language() -> None:
    for operator in FULL_TEXT:
        query = where(Filter(Field("a"), operator, literal=0, language="german"))
        assert parsed(f"a={operator}(german).x") == (query, ["x"])
