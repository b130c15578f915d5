"""The blocks of code in the documentation run, in the order of their page, and print what the page says."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.docs.conftest import page_database
from tests.docs.pages import ROOT, Block, Page, all_pages

MODULES = ROOT / "server" / "tests" / "clients" / "node_modules"
RUNNABLE = ("sh", "js", "python")
PAGES = [shown for shown in all_pages() if any(block.language in RUNNABLE for block in shown.blocks)]

#: The block begins a server, which goes on running.
_SERVES = re.compile(r"^(wherry serve|[A-Z_]+=\S+ wherry serve)", re.MULTILINE)


class Shell:
    """A folder in which the blocks of one page run, with what they export and the server that they began."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self._folder = folder
        self._log = folder / "server.log"
        self._server: subprocess.Popen[bytes] | None = None
        self._environment = {
            "PATH": f"{Path(sys.executable).parent}:{folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(folder),
            "PORT": self.address.rpartition(":")[2],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }
        (folder / "exported").touch()
        # Node.js has a WebSocket of its own from 22 on, without which the client does not begin
        (folder / "websocket.mjs").write_text("import ws from 'ws'\nglobalThis.WebSocket ??= ws\n")
        if MODULES.is_dir():
            (folder / "node_modules").symlink_to(MODULES)
        if shutil.which("sqlite3") is None:
            _make_sqlite3(folder / "bin" / "sqlite3")

    def run(self, block: Block) -> str:
        """Run a block and return what it prints; a server is waited for until it is ready, or has new policies."""
        text = block.text.replace("127.0.0.1:4000", self.address)
        if block.language == "sh" and _SERVES.search(text):
            self.serve(text)
            return ""
        if block.language == "sh":
            loaded = self._policies_loaded()
            printed = self._shell(f"set -e\n{text}\nexport -p > exported")
            if self._server is not None and "> policies.sql" in text:
                self._wait_for(lambda: self._policies_loaded() > loaded)
            return printed
        name = f"block{block.line}.mjs" if block.language == "js" else f"block{block.line}.py"
        (self._folder / name).write_text(text, encoding="utf-8")
        return self._shell(f"exec {'node --import ./websocket.mjs' if block.language == 'js' else 'python3'} {name}")

    def _shell(self, text: str) -> str:
        done = subprocess.run(
            ["sh", "-c", f". ./exported\n{text}"],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def serve(self, text: str) -> None:
        """Begin a server in the place of the one that may run."""
        self.close()
        log = self._log.open("ab")
        self._server = subprocess.Popen(
            ["sh", "-c", f". ./exported\n{text}"],
            cwd=self._folder,
            env=self._environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self._wait_for(self._ready)

    def _wait_for(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not holds():
            assert self._server is None or self._server.poll() is None, self._log.read_text()
            assert time.monotonic() < end, self._log.read_text()
            time.sleep(0.05)

    def _policies_loaded(self) -> int:
        """Return how often the server has loaded policies.sql; it looks at it twice a second."""
        return self._log.read_text().count("policies loaded") if self._log.exists() else 0

    def _ready(self) -> bool:
        try:
            return httpx.get(f"http://{self.address}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def close(self) -> None:
        """End the server."""
        if self._server is not None:
            os.killpg(self._server.pid, signal.SIGTERM)
            self._server.wait(timeout=20)
            self._server = None


def _make_sqlite3(path: Path) -> None:
    """Make a stand-in for SQLite's own shell, which is not on every machine: it runs what stands on its input."""
    path.parent.mkdir()
    path.write_text(
        f"#!{sys.executable}\nimport sqlite3, sys\nconnection = sqlite3.connect(sys.argv[1])\n"
        "connection.executescript(sys.argv[2] if len(sys.argv) > 2 else sys.stdin.read())\nconnection.close()\n"
    )
    path.chmod(0o755)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell in a folder of its own."""
    shell = Shell(tmp_path)
    yield shell
    shell.close()


@pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)
def test_the_blocks_of_a_page_print_what_stands_behind_them(
    shown: Page, shell: Shell, library: Path, tmp_path: Path
) -> None:
    runnable = [block for block in shown.blocks if block.language in RUNNABLE]
    if any(block.language == "js" for block in runnable) and not (MODULES.is_dir() and shutil.which("node")):
        pytest.skip("the page uses JavaScript, and Node.js or its modules are not installed")
    if not any(_SERVES.search(block.text) for block in runnable):
        page_database(shown, library, tmp_path)
        shell.serve("exec wherry serve films.db")
    printed = ""
    for block in shown.blocks:
        if block.language in RUNNABLE:
            printed = shell.run(block)
        elif block.language in ("json", "text") and block.follows in RUNNABLE:
            expected = block.text.replace("127.0.0.1:4000", shell.address)
            if block.language == "json":
                assert json.loads(printed) == json.loads(expected), f"line {block.line}"
            else:
                assert printed.strip() == expected.strip(), f"line {block.line}"


def test_pages_are_run() -> None:
    names = {shown.name for shown in PAGES}
    assert {"README.md", "docs/tutorial/first-api.md", "docs/how-to/use-the-supabase-clients.md"} <= names
