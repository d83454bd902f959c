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

__all__ = ["LinearMap", "LinearProbe", "linear_probe"]

_ITERATIONS = 1000
_NEVER = 30.0
"""Logit of an answer that is certain: its probability differs from 1 by 1e-13."""


@dataclass(frozen=True)
class LinearMap:
    """A fitted linear probe as one linear layer on features that are not standardised.

    Attributes:
        weight: float64 ``[K, F]``.
        bias: float64 ``[K]``. The outputs are logits, of which the softmax (classes) or the sigmoid (label sets) is the
            probe's probability; or the number in the label's unit, K = 1.
        note: A remark on the fit; empty if there is none.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    note: str = ""


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

    def linear_map(self, x: NDArray[Any], labels: Labels, setting: Setting) -> LinearMap:
        """Fit on ``x [n, F]`` as `answers` does, and return the model as one linear layer on ``x``.

        The standardisation of the features is part of its weight and bias. A class without a training row has a
        logit far below the others.
        """
        scaler = StandardScaler().fit(np.asarray(x, dtype=np.float64))
        scaled = scaler.transform(np.asarray(x, np.float64))
        weight = np.zeros((max(1, len(labels.classes)), scaled.shape[1]))
        bias = np.zeros(len(weight))
        notes = []
        if labels.task == "regression":
            ridge = Ridge(alpha=setting["alpha"]).fit(scaled, labels.y)
            weight[0], bias[0] = ridge.coef_, float(ridge.intercept_)
        elif labels.task == "multilabel":
            for code in range(len(labels.classes)):
                y = (labels.y[:, code] > 0.5).astype(np.int64)
                if y.min() == y.max():
                    bias[code] = _NEVER if y[0] else -_NEVER
                    continue
                model, note = _fitted(scaled, y, setting["C"])
                weight[code], bias[code] = model.coef_[0], model.intercept_[0]
                notes.append(note)
        else:
            model, note = _fitted(scaled, labels.y, setting["C"])
            notes.append(note)
            known = model.classes_
            if len(known) == 2:  # one row of coefficients: the logit of the second class against the first
                weight[known], bias[known] = (
                    [-model.coef_[0] / 2, model.coef_[0] / 2],
                    [
                        -model.intercept_[0] / 2,
                        model.intercept_[0] / 2,
                    ],
                )
            else:
                weight[known], bias[known] = model.coef_, model.intercept_
        weight = weight / scaler.scale_
        bias = bias - weight @ scaler.mean_
        if labels.task == "classification":
            absent = np.setdiff1d(np.arange(len(bias)), np.unique(labels.y))
            # Far below the smallest logit of the classes that are there, on every training row.
            present = np.setdiff1d(np.arange(len(bias)), absent)
            lowest = (np.asarray(x, np.float64) @ weight[present].T + bias[present]).min()
            bias[absent] = lowest - _NEVER
        return LinearMap(weight, bias, next((note for note in notes if note), ""))

    def _classes(self, x: NDArray[Any], y: NDArray[Any], new: NDArray[Any], c: float, classes: int) -> Answer:
        model, note = _fitted(x, y, c)
        out = np.zeros((len(new), classes))
        out[:, model.classes_] = model.predict_proba(new)
        return Answer(out, note)

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


def _fitted(x: NDArray[Any], y: NDArray[Any], c: float) -> tuple[Any, str]:
    """A logistic regression, and a note when its fit stopped early."""
    model = LogisticRegression(C=c, max_iter=_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # reported in the note instead
        model.fit(x, y)
    stopped = int(np.max(model.n_iter_)) >= _ITERATIONS
    return model, f"the fit stopped after {_ITERATIONS} iterations" if stopped else ""


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
