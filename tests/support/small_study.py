"""A study small enough for a test: bars across or along, sixteen groups, two-epoch trainings at 16 px."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ssl_domains.engine import RunConfig, load_config
from ssl_domains.methods import SimCLR
from ssl_domains.probes import read_labels
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.studies import Arm, Material, all_arms, plan_groups
from ssl_domains.studies.design.measures import BALANCED_ACCURACY
from ssl_domains.studies.design.plan import StudyPlan, reference_steps
from ssl_domains.views import HorizontalFlip, Intensity, Scaling, ViewRecipe
from stack_reader import StackReader

GROUPS, EACH, SIZE = 16, 6, 16


def make_recipe(table: SampleTable, config: RunConfig) -> ViewRecipe:
    steps = (HorizontalFlip(reason="sides do not matter"), Intensity(reason="gain does not matter"))
    return ViewRecipe(steps, config.views.size)


def make_scaling(table: SampleTable) -> Scaling:
    return Scaling()


def mean_and_spread(images: np.ndarray) -> np.ndarray:
    return np.stack([images.mean((1, 2, 3)), images.std((1, 2, 3))], 1)


def make_table(folder: Path) -> SampleTable:
    rng = np.random.default_rng(0)
    stack, rows = [], []
    for group in range(GROUPS):
        light = int(rng.integers(0, 60))
        for row in range(EACH):
            kind, place = row % 2, int(rng.integers(2, 12))
            image = rng.integers(0, 40, (SIZE, SIZE, 1)) + light
            bar = (slice(place, place + 3), slice(None))
            image[bar if kind else bar[::-1]] += 120
            stack.append(image.astype(np.uint8))
            rows.append(
                {
                    "sample": f"g{group:02d}-{row}",
                    "index": len(stack) - 1,
                    "path": str(folder / "stack.npy"),
                    "scene": f"g{group:02d}",
                    "kind": "along" if kind else "across",
                    "place": place // 3,
                    "light": light,
                    "site": f"s{group % 2}",
                    "noise": float(rng.random()),
                    "split": "test" if group >= 12 else "train",
                }
            )
    np.save(folder / "stack.npy", np.stack(stack))
    return SampleTable(pl.DataFrame(rows))


def make_material(folder: Path, out: Path, *, folds: int | None = 2, **changes: Any) -> Material:
    table = make_table(folder)
    settings = (
        "encoder.name=small_conv", "encoder.in_chans=1", "head.hidden=16", "head.out=8", f"views.size={SIZE}",
        "train.epochs=1", "train.batch_size=16", "train.device=cpu",
    )  # fmt: skip
    values: dict[str, Any] = {
        "table": table,
        "store": ArrayStore.fill(folder / "store", table, StackReader()),
        "labels": read_labels(table.column("kind")),
        "label": "kind",
        "groups": plan_groups(table, "scene", folds=folds, tuning=0.25),
        "config": load_config(sets=settings),
        "recipe": make_recipe,
        "scaling": make_scaling,
        "method": SimCLR,
        "fractions": (0.5, 1.0),
        "primary_probe": "linear",
        "primary_measure": BALANCED_ACCURACY,
        "out": out,
        "floors": {"noise": ("noise",)},
        "handmade": {"mean": mean_and_spread},
        "nuisance": ("site", "light"),
    }
    return Material(**{**values, **changes})


def make_plan(material: Material, named: tuple[Arm, ...], **changes: Any) -> StudyPlan:
    arms = all_arms(
        named,
        {arm.name: arm.name == "near" for arm in named},
        pretrained=False,
        floors=material.floors,
        handmade=tuple(material.handmade),
    )
    values: dict[str, Any] = {
        "arms": arms,
        "seeds": (0, 1),
        "fractions": material.fractions,
        "grid": ({"train.lr": 1e-3}, {"train.lr": 1e-2}),
        "primary_fraction": 1.0,
        "label": material.label,
        "folds": len(material.groups.folds),
        "steps": reference_steps(material),
    }
    return StudyPlan(**{**values, **changes})
