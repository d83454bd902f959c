"""Short filters of a batch: one kernel for each sample, applied in time."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.inputs import Input

__all__ = ["TAPS", "filtered", "kernels_of", "level_of", "valid_values"]

TAPS = 128
"""Samples of a kernel; its resolution in frequency is the rate divided by this number."""


def kernels_of(gains: Tensor) -> Tensor:
    """Kernels without delay, float32 ``[B, TAPS + 1]``, from gains at frequencies 0 to half the rate.

    Args:
        gains: float32 ``[B, TAPS // 2 + 1]``, factors on the amplitude.
    """
    half = torch.fft.irfft(gains.float(), n=TAPS).roll(TAPS // 2, dims=1)
    kernel = torch.cat([half, half[:, :1]], dim=1)
    return kernel * torch.hann_window(TAPS + 1, periodic=False, device=gains.device)


def filtered(signals: Tensor, kernels: Tensor) -> Tensor:
    """Signals ``[B, C, T]`` under the kernel ``[B, K]`` of their sample, with zeros around them; K is odd."""
    samples, channels, _ = signals.shape
    weights = kernels.to(signals.dtype).repeat_interleave(channels, dim=0)[:, None]
    flat = signals.reshape(1, samples * channels, -1)
    made = F.conv1d(flat, weights, padding=kernels.shape[1] // 2, groups=samples * channels)
    return made.view_as(signals)


def valid_values(x: Input) -> Tensor:
    """The values, 0 at invalid places."""
    return x.values if x.valid is None else x.values.masked_fill(~x.valid, 0.0)


def level_of(x: Input) -> Tensor:
    """Root mean square of each sample over its valid places, ``[B]``; 0 for a sample without any."""
    total = valid_values(x).float().square().flatten(1).sum(dim=1)
    places = x.values[0].numel() if x.valid is None else x.valid.flatten(1).sum(dim=1) * x.values.shape[1]
    return (total / torch.as_tensor(places, device=total.device).clamp(min=1)).sqrt()
