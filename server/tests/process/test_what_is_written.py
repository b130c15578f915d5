"""With a root file system that is read-only, as in the container stack: what the server writes, and where."""

import os
from pathlib import Path

import httpx
import pytest

from tests.process.conftest import Serve
from tests.process.served import Served
from tests.process.test_command import wherry
from wherry.admin import Links

#: Notes each path that Python opens for writing or makes; SQLite's own files lie beside the database.
WATCH = """
import os, sys
notes = os.open(os.environ["NOTES"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def watch(event, arguments):
    if event == "open":
        path, _, flags = arguments
        if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
    elif event in ("os.mkdir", "os.rename", "os.link", "os.symlink", "os.chmod"):
        path = arguments[0]
    else:
        return
    if isinstance(path, (str, bytes)) and os.fsdecode(path) != os.devnull:
        os.write(notes, os.fsencode(os.path.abspath(path)) + b"\\n")
sys.addaudithook(watch)
"""


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of processes that note what they write; without HOME, as for a user who has no entry."""
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH)
    (tmp_path / "tmp").mkdir()
    monkeypatch.delenv("HOME", raising=False)
    return {
        "PYTHONPATH": f"{tmp_path / 'watch'}:{os.environ.get('PYTHONPATH', '')}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "NOTES": str(tmp_path / "notes"),
        "TMPDIR": str(tmp_path / "tmp"),
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_is_written_but_beside_the_database_and_to_the_temporary_folder(
    serve: Serve, tmp_path: Path, watched: dict[str, str], workers: int
) -> None:
    path = tmp_path / "data" / "dev.db"
    path.parent.mkdir()
    served = serve(path, workers=workers, WHERRY_CREATE="on", WHERRY_ENV="production", HOST="127.0.0.1", **watched)
    assert wherry("link", path, **watched)[0] == 0
    use(served)
    assert served.end() == 0

    notes = {Path(line) for line in (tmp_path / "notes").read_text().splitlines()}
    sidecar, temporary = path.with_suffix(".wherry"), Path(watched["TMPDIR"])
    assert {note for note in notes if not note.is_relative_to(temporary)} >= {path, sidecar / "links"}
    elsewhere = {note for note in notes if not (note == path or note.is_relative_to(sidecar))}
    assert {note for note in elsewhere if not note.is_relative_to(temporary)} == set()
    assert (workers == 1) == (elsewhere == set())
    assert list(temporary.iterdir()) == []


def use(served: Served) -> None:
    """Ask every room."""
    code = Links(served.database.with_suffix(".wherry")).make()
    with served.client() as api, httpx.Client(base_url=served.url, trust_env=False) as browser:
        assert api.get("").status_code == 200
        assert api.post("nothing", json={}).status_code == 404
        assert browser.post("/api/admin/v1/sign-in", json={"code": code}).status_code == 200
        for operation in ("/healthz", "/readyz", "/metrics"):
            assert browser.get(operation).status_code == 200
