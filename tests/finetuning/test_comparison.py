"""A whole comparison on the small world: arms, draws, effort, choice of views, report, kills."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssl_domains.engine import Run
from ssl_domains.errors import DataError, UsageError
from ssl_domains.evaluation import dense_probe_run, probe_run
from ssl_domains.finetuning import FineTuned
from ssl_domains.finetuning import comparison as comparison_module
from ssl_domains.finetuning.comparison import Comparison, compare
from ssl_domains.finetuning.measuring.initial import InitialWeights
from ssl_domains.finetuning.measuring.material import label_material, mask_material
from ssl_domains.finetuning.rehearsal import rehearse_comparison
from ssl_domains.finetuning.report import (
    EQUAL_EFFORT,
    EQUAL_STEPS,
    FINE_TUNED,
    FROZEN,
    FineTuneReport,
    finetune_path,
    read_finetune_reports,
)
from ssl_domains.probes import DenseFit, score
from ssl_domains.probes.overlap import POOLED
from ssl_domains.samples import SampleTable
from ssl_domains.views import HorizontalFlip, Noise, ViewRecipe

SETS = {"train.max_steps": 6, "train.batch_size": 8, "train.checkpoint_every_steps": 2}
NAMES = {3: "across", 7: "along"}


def _recipe(table: SampleTable, config: Any) -> ViewRecipe:
    steps = (HorizontalFlip(reason="for the test"), Noise(reason="for the test"))
    return ViewRecipe(steps, config.views.size, views=1)


def of(world: Any, label: str = "kind", **changes: Any) -> Comparison:
    """A comparison of few steps on a column, or on the masks."""
    given: dict[str, Any] = {"group": "patient", "trained": world.run.training_samples, "meta": world.run.table_meta}
    if label == "masks":
        material = mask_material(world.table, world.store, world.masks, world.run.map_preprocess, names=NAMES, **given)
    else:
        material = label_material(world.table, world.store, label, **given)
    values = {"fractions": (0.5, 1.0), "draws": 2, "sets": SETS, **changes}
    return Comparison(material, InitialWeights.of_run(world.run), _recipe, **values)


@pytest.fixture(scope="module")
def compared(
    world: Any, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Comparison, Path, FineTuneReport, list[str]]:
    out, lines = tmp_path_factory.mktemp("compared") / "run2", []
    comparison = of(world)
    return comparison, out, compare(comparison, out, say=lines.append), lines


def test_arms_fractions_draws_and_steps(compared: Any) -> None:
    _, _, report, _ = compared
    found = [(row.fraction, row.arm, row.draw) for row in report.rows]
    arms = (FROZEN, FINE_TUNED, EQUAL_STEPS, EQUAL_EFFORT)
    assert found == [(0.5, arm, draw) for arm in arms for draw in (0, 1)] + [(1.0, arm, 0) for arm in arms]
    # The pre-training had 6 steps of 12 samples in 2 views: 144 views are 18 steps of 8.
    assert {row.arm: row.steps for row in report.rows} == {FROZEN: 0, FINE_TUNED: 6, EQUAL_STEPS: 6, EQUAL_EFFORT: 24}
    assert report.pretraining_views == 144
    assert {(row.fraction, row.groups, row.labels, row.tested) for row in report.rows} == {
        (0.5, 3, 18, 12), (1.0, 6, 36, 12),
    }  # fmt: skip
    assert "1 held-out group" not in report.title
    assert "2 held-out groups of 'patient'" in report.title
    assert "not evidence" in report.title
    assert "transductive" not in report.title


def test_the_frozen_probe_is_that_of_probe_on_the_same_draws(world: Any, compared: Any) -> None:
    _, _, report, _ = compared
    probed = probe_run(
        world.run, "kind", table=world.table, store=world.store, group="patient", fractions=(0.5, 1.0), seeds=(0, 1)
    )
    linear = {
        (row.fraction, row.draw): row for row in probed.rows if (row.arm, row.probe) == ("frozen encoder", "linear")
    }
    for row in report.rows:
        if row.arm == FROZEN:
            same = linear[row.fraction, row.draw]
            assert (row.values, row.per_class, row.chosen) == (same.values, same.per_class, same.chosen)
            assert (row.groups, row.labels, row.tested) == (same.groups, same.labels, same.tested)


def test_the_run_folder_is_the_fine_tuning_on_all_labels_and_scores_what_the_table_says(
    world: Any, compared: Any
) -> None:
    comparison, out, report, _ = compared
    model = FineTuned.open(out)
    assert model.run.config.method.name == "finetune"
    assert model.run.step == 6
    table = world.table
    assert model.run.training_samples == frozenset(table.take(world.train).frame["sample"])
    answers = model.answers(table.take(world.test), world.store)
    truth = comparison.material.labels.take(comparison.material.test)
    (row,) = [one for one in report.rows if (one.arm, one.fraction) == (FINE_TUNED, 1.0)]
    assert row.values == score(truth, answers).values


def test_comparison_trainings_keep_scores_and_no_weights(compared: Any) -> None:
    _, out, _, lines = compared
    folders = sorted(path.name for path in (out / "comparison").iterdir() if path.is_dir())
    trained = [name for name in folders if not name.startswith("frozen")]
    assert len(lines) == len(trained) == 3 * 3 + 2  # with two candidates for the views of scratch
    assert not list((out / "comparison").glob("*/checkpoints"))
    assert all((out / "comparison" / name / "score.json").is_file() for name in folders)
    assert "[1/11] fine-tuned, 6 labelled groups, draw 0: balanced accuracy" in lines[0]
    assert "left" in lines[0]
    assert "left" not in lines[-1]


def test_views_of_scratch_are_chosen_on_validation_groups_of_the_training_side(world: Any, compared: Any) -> None:
    _, out, report, _ = compared
    scores = {}
    for views in ("recipe", "none"):
        folder = out / "comparison" / f"scratch-equal-effort-6-groups-draw-0-choosing-{views}"
        scores[views] = json.loads((folder / "score.json").read_text())["selection"]
        config = Run.open(folder).config
        assert config.train.max_steps == 24
        inner = Run.open(folder).training_samples
        assert not inner & frozenset(world.table.take(world.test).frame["sample"])
        steps = json.loads((folder / "recipe.json").read_text())["steps"]
        assert bool(steps) == (views == "recipe")
    for row in report.rows:
        if row.arm == EQUAL_EFFORT:
            assert row.views == ("none" if scores["none"] > scores["recipe"] else "recipe")
        elif row.arm != FROZEN:
            assert row.views == "recipe"
    assert sum("chosen once, on groups held out of 6 labelled groups" in line for line in report.remarks()) == 1


def test_the_report_is_kept_and_its_table_holds_means(compared: Any) -> None:
    _, out, report, _ = compared
    assert read_finetune_reports(out) == [report]
    stored = json.loads(finetune_path(out, "kind").read_text())
    assert stored["remarks"] == report.remarks()
    table = report.table()
    assert [(row["fraction"], row["arm"], row["draws"]) for row in table[:4]] == [
        ("0.5", FROZEN, "2"), ("0.5", FINE_TUNED, "2"), ("0.5", EQUAL_STEPS, "2"), ("0.5", EQUAL_EFFORT, "2"),
    ]  # fmt: skip
    values = [r.values["balanced accuracy"] for r in report.rows if (r.arm, r.fraction) == (FINE_TUNED, 0.5)]
    assert table[1]["balanced accuracy"] == f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"
    assert table[5]["steps"] == "6"
    text = json.dumps(stored)
    assert str(out) not in text  # reports show no folders
    assert any("one draw: every draw would be the same" in line for line in report.remarks())


class Killed(BaseException):
    """Ends a comparison at a chosen moment, as a kill does: nothing is cleaned up."""


def test_killed_between_and_inside_trainings_and_resumed_gives_the_same_bytes(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    comparison = of(world, fractions=(0.5,), draws=1)
    whole, out = tmp_path / "whole", tmp_path / "run2"
    compare(comparison, whole)
    real, count = comparison_module.finetune, 0

    def cut(stop_at: tuple[int, int]) -> Callable[..., Any]:
        """Fine-tuning that is killed at a step of a training, or at its end (step 0)."""

        def train(config: Any, parts: Any, folder: Any, *, on_event: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            number = count

            def listen(event: Any) -> None:
                on_event(event)
                if number == stop_at[0] and getattr(event, "step", None) == stop_at[1]:
                    raise Killed

            run = real(config, parts, folder, on_event=listen, **options)
            if (number, 0) == stop_at:
                raise Killed
            return run

        return train

    # Inside the run itself; at its end, before it is scored; inside a choice of views; between two trainings.
    for resume, stop_at in ((False, (1, 3)), (True, (1, 0)), (True, (2, 5)), (True, (2, 0))):
        count = 0
        monkeypatch.setattr(comparison_module, "finetune", cut(stop_at))
        with pytest.raises(Killed):
            compare(comparison, out, resume=resume)
        assert not finetune_path(out, "kind").exists()
    monkeypatch.setattr(comparison_module, "finetune", real)
    with pytest.raises(UsageError, match="already holds") as caught:
        compare(comparison, out)
    assert "--resume" in caught.value.hint
    compare(comparison, out, resume=True)
    assert finetune_path(out, "kind").read_bytes() == finetune_path(whole, "kind").read_bytes()
    assert not list((out / "comparison").glob("*/checkpoints"))
    before = finetune_path(out, "kind").read_bytes()
    compare(comparison, out, resume=True)  # a complete comparison trains nothing and says the same
    assert finetune_path(out, "kind").read_bytes() == before


def test_another_plan_is_refused_by_name(world: Any, compared: Any, tmp_path: Path) -> None:
    comparison, out, _, _ = compared
    for changed, message in (
        ({"draws": 3}, "started with draws 2, not 3"),
        ({"sets": {**SETS, "train.lr": 1e-3}}, "started with train.lr = 'its default', not 0.001"),
        ({"material": of(world, "place").material}, "started with label 'kind', not 'place'"),
        ({"material": of(replace(world, table=world.table.take(range(47)))).material}, "other samples or labels"),
    ):
        with pytest.raises(UsageError, match=message):
            compare(replace(comparison, **changed), out, resume=True)
    with pytest.raises(UsageError, match="no fine-tuning to resume"):
        compare(comparison, tmp_path / "nothing", resume=True)
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("label", ["place", "tags"])
def test_numbers_and_label_sets(label: str, world: Any, tmp_path: Path) -> None:
    report = compare(of(world, label, fractions=(1.0,), draws=1, scratch=False), tmp_path / "run2")
    assert [row.arm for row in report.rows] == [FROZEN, FINE_TUNED]
    assert report.task == {"place": "regression", "tags": "multilabel"}[label]
    assert all(row.values for row in report.rows)


@pytest.fixture
def short_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads of the dense probe are fitted with few steps and one learning rate."""
    for module in ("ssl_domains.probes.dense", "ssl_domains.evaluation.dense", "ssl_domains.finetuning.heads.map_head"):
        monkeypatch.setattr(f"{module}.DenseFit", partial(DenseFit, steps=20, lr=(0.1,)))


