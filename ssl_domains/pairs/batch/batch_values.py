"""The rows of one batch as arrays: every value that a rule reads is looked up once for each row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.pairs.batch.rows import Rows
from ssl_domains.pairs.batch.tile_rule import ByPosition, Equal
from ssl_domains.pairs.binding.bound_rule import joint_codes
from ssl_domains.pairs.binding.leaf import BoundLeaf

__all__ = ["RowArrays", "RowsOfBatch", "ranks"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class RowArrays:
    """The anchors or the candidates on the CPU, as arrays ``[M]``.

    Attributes:
        rows: The rows.
        sample: Their samples, −1 for an unfilled slot.
        view: Their views, −1 for a stored row.
        part: Their parts.
        row: Their ids.
        unfilled: bool, the unfilled slots; None without any.
        stored: bool, the stored rows; None without any.
    """

    rows: Rows
    sample: Ints
    view: Ints
    part: Ints
    row: Ints
    unfilled: Bools | None
    stored: Bools | None

    @classmethod
    def of(cls, rows: Rows, size: int) -> RowArrays:
        """The arrays of some rows over a table of ``size`` rows.

        Raises:
            UsageError: When a row points outside the table, or two rows have the same id.
        """
        rows = rows if rows.sample.device.type == "cpu" else rows.to("cpu")
        sample, view, row = rows.sample.numpy(), rows.view.numpy(), rows.row.numpy()
        wrong = np.maximum.reduce(sample, initial=-1) >= size
        # In the usual batch of views this is the only other reduction: the sign says that no number is negative.
        negative = np.minimum.reduce(sample | view, initial=0) < 0
        unfilled = sample < 0 if negative and (sample < 0).any() else None
        stored = view < 0 if negative and (view < 0).any() else None
        if wrong or (unfilled is not None and sample.min() < -1):
            outside = int(sample[(sample < -1) | (sample >= size)][0])
            raise UsageError(f"a row of sample {outside}, but the table has {size}", "Rows.sample is a position in it")
        ids = row if stored is None else row[~stored]
        # Ids usually ascend, which takes less time to check than to sort them.
        if not np.logical_and.reduce(ids[1:] > ids[:-1]) and len(np.unique(ids)) != len(ids):
            raise UsageError("two rows share an id", "Rows.row must be unique in the global batch: use first_row=")
        return cls(rows, sample, view, rows.part.numpy(), row, unfilled, stored)


@dataclass(frozen=True)
class RowsOfBatch:
    """Anchors and candidates of one batch; implements `ssl_domains.pairs.binding.leaf.BatchValues`.

    Values come one for each row: the anchors first, then the candidates unless ``square``.

    Attributes:
        anchor_rows: The anchors.
        candidate_rows: The candidates.
        square: Whether the candidates are the anchors.
    """

    anchor_rows: RowArrays
    candidate_rows: RowArrays
    square: bool

    @property
    def anchors(self) -> Ints:
        """Samples of the anchors."""
        return self.anchor_rows.sample

    @property
    def candidates(self) -> Ints | None:
        """Samples of the candidates, −1 for an unfilled slot; None when they are the anchors."""
        return None if self.square else self.candidate_rows.sample

    @cached_property
    def sample(self) -> Ints:
        """The sample of each row."""
        return self._joined(self.anchor_rows.sample, self.candidate_rows.sample)

    @cached_property
    def part(self) -> Ints | None:
        """The rank of each row's part among the parts of the batch; None where all rows are of one part."""
        part = self._joined(self.anchor_rows.part, self.candidate_rows.part)
        return None if len(part) == 0 or np.logical_and.reduce(part == part[0]) else ranks(part)

    @cached_property
    def unfilled(self) -> Bools | None:
        """Which rows are unfilled slots; None without any. Anchors are none."""
        unfilled = self.candidate_rows.unfilled
        return (
            unfilled if self.square or unfilled is None else self._joined(np.zeros(len(self.anchors), bool), unfilled)
        )

    def split(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Values of all rows as those of the anchors and those of the candidates."""
        m = len(self.anchor_rows.row)
        return (values, values) if self.square else (values[:m], values[m:])

    def codes(self, codes: Ints) -> Ints:
        """Codes of the table as one code for each row; −1 where missing or unfilled."""
        sample = self.sample
        if not len(codes):
            return np.full(len(sample), -1, dtype=np.int64)
        return codes[sample] if self.unfilled is None else np.where(self.unfilled, -1, codes[sample])

    def numbers(self, values: Floats) -> Floats:
        """Numbers of the table as one for each row; NaN where missing or unfilled."""
        sample = self.sample
        if not len(values):
            return np.full(len(sample), np.nan)
        return values[sample] if self.unfilled is None else np.where(self.unfilled, np.nan, values[sample])

    def emitted(self, name: str) -> Floats:
        """A number that views emitted, one for each row; NaN where missing or unfilled.

        Raises:
            UsageError: When the rows don't carry it.
        """
        sides = [self.anchor_rows] if self.square else [self.anchor_rows, self.candidate_rows]
        for side in sides:
            if name not in side.rows.emitted:
                hint = did_you_mean(name, side.rows.emitted) if side.rows.emitted else "hand it over in Rows.emitted"
                raise UsageError(f"the rule reads {name!r}, which these rows do not carry", hint)
        values = np.concatenate([side.rows.emitted[name].to(torch.float64).numpy() for side in sides])
        return values if self.unfilled is None else np.where(self.unfilled, np.nan, values)

    def equal(self, codes: Ints) -> Equal:
        """The rule that two rows have equal codes, given one code for each row, −1 missing."""
        return Equal.of(*self.split(codes))

    def by_position(self, leaf: BoundLeaf) -> ByPosition:
        """The rule that calls ``leaf.answer`` and ``leaf.weights`` for every pair of a tile."""
        return ByPosition(leaf, self.anchor_rows.sample, self.candidate_rows.sample, torch.device("cpu"))

    def keys(self, codes: Ints, across_parts: bool) -> Ints:
        """Codes of the table joined with the part, unless ``across_parts``; one for each row, −1 where missing."""
        row_codes, part = self.codes(codes), self.part
        if across_parts or part is None:
            return row_codes
        # Ranked first, so that the product of a million samples and the parts of a dense map stays small.
        return joint_codes([np.where(row_codes < 0, -1, ranks(row_codes)), part])

    def own_codes(self) -> Ints:
        """A code for each row: equal for rows of the same sample and part, −1 for unfilled slots."""
        if self.part is None:
            return self.sample
        codes = joint_codes([ranks(self.sample), self.part])
        return codes if self.unfilled is None else np.where(self.unfilled, -1, codes)

    def loss_codes(self, keys: Ints, own_codes: Ints) -> Ints:
        """Dense ranks of ``keys``, in which a missing key has its own rank for each (sample, part).

        Unfilled slots have a rank of their own.
        """
        if np.minimum.reduce(keys, initial=0) >= 0:
            return ranks(keys)
        missing = keys < 0
        offset = keys.max(initial=-1) + 1
        alone = offset + own_codes
        if self.unfilled is not None:
            alone[self.unfilled] = alone.max(initial=offset) + 1
        return ranks(np.where(missing, alone, keys))

    def _joined(self, anchors: NDArray[Any], candidates: NDArray[Any]) -> NDArray[Any]:
        return anchors if self.square else np.concatenate([anchors, candidates])


def ranks(values: NDArray[Any]) -> Ints:
    """The rank of each value ``[n]`` among the distinct ones, from 0. As `numpy.unique` does it, in fewer calls."""
    order = values.argsort()
    ordered = values[order]
    rises = np.zeros(len(values), dtype=np.int64)
    np.not_equal(ordered[1:], ordered[:-1], out=rises[1:], casting="unsafe")
    result = np.empty_like(rises)
    result[order] = rises.cumsum()
    return result
