"""nginx' configuration, rendered for each way to run it: nginx takes it, and a linter finds nothing of weight."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from stack import Stack
from test_tls import make_certificate

WAYS = {
    "as it comes": {},
    "without a limit": {"RATE_LIMIT": "off"},
    "behind proxies": {"TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7 fd00::/8"},
    "another server": {"API_UPSTREAM": "api.example.org:80", "WHERRY_MAX_BODY": "1"},
    "with TLS": {"TLS_CERT_FILE": "/tls/tls.crt", "TLS_KEY_FILE": "/tls/tls.key", "TLS_PORT": "443"},
}


@pytest.fixture(params=WAYS)
def rendered(request: pytest.FixtureRequest, stack: Stack, tmp_path: Path) -> str:
    """Return all of the configuration, which nginx has found to be sound."""
    make_certificate(tmp_path)
    tmp_path.chmod(0o755)
    given = [word for name, value in WAYS[request.param].items() for word in ("--env", f"{name}={value}")]
    words = ("--rm", "--read-only", "--tmpfs", "/run/nginx:uid=10002", "--tmpfs", "/tmp:uid=10002", *given)
    return stack.engine.docker(
        "run", *words, "--volume", f"{tmp_path}:/tls:ro", stack.variables["WEB_IMAGE"], "nginx", "-e", "stderr", "-T"
    )  # fmt: skip


def test_nginx_takes_it_and_the_linter_finds_nothing_of_weight(rendered: str, tmp_path: Path) -> None:
    dump = tmp_path / "nginx.conf"
    dump.write_text(rendered.partition("\n")[2], encoding="utf-8")
    looked = subprocess.run(
        [Path(sys.executable).with_name("gixy"), "-lll", dump],
        capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip

    assert re.search(r"(?i)severity: high", looked.stdout + looked.stderr) is None, looked.stdout
    assert looked.returncode == 0, looked.stdout + looked.stderr
