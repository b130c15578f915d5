"""What the examples of the documentation are tried on: the demonstration library, or a page's own database."""

import asyncio
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import httpx
import pytest

from tests.docs.pages import Page
from tests.docs.requests import Example
from wherry.app import Wherry
from wherry.auth.tokens import sign
from wherry.config import LogLevel, Settings
from wherry.demo import build

SECRET = "a secret for the documentation of thirty-two bytes or more"
#: Who is signed in where an example says `as reader`: somebody with a list in the demonstration.
READER = "9fa2f5fc-d815-45b4-9fc4-9e1b53b79f0a"

_POLICIES = re.compile(r"^\s*(GRANT|REVOKE|CREATE ROLE|CREATE POLICY|ALTER TABLE \w+ ENABLE)", re.MULTILINE)

Ask = Callable[[Example], httpx.Response]
Serve = Callable[[Page], Ask]


def is_policies(sql: str) -> bool:
    """Tell whether a block of SQL is for policies.sql."""
    return _POLICIES.search(sql) is not None


def own_sql(page: Page) -> str:
    """Return the SQL that makes a page's own database, empty where it uses the demonstration."""
    return "\n".join(
        block.text for block in page.blocks if block.language == "sql" and not is_policies(block.text)
    )  # fmt: skip


def token(role: str) -> str:
    """Sign the token of somebody whom an example names."""
    return sign({"role": "authenticated", "sub": READER} if role == "reader" else {"role": role}, SECRET)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the demonstration library; copies of it are served."""
    folder = tmp_path_factory.mktemp("demonstration")
    build(folder / "films.db")
    return folder


@pytest.fixture
def make_database(library: Path) -> Callable[[Page, Path], Path]:
    """Make the database of a page in a folder, with its policies."""
    return lambda page, folder: page_database(page, library, folder)


def page_database(page: Page, library: Path, folder: Path) -> Path:
    """Make the database of a page, with its policies if it is the demonstration."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "films.db"
    if own := own_sql(page):
        connection = apsw.Connection(str(path))
        connection.execute(own)
        connection.close()
    else:
        shutil.copy(library / "films.db", path)
        shutil.copy(library / "policies.sql", folder)
    return path


@pytest.fixture(scope="module")
def ask(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Page, Example], httpx.Response]]:
    """Make the request of an example: reads of a page are served by one application, each write by a new one."""
    served: dict[str, _Served] = {}

    def ask_example(page: Page, example: Example) -> httpx.Response:
        if not example.reads:
            with _serve(page_database(page, library, tmp_path_factory.mktemp("written"))) as fresh:
                return fresh(example)
        if page.name not in served:
            served[page.name] = _Served(page_database(page, library, tmp_path_factory.mktemp("read")))
        return served[page.name](example)

    yield ask_example
    for application in served.values():
        application.close()


@contextmanager
def _serve(database: Path) -> Iterator["_Served"]:
    served = _Served(database)
    try:
        yield served
    finally:
        served.close()


class _Served:
    """The application on a database, in this process."""

    def __init__(self, database: Path) -> None:
        self._runner = asyncio.Runner()
        self._application = Wherry(
            Settings(
                database=database,
                policies=database.with_name("policies.sql"),
                sidecar=database.with_suffix(".wherry"),
                jwt_secret=SECRET,
                log_level=LogLevel.SILENT,
                studio=None,
            )
        )
        self._runner.run(self._application.start())
        transport = httpx.ASGITransport(self._application)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4000")

    def __call__(self, example: Example) -> httpx.Response:
        headers = dict(example.headers)
        if example.role != "anon" and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {token(example.role)}"
        target = example.target if example.target.startswith("/") else f"/api/rest/v1/{example.target}"
        return self._runner.run(
            self._client.request(example.method, target, headers=headers, content=example.body)
        )  # fmt: skip

    def close(self) -> None:
        """End it."""
        self._runner.run(self._client.aclose())
        self._runner.run(self._application.stop("the test has ended"))
        self._runner.close()
