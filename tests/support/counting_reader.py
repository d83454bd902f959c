"""Readers that the tests of the store, and their child processes, use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ScanResult


class RowReader:
    """Decodes a slice of a .npy file; notes what it was asked for."""

    version = "1"

    def __init__(self, before: Callable[[str], None] = lambda path: None) -> None:
        self.decoded: list[str] = []
        self.before = before

    def scan(self, source: Path, **options: Any) -> ScanResult:
        raise AssertionError("the store never scans")

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        self.before(row["path"])
        self.decoded.append(f"{Path(row['path']).stem}-{row['slice']}")
        array: NDArray[np.generic] = np.load(row["path"])[row["slice"]]
        return array


class VolumeReader(RowReader):
    """Opens a file once for all of its rows."""

    def __init__(self, before: Callable[[str], None] = lambda path: None) -> None:
        super().__init__(before)
        self.opened: list[str] = []

    def load_file(self, path: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[NDArray[np.generic]]:
        self.before(path)
        self.opened.append(Path(path).stem)
        volume = np.load(path)
        return [volume[row["slice"]] for row in rows]
