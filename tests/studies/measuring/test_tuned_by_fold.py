"""Folds that are columns: each fold trains with the grid point that its own training rows chose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import small_study
from ssl_domains.studies import StudyFile, plan_groups
from ssl_domains.studies.conducting.notes import notes
from ssl_domains.studies.design.cells import Cell, CellResult, CellScore, StoredCell, tuned_fold
from ssl_domains.studies.design.training import draw_of, prepare
from ssl_domains.studies.evidence.assemble import arm_results, scores_of
from ssl_domains.studies.evidence.result import ContrastSpec
from ssl_domains.studies.measuring import run as running

SLOW, FAST = {"train.lr": 1e-3}, {"train.lr": 1e-2}


@pytest.fixture
def material(pictures: Path, tmp_path: Path) -> Any:
    """Two folds of eight groups; the last group before each tested half lies in its gap, and two rows have no group."""
    table = small_study.make_table(pictures)
    scenes = table.column("scene").to_list()
    first = ["test" if scene < "g08" else None if scene == "g08" else "train" for scene in scenes]
    second = ["test" if scene >= "g08" else None if scene == "g07" else "train" for scene in scenes]
    table = table.with_columns(fold_1=first, fold_2=second, scene=[None, None, *scenes[2:]])
    groups = plan_groups(table, "scene", folds="fold_*", tuning=0.3)
    return small_study.make_material(pictures, tmp_path, table=table, groups=groups, fractions=(1.0,))


def test_each_fold_trains_with_its_own_point(material: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = small_study.make_plan(material, (), tuned_by_fold=True)
    plan = replace(plan, arms=tuple(arm for arm in plan.arms if arm.name in ("random", "simclr")))
    ran: list[Cell] = []

    def scored(_: Any, __: Any, shared: str, cell: Cell) -> CellResult:
        """The first fold does better with the fast rate, the second with the slow one."""
        ran.append(cell)
        better = FAST if cell.chooses and tuned_fold(cell.fold) == 0 else SLOW
        right = 5.0 if cell.point == better else 3.0
        groups = np.unique(material.groups.codes[material.groups.fold(cell.fold).test]).tolist()
        counts = [[right, 6 - right, 6 - right, right]] * len(groups)
        scores = [CellScore("linear", 1.0, 10, groups, {"balanced accuracy": counts})]
        return CellResult(cell.fingerprint(shared), scores)

    monkeypatch.setattr(running, "do_cell", scored)
    results, chosen = running.run_study(material, plan, "", jobs=1, say=lambda line: None)
    assert chosen == {"random": ({}, {}), "simclr": (FAST, SLOW)}
    assert sum(cell.chooses for cell in ran) == 4  # two points in each of two folds
    for (arm, fold, _), cells in results.items():
        assert all(cell.point == ({} if arm == "random" else (FAST, SLOW)[fold]) for cell, _ in cells)
    spec = ContrastSpec("simclr", "random", "linear", 1.0, "balanced accuracy")
    made = {one.name: one.chosen for one in arm_results(plan.arms, "kind", chosen, spec)}
    assert made == {"random": {}, "simclr": {"train.lr": "0.01 in 1 fold, 0.001 in 1 fold"}}
    choices = [cell for cell in ran if cell.chooses]
    stored = [StoredCell.of(cell, scored(None, None, "", cell)) for cell in choices]
    names = {int(code): material.groups.names[code] for code in material.groups.tested}
    assert scores_of(stored, ["random", "simclr"], plan.seeds, names) == ()


def test_rows_without_a_group_train_and_have_no_labels_drawn(material: Any) -> None:
    plan = small_study.make_plan(material, (), tuned_by_fold=True)
    simclr = next(arm for arm in plan.arms if arm.name == "simclr")
    cell = Cell(simclr, 1, 0, None, {}, 1)
    assert {0, 1} <= set(prepare(material, cell).rows.tolist())
    assert not draw_of(material, cell, 1.0).rows[:2].any()
    first = Cell(
        simclr, 0, 0, None, {}, 1
    )  # there these rows are marked as tested, and have no group to be tested with
    assert not material.groups.folds[0].test[:2].any()
    assert not {0, 1} & set(prepare(material, first).rows.tolist())


def test_the_page_says_that_each_fold_chose(material: Any) -> None:
    study = StudyFile.model_validate(
        {
            "name": "bars", "title": "Bars", "about": "Made up.", "samples": "none", "label": "kind", "group": "scene",
            "folds": "fold_*", "arms": {"near": {"rule": "same('place')"}}, "primary": {"arm": "near", "fraction": 1.0},
        }
    )  # fmt: skip
    said = " ".join(notes(study, material, small_study.make_plan(material, (), tuned_by_fold=True)))
    assert "In each fold, each arm chose among the same 2 grid points on groups that train in this fold" in said
    assert "never tested" not in said
