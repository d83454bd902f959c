"""Dataset that returns whole batches of inputs from the store, with a cache in memory shared by worker processes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, View
from ssl_domains.pairs import Ask
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views.cache import BoundedCache, FixedCache, InputCache, RaggedCache
from ssl_domains.views.contract import Preprocess, RowInputs
from ssl_domains.views.crops import Crop, Tiling, centre, emit_all, place_all
from ssl_domains.views.draws import Draws
from ssl_domains.views.sample_inputs import Parts, SampleInputs, slices_of

__all__ = ["InputDataset", "TileDataset", "whole_batch"]


_PLACES_AT_ONCE = 1 << 19
"""Most places of ragged arrays that should be in an encoder at a time."""


def whole_batch(batch: Any) -> Any:
    """The ``collate_fn`` of a loader over `InputDataset`: returns its argument, which is a batch already."""
    return batch


class InputDataset(Dataset[dict[str, Any]]):
    """The rows of a table as inputs of an encoder; item i is row i.

    Inputs are computed at their first use. When all of them fit into ``cache_gb`` they are kept in shared memory, so
    that an input computed by one worker is there for all workers. Ragged inputs are kept only when the preprocess says
    their sides beforehand, or how long they may be; in a batch they are padded to the longest. With a crop nothing is
    kept: each batch reads its parts of the arrays from the store, which the operating system keeps in its page cache.
    The batches depend neither on the cache nor on the number of workers.

    Use it as ``DataLoader(dataset, batch_sampler=…, collate_fn=whole_batch, num_workers=…)``.

    Args:
        table: Rows of the dataset; each must have a decoded array.
        store: Holds their arrays.
        preprocess: Turns an array into an input.
        cache_gb: Largest size of the cache, in GB (10⁹ bytes); 0 for no cache.
        crop: Chooses the part of a sample that a view shows; None for the whole sample.
        views: Number of views of each slot, for crops.
        seed: Seed of the run, for crops.
        drawn: Whether crops will be drawn, as in a training; then the ``numbers`` of the crop are computed.
        beside: Gives further inputs of the rows, such as label maps, behind those of the preprocess; None for none.
            They are not kept in the cache, and don't keep the samples from being kept. With a crop they are those of
            the part that a view shows.

    Attributes:
        cached: Whether there is a cache.

    Raises:
        DataError: When a row could not be decoded, or the preprocess refuses its array.
        UsageError: When the crop reads a column that is missing or holds no numbers; with a crop and ``beside`` that
            gives only the inputs of whole samples.
    """

    def __init__(
        self,
        table: SampleTable,
        store: ArrayStore,
        preprocess: Preprocess,
        cache_gb: float = 2.0,
        *,
        crop: Crop | None = None,
        views: int = 1,
        seed: int = 0,
        drawn: bool = False,
        beside: RowInputs | None = None,
    ) -> None:
        if beside is not None and crop is not None and not hasattr(beside, "of_part"):
            cause = "the views show crops, and the label maps are those of whole samples"
            raise UsageError(cause, "give label maps of parts, such as DrawnLabelMaps, or leave the crop out")
        self._inputs = SampleInputs(table, store, preprocess)
        self._beside = beside
        self.crop, self._views, self._seed = crop, views, seed
        self._numbers = {name: table.numbers(name) for name in (() if crop is None else crop.columns)}
        if drawn and crop is not None and hasattr(crop, "numbers"):
            self._numbers |= crop.numbers(table)
        self._cache = self._allocate(cache_gb * 1e9)
        self.cached = self._cache is not None

    def _allocate(self, limit: float) -> InputCache | None:
        inputs, spec = self._inputs, self._inputs.spec
        if self.crop is not None or inputs.beside or not limit:
            return None
        if not spec.ragged:
            return FixedCache.allocate(spec, len(inputs), inputs.dtype, inputs.may_mask, limit)
        sides, longest = inputs.sides(), inputs.longest
        if sides is not None:
            return RaggedCache.allocate(spec, sides, inputs.dtype, inputs.may_mask, limit)
        return None if longest is None else BoundedCache.allocate(spec, len(inputs), longest, inputs.dtype, limit)

    def __len__(self) -> int:
        return len(self._inputs)

    def finish(self, x: Input) -> Input:
        """A batch of this dataset in the form that the encoder takes; see `Preprocess`."""
        return self._inputs.finish(x)

    @property
    def lengths(self) -> NDArray[np.int64] | None:
        """How long the rows' arrays are, in numbers, int64 ``[n]``; None where all inputs have the same sides."""
        return self._inputs.shapes().prod(axis=1) if self._inputs.spec.ragged else None

    @property
    def most_at_once(self) -> int:
        """Largest number of rows that should be in an encoder at a time; few where whole recordings are long."""
        return _most_at_once(self._inputs, self._inputs.largest)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """A batch of one."""
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int] | Tensor) -> dict[str, Any]:
        """A batch.

        Args:
            indices: Numbers of the rows. With a crop, an `Ask` of the batch sampler gives drawn crops. A plain list
                gives what an encoder sees at evaluation: the centre, or the whole sample when the spec is ragged.

        Returns:
            ``input``: an `Input` of the same dtype for every batch; its ``valid`` is None when every place has data. It
            has the form in which samples are loaded; `finish` gives that of the encoder.
            ``beside``: a tuple of further inputs of the same samples, which get the same geometric changes.
            ``index``: int64 ``[B]``, the rows.

            With drawn crops, in place of ``input`` and ``beside``: ``crops``, a `View` for each view of the slots, with
            the numbers that the crop emits. View ``v`` shows seat ``v mod S``.
        """
        index = torch.as_tensor(indices, dtype=torch.int64)
        if self.crop is not None and isinstance(indices, Ask):
            return {"crops": self._crops(self.crop, indices), "index": index}
        if self._cache is not None:
            made = self._cache.get(index, lambda rows: self._inputs.together(rows)[0])
            return {"input": self._inputs.tidy(made), "beside": self._further(index), "index": index}
        rows = index.tolist()
        first, *beside = self._parts(rows, self._shown(rows))
        return {"input": self._inputs.tidy(first), "beside": tuple(beside), "index": index}

    def _further(self, index: Tensor) -> tuple[Input, ...]:
        return () if self._beside is None else (self._beside(index),)

    def _parts(self, rows: list[int], parts: Parts | None) -> list[Input]:
        """The inputs of parts of some rows' arrays, joined, and behind them their further inputs; None for all."""
        made = self._inputs.together(rows, parts)
        if self._beside is None or parts is None:
            return [*made, *self._further(torch.tensor(rows))]
        of_part = self._beside.of_part  # type: ignore[attr-defined]  # checked when the dataset was made
        return [*made, Input.cat([of_part(row, part) for row, part in zip(rows, slices_of(parts), strict=True)])]

    def _shown(self, rows: list[int]) -> Parts | None:
        """The part of each row's array that is shown at evaluation; None for all of it."""
        if self.crop is None or self._inputs.spec.ragged:
            return None
        return _ends([centre(self.crop, self._inputs.shape(row), self._facts(row)) for row in rows])

    def _facts(self, row: int) -> dict[str, float]:
        """The numbers of a row that the crop reads."""
        return {name: float(values[row]) for name, values in self._numbers.items()}

    def _crops(self, crop: Crop, ask: Ask) -> tuple[View, ...]:
        """The crops of each view of the slots of one process."""
        seats, slots = len(ask.seats), torch.from_numpy(ask.slots)
        views: list[View] = []
        for view in range(self._views):
            if crop.shared and view >= seats:
                views.append(views[view - seats])  # the same random numbers for the same samples
                continue
            draws = Draws(self._seed, ask.step, slots, 0 if crop.shared else view, "crop")
            rows = ask.seats[view % seats]
            facts = {name: values[rows] for name, values in self._numbers.items()}
            parts = place_all(crop, draws, self._inputs.shapes(rows), facts)
            first, *beside = self._parts(rows.tolist(), parts)
            emitted = {name: torch.from_numpy(values) for name, values in emit_all(crop, *parts, facts).items()}
            views.append(View(self._inputs.tidy(first), emitted, beside=tuple(beside)))
        return tuple(views)


