"""k-nearest-neighbour probe by cosine similarity, votes weighted as in Wu et al. 2018 (instance discrimination)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.probes.frozen import Answer, ProbeResult, Setting, run_probe
from ssl_domains.probes.labels import Labels

__all__ = ["KnnProbe", "knn_probe"]

_STRIP = 1024
"""Number of query rows compared at a time, so that memory is strip × n."""


@dataclass(frozen=True)
class KnnProbe:
    """Predicts by the labels of the k most similar training rows, weighted by exp(cosine / τ).

    Features are centred on the training mean before they are normalised: pooled features after a ReLU are all
    positive, and without centring every cosine is near 1.

    Args:
        k: Grid of neighbour counts; those above the number of training rows are left out.
        temperature: τ of the vote.
    """

    k: tuple[int, ...] = (20, 10, 5, 1)
    temperature: float = 0.07
    name: str = "k-NN"

    def settings(self, labels: Labels) -> tuple[Setting, ...]:
        """Largest k, the smoothest, first."""
        fitting = tuple({"k": float(value)} for value in self.k if value <= len(labels))
        return fitting or ({"k": float(len(labels))},)

    def answers(self, x: NDArray[Any], labels: Labels, new: NDArray[Any], settings: Sequence[Setting]) -> list[Answer]:
        """See `Probe.answers`."""
        centre = np.asarray(x, np.float64).mean(axis=0)
        known, queries = _unit(x - centre), _unit(new - centre)
        counts = [min(int(setting["k"]), len(known)) for setting in settings]
        similar, nearest = _neighbours(known, queries, max(counts))
        target = labels.membership().astype(np.float64) if labels.task != "regression" else labels.y[:, None]
        out = []
        for count in counts:
            weight = np.exp((similar[:, :count] - similar[:, :1]) / self.temperature)
            vote = np.einsum("nk,nkc->nc", weight / weight.sum(axis=1, keepdims=True), target[nearest[:, :count]])
            out.append(Answer(vote[:, 0] if labels.task == "regression" else vote))
        return out


def _unit(x: NDArray[Any]) -> NDArray[np.float32]:
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x / np.maximum(length, 1e-12), dtype=np.float32)


def _neighbours(
    known: NDArray[np.float32], queries: NDArray[np.float32], k: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Similarities and positions ``[n, k]`` of the nearest known rows, nearest first, equally near ones by position.

    Products are summed in float64 and rounded to float32: in float32, products of equal rows could differ in the
    last bit, depending on their place in a block.
    """
    similar = np.empty((len(queries), k), dtype=np.float64)
    nearest = np.empty((len(queries), k), dtype=np.int64)
    columns = known.T.astype(np.float64)
    for start in range(0, len(queries), _STRIP):
        s = (queries[start : start + _STRIP].astype(np.float64) @ columns).astype(np.float32)
        top = _largest(s, k)
        values = np.take_along_axis(s, top, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        similar[start : start + len(s)] = np.take_along_axis(values, order, axis=1)
        nearest[start : start + len(s)] = np.take_along_axis(top, order, axis=1)
    return similar, nearest


def _largest(values: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Columns ``[n, k]`` of the k largest values of each row, ascending; of equal values the first columns."""
    least = -np.partition(-values, k - 1, axis=1)[:, k - 1 : k]
    above, equal = values > least, values == least
    missing = k - above.sum(axis=1, keepdims=True)
    taken = above | (equal & (np.cumsum(equal, axis=1) <= missing))
    return np.nonzero(taken)[1].reshape(len(values), k)


def knn_probe(
    x: NDArray[Any],
    labels: Labels,
    groups: NDArray[Any],
    train: NDArray[np.bool_],
    test: NDArray[np.bool_],
    *,
    folds: int = 3,
    seed: int = 0,
) -> ProbeResult:
    """A k-NN probe of frozen features; arguments and errors as `run_probe`."""
    return run_probe(KnnProbe(), x, labels, groups, train, test, folds=folds, seed=seed)
