"""The measurement of one cell: probes of the frozen encoder, the floors, and what is told of the nuisance."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine import Run
from ssl_domains.errors import DataError
from ssl_domains.evaluation import embed_rows
from ssl_domains.evaluation.handmade import handmade_features
from ssl_domains.evaluation.supervised import supervised_answers
from ssl_domains.probes import (
    HEADLINE,
    KnnProbe,
    Labels,
    LinearProbe,
    Probe,
    TreeProbe,
    floor_features,
    read_labels,
    run_probe,
    score,
)
from ssl_domains.samples import SampleTable
from ssl_domains.studies.cells import TUNING, Cell, CellScore
from ssl_domains.studies.material import Material
from ssl_domains.studies.measures import confusion_sums, regression_sums
from ssl_domains.studies.training import draw_of, fold_of
from ssl_domains.views import Canvas, Preprocess

__all__ = ["Measured", "measure_cell", "measure_nuisance"]

_MOST = 3000
"""Rows of a side that a nuisance probe looks at: it is a description, not the evidence."""


@dataclass(frozen=True)
class Measured:
    """The tested groups of a cell and its scores."""

    groups: NDArray[np.int64]
    scores: list[CellScore]


def measure_cell(material: Material, cell: Cell, run: Run | None, fractions: Sequence[float]) -> Measured:
    """Probe a cell at each fraction of labelled groups.

    Args:
        material: Of the study.
        cell: What is measured.
        run: Its training; None for a floor.
        fractions: Shares of labelled groups.
    """
    fold = fold_of(material, cell)
    labels = material.labels
    asked = fold.test & labels.known if material.unsure is None else _unsure(material, cell.fold)
    rows = np.flatnonzero((fold.train & labels.known) | asked)
    part, kept = material.table.take(rows), labels.take(rows)
    codes, test = material.groups.codes[rows], asked[rows]
    groups = np.unique(codes[test])
    if not len(groups):
        raise DataError(f"fold {cell.fold} has no labelled test row", "probe a column that more rows have")
    scoring = _Scoring(material, kept.take(test), np.searchsorted(groups, codes[test]), len(groups), part.take(test))
    scores = []
    if cell.arm.kind == "supervised":
        assert run is not None
        assert cell.fraction is not None
        answers = supervised_answers(run, labels.task, part.take(test), material.store)
        draw = draw_of(material, cell, cell.fraction)
        return Measured(groups, [scoring.score("linear", cell.fraction, int(draw.rows.sum()), answers)])
    x, probes = _features(material, cell, run, part)
    for fraction in fractions:
        draw = draw_of(material, cell, fraction)
        for probe in probes:
            result = run_probe(probe, x, kept, codes, draw.rows[rows], test, seed=cell.seed)
            note = "; ".join(one for one in (draw.note, *result.notes) if one)
            scores.append(scoring.score(probe.name, fraction, result.labels, result.answers, note))
    return Measured(groups, scores)


def _features(
    material: Material, cell: Cell, run: Run | None, part: SampleTable
) -> tuple[NDArray[Any], tuple[Probe, ...]]:
    name = cell.arm.name.partition(": ")[2]
    if cell.arm.kind == "floor":
        return floor_features(part, material.floors[name]), (TreeProbe(),)
    if cell.arm.kind == "handmade":
        x = handmade_features(material.handmade[name], _preprocess(material, cell), part, material.store)
        return x, (LinearProbe(),)
    assert run is not None
    return embed_rows(run.encoder(), run.preprocess, part, material.store), (LinearProbe(), KnnProbe())


def _preprocess(material: Material, cell: Cell) -> Preprocess:
    """What a run of this fold would put before its encoder."""
    train = material.table.take(fold_of(material, cell).train)
    config = material.config
    scaling = material.scaling(train).fit(train, material.store)
    return Preprocess(scaling, Canvas(config.views.size, config.views.canvas), config.encoder.in_chans or 1)


@dataclass(frozen=True)
class _Scoring:
    """The rows that are asked, the same for every probe of a cell."""

    material: Material
    truth: Labels
    place: NDArray[np.int64]
    count: int
    part: SampleTable

    def score(self, probe: str, fraction: float, seen: int, answers: NDArray[np.float64], note: str = "") -> CellScore:
        """One row: sums by group, and beside them what adds over no groups."""
        truth = self.truth
        values: dict[str, float | None] = {}
        if truth.task == "classification":
            guess = answers.argmax(1)
            sums = confusion_sums(truth.y, guess, self.place, self.count, len(truth.classes))
            names = ("balanced accuracy", "macro-F1", "accuracy")
            values["AUROC"] = score(truth, answers).values.get("AUROC")
            values |= self._by_bin(guess == truth.y)
        else:
            sums = regression_sums(truth.y, answers, self.place, self.count)
            names = ("R²",)
        return CellScore(probe, fraction, seen, dict.fromkeys(names, sums.tolist()), values, note)

    def _by_bin(self, right: NDArray[np.bool_]) -> dict[str, float | None]:
        if self.material.breakdown is None:
            return {}
        column, edges = self.material.breakdown
        numbers = self.part.numbers(column)
        bins = np.where(np.isnan(numbers), -1, np.digitize(numbers, edges[1:-1]))
        return {
            f"accuracy, {column} {low:g} to {high:g}": float(right[bins == k].mean()) if (bins == k).any() else None
            for k, (low, high) in enumerate(itertools.pairwise(edges))
        }


def _unsure(material: Material, number: int) -> NDArray[np.bool_]:
    """The labelled test rows of which a floor, fitted on all labelled training rows, is not sure: bool ``[n]``."""
    kept = _UNSURE.setdefault(material, {})
    if number in kept:
        return kept[number]
    assert material.unsure is not None
    floor, below = material.unsure
    fold = material.groups.tuning if number == TUNING else material.groups.folds[number]
    x = floor_features(material.table, material.floors[floor])
    found = run_probe(TreeProbe(), x, material.labels, material.groups.codes, fold.train, fold.test)
    asked = fold.test & material.labels.known
    asked[np.flatnonzero(asked)[found.answers.max(1) >= below]] = False
    kept[number] = asked
    return asked


_UNSURE: WeakKeyDictionary[Material, dict[int, NDArray[np.bool_]]] = WeakKeyDictionary()
"""The same for every arm of a fold, so each process asks the forest once."""


def measure_nuisance(material: Material, cell: Cell, run: Run) -> dict[str, list[Any]]:
    """How much of each nuisance column a linear probe reads from the encoder: [score's name, value, remark].

    A column that is constant in every group (the patient, the recording) can't be asked for in groups never seen: its
    rows are split within the groups, by the finer unit where one is named, else by sample.
    """
    fold, table = fold_of(material, cell), material.table
    found: dict[str, list[Any]] = {}
    features: NDArray[Any] | None = None
    chosen = _sample(fold.train, cell.seed), _sample(fold.test, cell.seed)
    rows = np.sort(np.concatenate(chosen))
    for name in material.nuisance:
        labels = read_labels(table.column(name))
        if labels.task == "multilabel":
            continue
        codes = table.codes(name)
        own = _constant_in_groups(codes, material.groups.codes)
        train, test, units = _sides(material, rows, np.isin(rows, chosen[1]), own)
        if features is None:
            features = embed_rows(run.encoder(), run.preprocess, table.take(rows), material.store)
        try:
            probe = LinearProbe(c=(0.1,), alpha=(10.0,))
            result = run_probe(probe, features, labels.take(rows), units, train, test, seed=cell.seed)
        except DataError as error:
            found[name] = [HEADLINE[labels.task], None, error.message]
            continue
        headline = HEADLINE[labels.task]
        found[name] = [headline, result.scores.values.get(headline), "split within groups" if own else ""]
    return found


def _sides(
    material: Material, rows: NDArray[np.int64], held: NDArray[np.bool_], own: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]:
    if not own:
        return ~held, held, material.groups.codes[rows]
    finer = material.within or "sample"
    units = material.table.codes(finer)[rows]
    drawn = np.random.default_rng(0).permutation(units.max() + 1)[units] % 4 == 0
    return ~drawn & (units >= 0), drawn & (units >= 0), units


def _constant_in_groups(codes: NDArray[np.int64], groups: NDArray[np.int64]) -> bool:
    known = (codes >= 0) & (groups >= 0)
    pairs = np.unique(np.stack([groups[known], codes[known]]), axis=1)
    return bool(pairs.shape[1] == len(np.unique(groups[known])) and pairs.shape[1] > 1)


def _sample(side: NDArray[np.bool_], seed: int) -> NDArray[np.int64]:
    rows = np.flatnonzero(side)
    return rows if len(rows) <= _MOST else np.random.default_rng(seed).choice(rows, _MOST, replace=False)
