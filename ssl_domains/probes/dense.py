"""Dense probe: a small segmentation head on frozen feature maps, scored by Dice over whole test groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold
from torch import Tensor, nn

from ssl_domains.errors import DataError
from ssl_domains.probes.dense_data import DenseFeatures, DenseTargets
from ssl_domains.probes.dense_heads import ConvHead, DenseHead
from ssl_domains.probes.dense_loss import dense_loss
from ssl_domains.probes.dense_result import DenseResult, mean_defined
from ssl_domains.probes.overlap import add_confusion, dice
from ssl_domains.quantities import plural
from ssl_domains.views import IGNORED, to_native

__all__ = [
    "DenseFit",
    "FittedHead",
    "dense_confusions",
    "fit_dense_head",
    "run_dense_probe",
    "standardised",
    "step_batches",
]

_PREDICTED = 64
_STANDARDISED_ROWS = 512


@dataclass(frozen=True)
class DenseFit:
    """How a head is fitted; the same for every encoder that is compared.

    Attributes:
        steps: Number of AdamW steps; it doesn't depend on the number of labelled pictures.
        batch: Pictures in a step, drawn without replacement until all were drawn.
        lr: Grid of peak learning rates, which fall to 0 by a cosine; chosen inside the training groups. None takes the
            grid of the head.
        weight_decay: Decoupled weight decay.
        dice: Weight of the soft Dice loss, added to cross-entropy. Only this loss balances the classes: pictures are
            drawn uniformly, and neither pixels nor classes are weighted.
    """

    steps: int = 300
    batch: int = 16
    lr: tuple[float, ...] | None = None
    weight_decay: float = 1e-3
    dice: float = 1.0


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A head that was fitted on standardised maps.

    Attributes:
        module: The head's module.
        shifts: float32 ``[1, F_l, 1, 1]`` of each level: the mean that is subtracted from its maps.
        scales: float32 ``[1, F_l, 1, 1]`` of each level: the factor behind that.
        lr: The learning rate that it was fitted with.
        notes: Remarks on the choice of the learning rate.
    """

    module: nn.Module
    shifts: tuple[Tensor, ...]
    scales: tuple[Tensor, ...]
    lr: float
    notes: tuple[str, ...] = ()

    @torch.no_grad()
    def __call__(self, maps: Sequence[Tensor]) -> Tensor:
        """Logits ``[B, K, S, S]`` of maps ``[B, F_l, h_l, w_l]``."""
        return torch.as_tensor(self.module(standardised(maps, self.shifts, self.scales)))


