"""Columns of the map of a convolutional network as vectors: means of bands of the height, one below the other."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["columns"]


def columns(features: Tensor, mask: Tensor | None, bands: int) -> tuple[Tensor, Tensor | None]:
    """Means of the bands of each column over their valid places, ``[B, bands · F, T]``, and the valid columns.

    A band without a valid place is 0.

    Args:
        features: ``[B, F, H, T]``.
        mask: bool ``[B, 1, H, T]``; None where all places are valid.
        bands: Number of bands, which divide the valid height of each sample evenly.

    Returns:
        The vectors, and bool ``[B, 1, T]``: columns with a valid place; None without ``mask``.
    """
    wide = torch.promote_types(features.dtype, torch.float32)
    if mask is None:
        heights = torch.full((1,), features.shape[2], device=features.device)
        sums = torch.einsum("bfht,kh->bkft", features.to(wide), _shares(heights, features.shape[2], bands, wide)[0])
        return (bands * sums.flatten(1, 2)).to(features.dtype), None
    share = _shares(mask.any(dim=3).sum(dim=2).flatten(), features.shape[2], bands, wide)
    sums = torch.einsum("bfht,bkh->bkft", features.to(wide), share)
    valid = torch.einsum("bht,bkh->bkt", mask[:, 0].to(wide), share)[:, :, None]
    means = torch.where(valid > 0, sums / valid.clamp(min=torch.finfo(wide).tiny), 0.0)
    return means.flatten(1, 2).to(features.dtype), mask.any(dim=2)


def _shares(heights: Tensor, rows: int, bands: int, dtype: torch.dtype) -> Tensor:
    """How much of each row lies in each band, ``[B, bands, rows]``: a row over the border of two bands is in both.

    Args:
        heights: Number of valid rows of each sample ``[B]``.
        rows: Number of all rows.
        bands: Number of bands.
        dtype: Of the result.
    """
    height = 1 / heights.clamp(min=1).to(dtype)[:, None, None]
    top = torch.arange(rows, device=heights.device, dtype=dtype) * height
    band = torch.arange(bands, device=heights.device, dtype=dtype)[:, None] / bands
    return (torch.minimum(top + height, band + 1 / bands) - torch.maximum(top, band)).clamp(min=0)
