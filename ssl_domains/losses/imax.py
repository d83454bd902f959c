"""Imax: the mutual information of two views of the same samples, if their features are Gaussian signals with noise."""

from __future__ import annotations

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.parts.autocast import without_autocast

__all__ = ["imax"]


def imax(a: Tensor, b: Tensor, noise: float = 1e-4) -> Tensor:
    """Negative mutual information between the features of two views, averaged over the features.

    If both views are one Gaussian signal plus independent Gaussian noise, the information between their mean and the
    signal is half the logarithm of signal plus noise over noise; with variances over the batch, for each feature f::

        I_f = ½ log [ (var(a_f + b_f) + ε) / (var(a_f − b_f) + ε) ]        L = − mean_f I_f

    Each feature is to vary between samples and agree between views. Nothing makes two features differ.

    Args:
        a: ``[B, d]``, features of the first view.
        b: ``[B, d]``, features of the second view of the same samples.
        noise: ε > 0, a variance: agreement beyond it earns nothing, and features that are constant give exactly 0.

    Returns:
        Scalar L, float32 (float64 for float64 features) even inside autocast. It is a function of the whole batch: of
        several processes, the features of all must be given.

    Raises:
        UsageError: When the shapes differ, or ε is not positive.

    References:
        Becker & Hinton 1992, *Self-organizing neural network that discovers surfaces in random-dot stereograms*.
    """
    if a.ndim != 2 or a.shape != b.shape:
        cause = f"the views have features {list(a.shape)} and {list(b.shape)}"
        raise UsageError(cause, "both are [B, d], of the same samples in the same order")
    if not noise > 0:
        raise UsageError(f"the noise is {noise:g}", "it is a positive variance, such as 1e-4")
    with without_autocast(a.device):
        dtype = torch.promote_types(torch.promote_types(a.dtype, b.dtype), torch.float32)
        one, two = a.to(dtype), b.to(dtype)
        signal = (one + two).var(dim=0, correction=0) + noise
        difference = (one - two).var(dim=0, correction=0) + noise
        return -0.5 * (signal.log() - difference.log()).mean()
