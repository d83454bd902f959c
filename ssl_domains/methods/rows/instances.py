"""Instances of a sequence: the whole, its frames, or windows of neighbouring frames, cut from an encoder's map."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ssl_domains.encoders import Features

__all__ = ["InstanceMapping", "Instances", "cut_instances", "frames_of"]

InstanceMapping = Literal["all", "frame", "window"]
"""What an instance is: the mean of all frames, one frame, or the mean of a window."""


class Instances(NamedTuple):
    """Instances of V views, view by view.

    Attributes:
        features: ``[M, F]``.
        of: int64 ``[M]``, the view of each instance.
        part: int64 ``[M]``, its number within the view, from 0.
    """

    features: Tensor
    of: Tensor
    part: Tensor


def frames_of(features: Features, side: int) -> tuple[Tensor, Tensor]:
    """Frames ``[V, T, F]`` of a map, averaged over its other sides, and bool ``[V, T]``: which of them are valid.

    Args:
        features: Features of V views.
        side: Number of the map's side along which the frames follow each other, counted from 0 after the channels.
    """
    places = features.map.movedim(2 + side, 2)
    places = places.reshape(*places.shape[:3], -1)  # [V, F, T, other sides]
    wide = torch.promote_types(places.dtype, torch.float32)
    if features.mask is None:
        valid = torch.ones((len(places), 1, *places.shape[2:]), dtype=torch.bool, device=places.device)
    else:
        valid = features.mask.movedim(2 + side, 2).reshape(len(places), 1, *places.shape[2:])
    total = torch.where(valid, places, 0.0).sum(dim=3, dtype=wide)
    frames = (total / valid.sum(dim=3).clamp(min=1)).to(places.dtype)
    return frames.transpose(1, 2), valid[:, 0].any(dim=2)


def cut_instances(frames: Tensor, valid: Tensor, mapping: InstanceMapping, windows: int) -> Instances:
    """Cut instances from valid frames; none covers padding.

    Windows are those of adaptive average pooling: of n valid frames, window i is the mean of the frames
    ⌊i·n/windows⌋ … ⌈(i+1)·n/windows⌉ − 1. Fewer frames than windows give one window for each frame, because further
    windows would repeat frames, and be negatives of their own copies.

    Args:
        frames: ``[V, T, F]``.
        valid: bool ``[V, T]``.
        mapping: What an instance is.
        windows: Windows of a sequence, for ``"window"``.

    Returns:
        The instances, in float32 or wider; none of a sequence without a valid frame.
    """
    frames = frames.to(torch.promote_types(frames.dtype, torch.float32))
    number = valid.cumsum(dim=1) - 1  # of each valid frame within its sequence
    if mapping == "frame":
        of, place = valid.nonzero(as_tuple=True)
        return Instances(frames[of, place], of, number[of, place])
    most = windows if mapping == "window" else 1
    count = valid.sum(dim=1, keepdim=True)  # [V, 1]
    windows_of = count.clamp(max=most)
    window = torch.arange(most, device=frames.device)
    divisor = windows_of.clamp(min=1)
    start, end = window * count // divisor, ((window + 1) * count + divisor - 1) // divisor  # [V, windows]
    inside = valid[:, None] & (number[:, None] >= start[..., None]) & (number[:, None] < end[..., None])
    weights = inside.to(frames.dtype) / inside.sum(dim=2, keepdim=True).clamp(min=1)
    means = weights @ torch.where(valid[..., None], frames, 0.0)  # [V, windows, F]
    of, part = (window < windows_of).nonzero(as_tuple=True)
    return Instances(means[of, part], of, part)
