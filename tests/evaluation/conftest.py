"""A small real run: pictures of bars in twelve groups, a store, and a folder as the engine writes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from ssl_domains.encoders import create_encoder
from ssl_domains.engine.record.config_file import build_config
from ssl_domains.engine.record.run import Run
from ssl_domains.methods import SimCLR
from ssl_domains.samples import SampleTable, write_table
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Canvas, ImagePreprocess, Scaling, preprocess_to_dict
from stack_reader import StackReader


@dataclass
class World:
    table: SampleTable
    store: ArrayStore
    samples: Path
    reader: StackReader


def pictures(groups: int, rows: int, seed: int = 0) -> tuple[np.ndarray, pl.DataFrame]:
    """Bars across or along; how far along, by ``position``; each group with a brightness of its own."""
    rng = np.random.default_rng(seed)
    stack, table = [], []
    for group in range(groups):
        light = rng.integers(0, 60)
        for row in range(rows):
            kind = row % 2
            place = int(rng.integers(4, 24))
            image = rng.integers(0, 30, (32, 28, 1)) + light
            image[place : place + 4, :] += 150 * kind
            image[:, place : place + 4] += 150 * (1 - kind)
            stack.append(image.astype(np.uint8))
            table.append(
                {
                    "sample": f"g{group:02d}-{row:02d}",
                    "index": len(stack) - 1,
                    "patient": f"g{group:02d}",
                    "kind": "along" if kind else "across",
                    "place": float(place) + 0.5,
                    "tags": ["bar"] + (["low"] if place > 14 else []),
                    "hint": float(kind),
                    "noise": float(rng.random()),
                    "split": "test" if group % 4 == 3 else "train",
                }
            )
    return np.stack(stack), pl.DataFrame(table)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    stack, frame = pictures(12, 10)
    np.save(folder / "stack.npy", stack)
    table = SampleTable.of(frame.with_columns(path=pl.lit(str(folder / "stack.npy"))))
    samples, reader = folder / "samples.parquet", StackReader()
    write_table(table, samples)
    return World(table, ArrayStore.fill(folder / "samples.store", table, reader), samples, reader)


@pytest.fixture
def make_run(world: World, tmp_path: Path) -> Any:
    """``make_run(**{"pairs.rule": "same('kind')"})`` is a run folder with its initial weights."""

    def make(name: str = "run", trained: SampleTable | None = None, **values: Any) -> Run:
        config = build_config(
            {
                "data.samples": str(world.samples),
                "encoder.name": "small_conv",
                "encoder.in_chans": 1,
                "views.size": 32,
                "train.device": "cpu",
                "train.seed": 3,
                **values,
            }
        )
        run = Run(tmp_path / name)
        run.write_text("config.toml", config.to_toml())
        scaling = Scaling(lo=0, hi=255).fit(world.table, world.store)
        preprocess = ImagePreprocess(scaling, Canvas(32, "stretch"), config.encoder.in_chans or 1)
        run.write_json("preprocess.json", preprocess_to_dict(preprocess))
        run.write_json("recipe.json", {"steps": [{"name": "flip", "reason": "left and right mean the same here"}]})
        run.write_json("environment.json", {"versions": {"ssl-domains": "0.1.0"}, "commit": "abc"})
        rows = world.table.take(world.table.rows_of("train")) if trained is None else trained
        run.write_json("data_fingerprint.json", {"rows": len(rows), "split": {"train": 90, "test": 30}})
        rows.frame.select("sample").write_parquet(run.folder / "training_samples.parquet")
        # Other weights than the seed of the run gives, as if it had been trained.
        encoder = create_encoder(config.encoder.name, 1, seed=11, image_size=32)
        options = {"hidden": 16, "out": 8, "layers": 2, "temperature": 0.1, "learnable_temperature": False}
        with torch.random.fork_rng():
            torch.manual_seed(0)
            method = SimCLR.build(encoder, options)
        run.checkpoints.save(7, {"method": method.state_dict()})
        return Run.open(run.folder)

    return make
