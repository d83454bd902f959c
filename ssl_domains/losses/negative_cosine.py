"""Negative cosine similarity of predictions and targets: the loss of SimSiam, and up to two constants that of BYOL."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.parts.autocast import without_autocast

__all__ = ["negative_cosine"]


def negative_cosine(predicted: Tensor, target: Tensor, total: Callable[[Tensor], Tensor] | None = None) -> Tensor:
    """Mean negative cosine similarity of rows: −1 where all predictions point as their targets do.

    ::

        L = −1/n Σ_i p_i · z_i / (‖p_i‖ ‖z_i‖)

    With the rows of both views, each predicted from the other one, it is the symmetrised loss of SimSiam. BYOL's
    2 − 2 cos is ``2 + 2·L``.

    Args:
        predicted: ``[n, d]``, of any length; floating point.
        target: ``[n, d]``. The caller detaches it, where no gradient is wanted.
        total: Function from the number of these rows (int64 scalar) to that of the whole batch; None where these are
            all. The losses of the parts then add up to that of the whole batch.

    Returns:
        A scalar, float32 (float64 for float64 input); exactly 0 without rows.

    Raises:
        UsageError: When the shapes differ.

    References:
        Chen & He 2021, *Exploring Simple Siamese Representation Learning*.
    """
    if predicted.ndim != 2 or predicted.shape != target.shape:
        cause = f"predictions of shape {list(predicted.shape)} for targets of shape {list(target.shape)}"
        raise UsageError(cause, "both are [n, d]")
    with without_autocast(predicted.device):
        dtype = torch.promote_types(torch.promote_types(predicted.dtype, target.dtype), torch.float32)
        cosine = (F.normalize(predicted.to(dtype), dim=1) * F.normalize(target.to(dtype), dim=1)).sum(dim=1)
        count = torch.tensor(len(cosine), device=cosine.device)
        return -cosine.sum() / (count if total is None else total(count)).clamp(min=1)
