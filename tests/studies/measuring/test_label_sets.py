"""A label column of lists: average precision of each class and of all, by group, from cell to score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

import small_study
from ssl_domains.probes import read_labels
from ssl_domains.studies import Arm, StudyFile
from ssl_domains.studies.conducting.notes import notes
from ssl_domains.studies.design.cells import Cell, CellResult, StoredCell
from ssl_domains.studies.design.measures import AVERAGE_PRECISION
from ssl_domains.studies.evidence.assemble import scores_of
from ssl_domains.studies.evidence.estimate import score_of
from ssl_domains.studies.measuring import label_probes
from ssl_domains.studies.measuring.measure import measure_cell
from ssl_domains.studies.measuring.run import headline

FLOOR = Arm("floor: hint", "", "floor")


@pytest.fixture
def material(pictures: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Bars along are ``long``, and the light of a row decides about ``bright``."""
    table = small_study.make_table(pictures)
    light = table.numbers("light")
    kinds = table.column("kind").to_list()
    sets = [
        ["long"] * int(kind == "along") + ["bright"] * int(value > 30) for kind, value in zip(kinds, light, strict=True)
    ]
    table = table.with_columns(sets=sets, hint=light + np.random.default_rng(0).normal(0, 20, len(table)))
    return small_study.make_material(
        pictures, tmp_path, table=table, labels=read_labels(table.column("sets")), label="sets",
        floors={"hint": ("hint",)}, primary_measure=AVERAGE_PRECISION, fractions=(1.0,),
    )  # fmt: skip


def test_a_cell_holds_the_counts_of_each_class(material) -> None:  # type: ignore[no-untyped-def]
    cell = Cell(FLOOR, 0, 0, None, {}, 1)
    (score,) = measure_cell(material, cell, None, (1.0,))
    assert list(score.sums) == ["average precision of bright", "average precision of long"]
    held = label_probes.TestRows.of(material, cell)
    for code, name in enumerate(("bright", "long")):
        counts = np.array(score.sums[f"average precision of {name}"])
        assert counts.sum() == len(held.part)
        assert counts.reshape(len(held.groups), 2, -1)[:, 1].sum() == held.truth.y[:, code].sum()


def test_scores_over_folds_are_those_of_all_rows_ranked_together(material) -> None:  # type: ignore[no-untyped-def]
    rng, stored, truths, answers = np.random.default_rng(1), [], [], []
    for fold in (0, 1):
        cell = Cell(FLOOR, fold, 0, None, {}, 1)
        held = label_probes.TestRows.of(material, cell)
        guess = 1 / (1 + np.exp(-(2 * held.truth.y - 1 + rng.normal(size=held.truth.y.shape))))
        result = CellResult("", [held.score("trees", 1.0, 10, guess)])
        stored.append(StoredCell.of(cell, result))
        truths.append(held.truth.y)
        answers.append(guess)
        exact = average_precision_score(held.truth.y > 0.5, guess, average="macro")
        assert headline(material, result) == pytest.approx(exact, abs=0.02)
    names = {int(code): material.groups.names[code] for code in material.groups.tested}
    (score,) = scores_of(stored, [FLOOR.name], (0,), names)
    assert list(score.evidence) == [
        "average precision", "average precision of bright", "average precision of long"
    ]  # fmt: skip
    truth, answer = np.concatenate(truths) > 0.5, np.concatenate(answers)
    for code, name in enumerate(("bright", "long")):
        found = score_of(score.evidence[f"average precision of {name}"])
        assert found == pytest.approx(average_precision_score(truth[:, code], answer[:, code]), abs=0.02)
    assert score_of(score.evidence["average precision"]) == pytest.approx(
        average_precision_score(truth, answer, average="macro"), abs=0.02
    )
    assert score.evidence["average precision"].groups == tuple(names.values())


def test_the_page_says_what_a_guess_reaches(material) -> None:  # type: ignore[no-untyped-def]
    tested = np.any([fold.test for fold in material.groups.folds], axis=0)
    bright, long = material.labels.y[tested].mean(axis=0)
    study = StudyFile.model_validate(
        {
            "name": "bars", "title": "Bars", "about": "Made up.", "samples": "none", "label": "sets", "group": "scene",
            "arms": {"near": {"rule": "same('place')"}}, "primary": {"arm": "near", "fraction": 1.0},
        }
    )  # fmt: skip
    said = " ".join(notes(study, material, small_study.make_plan(material, ())))
    assert f"bright {bright:.3f}, long {long:.3f}; {(bright + long) / 2:.3f} on average" in said
