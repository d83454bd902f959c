"""Pictures and a small store to look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def pictures() -> Callable[..., NDArray[np.float32]]:
    """``pictures(kind, channels, n=12, size=32)``: float32 ``[n, S, S, C]`` in [0, 1], waves or white noise."""

    def make(kind: str, channels: int, n: int = 12, size: int = 32) -> NDArray[np.float32]:
        rng = np.random.default_rng(channels)
        if kind == "textured":
            return rng.random((n, size, size, channels), dtype=np.float32)
        y, x = np.mgrid[0:size, 0:size] / size
        phases = rng.uniform(0, 6, (n, channels))
        waves = [[0.5 + 0.4 * np.sin(3 * x + 2 * y + phase) for phase in row] for row in phases]
        return np.moveaxis(np.array(waves, dtype=np.float32), 1, -1)

    return make


@pytest.fixture
def batched() -> Callable[[NDArray[np.float32]], Tensor]:
    """``[n, S, S, C]`` to a tensor ``[n, C, S, S]``."""
    return lambda pictures: torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()


class ArrayReader:
    """Loads one .npy file a row."""

    version = "1"

    def scan(self, source: Path, **options: Any) -> Any:
        raise AssertionError("not part of these tests")

    def load(self, row: Any) -> NDArray[np.generic]:
        array: NDArray[np.generic] = np.load(row["path"])
        return array


@pytest.fixture
def stored(tmp_path: Path) -> Callable[..., tuple[SampleTable, ArrayStore]]:
    """``stored(arrays, **columns)``: a table with a row for each array, and its filled store; grey ones are [H, W]."""

    def make(arrays: list[NDArray[Any]], **columns: Any) -> tuple[SampleTable, ArrayStore]:
        paths = []
        for number, array in enumerate(arrays):
            path = tmp_path / f"{number}.npy"
            np.save(path, array if array.ndim == 3 else array[:, :, None])
            paths.append(str(path))
        frame = pl.DataFrame({"sample": [f"s{number}" for number in range(len(arrays))], "path": paths, **columns})
        table = SampleTable.of(frame)
        return table, ArrayStore.fill(tmp_path / "samples.store", table, ArrayReader())

    return make
