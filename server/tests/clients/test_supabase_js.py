"""supabase-js against a real server: each file of the folder `js` is a suite of Node's own test runner."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import ALICE, BOB, Library

HERE = Path(__file__).parent
SUITES = sorted((HERE / "js").glob("*.test.js"))
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="Node.js is not installed: install it (20 or later) and run `make setup`"),
    pytest.mark.skipif(
        not (HERE / "node_modules" / "@supabase" / "supabase-js").is_dir(),
        reason="supabase-js is not installed: run `make setup`",
    ),
]


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name.removesuffix(".test.js"))
def test_supabase_js_gets_what_it_asks_for(suite: Path, library: Library) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "WHERRY_URL": library.url,
        "WHERRY_KEYS": json.dumps(library.keys),
        "ALICE": ALICE,
        "BOB": BOB,
    }
    command = [NODE or "node", "--test", "--test-reporter=spec", str(suite)]
    ran = subprocess.run(command, env=environment, cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
