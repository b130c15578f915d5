"""Which coding a client gets: Accept-Encoding → the coding, of br, gzip and the body as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.studio.codings import BROTLI, GZIP, IDENTITY, preferred

ALL = (BROTLI, GZIP, IDENTITY)


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        (None, IDENTITY),
        (b"", IDENTITY),
        (b"gzip, deflate, br, zstd", BROTLI),  # Chromium's
        (b"gzip, deflate", GZIP),
        (b"deflate", IDENTITY),
        (b"GZIP", GZIP),
        (b"br;q=0, gzip", GZIP),
        (b"br;q=0.5, gzip;q=0.8", GZIP),
        (b"br;q=0.8,gzip;q=0.8", BROTLI),
        (b"br ; Q=1.000 , gzip;q=0.999", BROTLI),
        (b"br;q=0.1, identity;q=0.5", IDENTITY),
        (b"br;q=0.001", BROTLI),
        (b"*", BROTLI),
        (b"*;q=0", IDENTITY),  # nothing is taken: better this than nothing
        (b"*;q=0, gzip", GZIP),
        (b"br;q=0, *;q=0.5", GZIP),
        (b"identity;q=0, gzip;q=0.2", GZIP),
        (b"br;q=0, gzip;q=0", IDENTITY),
        (b"br;q=2, gzip", GZIP),  # no weight is above 1
        (b"br;q=0.1234, gzip;q=0.1", GZIP),
        (b"br;level=9, gzip;q=0.1", GZIP),
        (b"br;q=x", IDENTITY),
        (b"brotli", IDENTITY),
        (b",,;,", IDENTITY),
    ],
)
def test_the_coding_that_is_preferred(accept: bytes | None, coding: bytes) -> None:
    assert preferred(accept, ALL) == coding


def test_only_what_there_is_is_preferred() -> None:
    assert preferred(b"br, gzip", (IDENTITY,)) == IDENTITY
    assert preferred(b"br, gzip;q=0.5", (GZIP, IDENTITY)) == GZIP


@given(st.binary(max_size=60), st.sets(st.sampled_from((BROTLI, GZIP))))
def test_whatever_is_asked_the_answer_is_one_of_those_that_there_are(accept: bytes, compressed: set[bytes]) -> None:
    available = [coding for coding in ALL if coding in compressed or coding == IDENTITY]
    assert preferred(accept, available) in available
