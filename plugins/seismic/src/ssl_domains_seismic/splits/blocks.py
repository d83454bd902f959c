"""Split samples by blocks of the map: held-out blocks, and a gap around their samples that is dropped from training."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.audit import overlap_of
from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.samples import Regions
from ssl_domains_seismic.splits.common_grid import Area

__all__ = ["Block", "Gap", "MapBlocks", "Sides", "gap_of", "hold_out", "map_blocks", "parts_of_map"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """A block of an area.

    Attributes:
        name: Part of the inlines and part of the crosslines, behind the first volume's name: ``"f3.sgy:2-1"``.
        area: Number of the area.
        low: First inline and crossline, bins.
        high: Inline and crossline behind the last, bins.
    """

    name: str
    area: int
    low: tuple[int, int]
    high: tuple[int, int]


@dataclass(frozen=True)
class MapBlocks:
    """The blocks of all areas, and the block of each sample.

    Attributes:
        blocks: The blocks, area by area.
        of: Number of the block that holds the whole sample, int64 ``[n]``; −1 for a sample across a border.
    """

    blocks: tuple[Block, ...]
    of: Ints

    def names(self) -> list[str | None]:
        """Name of the block of each sample; None for one across a border."""
        return [None if number < 0 else self.blocks[number].name for number in self.of.tolist()]

    def find(self, names: Sequence[str]) -> Ints:
        """Numbers of the blocks with these names; ``"2-1"`` stands for this block of every area.

        Raises:
            UsageError: When there is no such block, or none of its samples.
        """
        found: list[int] = []
        for name in names:
            numbers = [k for k, block in enumerate(self.blocks) if name in (block.name, block.name.rpartition(":")[2])]
            if not numbers:
                raise UsageError(f"there is no block {name!r}", did_you_mean(name, [b.name for b in self.blocks]))
            found += numbers
        return np.unique(found)


@dataclass(frozen=True)
class Gap:
    """Smallest gap between the edges of training and held-out samples on the map.

    Attributes:
        length: Its length.
        metres: Whether it is in metres; else in bins.
    """

    length: float = 0.0
    metres: bool = False

    def bins(self, area: Area) -> tuple[int, int]:
        """Bins between inlines, and between crosslines, that the gap needs in an area.

        Raises:
            UsageError: When it is in metres and the area has no map coordinates.
        """
        if not self.metres:
            return math.ceil(self.length), math.ceil(self.length)
        if area.fit is None:
            raise UsageError(
                f"{area.names[0]} has no map coordinates, so that a gap of {self.length:g} m can't be measured",
                "give it in bins: --gap 40",
            )
        # Coordinates are rounded in headers, so that a fitted bin of 12.4998 m is one of 12.5 m.
        inline, crossline = (math.ceil(self.length / size - 0.01) for size in area.fit.bins)
        return inline, crossline

    def __str__(self) -> str:
        return f"{self.length:g} m" if self.metres else f"{self.length:g} bins"


@dataclass(frozen=True)
class Sides:
    """The sides of a split.

    Attributes:
        train: Samples for training, bool ``[n]``.
        test: Samples of held-out blocks, bool ``[n]``.
        near: Samples nearer to a test sample than the gap, bool ``[n]``.
        across: Other samples that reach into a held-out block, bool ``[n]``.
    """

    train: NDArray[np.bool_]
    test: NDArray[np.bool_]
    near: NDArray[np.bool_]
    across: NDArray[np.bool_]

    def names(self) -> list[str | None]:
        """``"train"``, ``"test"`` or None of each sample."""
        both = zip(self.train.tolist(), self.test.tolist(), strict=True)
        return ["train" if train else "test" if test else None for train, test in both]


def parts_of_map(text: str) -> tuple[int, int]:
    """Read ``--blocks 2x4``: parts of the inlines, parts of the crosslines.

    Raises:
        UsageError: When it can't be read.
    """
    found = re.fullmatch(r"\s*(\d+)\s*[x×,]\s*(\d+)\s*", text)
    parts = (0, 0) if found is None else (int(found[1]), int(found[2]))
    if min(parts) < 1:
        raise UsageError(
            f"--blocks {text!r} are no blocks",
            "write --blocks 2x4 for 2 × 4 parts of inlines × crosslines, --blocks 1x4 for 4 ranges of crosslines",
        )
    return parts


def gap_of(text: str | None) -> Gap:
    """Read ``--gap 40`` (bins) or ``--gap 800m``; None is no gap.

    Raises:
        UsageError: When it can't be read.
    """
    if text is None:
        return Gap()
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(m|bins)?\s*", text)
    if found is None:
        raise UsageError(f"--gap {text!r} is no length", "write --gap 40 for bins, or --gap 800m")
    return Gap(float(found[1]), found[2] == "m")


def map_blocks(regions: Regions, areas: Sequence[Area], parts: tuple[int, int]) -> MapBlocks:
    """Cut each area into equal parts of the inlines and crosslines that its samples cover.

    Args:
        regions: The samples, ``[inline, crossline, sample]``; codes of arrays are numbers of areas.
        areas: The areas.
        parts: Parts of the inlines, parts of the crosslines.

    Raises:
        DataError: When an area has fewer lines than parts, no sample lies in one block, or there is one block only.
    """
    if len(areas) * parts[0] * parts[1] < 2:
        raise DataError(
            "one block of one survey leaves nothing to train on",
            "ask for more: --blocks 2x4 for 2 × 4 parts of inlines × crosslines; 1x1 is for tables of several surveys",
        )
    blocks: list[Block] = []
    of = np.full(len(regions), -1, dtype=np.int64)
    for number, area in enumerate(areas):
        rows = np.flatnonzero(regions.arrays == number)
        low, high = regions.starts[rows, :2].min(axis=0), regions.stops[rows, :2].max(axis=0)
        edges = []
        for axis, name in enumerate(("inlines", "crosslines")):
            lines = int(high[axis] - low[axis])
            if lines < parts[axis]:
                raise DataError(f"{area.names[0]} has {lines:,} {name} for {parts[axis]} parts", "ask for fewer blocks")
            edges.append(np.linspace(low[axis], high[axis], num=parts[axis] + 1).round().astype(np.int64))
        first = [np.searchsorted(edges[a], regions.starts[rows, a], side="right") - 1 for a in (0, 1)]
        last = [np.searchsorted(edges[a], regions.stops[rows, a] - 1, side="right") - 1 for a in (0, 1)]
        inside = (first[0] == last[0]) & (first[1] == last[1])
        of[rows] = np.where(inside, len(blocks) + first[0] * parts[1] + first[1], -1)
        for i in range(parts[0]):
            for x in range(parts[1]):
                corner = (int(edges[0][i]), int(edges[1][x])), (int(edges[0][i + 1]), int(edges[1][x + 1]))
                blocks.append(Block(f"{area.names[0]}:{i + 1}-{x + 1}", number, *corner))
    if (of < 0).all():
        raise DataError(
            "every sample lies across a border of the blocks",
            "scan with --patch, or take parts along one axis: --blocks 4x1 for whole inlines, 1x4 for crosslines",
        )
    return MapBlocks(tuple(blocks), of)


def hold_out(regions: Regions, areas: Sequence[Area], made: MapBlocks, held: Ints, gap: Gap) -> Sides:
    """Hold blocks out: their samples are for testing, all others whose edges keep the gap on the map for training.

    The gap is measured from the edges of test samples to those of training samples, along inlines and crosslines, and
    whatever their depth. Test samples are never dropped. A training sample never reaches into a held-out block.

    Args:
        regions: The samples.
        areas: The areas.
        made: Their blocks.
        held: Numbers of the held-out blocks.
        gap: The gap.

    Raises:
        DataError: When no sample is left for one side.
    """
    flat = Regions(regions.arrays, regions.starts[:, :2], regions.stops[:, :2])
    test = np.isin(made.of, held)
    names = ", ".join(made.blocks[number].name for number in held.tolist())
    if not test.any():
        raise DataError(f"no sample lies within {names}", "hold out another block, or cut smaller patches")
    width = np.array([gap.bins(area) for area in areas], dtype=np.int64).reshape(-1, 2)[flat.arrays]
    grown = Regions(flat.arrays, flat.starts - width, flat.stops + width).take(test)
    near = (overlap_of(flat, grown).inside_a > 0) & ~test
    boxes = [made.blocks[number] for number in held.tolist()]
    kept_free = Regions(
        np.array([box.area for box in boxes], dtype=np.int64),
        np.array([box.low for box in boxes], dtype=np.int64),
        np.array([box.high for box in boxes], dtype=np.int64),
    )
    across = (overlap_of(flat, kept_free).inside_a > 0) & ~test & ~near
    train = (regions.arrays >= 0) & ~test & ~near & ~across
    if not train.any():
        raise DataError(f"a gap of {gap} around {names} leaves no sample for training",
                        "ask for a smaller gap, or for blocks that are larger than it")  # fmt: skip
    return Sides(train, test, near, across)
