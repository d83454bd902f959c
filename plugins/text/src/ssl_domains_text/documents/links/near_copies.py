"""Near copies among many texts: pairs that share most of their words.

Candidates come from MinHash signatures in bands (Broder 1997, On the Resemblance and Containment of Documents;
Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, ch. 3), and each is then compared exactly.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ssl_domains_text.documents.search.analysis import Analysis

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["near_copies", "word_sets"]

_HASHES = 96  # hashes of a block: 32 bands of 3 numbers, or 48 of 2; a pair that shares 60 % is missed with p .0004
_MISSED = 0.01  # largest probability that a pair of the smallest similarity is missed
_FEW_IN_COMMON = 0.3  # below this similarity, bands of 3 numbers would need too many hashes
_COMPARED = 100_000  # pairs that are compared at a time
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

    The smaller the part, the more bands: at least 99 % of the pairs of exactly this similarity are candidates.

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
    known = [sets[row] for row in filled]
    words = _as_rows(known)
    rows, blocks = _bands(least)
    rng = np.random.default_rng(0)
    found = np.zeros(0, dtype=np.int64)
    for _ in range(blocks):
        found = np.union1d(found, _alike(words, _candidates(_signatures(known, rng), rows), least))
    pairs = np.stack(np.divmod(found, len(known)), axis=1)
    return filled[pairs], _jaccard(words, pairs)


def _bands(least: float) -> tuple[int, int]:
    """(numbers of a band, blocks of hashes), so that few pairs of this similarity are in no band together."""
    rows = 2 if least < _FEW_IN_COMMON else 3
    bands = math.log(_MISSED) / math.log1p(-(least**rows)) if least < 1 else 1
    return rows, math.ceil(bands / (_HASHES // rows))


def _candidates(signatures: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """Pairs that are equal in a band, as ``one * n + other``, ascending."""
    count = len(signatures)
    codes = [np.zeros(0, dtype=np.int64)]
    for start in range(0, _HASHES, rows):
        part = np.ascontiguousarray(signatures[:, start : start + rows])
        _, code = np.unique(part, axis=0, return_inverse=True)
        order = np.argsort(code.reshape(-1), kind="stable")
        starts = np.flatnonzero(np.diff(code.reshape(-1)[order], prepend=-1))
        found = [codes[0]]
        for members in np.split(order, starts[1:]):
            if len(members) < 2:
                continue
            if len(members) <= _FEW:
                one, other = np.triu_indices(len(members), 1)
                found.append(members[one] * count + members[other])
            else:
                found.append(members[0] * count + members[1:])
        codes.append(np.unique(np.concatenate(found)))
    return np.unique(np.concatenate(codes))


def _alike(words: csr_array, candidates: NDArray[np.int64], least: float) -> NDArray[np.int64]:
    """Those of the candidates whose similarity is large enough."""
    kept = [candidates[:0]]
    for start in range(0, len(candidates), _COMPARED):
        some = candidates[start : start + _COMPARED]
        pairs = np.stack(np.divmod(some, words.shape[0]), axis=1)
        kept.append(some[_jaccard(words, pairs) >= least])
    return np.concatenate(kept)


def _signatures(sets: Sequence[NDArray[np.int64]], rng: np.random.Generator) -> NDArray[np.int64]:
    factors = rng.integers(1, _PRIME, _HASHES, dtype=np.int64)
    shifts = rng.integers(0, _PRIME, _HASHES, dtype=np.int64)
    # Below 2^31 times below 2^31 fits an int64.
    return np.stack([((one % _PRIME)[:, None] * factors % _PRIME + shifts).min(axis=0) for one in sets])


def _as_rows(sets: Sequence[NDArray[np.int64]]) -> csr_array:
    """The sets as rows of a sparse matrix with a column for each hash."""
    from scipy.sparse import csr_array

    starts = np.concatenate([[0], np.cumsum([len(one) for one in sets])])
    hashes = np.concatenate(list(sets))
    return csr_array((np.ones(len(hashes), dtype=np.int32), hashes, starts), shape=(len(sets), 1 << 32))


def _jaccard(words: csr_array, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Similarity of each pair, float64 ``[m]``."""
    sizes = np.diff(words.indptr)
    one, other = pairs[:, 0], pairs[:, 1]
    shared = np.asarray(words[one].multiply(words[other]).sum(axis=1)).reshape(-1).astype(np.int64)
    made: NDArray[np.float64] = shared / (sizes[one] + sizes[other] - shared)
    return made
