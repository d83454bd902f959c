"""Files of several arrays, the table of their rows, and a reader that counts how often it decodes.

The module is imported by child processes too, which the tests kill in the middle of filling.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.samples import SampleTable


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., SampleTable]:
    """``source(files, rows)``: writes ragged .npy files of several slices and gives the table of the slices."""

    def make(files: int = 4, rows: int = 3, dtypes: Sequence[str] = ("int16", "uint8", "float32")) -> SampleTable:
        rng = np.random.default_rng(0)
        records: list[dict[str, Any]] = []
        for number in range(files):
            path = tmp_path / f"{number}.npy"
            volume = (rng.random((rows, 3 + number, 5, 1 + number % 2)) * 250).astype(dtypes[number % len(dtypes)])
            np.save(path, volume)
            records += [{"sample": f"{number}-{k}", "path": str(path), "slice": k} for k in range(rows)]
        return SampleTable.of(pl.DataFrame(records))

    return make
