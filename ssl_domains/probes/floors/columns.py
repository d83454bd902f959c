"""Nuisance-only floor: a random forest on a few columns, such as position or size.

Its score is how well these columns predict the label without any picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from ssl_domains.errors import UsageError
from ssl_domains.probes.frozen import Answer, ProbeResult, Setting, run_probe
from ssl_domains.probes.labels import Labels
from ssl_domains.samples import SampleTable

__all__ = ["TreeProbe", "column_floor", "floor_features"]


@dataclass(frozen=True)
class TreeProbe:
    """A random forest; each split decides on which side missing values go.

    It is preferred to boosted trees, which fit separate trees for each class.

    Args:
        leaf: Grid of the smallest number of rows in a leaf.
        trees: Trees in the forest.
    """

    leaf: tuple[int, ...] = (20, 5)
    trees: int = 100
    name: str = "trees"

    def settings(self, labels: Labels) -> tuple[Setting, ...]:
        """Largest leaves first. Sizes with which a few rows can't be split are left out."""
        fitting = tuple({"leaf": float(value)} for value in self.leaf if 4 * value <= len(labels))
        return fitting or ({"leaf": float(max(1, len(labels) // 8))},)

    def answers(self, x: NDArray[Any], labels: Labels, new: NDArray[Any], settings: Sequence[Setting]) -> list[Answer]:
        """See `Probe.answers`."""
        return [Answer(self._answer(x, labels, new, int(setting["leaf"]))) for setting in settings]

    def _answer(self, x: NDArray[Any], labels: Labels, new: NDArray[Any], leaf: int) -> NDArray[np.float64]:
        options = {"n_estimators": self.trees, "min_samples_leaf": leaf, "random_state": 0}
        if labels.task == "regression":
            return np.asarray(RandomForestRegressor(**options).fit(x, labels.y).predict(new), dtype=np.float64)
        out = np.zeros((len(new), len(labels.classes)))
        if labels.task == "classification":
            model = RandomForestClassifier(**options).fit(x, labels.y)
            out[:, model.classes_] = model.predict_proba(new)
            return out
        for code in range(len(labels.classes)):
            model = RandomForestClassifier(**options).fit(x, labels.y[:, code] > 0.5)
            # A forest that was fitted on one class has one column of probabilities.
            out[:, code] = model.predict_proba(new)[:, -1] if model.classes_[-1] else 0.0
        return out


def floor_features(table: SampleTable, columns: Sequence[str]) -> NDArray[np.float64]:
    """The given columns as numbers ``[n, len(columns)]``, NaN where missing; text is numbered in sorted order.

    Raises:
        UsageError: When a column is missing or holds lists.
    """
    if not columns:
        raise UsageError("a floor needs at least one column", "for example --floor position")
    features = []
    for name in columns:
        column = table.column(name)
        if column.dtype.is_nested():
            raise UsageError(f"column {name!r} holds lists, which a floor can't read", "leave it out")
        if column.dtype.is_numeric() or column.dtype.is_temporal() or column.dtype in (pl.Boolean, pl.Null):
            features.append(table.numbers(name))
        else:
            codes = table.codes(name).astype(np.float64)
            features.append(np.where(codes < 0, np.nan, codes))
    return np.stack(features, axis=1)


def column_floor(
    table: SampleTable,
    columns: Sequence[str],
    labels: Labels,
    groups: NDArray[Any],
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
    *,
    folds: int = 3,
    seed: int = 0,
) -> ProbeResult:
    """Score of a random forest on the given columns alone; other arguments and errors as `run_probe`."""
    x = floor_features(table, columns)
    return run_probe(TreeProbe(), x, labels, groups, train, test, folds=folds, seed=seed)
