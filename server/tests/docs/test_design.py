"""The design of the containers: each of its sentences is held by tests that exist."""

import re

from tests.docs.pages import ROOT, page, spans_of

ARCHITECTURE = page("docs/explanation/architecture.md")


def test_the_tests_that_hold_the_design_exist() -> None:
    [rows] = [table for table in ARCHITECTURE.tables() if table and "The design says" in table[0]]
    named = {row["The design says"]: spans_of(row["Held by"]) for row in rows}
    missing = [
        test
        for tests in named.values()
        for test in tests
        for file, _, function in [test.partition("::")]
        if not (ROOT / file).exists()
        or re.search(rf"^(?:async )?def {function}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE) is None
    ]
    assert missing == []
    assert [sentence for sentence, tests in named.items() if not tests] == []
    assert len(named) > 20
