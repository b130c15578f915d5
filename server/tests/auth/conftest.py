"""Fixtures of the auth room: a secret, a clock that stands, key pairs and tokens signed with them."""

import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP521R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_elliptic
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa

SECRET = "a secret for tests of thirty-two bytes or more"
NOW = 1_800_000_000

_PRIVATE = {
    "RS256": generate_rsa(65537, 2048),
    "ES256": generate_elliptic(SECP256R1()),
    "ES512": generate_elliptic(SECP521R1()),
    "EdDSA": Ed25519PrivateKey.generate(),
}


class Clock:
    """A clock that shows what it was set to."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


def signed(claims: dict[str, Any], *, algorithm: str = "HS256", **header: Any) -> bytes:
    """Return a token signed with the secret or the private key of the algorithm."""
    key = SECRET if algorithm == "HS256" else _PRIVATE[algorithm]
    return jwt.encode(claims, key, algorithm, headers=header).encode()


def public_key(algorithm: str, **members: Any) -> dict[str, Any]:
    """Return the public key of an algorithm as a member of a JWK set."""
    to_jwk: Callable[..., dict[str, Any]] = jwt.get_algorithm_by_name(algorithm).to_jwk
    return {**to_jwk(_PRIVATE[algorithm].public_key(), as_dict=True), **members}


def private_key(algorithm: str) -> dict[str, Any]:
    """Return the private key of an algorithm as a member of a JWK set."""
    to_jwk: Callable[..., dict[str, Any]] = jwt.get_algorithm_by_name(algorithm).to_jwk
    return to_jwk(_PRIVATE[algorithm], as_dict=True)


def key_set(*members: Any) -> bytes:
    """Return a JWK set."""
    return json.dumps({"keys": list(members)}).encode()


@pytest.fixture
def clock() -> Clock:
    """A clock at NOW."""
    return Clock()
