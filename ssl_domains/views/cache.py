"""Caches of inputs in shared memory: an input that one worker process computed is there for all of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import DataError
from ssl_domains.inputs import Input, InputSpec

__all__ = ["BoundedCache", "FixedCache", "InputCache", "RaggedCache"]

MakeInputs = Callable[[list[int]], Input]
"""Computes the inputs of some rows, as one batch."""


class InputCache(Protocol):
    """Inputs by row, each computed at its first use."""

    def get(self, index: Tensor, make: MakeInputs) -> Input:
        """The inputs of the rows ``index``, int64 ``[B]``, as one batch."""
        ...


_ABSENT = -1
"""Length of an input that has not been computed."""


def _shared(tensors: dict[str, Tensor]) -> dict[str, Tensor] | None:
    try:
        for tensor in tensors.values():
            tensor.share_memory_()  # type: ignore[no-untyped-call]
    except (RuntimeError, OSError):  # shared memory is often smaller than memory, in containers above all
        return None
    return tensors


class FixedCache:
    """Inputs of one size, one after the other; a batch of cached rows is one ``index_select``.

    Args:
        spec: The form of the inputs.
        tensors: Made by `allocate`.
    """

    def __init__(self, spec: InputSpec, tensors: dict[str, Tensor]) -> None:
        self.spec, self.tensors = spec, tensors

    @classmethod
    def allocate(
        cls, spec: InputSpec, rows: int, dtype: torch.dtype, may_mask: bool, limit: float
    ) -> FixedCache | None:
        """An empty cache; None when it would be larger than ``limit`` bytes, or than shared memory."""
        space = [side or 0 for side in spec.space]
        each = math.prod(space) * (spec.channels * dtype.itemsize + may_mask) + 1
        if each * rows > limit:
            return None
        try:
            tensors = {
                "values": torch.empty((rows, spec.channels, *space), dtype=dtype),
                "filled": torch.zeros(rows, dtype=torch.bool),
            }
            if may_mask:
                tensors["valid"] = torch.empty((rows, 1, *space), dtype=torch.bool)
        except RuntimeError:
            return None
        shared = _shared(tensors)
        return None if shared is None else cls(spec, shared)

    def get(self, index: Tensor, make: MakeInputs) -> Input:
        """See `InputCache`."""
        cache, spec = self.tensors, self.spec
        absent = torch.unique(index[~cache["filled"][index]])
        if len(absent):
            made = make(absent.tolist())
            cache["values"][absent] = made.values
            if "valid" in cache:
                cache["valid"][absent] = made.with_valid()
            cache["filled"][absent] = True  # last, as another worker may read the cache at any moment
        valid = cache["valid"].index_select(0, index) if "valid" in cache else None
        return Input(cache["values"].index_select(0, index), valid, spec.kind, spec.ragged, spec.pad)


class RaggedCache:
    """Inputs of any size, flattened and one after the other; a batch is padded to its longest sample.

    Args:
        spec: The form of the inputs.
        sides: int64 ``[n, sides]``, the sides of each row's input.
        tensors: Made by `allocate`.
    """

    def __init__(self, spec: InputSpec, sides: NDArray[np.int64], tensors: dict[str, Tensor]) -> None:
        self.spec, self.sides, self.tensors = spec, sides, tensors
        self._places = np.concatenate([[0], np.cumsum(sides.prod(axis=1))])

    @classmethod
    def allocate(
        cls, spec: InputSpec, sides: NDArray[np.int64], dtype: torch.dtype, may_mask: bool, limit: float
    ) -> RaggedCache | None:
        """An empty cache; None when it would be larger than ``limit`` bytes, or than shared memory."""
        places = int(sides.prod(axis=1).sum())
        if places * (spec.channels * dtype.itemsize + may_mask) + len(sides) > limit:
            return None
        try:
            tensors = {
                "values": torch.empty(places * spec.channels, dtype=dtype),
                "filled": torch.zeros(len(sides), dtype=torch.bool),
            }
            if may_mask:
                tensors["valid"] = torch.empty(places, dtype=torch.bool)
        except RuntimeError:
            return None
        shared = _shared(tensors)
        return None if shared is None else cls(spec, sides, shared)

    def get(self, index: Tensor, make: MakeInputs) -> Input:
        """See `InputCache`.

        Raises:
            DataError: When an input has other sides than the preprocess said.
        """
        filled = self.tensors["filled"]
        for row in torch.unique(index[~filled[index]]).tolist():
            made = make([row])
            if list(made.space) != self.sides[row].tolist():
                cause = f"the preprocess gives an input of sides {list(made.space)}"
                raise DataError(cause, f"its method `sides` says {self.sides[row].tolist()}")
            values, valid = self._of(row)
            values.copy_(made.values[0])
            if valid is not None:
                valid.copy_(made.with_valid()[0])
            filled[row] = True
        return Input.cat([self._input(row) for row in index.tolist()])

    def _input(self, row: int) -> Input:
        values, valid = self._of(row)
        spec = self.spec
        return Input(values[None], None if valid is None else valid[None], spec.kind, spec.ragged, spec.pad)

    def _of(self, row: int) -> tuple[Tensor, Tensor | None]:
        """The places of a row: ``[C, *space]`` and ``[1, *space]``."""
        start, stop = int(self._places[row]), int(self._places[row + 1])
        channels, sides = self.spec.channels, self.sides[row].tolist()
        values = self.tensors["values"][start * channels : stop * channels].view(channels, *sides)
        valid = self.tensors.get("valid")
        return values, None if valid is None else valid[start:stop].view(1, *sides)


class BoundedCache:
    """Inputs of one ragged side, known only once they are made: the tokens of texts. A batch is cut to its longest.

    Each row has the place of the largest input that there may be.

    Args:
        spec: The form of the inputs.
        tensors: Made by `allocate`.
    """

    def __init__(self, spec: InputSpec, tensors: dict[str, Tensor]) -> None:
        self.spec, self.tensors = spec, tensors

    @classmethod
    def allocate(
        cls, spec: InputSpec, rows: int, longest: int, dtype: torch.dtype, limit: float
    ) -> BoundedCache | None:
        """An empty cache; None when it would be larger than ``limit`` bytes, or than shared memory."""
        lengths = torch.full((rows,), _ABSENT, dtype=torch.int32)
        if rows * (longest * spec.channels * dtype.itemsize + lengths.itemsize) > limit:
            return None
        try:
            shared = _shared({"values": torch.empty((rows, spec.channels, longest), dtype=dtype), "lengths": lengths})
        except RuntimeError:
            return None
        return None if shared is None else cls(spec, shared)

    def get(self, index: Tensor, make: MakeInputs) -> Input:
        """See `InputCache`."""
        values, lengths, spec = self.tensors["values"], self.tensors["lengths"], self.spec
        absent = torch.unique(index[lengths[index] == _ABSENT])
        if len(absent):
            made = make(absent.tolist())
            values[absent, :, : made.space[0]] = made.values
            lengths[absent] = made.with_valid().sum(dim=(1, 2), dtype=torch.int32)  # last, as above
        chosen = lengths[index]
        longest = int(chosen.max())
        valid = torch.arange(longest) < chosen[:, None, None]
        found = values[:, :, :longest].index_select(0, index)
        if bool(valid.all()):
            return Input(found, None, spec.kind, spec.ragged, spec.pad)
        return Input(found.masked_fill_(~valid, spec.pad), valid, spec.kind, spec.ragged, spec.pad)
