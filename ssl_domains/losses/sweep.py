"""The sweep over anchors × candidates, a tile at a time: logits and what the pairs say about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["Sweep", "SweptTile"]


@dataclass
class SweptTile:
    """One tile of a `Sweep`.

    Attributes:
        j: The candidates it covers.
        logits: ``[I, J]``, in a buffer that the next tile overwrites.
        weights: ``[predicates, I, J]``, None without predicates.
        allowed: Bool ``[I, J]``, who is in A(i); None when that is everybody but the anchor itself.
        own: int64 ``[I]``, the anchor's own column within the tile; outside ``[0, J)`` when it isn't there.
    """

    j: slice
    logits: Tensor
    weights: Tensor | None
    allowed: Tensor | None
    own: Tensor

    def mask_logits(self) -> Tensor:
        """The logits with −∞ outside A(i), in place."""
        if self.allowed is not None:
            return self.logits.masked_fill_(~self.allowed, -torch.inf)
        column = self.own.clamp(0, self.logits.shape[1] - 1)[:, None]
        here = column[:, 0] == self.own
        # gather and scatter instead of an index of the rows concerned: no wait for the device to count them
        value = self.logits.gather(1, column).masked_fill_(here[:, None], -torch.inf)
        return self.logits.scatter_(1, column, value)


class Sweep:
    """Tiles of s = z·c/τ, strip by strip.

    Args:
        z: ``[M, d]`` anchors.
        keys: ``[N, d]`` candidates.
        tau: Temperature, a scalar tensor.
        pairs: Predicates and ignore rules, asked per tile; relations by codes are not.
        side: Side of a tile.
    """

    def __init__(self, z: Tensor, keys: Tensor, tau: Tensor, pairs: PairBatch, side: int) -> None:
        self.scaled, self.keys, self.pairs, self.side = z / tau, keys, pairs, side
        self.predicates = [r for r, by_codes in enumerate(pairs.by_codes) if not by_codes]
        self.buffer = z.new_empty(min(side, len(z)) * min(side, len(keys)))

    def strips(self) -> Iterator[slice]:
        """The anchors, ``side`` at a time."""
        yield from _slices(len(self.scaled), self.side)

    def tiles(self, i: slice) -> Iterator[SweptTile]:
        """The tiles of one strip."""
        told = bool(self.predicates) or self.pairs.has_ignore
        for j in _slices(len(self.keys), self.side):
            logits = self.buffer[: (i.stop - i.start) * (j.stop - j.start)].view(i.stop - i.start, -1)
            torch.mm(self.scaled[i], self.keys[j].T, out=logits)
            pairs = self.pairs.tile(i, j, self.predicates) if told else None
            yield SweptTile(
                j=j,
                logits=logits,
                weights=pairs.weights if pairs is not None and self.predicates else None,
                allowed=pairs.allowed if pairs is not None and self.pairs.has_ignore else None,
                own=self.pairs.self_index[i] - j.start,
            )

    def other_sample(self, i: slice, j: slice) -> Tensor:
        """Bool ``[I, J]``: anchor and candidate are different samples."""
        return torch.ne(self.pairs.anchors.sample[i, None], self.pairs.candidates.sample[None, j])


def _slices(length: int, side: int) -> Iterator[slice]:
    for start in range(0, length, side):
        yield slice(start, min(start + side, length))
