"""See that a server answers what the database says, before it is measured: a fast wrong answer is worth nothing.

The expected rows come from the server's own copy of the file, past the server. Writes are looked for there as well.
"""

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from random import Random
from typing import Any

from bench.requests import POST, SUMMARY, WORKLOADS, Drawn, Kind, Request, changes, comment, draw, tokens
from bench.targets import BenchError, Server

#: How many requests of each workload are compared.
CHECKED = 3

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back, and what it was asked about."""

    drawn: Drawn
    body: bytes
    total: str

    @property
    def rows(self) -> list[Row]:
        """The rows of a body in JSON; a single one need not stand in an array."""
        decoded = json.loads(self.body)
        return decoded if isinstance(decoded, list) else [decoded]


class _File:
    """The database beside the server: a class because what is asked of it takes few words so."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, *values: object) -> list[Row]:
        """Return the rows of a query."""
        cursor = self._connection.execute(sql, values)
        names = [column for column, *_ in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def posts(self, sql: str, *values: object, columns: tuple[str, ...] = POST) -> list[Row]:
        """Return columns of the posts that the end of a query says."""
        return self.rows(f"SELECT {', '.join(columns)} FROM posts {sql}", *values)


def check(server: Server, name: str) -> None:
    """Raise BenchError where one of a workload's first answers is not what the file says."""
    for asked in WORKLOADS[name].mix or (name,):
        workload, random = WORKLOADS[asked], Random(asked)
        for number in range(1 if workload.kind is Kind.EXPORT else CHECKED):
            drawn = draw(random, server.counts, rows=workload.rows, number=number)
            _check(server, asked, drawn)


def _check(server: Server, name: str, drawn: Drawn) -> None:
    request = WORKLOADS[name].ask[server.dialect](drawn)
    status, answer = _answer(server, request, drawn)
    with closing(sqlite3.connect(f"file:{server.database}?mode=ro", uri=True)) as connection:
        if 200 <= status < 300 and RIGHT[name](answer, _File(connection)):
            return
    shown = answer.body[:300].decode(errors="replace")
    raise BenchError(f"{server.name} answers {name} wrongly: {request.method} {request.target}: {status} {shown}")


def _answer(server: Server, request: Request, drawn: Drawn) -> tuple[int, _Answer]:
    with closing(server.connect()) as http:
        headers = request.all_headers(tokens()[0])
        http.request(request.method, request.target, request.content() or None, headers)
        response = http.getresponse()
        # PostgREST says the count behind the slash: 0-9/297.
        total = response.headers.get("x-total-count") or response.headers.get("content-range", "").rpartition("/")[2]
        return response.status, _Answer(drawn, response.read(), total)


def _point(answer: _Answer, file: _File) -> bool:
    return answer.rows == file.posts("WHERE id = ?", answer.drawn.post)


def _list(answer: _Answer, file: _File) -> bool:
    return answer.rows == file.posts("WHERE author_id = ? ORDER BY id DESC LIMIT 20", answer.drawn.author)


def _filter(answer: _Answer, file: _File) -> bool:
    """Compare the times, then each row: posts of one second may come in any order, and any of them last."""
    expected = file.posts(
        "WHERE status = 'published' AND views >= ? ORDER BY published_at DESC LIMIT 100",
        answer.drawn.views,
        columns=SUMMARY,
    )
    return [row["published_at"] for row in answer.rows] == [row["published_at"] for row in expected] and all(
        [row] == file.posts("WHERE id = ? AND views >= ?", row["id"], answer.drawn.views, columns=SUMMARY)
        for row in answer.rows
    )


def _embed(answer: _Answer, file: _File) -> bool:
    (post,) = file.posts("WHERE id = ?", answer.drawn.post)
    (post["author"],) = file.rows("SELECT id, name, email FROM authors WHERE id = ?", post["author_id"])
    post["comments"] = file.rows(
        "SELECT id, body, created_at FROM comments WHERE post_id = ? ORDER BY id LIMIT 5", post["id"]
    )
    return answer.rows == [post]


def _count(answer: _Answer, file: _File) -> bool:
    author = answer.drawn.author
    (counted,) = file.rows("SELECT count(*) AS total FROM comments WHERE author_id = ?", author)
    return answer.total == str(counted["total"]) and answer.rows == file.rows(
        "SELECT * FROM comments WHERE author_id = ? ORDER BY id DESC LIMIT 10", author
    )


def _search(answer: _Answer, file: _File) -> bool:
    return answer.rows == file.rows(
        "SELECT * FROM products WHERE name LIKE ? ORDER BY id LIMIT 20", f"%{answer.drawn.word}%"
    )


def _insert(answer: _Answer, file: _File) -> bool:
    newest = file.rows("SELECT post_id, author_id, body FROM comments ORDER BY id DESC LIMIT ?", len(answer.drawn.rows))
    return answer.body == b"" and newest[::-1] == [comment(*row) for row in answer.drawn.rows]


def _insert_returning(answer: _Answer, file: _File) -> bool:
    newest = file.rows("SELECT * FROM comments ORDER BY id DESC LIMIT 1")
    return answer.rows == newest and newest[0].items() >= comment(*answer.drawn.rows[0]).items()


def _update(answer: _Answer, file: _File) -> bool:
    (post,) = file.posts("WHERE id = ?", answer.drawn.post)
    return answer.body == b"" and post.items() >= changes(answer.drawn).items()


def _json(answer: _Answer, file: _File) -> bool:
    return answer.rows == file.posts("ORDER BY id")


def _csv(answer: _Answer, file: _File) -> bool:
    head, *lines = csv.reader(io.StringIO(answer.body.decode(), newline=""))
    rows = file.posts("ORDER BY id")
    return (
        tuple(head) == POST
        and len(lines) == len(rows)
        and all(all(map(_says, line, row.values())) for line, row in zip(lines, rows, strict=True))
    )


def _says(cell: str, value: str | float | None) -> bool:
    """Tell whether a cell says a value; 3.0 may be written as 3."""
    return cell == "" if value is None else type(value)(cell) == value


RIGHT: Mapping[str, Callable[[_Answer, _File], bool]] = {
    "point": _point,
    "list20": _list,
    "filter100": _filter,
    "embed": _embed,
    "count": _count,
    "search": _search,
    "point256": _point,
    "insert": _insert,
    "insert_rep": _insert_returning,
    "update": _update,
    "bulk1000": _insert,
    "insert@1": _insert,
    "insert@256": _insert,
    "export_json": _json,
    "export_csv": _csv,
    "slow_beside": _point,
}
