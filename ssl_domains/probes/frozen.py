"""Procedure of every probe: choose a setting inside the training groups, fit on them, predict the test groups once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from ssl_domains.errors import DataError
from ssl_domains.probes.labels import Labels
from ssl_domains.probes.metrics import Scores, score, selection_score
from ssl_domains.quantities import plural

__all__ = ["Answer", "Probe", "ProbeResult", "chosen_setting", "require_varying", "run_probe"]

Setting = Mapping[str, float]


@dataclass(frozen=True)
class Answer:
    """Predictions of a probe: probabilities ``[n, K]`` or numbers ``[n]``; and a note, empty if there is none."""

    values: NDArray[np.float64]
    note: str = ""


class Probe(Protocol):
    """A small model on frozen features. It fits its scaler only on the rows that it is fitted on."""

    @property
    def name(self) -> str:
        """Name in tables."""
        ...

    def settings(self, labels: Labels) -> tuple[Setting, ...]:
        """The grid of settings, simplest first: of settings with equal scores the first is chosen."""
        ...

    def answers(self, x: NDArray[Any], labels: Labels, new: NDArray[Any], settings: Sequence[Setting]) -> list[Answer]:
        """Fit on ``x [n, F]`` with ``labels`` and predict ``new [m, F]``, once for each setting."""
        ...


@dataclass(frozen=True)
class ProbeResult:
    """Scores of a probe on the test groups.

    Attributes:
        scores: See `Scores`.
        chosen: The chosen hyper-parameters.
        labels: Number of labelled training rows.
        groups: Number of groups of these rows.
        tested: Number of labelled test rows.
        dropped: Number of training and test rows without a label, which are left out.
        notes: Remarks, one line each.
        answers: Probabilities ``[tested, K]`` or numbers ``[tested]``, in the order of the test rows.
    """

    scores: Scores
    chosen: dict[str, float]
    labels: int
    groups: int
    tested: int
    dropped: int
    notes: tuple[str, ...] = ()
    answers: NDArray[np.float64] = field(default_factory=lambda: np.empty(0), repr=False, compare=False)


def run_probe(
    probe: Probe,
    x: NDArray[Any],
    labels: Labels,
    groups: NDArray[Any],
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
    *,
    folds: int = 3,
    seed: int = 0,
) -> ProbeResult:
    """Choose the setting by group k-fold inside the training groups, fit on them, score on the test groups.

    Args:
        probe: The model.
        x: Features ``[n, F]``.
        labels: ``n`` labels; rows without one are left out and counted.
        groups: Group of each row ``[n]``: rows of a group are never on both sides of a fold.
        train: bool ``[n]``, training rows.
        test: bool ``[n]``, test rows.
        folds: Number of inner folds; fewer when there are fewer groups.
        seed: Seed of the inner folds.

    Raises:
        DataError: When a group is in both ``train`` and ``test``, one of them has no labelled row, or the training
            labels are of one class.
    """
    dropped = int(((train | test) & ~labels.known).sum())
    fit, held = np.flatnonzero(train & labels.known), np.flatnonzero(test & labels.known)
    _check(labels, groups, fit, held)
    grid = probe.settings(labels.take(fit))
    # One thread: the matrices are small, threads that wait for each other can take minutes, and sums keep their order.
    with threadpool_limits(1):
        chosen, notes = _choose(probe, grid, x[fit], labels.take(fit), groups[fit], folds, seed)
        answer = probe.answers(x[fit], labels.take(fit), x[held], [chosen])[0]
    trained = np.asarray(labels.take(fit).membership().any(axis=0), dtype=np.bool_)
    return ProbeResult(
        scores=score(labels.take(held), answer.values, trained),
        chosen=dict(chosen),
        labels=len(fit),
        groups=len(np.unique(groups[fit])),
        tested=len(held),
        dropped=dropped,
        notes=tuple(note for note in (*notes, answer.note) if note),
        answers=answer.values,
    )


def _check(labels: Labels, groups: NDArray[Any], fit: NDArray[np.int64], held: NDArray[np.int64]) -> None:
    for rows, side in ((fit, "training"), (held, "test")):
        if not len(rows):
            raise DataError(f"no {side} row has a label", "probe another column, or split by a coarser group")
    shared = np.intersect1d(groups[fit], groups[held])
    if len(shared):
        raise DataError(
            f"{plural(len(shared), 'group is', 'groups are')} on both sides of the split",
            "scan with --split-by the column given as --group",
        )
    require_varying(labels.take(fit))


def require_varying(labels: Labels) -> None:
    """Refuse training labels of which nothing can be learnt.

    Raises:
        DataError: When all known labels are of one class, are one number, or are the same set.
    """
    fit = np.flatnonzero(labels.known)
    if labels.task == "classification" and len(np.unique(labels.y[fit])) < 2:
        name = labels.classes[labels.y[fit[0]]]
        raise DataError(f"every training label is {name!r}: one class can't be probed", "probe a column that varies")
    if labels.task == "regression" and float(np.ptp(labels.y[fit])) == 0.0:
        raise DataError("every training label is the same number", "probe a column that varies")
    if labels.task == "multilabel" and not (labels.y[fit].any() and labels.y[fit].min() == 0):
        raise DataError("every training row carries the same labels", "probe a column that varies")


def chosen_setting(
    probe: Probe, x: NDArray[Any], labels: Labels, groups: NDArray[Any], *, folds: int = 3, seed: int = 0
) -> tuple[Setting, list[str]]:
    """The setting that `run_probe` chooses inside the training groups, and notes; all rows have a label."""
    with threadpool_limits(1):
        return _choose(probe, probe.settings(labels), x, labels, groups, folds, seed)


def _choose(
    probe: Probe,
    grid: Sequence[Setting],
    x: NDArray[Any],
    labels: Labels,
    groups: NDArray[Any],
    folds: int,
    seed: int,
) -> tuple[Setting, list[str]]:
    """The setting with the best mean score over the folds, the first of equal ones; and notes."""
    totals = np.zeros(len(grid))
    usable = 0
    if len(grid) > 1:
        for inner, outer in _group_folds(labels, groups, folds, seed):
            part = labels.take(inner)
            if part.task == "classification" and len(np.unique(part.y)) < 2:
                continue
            answers = probe.answers(x[inner], part, x[outer], grid)
            totals += [selection_score(labels.take(outer), answer.values) for answer in answers]
            usable += 1
    if usable:
        return grid[int(np.argmax(totals))], []
    middle = grid[len(grid) // 2]
    if len(grid) == 1:
        return middle, []
    text = ", ".join(f"{key}={value:g}" for key, value in middle.items())
    return middle, [
        f"the probe used its middle setting, {text}: so few groups are labelled that none can be held out to compare "
        "settings"
    ]


def _group_folds(
    labels: Labels, groups: NDArray[Any], folds: int, seed: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of row positions (fit, validate); no group is in both."""
    count = len(np.unique(groups))
    folds = min(folds, count)
    if folds < 2:
        return []
    rows = np.zeros(len(groups))
    if labels.task == "classification":
        smallest = int(np.bincount(labels.y)[np.unique(labels.y)].min())
        if smallest >= folds:
            splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
            return [pair for pair in splitter.split(rows, labels.y, groups) if len(pair[0]) and len(pair[1])]
    _, codes = np.unique(groups, return_inverse=True)
    order = np.random.default_rng(seed).permutation(count)
    return [pair for pair in GroupKFold(folds).split(rows, groups=order[codes]) if len(pair[0]) and len(pair[1])]
