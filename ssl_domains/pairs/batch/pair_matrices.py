"""The pairs of a small batch as NumPy matrices of anchors × candidates, made in few calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

if TYPE_CHECKING:
    from ssl_domains.pairs.batch.pair_batch import PairBatch

__all__ = ["PairMatrices", "pair_matrices"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PairMatrices:
    """All pairs of M anchors with N candidates under R relations.

    Attributes:
        weights: For each relation, w_r,ij ``[M, N]``; in float64 where weights are graded.
        cross_sample: bool ``[R, M]``: whether the anchor has a positive of another sample.
        diagonal: Whether the candidates outside A(i) are those on the diagonal.
        allowed: bool ``[M, N]``: candidate j is in A(i); None with ``diagonal``, and where all are.
    """

    weights: tuple[NDArray[Any], ...]
    cross_sample: Bools
    diagonal: bool
    allowed: Bools | None


def pair_matrices(pairs: PairBatch, dtype: DTypeLike) -> PairMatrices:
    """See `PairBatch.matrices`."""
    everything = slice(None)
    diagonal = pairs.square and not pairs.has_ignore
    all_others = diagonal or not (pairs.has_ignore or pairs.has_self_pairs)
    if all(pairs.by_codes):
        weights, cross = _by_codes(pairs, dtype)
        allowed = None if all_others else pairs.tile(everything, everything, []).allowed.numpy()
        return PairMatrices(weights, cross, diagonal, allowed)
    tile = pairs.dense()
    matches = tile.matches.numpy()
    weights = tuple(
        _numbers(matched, dtype) if grades is None else grades.numpy()
        for matched, grades in zip(matches, tile.grades, strict=True)
    )
    cross = (matches & pairs.other_sample(everything, everything).numpy()).any(2)
    return PairMatrices(weights, cross, diagonal, None if all_others else tile.allowed.numpy())


def _by_codes(pairs: PairBatch, dtype: DTypeLike) -> tuple[tuple[NDArray[Any], ...], Bools]:
    """Weights and ``cross_sample`` of relations that are equality of codes."""
    codes, candidate_codes = pairs.codes.numpy().T, pairs.candidate_codes.numpy().T
    samples, candidate_samples = pairs.anchors.sample.numpy(), pairs.candidates.sample.numpy()
    rows = len(samples) + len(candidate_samples)
    itself = None if pairs.square else _pairs_with_itself(pairs.self_index.numpy())
    # Ranks stay below the number of rows, and short numbers compare several times faster.
    short = np.int16 if rows < 2**15 else np.int32
    weights, cross = [], np.empty(codes.shape, dtype=np.bool_)
    for r, (a, c) in enumerate(zip(codes, candidate_codes, strict=True)):
        equal = a.astype(short)[:, None] == c.astype(short)
        if itself is None:
            equal.reshape(-1)[:: len(a) + 1] = False
        else:
            equal[itself] = False
        weights.append(_numbers(equal, dtype))
        # A code is of several samples if one of its candidates is of another sample than `some`, which is any of them.
        some = np.full(rows, -1)
        some[c] = candidate_samples
        several = np.bincount(c, candidate_samples != some[c], minlength=rows)
        cross[r] = several[a] > 0
        if not pairs.square:
            some_of_code = some[a]
            cross[r] |= (some_of_code >= 0) & (some_of_code != samples)
    return tuple(weights), cross


def _pairs_with_itself(self_index: Ints) -> tuple[Ints, Ints]:
    """Anchors that are among the candidates, and their columns."""
    anchors = np.flatnonzero(self_index >= 0)
    return anchors, self_index[anchors]


def _numbers(matches: Bools, dtype: DTypeLike) -> NDArray[Any]:
    return matches.view(np.int8).astype(dtype)  # twice as fast as from bool
