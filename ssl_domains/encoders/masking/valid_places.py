"""Valid places of every map inside a network, during the forward pass of one padded batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ssl_domains.errors import UsageError

__all__ = ["ValidPlaces"]


class ValidPlaces:
    """Valid lengths of the samples of a batch, for each size of a map inside a network.

    A layer of stride ``s`` that is padded by half its kernel turns ``n`` places into ``ceil(n / s)``, and a batch
    padded to ``N`` into ``ceil(N / s)``. So maps of one size have the same valid lengths, and the lengths are
    stored by size.

    Args:
        valid: bool ``[B, 1, *space]``. A sample is valid up to its last valid place along each ragged side; invalid
            places before that count as zeros.
        sides: Numbers of the ragged sides, counted from 0 after the channels.
        strict: Whether to raise when two paths through the network lead to one size but to different valid lengths. It
            waits for the device, and is meant for the check of a new encoder.
    """

    def __init__(self, valid: Tensor, sides: Sequence[int], *, strict: bool = False) -> None:
        self.sides = tuple(sides)
        self.strict = strict
        self._lengths = {tuple(valid.shape[2:]): torch.stack([_last(valid, side) for side in self.sides], dim=1)}
        self._padding: dict[tuple[int, ...], Tensor] = {}
        self._index: dict[tuple[int, ...], Tensor] = {}

    def lengths(self, size: Sequence[int]) -> Tensor:
        """int64 ``[B, sides]``: valid length along each ragged side of a map of this size.

        Raises:
            UsageError: When no layer so far has given a map of this size.
        """
        try:
            return self._lengths[tuple(size)]
        except KeyError:
            raise UsageError(
                f"a map of size {list(size)} doesn't follow from the layers before it",
                "only strided convolutions and pooling may change the size",
            ) from None

    def padding(self, size: Sequence[int]) -> Tensor:
        """bool ``[B, 1, *size]``: true at the places that come from padding only."""
        key = tuple(size)
        if key not in self._padding:
            lengths = self.lengths(key)
            padding = torch.zeros((len(lengths), 1, *key), dtype=torch.bool, device=lengths.device)
            for number, side in enumerate(self.sides):
                beyond = torch.arange(key[side], device=lengths.device) >= lengths[:, number, None]
                shape = [1] * padding.ndim
                shape[0], shape[2 + side] = beyond.shape
                padding = padding | beyond.view(shape)
            self._padding[key] = padding
        return self._padding[key]

    def index(self, size: Sequence[int]) -> Tensor:
        """int64 ``[valid]``: numbers of the valid places when batch and sides of a map of this size are flattened."""
        key = tuple(size)
        if key not in self._index:
            self._index[key] = (~self.padding(key)).flatten().nonzero()[:, 0]
        return self._index[key]

    def follow(self, before: Sequence[int], after: Sequence[int], strides: Sequence[int]) -> None:
        """Compute the valid lengths of a layer's output, and store them by its size.

        Args:
            before: Sides of its input.
            after: Sides of its output.
            strides: Its stride along each ragged side.

        Raises:
            UsageError: In strict mode, when other lengths are stored for this size.
        """
        key = tuple(after)
        if key in self._lengths and not self.strict:
            return
        steps = torch.as_tensor(strides, device=self.lengths(before).device)
        lengths = (self.lengths(before) + steps - 1) // steps
        if key in self._lengths and not torch.equal(lengths, self._lengths[key]):
            raise UsageError(f"two ways through the network give a map of size {list(key)}, with other valid lengths")
        self._lengths.setdefault(key, lengths)


def _last(valid: Tensor, side: int) -> Tensor:
    """int64 ``[B]``: number of the last valid place along a side, counted from 1; 0 without a valid place."""
    other = [dim for dim in range(1, valid.ndim) if dim != 2 + side]
    some = valid.any(dim=other) if other else valid
    return (some * torch.arange(1, some.shape[1] + 1, device=valid.device)).amax(dim=1)
