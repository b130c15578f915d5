"""Tokens: which one counts, what makes it trusted, how long it is remembered, what is said otherwise."""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from hmac import digest
from types import MappingProxyType
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.auth.conftest import NOW, SECRET, Clock, key_set, private_key, public_key, signed
from wherry.auth.tokens import TokenVerifier, check_secret, sign
from wherry.errors import StartError, TokenError
from wherry.identity import ANONYMOUS, Identity


@pytest.fixture
def verifier(clock: Clock) -> TokenVerifier:
    return TokenVerifier(SECRET, clock=clock)


def base64url(text: bytes) -> bytes:
    return urlsafe_b64encode(text).rstrip(b"=")


def raw_token(payload: bytes, header: bytes = b'{"alg":"HS256"}') -> bytes:
    """Return a token whose payload and header are any bytes, signed with the secret."""
    signing_input = base64url(header) + b"." + base64url(payload)
    return signing_input + b"." + base64url(digest(SECRET.encode(), signing_input, sha256))


def refusal(verifier: TokenVerifier, token: bytes) -> tuple[str, str]:
    with pytest.raises(TokenError) as caught:
        verifier.verify(b"Bearer " + token, None)
    return caught.value.code, caught.value.message


def outcome(verifier: TokenVerifier, authorization: bytes | None, apikey: bytes | None) -> str:
    try:
        return f"role {verifier.verify(authorization, apikey).role}"
    except TokenError as error:
        return error.code


ADA = signed({"sub": "ada", "role": "authenticated"})
BOB = signed({"sub": "bob", "role": "authenticated"})


# Which token counts


@pytest.mark.parametrize(
    ("authorization", "apikey", "user"),
    [
        (b"Bearer " + ADA, None, "ada"),
        (b"Bearer " + ADA, BOB, "ada"),
        (b"Bearer " + ADA, b"sb_publishable_x", "ada"),
        (b"Bearer " + ADA, b"no token", "ada"),
        (b"bearer " + ADA, None, "ada"),
        (b"BEARER\t " + ADA + b" ", None, "ada"),
        (None, BOB, "bob"),
        (None, b" " + BOB, "bob"),
        (b"", BOB, "bob"),
        (b" ", BOB, "bob"),
        (b"Basic YWRhOmxvdmVsYWNl", BOB, "bob"),
        (b"Bearer sb_secret_x", BOB, "bob"),
        (b"Bearersb_secret_x", BOB, "bob"),
        (None, None, None),
        (None, b"", None),
        (None, b" ", None),
        (None, b"sb_publishable_x", None),
        (b"Bearer sb_publishable_x", b"sb_publishable_x", None),
        (b"Basic YWRhOmxvdmVsYWNl", None, None),
        (b"\xff\xfe", None, None),
    ],
)
def test_which_of_the_two_headers_counts(
    verifier: TokenVerifier, authorization: bytes | None, apikey: bytes | None, user: str | None
) -> None:
    for _ in range(2):  # the second time from memory
        identity = verifier.verify(authorization, apikey)
        expected = {"sub": user, "role": "authenticated"} if user else {}
        assert identity == (Identity("authenticated", MappingProxyType(expected)) if user else ANONYMOUS)


def test_a_token_without_a_role_is_anons(verifier: TokenVerifier) -> None:
    token = signed({"sub": "ada"})

    assert verifier.verify(b"Bearer " + token, None) == Identity(
        "anon", MappingProxyType({"sub": "ada", "role": "anon"})
    )


def test_a_role_that_is_null_is_anon(verifier: TokenVerifier) -> None:
    assert verifier.verify(b"Bearer " + signed({"role": None}), None).role == "anon"


def test_a_role_of_any_name_is_taken(verifier: TokenVerifier) -> None:
    assert verifier.verify(b"Bearer " + signed({"role": "Éditeur d'été"}), None).role == "Éditeur d'été"


# What makes it trusted


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "ES512", "EdDSA"])
@pytest.mark.parametrize("kid", [{}, {"kid": "first"}])
def test_a_token_of_another_issuer_is_verified_with_its_public_key(
    verifier: TokenVerifier, algorithm: str, kid: dict[str, str]
) -> None:
    assert verifier.trust(key_set(public_key(algorithm, **kid))) == 1

    assert verifier.verify(b"Bearer " + signed({"role": "r"}, algorithm=algorithm, kid="first"), None).role == "r"
    assert verifier.verify(b"Bearer " + signed({"role": "r"}, algorithm=algorithm), None).role == "r"
    assert verifier.verify(b"Bearer " + ADA, None).role == "authenticated"


