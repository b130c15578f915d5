"""How the server starts and ends: real processes, real signals, a small application."""

import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.process.conftest import Running, Start, eventually, received
from wherry.errors import StartError
from wherry.serving import listening_address

# The end


def test_a_request_in_flight_is_answered_before_the_end(server: Running) -> None:
    request = server.get("/wait")
    eventually(lambda: server.notes() == ["started", "waiting"])

    server.end()
    eventually(lambda: not server.answers())
    (server.folder / "go").touch()

    assert received(request).endswith(b"\r\n\r\nwaited")
    assert server.ended() == (0, "")
    assert server.notes() == ["started", "waiting", "stopped"]


def test_an_idle_connection_is_closed_at_the_end(server: Running) -> None:
    idle = server.get("/pid")
    assert idle.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
    silent = server.connect()

    server.end()

    assert (received(idle), received(silent)) == (b"", b"")
    assert server.ended() == (0, "")
    assert server.notes() == ["started", "stopped"]


@pytest.mark.parametrize(
    "request_text",
    [
        "GET /pid HT",
        "POST /body HTTP/1.1\r\nhost: wherry\r\ncontent-length: 10\r\n\r\nhalf",
        "GET /wait HTTP/1.1\r\nhost: wherry\r\n\r\n",
    ],
    ids=["half a head", "half a body", "an answer that does not come"],
)
def test_what_does_not_end_is_cut_within_the_grace_time(start: Start, request_text: str) -> None:
    server = start(WHERRY_SHUTDOWN_GRACE="2")
    eventually(server.answers)
    server.connect(request_text)
    answered = server.get("/pid")  # by now the worker has seen both
    assert answered.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")

    server.end()

    assert server.ended() == (0, "")
    assert server.notes()[-1] == "stopped"


