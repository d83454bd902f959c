"""A batch of encoder inputs of one kind: pictures, waveforms, volumes or token ids, with their validity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.errors import UsageError

__all__ = ["Input"]


@dataclass(frozen=True, eq=False)
class Input:
    """The input of an encoder for ``B`` samples: values, and where they are valid.

    Attributes:
        values: ``[B, C, *space]`` floating point or uint8; token ids are int64 ``[B, 1, T]``.
        valid: bool ``[B, 1, *space]``, false where there is padding or no data; None where all is data.
        kind: The word that says which encoders take it: ``"image"``, ``"wave"``, ``"mel"``, ``"text"``, …
        ragged: Numbers of the sides that may differ between samples, counted from 0 after the channels: ``(0,)`` for
            waveforms of any length. Only these sides are padded when inputs are joined.
        pad: Value of the padding that is added when inputs are joined.

    Raises:
        UsageError: When ``valid`` doesn't have the shape of ``values`` with one channel.
    """

    values: Tensor
    valid: Tensor | None = None
    kind: str = "image"
    ragged: tuple[int, ...] = ()
    pad: float = 0.0

    def __post_init__(self) -> None:
        if self.valid is None:
            return
        if self.valid.dtype != torch.bool:
            raise UsageError(f"validity of type {self.valid.dtype}", "valid is bool")
        expected = (len(self.values), 1, *self.values.shape[2:])
        if tuple(self.valid.shape) != expected:
            cause = f"validity of shape {list(self.valid.shape)} for values {list(self.values.shape)}"
            raise UsageError(cause, f"valid is bool {list(expected)}")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def space(self) -> tuple[int, ...]:
        """Lengths of the sides after the channels."""
        return tuple(self.values.shape[2:])

    @property
    def device(self) -> torch.device:
        """Device of the tensors."""
        return self.values.device

    @property
    def lengths(self) -> Tensor:
        """int64 ``[B]``: number of valid places of each sample, for inputs with one side."""
        if self.valid is None:
            return torch.full((len(self),), self.values.shape[-1], device=self.device)
        return self.valid.flatten(1).sum(dim=1)

    def take(self, index: Tensor | slice) -> Input:
        """The input of the samples at ``index``."""
        return replace(self, values=self.values[index], valid=None if self.valid is None else self.valid[index])

    def to(
        self,
        device: torch.device | str,
        *,
        non_blocking: bool = False,
        memory_format: torch.memory_format = torch.preserve_format,
    ) -> Input:
        """The input on another device. ``memory_format`` is used only if the values have the rank that it needs."""
        values = self.values.to(device, non_blocking=non_blocking)
        if memory_format is torch.contiguous_format or (memory_format is torch.channels_last and values.ndim == 4):
            values = values.contiguous(memory_format=memory_format)
        valid = None if self.valid is None else self.valid.to(device, non_blocking=non_blocking)
        return replace(self, values=values, valid=valid)

    def pin_memory(self) -> Input:
        """The input in page-locked memory, for asynchronous copies to a GPU; called by a ``DataLoader``."""
        return replace(
            self, values=self.values.pin_memory(), valid=None if self.valid is None else self.valid.pin_memory()
        )

    def unit(self) -> Input:
        """The input with uint8 values converted to float32 in [0, 1]; other values are unchanged."""
        if self.values.dtype != torch.uint8:
            return self
        return replace(self, values=self.values.float().div_(255))

    def with_valid(self) -> Tensor:
        """``valid``, or all true where it is None."""
        if self.valid is not None:
            return self.valid
        return torch.ones((len(self), 1, *self.space), dtype=torch.bool, device=self.device)

    @classmethod
    def cat(cls, parts: Sequence[Input]) -> Input:
        """Join the samples of several inputs, in order. Ragged sides are padded at their end to the longest.

        Raises:
            UsageError: When parts differ in kind, type, channels or a side that is not ragged.
        """
        if not parts:
            raise UsageError("no inputs to join", "give at least one")
        first = parts[0]
        for part in parts[1:]:
            _require_alike(first, part)
        sides = tuple(max(lengths) for lengths in zip(*(part.space for part in parts), strict=True))
        if all(part.space == sides for part in parts):
            valid = None
            if any(part.valid is not None for part in parts):
                valid = torch.cat([part.with_valid() for part in parts])
            return replace(first, values=torch.cat([part.values for part in parts]), valid=valid)
        # Copied part by part into one padded batch: padding each part first takes half as long again.
        count, start = sum(map(len, parts)), 0
        values = first.values.new_full((count, first.values.shape[1], *sides), first.pad)
        valid = torch.zeros((count, 1, *sides), dtype=torch.bool, device=first.device)
        for part in parts:
            place = (slice(start, start + len(part)), slice(None), *map(slice, part.space))
            values[place] = part.values
            valid[place] = True if part.valid is None else part.valid
            start += len(part)
        return replace(first, values=values, valid=valid)

    def trimmed(self) -> Input:
        """Remove padding that no sample needs: each ragged side is cut behind the last valid place of any sample."""
        if self.valid is None or not self.ragged:
            return self
        keep = [slice(None), slice(None)]
        for side in range(len(self.space)):
            others = [axis for axis in range(self.valid.ndim) if axis != side + 2]
            places = torch.nonzero(self.valid.any(dim=others) if others else self.valid)
            last = int(places[-1]) + 1 if len(places) else 1
            keep.append(slice(0, last) if side in self.ragged else slice(None))
        values, valid = self.values[tuple(keep)], self.valid[tuple(keep)]
        return replace(self, values=values, valid=None if bool(valid.all()) else valid)

    def padded(self, sides: Sequence[int]) -> Input:
        """Pad the end of each side to the given lengths: values with ``pad``, validity with false."""
        if len(sides) != len(self.space) or any(new < old for new, old in zip(sides, self.space, strict=False)):
            raise UsageError(
                f"an input {list(self.space)} padded to {list(sides)}", "give each side a length, not less"
            )
        missing = [length - current for length, current in zip(sides, self.space, strict=True)]
        if not any(missing):
            return self
        # F.pad counts from the last side.
        amounts = [amount for length in reversed(missing) for amount in (0, length)]
        values = F.pad(self.values, amounts, value=self.pad)
        return replace(self, values=values, valid=F.pad(self.with_valid(), amounts, value=False))


def _require_alike(first: Input, other: Input) -> None:
    if first.kind != other.kind:
        raise UsageError(f"inputs of kind {first.kind!r} and {other.kind!r} don't go into one batch", "group by kind")
    if first.values.dtype != other.values.dtype or first.values.ndim != other.values.ndim:
        cause = (
            f"inputs {first.values.dtype} of {first.values.ndim} and {other.values.dtype} of {other.values.ndim} sides"
        )
        raise UsageError(cause, "one batch of one view has one type and rank")
    if first.ragged != other.ragged or first.pad != other.pad:
        raise UsageError(
            f"two forms of inputs of kind {first.kind!r}", "inputs of one kind have one `ragged` and `pad`"
        )
    if first.values.shape[1] != other.values.shape[1]:
        cause = f"inputs of {first.values.shape[1]} and {other.values.shape[1]} channels"
        raise UsageError(cause, "one batch of one view has one channel count")
    for side, (one, two) in enumerate(zip(first.space, other.space, strict=True)):
        if one != two and side not in first.ragged:
            raise UsageError(
                f"inputs of {one} and {two} along side {side}, which is fixed",
                "embed views of different size apart: views.by_shape()",
            )
