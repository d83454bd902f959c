"""Find near duplicates on two sides of a split: pictures whose perceptual hashes differ in a few bits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.audit.contents import Contents
from ssl_domains.audit.finding import Finding, percent
from ssl_domains.audit.perceptual import Looks, hamming
from ssl_domains.audit.sides import Side

__all__ = ["ALIKE", "close_pairs", "shared_looks"]

# Smallest correlation of two 16 × 16 pictures that count as near duplicates. Hashes of similar pictures (slices,
# glyphs) may be equal by chance; the correlation separates them.
ALIKE = 0.97
# A picture whose standard deviation is below this share of its largest value holds only noise and is not compared.
_FLAT = 0.01
_TILE = 1024
_SHOWN = 10


def shared_looks(a: Side, of_a: Contents, b: Side, of_b: Contents, distance: int) -> Finding:
    """Finding on near duplicates of two sides. Exact duplicates and flat pictures are left out.

    Args:
        a: One side.
        of_a: Contents of side a, with ``looks``.
        b: The other side.
        of_b: Contents of side b, with ``looks``.
        distance: Largest number of bits, of 64, in which two hashes may differ.
    """
    assert of_a.looks is not None
    assert of_b.looks is not None
    equal = set(of_a.digests) & set(of_b.digests)
    rows_a, flat_a = _comparable(of_a, equal)
    rows_b, flat_b = _comparable(of_b, equal)
    best_a, best_b = _Nearest.of(len(a)), _Nearest.of(len(b))
    left, right = of_a.looks, of_b.looks
    for i, j in close_pairs(left.hashes[rows_a], right.hashes[rows_b], distance):
        one, other = rows_a[i], rows_b[j]
        same = np.einsum("nk,nk->n", left.shapes[one].astype(np.float32), right.shapes[other].astype(np.float32))
        one, other, same = one[same >= ALIKE], other[same >= ALIKE], same[same >= ALIKE]
        bits = hamming(left.hashes[one], right.hashes[other])
        best_a.note(one, other, bits)
        best_b.note(other, one, bits)
    near_a, near_b = int(best_a.found.sum()), int(best_b.found.sum())
    ids_a, ids_b = a.table.frame["sample"], b.table.frame["sample"]
    nearest = np.flatnonzero(best_b.found)
    nearest = nearest[np.argsort(best_b.bits[nearest], kind="stable")]
    sentence = (
        f"{near_b:,} samples of {b.name} ({percent(near_b, len(b))}) look like {near_a:,} of {a.name} "
        f"(hashes differ in {int(best_b.bits[nearest[0]])} to {int(best_b.bits[nearest[-1]])} of 64 bits)"
        if near_b
        else f"no sample of {b.name} looks like one of {a.name} (within {distance} of 64 bits)"
    )
    details = {
        "distance": distance,
        "distances": {str(bits): int((best_b.bits[nearest] == bits).sum()) for bits in range(distance + 1)},
        "flat_a": flat_a,
        "flat_b": flat_b,
        "examples": [
            {"a": ids_a[int(best_b.partner[row])], "b": ids_b[int(row)], "distance": int(best_b.bits[row])}
            for row in nearest[:_SHOWN]
        ],
    }
    what = f"within {distance} bits"
    return Finding("near", what, a.name, b.name, near_b, near_a, near_b, len(a), len(b), near_b > 0, sentence,
                   details)  # fmt: skip


def close_pairs(
    a: NDArray[np.uint64], b: NDArray[np.uint64], distance: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """All pairs (i, j) of hashes that differ in at most ``distance`` bits, in blocks; a pair may occur more than once.

    The 64 bits are cut into ``distance + 1`` bands. Hashes that differ in at most ``distance`` bits are equal in at
    least one band, so that only hashes with an equal band are compared.
    """
    edges = np.linspace(0, 64, distance + 2).astype(int)
    for low, high in itertools.pairwise(edges.tolist()):
        mask = np.uint64(((1 << (high - low)) - 1) << low)
        for i, j in _buckets(a & mask, b & mask):
            for start in range(0, len(i), _TILE):
                for at in range(0, len(j), _TILE):
                    rows, columns = i[start : start + _TILE], j[at : at + _TILE]
                    close = np.nonzero(hamming(a[rows][:, None], b[columns][None, :]) <= distance)
                    if len(close[0]):
                        yield rows[close[0]], columns[close[1]]


def _buckets(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """For each key that occurs in both arrays, its positions in ``a`` and in ``b``."""
    order_a, order_b = np.argsort(a, kind="stable"), np.argsort(b, kind="stable")
    keys = np.intersect1d(a, b)
    sorted_a, sorted_b = a[order_a], b[order_b]
    bounds = [np.searchsorted(values, keys, side) for values in (sorted_a, sorted_b) for side in ("left", "right")]
    for from_a, to_a, from_b, to_b in zip(*bounds, strict=True):
        yield order_a[from_a:to_a], order_b[from_b:to_b]


@dataclass(frozen=True)
class _Nearest:
    """For each row of one side, the nearest row of the other side so far.

    Attributes:
        bits: int64 ``[n]``: bits in which the two hashes differ; 65 where there is none.
        partner: int64 ``[n]``: the nearest row; −1 where there is none.
    """

    bits: NDArray[np.int64]
    partner: NDArray[np.int64]

    @classmethod
    def of(cls, n: int) -> _Nearest:
        return cls(np.full(n, 65, dtype=np.int64), np.full(n, -1, dtype=np.int64))

    @property
    def found(self) -> NDArray[np.bool_]:
        return self.partner >= 0

    def note(self, rows: NDArray[np.int64], partners: NDArray[np.int64], bits: NDArray[np.uint8]) -> None:
        # Sorted from far to near: when a row occurs several times, the nearest partner is written last.
        order = np.argsort(-bits.astype(np.int64), kind="stable")
        rows, partners, bits = rows[order], partners[order], bits[order]
        better = bits < self.bits[rows]
        self.bits[rows[better]] = bits[better]
        self.partner[rows[better]] = partners[better]


def _comparable(contents: Contents, equal: set[str | None]) -> tuple[NDArray[np.int64], int]:
    """(rows that are compared, number of flat rows); rows whose digest is in ``equal`` are left out."""
    looks: Looks | None = contents.looks
    assert looks is not None
    known = np.isfinite(looks.spreads)
    flat = contents.flat | (known & ~(looks.spreads > _FLAT))
    apart = np.array([digest is not None and digest in equal for digest in contents.digests], dtype=np.bool_)
    return np.flatnonzero(known & ~flat & ~apart), int(flat.sum())
