"""Which coding of a body a client prefers (RFC 9110, 12.5.3)."""

import re
from collections.abc import Iterable

BROTLI, GZIP, IDENTITY = b"br", b"gzip", b"identity"

#: What a coding is worth that a client takes, but does not name: the body as it is.
_LEAST = 0.0001
_WEIGHT = re.compile(rb"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)").fullmatch


def preferred(accept_encoding: bytes | None, available: Iterable[bytes]) -> bytes:
    """Return the coding of the highest weight among those that there are, the first of equals.

    Where the client takes none of them it gets the body as it is: better than nothing.
    """
    if accept_encoding is None:
        return IDENTITY
    weights = _weights(accept_encoding)
    others = weights.get(b"*", 0.0)
    unnamed = {IDENTITY: weights.get(b"*", _LEAST)}
    best = max(available, key=lambda coding: weights.get(coding, unnamed.get(coding, others)))
    return best if weights.get(best, unnamed.get(best, others)) > 0 else IDENTITY


def _weights(accept_encoding: bytes) -> dict[bytes, float]:
    """Return the weight of each coding that is named; one whose weight cannot be read has none."""
    weights: dict[bytes, float] = {}
    for item in accept_encoding.lower().split(b","):
        coding, weighted, weight = item.partition(b";")
        read = _WEIGHT(weight.strip()) if weighted else None
        weights[coding.strip()] = 1.0 if not weighted else float(read[1]) if read else 0.0
    return weights