@pytest.mark.usefixtures("short_fits")
def test_masks_and_the_dense_probe(world: Any, tmp_path: Path) -> None:
    report = compare(of(world, "masks", fractions=(0.5, 1.0), draws=2, scratch=False), tmp_path / "run2")
    assert report.task == "segmentation"
    assert report.headings[-8:] == ["mean Dice", "mean IoU", *POOLED, "Dice across", "Dice along"]
    probed = dense_probe_run(
        world.run, world.masks, table=world.table, store=world.store, group="patient", fractions=(0.5, 1.0),
        seeds=(0, 1), names=NAMES,
    )  # fmt: skip
    same = {(row.fraction, row.draw): row for row in probed.rows if row.arm == "frozen encoder"}
    assert sum(row.arm == FROZEN for row in report.rows) == 3
    for row in report.rows:
        if row.arm == FROZEN:
            assert row.values == same[row.fraction, row.draw].values
            assert row.per_group == same[row.fraction, row.draw].per_group
    # Dice of the written model on whole test groups, by brute force.
    model = FineTuned.open(tmp_path / "run2")
    table = world.table.take(world.test)
    maps = dict(model.label_maps(table, world.store))
    groups = table.codes("patient")
    (row,) = [one for one in report.rows if (one.arm, one.fraction) == (FINE_TUNED, 1.0)]
    each = []
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        for number in (3, 7):
            guess = np.stack([maps[int(at)] == number for at in rows])
            truth = np.stack([world.masks[int(p)] == number for p in world.masks.positions(table.take(rows))])
            each.append(2 * (guess & truth).sum() / (guess.sum() + truth.sum()))
    np.testing.assert_allclose(np.array(row.per_group, dtype=float).ravel(), each)


