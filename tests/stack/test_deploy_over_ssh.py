"""ops/deploy-over-ssh, with a real ssh client and server: what the host gets, and that no other host gets anything."""

import asyncio
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import pytest
from engine import ROOT
from stack import eventually

IMAGES = {
    "SERVER_IMAGE": f"ghcr.io/example/wherry-server@sha256:{'1' * 64}",
    "WEB_IMAGE": f"ghcr.io/example/wherry-web@sha256:{'2' * 64}",
}
#: In the place of Compose on the host: notes what it is given, and ends as if nothing could be pulled.
COMPOSE = """#!/bin/sh
printf '%s\\n' "$*" "$PWD" "$SERVER_IMAGE" "$WEB_IMAGE" "$JWT_SECRET" "$LITESTREAM_SECRET_ACCESS_KEY" >"$NOTES"
exit 1
"""

pytestmark = pytest.mark.skipif(
    shutil.which("ssh") is None, reason="there is no ssh here: make system-deps installs it on Debian"
)


@dataclass
class Host:
    """A host that lets one key in, and runs what it is told by a shell, as sshd does."""

    folder: Path
    key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    allowed: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    commands: list[str] = field(default_factory=list)
    port: int = 0
    end: Callable[[], object] = lambda: None

    @property
    def notes(self) -> Path:
        """Where its Compose writes what it was called with."""
        return self.folder / "notes"

    async def run(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """Run one command, with the streams of the client."""
        assert process.command is not None
        self.commands.append(process.command)
        started = await asyncio.create_subprocess_shell(
            process.command,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "COMPOSE": str(self.folder / "compose"), "NOTES": str(self.notes)},
        )  # fmt: skip
        await process.redirect(stdin=started.stdin, stdout=started.stdout, stderr=started.stderr)
        process.exit(await started.wait())
        await process.wait_closed()

    async def serve(self) -> None:
        """Serve on a free port of 127.0.0.1 until it is told to end."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self.end = lambda: loop.call_soon_threadsafe(ended.set)
        authorized = asyncssh.import_authorized_keys(self.allowed.export_public_key().decode())
        async with asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[self.key], authorized_client_keys=authorized,
            process_factory=self.run, encoding=None,
        ) as server:  # fmt: skip
            self.port = server.get_port()
            await ended.wait()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A host that listens."""
    made = Host(tmp_path)
    (tmp_path / "compose").write_text(COMPOSE, encoding="utf-8")
    (tmp_path / "compose").chmod(0o755)
    thread = threading.Thread(target=lambda: asyncio.run(made.serve()))
    thread.start()
    try:
        eventually(lambda: made.port)
        yield made
    finally:
        made.end()
        thread.join()


def deploy(host: Host, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the script as the workflow does."""
    images = host.folder / "images.env"
    if not images.exists():
        images.write_text("".join(f"{name}={image}\n" for name, image in IMAGES.items()), encoding="utf-8")
    environment = {
        "DEPLOY_HOST": "127.0.0.1",
        "DEPLOY_PORT": str(host.port),
        "DEPLOY_PATH": str(host.folder / "srv"),
        "DEPLOY_KNOWN_HOSTS": f"[127.0.0.1]:{host.port} {host.key.export_public_key().decode().strip()}",
        "DEPLOY_KEY": host.allowed.export_private_key().decode(),
        "JWT_SECRET": "sign-43 with 'quotes' $too",
        "LITESTREAM_SECRET_ACCESS_KEY": "open-71",
        "TMPDIR": str(host.folder),
    }
    return subprocess.run(
        [ROOT / "ops" / "deploy-over-ssh", *(words or ("1.2.3", str(images)))],
        env={**os.environ, **environment, **variables},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_host_gets_the_release_and_the_secrets_and_says_how_it_went(host: Host) -> None:
    done = deploy(host)

    folder = host.folder / "srv" / "1.2.3"
    assert host.notes.read_text("utf-8").splitlines() == [
        "pull --quiet server web",
        str(folder),
        *IMAGES.values(),
        "sign-43 with 'quotes' $too",
        "open-71",
    ]
    assert done.returncode == 1, "which is what ops/deploy ends with there, as its Compose pulled nothing"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {
        "docker-compose.yml", "docker-compose.tls.yml", "deploy.log",
        "ops/deploy", "ops/deploy-over-ssh", "ops/pin-images", "ops/roll",
    }  # fmt: skip


def test_no_command_and_no_file_shows_a_secret_and_the_key_is_gone(host: Host) -> None:
    done = deploy(host)

    said = "".join(host.commands) + done.stdout + done.stderr
    assert [secret for secret in ("sign-43", "open-71", "PRIVATE KEY") if secret in said] == []
    host.notes.unlink()
    kept = [path for path in host.folder.rglob("*") if path.is_file() and path.name != "compose"]
    assert [path for path in kept if b"sign-43" in path.read_bytes() or b"PRIVATE KEY" in path.read_bytes()] == []


def test_a_host_with_another_key_is_told_nothing(host: Host) -> None:
    another = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    done = deploy(host, DEPLOY_KNOWN_HOSTS=f"[127.0.0.1]:{host.port} {another}")

    assert done.returncode != 0
    assert "Host key verification failed" in done.stderr
    assert host.commands == []


def test_a_key_that_the_host_does_not_know_gets_in_nowhere(host: Host) -> None:
    done = deploy(host, DEPLOY_KEY=asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode())

    assert done.returncode != 0
    assert "Permission denied" in done.stderr
    assert host.commands == []


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        (("1.2.3",), {}, "write the version and the file with the images: ops/deploy-over-ssh 1.2.3 images.env"),
        (("1.2.3; id", "images.env"), {}, "'1.2.3; id' is no version: write 1.2.3."),
        ((), {"DEPLOY_HOST": ""}, "DEPLOY_HOST is empty: docs/how-to/release-and-deploy.md says what it is."),
        ((), {"DEPLOY_HOST": "-oProxyCommand=id"}, "DEPLOY_HOST is '-oProxyCommand=id': write a name or an address."),
        ((), {"DEPLOY_PORT": "ssh"}, "DEPLOY_PORT is 'ssh': write a number."),
        ((), {"DEPLOY_USER": "a b"}, "DEPLOY_USER is 'a b': write the name of a user."),
        (
            (),
            {"DEPLOY_PATH": "/a'b"},
            "DEPLOY_PATH is '/a'b': write an absolute path of letters, digits, dots, - and _.",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(
    host: Host, words: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    done = deploy(host, *words, **variables)

    assert (done.returncode, done.stderr, host.commands) == (2, f"deploy-over-ssh: {said}\n", [])


def test_an_image_without_a_digest_is_refused(host: Host) -> None:
    images = host.folder / "images.env"
    images.write_text(
        f"SERVER_IMAGE={IMAGES['SERVER_IMAGE']}\nWEB_IMAGE=ghcr.io/example/wherry-web:1\n", encoding="utf-8"
    )
    done = deploy(host)

    assert done.stderr == f"deploy-over-ssh: {images} gives WEB_IMAGE no image with a digest.\n"
    assert (done.returncode, host.commands) == (2, [])
