"""Fine-tuning on masks: label maps move with the pictures, and predicted masks come back at native shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from ssl_domains.finetuning import FineTuned, Task, finetune
from ssl_domains.probes import dense_loss, dense_loss_of_sums, dense_sums, dice


def _dice(model: FineTuned, world: Any, rows: np.ndarray) -> float:
    """Mean Dice of both classes over the pixels of some rows, computed by hand."""
    counts = np.zeros((3, 3))
    number = {0: 0, 3: 1, 7: 2}
    for row, found in model.label_maps(world.table.take(rows), world.store):
        truth = world.masks[int(world.masks.positions(world.table)[rows[row]])]
        assert found.shape == truth.shape
        for a, b in zip(truth.ravel().tolist(), found.ravel().tolist(), strict=True):
            counts[number[a], number[b]] += 1
    return float(np.mean([2 * counts[k, k] / (counts[k].sum() + counts[:, k].sum()) for k in (1, 2)]))


def test_it_learns_masks_through_crops_flips_and_rotations(world: Any, tmp_path: Path) -> None:
    config = world.config("masks", **{"train.max_steps": 40, "train.epochs": 40, "train.lr": 1e-3})
    run = finetune(config, world.parts("masks"), tmp_path / "run")
    model = FineTuned.open(run)
    assert model.task == Task("segmentation", "masks", ("across", "along"), (3, 7), head="conv")
    assert _dice(model, world, world.test) > 0.8


def test_it_resumes_bit_for_bit(world: Any, tmp_path: Path) -> None:
    config, parts = world.config("masks", **{"data.workers": 1}), world.parts("masks")
    whole = finetune(config, parts, tmp_path / "whole").checkpoints.load()
    cut = finetune(config, parts, tmp_path / "cut")
    for path in cut.checkpoints.paths()[-2:]:
        path.unlink()
    again = finetune(config, parts, tmp_path / "cut", resume=True).checkpoints.load()
    for name, value in whole["method"].items():
        assert torch.equal(value, again["method"][name]), name


def test_the_loss_of_sums_is_that_of_the_dense_probe() -> None:
    draws = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 4, 6, 6, generator=draws, dtype=torch.float64, requires_grad=True)
    target = torch.randint(0, 3, (5, 6, 6), generator=draws)  # the last class is nowhere
    target[0, :2] = 255
    target[3] = 255
    for weight in (0.0, 0.7):
        expected = dense_loss(logits, target, weight)
        found = dense_loss_of_sums(dense_sums(logits, target), weight)
        torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
        one, other = (torch.autograd.grad(loss, logits)[0] for loss in (expected, found))
        torch.testing.assert_close(other, one, rtol=1e-12, atol=1e-12)
    ignored = dense_loss_of_sums(dense_sums(logits, torch.full_like(target, 255)), 1.0)
    assert ignored.item() == 0.0


def test_a_model_of_masks_gives_what_its_logits_give(world: Any, tmp_path: Path) -> None:
    run = finetune(world.config("masks"), world.parts("masks"), tmp_path / "run")
    model = FineTuned.open(run)
    part = world.table.take(world.test[:3])
    images = torch.cat([run.preprocess(world.store[int(at)]).values for at in world.store.positions(part)])
    with torch.no_grad():
        best = model.module()(images).argmax(dim=1).numpy()
    for row, found in model.label_maps(part, world.store, batch_size=2):
        np.testing.assert_array_equal(found, np.array([0, 3, 7])[best[row]])
    assert dice(np.eye(3, dtype=np.int64)[None]).shape == (1, 2)
