"""Segmentation trained from scratch: the baseline of the dense probe, with the same encoder and head."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, Levels, feature_levels
from ssl_domains.engine.processes.precision import resolve_device
from ssl_domains.engine.step.schedule import Schedule
from ssl_domains.errors import DataError
from ssl_domains.probes import ConvHead, DenseHead, DenseResult, DenseTargets, dense_confusions, dense_loss
from ssl_domains.probes.dense import step_batches
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Geometric, InputDataset, Preprocess, ViewRecipe, extended

__all__ = ["dense_supervised"]


def dense_supervised(
    encoder: Encoder,
    recipe: ViewRecipe,
    preprocess: Preprocess,
    table: SampleTable,
    store: ArrayStore,
    targets: DenseTargets,
    groups: NDArray[Any],
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
    *,
    steps: int,
    batch: int = 32,
    lr: float = 3e-3,
    head_lr: float = 3e-2,
    weight_decay: float = 1e-4,
    dice: float = 1.0,
    head: DenseHead | None = None,
    levels: Levels = "hypercolumn",
    seed: int = 0,
    device: str = "auto",
) -> DenseResult:
    """Train encoder and head end to end on the labelled pictures, and score whole test groups.

    Augmentation uses the steps of the recipe that change grey values and colours. Steps that move pixels (crop, flip,
    rotation) are left out, because the mask would have to move too. No hyper-parameter is chosen here.

    Args:
        encoder: The encoder, which is trained in place.
        recipe: View recipe of the pre-training.
        preprocess: As in `dense_features`.
        table: ``n`` decodable rows.
        store: The arrays of the rows.
        targets: The masks of the rows.
        groups: Group of each row ``[n]``.
        train: bool ``[n]``: labelled pictures.
        test: bool ``[n]``: test pictures.
        steps: Number of AdamW steps; cosine schedule after a warm-up of one twentieth. For a fair comparison, ``steps ×
            batch`` should be the number of pictures that a pre-training uses.
        batch: Number of pictures in a step.
        lr: Peak learning rate of the encoder.
        head_lr: Peak learning rate of the head. The 1×1 head starts at zero: with the encoder's small rate it would
            predict only background after few steps.
        weight_decay: Decoupled weight decay.
        dice: Weight of the soft Dice loss, as in `DenseFit`.
        head: The head; `ConvHead` by default.
        levels: Maps that the head reads, as in the probe.
        seed: Seed of batches, views and head.
        device: Device to train on.

    Raises:
        DataError: When the sides share a group, or one is empty.
    """
    rows, held = np.flatnonzero(train), np.flatnonzero(test)
    if not len(rows) or not len(held):
        raise DataError("no picture to train on, or none to test", "label more groups")
    if len(np.intersect1d(groups[rows], groups[held])):
        raise DataError("groups are on both sides of the split", "split by the column given as group")
    target_device = resolve_device(device)
    pictures = InputDataset(table, store, extended(preprocess, table, store))
    plain = tuple(step for step in recipe.steps if not isinstance(step, Geometric))
    views = ViewRecipe(plain, targets.canvas.size, views=1)
    numbers = {name: torch.from_numpy(table.numbers(name)) for name in views.columns}
    encoder = encoder.to(target_device)
    module = _head(encoder, head or ConvHead(), pictures, targets, levels, seed, rows).to(target_device)
    trained = nn.ModuleList([encoder, module]).train()
    peaks = (lr, head_lr)
    optimiser = torch.optim.AdamW(
        [{"params": one.parameters(), "lr": peak} for one, peak in zip(trained, peaks, strict=True)],
        weight_decay=weight_decay,
    )
    schedule = Schedule(steps, steps // 20)
    for step, chosen in enumerate(step_batches(rows, batch, steps, seed)):
        index = torch.from_numpy(chosen)
        columns = {name: values[index] for name, values in numbers.items()}
        (view,) = views.views_of(
            pictures.__getitems__(index)["input"].to(target_device).unit(), seed=seed, step=step,
            slots=torch.arange(len(chosen)), columns=columns,
        )  # fmt: skip
        target = torch.from_numpy(targets.placed[chosen].astype(np.int64)).to(target_device)
        for group, peak in zip(optimiser.param_groups, peaks, strict=True):
            group["lr"] = peak * schedule.factor(step)
        optimiser.zero_grad(set_to_none=True)
        loss = dense_loss(module(feature_levels(encoder, view.input.values, levels)), target, dice)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    trained.eval()

    @torch.no_grad()
    def predict(chosen: NDArray[np.int64]) -> Tensor:
        images = pictures.__getitems__(torch.from_numpy(chosen))["input"].to(target_device).unit().values
        return torch.as_tensor(module(feature_levels(encoder, images, levels)))

    names, counts = dense_confusions(predict, targets, groups, held)
    return DenseResult(
        counts=counts,
        groups=names,
        classes=targets.classes,
        chosen={"lr": lr, "head_lr": head_lr, "steps": float(steps)},
        labels=len(rows),
        trained_groups=len(np.unique(groups[rows])),
        tested=len(held),
    )


def _head(
    encoder: Encoder,
    head: DenseHead,
    pictures: InputDataset,
    targets: DenseTargets,
    levels: Levels,
    seed: int,
    rows: NDArray[np.int64],
) -> nn.Module:
    device = next(encoder.parameters()).device
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        image = pictures[int(rows[0])]["input"].to(device).unit().values
        maps = feature_levels(encoder.eval(), image, levels)
        return head.build([one.shape[1] for one in maps], len(targets.classes) + 1, targets.canvas.size)
