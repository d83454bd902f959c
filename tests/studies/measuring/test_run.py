"""Cells: what they train on, what they keep, how a study stops and goes on."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import endless_study
import small_study
from ssl_domains.engine import Run, pretrain
from ssl_domains.errors import DataError
from ssl_domains.evaluation import embed_rows
from ssl_domains.probes import LinearProbe, label_draws, run_probe
from ssl_domains.studies import Arm, Material
from ssl_domains.studies.design.cells import TUNING, TUNING_SEED, Cell, StoredCell
from ssl_domains.studies.design.measures import BALANCED_ACCURACY
from ssl_domains.studies.design.plan import StudyPlan, pin_composition
from ssl_domains.studies.design.training import fold_of, prepare, train
from ssl_domains.studies.evidence.assemble import nuisance_rows, scores_of
from ssl_domains.studies.measuring import run as running
from ssl_domains.studies.measuring.run import do_cell, run_study

NEAR = Arm("near", "same place", "rule", "same('place')", reads=frozenset({"place"}))
KIND = Arm("kind", "same kind", "rule", "same('kind')", reads=frozenset({"kind"}))


def finished(results: Any) -> list[StoredCell]:
    return [StoredCell.of(cell, result) for cells in results.values() for cell, result in cells]


def evidence_of(material: Material, plan: StudyPlan, results: Any) -> tuple[Any, ...]:
    """Arguments of `scores_of`."""
    groups = {int(code): material.groups.names[code] for code in material.groups.tested}
    return finished(results), [arm.name for arm in plan.arms], plan.seeds, groups


@pytest.fixture(scope="module")
def whole(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A study that ran to its end: material, plan, results, chosen points, lines."""
    material = small_study.make_material(pictures, tmp_path_factory.mktemp("whole"))
    plan = small_study.make_plan(material, (NEAR, KIND))
    lines: list[str] = []
    results, chosen = run_study(material, plan, "", jobs=1, say=lines.append)
    return material, plan, results, chosen, lines


def test_the_table_has_every_standing_arm_control_and_floor(whole: Any) -> None:
    _, plan, *_ = whole
    assert [arm.name for arm in plan.arms] == [
        "random", "supervised", "simclr", "near", "near, batches only", "near, shuffled", "kind",
        "floor: noise", "features: mean",
    ]  # fmt: skip
    assert [arm.name for arm in plan.arms if arm.reads_label("kind")] == ["supervised", "kind"]


def test_every_cell_ran_and_was_counted(whole: Any) -> None:
    _, plan, results, _, lines = whole
    assert len(lines) == plan.count()
    assert lines[-1].startswith(f"[{plan.count()}/{plan.count()}] ")
    assert set(results) == {(arm.name, fold, seed) for arm, fold, seed in plan.places()}


def test_evidence_has_every_tested_group_once_and_equals_a_probe_by_hand(whole: Any) -> None:
    material, plan, results, *_ = whole
    scores = {
        (score.arm, score.probe, score.fraction): score for score in scores_of(*evidence_of(material, plan, results))
    }
    evidence = scores["simclr", "linear", 0.5].evidence["balanced accuracy"]
    assert evidence.groups == tuple(material.groups.names[code] for code in material.groups.tested)
    assert evidence.sums.shape == (2, 12, 4)
    assert evidence.sums.sum() == 2 * 12 * 6  # every row of every tested group, once a seed

    # By hand, without anything of `studies` but the folds: train, embed, probe, count.
    ((cell, _),) = results["simclr", 1, 1]
    prepared = prepare(material, cell)
    from ssl_domains.engine import Parts
    from ssl_domains.pairs import Composition, parse

    table = material.table.take(np.flatnonzero(material.groups.folds[1].train))
    parts = Parts(
        table, material.store, parse("none"), Composition("random"), material.recipe(table, prepared.config),
        material.scaling(table), material.method,
    )  # fmt: skip
    import torch

    torch.set_num_threads(1)
    run = pretrain(prepared.config, parts, material.out / "by-hand")
    x = embed_rows(run.encoder(), run.preprocess, material.table, material.store)
    fold, codes = material.groups.folds[1], material.groups.codes
    draw = label_draws(material.labels, codes, fold.train, [0.5], 1)[0]
    answer = run_probe(LinearProbe(), x, material.labels, codes, draw.rows, fold.test, seed=1).answers.argmax(1)
    truth, groups = material.labels.y[fold.test], codes[fold.test]
    for group in np.unique(groups):
        mine = groups == group
        counts = [[int(((truth == t) & (answer == a) & mine).sum()) for a in (0, 1)] for t in (0, 1)]
        place = evidence.groups.index(material.groups.names[group])
        assert evidence.sums[1, place].tolist() == np.ravel(counts).tolist()


