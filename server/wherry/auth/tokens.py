"""Verify the tokens that callers send, and sign our own: the only module that knows the JWT library.

Which token counts (as the gateway before the Supabase services decides it):

1. `Authorization: Bearer <JWT>` (the scheme in any case);
2. else, where there is no `Authorization`, one with another scheme, or `Bearer sb_…` (an opaque key that names no
   user), the JWT in `apikey`;
3. else none: the caller is `anon`. An `apikey` that begins with `sb_` is no JWT and counts as none.

How one is trusted:

- The key decides the algorithm, never the token: a token whose `alg` is not that of the key that its `kid` names is
  refused before any cryptography. So `none` matches no key, and a public key cannot serve as an HMAC secret.
- `exp`, `nbf`, `iat` and `aud` follow PostgREST (https://docs.postgrest.org/en/stable/references/auth.html): 30
  seconds of skew, null counts as absent, `aud` is compared only where an audience is configured.
- The role is the claim `role`, `anon` without it. Whether such a role exists is not asked here.

A verified token is remembered by the header it came in, until it expires or the keys change. Refused ones are not
remembered, so nobody can fill the memory with them.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from time import time
from types import MappingProxyType
from typing import TypeAlias

import jwt
import msgspec

from wherry.errors import StartError, TokenError
from wherry.identity import ANON, ANONYMOUS, ClaimValue, Identity

#: Seconds that clocks may differ.
SKEW = 30
#: The longest token that is looked at, in bytes; hyper takes longer headers.
LONGEST_TOKEN = 16 * 1024
#: The shortest secret, in bytes: the output of SHA-256 (RFC 7518, 3.2).
SHORTEST_SECRET = 32
#: The most keys of a JWK set that are looked at.
MOST_KEYS = 100

_SYMMETRIC = "HS256"
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}  # RFC 7518, 3.4
_ASYMMETRIC = frozenset({"RS256", "RS384", "RS512", *_CURVES, "EdDSA"})
_JWS = jwt.PyJWS(algorithms=[_SYMMETRIC, *_ASYMMETRIC], options={"enforce_minimum_key_length": True})

_UNDECODABLE = "PGRST301"
_CLAIMS = "PGRST303"

#: What decoding a text that is no JSON, or too deep, raises; what is no UTF-8 is a ValueError.
_NO_JSON = (msgspec.MsgspecError, ValueError, RecursionError)

_Remembered: TypeAlias = dict[bytes | None, tuple[Identity, float]]


@dataclass(frozen=True, slots=True)
class _Trust:
    """The keys of one moment with what they verified: replaced as a whole, so no token outlives its key."""

    keys: tuple[jwt.PyJWK, ...]
    bearers: _Remembered = field(default_factory=dict)
    apikeys: _Remembered = field(default_factory=dict)


class _Header(msgspec.Struct):
    """What the head of a token says about the key to verify it with."""

    alg: str | None = None
    kid: str | None = None


def _no_further_keys() -> None:
    """Do nothing: there is no source of further keys."""


class TokenVerifier:
    """Turns the headers of a request into an Identity; a class because it remembers what it verified.

    `secret` verifies HS256, None where only public keys are trusted. `clock` gives seconds since 1970. `unknown_key`
    may be set: it is called when a token names a key that is not there, and must return at once.
    """

    def __init__(
        self,
        secret: str | None,
        *,
        audience: str | None = None,
        clock: Callable[[], float] = time,
        capacity: int = 4096,
    ) -> None:
        self._secret = () if secret is None else (_symmetric_key(secret),)
        self._trust = _Trust(self._secret)
        self._audience = audience
        self.unknown_key: Callable[[], None] = _no_further_keys
        self._clock = clock
        self._capacity = capacity
        self.hits = 0  #: tokens found remembered
        self.misses = 0  #: tokens verified or refused

    def trust(self, key_set: bytes) -> int:
        """Replace the public keys by those of a JWK set (RFC 7517) and return their number.

        Keys that cannot verify (private, symmetric, weak, for encryption, unknown) are left out. Safe to call from
        another thread. Raises StartError for a text that is no JWK set or has no usable key.
        """
        keys = _public_keys(key_set)
        self._trust = _Trust((*self._secret, *keys))
        return len(keys)

    def verify(self, authorization: bytes | None, apikey: bytes | None) -> Identity:
        """Return who sends these two headers (their raw values, None where absent).

        Raises TokenError: PGRST301 for a token that cannot be decoded, PGRST303 for claims that do not hold.
        """
        trust = self._trust
        found = trust.bearers.get(authorization)
        if found is not None and self._clock() <= found[1]:
            self.hits += 1
            return found[0]
        token = _bearer(authorization) if authorization and not authorization.isspace() else None
        if token is not None:
            return self._verify(token, authorization, trust, trust.bearers)
        if not apikey:
            return ANONYMOUS
        found = trust.apikeys.get(apikey)
        if found is not None and self._clock() <= found[1]:
            self.hits += 1
            return found[0]
        token = apikey.strip()
        if not token or token.startswith(b"sb_"):
            return ANONYMOUS
        return self._verify(token, apikey, trust, trust.apikeys)

    def _verify(self, token: bytes, header: bytes | None, trust: _Trust, remembered: _Remembered) -> Identity:
        self.misses += 1
        remembered.pop(header, None)
        claims = _claims(self._payload(token, trust.keys))
        last_second = self._check_claims(claims)
        identity = _identity(claims)
        if len(remembered) >= self._capacity:
            del remembered[next(iter(remembered))]
        remembered[header] = (identity, last_second)
        return identity

    def _payload(self, token: bytes, keys: tuple[jwt.PyJWK, ...]) -> bytes:
        """Return the payload of a token that one of the keys has signed."""
        if not token:
            raise TokenError("Empty JWT is sent in Authorization header")
        if (parts := token.count(b".") + 1) != 3:
            raise TokenError(f"Expected 3 parts in JWT; got {parts}")
        if len(token) > LONGEST_TOKEN:
            raise TokenError("JWT is too long", details=f"The token has more than {LONGEST_TOKEN} bytes.")
        header = _header(token)
        named = [key for key in keys if header.kid is None or key.key_id is None or key.key_id == header.kid]
        if header.kid is not None and not any(key.key_id == header.kid for key in keys):
            self.unknown_key()
        fitting = [key for key in named if key.algorithm_name == header.alg]
        if not fitting:
            raise _no_key(header.alg)
        for key in fitting:
            try:
                payload: bytes = _JWS.decode_complete(token, key)["payload"]
            except jwt.PyJWTError:
                continue
            return payload
        raise TokenError("JWT cryptographic operation failed", details="No key verifies the signature.")

    def _check_claims(self, claims: Mapping[str, ClaimValue]) -> float:
        """Return the last second at which the claims hold."""
        now = self._clock()
        expires, not_before, issued = (_seconds(claims, name) for name in ("exp", "nbf", "iat"))
        if expires is not None and now > expires + SKEW:
            raise TokenError("JWT expired", code=_CLAIMS)
        if not_before is not None and now < not_before - SKEW:
            raise TokenError("JWT not yet valid", code=_CLAIMS)
        if issued is not None and now < issued - SKEW:
            raise TokenError("JWT issued at future", code=_CLAIMS)
        audiences = _audiences(claims)
        if self._audience is not None and audiences and self._audience not in audiences:
            raise TokenError("JWT not in audience", code=_CLAIMS)
        return inf if expires is None else expires + SKEW


def sign(claims: Mapping[str, ClaimValue], secret: str) -> str:
    """Return the claims as a token signed with the secret (HS256). Raises StartError for a short secret."""
    return _JWS.encode(msgspec.json.encode(claims), _symmetric_key(secret), _SYMMETRIC)


def _bearer(authorization: bytes) -> bytes | None:
    """Return the token of an Authorization header, None where it holds none that counts."""
    scheme, *rest = authorization.split(None, 1)
    if scheme.lower() != b"bearer":
        return None
    token = rest[0].rstrip() if rest else b""
    return None if token.startswith(b"sb_") else token


def check_secret(secret: str) -> bytes:
    """Return the secret's bytes. Raises StartError for one that could be guessed."""
    octets = secret.encode("utf-8", "surrogateescape")
    if len(octets) < SHORTEST_SECRET:
        raise StartError(
            f"The JWT secret has {len(octets)} bytes, but at least {SHORTEST_SECRET} are needed: "
            "set JWT_SECRET to a long random text."
        )
    return octets


