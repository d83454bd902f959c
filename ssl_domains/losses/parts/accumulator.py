"""The dtype in which sums over a batch are computed."""

from __future__ import annotations

import torch

__all__ = ["accumulator"]


def accumulator(device: torch.device) -> torch.dtype:
    """The dtype of sums over the batch: float64, but float32 on MPS, which has no float64."""
    return torch.float32 if device.type == "mps" else torch.float64
