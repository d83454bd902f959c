"""Scores of anchors and candidates, with masks of the positive and of the negative pairs: the input of some losses."""

from __future__ import annotations

import torch
from torch import Tensor

from ssl_domains.errors import UsageError

__all__ = ["checked_scores"]


def checked_scores(scores: Tensor, positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Check a score matrix and its masks, and convert the scores to float32 or wider.

    Args:
        scores: ``[M, N]`` floating point, of M anchors and N candidates.
        positive: ``[M, N]`` bool, or weights that are 0 where a pair is not positive.
        negative: ``[M, N]`` bool. A pair that is in neither mask is left out; a pair may be in both.

    Returns:
        Scores (float64 for float64 scores, else float32), weights of the positives in the same dtype, and ``negative``,
        all on the device of the scores.

    Raises:
        UsageError: When the scores are no matrix, or a mask has another shape.
    """
    if scores.ndim != 2 or not scores.is_floating_point():
        raise UsageError(f"scores are {scores.dtype} {list(scores.shape)}", "one floating-point number a pair: [M, N]")
    for name, mask in (("positive", positive), ("negative", negative)):
        if mask.shape != scores.shape:
            raise UsageError(
                f"{name} is {list(mask.shape)} but the scores are {list(scores.shape)}", "one entry for each pair"
            )
    if negative.dtype != torch.bool:
        raise UsageError(f"negative is {negative.dtype}", "it is a mask of bool; only positives have weights")
    wide = scores.to(torch.promote_types(scores.dtype, torch.float32))
    return wide, positive.to(wide.device, wide.dtype), negative.to(wide.device)
