"""From a study file to its pages."""

from __future__ import annotations

import dataclasses
import fcntl
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import small_study
from ssl_domains.errors import DataError, UsageError
from ssl_domains.studies import Arm, StudyFile, all_arms, conduct, read_study_result
from ssl_domains.studies.conducting.notes import notes as notes_of
from ssl_domains.studies.design.cells import Cell
from ssl_domains.studies.measuring.measure import measure_cell

NEAR = Arm("near", "same place", "rule", "same('place')", reads=frozenset({"place"}))


def study_file(**changes: Any) -> StudyFile:
    values: dict[str, Any] = {
        "name": "bars",
        "title": "Bars",
        "about": "Made up.",
        "samples": "none",
        "label": "kind",
        "group": "scene",
        "folds": 2,
        "seeds": 1,
        "fractions": [1.0],
        "arms": {"near": {"rule": "same('place')"}},
        "primary": {"arm": "near", "fraction": 1.0},
    }
    return StudyFile.model_validate({**values, **changes})


def arms_of(material: Any, named: tuple[Arm, ...] = (NEAR,)) -> tuple[Arm, ...]:
    return all_arms(
        named,
        {arm.name: True for arm in named},
        pretrained=False,
        floors=material.floors,
        handmade=tuple(material.handmade),
    )


def conducted(material: Any, study: StudyFile, lines: list[str], **options: Any) -> Any:
    values: dict[str, Any] = {"command": "ssl-domains x study", "jobs": 1, "say": lines.append}
    return conduct(study, material, options.pop("arms", None) or arms_of(material), **{**values, **options})


def test_a_study_leaves_its_numbers_report_and_page(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path, fractions=(1.0,))
    lines: list[str] = []
    done = conducted(material, study_file(), lines)
    assert "about " in lines[0]
    assert "12 groups of 'scene' in 2 folds" in lines[0]
    assert lines[1].startswith("[1/")
    assert read_study_result(tmp_path / "results.json").to_dict() == done.result.to_dict()
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    for arm in done.result.arms:
        assert arm.name in report
    page = (tmp_path / "page" / "bars.md").read_text(encoding="utf-8")
    assert "ssl-domains x study" in page
    assert {(row.column, row.role) for row in done.result.information} >= {("kind", "label"), ("site", "nuisance")}
    asked = {(spec.a, spec.b) for spec in done.result.secondary}
    assert asked == {
        ("near", "random"), ("near", "supervised"), ("near", "near, batches only"), ("near", "near, shuffled")
    }  # fmt: skip

    # The primary contrast can be changed afterwards, but not unseen.
    changed = study_file(primary={"arm": "near", "against": "random", "fraction": 1.0})
    again = conducted(material, changed, [])
    assert any("was changed after results existed" in note for note in again.result.notes)
    assert not any("was changed" in note for note in done.result.notes)


def test_an_estimate_trains_nothing(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path)
    lines: list[str] = []
    done = conducted(material, study_file(), lines, estimate_only=True)
    assert done.result is None
    assert done.estimated > 0
    assert not (tmp_path / "cells").exists()


def test_pairs_are_refused_before_anything_is_trained(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path)
    lonely = Arm("near", "", "rule", "same('index')", reads=frozenset({"index"}))
    with pytest.raises(DataError, match="near: column 'index' is all unique"):
        conducted(material, study_file(), [], arms=arms_of(material, (lonely,)))
    assert not (tmp_path / "cells").exists()


def test_a_rule_that_equals_simclr_in_practice_is_refused_unless_the_study_wants_it(
    pictures: Path, tmp_path: Path
) -> None:
    material = small_study.make_material(pictures, tmp_path)
    train = np.flatnonzero(material.groups.folds[0].train)
    values = np.arange(len(material.table)).astype(str).astype(object)
    values[train[:2]] = "both"
    table = material.table.with_columns(rare=values.tolist())
    config = material.config.with_values({"pairs.composition": "random", "train.batch_size": len(train)})
    material = dataclasses.replace(material, table=table, config=config)
    rare = Arm("near", "", "rule", "same('rare')", reads=frozenset({"rare"}))
    with pytest.raises(DataError, match=r"near: 9.* of all anchors have no positive of another sample") as caught:
        conducted(material, study_file(), [], arms=arms_of(material, (rare,)))
    assert "pairs.anyway = true" in caught.value.hint
    assert not (tmp_path / "cells").exists()
    wanted = dataclasses.replace(rare, config={"pairs.anyway": True})
    lines: list[str] = []
    conducted(material, study_file(), lines, arms=arms_of(material, (wanted,)), estimate_only=True)