def test_the_right_one_of_several_keys_is_found(verifier: TokenVerifier) -> None:
    other = jwt.algorithms.RSAAlgorithm.to_jwk(generate_private_key(65537, 2048).public_key(), as_dict=True)
    verifier.trust(key_set(other, public_key("RS256")))

    assert verifier.verify(b"Bearer " + signed({"role": "r"}, algorithm="RS256"), None).role == "r"


def test_where_only_public_keys_are_trusted_the_secret_signs_nothing(clock: Clock) -> None:
    verifier = TokenVerifier(None, clock=clock)
    verifier.trust(key_set(public_key("ES256")))

    assert verifier.verify(b"Bearer " + signed({"role": "r"}, algorithm="ES256"), None).role == "r"
    assert refusal(verifier, ADA) == ("PGRST301", "No suitable key or wrong key type")


def test_a_public_key_is_no_hmac_secret(verifier: TokenVerifier) -> None:
    public = jwt.algorithms.RSAAlgorithm.from_jwk(public_key("RS256"))
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    verifier.trust(key_set(public_key("RS256", kid="first")))

    for secret in (pem, json.dumps(public_key("RS256")).encode()):
        for header in (b'{"alg":"HS256","kid":"first"}', b'{"alg":"HS256"}'):
            signing_input = base64url(header) + b"." + base64url(b'{"role":"service_role"}')
            forged = signing_input + b"." + base64url(digest(secret, signing_input, sha256))
            assert refusal(verifier, forged) == ("PGRST301", "JWT cryptographic operation failed")


def test_an_unsigned_token_is_refused(verifier: TokenVerifier) -> None:
    for algorithm in ("none", "None", "NONE", ""):
        header = base64url(json.dumps({"alg": algorithm}).encode())
        token = header + b"." + base64url(b'{"role":"service_role"}') + b"."
        assert refusal(verifier, token) == ("PGRST301", "Wrong or unsupported encoding algorithm")


def test_the_algorithm_is_the_keys_and_not_the_tokens(verifier: TokenVerifier) -> None:
    verifier.trust(key_set(public_key("RS256", kid="first")))

    token = signed({"role": "r"}, algorithm="ES256", kid="first")
    assert refusal(verifier, token) == ("PGRST301", "No suitable key or wrong key type")


def test_a_key_of_another_name_does_not_verify(verifier: TokenVerifier) -> None:
    verifier.trust(key_set(public_key("ES256", kid="first")))

    token = signed({"role": "r"}, algorithm="ES256", kid="second")
    assert refusal(verifier, token) == ("PGRST301", "No suitable key or wrong key type")


def test_an_unknown_key_is_asked_for(clock: Clock) -> None:
    asked = []
    verifier = TokenVerifier(SECRET, clock=clock)
    verifier.unknown_key = lambda: asked.append(1)
    verifier.trust(key_set(public_key("ES256", kid="first")))

    verifier.verify(b"Bearer " + signed({}, algorithm="ES256", kid="first"), None)
    verifier.verify(b"Bearer " + signed({}), None)
    assert asked == []
    refusal(verifier, signed({}, algorithm="ES256", kid="second"))
    assert asked == [1]


def test_a_token_signed_with_another_secret_is_refused(verifier: TokenVerifier) -> None:
    token = jwt.encode({"role": "service_role"}, "another secret of thirty-two bytes or more", "HS256").encode()

    assert refusal(verifier, token) == ("PGRST301", "JWT cryptographic operation failed")


