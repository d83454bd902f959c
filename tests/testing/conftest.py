"""A small domain that keeps every contract, for the kit to be tried on, and to be broken one clause at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.extending import Domain, ScanOption
from ssl_domains.samples import Problems, ReadError, SampleTable, ScanResult


class NpyReader:
    version = "1"

    def scan(self, source: Path, *, shift: int = 0) -> ScanResult:
        problems, rows = Problems(), []
        for path in sorted(Path(source).glob("*.npy")):
            try:
                self.load({"path": str(path)})
            except ReadError as error:
                problems.add(path, error)
            else:
                number = len(rows) + shift
                rows.append({"sample": path.stem, "path": str(path), "patient": f"p{number // 4}"})
        frame = pl.DataFrame(rows, schema={"sample": pl.String, "path": pl.String, "patient": pl.String})
        return ScanResult(SampleTable(frame), problems.frame())

    def load(self, row: Mapping[str, Any]) -> np.ndarray:
        try:
            return np.load(row["path"])
        except (OSError, ValueError, EOFError) as error:
            raise ReadError(f"no picture: {error}") from error

    def load_file(self, path: str, rows: Sequence[Mapping[str, Any]]) -> list[np.ndarray]:
        return [self.load({**row, "path": path}) for row in rows]


def recipe(request):
    from ssl_domains.views.recipe import ViewRecipe
    from ssl_domains.views.steps import Noise

    return ViewRecipe((Noise(reason="sensors are noisy"),), request.size, request.views)


def scaling(table):
    from ssl_domains.views import Scaling

    return Scaling("fixed")


def demo_data(out: Path, seed: int) -> str:
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for number in range(24):
        np.save(out / f"{number:03d}.npy", rng.integers(0, 256, (8, 8, 1), dtype=np.uint8))
    (out / "900.npy").write_bytes(b"no array")
    return f"next: ssl-domains npy scan {out} -o samples.parquet"


@pytest.fixture
def reader_class() -> type[NpyReader]:
    return NpyReader


@pytest.fixture
def domain() -> Domain:
    return Domain(
        "npy",
        "arrays",
        reader=NpyReader,
        recipe=recipe,
        scaling=scaling,
        demo_data=demo_data,
        scan_options=(ScanOption("shift", int, help="moves patients"),),
        group="patient",
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    demo_data(tmp_path / "source", 0)
    return tmp_path / "source"