def test_labels_outside_the_draw_are_hidden_from_whoever_reads_them(whole: Any) -> None:
    material, plan, *_ = whole
    arm = next(one for one in plan.arms if one.name == "kind")
    half, full = plan.cells(arm, 0, 0, {})
    assert (half.fraction, full.fraction) == (0.5, 1.0)
    draw = label_draws(material.labels, material.groups.codes, material.groups.folds[0].train, [0.5], 0)[0]
    table = prepare(material, half).table
    shown = set(table.frame.filter(table.frame["kind"].is_not_null())["sample"])
    assert shown == set(material.table.frame["sample"].filter(draw.rows.tolist()))
    assert prepare(material, full).table.frame["kind"].null_count() == 0
    supervised = plan.cells(next(one for one in plan.arms if one.kind == "supervised"), 0, 0, {})[0]
    assert set(prepare(material, supervised).table.frame["sample"]) == shown


def test_no_cell_trains_on_a_row_it_is_tested_on(whole: Any) -> None:
    material, plan, *_ = whole
    for arm, fold, seed in plan.places():
        for cell in [*plan.cells(arm, fold, seed, {}), *plan.tuning(arm)]:
            assert not fold_of(material, cell).test[prepare(material, cell).rows].any()


def test_every_trained_arm_has_the_same_number_of_updates(whole: Any) -> None:
    material, plan, results, *_ = whole
    done = set()
    for arm in plan.arms:
        if arm.trained:
            for cell, _ in results[arm.name, 0, 0]:
                run = Run.open(material.out / cell.folder / "run")
                done.add(run.metrics()[-1]["step"])
    assert done == {plan.steps}


def test_points_are_chosen_on_tuning_groups_by_their_score(whole: Any) -> None:
    material, plan, _, chosen, _ = whole
    for arm in plan.arms:
        cells = plan.tuning(arm)
        assert bool(cells) == arm.trained
        scores = []
        for cell in cells:
            assert (cell.fold, cell.seed) == (TUNING, TUNING_SEED)
            kept = json.loads((material.out / cell.folder / "result.json").read_text())
            best = max((s for s in kept["scores"] if s["probe"] == "linear"), key=lambda s: s["fraction"])
            scores.append(float(BALANCED_ACCURACY.value(np.array(best["sums"]["balanced accuracy"]).sum(0))))
        if cells:
            assert chosen[arm.name] == (plan.grid[int(np.argmax(scores))],) * plan.folds


def test_controls_get_the_composition_of_their_rule(whole: Any) -> None:
    material, *_ = whole
    pinned = pin_composition(material, NEAR)
    assert pinned.config["pairs.composition"] in ("random", "groups")
    plan = small_study.make_plan(material, (pinned,))
    kinds = {arm.name: prepare(material, plan.cells(arm, 0, 0, {})[0]).config.pairs for arm in plan.arms[:6]}
    assert kinds["near, batches only"].composition == kinds["near"].composition
    assert kinds["near, batches only"].relations == "none"
    assert kinds["near, shuffled"].composition == kinds["near"].composition
    assert kinds["near, shuffled"].shuffle_metadata == 0
    assert kinds["simclr"].composition == "random"