class TileDataset(Dataset[dict[str, Any]]):
    """The tiles of the rows of a dataset with a crop; item i is a tile, the tiles of row 0 come first.

    Args:
        dataset: A dataset with a crop, whose size the tiles have.
        tiling: The grid of tiles of each row.

    Attributes:
        first: int64 ``[n + 1]``, number of the first tile of each row, and the number of all tiles.
        most_at_once: Largest number of tiles that should be in an encoder at a time.
    """

    def __init__(self, dataset: InputDataset, tiling: Tiling) -> None:
        self._dataset, self._tiling = dataset, tiling
        counts, largest = np.zeros(len(dataset), dtype=np.int64), 0
        for row in range(len(dataset)):
            shape, tile = self._form(row)
            counts[row] = math.prod(tiling.counts(shape, tile))
            largest = max(largest, math.prod(one.stop - one.start for one in tile))
        self.first = np.concatenate([[0], np.cumsum(counts)])
        self.most_at_once = _most_at_once(dataset._inputs, largest)

    def _form(self, row: int) -> tuple[tuple[int, ...], tuple[slice, ...]]:
        """Sides of a row's array, and the crop at its centre."""
        data = self._dataset
        shape = data._inputs.shape(row)
        assert data.crop is not None, "tiles have the size of a crop"
        return shape, centre(data.crop, shape, data._facts(row))

    def __len__(self) -> int:
        return int(self.first[-1])

    def finish(self, x: Input) -> Input:
        """A batch of tiles in the form that the encoder takes; see `Preprocess`."""
        return self._dataset.finish(x)

    def __getitems__(self, indices: Sequence[int] | Tensor) -> dict[str, Any]:
        """A batch of tiles, in the form of `InputDataset`."""
        index = torch.as_tensor(indices, dtype=torch.int64)
        rows = (np.searchsorted(self.first, index.numpy(), side="right") - 1).tolist()
        parts = [
            self._tiling.tile(number - int(self.first[row]), *self._form(row))
            for number, row in zip(index.tolist(), rows, strict=True)
        ]
        first, *beside = self._dataset._inputs.together(rows, _ends(parts))
        return {"input": self._dataset._inputs.tidy(first), "beside": tuple(beside), "index": index}


def _ends(parts: Sequence[Sequence[slice]]) -> Parts:
    """Starts and stops of parts."""
    ends = np.array([[(side.start, side.stop) for side in part] for part in parts], dtype=np.int64)
    return ends[:, :, 0], ends[:, :, 1]


def _most_at_once(inputs: SampleInputs, largest: int) -> int:
    """Largest number of samples of this many places at a time, where samples may have any size."""
    return max(1, _PLACES_AT_ONCE // max(1, largest)) if inputs.spec.ragged else _PLACES_AT_ONCE
