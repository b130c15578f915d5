"""The images: what is in them, what is not, and how long a change takes."""

import io
import json
import re
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import CANARY, build
from engine import ROOT, Engine, run
from stack import Stack

NAMES = ("SERVER_IMAGE", "WEB_IMAGE")


def inside(engine: Engine, image: str, script: str) -> list[str]:
    """Run a shell as root in an image, without a network, and return the lines that it prints."""
    return engine.docker(
        "run", "--rm", "--network", "none", "--user", "0", "--entrypoint", "sh", image, "-c", script
    ).split("\n")[:-1]  # fmt: skip


def layers(engine: Engine, image: str) -> Iterator[tarfile.TarFile]:
    """Return the layers of an image as `docker save` has them, one after the other, with what later ones removed."""
    with subprocess.Popen([engine.client, "save", image], stdout=subprocess.PIPE) as saving:
        with tarfile.open(fileobj=saving.stdout, mode="r|") as saved:
            for member in saved:
                content = saved.extractfile(member)
                if content is not None and (member.name.endswith("layer.tar") or member.name.startswith("blobs/")):
                    held = io.BytesIO(content.read())
                    if tarfile.is_tarfile(held):
                        held.seek(0)
                        yield tarfile.open(fileobj=held)  # noqa: SIM115 - held in memory
        assert saving.wait() == 0


def test_each_runs_as_a_numeric_user_that_is_not_root(engine: Engine, images: dict[str, str]) -> None:
    users = {name: engine.inspect(images[name])["Config"]["User"] for name in NAMES}
    assert users == {"SERVER_IMAGE": "10001:10001", "WEB_IMAGE": "10002:10002"}


def test_nothing_in_them_runs_as_somebody_else(engine: Engine, images: dict[str, str]) -> None:
    for name in NAMES:
        assert inside(engine, images[name], "find / -xdev -type f -perm /6000") == []


def test_they_have_no_installer_no_compiler_and_nothing_of_development(engine: Engine, images: dict[str, str]) -> None:
    unwanted = "pip pip3 cc gcc g++ make node npm npx uv pytest ruff mypy curl wget git"
    for name in NAMES:
        assert inside(engine, images[name], f"for name in {unwanted}; do command -v $name; done; true") == []
    modules = "pip ensurepip pytest hypothesis mypy uv hatchling"
    look = f"import importlib.util as u; print([m for m in {modules.split()} if u.find_spec(m)])"
    assert inside(engine, images["SERVER_IMAGE"], f'python -c "{look}"') == ["[]"]


def test_the_packages_are_those_of_the_lock_and_no_others(engine: Engine, images: dict[str, str]) -> None:
    look = (
        "import importlib.metadata as m; found = m.distributions(path=['/app/.venv/lib/python3.13/site-packages']); "
        "print(' '.join(d.name.lower() + '==' + d.version for d in found))"
    )
    [installed] = inside(engine, images["SERVER_IMAGE"], f'python -c "{look}"')
    lock = (ROOT / "server" / "requirements.txt").read_text(encoding="utf-8")
    pinned = [line.split(" ") for line in lock.splitlines() if re.match(r"[a-z]", line)]
    wanted = {words[0] for words in pinned if "sys_platform == 'win32'" not in " ".join(words)}
    assert {name.replace("_", "-") for name in installed.split()} == wanted


def test_sqlite_is_one_without_the_bug_that_two_writers_meet(engine: Engine, images: dict[str, str]) -> None:
    [version] = inside(engine, images["SERVER_IMAGE"], 'python -c "import apsw; print(apsw.sqlite_lib_version())"')
    assert tuple(map(int, version.split("."))) >= (3, 51, 3)


def test_an_older_sqlite_is_refused(engine: Engine, images: dict[str, str]) -> None:
    ask = "from wherry.sqlite.connection import require_sqlite; require_sqlite('3.51.2')"
    refused = inside(engine, images["SERVER_IMAGE"], f'python -c "{ask}" 2>&1 | tail -n 1')
    assert refused[0].endswith(
        "SQLite 3.51.2 can corrupt a database that several processes write; install apsw 3.51.3 or newer."
    )


def test_bytecode_is_there_so_that_a_start_compiles_nothing(engine: Engine, images: dict[str, str]) -> None:
    script = (
        "find /app -name '*.py' -path '*wherry*' | wc -l; find /app -name '*.cpython-313.pyc' -path '*wherry*' | wc -l"
    )
    sources, compiled = inside(engine, images["SERVER_IMAGE"], script)
    assert sources == compiled


def test_no_layer_holds_a_secret_or_what_was_not_asked_for(
    engine: Engine, images: dict[str, str], stack: Stack
) -> None:
    """Neither what lay beside the sources, nor what a running stack was given, nor tests, nor packages of npm."""
    searched = 0
    for name in NAMES:
        for layer in layers(engine, images[name]):
            for member in layer:
                path = f"/{member.name.removeprefix('./')}"
                assert not re.search(r"/\.env|/node_modules/|/app/wherry/.*test_|/secret\.txt$|/e2e/", path), path
                content = layer.extractfile(member) if member.isfile() else None
                text = content.read() if content is not None else b""
                assert CANARY.encode() not in text, path
                assert stack.secret.encode() not in text, path
                searched += 1
        described = json.dumps(engine.inspect(images[name])) + engine.docker("history", "--no-trunc", images[name])
        assert CANARY not in described
        assert stack.secret not in described
    assert searched > 5000