@pytest.mark.parametrize(
    ("token", "code", "message"),
    [
        (b"", "PGRST301", "Empty JWT is sent in Authorization header"),
        (b"word", "PGRST301", "Expected 3 parts in JWT; got 1"),
        (b"a.b", "PGRST301", "Expected 3 parts in JWT; got 2"),
        (b"a.b.c.d", "PGRST301", "Expected 3 parts in JWT; got 4"),
        (b"..", "PGRST301", "JWT cryptographic operation failed"),
        (b"a.b.c", "PGRST301", "JWT cryptographic operation failed"),
        (b"\xff.\xfe.\xfd", "PGRST301", "JWT cryptographic operation failed"),
        (b"a." + b"b" * 100_000 + b".c", "PGRST301", "JWT is too long"),
        (raw_token(b"{}", b"{}"), "PGRST301", "Wrong or unsupported encoding algorithm"),
        (raw_token(b"{}", b"[]"), "PGRST301", "JWT cryptographic operation failed"),
        (raw_token(b"{}", b'{"alg":["HS256"]}'), "PGRST301", "JWT cryptographic operation failed"),
        (raw_token(b"{}", b'{"alg":"HS256","kid":7}'), "PGRST301", "JWT cryptographic operation failed"),
        (raw_token(b"{}", b'{"alg":"HS256","crit":["x"]}'), "PGRST301", "JWT cryptographic operation failed"),
        (raw_token(b"{}", b"[" * 9000), "PGRST301", "JWT cryptographic operation failed"),
        (raw_token(b"{}", b'{"alg":"HS256","x":' + b"[" * 9000), "PGRST301", "JWT cryptographic operation failed"),
        (raw_token(b"{}", b'{"alg":"HS512"}'), "PGRST301", "Wrong or unsupported encoding algorithm"),
        (raw_token(b"[]"), "PGRST303", "Parsing claims failed"),
        (raw_token(b'"text"'), "PGRST303", "Parsing claims failed"),
        (raw_token(b"no JSON"), "PGRST303", "Parsing claims failed"),
        (raw_token(b'{"a":NaN}'), "PGRST303", "Parsing claims failed"),
        (raw_token(b'{"a":"\xff"}'), "PGRST303", "Parsing claims failed"),
        (raw_token(b'{"a":' + b"[" * 9000 + b"]" * 1), "PGRST303", "Parsing claims failed"),
        (raw_token(b'{"a":{"b":[18446744073709551616]}}'), "PGRST303", "Parsing claims failed"),
        (raw_token(b'{"exp":1e400}'), "PGRST303", "Parsing claims failed"),
        (raw_token(b'{"role":7}'), "PGRST303", "The JWT 'role' claim must be a string"),
        (raw_token(b'{"role":["anon"]}'), "PGRST303", "The JWT 'role' claim must be a string"),
    ],
)
def test_a_token_that_is_none_is_named(verifier: TokenVerifier, token: bytes, code: str, message: str) -> None:
    assert refusal(verifier, token) == (code, message)


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"exp": NOW - 31}, "JWT expired"),
        ({"exp": NOW - 30.5}, "JWT expired"),
        ({"exp": 0}, "JWT expired"),
        ({"exp": -(2**63)}, "JWT expired"),
        ({"nbf": NOW + 31}, "JWT not yet valid"),
        ({"nbf": 1e308}, "JWT not yet valid"),
        ({"iat": NOW + 31}, "JWT issued at future"),
        ({"exp": str(NOW + 60)}, "The JWT 'exp' claim must be a number"),
        ({"exp": True}, "The JWT 'exp' claim must be a number"),
        ({"nbf": []}, "The JWT 'nbf' claim must be a number"),
        ({"iat": {}}, "The JWT 'iat' claim must be a number"),
        ({"aud": 7}, "The JWT 'aud' claim must be a string or an array of strings"),
        ({"aud": ["a", 7]}, "The JWT 'aud' claim must be a string or an array of strings"),
        ({"aud": {}}, "The JWT 'aud' claim must be a string or an array of strings"),
    ],
)
def test_claims_that_do_not_hold_are_named(verifier: TokenVerifier, claims: dict[str, Any], message: str) -> None:
    assert refusal(verifier, raw_token(json.dumps(claims).encode())) == ("PGRST303", message)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW - 30},
        {"exp": NOW + 0.5},
        {"exp": 1e308},
        {"exp": 2**63 - 1},
        {"exp": None, "nbf": None, "iat": None, "aud": None},
        {"nbf": NOW + 30},
        {"iat": NOW + 30},
        {"aud": "anything"},
        {"aud": []},
        {"aud": ["a", "b"]},
        {"n": -(2**63), "m": 2**63 - 1, "deep": {"x": [1, [2.5, None, True, "t"]]}},
    ],
)
def test_claims_that_hold(verifier: TokenVerifier, claims: dict[str, Any]) -> None:
    identity = verifier.verify(b"Bearer " + raw_token(json.dumps(claims).encode()), None)

    assert identity == Identity("anon", MappingProxyType({**claims, "role": "anon"}))


