"""A small domain of slices: each sample is one slice of a volume in a ``.npy`` file, read where it lies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.extending import Domain, PairSampler, RecipeRequest
from ssl_domains.samples import Problems, Region, SampleTable, ScanResult
from ssl_domains.views import Noise, RandomResizedCrop, Recipe, Scaling, ViewRecipe

VOLUMES, SLICES, SIDE = 3, 8, 12


class SliceReader:
    version = "1"
    columns = ("z",)

    def scan(self, source: Path, **options: Any) -> ScanResult:
        rows = []
        for path in sorted(Path(source).glob("*.npy")):
            for z in range(len(np.load(path, mmap_mode="r"))):
                rows.append({"sample": f"{path.stem}-{z}", "path": str(path), "volume": path.stem, "z": z})
        return ScanResult(SampleTable(pl.DataFrame(rows)), Problems().frame())

    def open(self, row: Mapping[str, Any]) -> Region:
        return Region.npy(row["path"])[int(row["z"]), :, :, None]

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        raise AssertionError("slices are read where they lie")


def demo_data(out: Path, seed: int) -> str:
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for number in range(VOLUMES):
        np.save(out / f"v{number}.npy", rng.random((SLICES, SIDE, SIDE), dtype=np.float32))
    return "next: scan"


def recipe(request: RecipeRequest) -> Recipe:
    steps = (RandomResizedCrop(reason="slices are of any place"), Noise(reason="scanners are noisy"))
    return ViewRecipe(steps, request.size, request.views)


DOMAIN = Domain(
    "slices",
    "slices of volumes",
    reader=SliceReader,
    recipe=recipe,
    scaling=lambda table: Scaling("fixed", 0.0, 1.0),
    demo_data=demo_data,
    default_encoder="small_conv",
    default_size=32,
    group="volume",
)


def ssl_domains_domains() -> list[Domain]:
    return [DOMAIN]


def ssl_domains_pair_samplers() -> list[PairSampler]:
    return [PairSampler("volume", "slices", "slices of one volume", "same('volume')")]
