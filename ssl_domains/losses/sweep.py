"""The sweep over anchors × candidates, a tile at a time: logits and what the pairs say about them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["LOG2_E", "Sweep", "SweptTile", "accumulator"]

LOG2_E = math.log2(math.e)

# Below this bound the sum of exp2 over any batch is a float32 number far from both of its ends.
_SAFE_EXPONENT = 60.0


def accumulator(device: torch.device) -> torch.dtype:
    """Sums over the batch run in float64, except on MPS, which has none."""
    return torch.float32 if device.type == "mps" else torch.float64


@dataclass
class SweptTile:
    """One tile of a `Sweep`.

    Attributes:
        i: The anchors it covers.
        j: The candidates it covers.
        mirrored: Whether it stands for the tile (j, i) as well.
        logits: ``[I, J]`` to the base 2, s_ij·log₂e, in a buffer that the next tile overwrites.
        matches: Bool ``[predicates, I, J]``, None without predicates.
        grades: Of each predicate, float64 ``[I, J]``, None where a match weighs 1.
        allowed: Bool ``[I, J]``, who is in A(i); None when that is everybody but the anchor itself.
        own: int64 ``[I]``, the anchor's own column within the tile, outside ``[0, J)`` when it isn't there; None when
            no anchor is.
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
        """The logits with −∞ outside A(i), in place."""
        if self.allowed is not None:
            return self.logits.masked_fill_(~self.allowed, -torch.inf)
        if self.own is None:
            return self.logits
        column = self.own.clamp(0, self.logits.shape[1] - 1)[:, None]
        here = column[:, 0] == self.own
        # gather and scatter instead of an index of the rows concerned: no wait for the device to count them
        value = self.logits.gather(1, column).masked_fill_(here[:, None], -torch.inf)
        return self.logits.scatter_(1, column, value)


class Sweep:
    """Tiles of s = z·c/τ, strip by strip.

    A rule is symmetric, so where the candidates are the anchors themselves a tile off the diagonal tells of two: only
    those on and above it are swept.

    Args:
        z: ``[M, d]`` anchors.
        keys: ``[N, d]`` candidates; None when they are the anchors.
        tau: Temperature, a scalar tensor.
        pairs: Predicates and ignore rules, asked per tile; relations by codes are not.
        side: Side of a tile; None for one that suits the device.

    Attributes:
        predicates: The relations that only `PairBatch.tile` knows.
        bounded: Whether no exponential needs a maximum taken off first. Never on an accelerator, where asking would
            wait for it.
        spare: A second buffer of a tile's size.
    """

    def __init__(self, z: Tensor, keys: Tensor | None, tau: Tensor, pairs: PairBatch, side: int | None) -> None:
        self.symmetric = keys is None
        self.keys = z if keys is None else keys
        self.scaled, self.pairs = z * (LOG2_E / tau), pairs
        # On a CPU the numbers of a tile should stay in cache; elsewhere few large steps are cheaper than many.
        self.side = (512 if z.device.type == "cpu" else 2048) if side is None else side
        self.predicates = [r for r, by_codes in enumerate(pairs.by_codes) if not by_codes]
        self._told = bool(self.predicates) or pairs.has_ignore
        self.bounded = z.device.type == "cpu" and _largest(self.scaled) * _largest(self.keys) <= _SAFE_EXPONENT
        most = min(self.side, len(z)) * min(self.side, len(self.keys))
        self._buffer, self._spare = z.new_empty(most), z.new_empty(most)

    def tiles(self) -> Iterator[SweptTile]:
        """Every tile once."""
        for i in self._slices(len(self.scaled), 0):
            for j in self._slices(len(self.keys), i.start if self.symmetric else 0):
                yield self._tile(i, j)

    def spare(self, like: Tensor) -> Tensor:
        """Scratch in the shape of a tile."""
        return self._spare[: like.numel()].view(like.shape)

    def other_sample(self, i: slice, j: slice) -> Tensor:
        """Bool ``[I, J]``: anchor and candidate are different samples."""
        return torch.ne(self.pairs.anchors.sample[i, None], self.pairs.candidates.sample[None, j])

    def _tile(self, i: slice, j: slice) -> SweptTile:
        rows, columns = i.stop - i.start, j.stop - j.start
        logits = self._buffer[: rows * columns].view(rows, columns)
        torch.mm(self.scaled[i], self.keys[j].T, out=logits)
        pairs = self.pairs.tile(i, j, self.predicates) if self._told else None
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
