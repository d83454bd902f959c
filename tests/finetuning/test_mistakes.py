"""What can't be fine-tuned is refused in one line with a hint, before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import DataError, SslDomainsError, UsageError
from ssl_domains.finetuning import FineTuned, FineTuneParts, finetune, rehearse_finetuning
from ssl_domains.probes import read_labels
from ssl_domains.views import Canvas, RandomCrop, ViewRecipe


def refused(world: Any, tmp_path: Path, parts: FineTuneParts, kind: type[SslDomainsError], text: str) -> str:
    out = tmp_path / "run"
    with pytest.raises(kind, match=text) as caught:
        finetune(world.config("kind" if parts.masks is None else "masks"), parts, out)
    assert not (out / "config.toml").exists()
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value.hint


def test_a_mask_of_another_shape_than_its_picture(world: Any, tmp_path: Path) -> None:
    parts = world.parts("masks")
    native = parts.masks.native
    native._positions[3] = len(world.masks) - 1

    class Smaller:
        def shape(self, position: int) -> tuple[int, int]:
            return (16, 16) if position != len(world.masks) - 1 else (16, 15)

    native._masks = Smaller()
    sample = parts.table.frame["sample"][3]
    refused(world, tmp_path, parts, DataError, f"the mask of sample '{sample}' has another shape than its image")


def test_a_label_with_one_class(world: Any, tmp_path: Path) -> None:
    labels = read_labels(pl.Series(["a"] * len(world.train)))
    refused(world, tmp_path, world.parts(labels=labels), DataError, "every training label is 'a'")
    labels = read_labels(pl.Series([2.5] * len(world.train)), "regression")
    refused(world, tmp_path, world.parts(labels=labels), DataError, "every training label is the same number")
    labels = read_labels(pl.Series([["a"]] * len(world.train)))
    refused(world, tmp_path, world.parts(labels=labels), DataError, "every training row carries the same labels")


def test_a_class_that_only_test_groups_show(world: Any, tmp_path: Path) -> None:
    values = ["ab"[i % 2] for i in range(len(world.table))]
    for row in world.test:
        values[row] = "c"
    parts = world.parts(labels=read_labels(pl.Series(values)).take(world.train))
    refused(world, tmp_path, parts, DataError, "no training label shows the class 'c'")
    masks = world.parts("masks").masks
    masks.placed[masks.placed == 2] = 0
    hint = refused(world, tmp_path, world.parts("masks", masks=masks), DataError, "no training mask shows the class")
    assert "label a training group" in hint


def test_no_label_at_all(world: Any, tmp_path: Path) -> None:
    labels = read_labels(pl.Series([None] * len(world.train), dtype=pl.String))
    refused(world, tmp_path, world.parts(labels=labels), DataError, "no training row has a label")
    masks = world.parts("masks").masks
    masks.placed[:] = 0
    refused(world, tmp_path, world.parts("masks", masks=masks), DataError, "anything but background")


def test_labels_and_masks_are_one_of_the_two_and_of_the_rows(world: Any, tmp_path: Path) -> None:
    masks = world.parts("masks").masks
    with pytest.raises(UsageError, match="labels or masks"):
        world.parts(masks=masks)
    with pytest.raises(UsageError, match="labels or masks"):
        world.parts(labels=None)
    labels = world.parts().labels
    refused(world, tmp_path, world.parts(labels=labels.take(np.arange(5))), UsageError, "5 labels for 36 rows")
    taken = world.parts("masks", masks=masks.take(np.arange(5)))
    refused(world, tmp_path, taken, UsageError, "5 masks for 36 rows")


def test_masks_on_another_canvas_or_beside_crops(world: Any, tmp_path: Path) -> None:
    parts = world.parts("masks")
    other = FineTuneParts(**{**vars(parts), "masks": type(parts.masks)(
        parts.masks.placed[:, ::2, ::2], parts.masks.native, Canvas(8), parts.masks.classes, parts.masks.numbers
    )})  # fmt: skip
    refused(world, tmp_path, other, UsageError, "canvas of 8 pixels, the pictures on one of 16")
    recipe = ViewRecipe((), 16, 1, crop=RandomCrop((8, 8)))
    refused(world, tmp_path, world.parts("masks", recipe=recipe), UsageError, "the views show crops")


def test_a_folder_with_a_run_and_a_resume_with_other_labels(world: Any, tmp_path: Path) -> None:
    parts, config = world.parts(), world.config()
    with pytest.raises(UsageError, match="nothing to resume"):
        finetune(config, parts, tmp_path / "run", resume=True)
    run = finetune(config, parts, tmp_path / "run")
    with pytest.raises(UsageError, match="already holds a run"):
        finetune(config, parts, run.folder)
    changed = parts.labels.take(np.arange(36))
    changed.y[:2] = changed.y[:2][::-1]
    with pytest.raises(DataError, match="not those of the run to resume"):
        finetune(config, world.parts(labels=changed), run.folder, resume=True)


def test_an_unknown_option_or_value(world: Any, tmp_path: Path) -> None:
    for values, text in (
        ({"method.layer": "all"}, "no option 'layer'"),
        ({"method.layers": "most"}, "'head', 'all' or a number"),
        ({"method.layer_decay": 1.5}, "less than or equal to 1"),
    ):
        with pytest.raises(UsageError, match=text):
            finetune(world.config(**values), world.parts(), tmp_path / "run")


def test_answers_and_label_maps_are_of_their_kind(world: Any, tmp_path: Path) -> None:
    few = {"train.max_steps": 1, "method.head_start": "fresh"}
    labels = FineTuned.open(finetune(world.config(**few), world.parts(), tmp_path / "labels"))
    masks = FineTuned.open(finetune(world.config("masks", **few), world.parts("masks"), tmp_path / "masks"))
    with pytest.raises(UsageError, match="predicts masks"):
        masks.answers(world.table, world.store)
    with pytest.raises(UsageError, match="predicts 'kind'"):
        next(labels.label_maps(world.table, world.store))
    with pytest.raises(DataError, match="no row"):
        labels.answers(world.table.take([]), world.store)
    task = labels.run.folder / "task.json"
    task.write_text("{}")
    with pytest.raises(DataError, match=r"task\.json"):
        FineTuned.open(labels.run)


def test_a_rehearsal_writes_nothing(world: Any, tmp_path: Path) -> None:
    for label in ("kind", "masks"):
        found = rehearse_finetuning(world.config(label), world.parts(label))
        assert found.total_steps == 6
        assert found.samples == len(world.train)
    assert list(tmp_path.iterdir()) == []
