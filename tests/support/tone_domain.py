"""A small domain of signals: tones of two channels and any length, three recordings of each person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.extending import Domain, PairSampler, RecipeRequest
from ssl_domains.inputs import InputSpec
from ssl_domains.samples import Problems, ReadError, SampleTable, ScanResult
from ssl_domains.stores import ArrayStore
from ssl_domains.views import AddNoise, CropLength, Gain, Recipe, SequenceRecipe, SignalPreprocess

WHY = "a reason"
PERSONS = 12


class ToneReader:
    version = "1"
    axes = "tc"
    channels = 2

    def scan(self, source: Path, **options: Any) -> ScanResult:
        problems, rows = Problems(), []
        for path in sorted(Path(source).glob("*.npy")):
            try:
                length = np.load(path, mmap_mode="r").shape[0]
            except (OSError, ValueError, EOFError) as error:
                problems.add(path, error)
                continue
            number = int(path.stem)
            rows.append(
                {"sample": path.stem, "path": str(path), "person": f"p{number // 3}", "high": "ab"[number // 3 % 2],
                 "length": float(length)}
            )  # fmt: skip
        schema = {"sample": pl.String, "path": pl.String, "person": pl.String, "high": pl.String, "length": pl.Float64}
        return ScanResult(SampleTable(pl.DataFrame(rows, schema=schema)), problems.frame())

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        try:
            signal: NDArray[np.generic] = np.load(row["path"])
        except (OSError, ValueError, EOFError) as error:
            raise ReadError(f"no tone: {getattr(error, 'strerror', None) or error}") from error
        return signal


def demo_data(out: Path, seed: int) -> str:
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for number in range(3 * PERSONS):
        time = np.arange(int(rng.integers(60, 140)))
        tone = np.sin(time * (0.1 + 0.05 * (number // 3)))[:, None] * (3.0, 1.0)
        np.save(out / f"{number:03d}.npy", (tone + rng.normal(0, 0.1, tone.shape)).astype(np.float32))
    (out / "900.npy").write_bytes(b"")
    return f"next: ssl-domains tone scan {out} -o samples.parquet"


def preprocess(table: SampleTable) -> SignalPreprocess:
    return SignalPreprocess(channels=2)


@dataclass(frozen=True)
class LoudestTrainingTone:
    """A declaration that is fitted: all tones are divided by the largest amplitude of the training rows."""

    @property
    def spec(self) -> InputSpec:
        return InputSpec("wave", 2, (None,))

    def fit(self, table: SampleTable, store: ArrayStore) -> SignalPreprocess:
        positions = store.positions(table)[table.rows_of("train")]
        largest = max(float(np.abs(store[int(position)]).max()) for position in positions if position >= 0)
        return SignalPreprocess(channels=2, level="fixed", scale=largest)


def fitted(table: SampleTable) -> LoudestTrainingTone:
    return LoudestTrainingTone()


def recipe(request: RecipeRequest) -> Recipe:
    steps = (
        CropLength((0.5, 1.0), emit="start_s", spacing=0.5, reason=WHY), Gain(reason=WHY), AddNoise(reason=WHY, p=1.0),
    )  # fmt: skip
    return SequenceRecipe(steps, views=request.views)


TONES = Domain(
    "tone",
    "tones of two channels",
    reader=ToneReader,
    recipe=recipe,
    preprocess=preprocess,
    demo_data=demo_data,
    default_encoder="conv1d",
    group="person",
    floors={"length alone": ("length",)},
    nuisance=("length",),
    handmade={"peak": lambda inputs: np.abs(inputs).max(axis=2)},
)


def ssl_domains_domains() -> list[Domain]:
    return [TONES]


def ssl_domains_pair_samplers() -> list[PairSampler]:
    return [PairSampler("person", "tone", "tones of one person", "same('person')")]
