"""The contrastive loss over any objective: NT-Xent, SupCon and their sums; dense or by tiles."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.output import LossOutput
from ssl_domains.losses.parts.autocast import without_autocast
from ssl_domains.losses.parts.operands import operands
from ssl_domains.losses.softmax.dense import dense_loss
from ssl_domains.losses.softmax.tiled import TiledLoss

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["contrastive_loss"]

_DENSE = 2**18
"""Largest number of pairs of the dense form on a CPU, where the candidates are the anchors."""

_DENSE_OTHERS = 2**20
"""The same for other candidates, such as a queue: without symmetry the tiles take longer. Both limits are measured, see
``docs/explanation/the-loss.md``."""


def contrastive_loss(
    z: Tensor,
    pairs: PairBatch,
    temperature: float | Tensor = 0.1,
    candidates: Tensor | None = None,
    tile: int | None = None,
    total_anchors: Callable[[Tensor], Tensor] | None = None,
) -> LossOutput:
    """Contrastive loss: pulls each anchor towards its positives, with all allowed candidates in the denominator.

    For each relation r, with s_ij = z_i·c_j/τ, A(i) the allowed candidates of anchor i, P_r(i) its positives and w_ip
    their weights, the mean is over the anchors that have a positive in r::

        L_r = mean_i [ log Σ_{j∈A(i)} exp(s_ij) − Σ_{p∈P_r(i)} w_ip s_ip / Σ w_ip ]        L = Σ_r α_r L_r

    With no relation this is NT-Xent (SimCLR); with one ``same()`` rule it is SupCon's L_out. An anchor without
    positives is left out; when no anchor is left, the loss is exactly 0 and so is its gradient.

    On a CPU, up to 2^18 pairs of a batch with itself, or 2^20 with other candidates such as a queue, are computed at
    once as one matrix, which takes few calls. Larger batches are computed tile by tile: relations that are equality of
    codes cost O(N·d) by segment sums; predicates and ignore rules are evaluated on the tile. One sweep over all tiles
    computes the log-sum-exp, and backward repeats the sweep instead of storing N×N numbers. Where the candidates are
    the anchors, only half of the tiles are computed, as the matrix of logits is symmetric. The loss runs in float32
    (float64 for float64 input) even inside autocast.

    Args:
        z: ``[M, d]`` embeddings of the anchors, ℓ2-normalised by the caller, in the order of ``pairs.anchors``.
        pairs: Which candidates are positive, ignored or negative for each anchor.
        temperature: τ > 0. A tensor that requires a gradient gets it. The value of a tensor on an accelerator
            isn't checked, as that would wait for the device: if it is not positive and finite, the loss is NaN.
        candidates: ``[N, d]``, in the order of ``pairs.candidates``; replaces the batch as candidates. May require a
            gradient. Needed unless the candidates are the anchors themselves. Rows of sample −1, the unfilled places
            of a queue, may hold any values, NaN included, and get a gradient of 0.
        tile: Side of the square tiles of the sweep; peak extra memory is a few ``tile × tile`` matrices. None for the
            dense form where it is faster, else for a side that suits the device.
        total_anchors: For anchors that are a part of a larger batch, such as those of one process: a function from the
            number of these anchors that have a positive, by relation (int64 ``[R]``, on the device of ``z``), to that
            of the whole batch, M_r. The losses of the parts then add up to the loss of the whole batch, and their
            gradients to its gradient.

    Returns:
        The loss, and the loss and number of anchors of each relation.

    Raises:
        UsageError: When the shapes don't fit the pairs, or τ is not positive.

    References:
        Chen et al. 2020, *A Simple Framework for Contrastive Learning of Visual Representations*; Khosla et al. 2020,
        *Supervised Contrastive Learning*.
    """
    tau = _temperature(temperature)
    device = z.device
    with without_autocast(device):
        queries, keys, pairs = operands(z, pairs, candidates)
        others = None if candidates is None else keys
        if isinstance(tau, Tensor):
            tau = tau.to(device, queries.dtype).reshape(())
        most = _DENSE if candidates is None else _DENSE_OTHERS
        if tile is None and device.type == "cpu" and 0 < len(queries) * len(keys) <= most:
            return dense_loss(queries, others, tau, pairs, total_anchors)
        scalar = torch.as_tensor(tau, dtype=queries.dtype, device=device)
        return LossOutput(*TiledLoss.apply(queries, others, scalar, pairs, tile, total_anchors))


def _temperature(given: float | Tensor) -> float | Tensor:
    """A valid temperature; on an accelerator NaN instead of an invalid one, as a check would wait for the device."""
    if isinstance(given, Tensor) and given.device.type != "cpu":
        return torch.where((given > 0) & given.isfinite(), given, torch.nan)
    value = float(given.detach() if isinstance(given, Tensor) else given)
    if not (value > 0 and math.isfinite(value)):
        raise UsageError(f"the temperature is {value:g}", "it must be a positive number, such as 0.1")
    return given
