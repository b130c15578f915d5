"""Say what is asked: each workload in the words of both servers.

A workload draws its keys with a seed, so both servers are asked about the same rows in the same order. The peer has
a route written by hand for each question, as a team would have that wrote its API itself.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from itertools import count
from random import Random
from urllib.parse import quote

from bench.dataset import WORDS, Counts
from wherry.auth.tokens import sign
from wherry.identity import ClaimValue

SECRET = "a-secret-of-the-benchmark-and-of-nothing-else"
BASE = "/api/rest/v1"

POST = ("id", "author_id", "title", "slug", "body", "status", "views", "rating", "published_at", "created_at")
SUMMARY = ("id", "author_id", "title", "slug", "status", "views", "published_at")

#: How many requests there are until the same rows come again. Who sends two periods over and over changes a row each
#: time that it updates it: SQLite saves itself the write of a page whose bytes stay the same.
PERIOD = 3000

#: What the official client for JavaScript sends, as far as a server looks at it, and what the load generator must.
HEADERS = {
    "Host": "127.0.0.1",
    "User-Agent": "node",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "X-Client-Info": "supabase-js-node/2.109.0",
}


class Dialect(StrEnum):
    """How a server wants to be asked."""

    WHERRY = "wherry"
    FASTIFY = "fastify"


class Kind(StrEnum):
    """How a workload is measured."""

    LOAD = "load"
    EXPORT = "export"
    BESIDE = "beside"  # as LOAD, while another connection asks for `slow` again and again


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one request is about: the posts and authors of its rows, and a number that no other request has."""

    rows: tuple[tuple[int, int], ...]
    views: int
    word: str
    number: int

    @property
    def post(self) -> int:
        """The first row's post."""
        return self.rows[0][0]

    @property
    def author(self) -> int:
        """The first row's author."""
        return self.rows[0][1]


@dataclass(frozen=True, slots=True)
class Request:
    """A request before it has a token; `body` is JSON where it has one."""

    method: str
    target: str
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """Return the body's bytes."""
        return b"" if self.body is None else json.dumps(self.body, ensure_ascii=False).encode()

    def all_headers(self, token: str) -> dict[str, str]:
        """Return every header that is sent."""
        body = {} if self.body is None else {"Content-Type": "application/json"}
        return {**HEADERS, "Authorization": f"Bearer {token}", **body, **self.headers}

    def words(self, token: str) -> bytes:
        """Return the bytes of the whole request."""
        content = self.content()
        headers = self.all_headers(token)
        if self.body is not None:
            headers["Content-Length"] = str(len(content))
        lines = (f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()))
        return "\r\n".join((*lines, "", "")).encode() + content


Ask = Callable[[Drawn], Request]


@dataclass(frozen=True, slots=True)
class Workload:
    """One question in both dialects, and how hard it is asked.

    `rows` is how many rows a request writes; `mix` names the workloads that take turns in this one, with their weights.
    """

    about: str
    ask: Mapping[Dialect, Ask] = field(default_factory=dict)
    connections: int = 32
    rows: int = 1
    kind: Kind = Kind.LOAD
    mix: Mapping[str, int] = field(default_factory=dict)


@cache
def tokens() -> tuple[str, ...]:
    """Return the tokens of twenty signed-in users."""
    claims: dict[str, ClaimValue] = {"role": "authenticated", "aud": "authenticated", "exp": 4_000_000_000}
    return tuple(
        sign({"sub": f"user-{user}", "email": f"user-{user}@example.org", **claims}, SECRET) for user in range(20)
    )


def requests_of(name: str, dialect: Dialect, counts: Counts) -> Iterator[Request]:
    """Yield a workload's requests without end: of a name, the same each time.

    After a period they are about the same rows again, with other values.
    """
    workload = WORKLOADS[name]
    for number in count():
        if number % PERIOD == 0:
            random = Random(name.partition("@")[0])
        drawn = draw(random, counts, rows=workload.rows, number=number)
        asked = random.choices(list(workload.mix), list(workload.mix.values()))[0] if workload.mix else name
        yield WORKLOADS[asked].ask[dialect](drawn)


def draw(random: Random, counts: Counts, *, rows: int, number: int) -> Drawn:
    """Draw what a request is about."""
    pairs = tuple((random.randint(1, counts.posts), random.randint(1, counts.authors)) for _ in range(rows))
    return Drawn(pairs, views=random.randint(0, 600), word=random.choice(WORDS[:8]), number=number)


def comment(post: int, author: int) -> dict[str, object]:
    """Return a new comment."""
    text = f'A comment of ordinary length, with a \u2014 dash and "quotes" in it, on number {post}.'
    return {"post_id": post, "author_id": author, "body": text}


def changes(drawn: Drawn) -> dict[str, object]:
    """Return an update's values, which differ from request to request."""
    return {"title": f"Title number {drawn.number} of {drawn.post}", "views": drawn.number % 1000}


def slow(dialect: Dialect, steps: int) -> Request:
    """Return a query that takes as long as counting `steps` numbers does."""
    if dialect is Dialect.WHERRY:
        return Request("GET", f"{BASE}/numbers?offset={steps}&limit=1")
    return Request("GET", f"/numbers?offset={steps}")


