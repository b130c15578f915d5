"""Perhaps you meant: the known name that is most like one that is not known."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache
from heapq import nlargest
from itertools import pairwise

_LIKE_ENOUGH = 0.6
_LONGEST = 64  #: letters that are compared: the name is a caller's, and so is its length
_COMPARED = 10


def closest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that is most like the name, the first of several, None where nothing is like it.

    Pairs of letters, cheap to compare, choose a few candidates; those are compared letter by letter. A thousand
    names take about a millisecond.
    """
    asked = name[:_LONGEST].casefold()
    pairs = _pairs(asked)
    chosen = nlargest(_COMPARED, candidates, key=lambda candidate: _likeness(pairs, _pairs(candidate)))
    matcher = SequenceMatcher(None, b=asked, autojunk=False)  # which remembers what it found out about b
    best, score = None, _LIKE_ENOUGH
    for candidate in chosen:
        matcher.set_seq1(candidate[:_LONGEST].casefold())
        ratio = matcher.ratio()
        if ratio > score or (best is None and ratio == score):
            best, score = candidate, ratio
    return best


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one) + len(other))


@lru_cache(maxsize=8192)
def _pairs(name: str) -> frozenset[str]:
    framed = f"^{name[:_LONGEST].casefold()}$"
    return frozenset(first + second for first, second in pairwise(framed))
