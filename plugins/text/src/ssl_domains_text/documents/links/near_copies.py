"""Near copies among many texts: pairs that share most of their words.

Candidates come from MinHash signatures in bands (Broder 1997, On the Resemblance and Containment of Documents;
Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, ch. 3), and each is then compared exactly.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ssl_domains_text.documents.search.analysis import Analysis

__all__ = ["near_copies", "word_sets"]

_HASHES, _ROWS = 96, 3  # 32 bands of 3: a pair that shares 60 % is missed with probability .0004
_PRIME = (1 << 31) - 1
_FEW = 1000  # documents of one band that are compared with each other; more of them are compared with the first
_PLAIN = Analysis("none", shortest=1)


def word_sets(texts: Iterable[str]) -> list[NDArray[np.int64]]:
    """The set of words and of pairs of neighbouring words of each text, as sorted hashes."""
    made = []
    for text in texts:
        words = _PLAIN.terms(text)
        pairs = [f"{one} {other}" for one, other in pairwise(words)]
        hashes = [zlib.crc32(term.encode()) for term in (*words, *pairs)]
        made.append(np.unique(np.array(hashes, dtype=np.int64)))
    return made


def near_copies(sets: Sequence[NDArray[np.int64]], least: float = 0.8) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find the pairs of texts that share at least a part of their words.

    Args:
        sets: Result of `word_sets`.
        least: Smallest Jaccard similarity: words that both have, of those that one has.

    Returns:
        Pairs int64 ``[m, 2]``, the smaller number first, in ascending order; and their similarity ``[m]``.
    """
    filled = np.array([row for row, one in enumerate(sets) if len(one)], dtype=np.int64)
    none = np.zeros((0, 2), dtype=np.int64), np.zeros(0)
    if len(filled) < 2:
        return none
    signatures = _signatures([sets[row] for row in filled])
    pairs: set[tuple[int, int]] = set()
    for band in range(_HASHES // _ROWS):
        part = np.ascontiguousarray(signatures[:, band * _ROWS : (band + 1) * _ROWS])
        _, code = np.unique(part, axis=0, return_inverse=True)
        order = np.argsort(code.reshape(-1), kind="stable")
        starts = np.flatnonzero(np.diff(code.reshape(-1)[order], prepend=-1))
        for members in np.split(filled[order], starts[1:]):
            if len(members) < 2:
                continue
            firsts = members if len(members) <= _FEW else members[:1]
            pairs |= {(int(one), int(other)) for place, one in enumerate(firsts) for other in members[place + 1 :]}
    found = [(one, other, _jaccard(sets[one], sets[other])) for one, other in sorted(pairs)]
    kept = [one for one in found if one[2] >= least]
    if not kept:
        return none
    return np.array([one[:2] for one in kept], dtype=np.int64), np.array([one[2] for one in kept])


def _signatures(sets: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    rng = np.random.default_rng(0)
    factors = rng.integers(1, _PRIME, _HASHES, dtype=np.int64)
    shifts = rng.integers(0, _PRIME, _HASHES, dtype=np.int64)
    # Below 2^31 times below 2^31 fits an int64.
    return np.stack([((one % _PRIME)[:, None] * factors % _PRIME + shifts).min(axis=0) for one in sets])


def _jaccard(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)
