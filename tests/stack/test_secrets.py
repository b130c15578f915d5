"""Secrets: needed, given by the environment or by a file, and nowhere else."""

import json
from pathlib import Path
from typing import Any

import pytest
from engine import Failed, give
from stack import REST, Stack

SENTENCE = (
    "no secret is set. Set JWT_SECRET to the output of `openssl rand -base64 48`, or JWT_SECRET_FILE to a file with it."
    " To try it out, `cp .env.example .env`"
)


def alone(make_stack: Any, **variables: str) -> Stack:
    """A stack of which the server alone is started, with a database."""
    stack: Stack = make_stack(variables={"JWT_SECRET": "", **variables})
    demo = ("run", "--rm", "--no-deps", "server", "wherry", "demo", "/app/database/dev.db")
    stack.compose(*demo, WHERRY_ENV="development")
    return stack


def start(stack: Stack) -> None:
    """Start the server and wait until it is well."""
    stack.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", "20", "server")


def status(stack: Stack) -> int:
    """Return how the server answers a token that is signed with the stack's secret."""
    return int(
        stack.execute(
            "import http.client as h; c = h.HTTPConnection('127.0.0.1', 4000);"
            f"c.request('GET', '{REST}/films?limit=1', headers={{'authorization': 'Bearer {stack.token()}'}});"
            "print(c.getresponse().status)"
        )
    )


def test_nothing_starts_without_a_secret(make_stack: Any) -> None:
    stack = make_stack(variables={"JWT_SECRET": ""})
    with pytest.raises(Failed) as caught:
        stack.compose("up", "--detach", "--no-build")

    assert SENTENCE in " ".join(str(caught.value).split())
    assert stack.compose("ps", "--all", "--quiet", WHERRY_ENV="development") == ""


def test_a_production_that_says_so_is_refused_by_the_server_itself(make_stack: Any) -> None:
    stack = alone(make_stack, WHERRY_ENV="production")
    with pytest.raises(Failed):
        start(stack)

    assert "No JWT secret is set: in production set JWT_SECRET or JWT_SECRET_FILE" in stack.compose("logs", "server")
    stack.down("--volumes")


def test_a_file_holds_the_secret_and_neither_environment_nor_command_shows_it(make_stack: Any, tmp_path: Path) -> None:
    file = tmp_path / "jwt_secret"
    file.touch(mode=0o600)
    stack = alone(make_stack, JWT_SECRET_FILE=str(file))
    file.write_text(stack.secret)
    file.chmod(0o400)
    give(file, 10001)
    start(stack)

    assert status(stack) == 200
    [server] = stack.containers("server")
    assert stack.secret not in json.dumps(stack.engine.inspect(server))
    assert stack.engine.docker("exec", server, "printenv", "JWT_SECRET_FILE") == "/run/secrets/jwt_secret\n"
    stack.down("--volumes")


def test_a_file_that_the_server_may_not_read_is_named(make_stack: Any, tmp_path: Path) -> None:
    file = tmp_path / "jwt_secret"
    file.write_text("a secret of somebody else with thirty-two bytes or more")
    file.chmod(0o600)
    stack = alone(make_stack, JWT_SECRET_FILE=str(file))
    with pytest.raises(Failed):
        start(stack)

    assert "JWT_SECRET_FILE (/run/secrets/jwt_secret) cannot be read: Permission denied." in stack.compose(
        "logs", "server"
    )
    stack.down("--volumes")


def test_in_development_one_is_made_that_all_replicas_share(make_stack: Any) -> None:
    stack = alone(make_stack, WHERRY_ENV="development")
    stack.compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", "60", "--scale", "server=2", "server")
    secrets = {
        stack.engine.docker("exec", server, "cat", "/app/database/dev.wherry/jwt_secret")
        for server in stack.containers("server")
    }
    [stack.secret] = [secret.strip() for secret in secrets]

    assert status(stack) == 200
    stack.down("--volumes")
