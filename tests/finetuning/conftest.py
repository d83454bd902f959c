"""The small world of pictures of bars, with masks of the bars, and a run to start from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.engine import Parts, Run, RunConfig, load_config, pretrain
from ssl_domains.evaluation import dense_targets
from ssl_domains.finetuning import FineTuneParts, finetune_config
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import Composition, Objective
from ssl_domains.probes import DenseTargets, read_labels
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore, MaskStore
from ssl_domains.views import HorizontalFlip, Noise, RandomResizedCrop, Rotate, Scaling, ViewRecipe
from stack_reader import StackReader

SIZE = 16
WHY = "for the test"


class BarMasks(StackReader):
    """Class 3 where a picture's bar lies across, 7 where it lies along."""

    def load_mask(self, row: Mapping[str, Any]) -> np.ndarray:
        return self.load_masks(row["mask_path"], [row])[0]

    def load_masks(self, path: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        stack = np.load(path)
        found = []
        for row in rows:
            bar = stack[row["index"]][:, :, 0] > 100
            found.append(bar.astype(np.uint8) * (7 if bar.all(axis=1).any() else 3))
        return found


def pictures(groups: int, rows: int) -> tuple[np.ndarray, pl.DataFrame]:
    """Bars across or along, in noise; each group has a brightness of its own."""
    rng = np.random.default_rng(0)
    stack, table = [], []
    for group in range(groups):
        light = rng.integers(0, 30)
        for row in range(rows):
            along, place = row % 2, int(rng.integers(2, SIZE - 4))
            image = rng.integers(0, 30, (SIZE, SIZE, 1)) + light
            bar = (slice(place, place + 3), slice(None))
            image[bar if along else bar[::-1]] += 100
            stack.append(image.astype(np.uint8))
            table.append(
                {
                    "sample": f"g{group}-{row}",
                    "index": len(stack) - 1,
                    "patient": f"g{group}",
                    "kind": "along" if along else "across",
                    "place": place * 0.5 + 3.0 + light / 100,
                    "tags": ["bar"] * (row % 3 > 0) + ["low"] * (place > 7),
                    "split": "test" if group % 4 == 3 else "train",
                }
            )
    return np.stack(stack), pl.DataFrame(table)


@dataclass(frozen=True)
class World:
    """Table, arrays, masks and a pre-trained run, all in ``folder``."""

    folder: Path
    table: SampleTable
    store: ArrayStore
    masks: MaskStore
    run: Run

    @property
    def train(self) -> np.ndarray:
        return np.asarray(self.table.rows_of("train"))

    @property
    def test(self) -> np.ndarray:
        return np.asarray(self.table.rows_of("test"))

    def targets(self) -> DenseTargets:
        """Masks of all rows."""
        return dense_targets(self.table, self.masks, self.run.canvas, {3: "across", 7: "along"})

    def parts(self, label: str = "kind", rows: Any = None, **changes: Any) -> FineTuneParts:
        """Parts of a fine-tuning on the training rows, from the run; ``label`` is a column, or "masks"."""
        rows = self.train if rows is None else rows
        table = self.table.take(rows)
        values: dict[str, Any] = {
            "table": table,
            "store": self.store,
            "recipe": make_recipe(),
            "label": label,
            "groups": table.codes("patient"),
            "preprocess": self.run.preprocess,
            "start": self.run.folder,
        }
        if label == "masks":
            values["masks"] = self.targets().take(rows)
        else:
            values["labels"] = read_labels(self.table.column(label)).take(rows)
        return FineTuneParts(**{**values, **changes})

    def config(self, label: str = "kind", **values: Any) -> RunConfig:
        """A configuration for these parts, of few steps."""
        made = finetune_config(self.run.config, len(self.train), segmentation=label == "masks", steps=6, batch=8)
        return made.with_values({"train.checkpoint_every_steps": 2, "train.keep": 9, **values})


def make_recipe(views: int = 1, *, moving: bool = True) -> ViewRecipe:
    steps: tuple[Any, ...] = (
        RandomResizedCrop((0.5, 1.0), reason=WHY), HorizontalFlip(reason=WHY), Rotate((-20.0, 20.0), reason=WHY),
    ) if moving else ()  # fmt: skip
    return ViewRecipe((*steps, Noise(reason=WHY)), SIZE, views)


def make_world(folder: Path) -> World:
    """The world in a folder; made anew or opened where it is there."""
    stack, frame = pictures(8, 6)
    path = folder / "stack.npy"
    if not path.exists():
        np.save(path, stack)
    table = SampleTable.of(frame.with_columns(path=pl.lit(str(path)), mask_path=pl.lit(str(path))))
    store = ArrayStore.fill(folder / "store", table, StackReader())
    masks = MaskStore.fill(folder / "masks", table, BarMasks())
    out = folder / "run"
    if not (out / "config.toml").is_file():
        settings = (
            "encoder.name=small_conv", f"views.size={SIZE}", "train.epochs=2", "train.batch_size=12",
            "train.device=cpu", "head.hidden=16", "head.out=8", "train.lr=0.003",
        )  # fmt: skip
        rows = np.asarray(table.rows_of("train"))
        parts = Parts(
            table.take(rows), store, Objective(), Composition(), make_recipe(2), Scaling(lo=0, hi=255), SimCLR
        )
        pretrain(load_config(sets=settings), parts, out)
    return World(folder, table, store, masks, Run.open(out))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("finetuning"))


@pytest.fixture
def with_values(world: World) -> Callable[..., World]:
    """The world with other columns."""

    def change(**columns: Any) -> World:
        return replace(world, table=world.table.with_columns(**columns))

    return change
