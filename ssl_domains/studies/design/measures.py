"""Measures computed from sums over groups, such as confusion counts.

The sums of each group are kept, so that a bootstrap over groups is a matrix product and needs no new prediction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.probes.overlap import POOLED
from ssl_domains.probes.transcripts import OF_TRANSCRIPTS

__all__ = [
    "ACCURACY",
    "AVERAGE_PRECISION",
    "BALANCED_ACCURACY",
    "MACRO_F1",
    "MEAN_DICE",
    "MEASURES",
    "OF_PIXELS",
    "OF_TEXTS",
    "R2",
    "Measure",
    "confusion_sums",
    "dice_sums",
    "measure_named",
    "of_class",
    "pixel_sums",
    "ranking_sums",
    "regression_sums",
    "with_whole",
]


class Measure(Protocol):
    """A score computed from sums over groups; larger is better."""

    @property
    def name(self) -> str:
        """Name in tables and files."""
        ...

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The score of sums ``[..., K]`` as ``[...]``; NaN where it is not defined."""
        ...


@dataclass(frozen=True)
class _Accuracy:
    name: str = "accuracy"

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        counts = _square(sums)
        hits = np.trace(counts, axis1=-2, axis2=-1)
        return _ratio(hits, counts.sum(axis=(-2, -1)))


@dataclass(frozen=True)
class _BalancedAccuracy:
    name: str = "balanced accuracy"

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        counts = _square(sums)
        recalls = _ratio(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1))
        return _over_present(recalls, counts)


@dataclass(frozen=True)
class _MacroF1:
    name: str = "macro-F1"

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        counts = _square(sums)
        hits = np.diagonal(counts, axis1=-2, axis2=-1)
        each = _ratio(2.0 * hits, counts.sum(axis=-1) + counts.sum(axis=-2))
        return _over_present(each, counts)


@dataclass(frozen=True)
class _R2:
    name: str = "R²"

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        n, total, squares, errors = (sums[..., k] for k in range(4))
        spread = squares - _ratio(total * total, n)
        # A smaller difference of two large sums is rounding error: the label is constant.
        known = spread > 1e-12 * np.abs(squares)
        return np.where(known, 1.0 - _ratio(errors, np.where(known, spread, 1.0)), np.nan)


@dataclass(frozen=True)
class _MeanDice:
    name: str = "mean Dice"

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        classes = sums.shape[-1] // 2
        each = _ratio(sums[..., :classes], sums[..., classes:])
        return _mean_defined(each, ~np.isnan(each))


@dataclass(frozen=True)
class _OfPixels:
    name: str
    score: Callable[[NDArray[np.float64]], NDArray[np.float64]]

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.score(_square(sums))


@dataclass(frozen=True)
class _OfTexts:
    name: str
    value: Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class _OfQueries:
    name: str

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return _ratio(sums[..., 0], sums[..., 1])


@dataclass(frozen=True)
class _AveragePrecision:
    name: str = "average precision"

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        if sums.shape[-1] % (2 * SCORE_BINS):
            raise ValueError(f"{sums.shape[-1]} sums are no counts of {SCORE_BINS} bins with and without each class")
        counts = sums.reshape(*sums.shape[:-1], -1, 2, SCORE_BINS)[..., ::-1]
        misses, hits = counts[..., 0, :], counts[..., 1, :]
        before = np.cumsum(hits, axis=-1) - hits
        ranked = before + np.cumsum(misses, axis=-1) - misses
        # In a random order of the bin's rows, place j holds a hit with probability hits / rows, and then 1 + (j − 1) ·
        # (hits − 1) / (rows − 1) hits of the bin stand up to it, on average. The sum over j has a closed form.
        rows = hits + misses
        others = (hits - 1.0) / np.maximum(rows - 1.0, 1.0)
        reciprocals = digamma(ranked + rows + 1.0) - digamma(ranked + 1.0)
        precisions = others * rows + (before + 1.0 - others - others * ranked) * reciprocals
        found = (_ratio(hits, rows) * precisions).sum(axis=-1, where=rows > 0)
        each = _ratio(found, hits.sum(axis=-1))
        return _mean_defined(each, ~np.isnan(each))


