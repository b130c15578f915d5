"""Every request that a table of the documentation shows is answered as the table says."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.docs.pages import Page, all_pages, page
from tests.docs.requests import Example, body_of, examples_of, header_of

EXAMPLES = [(shown, example) for shown in all_pages() for example in examples_of(shown)]
DIALECT = page("docs/reference/dialect.md")


def body(response: httpx.Response) -> Any:
    """Return the body of a response: decoded where it is JSON."""
    return response.json() if "json" in response.headers.get("content-type", "") else response.text


@pytest.mark.parametrize(("shown", "example"), EXAMPLES, ids=[str(example) for _, example in EXAMPLES])
def test_an_example_is_answered_as_the_table_says(
    shown: Page, example: Example, ask: Callable[[Page, Example], httpx.Response]
) -> None:
    response = ask(shown, example)

    code = body(response).get("code") if response.status_code >= 300 and response.content else None
    assert (response.status_code, code) == (example.status, example.code), response.text
    for answer in example.answers:
        header = header_of(answer)
        if header is None:
            assert body(response) == body_of(answer)
        else:
            assert response.headers[header[0]] == header[1]


def test_what_is_supported_has_an_example() -> None:
    rows = [row for table in DIALECT.tables() for row in table if "Status" in row]
    assert [row for row in rows if row["Status"] not in ("supported", "differs", "missing")] == []
    assert [row["Feature"] for row in rows if row["Status"] == "supported" and not row["Example"]] == []
    assert len(rows) > 100


def test_what_is_missing_is_refused() -> None:
    examples = [example for example in examples_of(DIALECT) if example.state == "missing"]
    assert [str(example) for example in examples if example.status < 400] == []
    assert len(examples) > 10
