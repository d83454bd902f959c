"""Features of many rows, in memory and in a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssl_domains.engine.step import feature_rows
from ssl_domains.engine.step.feature_rows import FeatureRows
from ssl_domains.errors import ResourceError


@pytest.mark.parametrize("limit", [0, 1 << 20])
def test_rows_come_back_in_order(limit: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(feature_rows, "_IN_MEMORY_BYTES", limit)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    wanted = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    with FeatureRows(10, 3) as rows:
        for start in range(0, 10, 4):
            rows.append(wanted[start : start + 4].astype(np.float64))
        made = rows.array()
    assert (made == wanted).all()
    assert made.dtype == np.float32
    assert isinstance(made, np.memmap) == (limit == 0)
    made[0] = 7  # neither a fault nor a change of a file that others see
    assert os.listdir(tmp_path) == []


def test_missing_rows_are_an_error() -> None:
    with FeatureRows(3, 2) as rows:
        rows.append(np.zeros((2, 2)))
        with pytest.raises(RuntimeError, match="features of 2 rows of 3"):
            rows.array()


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_rows, "_IN_MEMORY_BYTES", 0)

    class Full:
        def write(self, data: Any) -> int:
            raise OSError(28, os.strerror(28))

        def close(self) -> None: ...

    with FeatureRows(2, 2) as rows:
        monkeypatch.setattr(rows, "_file", Full())
        with pytest.raises(ResourceError, match="the disk is full: the features"):
            rows.append(np.zeros((2, 2)))