SCORE_BINS = 256
"""Bins of a probability: 1/16 wide in its logit, from −8 to 8."""
ACCURACY: Measure = _Accuracy()
"""Share of correct predictions, from ``K = C·C`` confusion counts, row = truth."""
BALANCED_ACCURACY: Measure = _BalancedAccuracy()
"""Mean recall over the classes that occur in the truth, from confusion counts; NaN with fewer than two of them."""
MACRO_F1: Measure = _MacroF1()
"""Mean F1 over the classes that occur in the truth, from confusion counts; NaN with fewer than two of them."""
R2: Measure = _R2()
"""1 − Σ(y−ŷ)²/Σ(y−ȳ)², from ``K = 4`` sums (n, Σ(y−c), Σ(y−c)², Σ(y−ŷ)²) of one c; NaN when the label is constant.

ȳ is the mean over the rows in the sums: R² of a single group compares with the mean of that group.
"""
MEAN_DICE: Measure = _MeanDice()
"""Mean over classes of the mean Dice over groups, from ``K = 2·C`` (Σ Dice, number of groups that have one)."""
AVERAGE_PRECISION: Measure = _AveragePrecision()
"""Mean over classes of Σ (recall − recall before) · precision, by descending probability, from ``K = C·2·256`` counts.

The counts are those of rows without and with each class, by bins of the probability. Rows of one bin count as if they
stood in random order. Classes that no row has are left out; NaN without any.
"""

OF_PIXELS: tuple[Measure, ...] = tuple(_OfPixels(name, score) for name, score in POOLED.items())
"""Scores of the pixels of all groups together (see `ssl_domains.probes.overlap`), from `pixel_sums`."""

OF_TEXTS: tuple[Measure, ...] = tuple(_OfTexts(name, score) for name, score in OF_TRANSCRIPTS.items())
"""Scores of transcripts, from ``K = 6`` sums (see `ssl_domains.probes.transcripts.transcript_sums`)."""

MEASURES: dict[str, Measure] = {
    one.name: one
    for one in (BALANCED_ACCURACY, MACRO_F1, ACCURACY, R2, MEAN_DICE, AVERAGE_PRECISION, *OF_PIXELS, *OF_TEXTS)
}
"""Every measure by its name, but those of one class, and those of rankings at some k."""

_OF_QUERIES = re.compile(r"(MRR|nDCG|recall)@[1-9]\d*")
"""Scores of rankings, each a mean over queries, from ``K = 2`` (Σ of the scores of queries, number of queries)."""
_OF_CLASS = f"{AVERAGE_PRECISION.name} of "


def measure_named(name: str) -> Measure:
    """The measure of that name.

    Raises:
        UsageError: When there is none.
    """
    if name.startswith(_OF_CLASS):
        return _AveragePrecision(name)
    if _OF_QUERIES.fullmatch(name):
        return _OfQueries(name)
    if name not in MEASURES:
        raise UsageError(f"no measure is called {name!r}", did_you_mean(name, MEASURES))
    return MEASURES[name]


def confusion_sums(
    y: NDArray[np.int64], guess: NDArray[np.int64], groups: NDArray[np.int64], n_groups: int, classes: int
) -> NDArray[np.float64]:
    """Confusion counts of each group.

    Args:
        y: True class codes ``[n]``, in ``0 … classes−1``.
        guess: Predicted class codes ``[n]``.
        groups: Number of each row's group ``[n]``, in ``0 … n_groups−1``.
        n_groups: ``G``.
        classes: ``C``.

    Returns:
        float64 ``[G, C·C]``, row = truth; zeros for a group without a row.

    Raises:
        ValueError: When a code or a group is out of range.
    """
    for name, codes, end in (("y", y, classes), ("guess", guess, classes), ("groups", groups, n_groups)):
        if len(codes) and (codes.min() < 0 or codes.max() >= end):
            raise ValueError(f"{name} must be in 0 … {end - 1}")
    cells = classes * classes
    flat = (np.asarray(groups, dtype=np.int64) * classes + y) * classes + guess
    return np.bincount(flat, minlength=n_groups * cells).reshape(n_groups, cells).astype(np.float64)


