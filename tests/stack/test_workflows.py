"""The workflows of GitHub Actions: the rules that the linters of `make lint` do not know."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from tarfile import open as open_tar
from typing import Any

import pytest
import yaml
from engine import ROOT, run

from wherry import __version__

FOLDER = ROOT / ".github" / "workflows"
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.yml"))}
NAMES = ["ci.yml", "deploy.yml", "release.yml"]


def workflow(name: str) -> dict[str, Any]:
    """Read a workflow; YAML 1.1 takes the key `on` for a boolean."""
    read = yaml.safe_load(TEXTS[name])
    return {"on" if key is True else key: value for key, value in read.items()}


def steps(name: str) -> list[dict[str, Any]]:
    """Return all steps of a workflow."""
    return [step for job in workflow(name)["jobs"].values() for step in job.get("steps", [])]


def script(name: str, beginning: str) -> str:
    """Return what the one step runs whose name begins so."""
    [found] = [step["run"] for step in steps(name) if step.get("name", "").startswith(beginning)]
    return str(found)


def test_there_are_a_check_a_release_and_a_deployment() -> None:
    assert list(TEXTS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_action_is_pinned_by_its_commit_with_its_version_beside(name: str) -> None:
    used = re.findall(r"^\s*(?:- )?uses: (.*)$", TEXTS[name], re.MULTILINE)
    elsewhere = [words for words in used if not words.startswith("$/")]
    assert [
        words for words in elsewhere if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", words)
    ] == []
    assert len(elsewhere) >= 2


def test_one_version_of_an_action_is_used_everywhere() -> None:
    pinned: dict[str, set[str]] = {}
    for text in TEXTS.values():
        for action, version in re.findall(r"uses: ([^$][^@]*)@(.*)$", text, re.MULTILINE):
            pinned.setdefault(action, set()).add(version)
    assert {action: versions for action, versions in pinned.items() if len(versions) > 1} == {}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_allowed_but_what_a_job_asks_for_and_each_has_an_end(name: str) -> None:
    read = workflow(name)
    assert read["permissions"] == {}
    assert [job for job in read["jobs"].values() if "permissions" not in job] == []
    assert [job for job in read["jobs"].values() if "timeout-minutes" not in job and "uses" not in job] == []


def test_who_may_write_what() -> None:
    writing = {
        f"{name}: {job_name}": {what for what, how in job["permissions"].items() if how == "write"}
        for name in NAMES
        for job_name, job in workflow(name)["jobs"].items()
    }
    assert {job: what for job, what in writing.items() if what} == {
        "release.yml: build": {"packages"},
        "release.yml: join": {"packages", "attestations", "id-token"},
        "release.yml: package": {"attestations", "id-token"},
        "release.yml: publish": {"contents", "actions"},
    }


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_github_fills_in_stands_in_a_script(name: str) -> None:
    assert [step["run"] for step in steps(name) if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_checkout_leaves_a_token_behind(name: str) -> None:
    checkouts = [step for step in steps(name) if step.get("uses", "").startswith("actions/checkout@")]
    assert [step for step in checkouts if step["with"].get("persist-credentials") is not False] == []


def test_secrets_are_given_to_one_step_alone_which_prints_nothing_of_them() -> None:
    assert [name for name in NAMES if "secrets." in TEXTS[name]] == ["deploy.yml"]
    [told] = [step for step in steps("deploy.yml") if "secrets." in str(step)]
    assert told["run"] == 'ops/deploy-over-ssh "$VERSION" images.env'
    assert {name for name, value in told["env"].items() if "secrets." in value} == {
        "DEPLOY_KEY", "JWT_SECRET", "LITESTREAM_ACCESS_KEY_ID", "LITESTREAM_SECRET_ACCESS_KEY",
    }  # fmt: skip
    assert [
        value for value in told["env"].values() if not re.fullmatch(r"\$\{\{ (secrets|vars)\.\w+ \}\}", value)
    ] == []


def test_the_check_runs_what_is_run_in_a_clean_clone_and_gives_up_what_is_outdated() -> None:
    read = workflow("ci.yml")
    assert read["on"] == {"pull_request": None, "push": {"branches": ["main"]}, "workflow_call": None}
    assert script("ci.yml", "Run what a change must pass") == ".ci/run"
    assert read["concurrency"]["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"


def test_a_release_passes_the_check_first_and_is_built_from_no_cache() -> None:
    jobs = workflow("release.yml")["jobs"]
    assert jobs["ci"]["uses"] == "$/.github/workflows/ci.yml"
    assert [name for name in ("build", "package") if "ci" not in jobs[name]["needs"]] == []
    assert re.findall(r"cache-(?:from|to)|cache: (?:pip|npm)", TEXTS["release.yml"]) == []


def test_a_release_is_built_on_the_digests_of_the_lock_for_two_platforms_with_sbom_and_provenance(
    tmp_path: Path,
) -> None:
    jobs = workflow("release.yml")["jobs"]
    [build] = [step["with"] for step in jobs["build"]["steps"] if step.get("id") == "build"]
    arguments = dict(line.split("=", 1) for line in build["build-args"].splitlines())
    bases = {
        name
        for path in ("server/Dockerfile", "client/Dockerfile")
        for name in re.findall(r"^ARG ([A-Z_]+_IMAGE)=", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {name: arguments[name] for name in bases} == {
        name: f"${{{{ needs.version.outputs.{name} }}}}" for name in bases
    }
    assert {name: jobs["version"]["outputs"][name] for name in bases} == {
        name: f"${{{{ steps.bases.outputs.{name} }}}}" for name in bases
    }
    assert set(arguments) - bases == {"VERSION", "REVISION", "NEXT_PUBLIC_RELEASE"}, "and none is a secret"
    assert jobs["build"]["strategy"]["matrix"] == {"image": ["server", "web"], "platform": ["amd64", "arm64"]}
    assert (build["sbom"], build["provenance"], build["no-cache"]) == (True, "mode=max", True)
    assert "push-by-digest=true" in build["outputs"]

    # what the step does with a lock that has digests, and with one that lacks one
    reading = script("release.yml", "Read the bases")
    output, lock = tmp_path / "output", ROOT / "images.lock"
    pinned = re.sub(r"^([A-Z_]+=[^@\n]+).*$", rf"\1@sha256:{'0' * 64}", lock.read_text("utf-8"), flags=re.MULTILINE)
    for text, code in ((pinned, 0), (pinned.replace(f"@sha256:{'0' * 64}", "", 1), 1)):
        (tmp_path / "ops").mkdir(exist_ok=True)
        shutil.copy(ROOT / "ops" / "pin-images", tmp_path / "ops")
        (tmp_path / "images.lock").write_text(text, encoding="utf-8")
        output.write_text("", encoding="utf-8")
        done = subprocess.run(
            ["bash", "-e", "-c", reading], cwd=tmp_path, env={**os.environ, "GITHUB_OUTPUT": str(output)}, check=False
        )
        assert done.returncode == code
        given = output.read_text(encoding="utf-8").splitlines()
        assert given == ([line for line in text.splitlines() if "=" in line] if code == 0 else [])


@pytest.mark.parametrize(("tag", "code"), [("same", 0), ("v99.0.0", 1), ("x", 1)])
def test_a_tag_that_is_not_the_packages_version_makes_no_release(tag: str, code: int, tmp_path: Path) -> None:
    output = tmp_path / "output"
    environment = {"GITHUB_OUTPUT": str(output), "GITHUB_REF_NAME": f"v{__version__}" if tag == "same" else tag}
    done = subprocess.run(
        ["bash", "-e", "-c", script("release.yml", "Compare the tag")],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert (output.read_text("utf-8") if output.exists() else "") == (f"version={__version__}\n" if code == 0 else "")


def test_a_deployment_is_guarded_by_its_environment_and_never_stopped_half_way() -> None:
    read = workflow("deploy.yml")
    assert list(read["on"]) == ["workflow_dispatch"]
    assert read["concurrency"] == {"group": "deploy-production", "cancel-in-progress": False}
    assert read["jobs"]["deploy"]["environment"] == "production"
    asked = script("release.yml", "Ask for its deployment")
    assert asked == 'gh workflow run deploy.yml --ref "$GITHUB_REF_NAME" --field version="$VERSION"'


@pytest.mark.parametrize(
    ("version", "code"), [("1.2.3", 0), ("1.2.3rc1", 0), ("1.2", 1), ("1.2.3; id", 1), ("../x", 1)]
)
def test_a_version_that_is_none_is_not_deployed(version: str, code: int) -> None:
    words = ["bash", "-e", "-c", script("deploy.yml", "Look at the version")]
    done = subprocess.run(words, env={**os.environ, "VERSION": version}, capture_output=True, check=False)
    assert done.returncode == code


def test_wheel_and_sdist_have_studio_inside_and_nothing_of_its_making(tmp_path: Path) -> None:
    """Built like `make package`, from a copy with an export of one page: git ignores it, and the build must not."""
    shutil.copy(ROOT / ".gitignore", tmp_path)
    ignored = shutil.ignore_patterns("__pycache__", "export", "clients", ".*_cache")
    shutil.copytree(ROOT / "server", tmp_path / "server", ignore=ignored)
    export = tmp_path / "server" / "wherry" / "studio" / "export"
    export.mkdir()
    for name in ("index.html", "index.html.br", ".csp.json"):
        (export / name).write_text(name, encoding="utf-8")
    [build] = re.findall(
        r"^\trm -rf dist && cd server && \$\(BIN\)/(python .*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE
    )
    run(
        "sh",
        "-c",
        build,
        cwd=tmp_path / "server",
        environment={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )

    [wheel] = (tmp_path / "dist").glob("*.whl")
    [sdist] = (tmp_path / "dist").glob("*.tar.gz")
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if "/export/" in name}
    assert inside == {f"wherry/studio/export/{name}" for name in ("index.html", "index.html.br", ".csp.json")}
    with open_tar(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {name for name in names if "/export/" in name} == inside
    assert {name.split("/")[0] for name in names} == {
        "wherry",
        "tests",
        "pyproject.toml",
        "PKG-INFO",
        "LICENSE",
        ".gitignore",
    }
