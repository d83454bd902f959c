"""Momentum copy: modules whose weights slowly follow those of the trained ones (He et al. 2020; Grill et al. 2020)."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable

import torch
from torch import nn

__all__ = ["follow", "momentum_copy", "momentum_to_one"]


def momentum_copy(module: nn.Module) -> nn.Module:
    """A copy of a module that isn't trained. Its BatchNorm layers keep statistics of their own, of what they embed."""
    return copy.deepcopy(module).requires_grad_(False)


@torch.no_grad()
def follow(copies: Iterable[nn.Module], originals: Iterable[nn.Module], momentum: float) -> None:
    """Move the parameters of copies: ``slow ← m·slow + (1 − m)·fast``. Buffers stay as they are."""
    for slow_module, fast_module in zip(copies, originals, strict=True):
        for slow, fast in zip(slow_module.parameters(), fast_module.parameters(), strict=True):
            slow.lerp_(fast.detach(), 1 - momentum)


def momentum_to_one(momentum: float, progress: float) -> float:
    """The momentum at some progress of the run (0 to 1): it rises to 1 by a cosine (Grill et al. 2020)."""
    return 1 - (1 - momentum) * (1 + math.cos(math.pi * progress)) / 2