@pytest.mark.parametrize(
    ("audience", "accepted"),
    [("ours", True), (["theirs", "ours"], True), (None, True), ([], True), ("theirs", False), (["theirs"], False)],
)
def test_an_audience_is_compared_where_one_is_configured(clock: Clock, audience: Any, accepted: bool) -> None:
    verifier = TokenVerifier(SECRET, audience="ours", clock=clock)
    token = raw_token(json.dumps({"aud": audience, "role": "r"}).encode())

    if accepted:
        assert verifier.verify(b"Bearer " + token, None).role == "r"
    else:
        assert refusal(verifier, token) == ("PGRST303", "JWT not in audience")


def test_a_refusal_challenges_the_caller(verifier: TokenVerifier) -> None:
    with pytest.raises(TokenError) as caught:
        verifier.verify(b"Bearer " + signed({"exp": NOW - 100}), None)

    assert (caught.value.status, dict(caught.value.headers), caught.value.body()) == (
        401,
        {"www-authenticate": 'Bearer error="invalid_token", error_description="JWT expired"'},
        {"code": "PGRST303", "message": "JWT expired", "details": None, "hint": None},
    )


@given(st.binary() | st.builds(b"Bearer ".__add__, st.binary()), st.none() | st.binary())
def test_no_header_raises_anything_but_a_token_error(authorization: bytes, apikey: bytes | None) -> None:
    assert outcome(TokenVerifier(SECRET), authorization, apikey) in {"role anon", "PGRST301"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
claim_names = st.sampled_from(["exp", "nbf", "iat", "aud", "role", "sub"])
header_names = st.sampled_from(["alg", "kid", "typ", "crit", "b64", "x"])


@given(st.dictionaries(claim_names, json_values), st.dictionaries(header_names, json_values))
def test_no_signed_token_raises_anything_but_a_token_error(claims: dict[str, Any], header: dict[str, Any]) -> None:
    verifier = TokenVerifier(SECRET, audience="ours")
    verifier.trust(key_set(public_key("RS256", kid="first"), public_key("EdDSA")))
    token = raw_token(json.dumps(claims).encode(), json.dumps({"alg": "HS256", **header}).encode())
    role = "anon" if claims.get("role") is None else claims["role"]
    assert outcome(verifier, b"Bearer " + token, None) in {f"role {role}", "PGRST301", "PGRST303"}


@given(st.integers(0, len(ADA) - 1), st.integers(0, 255))
def test_a_token_with_a_changed_byte_is_refused(position: int, byte: int) -> None:
    changed = ADA[:position] + bytes([byte]) + ADA[position + 1 :]
    verifier = TokenVerifier(SECRET)
    if changed == ADA:
        assert verifier.verify(None, changed).role == "authenticated"
    else:
        with pytest.raises(TokenError):
            verifier.verify(b"Bearer " + changed, None)


# How long it is remembered


def test_a_remembered_token_expires(verifier: TokenVerifier, clock: Clock) -> None:
    token = signed({"exp": NOW + 60})
    headers: list[tuple[bytes | None, bytes | None]] = [(b"Bearer " + token, None), (None, token)]
    for authorization, apikey in headers * 2:
        verifier.verify(authorization, apikey)
    assert (verifier.misses, verifier.hits) == (2, 2)

    clock.now = NOW + 90
    for authorization, apikey in headers:
        verifier.verify(authorization, apikey)
    assert (verifier.misses, verifier.hits) == (2, 4)

    clock.now = NOW + 90.5
    for authorization, apikey in headers:
        with pytest.raises(TokenError, match=r"^JWT expired$"):
            verifier.verify(authorization, apikey)


def test_a_remembered_token_is_forgotten_with_its_key(verifier: TokenVerifier) -> None:
    token = signed({"role": "r"}, algorithm="ES256")
    verifier.trust(key_set(public_key("ES256")))
    assert verifier.verify(b"Bearer " + token, None).role == "r"
    assert verifier.verify(None, token).role == "r"

    verifier.trust(key_set(public_key("RS256")))

    assert refusal(verifier, token) == ("PGRST301", "No suitable key or wrong key type")
    with pytest.raises(TokenError):
        verifier.verify(None, token)


def test_no_more_tokens_are_remembered_than_the_capacity(clock: Clock) -> None:
    verifier = TokenVerifier(SECRET, clock=clock, capacity=2)
    first, second, third = (b"Bearer " + signed({"sub": name}) for name in "abc")
    for header in (first, second, third, third, second, first):
        verifier.verify(header, None)

    assert (verifier.hits, verifier.misses) == (2, 4)


# The keys


def test_a_secret_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(StartError) as caught:
        TokenVerifier("x" * 31)
    assert str(caught.value) == (
        "The JWT secret has 31 bytes, but at least 32 are needed: set JWT_SECRET to a long random text."
    )


def test_a_secret_is_measured_in_bytes() -> None:
    assert check_secret("é" * 16) == "é".encode() * 16


def test_what_is_signed_is_verified(verifier: TokenVerifier) -> None:
    token = sign({"role": "r", "n": 1, "list": [1, {"a": None}]}, SECRET).encode()

    assert dict(verifier.verify(None, token).claims) == {"role": "r", "n": 1, "list": [1, {"a": None}]}


_SMALL_RSA = jwt.algorithms.RSAAlgorithm.to_jwk(
    jwt.algorithms.RSAAlgorithm.from_jwk(
        {
            "kty": "RSA",
            "e": "AQAB",
            # a modulus of 1024 bits
            "n": base64url((2**1023 + 12345).to_bytes(128, "big")).decode(),
        }
    ),
    as_dict=True,
)


@pytest.mark.parametrize(
    "member",
    [
        public_key("RS256", use="enc"),
        public_key("RS256", key_ops=["sign"]),
        public_key("RS256", key_ops="verify"),
        public_key("RS256", kid=7),
        public_key("RS256", alg="PS256"),
        public_key("RS256", alg="HS256"),
        public_key("RS256", alg="none"),
        public_key("RS256", alg=["RS256"]),
        public_key("RS256", n=""),
        public_key("RS256", e=7),
        public_key("ES256", x="AAAA"),
        public_key("ES256", crv="P-384"),
        public_key("ES512", alg="ES256"),
        public_key("ES256", kty="RSA"),
        public_key("EdDSA", x="AAAA"),
        private_key("ES256"),
        _SMALL_RSA,
        {"kty": "oct", "k": base64url(SECRET.encode()).decode(), "alg": "HS256"},
        {"kty": "oct", "k": base64url(SECRET.encode()).decode(), "alg": "RS256"},
        {"kty": "unknown"},
        {},
        "text",
        None,
    ],
)
def test_a_key_that_cannot_verify_is_left_out(verifier: TokenVerifier, member: Any) -> None:
    assert verifier.trust(key_set(member, public_key("EdDSA"))) == 1
    with pytest.raises(StartError, match=r"^The key set has no public key for RS256, ES256 or EdDSA\.$"):
        verifier.trust(key_set(member))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"<html>", "The key set is no JSON."),
        (b"\xff", "The key set is no JSON."),
        (b"[" * 100_000, "The key set is no JSON."),
        (b"[]", 'The key set is no JWK set: it has no member "keys".'),
        (b"{}", 'The key set is no JWK set: it has no member "keys".'),
        (b'{"keys":{}}', 'The key set is no JWK set: it has no member "keys".'),
        (b'{"keys":[]}', "The key set has no public key for RS256, ES256 or EdDSA."),
    ],
)
def test_a_text_that_is_no_key_set_is_refused_and_the_last_keys_stay(
    verifier: TokenVerifier, text: bytes, sentence: str
) -> None:
    verifier.trust(key_set(public_key("EdDSA")))
    with pytest.raises(StartError) as caught:
        verifier.trust(text)

    assert str(caught.value) == sentence
    assert verifier.verify(None, signed({"role": "r"}, algorithm="EdDSA")).role == "r"
