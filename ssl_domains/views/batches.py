"""Whole batches of canvases from the store, with a cache in memory that worker processes share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ssl_domains.errors import DataError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views.preprocess import Preprocess

__all__ = ["CanvasDataset", "whole_batch"]


def whole_batch(batch: dict[str, Any]) -> dict[str, Any]:
    """The ``collate_fn`` of a loader over `CanvasDataset`: what ``__getitems__`` gives is a batch already."""
    return batch


class CanvasDataset(Dataset[dict[str, Any]]):
    """The rows of a table, scaled and on their canvas; item i is row i.

    Canvases are made when first asked for and, when all of them fit into ``cache_gb``, kept: later epochs are one
    ``index_select``. The cache lies in shared memory, so each worker fills it for all. What comes out depends neither
    on the cache nor on the number of workers.

    Use it as ``DataLoader(dataset, batch_sampler=…, collate_fn=whole_batch, num_workers=…)``.

    Args:
        table: Rows to serve; all of them decoded.
        store: Holds their arrays.
        preprocess: Fitted scaling, canvas, channels.
        cache_gb: Most memory for the cache, in GB (10⁹ bytes); 0 for none.

    Attributes:
        cached: Whether there is a cache.

    Raises:
        DataError: When a row could not be decoded, or its channels don't fit.
    """

    def __init__(self, table: SampleTable, store: ArrayStore, preprocess: Preprocess, cache_gb: float = 2.0) -> None:
        self._positions = store.positions(table)
        failed = int((self._positions < 0).sum())
        if failed:
            raise DataError(f"{failed} rows of the table could not be decoded", "keep the rows whose position is ≥ 0")
        wrong = store.channels(self._positions) - {1, preprocess.in_chans}
        if wrong:
            counts = ", ".join(str(count) for count in sorted(wrong))
            cause = f"some arrays have {counts} channels, the encoder takes {preprocess.in_chans}"
            raise DataError(cause, "set encoder.in_chans, or let the reader choose channels")
        self._store = store
        self._preprocess = preprocess
        self._groups = preprocess.scaling.groups(table)
        for group in dict.fromkeys(self._groups):
            preprocess.scaling.window(group)
        dtypes = store.dtypes(self._positions)
        self._dtype = torch.uint8 if preprocess.scaling.stays_uint8(dtypes) else torch.float32
        self._fits = preprocess.canvas.mode == "fit"
        self._may_mask = self._fits or any(dtype.kind == "f" for dtype in dtypes)
        size, channels = preprocess.canvas.size, preprocess.in_chans
        bytes_each = size * size * (channels * (1 if self._dtype == torch.uint8 else 4) + self._may_mask) + 1
        self._cache: dict[str, Tensor] | None = None
        if len(table) * bytes_each <= cache_gb * 1e9:
            self._cache = self._allocate(len(table), channels, size)
        self.cached = self._cache is not None

    def _allocate(self, rows: int, channels: int, size: int) -> dict[str, Tensor] | None:
        try:
            cache = {
                "images": torch.empty((rows, channels, size, size), dtype=self._dtype),
                "filled": torch.zeros(rows, dtype=torch.bool),
            }
            if self._may_mask:
                cache["mask"] = torch.empty((rows, 1, size, size), dtype=torch.bool)
            for tensor in cache.values():
                tensor.share_memory_()  # type: ignore[no-untyped-call]
        except (RuntimeError, OSError):  # shared memory is often smaller than memory, in containers above all
            return None
        return cache

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """A batch of one."""
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int] | Tensor) -> dict[str, Any]:
        """A batch.

        Returns:
            ``images`` uint8 or float32 ``[B, C, S, S]`` (the same type for every batch), ``mask`` bool ``[B, 1, S,
            S]`` or None where all is data, ``index`` int64 ``[B]``, the rows.
        """
        index = torch.as_tensor(indices, dtype=torch.int64)
        if self._cache is None:
            images, mask = self._make(index)
        else:
            absent = torch.unique(index[~self._cache["filled"][index]])
            if len(absent):
                made, made_mask = self._make(absent)
                self._cache["images"][absent] = made
                if made_mask is not None:
                    self._cache["mask"][absent] = made_mask
                self._cache["filled"][absent] = True  # last: another worker may look at any moment
            images = self._cache["images"].index_select(0, index)
            mask = self._cache["mask"].index_select(0, index) if self._may_mask else None
        if mask is not None and not self._fits and bool(mask.all()):
            mask = None
        return {"images": images, "mask": mask, "index": index}

    def _make(self, index: Tensor) -> tuple[Tensor, Tensor | None]:
        size, channels = self._preprocess.canvas.size, self._preprocess.in_chans
        images = torch.empty((len(index), channels, size, size), dtype=self._dtype)
        mask = torch.ones((len(index), 1, size, size), dtype=torch.bool) if self._may_mask else None
        for place, row in enumerate(index.tolist()):
            canvas, seen = self._preprocess.place(self._store[int(self._positions[row])], self._groups[row])
            picture = torch.from_numpy(canvas.transpose(2, 0, 1).copy())  # the store's own memory is read-only
            if picture.dtype != self._dtype:  # uint8 among wider types
                picture = picture.to(torch.float32) / 255
            images[place] = picture
            if mask is not None and seen is not None:
                mask[place, 0] = torch.from_numpy(seen)
        return images, mask
