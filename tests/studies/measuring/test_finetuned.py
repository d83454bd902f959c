"""Fine-tuning as a probe of a study, and training from scratch beside it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import small_study
from small_labels import BarMasks
from ssl_domains.engine import Run
from ssl_domains.probes.overlap import POOLED
from ssl_domains.probes.scored_once import OVERLAP
from ssl_domains.stores import MaskStore
from ssl_domains.studies import Arm, Material, all_arms
from ssl_domains.studies.design.arms import EQUAL_EFFORT, EQUAL_STEPS
from ssl_domains.studies.design.cells import NOT_LEVELLED, TUNING, Cell, CellResult, CellScore, StoredCell
from ssl_domains.studies.design.entries import DenseEntry, FineTuneEntry
from ssl_domains.studies.design.measures import measure_named
from ssl_domains.studies.design.plan import StudyPlan
from ssl_domains.studies.design.training import draw_of
from ssl_domains.studies.evidence.assemble import contrasts
from ssl_domains.studies.evidence.levelling_notes import levelling_notes
from ssl_domains.studies.evidence.record import overlap_notes
from ssl_domains.studies.evidence.result import ArmResult, ContrastSpec
from ssl_domains.studies.measuring import finetuned
from ssl_domains.studies.measuring.finetuned import is_finetuned, training_config
from ssl_domains.studies.measuring.run import do_cell

NEAR = Arm("near", "same place", "rule", "same('place')", reads=frozenset({"place"}), finetuned=True)
STEPS, BATCH = 7, 8


@pytest.fixture(scope="module")
def study(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Material, StudyPlan]:
    settings = FineTuneEntry(fractions=[0.5], steps=STEPS, batch=BATCH)
    material = small_study.make_material(
        pictures, tmp_path_factory.mktemp("finetuned"), probes=("linear", "finetune"), finetune=settings, nuisance=(),
        handmade={},
    )  # fmt: skip
    arms = all_arms((NEAR,), {"near": True}, pretrained=False, floors={}, handmade=(), finetune=True)
    return material, small_study.make_plan(material, (), arms=arms, steps=5)


def cell_of(plan: StudyPlan, name: str, fold: int = 0) -> Cell:
    arm = next(one for one in plan.arms if one.name == name)
    return Cell(arm, fold, 0, None, {}, plan.steps)


def test_scratch_stands_beside_fine_tuned_arms(study: tuple[Material, StudyPlan]) -> None:
    material, plan = study
    assert [arm.name for arm in plan.arms] == [
        "random", EQUAL_STEPS, EQUAL_EFFORT, "supervised", "simclr", "near", "near, batches only", "near, shuffled",
    ]  # fmt: skip
    tuned = [arm.name for arm in plan.arms if is_finetuned(material, cell_of(plan, arm.name))]
    assert tuned == [EQUAL_STEPS, EQUAL_EFFORT, "simclr", "near"]
    assert not any(is_finetuned(material, cell_of(plan, name, TUNING)) for name in tuned)
    assert all(not plan.tuning(arm) for arm in plan.arms if arm.kind == "scratch")
    without = dataclasses.replace(material, probes=("linear",))
    assert not is_finetuned(without, cell_of(plan, "near"))


@pytest.fixture(scope="module")
def results(study: tuple[Material, StudyPlan]) -> dict[str, CellResult]:
    material, plan = study
    return {name: do_cell(material, plan, "", cell_of(plan, name)) for name in (EQUAL_STEPS, EQUAL_EFFORT, "near")}


def test_a_pre_trained_arm_is_probed_and_fine_tuned(
    study: tuple[Material, StudyPlan], results: dict[str, CellResult]
) -> None:
    material, plan = study
    scores = {(one.probe, one.fraction): one for one in results["near"].scores}
    assert set(scores) == {("linear", 0.5), ("linear", 1.0), ("finetune", 0.5)}
    one = scores["finetune", 0.5]
    assert one.labels == int(draw_of(material, cell_of(plan, "near"), 0.5).rows.sum())
    assert one.groups == scores["linear", 0.5].groups
    counts = np.array(one.sums["balanced accuracy"])
    assert counts.sum() == np.array(scores["linear", 0.5].sums["balanced accuracy"]).sum()
    assert NOT_LEVELLED not in one.note, "only a supervised control is judged by its loss"
    assert not list((material.out / cell_of(plan, "near").folder).glob("finetune*"))


def test_scratch_has_fine_tuning_alone(results: dict[str, CellResult]) -> None:
    for name in (EQUAL_STEPS, EQUAL_EFFORT):
        assert [(one.probe, one.fraction) for one in results[name].scores] == [("finetune", 0.5)]
        assert results[name].nuisance == {}
    assert NOT_LEVELLED in results[EQUAL_STEPS].scores[0].note, "seven updates are no fair control"


def test_equal_effort_has_the_views_of_pre_training_and_fine_tuning(
    study: tuple[Material, StudyPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    material, plan = study
    run = Run(material.out / "any")
    monkeypatch.setattr(Run, "config", material.config)
    views = 5 * material.config.train.batch_size * 2
    config = training_config(material, cell_of(plan, EQUAL_EFFORT), run, 40, masks=False)
    assert config.train.max_steps == STEPS + -(-views // BATCH)
    assert (config.train.batch_size, config.train.lr) == (BATCH, 1e-3)
    equal = training_config(material, cell_of(plan, EQUAL_STEPS), run, 40, masks=False)
    assert equal.train.max_steps == STEPS
    tuned = training_config(material, cell_of(plan, "near"), run, 40, masks=False)
    assert (tuned.train.max_steps, tuned.train.lr) == (STEPS, 3e-4)
    given = dataclasses.replace(material, finetune=FineTuneEntry(lr=0.01))
    assert training_config(given, cell_of(plan, "near"), run, 40, masks=False).train.lr == 0.01
    assert training_config(given, cell_of(plan, EQUAL_STEPS), run, 40, masks=False).train.lr == 1e-3
    headed = dataclasses.replace(material, finetune=FineTuneEntry(head_lr=0.02))
    for name, lr in (("near", 3e-4), (EQUAL_STEPS, 1e-3)):
        config = training_config(headed, cell_of(plan, name), run, 40, masks=False)
        assert (config.train.lr, config.method.model_dump()["head_lr"]) == (lr, 0.02)
    cell = cell_of(plan, "near")
    assert "head_start" not in training_config(material, cell, run, 40, masks=False).method.model_dump()
    fresh = dataclasses.replace(cell, arm=dataclasses.replace(cell.arm, fresh_head=True))
    assert training_config(material, fresh, run, 40, masks=False).method.model_dump()["head_start"] == "fresh"
    assert fresh.fingerprint("") != cell.fingerprint("")


def test_fine_tuning_starts_from_the_arm_and_scratch_from_random_weights(
    study: tuple[Material, StudyPlan], monkeypatch: pytest.MonkeyPatch
) -> None:
    material, plan = study
    starts: dict[str, Any] = {}

    def stop(config: Any, parts: Any, folder: Path) -> Any:
        starts[folder.parent.parent.name] = parts.start
        raise KeyboardInterrupt

    monkeypatch.setattr(finetuned, "resumed_or_new", stop)
    for name in (EQUAL_STEPS, "near"):
        cell = dataclasses.replace(cell_of(plan, name), seed=1)
        with pytest.raises(KeyboardInterrupt):
            do_cell(material, plan, "", cell)
    assert starts["scratch-equal-steps"] is None
    assert starts["near"] == material.out / "cells" / "near" / "fold0-seed1" / "run"


def test_masks_are_learnt_where_the_dense_probe_is(pictures: Path, tmp_path: Path) -> None:
    table = small_study.make_table(pictures).with_columns(mask_path=[str(pictures / "stack.npy")] * 96)
    material = small_study.make_material(
        pictures, tmp_path, table=table, masks=MaskStore.fill(tmp_path / "masks", table, BarMasks()), nuisance=(),
        probes=("dense", "finetune"), dense=DenseEntry(steps=5, lr=[0.03]), fractions=(1.0,), handmade={}, floors={},
        finetune=FineTuneEntry(steps=STEPS, batch=BATCH),
    )  # fmt: skip
    arms = all_arms((NEAR,), {"near": False}, pretrained=False, floors={}, handmade=(), finetune=True)
    plan = small_study.make_plan(material, (), arms=arms, steps=3)
    probes = {"near": ["dense", "finetune"], EQUAL_STEPS: ["finetune"]}
    for name, expected in probes.items():
        scores = do_cell(material, plan, "", cell_of(plan, name)).scores
        assert [one.probe for one in scores] == expected
        for one in scores:
            sums = np.array(one.sums["mean Dice"])
            assert sums.shape == (6, 4)
            assert ((sums[:, :2] >= 0) & (sums[:, :2] <= 1)).all()
            assert one.labels == int(material.groups.folds[0].train.sum())
            test = material.groups.folds[0].test
            pixels = np.array(one.sums["pixel accuracy"])
            groups = [material.groups.codes[test] == code for code in one.groups]
            assert pixels.sum(axis=1).tolist() == [int(rows.sum()) * small_study.SIZE**2 for rows in groups]
            counts = pixels.sum(axis=0).reshape(3, 3)
            value = measure_named("pixel accuracy").value(pixels.sum(axis=0))
            assert float(value) == pytest.approx(np.trace(counts) / counts.sum())
            assert all(one.sums[name] == one.sums["pixel accuracy"] for name in POOLED)
        assert not list((tmp_path / cell_of(plan, name).folder).glob("finetune*"))


def test_the_fine_tuned_arm_is_compared_with_scratch() -> None:
    kinds = {"random": "random", EQUAL_STEPS: "scratch", EQUAL_EFFORT: "scratch", "simclr": "simclr", "near": "rule"}
    arms = [ArmResult(name, "", kind) for name, kind in kinds.items()]  # type: ignore[arg-type]
    primary = ContrastSpec("near", "simclr", "linear", 1.0, "accuracy")
    found = contrasts(arms, (0.1, 1.0), primary, finetuned=[(0.1, "accuracy")])
    added = [spec for spec in found if spec.probe == "finetune"]
    assert [(spec.a, spec.b, spec.fraction) for spec in added] == [
        ("near", EQUAL_STEPS, 0.1), ("near", EQUAL_EFFORT, 0.1), ("near", "simclr", 0.1),
    ]  # fmt: skip


def test_arms_that_were_not_fine_tuned_are_not_compared_after_it_unless_one_asks() -> None:
    kinds = {"random": "random", EQUAL_STEPS: "scratch", "simclr": "simclr", "near": "rule", "far": "rule"}
    arms = [ArmResult(name, "", kind) for name, kind in kinds.items()]  # type: ignore[arg-type]
    primary = ContrastSpec("near", "simclr", "finetune", 1.0, "accuracy")
    asked = ContrastSpec("far", "near", "finetune", 1.0, "accuracy")
    tuned = {(name, 1.0) for name in (EQUAL_STEPS, "simclr", "near")}
    found = contrasts(arms, (0.1, 1.0), primary, [asked], [(1.0, "accuracy")], tuned)
    assert found == (ContrastSpec("near", EQUAL_STEPS, "finetune", 1.0, "accuracy"), asked)


def test_a_page_says_where_overlapping_samples_score_each_voxel_once() -> None:
    def cell(probe: str, note: str) -> StoredCell:
        return StoredCell(probe, "near", 0, 0, CellResult("", [CellScore(probe, 1.0, 3, [0], {}, {}, note)]))

    said = f"a note; {OVERLAP}: 12 %"
    (sentence,) = overlap_notes([cell("linear", "a note"), cell("finetune", said), cell("dense", said)])
    assert sentence.startswith("Test samples overlap: dense and finetune score each labelled voxel once")
    assert overlap_notes([cell("dense", "")]) == []


def test_arms_that_still_learn_are_remarked_on() -> None:
    def cell(arm: str, seed: int, note: str, fold: int = 0) -> StoredCell:
        score = CellScore("finetune", 0.1, 3, [0], {}, {}, note)
        return StoredCell(f"{arm}/{fold}-{seed}", arm, fold, seed, CellResult("", [score]))

    cells = [
        cell("near", 0, "a note"), cell("scratch", 0, f"one group; {NOT_LEVELLED}"), cell("scratch", 1, ""),
        cell("scratch", 2, NOT_LEVELLED, TUNING),
    ]  # fmt: skip
    assert levelling_notes(cells, ["near", "scratch"]) == [
        "The training loss of scratch (finetune, 0.1 of the labels) had not levelled in 1 of 2 trainings: it still "
        "learnt, and with more updates it might score better."
    ]