def test_unknown_arms_are_said(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path)
    with pytest.raises(UsageError, match="there is no arm 'naer'"):
        conducted(material, study_file(), [], only=["naer"])
    with pytest.raises(UsageError, match="there is no arm 'simlcr' to compare with"):
        conducted(material, study_file(primary={"arm": "near", "against": "simlcr", "fraction": 1.0}), [])


def test_one_arm_alone_writes_no_result(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path)
    done = conducted(material, study_file(), [], only=["floor: noise"])
    assert done.result is None
    assert (tmp_path / "cells" / "floor-noise").is_dir()
    assert not (tmp_path / "results.json").exists()


def test_a_folder_is_one_study_at_a_time(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path)
    with open(tmp_path / ".lock", "w") as held:  # as another process would hold it
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write("4711")
        held.flush()
        with pytest.raises(UsageError, match="is being run by process 4711"):
            conducted(material, study_file(), [], only=["floor: noise"])
    assert conducted(material, study_file(), [], only=["floor: noise"]).result is None


def test_only_rows_that_a_floor_does_not_predict_are_scored(pictures: Path, tmp_path: Path) -> None:
    table = small_study.make_table(pictures)
    known = np.arange(len(table)) % 3 == 0  # a column that gives a third of the labels away
    hint = np.where(known, table.codes("kind"), -1).astype(float)
    material = small_study.make_material(
        pictures, tmp_path, table=table.with_columns(hint=hint), floors={"hint": ("hint",)}, unsure=("hint", 0.9)
    )
    floor = Arm("floor: hint", "", "floor")
    found = measure_cell(material, Cell(floor, 0, 0, None, {}, 1), None, (1.0,))
    scored = int(np.array(found[0].sums["accuracy"]).sum())
    test = material.groups.folds[0].test
    assert scored == int((test & ~known).sum())
    total, left = (sum(int((fold.test & rows).sum()) for fold in material.groups.folds) for rows in (True, ~known))
    plan = small_study.make_plan(material, ())
    notes = notes_of(study_file(), material, plan)
    assert any(f"only on the {left} of {total} labelled test rows" in note for note in notes)


def test_what_no_seed_changes_is_measured_once(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    material = small_study.make_material(pictures, tmp_path)
    from ssl_domains.studies.measuring import label_probes

    probed, computed = [], []
    run_probe, features = label_probes.run_probe, label_probes.handmade_features
    monkeypatch.setattr(label_probes, "run_probe", lambda *a, **k: probed.append(k["seed"]) or run_probe(*a, **k))
    monkeypatch.setattr(label_probes, "handmade_features", lambda *a, **k: computed.append(1) or features(*a, **k))
    for name, kind in (("floor: noise", "floor"), ("features: mean", "handmade")):
        probed.clear()
        scores = [
            measure_cell(material, Cell(Arm(name, "", kind), 0, seed, None, {}, 1), None, (0.5, 1.0))
            for seed in (0, 1, 2)
        ]
        assert probed == [0, 0, 1, 2], "all labels once, each draw of a half by its own"
        assert [one.fraction for one in scores[1]] == [0.5, 1.0]
        assert scores[0][1] == scores[1][1] == scores[2][1]
    assert computed == [1]


def test_batches_that_are_uniform_anyway_are_said(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path)
    for composition, said in ("random", True), ("groups", False):
        arm = Arm("near, batches only", "", "composed", of="near", config={"pairs.composition": composition})
        plan = small_study.make_plan(material, ())
        notes = notes_of(study_file(), material, dataclasses.replace(plan, arms=(*plan.arms, arm)))
        assert any("near, batches only is the same training as SimCLR" in note for note in notes) == said


def test_accuracy_by_bins_adds_up(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path, breakdown=("light", (0.0, 20.0, 40.0, 60.0)))
    floor = Arm("floor: noise", "", "floor")
    score = measure_cell(material, Cell(floor, 0, 0, None, {}, 1), None, (1.0,))[0]
    light = material.table.numbers("light")[material.groups.folds[0].test]
    bins = np.digitize(light, [20.0, 40.0])
    shares = [score.values[f"accuracy, light {low} to {low + 20}"] for low in (0, 20, 40)]
    right = sum((share or 0.0) * (bins == k).sum() for k, share in enumerate(shares))
    counts = np.array(score.sums["accuracy"]).sum(0)
    assert right == pytest.approx(counts[0] + counts[3])
    assert json.dumps(score.values)
