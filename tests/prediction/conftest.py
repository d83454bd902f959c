"""A table of small pictures, and a made-up model whose answers are a function of the pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from small_run import NpyReader
from ssl_domains.finetuning import Task
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Canvas, ImagePreprocess, Scaling

SEGMENTATION = Task("segmentation", "masks", ("sky", "roof"), (3, 7))


@dataclass
class MadeUpModel:
    """Answers without a network: the mask of a picture is class 3 below 100 and 7 from 200 on."""

    task: Task
    preprocess: Any
    trained: frozenset[str] = frozenset()

    @property
    def run(self) -> Any:
        rows = pl.DataFrame({"sample": sorted(self.trained)}, schema={"sample": pl.String})
        return SimpleNamespace(folder=Path("run"), preprocess=self.preprocess, training_rows=rows)

    def answers(self, table: SampleTable, store: ArrayStore, *, progress: Any = None) -> np.ndarray:
        arrays = store.of(table)
        means = np.array([float(arrays[row].mean()) for row in range(len(table))]) / 255
        if self.task.kind == "regression":
            return means
        return np.stack([means, 1 - means], axis=1)

    def label_maps(
        self, table: SampleTable, store: ArrayStore, *, progress: Any = None
    ) -> Iterator[tuple[int, np.ndarray]]:
        arrays = store.of(table)
        for row in range(len(table)):
            yield row, mask_of(arrays[row])
            if progress is not None:
                progress(row + 1, len(table))

    def probability_maps(
        self, table: SampleTable, store: ArrayStore, *, progress: Any = None
    ) -> Iterator[tuple[int, np.ndarray]]:
        outputs = np.array([0, *self.task.numbers])
        for row, mask in self.label_maps(table, store, progress=progress):
            yield row, np.where(mask == outputs[:, None, None], 0.8, 0.1).astype(np.float32)


def mask_of(array: np.ndarray) -> np.ndarray:
    pixels = np.asarray(array)[:, :, 0]
    return (3 * (pixels < 100) + 7 * (pixels >= 200)).astype(np.uint8)


@dataclass
class Pictures:
    """Pictures of differing shape below ``root``, a file that can't be read, and one of two channels."""

    root: Path
    table: SampleTable
    store: ArrayStore

    def model(self, task: Task = SEGMENTATION, trained: tuple[str, ...] = ()) -> MadeUpModel:
        grey = self.table.frame["sample"].is_in(["s0", "s1", "s2", "s3"])
        part = replace(self.table, frame=self.table.frame.filter(grey))
        preprocess = ImagePreprocess(Scaling(lo=0, hi=255).fit(part, self.store), Canvas(8), 1)
        return MadeUpModel(task, preprocess, frozenset(trained))

    def array(self, sample: str) -> np.ndarray:
        path = self.table.frame.filter(pl.col("sample") == sample)["path"][0]
        return np.load(path)


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    draws, root, rows = np.random.default_rng(0), tmp_path / "data", []
    for number, name in enumerate(("left/a.npy", "left/b.npy", "right/a.npy", "c.npy")):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, draws.integers(0, 256, (5 + number, 9, 1)).astype(np.uint8))
        rows.append((f"s{number}", str(path)))
    np.save(root / "two.npy", draws.integers(0, 256, (5, 9, 2)).astype(np.uint8))
    (root / "broken.npy").write_bytes(b"nothing")
    rows += [("two", str(root / "two.npy")), ("broken", str(root / "broken.npy"))]
    table = SampleTable(pl.DataFrame(rows, schema=["sample", "path"], orient="row"))
    return Pictures(root, table, ArrayStore.fill(tmp_path / "store", table, NpyReader()))