def test_without_scratch_and_of_weights_without_known_effort(world: Any, tmp_path: Path) -> None:
    alone = compare(of(world, fractions=(1.0,), scratch=False), tmp_path / "alone")
    assert [row.arm for row in alone.rows] == [FROZEN, FINE_TUNED]
    initial = replace(InitialWeights.of_run(world.run), effort=None)
    report = compare(replace(of(world, fractions=(1.0,)), initial=initial), tmp_path / "unknown")
    assert [row.arm for row in report.rows] == [FROZEN, FINE_TUNED, EQUAL_STEPS]
    assert report.pretraining_views is None
    assert any("no scratch at equal effort" in line for line in report.remarks())


def test_pre_training_on_test_groups_is_in_the_title(world: Any, tmp_path: Path) -> None:
    material = label_material(
        world.table, world.store, "kind", group="patient", trained=frozenset(world.table.frame["sample"])
    )
    report = compare(replace(of(world, scratch=False, fractions=(1.0,)), material=material), tmp_path / "run2")
    assert "transductive: 2 of 2 test groups were pre-trained on" in report.title


def test_a_dry_run_estimates_all_trainings_and_writes_nothing(world: Any, compared: Any, tmp_path: Path) -> None:
    comparison, _, _, lines = compared
    found = rehearse_comparison(comparison)
    assert found.trainings == len(lines)
    assert found.steps == 6 * 3 + 6 * 3 + 24 * 3 + 24 * 2
    assert found.scratch is not None
    rates = found.fine_tuned.seconds_per_step, found.scratch.seconds_per_step
    assert found.estimated_seconds == pytest.approx(18 * rates[0] + (found.steps - 18) * rates[1])
    assert found.peak_memory_bytes > 0