def _asked(wherry: Ask, fastify: Ask) -> dict[Dialect, Ask]:
    return {Dialect.WHERRY: wherry, Dialect.FASTIFY: fastify}


def _get(target: str, **headers: str) -> Request:
    return Request("GET", target, headers={name.title(): value for name, value in headers.items()})


def _writing(method: str, target: str, body: object, prefer: str = "return=minimal") -> Request:
    return Request(method, target, body, {"Prefer": prefer})


_POINT = _asked(
    lambda drawn: _get(f"{BASE}/posts?id=eq.{drawn.post}"),
    lambda drawn: _get(f"/posts/{drawn.post}"),
)
_INSERT = _asked(
    lambda drawn: _writing("POST", f"{BASE}/comments", comment(*drawn.rows[0])),
    lambda drawn: _writing("POST", "/comments", comment(*drawn.rows[0])),
)
_EMBEDDED = "*,author:authors(id,name,email),comments(id,body,created_at)&comments.order=id&comments.limit=5"

WORKLOADS = {
    "point": Workload("one post by its primary key (1.1 kB)", _POINT),
    "list20": Workload(
        "20 posts of an author, newest first, every column (22 kB)",
        _asked(
            lambda drawn: _get(f"{BASE}/posts?author_id=eq.{drawn.author}&order=id.desc&limit=20"),
            lambda drawn: _get(f"/authors/{drawn.author}/posts?limit=20"),
        ),
    ),
    "filter100": Workload(
        "100 published posts by views, 7 columns (17 kB)",
        _asked(
            lambda drawn: _get(
                f"{BASE}/posts?select={','.join(SUMMARY)}&status=eq.published&views=gte.{drawn.views}"
                "&order=published_at.desc&limit=100"
            ),
            lambda drawn: _get(f"/posts?status=published&min_views={drawn.views}&limit=100"),
        ),
    ),
    "embed": Workload(
        "a post with its author and 5 comments",
        _asked(
            lambda drawn: _get(f"{BASE}/posts?select={_EMBEDDED}&id=eq.{drawn.post}"),
            lambda drawn: _get(f"/posts/{drawn.post}/full"),
        ),
    ),
    "count": Workload(
        "10 comments of an author and how many there are (about 300)",
        _asked(
            lambda drawn: _get(
                f"{BASE}/comments?author_id=eq.{drawn.author}&order=id.desc&limit=10", prefer="count=exact"
            ),
            lambda drawn: _get(f"/authors/{drawn.author}/comments"),
        ),
    ),
    "search": Workload(
        "20 products with a word in their name",
        _asked(
            lambda drawn: _get(f"{BASE}/products?name=ilike.{quote(f'*{drawn.word}*')}&order=id&limit=20"),
            lambda drawn: _get(f"/products?q={drawn.word}"),
        ),
    ),
    "point256": Workload("point, 256 connections", _POINT, connections=256),
    "insert": Workload("a comment", _INSERT),
    "insert_rep": Workload(
        "a comment, answered with its row",
        _asked(
            lambda drawn: _writing("POST", f"{BASE}/comments", comment(*drawn.rows[0]), "return=representation"),
            lambda drawn: _writing("POST", "/comments", comment(*drawn.rows[0]), "return=representation"),
        ),
    ),
    "update": Workload(
        "two columns of a post",
        _asked(
            lambda drawn: _writing("PATCH", f"{BASE}/posts?id=eq.{drawn.post}", changes(drawn)),
            lambda drawn: _writing("PATCH", f"/posts/{drawn.post}", changes(drawn)),
        ),
    ),
    "bulk1000": Workload(
        "1,000 comments in one request, 4 connections",
        _asked(
            lambda drawn: _writing("POST", f"{BASE}/comments", [comment(*row) for row in drawn.rows]),
            lambda drawn: _writing("POST", "/comments/bulk", [comment(*row) for row in drawn.rows]),
        ),
        connections=4,
        rows=1000,
    ),
    "mixed": Workload(
        "point, list20 and embed 90 %, insert and update 10 %",
        mix={"point": 50, "list20": 20, "embed": 20, "insert": 5, "update": 5},
    ),
    "insert@1": Workload("a comment, 1 connection", _INSERT, connections=1),
    "insert@256": Workload("a comment, 256 connections", _INSERT, connections=256),
    "export_json": Workload(
        "every post as JSON",
        _asked(lambda _: _get(f"{BASE}/posts?select={','.join(POST)}"), lambda _: _get("/export.json")),
        kind=Kind.EXPORT,
        connections=1,
    ),
    "export_csv": Workload(
        "every post as CSV",
        _asked(
            lambda _: _get(f"{BASE}/posts?select={','.join(POST)}", accept="text/csv"),
            lambda _: _get("/export.csv"),
        ),
        kind=Kind.EXPORT,
        connections=1,
    ),
    "slow_beside": Workload("point, while another connection runs a 2-second query", _POINT, kind=Kind.BESIDE),
}