def _symmetric_key(secret: str) -> jwt.PyJWK:
    octets = check_secret(secret)
    return jwt.PyJWK({"kty": "oct", "alg": _SYMMETRIC, "k": urlsafe_b64encode(octets).rstrip(b"=").decode()})


def _public_keys(key_set: bytes) -> tuple[jwt.PyJWK, ...]:
    try:
        document = msgspec.json.decode(key_set)
    except _NO_JSON as error:
        raise StartError("The key set is no JSON.") from error
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise StartError('The key set is no JWK set: it has no member "keys".')
    keys = tuple(key for member in members[:MOST_KEYS] if (key := _public_key(member)) is not None)
    if not keys:
        raise StartError("The key set has no public key for RS256, ES256 or EdDSA.")
    return keys


def _public_key(member: object) -> jwt.PyJWK | None:
    """Return a key that can verify signatures, None for one that cannot."""
    if not isinstance(member, dict) or member.get("use", "sig") != "sig" or "d" in member:
        return None
    operations = member.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    if not isinstance(member.get("kid"), str | None):
        return None
    try:
        key = jwt.PyJWK(member)
        # A key that cannot even refuse a wrong signature would fail with each token: that shows here.
        weakness = key.Algorithm.check_key_length(key.key)
        usable = not weakness and not key.Algorithm.verify(b"", key.key, bytes(64))
    except Exception:  # for odd members the library lets ValueError, TypeError, AttributeError… through
        return None
    curve = _CURVES.get(key.algorithm_name, member.get("crv"))
    return key if usable and key.algorithm_name in _ASYMMETRIC and curve == member.get("crv") else None


