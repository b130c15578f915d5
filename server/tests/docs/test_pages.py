"""What every page keeps to: its links lead somewhere, its commands exist, and it names nobody's machine."""

import re
from pathlib import Path

import apsw
import pytest
import typer.main

from tests.docs.conftest import is_policies, page_database
from tests.docs.pages import ROOT, Page, all_pages, page
from wherry.cli import app
from wherry.config import SETTINGS
from wherry.policies import load_policies
from wherry.schema.reader import interpret
from wherry.sqlite.catalogue import read_catalogue
from wherry.sqlite.expressions import ExpressionReader

PAGES = all_pages()
WITH_POLICIES = [
    (shown, block)
    for shown in PAGES
    for block in shown.blocks
    if block.language == "sql" and is_policies(block.text) and shown.name != "docs/reference/policies.md"
]

_TEXT = re.compile(r"""f?(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")
_START_ERROR = re.compile(r"""StartError\(\s*((?:f?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*)+)""")
_ELSEWHERE = re.compile(r"[a-z]+:")
#: Package registries and folders of one machine. Examples use /srv and /etc.
_NOBODYS = re.compile(r"registry\.|/tmp/|/root/|/home/\w")


@pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)
def test_links_lead_somewhere(shown: Page) -> None:
    broken = []
    for link in shown.links:
        if _ELSEWHERE.match(link):
            continue
        path, _, anchor = link.partition("#")
        target = (shown.path.parent / path).resolve() if path else shown.path
        anchors = Page(target, target.read_text(encoding="utf-8")).anchors if target.exists() and anchor else set()
        if not target.exists() or (anchor and anchor not in anchors):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)
def test_a_page_names_no_registry_and_no_machine(shown: Page) -> None:
    assert _NOBODYS.findall(shown.text) == []


@pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)
def test_a_page_has_one_title(shown: Page) -> None:
    assert len(re.findall(r"^# ", shown.prose, re.MULTILINE)) == 1


def test_commands_and_settings_that_pages_name_exist() -> None:
    text = "\n".join(shown.text for shown in PAGES)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)) <= targets
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # it is a group
    assert set(re.findall(r"(?:^|`)wherry ([a-z]+)", text, re.MULTILINE)) <= commands
    named = set(re.findall(r"\b(?:WHERRY|JWT|JWKS)_[A-Z_]+\b", text))
    assert named <= {setting.name for setting in SETTINGS}


def test_every_sentence_that_ends_a_start_is_explained() -> None:
    explained = " ".join(page("docs/how-to/troubleshoot.md").text.split())
    sentences = [
        "".join(double or single for double, single in _TEXT.findall(found))
        for path in (ROOT / "server" / "wherry").rglob("*.py")
        for found in _START_ERROR.findall(path.read_text(encoding="utf-8"))
    ]
    constant = [max(re.split(r"\{[^}]*\}", sentence), key=len).strip(" .:'") for sentence in sentences]
    assert len(constant) > 40
    assert [part for part in constant if part not in explained and part != "the server is starting"] == []


def test_every_page_is_in_the_contents() -> None:
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    told = set(re.findall(r"[\w/-]+\.md", contents))
    assert told == {shown.path.relative_to(ROOT / "docs").as_posix() for shown in PAGES if "docs/" in shown.name}


def test_the_index_leads_to_every_page() -> None:
    index = page("docs/index.md")
    reached = {(index.path.parent / link.partition("#")[0]).resolve() for link in index.links}
    assert {shown.path for shown in PAGES if "docs/" in shown.name} - reached == {index.path}


@pytest.mark.parametrize(
    ("shown", "sql"),
    [(shown, block.text) for shown, block in WITH_POLICIES],
    ids=[f"{shown.name}:{block.line}" for shown, block in WITH_POLICIES],
)
def test_policies_on_a_page_can_be_loaded(shown: Page, sql: str, library: Path, tmp_path: Path) -> None:
    path = page_database(shown, library, tmp_path)
    connection = apsw.Connection(str(path))
    schema = interpret(read_catalogue(connection))
    connection.close()
    reader = ExpressionReader(path)
    assert load_policies(sql, schema, reader.check, version="1").warnings == ()
    reader.close()