BAD = {
    "one class": ({"kind": "same"}, "every training label 'kind' is 'same'"),
    "a class of test groups": ({"kind": None}, "the class 'rare' of 'kind' is only in test groups of 'patient'"),
    "one labelled group": ({"kind": None}, "only 1 training group of 'patient' has a label 'kind'"),
}


@pytest.mark.parametrize("case", BAD)
def test_labels_that_nothing_can_be_learnt_from_are_refused(case: str, world: Any) -> None:
    kinds = np.array(world.table.frame["kind"].to_list(), dtype=object)
    if case == "one class":
        kinds[:] = "same"
    elif case == "a class of test groups":
        kinds[world.test[0]] = "rare"
    else:
        train = world.table.frame["split"].to_numpy() == "train"
        kinds[train & (world.table.frame["patient"].to_numpy() != "g0")] = None
    changed = replace(world, table=world.table.with_columns(kind=kinds.tolist()))
    with pytest.raises(DataError, match=BAD[case][1]) as caught:
        of(changed)
    assert caught.value.hint


def test_masks_of_another_shape_and_classes_of_test_groups_are_refused(world: Any) -> None:
    class Wider:
        """The masks, each a column wider."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.masks, name)

        def shape(self, position: int) -> tuple[int, int]:
            height, width = world.masks.shape(position)
            return height, width + 1

    with pytest.raises(DataError, match="another shape than its image"):
        of(replace(world, masks=Wider()), "masks")
    along = world.table.frame["kind"].to_numpy() == "along"
    test = world.table.frame["split"].to_numpy() == "test"
    paths = world.table.frame["mask_path"].to_list()
    kept = replace(world, table=world.table.with_columns(
        mask_path=[None if a and not t else path for a, t, path in zip(along, test, paths, strict=True)]
    ))  # fmt: skip
    with pytest.raises(DataError, match="'along' of 'masks' is only in the masks of test groups"):
        of(kept, "masks")


def test_layers_that_do_not_fit_are_said_before_anything_is_trained(world: Any, tmp_path: Path) -> None:
    comparison = of(world, sets={**SETS, "method.layers": "9"})
    with pytest.raises(UsageError, match="stages, not 9"):
        compare(comparison, tmp_path / "run2")
    assert not (tmp_path / "run2").exists()
