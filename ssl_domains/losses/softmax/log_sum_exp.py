"""log Σ exp of each row of a matrix of logits that is computed tile by tile."""

from __future__ import annotations

import torch
from torch import Tensor

from ssl_domains.losses.parts.accumulator import accumulator
from ssl_domains.losses.softmax.sweep import Sweep, SweptTile

__all__ = ["LogSumExp"]


class LogSumExp:
    """Sums 2^logit over the allowed candidates A(i) of each anchor.

    Sums within a tile have the embeddings' precision; sums over tiles are in float64. Where the logits are bounded, a
    mirrored tile needs one exponential for each pair, which is summed over rows and over columns. Otherwise each anchor
    keeps its running maximum, which is subtracted before the exponential.

    Args:
        sweep: The sweep whose tiles are added.
        rows: Number of anchors.

    Attributes:
        total: Σ 2^(logit − top) of each anchor, float64, where top is 0 if the logits are bounded.
    """

    def __init__(self, sweep: Sweep, rows: int) -> None:
        dtype, like = accumulator(sweep.scaled.device), sweep.scaled
        self._bounded = sweep.bounded
        self.total = torch.zeros(rows, dtype=dtype, device=like.device)
        self._top = torch.full((rows,), torch.finfo(like.dtype).min, dtype=like.dtype, device=like.device)

    def add(self, tile: SweptTile) -> None:
        """Add a tile whose logits are masked; they are overwritten."""
        if self._bounded:
            terms = tile.logits.exp2_()
            self.total[tile.i] += terms.sum(1)
            if tile.mirrored:
                self.total[tile.j] += terms.sum(0)
        else:
            self._online(tile.i, tile.logits)
            if tile.mirrored:
                self._online(tile.j, tile.logits.T)

    def _online(self, rows: slice, logits: Tensor) -> None:
        before = self._top[rows]
        top = torch.maximum(before, logits.amax(1))
        total = (logits - top[:, None]).exp2_().sum(1)
        self.total[rows] = self.total[rows] * (before - top).to(self.total.dtype).exp2() + total
        self._top[rows] = top

    def value(self) -> Tensor:
        """log₂ Σ 2^logit of each anchor; −∞ for an anchor without candidates."""
        return self.total.log2() if self._bounded else self._top.to(self.total.dtype) + self.total.log2()
