"""Normalisation of embeddings to length 1."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["unit_length"]


def unit_length(z: Tensor) -> Tensor:
    """Rows of length 1, in float32 or wider: an encoder in bfloat16 would round them too coarsely for a loss."""
    return F.normalize(z.to(torch.promote_types(z.dtype, torch.float32)), dim=1)
