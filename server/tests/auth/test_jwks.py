"""Fetching public keys: from a file, from an address, again when they change, and what happens when that fails."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest

from tests.auth.conftest import key_set, public_key, signed
from wherry.auth.jwks import LARGEST_KEY_SET, KeyRefresher, read_key_set, trust_issuer
from wherry.auth.tokens import TokenVerifier
from wherry.config import Settings
from wherry.errors import StartError, TokenError
from wherry.observe import KeysLoaded, KeysRefused, Observation, ignore

KEYS = key_set(public_key("ES256", kid="first"))


class Issuer(ThreadingHTTPServer):
    """An issuer on loopback that answers what `answer` holds."""

    daemon_threads = True
    answer = KEYS
    status = 200
    garbled = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/keys"


class _Answer(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        if self.server.garbled:
            self.wfile.write(b"no HTTP at all\r\n\r\n")
            return
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        pass


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(("127.0.0.1", 0), _Answer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def seen() -> Queue[Observation]:
    return Queue()


def refusal(source: str | Path) -> str:
    with pytest.raises(StartError) as caught:
        read_key_set(source)
    return str(caught.value)


def test_a_key_set_is_read_from_its_file_and_its_address(tmp_path: Path, issuer: Issuer) -> None:
    (tmp_path / "keys.json").write_bytes(KEYS)

    assert read_key_set(tmp_path / "keys.json") == KEYS
    assert read_key_set(issuer.address) == KEYS


def test_what_cannot_be_read_is_named(tmp_path: Path, issuer: Issuer) -> None:
    missing, address = tmp_path / "keys.json", issuer.address
    assert refusal(missing) == f"The key set {missing} cannot be read: No such file or directory."

    issuer.answer = b" " * (LARGEST_KEY_SET + 1)
    assert refusal(address) == f"The key set {address} is larger than 1048576 bytes."

    issuer.status = 404
    assert refusal(address) == f"The key set {address} cannot be fetched: Not Found."

    issuer.garbled = True
    assert refusal(address) == f"The key set {address} cannot be fetched: no HTTP at all\r\n."


def test_an_issuer_that_is_not_there_is_named() -> None:
    assert refusal("http://127.0.0.1:9/keys") == (
        "The key set http://127.0.0.1:9/keys cannot be fetched: [Errno 111] Connection refused."
    )


def test_keys_are_fetched_at_start_and_when_a_token_names_another(issuer: Issuer, seen: Queue[Observation]) -> None:
    verifier = TokenVerifier(None)
    refresher = KeyRefresher(issuer.address, verifier.trust, seen.put, shortest_pause=0)
    verifier.unknown_key = refresher.ask
    refresher.start()
    try:
        assert seen.get(timeout=10) == KeysLoaded(issuer.address, 1)
        assert verifier.verify(None, signed({"role": "r"}, algorithm="ES256", kid="first")).role == "r"

        issuer.answer = key_set(public_key("EdDSA", kid="second"), public_key("RS256", kid="third"))
        token = signed({"role": "r"}, algorithm="EdDSA", kid="second")
        with pytest.raises(TokenError, match=r"^No suitable key or wrong key type$"):
            verifier.verify(None, token)
        assert seen.get(timeout=10) == KeysLoaded(issuer.address, 2)
        assert verifier.verify(None, token).role == "r"
    finally:
        refresher.close()


def settings(**environ: str) -> Settings:
    return Settings.from_environment({"DATABASE_URL": "/data/app.db", **environ})


def test_an_issuer_is_trusted_only_where_the_settings_name_one() -> None:
    assert trust_issuer(TokenVerifier(None), settings(), ignore) is None


def test_the_issuer_of_the_settings_is_asked_for_its_keys(issuer: Issuer, seen: Queue[Observation]) -> None:
    verifier = TokenVerifier(None)
    refresher = trust_issuer(verifier, settings(JWKS_URL=issuer.address), seen.put)
    assert refresher is not None
    refresher.start()
    try:
        assert seen.get(timeout=10) == KeysLoaded(issuer.address, 1)
        assert verifier.unknown_key == refresher.ask
    finally:
        refresher.close()


def test_a_file_of_keys_is_trusted_at_once(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_bytes(KEYS)
    verifier = TokenVerifier(None)
    trust_issuer(verifier, settings(JWKS_FILE=str(tmp_path / "keys.json")), ignore)

    assert verifier.verify(None, signed({"role": "r"}, algorithm="ES256")).role == "r"


def test_a_file_that_is_no_key_set_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{}")

    with pytest.raises(StartError, match=r'^The key set is no JWK set: it has no member "keys"\.$'):
        trust_issuer(TokenVerifier(None), settings(JWKS_FILE=str(tmp_path / "keys.json")), ignore)


def test_the_last_good_keys_stay_when_the_issuer_fails(issuer: Issuer, seen: Queue[Observation]) -> None:
    verifier = TokenVerifier(None)
    refresher = KeyRefresher(issuer.address, verifier.trust, seen.put, shortest_pause=0)
    refresher.start()
    try:
        assert seen.get(timeout=10) == KeysLoaded(issuer.address, 1)
        issuer.answer = b"<html>"
        refresher.ask()
        assert seen.get(timeout=10) == KeysRefused(issuer.address, "The key set is no JSON.")
        assert verifier.verify(None, signed({"role": "r"}, algorithm="ES256")).role == "r"

        issuer.answer = KEYS  # tried again without being asked
        while isinstance(observation := seen.get(timeout=10), KeysRefused):
            pass
        assert observation == KeysLoaded(issuer.address, 1)
    finally:
        refresher.close()


def test_a_file_of_keys_is_read_again_from_time_to_time(tmp_path: Path, seen: Queue[Observation]) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(KEYS)
    refresher = KeyRefresher(file, TokenVerifier(None).trust, seen.put, refresh=0.01, shortest_pause=0)
    refresher.start()
    try:
        assert [seen.get(timeout=10) for _ in range(3)] == [KeysLoaded(str(file), 1)] * 3
    finally:
        refresher.close()


def test_keys_are_not_asked_for_more_often_than_the_shortest_pause(issuer: Issuer, seen: Queue[Observation]) -> None:
    refresher = KeyRefresher(issuer.address, TokenVerifier(None).trust, seen.put, shortest_pause=3600)
    refresher.start()
    assert seen.get(timeout=10) == KeysLoaded(issuer.address, 1)
    refresher.ask()
    assert seen.get(timeout=10) == KeysLoaded(issuer.address, 1)
    for _ in range(100):
        refresher.ask()
    refresher.close()

    refresher._thread.join(10)
    assert (refresher._thread.is_alive(), seen.empty()) == (False, True)
