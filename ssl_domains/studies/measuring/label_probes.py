"""Scores of the label column: probes of a cell's features, floors, and the predictions of the supervised arm."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine import Run
from ssl_domains.errors import DataError
from ssl_domains.evaluation.handmade import handmade_features
from ssl_domains.finetuning import FineTuned
from ssl_domains.probes import (
    KnnProbe,
    Labels,
    LinearProbe,
    Probe,
    TreeProbe,
    floor_features,
    run_probe,
    score,
    standardised_within,
)
from ssl_domains.probes.transcripts import Transcripts
from ssl_domains.samples import SampleTable
from ssl_domains.studies.design.cells import Cell, CellScore
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.measures import confusion_sums, of_class, ranking_sums, regression_sums
from ssl_domains.studies.design.requested import scored_rows
from ssl_domains.studies.design.study_file import standardised_name
from ssl_domains.studies.design.training import draw_of, fold_of
from ssl_domains.studies.measuring.features import features_of
from ssl_domains.studies.measuring.once import once
from ssl_domains.studies.measuring.supervised import levelling_remark
from ssl_domains.views import Canvas, ImagePreprocess, Preprocess, crop_of, fitted_preprocess

__all__ = ["TestRows", "label_scores"]


def label_scores(material: Material, cell: Cell, runs: Sequence[Run], fractions: Sequence[float]) -> list[CellScore]:
    """Scores of the label column at each fraction of labelled groups.

    Raises:
        DataError: When no test row of the fold is scored.
    """
    fold, labels = fold_of(material, cell), material.labels
    scored = scored_rows(material, cell.fold)
    rows = np.flatnonzero((fold.train & labels.known) | scored)
    part, kept = material.table.take(rows), labels.take(rows)
    codes, test = material.groups.codes[rows], scored[rows]
    scoring = TestRows.of(material, cell)
    if cell.arm.kind == "supervised":
        (run,) = runs
        assert cell.fraction is not None
        if isinstance(labels, Transcripts):
            from ssl_domains.studies.measuring.transcript_probes import PROBE, trained_score

            count = int(draw_of(material, cell, cell.fraction).rows.sum())
            return [trained_score(scoring, PROBE, cell.fraction, count, run, levelling_remark(run))]
        answers = FineTuned.open(run).answers(part.take(test), material.store)
        labelled = int(draw_of(material, cell, cell.fraction).rows.sum())
        return [scoring.score("linear", cell.fraction, labelled, answers, levelling_remark(run))]
    x, probes = _features(material, cell, runs, part, fold.train[rows])
    arms = [(probe.name, probe, x) for probe in probes]
    if material.standardise_by is not None and cell.arm.kind != "floor":
        within = standardised_within(x, part.codes(material.standardise_by))
        arms += [(standardised_name(probe.name), probe, within) for probe in probes]

    def scores_at(fraction: float, seed: int) -> list[CellScore]:
        draw, scores = draw_of(material, cell, fraction), []
        for name, probe, features in arms:
            result = run_probe(probe, features, kept, codes, draw.rows[rows], test, seed=seed)
            note = "; ".join(one for one in (draw.note, *result.notes) if one)
            scores.append(scoring.score(name, fraction, result.labels, result.answers, note))
        return scores

    scores = []
    for fraction in fractions:
        if not runs and fraction == 1.0:
            # Without an encoder and with every label, no seed changes anything but the probe's own.
            scores += once(material, (cell.arm.name, cell.fold), partial(scores_at, 1.0, 0))
        else:
            scores += scores_at(fraction, cell.seed)
    return scores


def _features(
    material: Material, cell: Cell, runs: Sequence[Run], part: SampleTable, train: NDArray[np.bool_]
) -> tuple[NDArray[Any], tuple[Probe, ...]]:
    name = cell.arm.name.partition(": ")[2]
    if cell.arm.kind == "floor":
        return floor_features(part, material.floors[name]), (TreeProbe(),)
    if cell.arm.kind == "handmade":

        def features() -> NDArray[Any]:
            crop = crop_of(material.recipe(part, material.config))
            return handmade_features(
                material.handmade[name], _preprocess(material, cell), part, material.store, crop=crop
            )  # fmt: skip

        return once(material, ("features", name, cell.fold), features), (LinearProbe(),)
    probes = tuple(probe for probe in (LinearProbe(), KnnProbe()) if probe.name in material.probes)
    return features_of(cell.arm, runs, part, material.store, train), probes


def _preprocess(material: Material, cell: Cell) -> Preprocess:
    """The preprocessing that a run on this fold would fit, for features without a run."""
    train = material.table.take(fold_of(material, cell).train)
    config, made = material.config, material.how_inputs_are_made(train)
    if made["preprocess"] is not None:
        return fitted_preprocess(made["preprocess"], train, material.store)
    scaling = made["scaling"].fit(train, material.store)
    return ImagePreprocess(scaling, Canvas(*config.views.square), config.encoder.in_chans or 1)


@dataclass(frozen=True)
class TestRows:
    """Scores predictions on the test rows of a cell.

    Attributes:
        material: What all cells share.
        part: The test rows.
        truth: Their labels.
        groups: Codes of their groups, ascending, ``[G]``.
        place: Index of each row's group in ``groups``, ``[n]``.
        rows: Which rows of the table of the study they are, bool.
    """

    material: Material
    part: SampleTable
    truth: Labels
    groups: NDArray[np.int64]
    place: NDArray[np.int64]
    rows: NDArray[np.bool_]

    @classmethod
    def of(cls, material: Material, cell: Cell) -> TestRows:
        """The test rows of a cell on which every arm is scored.

        Raises:
            DataError: When there is none.
        """
        scored = scored_rows(material, cell.fold)
        rows = np.flatnonzero(scored)
        if not len(rows):
            raise DataError(f"fold {cell.fold} has no labelled test row", "probe a column that more rows have")
        groups, place = np.unique(material.groups.codes[rows], return_inverse=True)
        return cls(material, material.table.take(rows), material.labels.take(rows), groups, place, scored)

    def score(
        self, probe: str, fraction: float, labelled: int, answers: NDArray[np.float64], note: str = ""
    ) -> CellScore:
        """Sums of the measures for each group, and scores of the whole fold that can't be summed, such as AUROC."""
        truth = self.truth
        values: dict[str, float | None] = {}
        if truth.task == "classification":
            guess = answers.argmax(1)
            sums = confusion_sums(truth.y, guess, self.place, len(self.groups), len(truth.classes))
            names: tuple[str, ...] = ("balanced accuracy", "macro-F1", "accuracy")
            values["AUROC"] = score(truth, answers).values.get("AUROC")
            values |= self._by_bin(guess == truth.y)
        elif truth.task == "multilabel":
            tables = ranking_sums(truth.membership(), answers, self.place, len(self.groups))
            by_class = {of_class(name): tables[:, code].tolist() for code, name in enumerate(truth.classes)}
            return CellScore(probe, fraction, labelled, self.groups.tolist(), by_class, values, note)
        else:
            sums = regression_sums(truth.y, answers, self.place, len(self.groups), self.material.label_centre)
            names = ("R²",)
        by_measure = dict.fromkeys(names, sums.tolist())
        return CellScore(probe, fraction, labelled, self.groups.tolist(), by_measure, values, note)

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