def ranking_sums(
    truth: NDArray[np.bool_], answers: NDArray[Any], groups: NDArray[np.int64], n_groups: int
) -> NDArray[np.float64]:
    """Counts of rows without and with each class, by group and bin of the predicted probability.

    Args:
        truth: Whether a row has a class ``[n, C]``.
        answers: Predicted probabilities ``[n, C]``.
        groups: Number of each row's group ``[n]``, in ``0 … n_groups−1``.
        n_groups: ``G``.

    Returns:
        float64 ``[G, C, 2·256]``: of each class, the counts of rows without it, then with it, by ascending bin.
    """
    p = np.clip(np.asarray(answers, dtype=np.float64), 1e-12, 1 - 1e-12)
    place = np.floor((np.log(p) - np.log1p(-p)) * 16.0).astype(np.int64) + SCORE_BINS // 2
    place = np.clip(place, 0, SCORE_BINS - 1)
    classes = truth.shape[1]
    table = np.zeros((n_groups, classes, 2, SCORE_BINS))
    np.add.at(table, (groups[:, None], np.arange(classes), truth.astype(np.int64), place), 1.0)
    return table.reshape(n_groups, classes, -1)


def with_whole(sums: Mapping[str, Sequence[Sequence[float]]]) -> dict[str, Sequence[Sequence[float]]]:
    """Sums by name of the measure; beside the average precisions of single classes also that of all classes.

    Args:
        sums: Name of a measure → sums ``[G, K]``.
    """
    single = [rows for name, rows in sums.items() if name.startswith(_OF_CLASS)]
    if not single:
        return dict(sums)
    whole = [[value for part in parts for value in part] for parts in zip(*single, strict=True)]
    return {AVERAGE_PRECISION.name: whole, **sums}


def of_class(name: str) -> str:
    """Name of the average precision of one class."""
    return f"{_OF_CLASS}{name}"


def regression_sums(
    y: NDArray[Any], guess: NDArray[Any], groups: NDArray[np.int64], n_groups: int, centre: float = 0.0
) -> NDArray[np.float64]:
    """Number of rows, Σ(y−c), Σ(y−c)², Σ(y−ŷ)² of each group.

    Args:
        y: True numbers ``[n]``, in the label's unit.
        guess: Predicted numbers ``[n]``.
        groups: Number of each row's group ``[n]``.
        n_groups: ``G``.
        centre: c, near the mean of y: R² doesn't depend on it, but the sums of numbers far from 0 lose their last
            digits. Sums that are added must have the same.

    Returns:
        float64 ``[G, 4]``; zeros for a group without a row.
    """
    truth = np.asarray(y, dtype=np.float64)
    error, far = truth - np.asarray(guess, dtype=np.float64), truth - centre
    return np.stack(
        [
            np.bincount(groups, weights=column, minlength=n_groups)
            for column in (np.ones_like(truth), far, far * far, error * error)
        ],
        axis=1,
    )


def dice_sums(per_group_dice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Σ Dice and number of defined Dice of each group and class.

    Args:
        per_group_dice: ``[G, C]``; NaN where a class is in neither the truth nor the prediction of a group.

    Returns:
        float64 ``[G, 2·C]``. Each Dice is rounded to float32, which halves the file of a study's cells.
    """
    known = ~np.isnan(per_group_dice)
    rounded = np.where(known, per_group_dice, 0.0).astype(np.float32).astype(np.float64)
    return np.concatenate([rounded, known.astype(np.float64)], axis=1)


def pixel_sums(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Pixels of each group by true and predicted class as sums: ``[G, K, K]`` to float64 ``[G, K·K]``."""
    return counts.reshape(len(counts), -1).astype(np.float64)


def _square(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    classes = round(sums.shape[-1] ** 0.5)
    if classes * classes != sums.shape[-1]:
        raise ValueError(f"{sums.shape[-1]} sums are no square table of confusion counts")
    return sums.reshape(*sums.shape[:-1], classes, classes)


def _over_present(each: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    present = counts.sum(axis=-1) > 0
    return np.where(present.sum(axis=-1) >= 2, _mean_defined(each, present), np.nan)


def _mean_defined(each: NDArray[np.float64], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    return _ratio(np.where(present, each, 0.0).sum(axis=-1), present.sum(axis=-1).astype(np.float64))


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """``above / below``, NaN where ``below`` is not positive."""
    out = np.full(np.broadcast_shapes(np.shape(above), np.shape(below)), np.nan)
    np.divide(above, below, out=out, where=np.asarray(below) > 0)
    return out