def _header(token: bytes) -> _Header:
    """Return what a token says about its key; the library reads it again, strictly, when it verifies the token."""
    segment = token.partition(b".")[0]
    try:
        return msgspec.json.decode(urlsafe_b64decode(segment + b"=" * (-len(segment) % 4)), type=_Header)
    except _NO_JSON as error:  # a wrong base64 is a ValueError
        raise TokenError("JWT cryptographic operation failed", details="Its header cannot be decoded.") from error


def _no_key(algorithm: str | None) -> TokenError:
    if algorithm == _SYMMETRIC or algorithm in _ASYMMETRIC:
        return TokenError("No suitable key or wrong key type")
    return TokenError("Wrong or unsupported encoding algorithm")


def _claims(payload: bytes) -> dict[str, ClaimValue]:
    try:
        claims: object = msgspec.json.decode(payload)
        if isinstance(claims, dict) and _fits(claims):
            return claims
    except _NO_JSON as error:
        raise TokenError("Parsing claims failed", code=_CLAIMS) from error
    raise TokenError(
        "Parsing claims failed", code=_CLAIMS, details="Claims are a JSON object, whose integers have 64 bits at most."
    )


def _fits(value: object) -> bool:
    """Say whether all integers can be bound to a statement."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, dict):
        return all(map(_fits, value.values()))
    return not isinstance(value, list) or all(map(_fits, value))


def _seconds(claims: Mapping[str, ClaimValue], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(f"The JWT '{name}' claim must be a number", code=_CLAIMS)
    return value


def _audiences(claims: Mapping[str, ClaimValue]) -> list[ClaimValue]:
    value = claims.get("aud")
    audiences: list[ClaimValue] = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(audience, str) for audience in audiences):
        raise TokenError("The JWT 'aud' claim must be a string or an array of strings", code=_CLAIMS)
    return audiences


def _identity(claims: dict[str, ClaimValue]) -> Identity:
    role = claims.get("role")
    if role is None:
        role = ANON
    if not isinstance(role, str):
        raise TokenError("The JWT 'role' claim must be a string", code=_CLAIMS)
    return Identity(role, MappingProxyType({**claims, "role": role}))
