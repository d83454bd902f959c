"""Cross-entropy of one view's softmax with the target distribution of another view; shared by SwAV and DINO."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.parts.autocast import without_autocast

__all__ = ["swapped_prediction"]


def swapped_prediction(
    scores: Tensor, targets: Tensor, temperature: float = 0.1, total: Callable[[Tensor], Tensor] | None = None
) -> Tensor:
    """Mean cross-entropy of the target distribution of each view with the predictions of all other views.

    With V views, of which the first G have targets q, and p = softmax(scores / τ)::

        L = −1 / (n G (V − 1)) Σ_i Σ_{g<G} Σ_{v≠g} Σ_k q_gik log p_vik

    In SwAV the targets are assignments by `sinkhorn`, in DINO the teacher's distributions, see `dino_targets`.

    Args:
        scores: ``[V, n, K]`` scores of prototypes, by view; floating point.
        targets: ``[G, n, K]`` distributions of the first G views, without gradient.
        temperature: τ > 0.
        total: Function from the number n of these samples (int64 scalar) to that of the whole batch; None where these
            are all.

    Returns:
        A scalar, float32 (float64 for float64 input); exactly 0 without samples.

    Raises:
        UsageError: When the shapes don't fit, there is one view only, or τ isn't positive.

    References:
        Caron et al. 2020, *Unsupervised Learning of Visual Features by Contrasting Cluster Assignments*.
    """
    fits = scores.ndim == 3 and targets.ndim == 3 and scores.shape[1:] == targets.shape[1:]
    if not fits or not 1 <= len(targets) <= len(scores) or len(scores) < 2:
        cause = f"scores {list(scores.shape)} and targets {list(targets.shape)}"
        raise UsageError(cause, "scores [V, n, K] of two or more views, targets [G, n, K] of the first ones")
    if not temperature > 0:
        raise UsageError(f"the temperature is {temperature:g}", "it must be a positive number, such as 0.1")
    with without_autocast(scores.device):
        dtype = torch.promote_types(torch.promote_types(scores.dtype, targets.dtype), torch.float32)
        log_p = (scores.to(dtype) / temperature).log_softmax(dim=2)
        q = targets.to(dtype)
        # Σ_{v≠g} = Σ_v − (v = g), so that no [G, V, n, K] is made.
        every = (q.sum(dim=0) * log_p.sum(dim=0)).sum()
        same = (q * log_p[: len(q)]).sum()
        count = torch.tensor(scores.shape[1], device=scores.device)
        samples = (count if total is None else total(count)).clamp(min=1)
        return (same - every) / (samples * len(q) * (len(scores) - 1))
