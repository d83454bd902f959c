"""Inputs of single samples: reads an array of the store, or a part of it, and preprocesses it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.inputs import Input
from ssl_domains.overriding import does_many
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views.contract import Preprocess
from ssl_domains.views.preprocesses import finished, loaded_spec
from ssl_domains.views.row_facts import RowFacts

__all__ = ["Parts", "SampleInputs", "slices_of"]

Parts = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Parts of several arrays: first place, and place behind the last, along each side, int64 ``[n, rank]`` each."""


def slices_of(parts: Parts) -> list[tuple[slice, ...]]:
    """The slices of each part."""
    return [
        tuple(slice(start, stop) for start, stop in zip(first, last, strict=True))
        for first, last in zip(parts[0].tolist(), parts[1].tolist(), strict=True)
    ]


class SampleInputs:
    """Makes the inputs of the rows of a table; row numbers count from 0.

    Args:
        table: The rows; each must have a decoded array.
        store: Holds their arrays.
        preprocess: Turns an array into an input.

    Attributes:
        spec: The form of the inputs; ``loaded`` of a preprocess whose last part runs on the device.
        dtype: Their type, before pictures are converted to float32.
        may_mask: Whether some of them may have places without data.
        keeps_mask: Whether all of them have a mask.
        beside: Number of further inputs of each sample.

    Raises:
        DataError: When a row could not be decoded, or the preprocess refuses its array.
    """

    def __init__(self, table: SampleTable, store: ArrayStore, preprocess: Preprocess) -> None:
        self._samples = store.of(table)
        failed = int((~self._samples.decoded).sum())
        if failed:
            cause = f"{plural(failed, 'row')} of the table could not be decoded"
            raise DataError(cause, "keep the rows where store.of(table).decoded is true")
        if hasattr(preprocess, "require"):
            preprocess.require(table, store)
        self._preprocess = preprocess
        self._take: Callable[..., Any] = getattr(preprocess, "compact", preprocess)
        at_once = does_many(preprocess, "many", "__call__", "compact", "place")
        self._many: Callable[..., Input] | None = preprocess.many if at_once else None  # type: ignore[attr-defined]
        joins = does_many(preprocess, "joined", "__call__", "compact")
        self._joined: Callable[..., Input] | None = preprocess.joined if joins else None  # type: ignore[attr-defined]
        self._reads_valid = "valid" in inspect.signature(self._take).parameters
        further = [name for name in getattr(preprocess, "may_read", ()) if name in table.columns]
        self._facts = RowFacts(table, [*preprocess.columns, *further])
        self.spec = loaded_spec(preprocess)
        self.dtype, self.may_mask, self.keeps_mask = getattr(torch, self.spec.dtype), True, False
        if hasattr(preprocess, "stored_form"):
            self.dtype, self.may_mask, self.keeps_mask = preprocess.stored_form(self._samples.dtypes())
        self.may_mask = self.may_mask or self._samples.may_have_holes
        self.beside = int(getattr(preprocess, "beside", 0))

    def __len__(self) -> int:
        return len(self._samples)

    def shape(self, row: int) -> tuple[int, ...]:
        """Sides of a row's array, without reading it."""
        return self._samples.shape(row)

    def shapes(self, rows: Sequence[int] | None = None) -> NDArray[np.int64]:
        """Sides of the arrays of some rows, int64 ``[n, rank]``; None for all rows."""
        return self._samples.shapes(rows)

    @property
    def largest(self) -> int:
        """Places of the largest array of a row."""
        return int(self._samples.shapes().prod(axis=1).max(initial=0))

    @property
    def longest(self) -> int | None:
        """Largest side of an input, where only making it says its side; None when the preprocess can't say it."""
        return None if self.may_mask else getattr(self._preprocess, "longest", None)

    def sides(self) -> NDArray[np.int64] | None:
        """Sides of the inputs of all rows, int64 ``[n, sides]``; None when the preprocess can't say them."""
        if not hasattr(self._preprocess, "sides"):
            return None
        sides, shapes = self._preprocess.sides, map(tuple, self._samples.shapes().tolist())
        if "facts" in inspect.signature(sides).parameters:
            made = [sides(shape, self._facts[row]) for row, shape in enumerate(shapes)]
        else:
            made = [sides(shape) for shape in shapes]
        return np.array(made, dtype=np.int64).reshape(len(self), len(self.spec.space))

    def __call__(self, row: int, slices: Sequence[slice] | None = None) -> tuple[Input, ...]:
        """The input of a row, and its further inputs.

        Args:
            row: Number of the row.
            slices: The part of its array; None for all of it.

        Raises:
            DataError: When the preprocess gives another number of further inputs than it declares, or the array has
                places without data and the preprocess gives other sides without reading ``valid``.
        """
        array, valid = self._samples.read(row, () if slices is None else slices)
        if valid is not None:
            valid = None if valid.all() else np.broadcast_to(valid, array.shape)
        facts = self._facts[row]
        made = self._take(array, facts, valid=valid) if self._reads_valid else self._take(array, facts)
        first, *further = made if isinstance(made, tuple) else (made,)
        if len(further) != self.beside:
            cause = f"the preprocess {self._preprocess.name!r} gives {len(further)} further inputs of a sample"
            raise DataError(cause, f"its attribute `beside` says {self.beside}")
        if valid is not None and not self._reads_valid:
            first = self._masked(first, valid)
        if first.values.dtype != self.dtype:
            first = first.unit()  # a uint8 array in a store that also has wider types
        return first, *further

    def together(self, rows: Sequence[int], parts: Parts | None = None) -> list[Input]:
        """The inputs of several rows joined in one batch, and their further inputs, likewise joined.

        Args:
            rows: Numbers of the rows, at least one.
            parts: The part of each array: starts and stops, int64 ``[n, rank]`` each; None for whole arrays.

        Raises:
            DataError: As the call does.
        """
        made = self._many_together(rows, parts)
        if made is not None:
            return [made]
        of_row: Sequence[Sequence[slice] | None] = [None] * len(rows) if parts is None else slices_of(parts)
        if self._joined is not None and not self.beside and not self._samples.may_have_holes:
            arrays = [self._samples.read(row, part or ())[0] for row, part in zip(rows, of_row, strict=True)]
            made = self._joined(arrays, [self._facts[row] for row in rows])
            return [made if made.values.dtype == self.dtype else made.unit()]
        each = [self(row, part) for row, part in zip(rows, of_row, strict=True)]
        return [Input.cat(one) for one in zip(*each, strict=True)]

    def _many_together(self, rows: Sequence[int], parts: Parts | None) -> Input | None:
        """The same by the preprocess's ``many``; None where it can't take these arrays."""
        if self._many is None or self.beside:
            return None
        first = self.shape(rows[0]) if parts is None else tuple((parts[1][0] - parts[0][0]).tolist())
        read = self._samples.read_together(rows, parts) if self._preprocess.takes_many(first) else None  # type: ignore[attr-defined]
        if read is None:
            return None
        made = self._many(read[0], [self._facts[row] for row in rows], read[1])
        return made if made.values.dtype == self.dtype else made.unit()

    def finish(self, made: Input) -> Input:
        """A batch in the form that the encoder takes; the same batch for a preprocess without ``finish``."""
        return finished(self._preprocess, made)

    def _masked(self, made: Input, valid: NDArray[np.bool_]) -> Input:
        """The input with the places false that have no data in the array."""
        if valid.ndim == 1 + len(made.space):
            valid = np.asarray(valid.all(axis=-1))  # the last side is that of the channels
        if valid.shape != made.space:
            raise DataError(
                f"an array has places without data, and the preprocess {self._preprocess.name!r} changes its sides",
                "let it take the keyword `valid`, and return the validity of what it makes",
            )
        return replace(made, valid=made.with_valid() & torch.from_numpy(valid)[None, None])

    def tidy(self, made: Input) -> Input:
        """A batch without its mask where the mask says nothing, because all places have data."""
        if made.valid is not None and not self.keeps_mask and bool(made.valid.all()):
            return replace(made, valid=None)
        return made
