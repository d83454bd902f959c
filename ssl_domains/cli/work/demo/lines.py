"""What the command lines of every demonstration share: the folder, the files in it, and the first line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

__all__ = ["DemoLines", "settings"]


@dataclass(frozen=True)
class DemoLines:
    """The command lines of a demonstration, each as words after ``ssl-domains``.

    Attributes:
        DOMAIN: Name of the domain.
        PAGE: Name of the page that shows the result.
        out: Folder of the demonstration.
        seed: Seed of the data, and of the first training of each arm.
    """

    DOMAIN: ClassVar[str]
    PAGE: ClassVar[str]
    out: Path
    seed: int = 0

    @property
    def data(self) -> Path:
        """Folder of the simulated data."""
        return self.out / "data"

    @property
    def scanned(self) -> Path:
        """The table of the scan, where another step makes the sample table of it."""
        return self.out / "scanned.parquet"

    @property
    def samples(self) -> Path:
        """The sample table that is trained on."""
        return self.out / "samples.parquet"

    @property
    def page(self) -> Path:
        """The page."""
        return self.out / self.PAGE

    def run_folder(self, name: str) -> Path:
        """Run folder of a training."""
        return self.out / "runs" / name

    def demo_data(self) -> list[str]:
        """Writes the data."""
        return [self.DOMAIN, "demo-data", str(self.data), "--seed", str(self.seed)]


def settings(values: Mapping[str, Any]) -> list[str]:
    """Values of a configuration as words: ``{"train.lr": 0.002}`` is ``["--set", "train.lr=0.002"]``."""
    return [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
