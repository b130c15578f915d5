"""Several replicas of the server on one file: all are used, one may die, all can be replaced, and nothing is lost."""

import json
from typing import Any

import pytest
from engine import ROOT, Failed, run
from load import Load
from stack import REST, Stack, eventually


def reading(stack: Stack) -> Any:
    """Make the words of a GET."""
    words = f"GET {REST}/films?select=id&limit=1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {stack.token()}\r\n\r\n"
    return lambda number: words.encode()


def writing(stack: Stack, text: str) -> Any:
    """Make the words of a POST of one row."""
    body = json.dumps({"text": text})
    head = f"POST {REST}/marks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {stack.token()}\r\n"
    words = f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
    return lambda number: words.encode()


def upstreams(stack: Stack) -> set[str]:
    """Return the addresses that have answered so far, by the web's log."""
    [web] = stack.containers("web")
    answered = {line["upstream"].split(", ")[-1] for line in stack.logs(web) if line.get("upstreamStatus")}
    return {address.removesuffix(":4000") for address in answered}


def count(stack: Stack, text: str) -> int:
    """Return how many rows of a text are in the file."""
    return int(stack.sql(f"SELECT count(*) FROM marks WHERE text = '{text}'")[0][0])


def roll(stack: Stack, *words: str, **variables: str) -> str:
    """Run the script that replaces the replicas."""
    return run(ROOT / "ops" / "roll", *words, environment={**stack.environment(), **variables}, timeout=120)


def test_both_replicas_are_used_and_no_write_is_lost(stack: Stack, measured: dict[str, Any]) -> None:
    with Load(stack.port, writing(stack, "both"), rate=2000, clients=16) as load:
        load.wait_for(2000)

    assert (set(load.answers), load.failures) == ({201}, [])
    assert count(stack, "both") == load.answers[201]
    assert stack.addresses("server") <= upstreams(stack)
    assert stack.sql("PRAGMA integrity_check") == [["ok"]]


def test_a_killed_replica_fails_no_reading(stack: Stack, measured: dict[str, Any]) -> None:
    [first, _] = stack.containers("server")
    with Load(stack.port, reading(stack)) as load:
        load.wait_for(100)
        stack.engine.docker("kill", first)
        load.wait_for(400)

    assert (set(load.answers), load.failures) == ({200}, [])
    measured["a killed replica: slowest GET, ms"] = round(load.slowest * 1000)


def test_a_removed_replica_fails_no_reading_and_what_comes_in_its_place_is_found(stack: Stack) -> None:
    [first, second] = stack.containers("server")
    kept = stack.address(second)
    with Load(stack.port, reading(stack)) as load:
        stack.engine.docker("rm", "--force", first)
        load.wait_for(200)
        # somebody takes the address that became free, so that the new replica gets another
        guest = stack.engine.docker(
            "run", "--detach", "--network", stack.network, stack.variables["SERVER_IMAGE"], "sleep", "60"
        ).strip()
        try:
            stack.up()
            [new] = stack.addresses("server") - {kept}
            eventually(lambda: load.wait_for(50) or new in upstreams(stack), 20)
        finally:
            stack.engine.docker("rm", "--force", "--volumes", guest)

    assert (set(load.answers), load.failures) == ({200}, [])


def test_a_replica_that_is_told_to_end_fails_no_writing(stack: Stack) -> None:
    [first, _] = stack.containers("server")
    with Load(stack.port, writing(stack, "told"), rate=300) as load:
        load.wait_for(100)
        stack.engine.docker("stop", first)
        load.wait_for(300)

    assert (set(load.answers), load.failures) == ({201}, [])
    assert count(stack, "told") == load.answers[201]


def test_a_killed_replica_loses_no_write_that_was_acknowledged(stack: Stack) -> None:
    """What was on its way to it is refused with 502, or was done without its answer; it is never done twice."""
    [_, second] = stack.containers("server")
    with Load(stack.port, writing(stack, "killed"), rate=300) as load:
        load.wait_for(100)
        stack.engine.docker("kill", second)
        load.wait_for(300)

    assert (set(load.answers) <= {201, 502}, load.failures) == (True, [])
    assert load.answers[201] <= count(stack, "killed") <= load.answers[201] + load.answers[502]
    assert stack.sql("PRAGMA integrity_check") == [["ok"]]


def test_a_rolling_update_fails_no_request(stack: Stack, measured: dict[str, Any]) -> None:
    before = set(stack.containers("server"))
    with Load(stack.port, reading(stack)) as reads, Load(stack.port, writing(stack, "rolled"), rate=100) as writes:
        roll(stack)
        reads.wait_for(50)

    after = set(stack.containers("server"))
    assert (len(before & after), len(after)) == (0, 2)
    assert (set(reads.answers), reads.failures) == ({200}, [])
    assert (set(writes.answers), writes.failures) == ({201}, [])
    assert count(stack, "rolled") == writes.answers[201]
    measured["a rolling update: requests, slowest ms"] = [
        reads.count + writes.count, round(max(reads.slowest, writes.slowest) * 1000),
    ]  # fmt: skip


def test_an_update_that_does_not_get_healthy_leaves_the_old_replicas_in_place(stack: Stack) -> None:
    before = set(stack.containers("server"))
    with Load(stack.port, reading(stack)) as load, pytest.raises(Failed) as caught:
        roll(stack, JWT_SECRET="short", WAIT="20")

    assert "The JWT secret has 5 bytes" in str(caught.value)
    assert set(stack.containers("server")) == before
    assert (set(load.answers), load.failures) == ({200}, [])


def test_a_third_replica_is_used_as_soon_as_it_is_there(stack: Stack) -> None:
    before = stack.addresses("server")
    with Load(stack.port, reading(stack)) as load:
        stack.up(replicas=3)
        [third] = stack.addresses("server") - before
        eventually(lambda: load.wait_for(50) or third in upstreams(stack), 20)
        stack.up(replicas=2)

    assert (set(load.answers), load.failures) == ({200}, [])


@pytest.mark.parametrize("words", [("none",), ("0",), ("100",)])
def test_a_number_of_replicas_that_makes_no_sense_is_refused(stack: Stack, words: tuple[str, ...]) -> None:
    with pytest.raises(Failed) as caught:
        roll(stack, *words)

    assert f"roll: '{words[0]}' is no number of replicas: write one from 1 to 99." in str(caught.value)
