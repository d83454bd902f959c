"""The pairs of a small batch as NumPy matrices of anchors × candidates, made in few calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

if TYPE_CHECKING:
    from ssl_domains.pairs.batch.pair_batch import PairBatch, RelationRows
    from ssl_domains.pairs.batch.tile_rule import Equal

__all__ = ["PairMatrices", "cross_by_codes", "pair_matrices"]

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
    """See `PairBatch.matrices`. States are decided as in `PairBatch.tile`."""
    itself = None if pairs.square else _pairs_with_itself(pairs.self_index.numpy())
    own_stored = None if pairs.own_stored is None else _equal(pairs.own_stored)
    weights, matches = [], []
    cross = np.empty((len(pairs.weights), len(pairs.anchors)), dtype=np.bool_)
    own = None if pairs.own is None else _equal(pairs.own)
    own_is_sample = pairs.own is not None and pairs.own.anchors is pairs.anchors.sample
    same_sample = own if own is None or own_is_sample else _equal_samples(pairs)
    for r, relation in enumerate(pairs.relations):
        if pairs.by_codes[r]:
            matched = _equal_ranks(pairs, r)
            _clear(matched, itself)
            weights.append(_numbers(matched, dtype))
            matches.append(matched)
            cross[r] = cross_by_codes(pairs, r)
            continue
        assert own is not None
        assert same_sample is not None
        if relation.graded:
            graded = _grades(pairs, relation)
            if own_stored is not None:
                graded[own_stored] = 0
            graded[own] = 1
            _clear(graded, itself)
            matched = graded.astype(np.bool_)
            weights.append(graded)
        else:
            matched = _matches(pairs, relation)
            if own_stored is not None:
                np.greater(matched, own_stored, out=matched)
            matched |= own
            _clear(matched, itself)
            weights.append(_numbers(matched, dtype))
        matches.append(matched)
        np.logical_or.reduce(matched > same_sample, axis=1, out=cross[r])
    diagonal = pairs.square and not pairs.has_ignore
    if diagonal or not (pairs.has_ignore or pairs.has_self_pairs):
        return PairMatrices(tuple(weights), cross, diagonal, None)
    return PairMatrices(tuple(weights), cross, False, _allowed(pairs, matches, own_stored, itself))


def _allowed(
    pairs: PairBatch, matches: list[Bools], own_stored: Bools | None, itself: tuple[Ints, Ints] | None
) -> Bools:
    """Whether candidates are in A(i): bool ``[M, N]``."""
    if pairs.ignored is None:
        allowed = np.ones((len(pairs.anchors), len(pairs.candidates)), dtype=np.bool_)
    else:
        allowed = _matches(pairs, pairs.ignored)
        np.logical_not(allowed, out=allowed)
        for matched in matches:  # a positive of any relation is never ignored
            allowed |= matched
    if own_stored is not None:
        np.greater(allowed, own_stored, out=allowed)
    if pairs.filled is not None:
        allowed &= pairs.filled.numpy()
    _clear(allowed, itself)
    return allowed


def _matches(pairs: PairBatch, relation: RelationRows) -> Bools:
    """Where the rule says yes: a new bool ``[M, N]``."""
    equal = None if relation.key is None else _equal(relation.key)
    if relation.rule is None:
        assert equal is not None
        return equal
    answer = relation.rule.answer(True, slice(0, len(pairs.anchors)), slice(0, len(pairs.candidates))).numpy()
    if equal is None:
        return np.ascontiguousarray(answer)
    equal &= answer
    return equal


def _grades(pairs: PairBatch, relation: RelationRows) -> NDArray[np.float64]:
    """The weight of each match of a graded rule, 0 where there is none: a new float64 ``[M, N]``."""
    weights = relation.weights(slice(0, len(pairs.anchors)), slice(0, len(pairs.candidates)))
    return np.ascontiguousarray(weights.numpy())


def _equal(codes: Equal) -> Bools:
    """Where codes of anchors and candidates are equal, both known: a new bool ``[M, N]``."""
    # Below 2^31, and numbers of 32 bits compare twice as fast.
    candidates = codes.candidates.numpy().astype(np.int32)
    same = codes.anchors is codes.candidates
    return _outer_equal(candidates if same else codes.anchors.numpy().astype(np.int32), candidates)


def _equal_samples(pairs: PairBatch) -> Bools:
    return _outer_equal(pairs.anchors.sample.numpy().astype(np.int32), pairs.candidates.sample.numpy().astype(np.int32))


def _equal_ranks(pairs: PairBatch, r: int) -> Bools:
    """Where the codes of a relation are equal: a new bool ``[M, N]``."""
    # Ranks stay below the number of rows, and short numbers compare several times faster.
    short = np.int16 if len(pairs.anchors) + len(pairs.candidates) < 2**15 else np.int32
    candidates = pairs.candidate_codes.numpy()[:, r].astype(short)
    return _outer_equal(candidates if pairs.square else pairs.codes.numpy()[:, r].astype(short), candidates)


def _outer_equal(anchors: NDArray[Any], candidates: NDArray[Any]) -> Bools:
    equal: Bools = anchors[:, None] == candidates
    return equal


def cross_by_codes(pairs: PairBatch, r: int) -> Bools:
    """Whether anchors have a candidate of their code and another sample: bool ``[M]``."""
    c, samples = pairs.candidate_codes.numpy()[:, r], pairs.candidates.sample.numpy()
    ranks = len(c) if pairs.square else len(c) + len(pairs.codes)  # they stay below the number of rows
    # A code is of several samples if one of its candidates is of another sample than `some`, which is any of them.
    some = np.full(ranks, -1)
    some[c] = samples
    several: Bools = np.bincount(c, samples != some[c], minlength=ranks) > 0
    a = pairs.codes.numpy()[:, r]
    cross: Bools = several[a]
    if not pairs.square:
        some = some[a]
        cross |= (some >= 0) & (some != pairs.anchors.sample.numpy())
    return cross


def _pairs_with_itself(self_index: Ints) -> tuple[Ints, Ints]:
    """Anchors that are among the candidates, and their columns."""
    anchors = np.flatnonzero(self_index >= 0)
    return anchors, self_index[anchors]


def _clear(values: NDArray[Any], itself: tuple[Ints, Ints] | None) -> None:
    """Set the pairs of an anchor with itself to 0 or False, in place; ``itself`` is None in a square batch."""
    if itself is None:
        values.reshape(-1)[:: len(values) + 1] = 0
    else:
        values[itself] = 0


def _numbers(matches: Bools, dtype: DTypeLike) -> NDArray[Any]:
    return matches.view(np.int8).astype(dtype)  # twice as fast as from bool
