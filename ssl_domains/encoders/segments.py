"""Pooling in segments: the features of equal parts of each sample, one behind the other."""

from __future__ import annotations

import torch
from torch import Tensor

from ssl_domains.errors import UsageError

__all__ = ["require_one_segment", "segment_means"]


def segment_means(features: Tensor, valid: Tensor | None, segments: int) -> Tensor:
    """Means over equal parts of the valid length along the last side, ``[B, segments · F]``: part 0 first.

    A place that lies on a border counts for both parts, each by its share, so the parts are equal for every length:
    of 3 places in 2 parts, the middle one counts half for each.

    Args:
        features: ``[B, F, *space]``, 0 at invalid places. Over other sides than the last, the mean is taken first.
        valid: bool ``[B, 1, *space]``, true from the first place up to each sample's length; None where all are valid.
        segments: Number of parts.

    Returns:
        Sums are at least float32. 0 for a sample without a valid place.
    """
    wide = torch.promote_types(features.dtype, torch.float32)
    last = features.shape[-1]
    rows = features.to(wide).reshape(*features.shape[:2], -1, last)
    if valid is None:
        means = rows.mean(dim=2)
        length = torch.full((len(features), 1), last, dtype=wide, device=features.device)
    else:
        places = valid.reshape(len(valid), 1, -1, last)
        count = places.sum(dim=2)
        means = rows.sum(dim=2) / count.clamp(min=1)
        length = (count[:, 0] > 0).sum(dim=1, keepdim=True).to(wide)
    part = length / segments
    start = part * torch.arange(segments, device=features.device)
    place = torch.arange(last, device=features.device, dtype=wide)
    shared = torch.minimum(place + 1, (start + part)[..., None]) - torch.maximum(place, start[..., None])
    weights = shared.clamp(min=0) / part.clamp(min=1e-12)[..., None]
    return (weights @ means.transpose(1, 2)).flatten(1).to(features.dtype)


def require_one_segment(name: str, segments: int) -> None:
    """Refuse segments for encoders that pool in a way of their own, and for inputs without a side of any length.

    Raises:
        UsageError: When there is more than one segment.
    """
    if segments > 1:
        raise UsageError(
            f"the encoder {name!r} can't pool segments of this input",
            "leave encoder.segments out; it is for conv1d, and for others on spectrograms and lines of any length",
        )