def run_dense_probe(
    features: DenseFeatures,
    targets: DenseTargets,
    groups: NDArray[Any],
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
    *,
    head: DenseHead | None = None,
    fit: DenseFit | None = None,
    folds: int = 2,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> DenseResult:
    """Choose the learning rate by group k-fold inside the training groups, fit on them, score on the test groups once.

    Each channel of the maps is standardised with the mean and variance over the training pictures of the fit.

    Args:
        features: Maps of ``n`` pictures.
        targets: Their masks.
        groups: Group of each picture ``[n]``, such as a patient; one score is computed for each group, and a group may
            not be in both ``train`` and ``test``.
        train: bool ``[n]``: labelled training pictures.
        test: bool ``[n]``: test pictures.
        head: The head; `ConvHead` by default.
        fit: Steps, batch size, grid and loss.
        folds: Inner folds; fewer when there are fewer groups.
        seed: Seed of folds, weights and batches: the same seed gives the same numbers on a CPU.
        device: Where heads are fitted.

    Raises:
        DataError: When a group is in both ``train`` and ``test``, one of them is empty, or no training picture shows a
            class.
    """
    rows, held = np.flatnonzero(train), np.flatnonzero(test)
    _check(targets, groups, rows, held)
    fitted = fit_dense_head(features, targets, groups, rows, head=head, fit=fit, folds=folds, seed=seed, device=device)
    names, counts = dense_confusions(_predictor(fitted, features), targets, groups, held)
    return DenseResult(
        counts=counts,
        groups=names,
        classes=targets.classes,
        chosen={"lr": fitted.lr},
        labels=len(rows),
        trained_groups=len(np.unique(groups[rows])),
        tested=len(held),
        notes=fitted.notes,
        background=targets.background,
    )


def fit_dense_head(
    features: DenseFeatures,
    targets: DenseTargets,
    groups: NDArray[Any],
    rows: NDArray[np.int64],
    *,
    head: DenseHead | None = None,
    fit: DenseFit | None = None,
    folds: int = 2,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> FittedHead:
    """Choose the learning rate inside the labelled groups and fit the head on them, as `run_dense_probe` does.

    Args:
        features: As in `run_dense_probe`.
        targets: As there.
        groups: As there.
        rows: Positions of the labelled pictures.
        head: As there.
        fit: As there.
        folds: As there.
        seed: As there.
        device: As there.
    """
    head, fit = head or ConvHead(), fit or DenseFit()
    chosen, notes = _choose(features, targets, groups, rows, head, fit, folds, seed, device)
    (fitted,) = _fit(features, targets, rows, head, fit, [chosen], seed, device)
    return replace(fitted, notes=tuple(notes))


Predict = Callable[[NDArray[np.int64]], Tensor]


def dense_confusions(
    predict: Predict, targets: DenseTargets, groups: NDArray[Any], rows: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Count pixels by true and predicted class, for each group, at the native shape of the masks.

    Args:
        predict: Function from positions ``[b]`` to logits ``[b, K, S, S]`` on the canvas, K the ``targets.channels``.
        targets: The masks.
        groups: Group of each picture ``[n]``.
        rows: Positions of the pictures to score.

    Returns:
        The groups ``[G]``, sorted, and counts int64 ``[G, K, K]``, row = truth.
    """
    names, codes = np.unique(groups[rows], return_inverse=True)
    classes = targets.channels
    counts = np.zeros((len(names), classes, classes), dtype=np.int64)
    order = np.argsort(codes, kind="stable")
    for start in range(0, len(order), _PREDICTED):
        part = order[start : start + _PREDICTED]
        logits = predict(rows[part])
        truths = [targets.native[int(row)] for row in rows[part]]
        by_shape: dict[tuple[int, int], list[int]] = {}
        for place, truth in enumerate(truths):
            by_shape.setdefault((truth.shape[0], truth.shape[1]), []).append(place)
        for (height, width), places in by_shape.items():
            guess = to_native(targets.canvas, logits[places], height, width).argmax(dim=1).cpu().numpy()
            for place, one in zip(places, guess, strict=True):
                add_confusion(counts[codes[part[place]]], truths[place], one)
    return names, counts


def _choose(
    features: DenseFeatures,
    targets: DenseTargets,
    groups: NDArray[Any],
    rows: NDArray[np.int64],
    head: DenseHead,
    fit: DenseFit,
    folds: int,
    seed: int,
    device: torch.device | str,
) -> tuple[float, list[str]]:
    """The learning rate with the best mean Dice over the inner folds, the first of equal ones; and notes."""
    grid = list(head.lr if fit.lr is None else fit.lr)
    if len(grid) == 1:
        return grid[0], []
    names, codes = np.unique(groups[rows], return_inverse=True)
    folds = min(folds, len(names))
    middle = grid[len(grid) // 2]
    alone = (
        f"the head used its middle learning rate, lr={middle:g}: so few groups are labelled that none can be held out "
        "to compare rates"
    )
    if folds < 2:
        return middle, [alone]
    order = np.random.default_rng(seed).permutation(len(names))
    totals, usable = np.zeros(len(grid)), 0
    for inner, outer in GroupKFold(folds).split(rows, groups=order[codes]):
        if not _shows_a_class(targets, rows[inner]):
            continue
        scores = []
        for fitted in _fit(features, targets, rows[inner], head, fit, grid, seed, device):
            _, counts = dense_confusions(_predictor(fitted, features), targets, groups, rows[outer])
            each = [value for one in dice(counts, targets.background).T if (value := mean_defined(one)) is not None]
            scores.append(float(np.mean(each)) if each else 0.0)
        totals += scores
        usable += 1
    return (grid[int(np.argmax(totals))], []) if usable else (middle, [alone])


def _fit(
    features: DenseFeatures,
    targets: DenseTargets,
    rows: NDArray[np.int64],
    head: DenseHead,
    fit: DenseFit,
    grid: Sequence[float],
    seed: int,
    device: torch.device | str,
) -> list[FittedHead]:
    """Fit a head for each learning rate on the same batches, so that maps are read once."""
    shifts, scales = _standardisation(features, rows, seed, device)
    with torch.random.fork_rng(devices=[]):
        modules = []
        for _ in grid:
            torch.manual_seed(seed)
            modules.append(head.build(features.widths, targets.channels, targets.canvas.size).to(device))
    optimisers = [
        torch.optim.AdamW(module.parameters(), lr=lr, weight_decay=fit.weight_decay)
        for module, lr in zip(modules, grid, strict=True)
    ]
    for step, chosen in enumerate(step_batches(rows, fit.batch, fit.steps, seed)):
        maps = standardised(features.batch(chosen), shifts, scales)
        target = torch.from_numpy(targets.placed[chosen].astype(np.int64)).to(device)
        factor = 0.5 * (1 + np.cos(np.pi * step / fit.steps))
        for module, optimiser, lr in zip(modules, optimisers, grid, strict=True):
            optimiser.param_groups[0]["lr"] = lr * factor
            optimiser.zero_grad(set_to_none=True)
            dense_loss(module(maps), target, fit.dice, targets.background).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return [FittedHead(module, shifts, scales, lr) for module, lr in zip(modules, grid, strict=True)]


def _predictor(fitted: FittedHead, features: DenseFeatures) -> Predict:
    return lambda rows: fitted(features.batch(rows))


def standardised(maps: Sequence[Tensor], shifts: Sequence[Tensor], scales: Sequence[Tensor]) -> list[Tensor]:
    """The maps of each level with its shift subtracted and multiplied by its scale, on the device of these."""
    return [(one.to(m.device) - m) * s for one, m, s in zip(maps, shifts, scales, strict=True)]


def _standardisation(
    features: DenseFeatures, rows: NDArray[np.int64], seed: int, device: torch.device | str
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Shifts and scales with which each channel has mean 0 and variance 1 over the given rows (at most 512)."""
    if len(rows) > _STANDARDISED_ROWS:
        rows = np.sort(np.random.default_rng([seed, 0x57D]).choice(rows, _STANDARDISED_ROWS, replace=False))
    shifts, scales = [], []
    for level in features.batch(rows):
        wide = level.double()
        deviation = wide.std(dim=(0, 2, 3), correction=0, keepdim=True)
        shifts.append(wide.mean(dim=(0, 2, 3), keepdim=True).float().to(device))
        # A channel that is constant in training is set to 0: a test picture's tiny deviation would become huge.
        scales.append(torch.where(deviation > 1e-6, 1 / deviation.clamp(min=1e-6), 0.0).float().to(device))
    return tuple(shifts), tuple(scales)


def step_batches(rows: NDArray[np.int64], batch: int, steps: int, seed: int) -> Sequence[NDArray[np.int64]]:
    """Positions ``[batch]`` of each of ``steps`` steps: without replacement until all were drawn."""
    rng = np.random.default_rng([seed, 0xBA7C])
    batch = min(batch, len(rows))
    epochs = -(-batch * steps // len(rows))
    drawn = np.concatenate([rng.permutation(rows) for _ in range(epochs)])
    return [np.sort(drawn[step * batch : (step + 1) * batch]) for step in range(steps)]


def _check(targets: DenseTargets, groups: NDArray[Any], rows: NDArray[np.int64], held: NDArray[np.int64]) -> None:
    for side, positions in (("training", rows), ("test", held)):
        if not len(positions):
            raise DataError(f"no {side} picture has a mask", "scan with masks, or split by a coarser group")
    shared = np.intersect1d(groups[rows], groups[held])
    if len(shared):
        raise DataError(
            f"{plural(len(shared), 'group is', 'groups are')} on both sides of the split",
            "scan with --split-by the column given as --group",
        )
    if not _shows_a_class(targets, rows):
        raise DataError(targets.nothing_shown, "label more groups")


def _shows_a_class(targets: DenseTargets, rows: NDArray[np.int64]) -> bool:
    placed = targets.placed[rows]
    return bool(((placed >= int(targets.background)) & (placed != IGNORED)).any())
