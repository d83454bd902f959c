"""Computes the matrix anchors × candidates tile by tile: logits, positives of predicates, and allowed candidates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["LOG2_E", "Sweep", "SweptTile"]

LOG2_E = math.log2(math.e)

# With logits below this bound, the sum of exp2 over any batch neither overflows nor underflows in float32.
_SAFE_EXPONENT = 60.0


@dataclass
class SweptTile:
    """One tile of a `Sweep`.

    Attributes:
        i: Its anchors.
        j: Its candidates.
        mirrored: Whether it also represents the tile (j, i), which isn't computed.
        logits: ``[I, J]`` to the base 2, s_ij·log₂e, in a buffer that the next tile overwrites.
        matches: Bool ``[predicates, I, J]``, positives of each predicate; None without predicates.
        grades: Weights of each predicate's positives, float64 ``[I, J]``; None where each weighs 1.
        allowed: Bool ``[I, J]``, which candidates are in A(i); None when only the anchor itself is not.
        own: int64 ``[I]``, the column of the tile that is the anchor itself, outside ``[0, J)`` when no column is;
            None when that holds for every anchor.
    """

    i: slice
    j: slice
    mirrored: bool
    logits: Tensor
    matches: Tensor | None
    grades: tuple[Tensor | None, ...]
    allowed: Tensor | None
    own: Tensor | None

    def mask_logits(self) -> Tensor:
        """Set the logits outside A(i) to −∞, in place, and return them."""
        if self.allowed is not None:
            return self.logits.masked_fill_(~self.allowed, -torch.inf)
        if self.own is None:
            return self.logits
        column = self.own.clamp(0, self.logits.shape[1] - 1)[:, None]
        here = column[:, 0] == self.own
        # gather and scatter, because an index by a mask would wait for the device
        value = self.logits.gather(1, column).masked_fill_(here[:, None], -torch.inf)
        return self.logits.scatter_(1, column, value)


class Sweep:
    """The tiles of the matrix s = z·c/τ, row of tiles by row of tiles.

    A rule is symmetric. So where the candidates are the anchors, only the tiles on and above the diagonal are computed,
    and a tile above it also represents the tile mirrored at the diagonal.

    Args:
        z: ``[M, d]`` anchors.
        keys: ``[N, d]`` candidates; None when they are the anchors.
        tau: Temperature, a scalar tensor.
        pairs: The pairs; their predicates and ignore rules are evaluated tile by tile, relations by codes are not.
        side: Side of a tile; None for a side that suits the device.

    Attributes:
        predicates: Numbers of the relations that are not equality of codes.
        bounded: Whether the logits are small enough that no maximum is subtracted before an exponential. Always false
            on an accelerator, where the check would wait for the device.
    """

    def __init__(self, z: Tensor, keys: Tensor | None, tau: Tensor, pairs: PairBatch, side: int | None) -> None:
        self.symmetric = keys is None
        self.keys = z if keys is None else keys
        self.scaled, self.pairs = z * (LOG2_E / tau), pairs
        # On a CPU a tile should stay in the cache; on an accelerator few large tiles are cheaper than many small ones.
        self.side = (512 if z.device.type == "cpu" else 2048) if side is None else side
        self.predicates = [r for r, by_codes in enumerate(pairs.by_codes) if not by_codes]
        self._needs_pairs = bool(self.predicates) or pairs.has_ignore
        self.bounded = z.device.type == "cpu" and _largest(self.scaled) * _largest(self.keys) <= _SAFE_EXPONENT
        most = min(self.side, len(z)) * min(self.side, len(self.keys))
        self._buffer, self._spare = z.new_empty(most), z.new_empty(most)

    def tiles(self) -> Iterator[SweptTile]:
        """Every tile once."""
        for i in self._slices(len(self.scaled), 0):
            for j in self._slices(len(self.keys), i.start if self.symmetric else 0):
                yield self._tile(i, j)

    def spare(self, like: Tensor) -> Tensor:
        """A second buffer in the shape of ``like``, whose content is undefined."""
        return self._spare[: like.numel()].view(like.shape)

    def other_sample(self, i: slice, j: slice) -> Tensor:
        """Bool ``[I, J]``: whether anchor and candidate are of different samples."""
        return self.pairs.other_sample(i, j)

    def _tile(self, i: slice, j: slice) -> SweptTile:
        rows, columns = i.stop - i.start, j.stop - j.start
        logits = self._buffer[: rows * columns].view(rows, columns)
        torch.mm(self.scaled[i], self.keys[j].T, out=logits)
        pairs = self.pairs.tile(i, j, self.predicates) if self._needs_pairs else None
        mirrored = self.symmetric and i != j
        return SweptTile(
            i=i,
            j=j,
            mirrored=mirrored,
            logits=logits,
            matches=pairs.matches if pairs is not None and self.predicates else None,
            grades=() if pairs is None else pairs.grades,
            allowed=pairs.allowed if pairs is not None and self.pairs.has_ignore else None,
            own=None if mirrored else self.pairs.self_index[i] - j.start,
        )

    def _slices(self, length: int, first: int) -> Iterator[slice]:
        for start in range(first, length, self.side):
            yield slice(start, min(start + self.side, length))


def _largest(x: Tensor) -> float:
    return float(torch.linalg.vector_norm(x, dim=1).max()) if len(x) else 0.0
