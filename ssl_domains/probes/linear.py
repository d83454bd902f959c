"""Linear probe: logistic or ridge regression on standardised frozen features."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from ssl_domains.probes.frozen import Answer, ProbeResult, Setting, run_probe
from ssl_domains.probes.labels import Labels

__all__ = ["LinearProbe", "linear_probe"]

_ITERATIONS = 1000


@dataclass(frozen=True)
class LinearProbe:
    """Multinomial logistic regression for classes, one-vs-rest for label sets, ridge regression for numbers.

    Args:
        c: Grid of inverse ℓ2 strengths for classes and label sets.
        alpha: Grid of ℓ2 strengths for numbers.
    """

    c: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0)
    alpha: tuple[float, ...] = (1000.0, 100.0, 10.0, 1.0, 0.1)
    name: str = "linear"

    def settings(self, labels: Labels) -> tuple[Setting, ...]:
        """The strengths of regularisation, strongest first."""
        if labels.task == "regression":
            return tuple({"alpha": value} for value in self.alpha)
        return tuple({"C": value} for value in self.c)

    def answers(self, x: NDArray[Any], labels: Labels, new: NDArray[Any], settings: Sequence[Setting]) -> list[Answer]:
        """See `Probe.answers`."""
        scaler = StandardScaler().fit(np.asarray(x, dtype=np.float64))
        x, new = scaler.transform(np.asarray(x, np.float64)), scaler.transform(np.asarray(new, np.float64))
        if labels.task == "regression":
            return [Answer(Ridge(alpha=s["alpha"]).fit(x, labels.y).predict(new)) for s in settings]
        if labels.task == "multilabel":
            return [self._label_sets(x, labels, new, s["C"]) for s in settings]
        return [self._classes(x, labels.y, new, s["C"], len(labels.classes)) for s in settings]

    def _classes(self, x: NDArray[Any], y: NDArray[Any], new: NDArray[Any], c: float, classes: int) -> Answer:
        model = LogisticRegression(C=c, max_iter=_ITERATIONS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # reported in the note instead
            model.fit(x, y)
        out = np.zeros((len(new), classes))
        out[:, model.classes_] = model.predict_proba(new)
        stopped = int(np.max(model.n_iter_)) >= _ITERATIONS
        return Answer(out, f"the fit stopped after {_ITERATIONS} iterations" if stopped else "")

    def _label_sets(self, x: NDArray[Any], labels: Labels, new: NDArray[Any], c: float) -> Answer:
        out = np.zeros((len(new), len(labels.classes)))
        note = ""
        for code in range(len(labels.classes)):
            y = (labels.y[:, code] > 0.5).astype(np.int64)
            if y.min() == y.max():
                out[:, code] = y[0]
                continue
            answer = self._classes(x, y, new, c, 2)
            out[:, code] = answer.values[:, 1]
            note = note or answer.note
        return Answer(out, note)


def linear_probe(
    x: NDArray[Any],
    labels: Labels,
    groups: NDArray[Any],
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
    *,
    folds: int = 3,
    seed: int = 0,
) -> ProbeResult:
    """A linear probe of frozen features; arguments and errors as `run_probe`."""
    return run_probe(LinearProbe(), x, labels, groups, train, test, folds=folds, seed=seed)
