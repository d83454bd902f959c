"""The mean over each relation's anchors, and the share that every anchor has in the loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

__all__ = ["AnchorMeans"]


class AnchorMeans:
    """From the sums over each anchor's positives to the loss, and to its derivatives by these sums.

    For each relation r, over the M_r anchors that have a positive in it::

        L_r = 1/M_r Σ_i [ lse_i − Σ_p w_ip s_ip / Σ_p w_ip ]        L = Σ_r α_r L_r

    Args:
        alphas: α_r.
        weights: Σ_p w_ip, ``[R, M]``, 0 where an anchor has no positive.
        total_anchors: From the number of these anchors that have a positive to that of the whole batch, M_r; None where
            these are the whole batch.

    Attributes:
        anchors: int64 ``[R]``, M_r.
        lse_share: ``[M]``, the derivative of L by lse_i; 0 for an anchor without positives.
        positive_share: ``[R, M]``, the derivative of −L by Σ_p w_ip s_ip of a relation.
    """

    def __init__(
        self, alphas: Sequence[float], weights: Tensor, total_anchors: Callable[[Tensor], Tensor] | None
    ) -> None:
        counted = weights > 0
        self.anchors = counted.sum(1)
        if total_anchors is not None:
            self.anchors = total_anchors(self.anchors)
        self._alphas = torch.tensor(alphas, dtype=weights.dtype, device=weights.device)
        self._share = counted * (self._alphas / self.anchors.clamp_min(1))[:, None]
        self.lse_share = self._share.sum(0)
        self.positive_share = self._share / torch.where(counted, weights, 1)

    def loss(self, products: Tensor, lse: Tensor) -> tuple[Tensor, Tensor]:
        """L, and L_r ``[R]``.

        Args:
            products: Σ_p w_ip s_ip, ``[R, M]``.
            lse: log Σ_j exp(s_ij) over the allowed candidates, ``[M]``, any finite number for an anchor without
                positives.
        """
        weighted = (self._share * lse - self.positive_share * products).sum(1)
        return weighted.sum(), weighted / self._alphas
