"""Studio in a real browser, as nginx sends it: its scripts run, and nothing that its policy forbids is asked for."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from stack import Stack

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
#: Nothing that a browser does by itself, and no sandbox, which root does not get.
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--enable-logging=stderr",
    "--virtual-time-budget=10000",
)  # fmt: skip

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium here: make system-deps installs it on Debian"
)

Open = Callable[[str], tuple[str, list[str]]]


@pytest.fixture
def visit(tmp_path: Path) -> Open:
    """Open an address; return the page as it is after its scripts have run, and what the browser complains about."""

    def open_address(address: str) -> tuple[str, list[str]]:
        profile = tmp_path / str(len(list(tmp_path.iterdir())))
        done = subprocess.run(
            [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "--dump-dom", address],
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        said = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
        return done.stdout, [line for line in said if "Content Security Policy" in line or "error" in line.lower()]

    return open_address


def test_the_page_comes_to_life_within_its_policy(stack: Stack, visit: Open) -> None:
    """Who is not signed in is led to the form: only a script can do that, as the page itself is the same for all."""
    page, complaints = visit(f"{stack.url}/")

    assert "<form" in page
    assert complaints == []


def test_without_its_hashes_the_policy_stops_the_page(stack: Stack, visit: Open, tmp_path: Path) -> None:
    """That is, the browser would complain if a hash were wrong."""
    empty = tmp_path / "csp-map.conf"
    empty.write_text('map $uri $csp_inline { default ""; }\n')
    tmp_path.chmod(0o755)
    with stack.another_web("--volume", f"{empty}:/etc/nginx/wherry/csp-map.conf:ro") as web:
        page, complaints = visit(f"{web.url}/")

    assert "<form" not in page
    assert any("Content Security Policy" in line for line in complaints)


def test_a_one_time_link_signs_in_and_shows_the_tables(stack: Stack, visit: Open) -> None:
    """From the operator's command through nginx to the list that the API gives: all of the stack is in it."""
    [server, _] = stack.containers("server")
    link = stack.engine.docker("exec", server, "wherry", "link", "--url", stack.url).split()[-1]
    page, complaints = visit(link)

    assert all(f">{table}<" in page for table in ("films", "studios", "reviews")), page
    assert complaints == []
