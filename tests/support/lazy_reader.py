"""Readers that open arrays in place: as regions, or in a way of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import Region, ScanResult


class PlaneReader:
    """Pictures ``[H, W]`` in .npy files as ``[H, W, 1]``, read in place."""

    version = "1"
    axes = "hwc"

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.loaded: list[str] = []

    def scan(self, source: Path, **options: Any) -> ScanResult:
        raise AssertionError("the store never scans")

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        self.loaded.append(Path(row["path"]).stem)
        array: NDArray[np.generic] = np.load(row["path"])[:, :, None]
        return array

    def open(self, row: Mapping[str, Any]) -> Any:
        self.opened.append(Path(row["path"]).stem)
        return Region.npy(row["path"])[:, :, None]


class Turned:
    """A LazyArray of a plugin: the picture turned by half a circle, with the first column marked as missing."""

    def __init__(self, path: str, gain: int) -> None:
        self.path, self.gain = path, gain
        whole = np.load(path, mmap_mode="r")
        self.shape, self.dtype = (*whole.shape, 1), whole.dtype.newbyteorder("=")

    def read(self, slices: Sequence[slice]) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        turned = np.load(self.path, mmap_mode="r")[::-1, ::-1, None] * self.gain
        valid = np.ones(self.shape, dtype=bool)
        valid[:, 0] = False
        return turned[tuple(slices)].astype(self.dtype), valid[tuple(slices)]


class TurnedReader(PlaneReader):
    """Opens pictures as `Turned`; the gain is in the table, and rows with ``copy`` are copied."""

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        turned = Turned(row["path"], row["gain"])
        self.loaded.append(Path(row["path"]).stem)
        return turned.read([slice(None)] * 3)[0]

    def open(self, row: Mapping[str, Any]) -> Any:
        self.opened.append(Path(row["path"]).stem)
        return None if row.get("copy") else Turned(row["path"], row["gain"])
