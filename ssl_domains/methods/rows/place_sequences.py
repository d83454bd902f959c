"""Sequences of encoded places: of an encoder's map in time, or of a grid of patches from top to bottom."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ssl_domains.encoders import Encoder, map_shape
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Views

__all__ = ["MapSequences", "PatchSequences", "Sequences", "sequences_of"]


class Sequences(NamedTuple):
    """S sequences of T places, of V views.

    Attributes:
        places: ``[S, T, F]`` features.
        valid: bool ``[S, T]``.
        of: int64 ``[S, T]``, the view-major row that each place belongs to.
        part: int64 ``[S, T]``, its number within the view.
        pooled: ``[V, F]``, features of each view.
    """

    places: Tensor
    valid: Tensor
    of: Tensor
    part: Tensor
    pooled: Tensor


class MapSequences:
    """One sequence a view: the places of the encoder's map along one side, averaged over the other sides.

    Args:
        side: Number of the side, counted from 0 after the channels.
    """

    def __init__(self, side: int = 0) -> None:
        self.side = side

    def __call__(self, encoder: Encoder, views: Views) -> Sequences:
        """Encode all views; places of padding are not valid."""
        rows = views.together
        features = encoder(rows.values, rows.valid)
        places = features.map.movedim(2 + self.side, 1).flatten(2)  # [V, T, F · other sides]
        places = places.unflatten(2, (features.map.shape[1], -1)).mean(dim=3)
        valid = places.new_ones(places.shape[:2], dtype=torch.bool)
        if features.mask is not None:
            valid = features.mask.movedim(2 + self.side, 1).flatten(2).any(dim=2)
        numbers = [torch.arange(length, device=places.device) for length in places.shape[:2]]
        of, part = torch.meshgrid(*numbers, indexing="ij")
        return Sequences(places, valid, of, part, features.pooled)


class PatchSequences:
    """Sequences of overlapping patches of a picture: one for each column of the grid, from top to bottom.

    Each patch is encoded alone, so that a place holds nothing of the patches below it.

    Args:
        patch: Side of a patch in pixels.
        stride: Pixels from one patch to the next.
    """

    def __init__(self, patch: int, stride: int) -> None:
        self.patch, self.stride = patch, stride

    def __call__(self, encoder: Encoder, views: Views) -> Sequences:
        """Encode all views; patches that touch padding are not valid."""
        rows = views.together
        patches = self._cut(rows.values)
        count, columns, length = patches.shape[:3]
        features = encoder(patches.flatten(0, 2)).pooled.unflatten(0, (count, columns, length))
        valid = self._cut(rows.with_valid()).flatten(3).all(dim=3)
        numbers = [torch.arange(n, device=features.device) for n in (count, columns, length)]
        of, column, row = torch.meshgrid(*numbers, indexing="ij")
        part = row * columns + column
        places, valid, of, part = (one.flatten(0, 1) for one in (features, valid, of, part))
        return Sequences(places, valid, of, part, features.mean(dim=(1, 2)))

    def _cut(self, pictures: Tensor) -> Tensor:
        """``[V, C, H, W]`` to ``[V, columns, rows, C, patch, patch]``."""
        cut = pictures.unfold(2, self.patch, self.stride).unfold(3, self.patch, self.stride)
        return cut.permute(0, 3, 2, 1, 4, 5)


def sequences_of(
    encoder: Encoder, patch: int | None, stride: int | None
) -> tuple[MapSequences | PatchSequences, int, int | None]:
    """What makes the sequences of an encoder's input, with the features of a place and the places of a sequence.

    Pictures of one size are cut into patches, of a quarter of the shorter side by default. Inputs of one side, and
    those of two sides of which one is ragged, are sequences along that side. Their number of places is None if it
    differs.

    Raises:
        UsageError: For token ids, encoders whose places hold something of the whole input, volumes, pictures of
            differing size, and patches that don't fit picture or encoder.
    """
    takes, name = encoder.takes, encoder.name
    if takes.dtype == "int64":
        cause = f"cpc predicts later places from earlier ones, and a place of {name!r} holds something of all tokens"
        raise UsageError(cause, "take masked prediction for texts: --method masked")
    if getattr(encoder, "reads_all", False):
        cause = f"cpc predicts later places from earlier ones, and a place of {name!r} holds something of all places"
        raise UsageError(cause, "take a convolutional encoder, or for lines --method seqclr")
    if len(takes.space) == 1 or (len(takes.space) == 2 and len(takes.ragged) == 1):
        if patch is not None or stride is not None:
            raise UsageError("method.patch and method.stride are for pictures of one size", "leave them out")
        side = takes.ragged[0] if takes.ragged else 0
        shape = map_shape(encoder)
        return MapSequences(side), shape[0], None if takes.ragged else shape[1 + side]
    if len(takes.space) != 2 or takes.ragged:
        sides = " × ".join("any" if side is None else str(side) for side in takes.space)
        raise UsageError(f"cpc takes sequences and pictures of one size, not inputs of {sides}", "take simclr")
    shortest = min(int(side or 0) for side in takes.space)
    patch = max(2, shortest // 4) if patch is None else patch
    if patch > shortest:
        cause = f"method.patch is {patch}, but the pictures have sides of {' and '.join(map(str, takes.space))} pixels"
        raise UsageError(cause, f"use --set method.patch={max(2, shortest // 4)}, or larger pictures")
    stride = max(1, patch // 2) if stride is None else stride
    map_shape(encoder, (patch, patch))
    return PatchSequences(patch, stride), encoder.num_features, (int(takes.space[0] or 0) - patch) // stride + 1
