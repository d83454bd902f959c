"""Fine-tuning keeps the contract of a method: gradient caching, two processes and a resumed training give one result.

Labels are missing, and pixels ignored, so that two processes have different numbers of them.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
import torch
from torch import Tensor, nn

from ssl_domains.encoders import SmallConv
from ssl_domains.encoders.timm_encoder import TimmEncoder
from ssl_domains.finetuning import FineTuning, Task
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.probes import Labels, read_labels
from ssl_domains.testing import MethodCase, check_method
from ssl_domains.testing.method_case import SAMPLES
from ssl_domains.views import HorizontalFlip, LabelMaps, Noise, RandomResizedCrop, ViewRecipe

SIDE, WHY = 8, "for the test"
# Of the rows 3, 0, 9, 1 and 5, 12, 7, 14 of a batch, other numbers have a label.
COLUMNS: dict[str, Any] = {
    "kind": [None if i in (3, 0, 9) else "abc"[i % 3] for i in range(SAMPLES)],
    "place": [None if i % 4 == 1 else 2.5 * i for i in range(SAMPLES)],
    "tags": [None if i in (5, 12) else ["x"] * (i % 2) + ["y"] * (i % 3 > 0) for i in range(SAMPLES)],
}


def labels_of(name: str) -> Labels:
    return read_labels(pl.Series(name, COLUMNS[name]), "regression" if name == "place" else None)


def _case(name: str, **options: Any) -> MethodCase:
    labels = labels_of(name)
    return MethodCase(FineTuning(Task.of_labels(labels, name), labels), options, head={})


def classes() -> MethodCase:
    return _case("kind")


def numbers() -> MethodCase:
    return _case("place")


def label_sets() -> MethodCase:
    return _case("tags", layers="head")


class DoubleConv(SmallConv):
    """`SmallConv` in the type of its weights, with GroupNorm in place of BatchNorm."""

    def __init__(self) -> None:
        super().__init__(in_chans=3, widths=(4, 4, 8, 8))
        for stage in self.stages:
            stage[1] = nn.GroupNorm(2, stage[1].num_features)

    def forward_features(self, x: Tensor) -> Tensor:
        return super().forward_features(x.to(self.stages[0][0].weight.dtype))

    def forward_intermediates(self, x: Tensor, *rest: Any, **options: Any) -> list[Tensor]:
        return super().forward_intermediates(x.to(self.stages[0][0].weight.dtype), *rest, **options)


def encoder() -> TimmEncoder:
    return TimmEncoder(DoubleConv(), "double", InputSpec("image", 3, (SIDE, SIDE)))


def pictures(rows: Tensor) -> Input:
    draws = torch.Generator().manual_seed(1)
    return Input(torch.rand(SAMPLES, 3, SIDE, SIDE, generator=draws)[rows])


def label_maps(rows: Tensor) -> Input:
    draws = torch.Generator().manual_seed(2)
    maps = torch.randint(0, 3, (SAMPLES, SIDE, SIDE), generator=draws).to(torch.uint8)
    for row in range(SAMPLES):
        maps[row, : row % SIDE] = 255  # row 7 has one line of known pixels, row 8 all
    return LabelMaps(maps.numpy())(rows)


def _masks(**changes: Any) -> MethodCase:
    values: dict[str, Any] = {"head": "conv", **changes}
    task = Task("segmentation", "masks", ("one", "two"), (1, 2), **values)
    steps = (RandomResizedCrop((0.4, 1.0), reason=WHY), HorizontalFlip(reason=WHY), Noise(reason=WHY))
    return MethodCase(
        FineTuning(task), {"layers": "2", "layer_decay": 0.5, "head_lr": 1e-2}, encoder, pictures, label_maps,
        ViewRecipe(steps, SIDE, 1), head={},
    )  # fmt: skip


def masks() -> MethodCase:
    return _masks()


def masks_by_deeplab_from_the_last_map() -> MethodCase:
    return _masks(head="deeplab", levels="last")


@pytest.mark.parametrize("case", [classes, numbers, label_sets, masks, masks_by_deeplab_from_the_last_map])
def test_divided_and_resumed_trainings_are_those_of_the_whole_batch(case: Any) -> None:
    check_method(case)
