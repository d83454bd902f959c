"""Dataset that returns whole batches of inputs from the store, with a cache in memory shared by worker processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ssl_domains.errors import DataError
from ssl_domains.inputs import Input
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views.contract import Preprocess

__all__ = ["InputDataset", "whole_batch"]


def whole_batch(batch: Any) -> Any:
    """The ``collate_fn`` of a loader over `InputDataset`: returns its argument, which is a batch already."""
    return batch


class InputDataset(Dataset[dict[str, Any]]):
    """The rows of a table as inputs of an encoder; item i is row i.

    Inputs of a fixed size are computed at their first use. When all of them fit into ``cache_gb`` they are kept, and
    a batch of a later epoch is one ``index_select``. The cache is in shared memory, so that an input computed by one
    worker is there for all workers. Ragged inputs are computed anew for each batch and padded to the longest sample of
    the batch. The batches depend neither on the cache nor on the number of workers.

    Use it as ``DataLoader(dataset, batch_sampler=…, collate_fn=whole_batch, num_workers=…)``.

    Args:
        table: Rows of the dataset; each must have a decoded array.
        store: Holds their arrays.
        preprocess: Turns an array into an input.
        cache_gb: Largest size of the cache, in GB (10⁹ bytes); 0 for no cache.

    Attributes:
        cached: Whether there is a cache.

    Raises:
        DataError: When a row could not be decoded, or the preprocess refuses its array.
    """

    def __init__(self, table: SampleTable, store: ArrayStore, preprocess: Preprocess, cache_gb: float = 2.0) -> None:
        self._samples = store.of(table)
        failed = int((~self._samples.decoded).sum())
        if failed:
            cause = f"{failed} rows of the table could not be decoded"
            raise DataError(cause, "keep the rows where store.of(table).decoded is true")
        if hasattr(preprocess, "require"):
            preprocess.require(table, store)
        self._preprocess = preprocess
        self._facts = {name: table.column(name).to_list() for name in preprocess.columns}
        self._spec = preprocess.spec
        self._dtype, self._may_mask, self._keeps_mask = getattr(torch, self._spec.dtype), True, False
        if hasattr(preprocess, "stored_form"):
            self._dtype, self._may_mask, self._keeps_mask = preprocess.stored_form(self._samples.dtypes())
        self._cache: dict[str, Tensor] | None = None
        self._beside = int(getattr(preprocess, "beside", 0))
        fixed = not self._spec.ragged and not self._beside
        if fixed and self._bytes_each() * len(table) <= cache_gb * 1e9:
            self._cache = self._allocate(len(table))
        self.cached = self._cache is not None

    def _bytes_each(self) -> int:
        places = int(np.prod([side or 0 for side in self._spec.space]))
        return int(places * (self._spec.channels * self._dtype.itemsize + self._may_mask)) + 1

    def _allocate(self, rows: int) -> dict[str, Tensor] | None:
        space = [side or 0 for side in self._spec.space]
        try:
            cache = {
                "values": torch.empty((rows, self._spec.channels, *space), dtype=self._dtype),
                "filled": torch.zeros(rows, dtype=torch.bool),
            }
            if self._may_mask:
                cache["valid"] = torch.empty((rows, 1, *space), dtype=torch.bool)
            for tensor in cache.values():
                tensor.share_memory_()  # type: ignore[no-untyped-call]
        except (RuntimeError, OSError):  # shared memory is often smaller than memory, in containers above all
            return None
        return cache

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """A batch of one."""
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int] | Tensor) -> dict[str, Any]:
        """A batch.

        Returns:
            ``input``: an `Input` of the same dtype for every batch; its ``valid`` is None when every place has data.
            ``beside``: a tuple of further inputs of the same samples, which get the same geometric changes.
            ``index``: int64 ``[B]``, the rows.
        """
        index = torch.as_tensor(indices, dtype=torch.int64)
        made, *beside = self._make(index) if self._cache is None else (self._from_cache(self._cache, index),)
        if made.valid is not None and not self._keeps_mask and bool(made.valid.all()):
            made = replace(made, valid=None)
        return {"input": made, "beside": tuple(beside), "index": index}

    def _from_cache(self, cache: dict[str, Tensor], index: Tensor) -> Input:
        absent = torch.unique(index[~cache["filled"][index]])
        if len(absent):
            made = self._make(absent)[0]
            cache["values"][absent] = made.values
            if self._may_mask:
                cache["valid"][absent] = made.with_valid()
            cache["filled"][absent] = True  # last, as another worker may read the cache at any moment
        valid = cache["valid"].index_select(0, index) if self._may_mask else None
        spec = self._spec
        return Input(cache["values"].index_select(0, index), valid, spec.kind, spec.ragged, spec.pad)

    def _make(self, index: Tensor) -> tuple[Input, ...]:
        rows = [self._one(row) for row in index.tolist()]
        return tuple(Input.cat(parts) for parts in zip(*rows, strict=True))

    def _one(self, row: int) -> tuple[Input, ...]:
        facts = {name: values[row] for name, values in self._facts.items()}
        take = getattr(self._preprocess, "compact", self._preprocess)
        made = take(self._samples[row], facts)
        first, *further = made if isinstance(made, tuple) else (made,)
        if len(further) != self._beside:
            cause = f"the preprocess {self._preprocess.name!r} gives {len(further)} further inputs of a sample"
            raise DataError(cause, f"its attribute `beside` says {self._beside}")
        if first.values.dtype != self._dtype:
            first = first.unit()  # a uint8 array in a store that also has wider types
        return first, *further
