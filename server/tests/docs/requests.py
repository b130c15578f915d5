"""The requests that tables of the documentation show, and what they say of the answers."""

import json
from dataclasses import dataclass
from typing import Any

from tests.docs.pages import Page, spans_of

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Example:
    """A row with a request: `GET films?select=title` `Prefer: count=exact` `as anon` `{"body": 1}`."""

    page: str
    feature: str
    state: str  #: supported, differs or missing; empty in tables without that column
    method: str
    target: str
    role: str
    headers: tuple[tuple[str, str], ...]
    body: str | None
    status: int
    code: str | None
    answers: tuple[str, ...]  #: a body, or headers of the response

    @property
    def reads(self) -> bool:
        """Whether the request changes nothing."""
        return self.method in ("GET", "HEAD", "OPTIONS")

    def __str__(self) -> str:
        return f"{self.page}: {self.method} {self.target}"


def examples_of(page: Page) -> list[Example]:
    """Return the examples of a page's tables."""
    return [
        _example(page, row)
        for table in page.tables()
        for row in table
        if "Example" in row and "Answer" in row and row["Example"]
    ]


def _example(page: Page, row: dict[str, str]) -> Example:
    request, *others = spans_of(row["Example"])
    method, target = request.split(" ", 1)
    assert method in METHODS, request
    headers, body, role = [], None, "service_role"
    for span in others:
        if span.startswith("as "):
            role = span.removeprefix("as ")
        elif (header := header_of(span)) is not None:
            headers.append(header)
        else:
            body = span
    status, *code = row["Answer"].partition("`")[0].split()
    feature = row.get("Feature") or row.get("Code") or row.get("Declared") or request
    return Example(
        page.name,
        feature,
        row.get("Status", "") if not row.get("Status", "").isdigit() else "",
        method,
        target,
        role,
        tuple(headers),
        body.replace("\\n", "\n") if body is not None and not body.startswith(("{", "[")) else body,
        int(status),
        code[0] if code else None,
        tuple(spans_of(row["Answer"])),
    )


def header_of(span: str) -> tuple[str, str] | None:
    """Return the header that a span shows, None for a body."""
    name, colon, value = span.partition(": ")
    if colon and name.replace("-", "").isalpha():
        return name, value
    return None


def body_of(span: str) -> Any:
    """Return the body that a span shows: JSON, or text with `\\n` for a line's end."""
    try:
        return json.loads(span)
    except ValueError:
        return span.replace("\\n", "\n")
