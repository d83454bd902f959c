"""log Σ exp over rows and columns that are seen a tile at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from ssl_domains.losses.sweep import Sweep, SweptTile, accumulator

__all__ = ["LogSumExp"]


class LogSumExp:
    """Sums of exp2 over A(i), in float64 from tile to tile and in the embeddings' precision within one.

    Where the logits are bounded, one exponential a pair serves both roles of a mirrored tile. Elsewhere each row keeps
    its running maximum.

    Args:
        sweep: Whose tiles it will be shown.
        rows: How many anchors there are.

    Attributes:
        total: Σ 2^(logit − top) of each anchor, float64, where top is 0 if the logits are bounded.
    """

    def __init__(self, sweep: Sweep, rows: int) -> None:
        dtype, like = accumulator(sweep.scaled.device), sweep.scaled
        self._bounded = sweep.bounded
        self.total = torch.zeros(rows, dtype=dtype, device=like.device)
        self._top = torch.full((rows,), torch.finfo(like.dtype).min, dtype=like.dtype, device=like.device)

    def add(self, seen: SweptTile) -> None:
        """Take a tile in; its logits are masked already, and may be overwritten."""
        if self._bounded:
            terms = seen.logits.exp2_()
            self.total[seen.i] += terms.sum(1)
            if seen.mirrored:
                self.total[seen.j] += terms.sum(0)
        else:
            self._online(seen.i, seen.logits)
            if seen.mirrored:
                self._online(seen.j, seen.logits.T)

    def _online(self, rows: slice, logits: Tensor) -> None:
        before = self._top[rows]
        top = torch.maximum(before, logits.amax(1))
        total = (logits - top[:, None]).exp2_().sum(1)
        self.total[rows] = self.total[rows] * (before - top).to(self.total.dtype).exp2() + total
        self._top[rows] = top

    def value(self) -> Tensor:
        """log₂ Σ 2^logit of each anchor, −∞ over nobody."""
        return self.total.log2() if self._bounded else self._top.to(self.total.dtype) + self.total.log2()
