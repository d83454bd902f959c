"""A reader for tables that a test makes by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ssl_domains.samples import ReadError, ScanResult


class StackReader:
    """Reads one picture of a ``.npy`` stack: ``path`` and ``index``; without an index it can't be read."""

    version = "1"
    columns = ("index",)

    def scan(self, source: Path, **options: Any) -> ScanResult:
        raise AssertionError("the table is made by hand")

    def load(self, row: Mapping[str, Any]) -> np.ndarray:
        if row["index"] is None:
            raise ReadError("no such picture")
        return np.load(row["path"])[row["index"]]
