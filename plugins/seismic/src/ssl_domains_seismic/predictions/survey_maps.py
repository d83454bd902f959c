"""Predictions of one volume: a file of class numbers, and for each class a file of its probability."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.prediction import Assembled, AssemblySize, MapAssembly, MapModel, distinct_names
from ssl_domains.samples import ReadError
from ssl_domains_seismic.predictions.mean_probabilities import MeanProbabilities, temporary_bytes
from ssl_domains_seismic.predictions.samples_of_volume import VolumeSamples

__all__ = ["UNPREDICTED", "VolumeMaps", "unpredicted"]

UNPREDICTED = 255
"""Class number of a place without a prediction."""

_BLOCK_BYTES = 1 << 22  # of the sums of a block of traces

Blocks = Iterable[NDArray[np.generic]]


def unpredicted(kind: str) -> int:
    """Number of a place without a prediction: 255; in int8, which has no 255, −1 (the same byte)."""
    return -1 if kind == "int8" else UNPREDICTED


@dataclass(frozen=True, eq=False)
class VolumeMaps(MapAssembly):
    """The files of one volume.

    The probability of a class is the mean over all samples that cover a place, and the class is that of the largest
    mean, the background included. Places that no sample covers, and dead traces, get the class number `unpredicted` and
    the probability 0.

    Attributes:
        stem: Path of the files below the folder of masks, without ``.classes`` and suffix.
        source: The volume.
        samples: Where its samples lie.
        kind: Type of the class numbers: float32, int32, int16, int8 or uint8.
    """

    suffix: ClassVar[str]

    stem: str
    source: Path
    samples: VolumeSamples
    kind: str

    def names(self, model: MapModel) -> tuple[str, ...]:
        """``STEM.classes`` and ``STEM.p_CLASS`` for each class."""
        return (self.name, *distinct_names([f"{self.stem}.p_{_safe(name)}" for name in model.classes], self.suffix))

    def size(self, model: MapModel) -> AssemblySize:
        """Size of the files, and of the sums of the box that holds all samples."""
        largest = max(model.numbers, default=0)
        if self.kind != "float32" and largest > np.iinfo(self.kind).max:
            raise UsageError(f"class number {largest} doesn't fit into --format {self.kind}", "--format int16")
        sides = tuple(stop - start for start, stop in self.samples.hull)
        temporary = temporary_bytes((sides[0], sides[1], sides[2]), len(model.outputs))
        return AssemblySize(self._file_bytes(np.dtype(self.kind).itemsize, len(model.classes)), temporary)

    def assemble(
        self,
        folder: Path,
        maps: Iterable[tuple[int, NDArray[np.float32]]],
        model: MapModel,
        progress: Callable[[int, int], None] | None = None,
    ) -> Assembled:
        """Sum up the probabilities of the samples, then write the files trace by trace."""
        cells_of, names = self._cells(), self.names(model)
        hull, shape = self.samples.hull, self._shape()
        if any(stop > side for (_, stop), side in zip(hull, shape, strict=True)):
            raise ReadError(f"the volume is smaller than its samples ({shape}): it was changed, scan it again")
        with MeanProbabilities(folder, self._sides(), len(model.outputs)) as means:
            self._add(means, maps)
            counts = _Counts(model.outputs, self.kind)
            written = _WrittenTraces(progress, len(names) * self._traces(), self.size(model).files)
            blocks = written.reported(counts.counted(self._classes(means, cells_of, model)))
            notes = self._write(folder / names[0], blocks, self.kind, "CLASS NUMBERS", model)
            first = len(model.outputs) - len(model.classes)
            for k, name in enumerate(model.classes):
                probabilities = written.reported(self._probabilities(means, cells_of, first + k))
                self._write(folder / names[1 + k], probabilities, "float32", f"PROBABILITY OF {name}", model)
        said = f"{self.name}: {counts.share:.1%} of it has no prediction ({unpredicted(self.kind)}, probabilities 0)"
        return Assembled(counts.of(model.numbers), (*([said] if counts.share else []), *notes))

    @abstractmethod
    def _file_bytes(self, sample_bytes: int, classes: int) -> int:
        """Size of all files."""

    @abstractmethod
    def _cells(self) -> Callable[[], Iterator[NDArray[np.int64]]]:
        """The cell ``inline · crosslines + crossline`` of the traces in the order of the file, −1 for a trace that gets
        no prediction; in blocks of at most `_block`. The function that is returned starts anew at each call.

        Raises:
            ReadError: When the source can't be read.
        """

    @abstractmethod
    def _shape(self) -> tuple[int, int, int]:
        """Inlines, crosslines and samples of the volume; errors as `_cells`."""

    @abstractmethod
    def _traces(self) -> int:
        """Number of traces of a file; errors as `_cells`."""

    @abstractmethod
    def _write(self, path: Path, blocks: Blocks, kind: str, what: str, model: MapModel) -> tuple[str, ...]:
        """Write one file from blocks of whole traces ``[n, samples]``; returns remarks."""

    def _sides(self) -> tuple[int, int, int]:
        inline, crossline, sample = (stop - start for start, stop in self.samples.hull)
        return inline, crossline, sample

    def _block(self, samples: int) -> int:
        """Number of traces of a block."""
        return max(1, _BLOCK_BYTES // (4 * samples))

    def _add(self, means: MeanProbabilities, maps: Iterable[tuple[int, NDArray[np.float32]]]) -> None:
        """Sum up the maps, which come in the order of the rows; some rows may be missing."""
        rows = enumerate(self.rows)
        starts = [start for start, _ in self.samples.hull]
        for row, found in maps:
            number = next(number for number, known in rows if known == row)
            block = self.samples.block(number, found)
            inline, crossline, sample = (
                slice(side.start - start, side.stop - start)
                for side, start in zip(self.samples.place(number), starts, strict=True)
            )
            means.add((inline, crossline, sample), block)

    def _classes(
        self, means: MeanProbabilities, cells_of: Callable[[], Iterator[NDArray[np.int64]]], model: MapModel
    ) -> Iterator[NDArray[np.generic]]:
        """Class numbers of whole traces, int16 ``[n, samples]``."""
        numbers = np.array(model.outputs, dtype=np.int16)
        for cells in cells_of():
            block = np.full((len(cells), self._shape()[2]), unpredicted(self.kind), dtype=np.int16)
            for rows, sums, counts in self._parts(means, cells, slice(None)):
                # Every class has the same number of summands, so the largest sum has the largest mean.
                found = numbers[sums.argmax(axis=0)]
                self._into(block, rows, np.where(counts > 0, found, np.int16(unpredicted(self.kind))))
            yield block

    def _probabilities(
        self, means: MeanProbabilities, cells_of: Callable[[], Iterator[NDArray[np.int64]]], output: int
    ) -> Iterator[NDArray[np.generic]]:
        """Mean probabilities of one output in whole traces, float32 ``[n, samples]``."""
        for cells in cells_of():
            block = np.zeros((len(cells), self._shape()[2]), dtype=np.float32)
            for rows, sums, counts in self._parts(means, cells, slice(output, output + 1)):
                self._into(block, rows, sums[0] / np.maximum(counts, 1).astype(np.float32))
            yield block

    def _parts(
        self, means: MeanProbabilities, cells: NDArray[np.int64], outputs: slice
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.uint32]]]:
        """Sums and counts of the traces that lie in the box of the samples, a few traces at a time."""
        (top, bottom), (left, right), _ = self.samples.hull
        inline, crossline = np.divmod(cells, self._shape()[1])
        inside = (cells >= 0) & (inline >= top) & (inline < bottom) & (crossline >= left) & (crossline < right)
        rows = np.flatnonzero(inside)
        places = (inline[rows] - top) * (right - left) + crossline[rows] - left
        count = len(range(*outputs.indices(means.outputs)))
        step = max(1, _BLOCK_BYTES // (4 * count * means.sides[2]))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            yield rows[part], *means.of_cells(places[part], outputs)

    def _into(self, block: NDArray[np.generic], rows: NDArray[np.int64], values: NDArray[np.generic]) -> None:
        first, last = self.samples.hull[2]
        block[rows, first:last] = values


class _WrittenTraces:
    """Reports the bytes of the files that are written, by the share of their traces.

    Args:
        progress: Called with the bytes written and all bytes; None for no report.
        traces: Traces of all files.
        size: Bytes of all files.
    """

    def __init__(self, progress: Callable[[int, int], None] | None, traces: int, size: int) -> None:
        self._progress, self._traces, self._size, self._done = progress, max(traces, 1), size, 0

    def reported(self, blocks: Blocks) -> Iterator[NDArray[np.generic]]:
        """The blocks, unchanged; each counts as written when the next one is asked for."""
        for block in blocks:
            yield block
            self._done += len(block)
            if self._progress is not None:
                self._progress(self._size * self._done // self._traces, self._size)


class _Counts:
    """Counts the class numbers of blocks that pass by.

    Args:
        outputs: Class numbers of the model.
        kind: Type of the written class numbers.
    """

    def __init__(self, outputs: tuple[int, ...], kind: str) -> None:
        self._missing, self._counts = unpredicted(kind) % 256, np.zeros(256, dtype=np.int64)

    def counted(self, blocks: Blocks) -> Iterator[NDArray[np.generic]]:
        """The blocks, unchanged."""
        for block in blocks:
            self._counts += np.bincount((block.astype(np.int64) % 256).ravel(), minlength=256)
            yield block

    @property
    def share(self) -> float:
        """Share of places without a prediction."""
        return float(self._counts[self._missing] / self._counts.sum())

    def of(self, numbers: tuple[int, ...]) -> tuple[int, ...]:
        """Number of places of each class."""
        return tuple(int(self._counts[number]) for number in numbers)


def _safe(name: str) -> str:
    """The name of a class as a part of a file name: every run of other characters is one ``_``."""
    return re.sub(r"[^\w.+-]+", "_", name).strip("_") or "class"
