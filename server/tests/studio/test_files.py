"""An export is read once, and what is none is said in one sentence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.studio.conftest import HASH, SCRIPT, make_export
from wherry.errors import StartError
from wherry.studio import files as reading
from wherry.studio import has_export, read_export
from wherry.studio.codings import BROTLI, GZIP, IDENTITY

SERVER = Path(__file__).parents[2]


def refusal(folder: Path) -> str:
    with pytest.raises(StartError) as caught:
        read_export(folder)
    return str(caught.value)


def test_every_file_but_dot_files_and_copies_is_there(export: Path) -> None:
    files = {file.path: file for file in read_export(export)}
    assert list(files) == [
        "/404.html",
        "/_next/static/chunks/app.js",
        "/favicon.ico",
        "/index.html",
        "/sign-in/index.html",
    ]
    app = files["/_next/static/chunks/app.js"]
    assert list(app.bodies) == [BROTLI, GZIP, IDENTITY]
    assert app.bodies[IDENTITY] == SCRIPT
    assert {path: file.script_hashes for path, file in files.items() if file.script_hashes} == {
        "/index.html": (HASH, HASH.replace("A", "B"))
    }


def test_links_are_not_followed(export: Path, tmp_path: Path) -> None:
    before = read_export(export)
    secret = tmp_path / "secret" / "file.txt"
    secret.parent.mkdir()
    secret.write_text("secret")
    (export / "file.txt").symlink_to(secret)
    (export / "folder").symlink_to(secret.parent)
    os.mkfifo(export / "pipe")
    assert read_export(export) == before


def test_the_folder_itself_may_be_a_link(export: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(export)
    assert read_export(tmp_path / "current") == read_export(export)


def test_a_folder_without_an_export_is_said(tmp_path: Path) -> None:
    instead = "name the folder of the web client's export, or off."
    assert refusal(tmp_path / "no") == f"WHERRY_STUDIO is {tmp_path / 'no'}, which does not exist: {instead}"
    assert refusal(tmp_path) == f"WHERRY_STUDIO is {tmp_path}, which holds no index.html: {instead}"
    file = tmp_path / "index.html"
    file.touch()
    assert refusal(file) == f"WHERRY_STUDIO is {file}, which holds no index.html: {instead}"
    assert [has_export(folder) for folder in (tmp_path, file, tmp_path / "no")] == [True, False, False]


def test_a_folder_that_is_too_large_to_be_an_export_is_said(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST", 2 << 20)
    (export / "film.mp4").write_bytes(bytes(2 << 20))
    assert refusal(export) == (
        f"WHERRY_STUDIO is {export}, which holds more than 2 MB: name the folder of the web client's export, or off."
    )


@pytest.mark.parametrize("written", [b"{", b"[]", b'{"/index.html": "x"}', b"\xff", b'{"/index.html": [1]}'])
def test_hashes_that_cannot_be_read_are_said(export: Path, written: bytes) -> None:
    (export / ".csp.json").write_bytes(written)
    sentence = refusal(export)
    assert sentence.startswith(f"{export}/.csp.json is not a JSON object of pages and the hashes of their scripts: ")


@pytest.mark.parametrize("written", ["", "unsafe-inline", "sha256-x", HASH + "' 'unsafe-inline", HASH + "\\r\\nx: y"])
def test_what_is_no_hash_gets_into_no_policy(export: Path, written: str) -> None:
    (export / ".csp.json").write_text(f'{{"/index.html": ["{written}"]}}')
    assert "which is not a hash like sha256-…." in refusal(export)


def test_an_export_without_hashes_is_one_whose_pages_run_no_inline_script(export: Path) -> None:
    (export / ".csp.json").unlink()
    assert [file.script_hashes for file in read_export(export)] == [()] * 5


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_a_file_without_permission_is_said(export: Path) -> None:
    (export / "favicon.ico").chmod(0)
    assert refusal(export) == (f"{export}/favicon.ico, a part of WHERRY_STUDIO, cannot be read: Permission denied.")


def test_a_file_that_cannot_be_read_is_said(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The superuser may read every file: so one goes away while the folder is read."""
    found = reading._files(export)
    paths = [*found]
    monkeypatch.setattr(reading, "_files", lambda _: iter([export / "gone.txt", *paths]))
    assert refusal(export) == f"{export}/gone.txt, a part of WHERRY_STUDIO, cannot be read: No such file or directory."


def test_the_wheel_holds_the_export_that_git_ignores(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    shutil.copytree(SERVER / "wherry", root / "server" / "wherry", ignore=shutil.ignore_patterns("export", "*.pyc"))
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(SERVER / name, root / "server" / name)
    shutil.copy(SERVER.parent / ".gitignore", root)
    (root / ".git").mkdir()
    make_export(root / "server" / "wherry" / "studio" / "export")

    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=root / "server",
        check=True,
        capture_output=True,
        timeout=60,
    )

    [wheel] = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    installed = tmp_path / "installed" / "wherry" / "studio" / "export"
    assert read_export(installed) == read_export(root / "server" / "wherry" / "studio" / "export")