@pytest.mark.parametrize("with_signal", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_all_of_its_processes_ends_the_server(start: Start, with_signal: int) -> None:
    server = start(WORKERS="2")
    eventually(lambda: server.notes() == ["started", "started"])

    os.killpg(server.process.pid, with_signal)

    assert server.ended() == (0, "")
    assert server.notes() == ["started", "started", "stopped", "stopped"]


def test_who_is_told_again_and_again_still_answers(server: Running) -> None:
    request = server.get("/wait")
    eventually(lambda: server.notes() == ["started", "waiting"])

    for _ in range(5):
        os.killpg(server.process.pid, signal.SIGINT)
        os.killpg(server.process.pid, signal.SIGTERM)
    eventually(lambda: not server.answers())
    (server.folder / "go").touch()

    assert received(request).endswith(b"\r\n\r\nwaited")
    assert server.ended() == (0, "")
    assert server.notes() == ["started", "waiting", "stopped"]


def test_who_is_told_while_starting_ends_when_started(start: Start, tmp_path: Path) -> None:
    (tmp_path / "slow").touch()
    server = start()
    eventually(lambda: server.notes() == ["starting"])

    for with_signal in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        os.killpg(server.process.pid, with_signal)
    (tmp_path / "go").touch()

    assert server.ended() == (0, "")
    assert server.notes() == ["starting", "started", "stopped"]


def test_workers_do_not_survive_their_main_process(start: Start) -> None:
    server = start(WORKERS="2")
    eventually(lambda: server.notes() == ["started", "started"])

    server.end(signal.SIGKILL)

    eventually(lambda: server.processes() == 0)
    assert server.notes() == ["started", "started", "stopped", "stopped"]


def test_a_worker_without_a_main_process_cuts_what_does_not_end(start: Start) -> None:
    server = start(WORKERS="2", WHERRY_SHUTDOWN_GRACE="1")
    eventually(lambda: server.notes() == ["started", "started"] and server.answers())
    server.get("/wait")
    eventually(lambda: server.notes() == ["started", "started", "waiting"])

    server.end(signal.SIGKILL)

    eventually(lambda: server.processes() == 0)
    assert server.notes() == ["started", "started", "waiting", "stopped", "stopped"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_who_is_told_again_later_cuts_what_is_in_flight(start: Start, workers: str) -> None:
    server = start(WORKERS=workers)
    eventually(lambda: server.notes() == ["started"] * int(workers) and server.answers())
    request = server.get("/wait")
    eventually(lambda: server.notes()[-1] == "waiting")

    server.end()
    eventually(lambda: not server.answers())

    def told_again() -> bool:
        server.end()
        return server.process.poll() is not None

    eventually(told_again, seconds=10)  # less than the grace time
    assert server.ended() == (0, "")
    assert received(request) == b""
    assert server.notes()[-1] == "stopped"


def test_what_holds_up_the_end_for_longer_than_the_grace_time_is_killed(start: Start, tmp_path: Path) -> None:
    (tmp_path / "linger").touch()
    server = start(WHERRY_SHUTDOWN_GRACE="1")
    eventually(lambda: server.notes() == ["started"])

    server.end()

    assert server.ended() == (-signal.SIGALRM, "")


# What is not an application's matter


def test_a_head_that_is_too_large_is_refused(server: Running) -> None:
    answer = received(server.get("/pid", f"x-much: {'a' * 300_000}\r\n"))

    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


# The start


def test_a_worker_that_dies_is_replaced(start: Start) -> None:
    server = start(WORKERS="2")
    eventually(lambda: server.notes() == ["started", "started"] and server.answers())

    assert received(server.get("/die")) == b""

    eventually(lambda: server.notes() == ["started"] * 3)
    assert received(server.get("/pid", "connection: close\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
    server.end()
    assert server.ended() == (0, "")


def test_a_server_whose_workers_die_again_and_again_ends_with_an_error(start: Start) -> None:
    server = start(WORKERS="2")
    eventually(lambda: server.notes() == ["started", "started"] and server.answers())

    def has_ended() -> bool:
        with suppress(OSError):
            received(server.get("/die"))
        return server.process.poll() is not None

    eventually(has_ended)
    assert server.ended() == (1, "wherry: The workers end as soon as they have started (exit code 3).\n")


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not spread connections")
def test_connections_are_spread_over_the_workers(start: Start) -> None:
    server = start(WORKERS="2")
    eventually(lambda: server.notes() == ["started", "started"] and server.answers())

    answers = [received(server.get("/pid", "connection: close\r\n")).rpartition(b"\r\n\r\n")[2] for _ in range(200)]

    assert sorted(set(answers))[1:]
    assert min(answers.count(worker) for worker in set(answers)) > 50


@pytest.mark.parametrize("where", ["refuse", "fail", "raise"])
@pytest.mark.parametrize("workers", ["1", "3"])
def test_an_application_that_cannot_start_is_said_in_one_sentence(
    start: Start, where: str, workers: str, tmp_path: Path
) -> None:
    (tmp_path / where).touch()

    assert start(WORKERS=workers).ended() == (1, f"wherry: The folder holds a file named {where}.\n")


def test_the_address_to_listen_on_is_numeric_and_its_port_free() -> None:
    host, port = listening_address("localhost", 0)

    assert (host, port > 0) == ("127.0.0.1", True)
    assert listening_address("127.0.0.1", port) == ("127.0.0.1", port)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "127.0.0.1.5", "ü" * 100, "a\0b"])
def test_a_host_that_has_no_address_is_named(host: str) -> None:
    with pytest.raises(StartError) as caught:
        listening_address(host, 4000)
    assert str(caught.value) == f"HOST is {host!r}, which has no address."


def test_a_host_of_another_machine_is_named() -> None:
    with pytest.raises(StartError) as caught:
        listening_address("192.0.2.1", 4000)
    assert str(caught.value) == "It is not possible to listen on 192.0.2.1, port 4000: Cannot assign requested address."


@pytest.mark.parametrize("shared", [False, True])
def test_a_port_in_use_is_named(shared: bool) -> None:
    with socket.socket() as other:
        if shared:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(StartError) as caught:
            listening_address("127.0.0.1", port)
    assert str(caught.value) == f"Port {port} is in use on 127.0.0.1: choose another, or end what uses it."


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may listen on every port")
def test_a_port_that_only_the_superuser_may_have_is_named() -> None:
    with pytest.raises(StartError) as caught:
        listening_address("127.0.0.1", 1)
    assert str(caught.value) == "Port 1 needs more rights than this user has: choose one above 1023."
