"""ops/deploy: new images that serve take over, and those that don't leave or bring back what was there."""

import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MakeStack
from engine import ROOT, Engine
from load import Load
from stack import REST, Stack, free_port
from test_replicas import reading
from test_tls import make_certificate

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def deployed(make_stack: MakeStack) -> Iterator[Stack]:
    """A stack of its own, which ops/deploy has started where nothing ran."""
    stack = make_stack(variables={"PULL": "never", "WAIT": "30", "HEALTH_INTERVAL": "1s"})
    first = deploy(stack)
    assert (first.returncode, first.stdout) == (0, "Starting the stack\n"), first.stderr
    yield stack
    stack.down("--volumes")


@pytest.fixture
def variant(engine: Engine, tmp_path: Path) -> Iterator["Variant"]:
    """Make images that differ from others."""
    made = Variant(engine, tmp_path)
    yield made
    for tag in made.tags:
        engine.docker("rmi", "--force", tag)


class Variant:
    """Makes images out of others, with a few lines more in their Dockerfile."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self.tags: list[str] = []

    def __call__(self, image: str, lines: str = "LABEL different=yes") -> str:
        tag = f"{image}-{secrets.token_hex(4)}"
        (self._folder / "Dockerfile").write_text(f"FROM {image}\n{lines}\n", encoding="utf-8")
        self._engine.docker("build", "--quiet", "--tag", tag, self._folder)
        self.tags.append(tag)
        return tag


def deploy(stack: Stack, given: str | None = None, **variables: str) -> Done:
    """Run the script as the workflow does: the secret is on standard input, and nowhere else."""
    known = {name: value for name, value in stack.environment().items() if name not in {"JWT_SECRET", "COMPOSE_FILE"}}
    return subprocess.run(
        [ROOT / "ops" / "deploy", "--secrets"],
        input=f"JWT_SECRET={stack.secret}\n" if given is None else given,
        env={**known, **variables},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def serving(stack: Stack) -> dict[str, str]:
    """Return the images that run, by service, and assert that page and API answer with the secret that was given."""
    with stack.client() as client:
        assert client.get("/").status_code == 200
        assert client.get(f"{REST}/").status_code == 200
    found = {}
    for service in ("server", "web"):
        [container] = stack.containers(service)
        found[service] = str(stack.engine.inspect(container)["Config"]["Image"])
    return found


def before(stack: Stack) -> dict[str, str]:
    return {"server": stack.variables["SERVER_IMAGE"], "web": stack.variables["WEB_IMAGE"]}


def test_new_images_take_over_with_the_secret_from_standard_input_which_is_kept_nowhere(
    deployed: Stack, variant: Variant
) -> None:
    new = {"SERVER_IMAGE": variant(before(deployed)["server"]), "WEB_IMAGE": variant(before(deployed)["web"])}

    done = deploy(deployed, **new)

    assert done.returncode == 0, done.stderr
    assert serving(deployed) == {"server": new["SERVER_IMAGE"], "web": new["WEB_IMAGE"]}
    back = deploy(deployed)
    assert back.returncode == 0, "and the images of before come back the same way"
    assert serving(deployed) == before(deployed)
    assert deployed.secret not in done.stdout + done.stderr + back.stdout + back.stderr
    kept = subprocess.run(
        ["git", "grep", "--untracked", "--no-exclude-standard", "-l", "--", deployed.secret, ":!**/node_modules"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (kept.returncode, kept.stdout) == (1, ""), "the secret is in no file"


def test_a_server_that_does_not_get_healthy_is_never_asked(deployed: Stack, variant: Variant) -> None:
    broken = variant(before(deployed)["server"], 'CMD ["wherry", "serve", "/nowhere/at/all.db"]')
    with Load(deployed.port, reading(deployed)) as load:
        done = deploy(deployed, SERVER_IMAGE=broken, WAIT="10")

    assert done.returncode == 1
    assert done.stderr.endswith("deploy: the new server does not get healthy; nothing was changed.\n")
    assert (set(load.answers), load.failures) == ({404}, []), "the database is empty, so the table is not found"
    assert serving(deployed) == before(deployed)


def test_a_web_that_does_not_get_healthy_is_never_asked(deployed: Stack, variant: Variant) -> None:
    broken = variant(before(deployed)["web"], "USER 0\nRUN echo nonsense >>/etc/nginx/nginx.conf\nUSER 10002:10002")
    with Load(deployed.port, reading(deployed)) as load:
        done = deploy(deployed, WEB_IMAGE=broken)

    assert done.returncode == 1
    assert "unexpected end of file" in done.stderr
    assert done.stderr.endswith("deploy: the new web does not get healthy; nothing was changed.\n")
    assert (set(load.answers), load.failures) == ({404}, [])
    assert serving(deployed) == before(deployed)


def test_images_that_are_healthy_but_do_not_answer_are_taken_back(deployed: Stack, variant: Variant) -> None:
    broken = {
        "SERVER_IMAGE": variant(before(deployed)["server"]),
        "WEB_IMAGE": variant(
            before(deployed)["web"], "USER 0\nRUN rm /usr/share/nginx/html/index.html*\nUSER 10002:10002"
        ),
    }

    done = deploy(deployed, **broken)

    assert done.returncode == 1
    assert f"deploy: http://127.0.0.1:{deployed.port}/ answers 403, and not 200." in done.stderr
    assert done.stderr.endswith("deploy: the images of before serve again.\n")
    assert serving(deployed) == before(deployed)


@pytest.mark.parametrize(
    ("variables", "given", "said"),
    [
        ({"PULL": "always"}, None, "names no digest: set SERVER_IMAGE and WEB_IMAGE to name@sha256:…"),
        ({"SERVER_IMAGE": "nobody/nothing:1"}, None, "the engine has no image 'nobody/nothing:1'."),
        ({}, "PATH=/tmp\n", "a line of standard input is no secret: write JWT_SECRET=… (9 characters)."),
        ({}, "just-the-secret\n", "a line of standard input is no secret: write JWT_SECRET=… (15 characters)."),
    ],
)
def test_what_cannot_be_meant_is_refused(
    deployed: Stack, variables: dict[str, str], given: str | None, said: str
) -> None:
    done = deploy(deployed, given, **variables)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "just-the-secret" not in done.stderr


def test_what_the_host_sets_holds_with_tls_inside_as_well(make_stack: MakeStack, tmp_path: Path) -> None:
    make_certificate(tmp_path)
    port = free_port()
    settings = {
        "COMPOSE_FILE": "docker-compose.yml:docker-compose.tls.yml",
        "TLS_DIR": str(tmp_path),
        "TLS_PORT": str(port),
        "ASK": f"https://localhost:{port}",
        "HEALTH_INTERVAL": "1s",
        "WAIT": "30",
    }
    (tmp_path / "settings.env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    stack = make_stack(variables={"PULL": "never", "SETTINGS": str(tmp_path / "settings.env")})
    try:
        unknown = deploy(stack)
        trusting = deploy(stack, CURL_CA_BUNDLE=str(tmp_path / "tls.crt"))
    finally:
        stack.down("--volumes")

    said = f"deploy: https://localhost:{port}/ answers 000, and not 200.\n"
    assert (unknown.returncode, said in unknown.stderr) == (3, True), "nobody trusts its certificate"
    assert (trusting.returncode, trusting.stderr.count("answers")) == (0, 0), trusting.stderr