def test_labels_say_what_it_is(engine: Engine, images: dict[str, str], contexts: Path) -> None:
    tag = f"{images['SERVER_IMAGE']}-labelled"
    build(engine, contexts / "server", tag, "--build-arg", "VERSION=1.2.3", "--build-arg", "REVISION=abc")
    labels = engine.inspect(tag)["Config"]["Labels"]
    engine.docker("rmi", tag)

    named = {name.removeprefix("org.opencontainers.image."): value for name, value in labels.items()}
    assert (named["title"], named["version"], named["revision"], named["licenses"]) == (
        "wherry-server",
        "1.2.3",
        "abc",
        "MIT",
    )


def test_the_images_are_small(engine: Engine, images: dict[str, str], measured: dict[str, Any]) -> None:
    for name, most in (("SERVER_IMAGE", 260), ("WEB_IMAGE", 130)):
        size = engine.inspect(images[name])["Size"] / 1e6
        saved = subprocess.run(
            f"{engine.client} save {images[name]} | gzip -1 | wc -c",
            shell=True,
            capture_output=True,
            text=True,
            check=True,
        )
        measured[f"{name}, MB, and compressed"] = [round(size, 1), round(int(saved.stdout) / 1e6, 1)]
        assert size < most


def test_a_change_of_the_servers_sources_installs_nothing_again(
    engine: Engine, images: dict[str, str], contexts: Path, measured: dict[str, Any]
) -> None:
    source = contexts / "server" / "wherry" / "__init__.py"
    before = source.read_text(encoding="utf-8")
    tag = f"{images['SERVER_IMAGE']}-changed"
    try:
        source.write_text(f"{before}\n#: Changed at {time.time_ns()}.\nCHANGED = True\n", encoding="utf-8")
        started = time.monotonic()
        build(engine, contexts / "server", tag)
        measured["rebuild after a change of the server, seconds"] = round(time.monotonic() - started, 1)
        layers_of = [engine.inspect(image)["RootFS"]["Layers"] for image in (images["SERVER_IMAGE"], tag)]
        engine.docker("rmi", tag)
    finally:
        source.write_text(before, encoding="utf-8")

    assert layers_of[0][:-1] == layers_of[1][:-1], "all but the last layer, the program, is what it was"
    assert layers_of[0][-1] != layers_of[1][-1]


def test_the_export_is_built_without_a_network(engine: Engine, images: dict[str, str], contexts: Path) -> None:
    tag = f"{images['WEB_IMAGE']}-builder"
    build(engine, contexts / "client", tag, "--target", "builder")
    try:
        engine.docker(
            "run",
            "--rm",
            "--network",
            "none",
            tag,
            "sh",
            "-c",
            "rm -rf out .next csp-map.conf && npm run build && test -s csp-map.conf && test -s out/index.html.br",
        )
    finally:
        engine.docker("rmi", "--force", tag)


def test_a_change_of_nginx_builds_no_pages_again(
    engine: Engine, images: dict[str, str], contexts: Path, measured: dict[str, Any]
) -> None:
    source = contexts / "client" / "nginx" / "nginx.conf"
    before = source.read_text(encoding="utf-8")
    tag = f"{images['WEB_IMAGE']}-changed"
    try:
        source.write_text(f"{before}\n# Changed at {time.time_ns()}.\n", encoding="utf-8")
        started = time.monotonic()
        build(engine, contexts / "client", tag)
        seconds = time.monotonic() - started
        engine.docker("rmi", tag)
    finally:
        source.write_text(before, encoding="utf-8")

    measured["rebuild after a change of nginx' configuration, seconds"] = round(seconds, 1)
    assert seconds < 6, "pages take longer"


def test_the_client_is_built_of_all_its_sources() -> None:
    """A folder that is new in the client is named in its Dockerfile, or here."""
    tracked = {path.split("/")[1] for path in run("git", "ls-files", "client").split()}
    copied = set(re.findall(r"^COPY (\w+) \1$", (ROOT / "client" / "Dockerfile").read_text("utf-8"), re.MULTILINE))
    folders = {name for name in tracked if (ROOT / "client" / name).is_dir()}
    assert folders - copied == {"nginx"} | (folders & {"e2e"})


def test_each_base_is_an_argument_with_its_tag_and_has_a_line_in_the_lock_of_images() -> None:
    bases: dict[str, str] = {}
    for path in (ROOT / "server" / "Dockerfile", ROOT / "client" / "Dockerfile"):
        text = path.read_text(encoding="utf-8")
        bases |= dict(re.findall(r"^ARG ([A-Z_]+_IMAGE)=(\S+)$", text, re.MULTILINE))
        used = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
        stages = re.findall(r"^FROM \S+ AS (\S+)$", text, re.MULTILINE)
        assert [base for base in used if base not in (*stages, "scratch") and not base.startswith("${")] == []
    locked = dict(
        re.findall(r"^([A-Z_]+)=([^@\s]+)", (ROOT / "images.lock").read_text(encoding="utf-8"), re.MULTILINE)
    )  # fmt: skip
    assert bases.items() <= locked.items()


def test_a_lock_of_images_without_digests_is_refused_by_a_release(tmp_path: Path) -> None:
    lock = tmp_path / "images.lock"
    lock.write_text(f"# a comment\nPYTHON_IMAGE=python:3.13-slim-trixie@sha256:{'0' * 64}\n")
    assert run(ROOT / "ops" / "pin-images", "--check", environment={"LOCK": str(lock)}) == ""

    lock.write_text(f"{lock.read_text()}NODE_IMAGE=node:24-trixie-slim\n")
    with pytest.raises(AssertionError) as caught:
        run(ROOT / "ops" / "pin-images", "--check", environment={"LOCK": str(lock)})
    assert "NODE_IMAGE=node:24-trixie-slim\npin-images: the lines above have no digest" in str(caught.value)