def test_nuisances_are_probed_and_those_of_the_group_within_groups(whole: Any) -> None:
    _, plan, results, *_ = whole
    rows = {(row.arm, row.column): row for row in nuisance_rows(finished(results), [arm.name for arm in plan.arms])}
    assert ("simclr", "site (split within groups)") in rows
    assert ("random", "light (split within groups)") in rows
    assert not any(arm.startswith(("floor", "features")) for arm, _ in rows)


def test_what_is_done_is_not_done_again_unless_something_changed(whole: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    material, plan, results, *_ = whole

    def refuse(*_: Any) -> Any:
        raise AssertionError("a cell was done again")

    monkeypatch.setattr(running, "do_cell", refuse)
    again, _ = run_study(material, plan, "", jobs=1, say=print)
    assert again == results
    with pytest.raises(AssertionError, match="done again"):
        run_study(material, plan, "other rows", jobs=1, say=print)
    with pytest.raises(AssertionError, match="done again"):
        run_study(material, dataclasses.replace(plan, steps=plan.steps + 1), "", jobs=1, say=print)


def test_processes_give_the_same_numbers(whole: Any, tmp_path: Path) -> None:
    material, plan, results, *_ = whole
    few = dataclasses.replace(plan, seeds=(0,), arms=tuple(a for a in plan.arms if a.name in ("random", "near")))
    other = dataclasses.replace(material, out=tmp_path)
    found, _ = run_study(other, few, "", jobs=2, say=lambda line: None)
    for place, cells in found.items():
        for (_, mine), (_, theirs) in zip(cells, results[place], strict=True):
            assert mine.scores == theirs.scores


def test_a_stopped_cell_goes_on_from_its_checkpoint(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    material: Material = small_study.make_material(pictures, tmp_path / "a")
    plan: StudyPlan = small_study.make_plan(material, (NEAR,), steps=6)
    cell = Cell(plan.arms[3], 0, 0, None, {"train.checkpoint_every_steps": 2}, 6)
    straight = do_cell(dataclasses.replace(material, out=tmp_path / "b"), plan, "", cell)

    from ssl_domains.engine.step.step import TrainingStep

    step = TrainingStep.__call__

    def stop(self: Any, batch: Any, number: int, *rest: Any) -> Any:
        if number == 5:
            raise KeyboardInterrupt
        return step(self, batch, number, *rest)

    monkeypatch.setattr(TrainingStep, "__call__", stop)
    with pytest.raises(KeyboardInterrupt):
        do_cell(material, plan, "", cell)
    monkeypatch.setattr(TrainingStep, "__call__", step)
    assert Run(material.out / cell.folder / "run").step == 4
    assert do_cell(material, plan, "", cell).scores == straight.scores
    assert not (material.out / cell.folder / "run" / "checkpoints").exists()  # measured, so no longer needed


def test_only_a_checkpoint_of_another_configuration_is_trained_anew(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path)
    plan = small_study.make_plan(material, (NEAR,), steps=4)
    cell = Cell(plan.arms[3], 0, 0, None, {"train.checkpoint_every_steps": 2}, 4)
    run = train(material, cell)
    other = dataclasses.replace(cell, point={"train.checkpoint_every_steps": 2, "train.lr": 0.5})
    folder = material.out / other.folder / "run"
    assert folder == run.folder
    assert train(material, other).config.train.lr == 0.5
    newest = Run(folder).checkpoints.paths()[-1]
    newest.write_bytes(newest.read_bytes()[:100])
    with pytest.raises(DataError, match=r"\(fold 0, seed 0\): the checkpoint .* can't be read") as caught:
        train(material, other)
    assert str(folder) in caught.value.hint
    assert newest.stat().st_size == 100, "it is reported, not deleted"
    assert (folder / "config.toml").is_file()


def test_an_error_names_its_cell(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path)
    plan = small_study.make_plan(material, (NEAR,))
    lonely = Arm("lonely", "", "rule", "same('index')", reads=frozenset({"index"}))
    cell = Cell(lonely, 1, 1, None, {}, plan.steps)
    with pytest.raises(DataError, match=r"lonely \(fold 1, seed 1\): column 'index' is all unique"):
        train(material, cell)


def test_hidden_labels_do_not_refuse_an_arm_that_reads_them(pictures: Path, tmp_path: Path) -> None:
    """With few labels nearly all rows have only their own views as positives, which is the point of such an arm."""
    material = small_study.make_material(pictures, tmp_path)
    plan = small_study.make_plan(material, (KIND,))
    assert prepare(material, Cell(KIND, 0, 0, 0.1, {}, plan.steps)).config.pairs.anyway
    assert not prepare(material, Cell(NEAR, 0, 0, None, {}, plan.steps)).config.pairs.anyway


def test_columns_of_another_table_replace_those_the_rule_reads(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path)
    shifted = material.table.with_columns(place=material.table.frame["place"] + 7)
    shuffled = shifted.take(np.random.default_rng(0).permutation(len(shifted)))
    material = dataclasses.replace(material, columns={"other.parquet": shuffled})
    arm = dataclasses.replace(NEAR, columns="other.parquet")
    cell = Cell(arm, 0, 0, None, {}, 3)
    before = material.table.take(fold_of(material, cell).train).frame["place"]
    assert (prepare(material, cell).table.frame["place"] == before + 7).all()


def test_transductive_trains_every_arm_on_the_test_groups_too(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path, transductive=True)
    plan = small_study.make_plan(material, (NEAR,))
    for arm in plan.arms[2:6]:
        rows = prepare(material, plan.cells(arm, 0, 0, {})[0]).rows
        assert len(rows) == len(material.table)


_KILLED = """
import sys
from pathlib import Path
sys.path.append({folder!r})
import small_study
from ssl_domains.studies import Arm
from ssl_domains.studies.measuring.run import run_study

material = small_study.make_material(Path({pictures!r}), Path({out!r}))
near = Arm("near", "same place", "rule", "same('place')", reads=frozenset(["place"]))
plan = small_study.make_plan(material, (near,))
run_study(material, plan, "", jobs=2, say=lambda line: print(line, flush=True))
"""


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks processes up in /proc")
def test_a_killed_study_takes_its_processes_along(pictures: Path, tmp_path: Path) -> None:
    code = _KILLED.format(folder=str(Path(small_study.__file__).parent), pictures=str(pictures), out=str(tmp_path))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as study:
        assert study.stdout is not None
        assert study.stdout.readline().startswith(b"[1/")
        workers = [int(one) for one in Path(f"/proc/{study.pid}/task/{study.pid}/children").read_text().split()]
        assert len(workers) >= 2
        study.kill()
    deadline = time.monotonic() + 30
    while any(map(is_alive, workers)):
        assert time.monotonic() < deadline, "processes went on without their study"
        time.sleep(0.1)


@pytest.mark.slow
def test_a_study_that_is_asked_to_stop_begins_no_further_cell(pictures: Path, tmp_path: Path) -> None:
    """The signal reaches the main process alone; its workers hear of it while they prepare a training or train."""
    command = [sys.executable, endless_study.__file__, str(pictures), str(tmp_path)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment, start_new_session=True, **pipes) as study:
        watchdog = threading.Timer(400, os.killpg, (study.pid, signal.SIGKILL))
        watchdog.start()
        workers = set()
        while len(workers) < 2:
            line = study.stdout.readline()
            assert line.endswith(" begins a cell\n")
            workers.add(line.split()[0])
        study.terminate()
        rest, said = study.communicate()  # ends when the workers, which print there too, have ended
        watchdog.cancel()
    assert study.returncode == 130, said
    assert "error: interrupted" in said
    assert len(list(tmp_path.glob("cells/**/config.toml"))) <= 2, rest
    assert {line.split()[0] for line in rest.splitlines()} <= workers


def test_members_are_trained_apart_and_their_features_stand_side_by_side(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path, fractions=(1.0,))
    twice = Arm("twice", "two trainings", "simclr", config={"pairs.composition": "random"}, members=2)
    cell = Cell(twice, 0, 3, None, {}, 2)
    result = do_cell(material, small_study.make_plan(material, (twice,)), "", cell)
    runs = [Run(tmp_path / cell.folder / name) for name in ("run", "run1")]
    assert [run.config.train.seed for run in runs] == [3, 1_000_003]
    assert not any(run.checkpoints.paths() for run in runs)  # weights are deleted after measuring

    def features(seed: int) -> Any:
        alone = dataclasses.replace(cell, arm=dataclasses.replace(twice, members=1), seed=seed)
        run = train(dataclasses.replace(material, out=tmp_path / "alone"), alone)
        return embed_rows(run.encoder(), run.preprocess, material.table, material.store)

    x = np.concatenate([features(3), features(1_000_003)], axis=1)
    fold, codes = material.groups.folds[0], material.groups.codes
    draw = label_draws(material.labels, codes, fold.train, [1.0], 3)[0]
    answers = run_probe(LinearProbe(), x, material.labels, codes, draw.rows, fold.test, seed=3).answers.argmax(1)
    right = int((answers == material.labels.y[fold.test]).sum())
    counts = np.array(result.scores[0].sums["balanced accuracy"]).sum(0)
    assert int(counts[0] + counts[3]) == right


def test_features_are_probed_standardised_too(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path, fractions=(1.0,), standardise_by="scene")
    plan = small_study.make_plan(material, ())
    random, floor = (next(arm for arm in plan.arms if arm.name == name) for name in ("random", "floor: noise"))
    cell = Cell(random, 0, 0, None, {}, 0)
    scores = {score.probe: score for score in do_cell(material, plan, "", cell).scores}
    assert set(scores) == {"linear", "linear, standardised", "k-NN", "k-NN, standardised"}
    run = Run(tmp_path / cell.folder / "run")
    assert run.folder.is_dir()
    (alone,) = do_cell(material, plan, "", Cell(floor, 0, 0, None, {}, 0)).scores  # columns are not standardised
    assert "standardised" not in alone.probe
    fold, codes = material.groups.folds[0], material.groups.codes
    again = train(material, dataclasses.replace(cell, seed=0))
    x = embed_rows(again.encoder(), again.preprocess, material.table, material.store).astype(np.float64)
    for scene in np.unique(codes):
        mine = codes == scene
        x[mine] = (x[mine] - x[mine].mean(0)) / np.maximum(x[mine].std(0), 1e-12)
    draw = label_draws(material.labels, codes, fold.train, [1.0], 0)[0]
    answers = run_probe(LinearProbe(), x, material.labels, codes, draw.rows, fold.test, seed=0).answers.argmax(1)
    counts = np.array(scores["linear, standardised"].sums["balanced accuracy"]).sum(0)
    assert int(counts[0] + counts[3]) == int((answers == material.labels.y[fold.test]).sum())


def test_a_nuisance_of_the_group_may_be_probed_in_training_groups_alone(pictures: Path, tmp_path: Path) -> None:
    from ssl_domains.studies.measuring.nuisance import measure_nuisance

    seen: list[set[int]] = []
    for among in ("all", "training"):
        material = small_study.make_material(
            pictures, tmp_path / among, fractions=(1.0,), nuisance=("scene",), nuisance_in=among
        )
        cell = Cell(small_study.make_plan(material, ()).arms[0], 0, 0, None, {}, 0)
        run = train(material, cell)
        with pytest.MonkeyPatch.context() as patch:
            from ssl_domains.studies.measuring import nuisance

            def noted(probe: Any, x: Any, labels: Any, units: Any, train: Any, test: Any, **more: Any) -> Any:
                seen.append(set(labels.y[train | test].tolist()))
                return run_probe(probe, x, labels, units, train, test, **more)

            patch.setattr(nuisance, "run_probe", noted)
            measure_nuisance(material, cell, [run])
    held = set(material.groups.codes[material.groups.folds[0].test].tolist())
    assert len(seen[0]) == small_study.GROUPS
    assert len(seen[1]) == small_study.GROUPS - len(held)
