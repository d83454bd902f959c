"""Probes on features that are standardised within the groups of a column."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import small_study
from ssl_domains.probes import LinearProbe, TreeProbe, run_probe
from ssl_domains.studies import Arm
from ssl_domains.studies.design.cells import Cell
from ssl_domains.studies.design.training import draw_of, fold_of
from ssl_domains.studies.measuring import label_probes
from ssl_domains.studies.measuring.measure import measure_cell


def test_scores_are_those_of_features_standardised_by_hand(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path, standardise_by="scene", fractions=(1.0,))
    cell = Cell(Arm("handmade: mean", "", "handmade"), 0, 0, None, {}, 1)
    scores = {score.probe: score for score in measure_cell(material, cell, (), (1.0,))}
    assert list(scores) == ["linear", "linear, standardised"]

    fold = fold_of(material, cell)
    rows = np.flatnonzero(fold.train | fold.test)
    part = material.table.take(rows)
    x = label_probes._features(material, cell, (), part, fold.train[rows])[0].astype(np.float64)
    scenes = part.frame["scene"].to_numpy()
    for scene in set(scenes):
        of = scenes == scene
        x[of] = (x[of] - x[of].mean(axis=0)) / x[of].std(axis=0)
    draw = draw_of(material, cell, 1.0)
    expected = run_probe(
        LinearProbe(), x, material.labels.take(rows), material.groups.codes[rows], draw.rows[rows], fold.test[rows]
    )
    scoring = label_probes.TestRows.of(material, cell)
    by_hand = scoring.score("linear, standardised", 1.0, expected.labels, expected.answers)
    assert scores["linear, standardised"].sums == by_hand.sums
    assert scores["linear"].sums != by_hand.sums


def test_a_floor_of_columns_stays_as_it_is(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path, standardise_by="scene", fractions=(1.0,))
    cell = Cell(Arm("floor: noise", "", "floor"), 0, 0, None, {}, 1)
    (score,) = measure_cell(material, cell, (), (1.0,))
    assert score.probe == TreeProbe().name
