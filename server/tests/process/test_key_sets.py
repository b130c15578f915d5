"""Tokens of another issuer, whose public keys the server fetches from its address."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import httpx
import pytest

from tests.auth.conftest import SECRET as ISSUERS_SECRET
from tests.auth.conftest import key_set, public_key, signed
from tests.auth.test_jwks import Issuer, _Answer
from tests.process.conftest import Serve, eventually
from tests.process.served import BASE, Served, make

ALGORITHMS = ("RS256", "ES256", "EdDSA")
PRODUCTION = {"WHERRY_ENV": "production", "HOST": "127.0.0.1", "JWT_SECRET": ""}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database of one film, with the policies that show it to whoever is signed in."""
    tmp_path.joinpath("policies.sql").write_text("GRANT SELECT ON films TO authenticated;")
    return make(tmp_path / "app.db", "CREATE TABLE films (id INTEGER PRIMARY KEY); INSERT INTO films VALUES (1)")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer with a key of each algorithm, bound to its port; `open` lets it answer."""
    issuer = Issuer(("127.0.0.1", 0), _Answer, bind_and_activate=False)
    issuer.server_bind()
    issuer.answer = key_set(*(public_key(algorithm, kid=algorithm) for algorithm in ALGORITHMS))
    thread = Thread(target=issuer.serve_forever, kwargs={"poll_interval": 0.01})
    issuer.open = lambda: (issuer.server_activate(), thread.start())  # type: ignore[attr-defined]
    yield issuer
    if thread.is_alive():
        issuer.shutdown()
        thread.join()
    issuer.server_close()


def status(served: Served, token: bytes) -> int:
    headers = {"authorization": f"Bearer {token.decode()}"}
    return httpx.get(f"{served.url}{BASE}/films", headers=headers, timeout=30, trust_env=False).status_code


def of(algorithm: str, **header: str) -> bytes:
    return signed({"role": "authenticated", "sub": "ada"}, algorithm=algorithm, **{"kid": algorithm, **header})


def test_tokens_of_the_issuer_are_trusted_and_those_of_others_are_not(serve: Serve, file: Path, issuer: Issuer) -> None:
    issuer.open()  # type: ignore[attr-defined]
    served = serve(file, JWKS_URL=issuer.address, **PRODUCTION)
    eventually(lambda: served.said("token keys loaded"))

    assert [status(served, of(algorithm)) for algorithm in ALGORITHMS] == [200, 200, 200]
    head, claims, signature = of("RS256").split(b".")
    wrong = [
        of("HS256", kid="RS256"),  # a secret of the sender's own
        of("ES256", kid="RS256"),
        of("EdDSA", kid="ES256"),
        b".".join([head, claims, signature[::-1]]),
        b".".join([head, claims, b""]),
        b".".join([b"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0", claims, b""]),  # {"alg":"none","typ":"JWT"}
        signed({"role": "authenticated", "exp": 1}, algorithm="ES256", kid="ES256"),
    ]
    assert [status(served, token) for token in wrong] == [401] * len(wrong)
    assert ISSUERS_SECRET not in served.log.read_text()


def test_a_key_that_is_new_is_fetched_and_one_that_is_gone_is_trusted_no_more(
    serve: Serve, file: Path, issuer: Issuer
) -> None:
    issuer.answer = key_set(public_key("ES256", kid="ES256"))
    issuer.open()  # type: ignore[attr-defined]
    served = serve(file, JWKS_URL=issuer.address, **PRODUCTION)
    eventually(lambda: served.said("token keys loaded"))
    assert (status(served, of("ES256")), status(served, of("EdDSA", kid="ES256"))) == (200, 401)

    issuer.answer = key_set(public_key("EdDSA", kid="EdDSA"))
    eventually(lambda: status(served, of("EdDSA")) == 200)
    assert status(served, of("ES256")) == 401


def test_an_issuer_that_is_away_at_the_start_is_asked_again(serve: Serve, file: Path, issuer: Issuer) -> None:
    served = serve(file, JWKS_URL=issuer.address, **PRODUCTION)
    eventually(lambda: served.said("token keys refused"))
    assert status(served, of("ES256")) == 401
    assert httpx.get(f"{served.url}/readyz", timeout=30, trust_env=False).status_code == 200

    issuer.open()  # type: ignore[attr-defined]
    eventually(lambda: status(served, of("ES256")) == 200)
    assert served.end() == 0


def test_the_servers_own_secret_is_trusted_beside_the_issuer(serve: Serve, file: Path, issuer: Issuer) -> None:
    issuer.open()  # type: ignore[attr-defined]
    served = serve(file, JWKS_URL=issuer.address)
    eventually(lambda: served.said("token keys loaded"))
    with served.client() as api:
        assert api.get("films").status_code == 200
    assert status(served, of("RS256")) == 200
