"""What a request asks, in the words of the dialect: only parsed, no name looked up yet.

The values of this module are what `query_params` makes from a query string and what `planner` reads. A literal is
kept as the index of its text among the request's values, so that two requests of one shape are equal here.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias


class Operator(StrEnum):
    """The operators of https://docs.postgrest.org/en/stable/references/api/tables_views.html#operators."""

    EQ = "eq"
    NEQ = "neq"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    LIKE = "like"
    ILIKE = "ilike"
    MATCH = "match"
    IMATCH = "imatch"
    IN = "in"
    IS = "is"
    ISDISTINCT = "isdistinct"
    FTS = "fts"
    PLFTS = "plfts"
    PHFTS = "phfts"
    WFTS = "wfts"
    CS = "cs"
    CD = "cd"
    OV = "ov"


FULL_TEXT = frozenset({Operator.FTS, Operator.PLFTS, Operator.PHFTS, Operator.WFTS})

#: The operators that take the modifiers (any) and (all).
QUANTIFIABLE = frozenset(
    {
        Operator.EQ,
        Operator.NEQ,
        Operator.GT,
        Operator.GTE,
        Operator.LT,
        Operator.LTE,
        Operator.LIKE,
        Operator.ILIKE,
        Operator.MATCH,
        Operator.IMATCH,
    }
)


class Quantifier(StrEnum):
    """`eq(any).{1,2}` holds for one of the values, `eq(all).{1,2}` for each."""

    ANY = "any"
    ALL = "all"


class IsValue(StrEnum):
    """What may stand after `is.`."""

    NULL = "null"
    NOT_NULL = "not_null"
    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


class Aggregate(StrEnum):
    """The aggregate functions of a `select`."""

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"


class JoinType(StrEnum):
    """`!inner` drops parents without an embedded row, `!left` keeps them (as without it)."""

    INNER = "inner"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step into a JSON value: `->key`, `->0`; `as_text` for `->>`."""

    key: str | int
    as_text: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A column, or a place inside its JSON value."""

    name: str
    path: tuple[PathStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Star:
    """`*`: every column that the role may read."""


@dataclass(frozen=True, slots=True)
class SelectField:
    """`alias:field::cast.aggregate()::cast`; `count()` has no field."""

    field: Field | None
    alias: str | None = None
    cast: str | None = None
    aggregate: Aggregate | None = None
    aggregate_cast: str | None = None


@dataclass(frozen=True, slots=True)
class SelectEmbed:
    """`alias:relation!hint!inner(items)`, or `...relation(items)` whose members stand in the parent."""

    relation: str
    alias: str | None
    hint: str | None
    join: JoinType | None
    spread: bool
    items: "tuple[SelectItem, ...]"

    @property
    def name(self) -> str:
        """The name that filters, order and limits of the embed use."""
        return self.alias or self.relation


SelectItem: TypeAlias = Star | SelectField | SelectEmbed


@dataclass(frozen=True, slots=True)
class Filter:
    """`field=not.operator(quantifier).literal`; `literal` is the index of the request's value, `is_value` for `is`.

    `language` is what stands behind a text search: `fts(english)`.
    """

    field: Field
    operator: Operator
    negated: bool = False
    quantifier: Quantifier | None = None
    literal: int | None = None
    is_value: IsValue | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """`and=(…)`, `or=(…)`, `not.and=(…)`."""

    conjunction: str  #: "and" or "or"
    negated: bool
    conditions: "tuple[Condition, ...]"


Condition: TypeAlias = Filter | Group


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """`field.desc.nullslast`, or `relation(field).desc` to order by a to-one embed."""

    field: Field
    descending: bool = False
    nulls_first: bool | None = None  #: None: PostgreSQL's default, last when ascending and first when descending
    relation: str | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """What the query says of one level: of the resource itself, or of one embed. Limits are indexes of values."""

    conditions: tuple[Condition, ...] = ()
    order: tuple[OrderTerm, ...] = ()
    limit: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query string. `levels` is keyed by the path of embed names; () is the resource itself."""

    select: tuple[SelectItem, ...] = (Star(),)
    levels: dict[tuple[str, ...], Level] = field(default_factory=dict)
    columns: tuple[str, ...] | None = None
    on_conflict: tuple[str, ...] | None = None

    def level(self, path: tuple[str, ...]) -> Level:
        """Return what is said of a level, which may be nothing."""
        return self.levels.get(path, Level())


class MediaType(StrEnum):
    """What the data API can produce."""

    JSON = "application/json"
    SINGULAR = "application/vnd.pgrst.object+json"
    ARRAY = "application/vnd.pgrst.array+json"
    CSV = "text/csv"
    OPENAPI = "application/openapi+json"


@dataclass(frozen=True, slots=True)
class Format:
    """The form of the body: media type and whether members that are null are left out."""

    media_type: MediaType = MediaType.JSON
    nulls_stripped: bool = False

    @property
    def is_singular(self) -> bool:
        """Tell whether the body is one object instead of a list."""
        return self.media_type is MediaType.SINGULAR

    @property
    def content_type(self) -> str:
        """The Content-Type of the response."""
        stripped = ";nulls=stripped" if self.nulls_stripped else ""
        return f"{self.media_type}{stripped}; charset=utf-8"


class Return(StrEnum):
    """`Prefer: return=`."""

    MINIMAL = "minimal"
    HEADERS_ONLY = "headers-only"
    REPRESENTATION = "representation"


class Count(StrEnum):
    """`Prefer: count=`."""

    EXACT = "exact"
    PLANNED = "planned"
    ESTIMATED = "estimated"


class Resolution(StrEnum):
    """`Prefer: resolution=`."""

    MERGE = "merge-duplicates"
    IGNORE = "ignore-duplicates"


@dataclass(frozen=True, slots=True)
class Preferences:
    """The `Prefer` header (RFC 7240), as PostgREST reads it. `applied` is what Preference-Applied answers."""

    returns: Return | None = None
    count: Count | None = None
    resolution: Resolution | None = None
    missing_default: bool = False
    strict: bool = False
    rollback: bool = False
    max_affected: int | None = None
    applied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request of the data API, parsed. `payload_columns` are the columns that its body gives values for."""

    method: str  #: GET, POST, PATCH, PUT, DELETE; HEAD is GET
    resource: str
    query: Query
    preferences: Preferences
    format: Format
    payload_columns: tuple[str, ...] = ()
    range_limit: int | None = None  #: index of the value, from the Range header
    range_offset: int | None = None
    in_order: bool = True  #: whether the parameters stand in the order of the alphabet
