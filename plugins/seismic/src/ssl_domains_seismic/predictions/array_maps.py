"""Predictions of a ``.npy`` volume as ``.npy`` files of its shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ssl_domains.prediction import MapModel
from ssl_domains.samples import ReadError, Region, write_whole
from ssl_domains_seismic.predictions.survey_maps import Blocks, VolumeMaps

__all__ = ["ArrayMaps"]

_HEADER_BYTES = 128  # of a .npy file with three sides


@dataclass(frozen=True, eq=False)
class ArrayMaps(VolumeMaps):
    """Arrays ``[inline, crossline, sample]`` in C order, of the predictions of one ``.npy`` volume."""

    suffix: ClassVar[str] = ".npy"

    def _file_bytes(self, sample_bytes: int, classes: int) -> int:
        try:
            return prod(self._shape()) * (sample_bytes + 4 * classes) + (1 + classes) * _HEADER_BYTES
        except ReadError:  # said when the files are written: then it is a problem of this source alone
            return 0

    def _shape(self) -> tuple[int, int, int]:
        inlines, crosslines, samples = Region.npy(self.source).shape
        return inlines, crosslines, samples

    def _traces(self) -> int:
        inlines, crosslines, _ = self._shape()
        return inlines * crosslines

    def _cells(self) -> Callable[[], Iterator[NDArray[np.int64]]]:
        inlines, crosslines, samples = self._shape()
        traces, step = inlines * crosslines, self._block(samples)

        def cells() -> Iterator[NDArray[np.int64]]:
            for start in range(0, traces, step):
                yield np.arange(start, min(start + step, traces), dtype=np.int64)

        return cells

    def _write(self, path: Path, blocks: Blocks, kind: str, what: str, model: MapModel) -> tuple[str, ...]:
        stored = np.dtype(kind).newbyteorder("<")
        header = {"descr": stored.str, "fortran_order": False, "shape": self._shape()}

        def write(part: Path) -> None:
            with part.open("wb") as file:
                np.lib.format.write_array_header_1_0(file, header)
                for block in blocks:
                    file.write(block.astype(stored, order="C").data)

        write_whole(path, write)
        return ()
