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
    """

    def __init__(self, sweep: Sweep, rows: int) -> None:
        dtype, like = accumulator(sweep.scaled.device), sweep.scaled
        self._bounded = sweep.bounded
        self._total = torch.zeros(rows, dtype=dtype, device=like.device)
        self._top = torch.full((rows,), torch.finfo(like.dtype).min, dtype=like.dtype, device=like.device)

    def add(self, seen: SweptTile) -> None:
        """Take a tile in; its logits are masked already, and may be overwritten."""
        if self._bounded:
            terms = seen.logits.exp2_()
            self._total[seen.i] += terms.sum(1)
            if seen.mirrored:
                self._total[seen.j] += terms.sum(0)
        else:
            self._online(seen.i, seen.logits)
            if seen.mirrored:
                self._online(seen.j, seen.logits.T)

    def _online(self, rows: slice, logits: Tensor) -> None:
        before = self._top[rows]
        top = torch.maximum(before, logits.amax(1))
        total = (logits - top[:, None]).exp2_().sum(1)
        self._total[rows] = self._total[rows] * (before - top).to(self._total.dtype).exp2() + total
        self._top[rows] = top

    def value(self) -> Tensor:
        """log₂ Σ 2^logit of each anchor, −∞ over nobody."""
        return self._total.log2() if self._bounded else self._top.to(self._total.dtype) + self._total.log2()
