from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ssl_domains.engine import Parts, load_config, pretrain
from ssl_domains.errors import UsageError
from ssl_domains.evaluation import supervised_answers
from ssl_domains.methods import SupervisedTraining
from ssl_domains.pairs import Composition, Objective
from ssl_domains.probes import Labels, read_labels
from ssl_domains.views import HorizontalFlip, Noise, Scaling, ViewRecipe

SETTINGS = (
    "encoder.name=small_conv", "views.size=32", "train.epochs=6", "train.batch_size=30", "train.device=cpu",
    "train.lr=0.003", "train.weight_decay=0.0",
)  # fmt: skip


def train(world: Any, out: Path, labels: Labels, sets: tuple[str, ...] = (), **options: Any) -> Any:
    rows = world.table.rows_of("train")
    recipe = ViewRecipe((HorizontalFlip(reason="left is right"), Noise(reason="noise is noise")), 32)
    parts = Parts(
        world.table.take(rows), world.store, Objective(), Composition(), recipe, Scaling(lo=0, hi=255),
        SupervisedTraining(labels.take(rows)),
    )  # fmt: skip
    return pretrain(load_config(sets=[*SETTINGS, *sets]), parts, out, **options)


def test_the_engine_trains_it_and_its_answers_are_right_on_held_out_groups(world: Any, tmp_path: Path) -> None:
    labels = read_labels(world.table.column("kind"))
    run = train(world, tmp_path / "run", labels)
    test = world.table.rows_of("test")
    answers = supervised_answers(run, labels.task, world.table.take(test), world.store)
    np.testing.assert_allclose(answers.sum(axis=1), 1.0)
    assert (answers.argmax(axis=1) == labels.y[test]).mean() > 0.9


def test_numbers_come_back_in_their_unit(world: Any, tmp_path: Path) -> None:
    labels = read_labels(world.table.column("place"))
    run = train(world, tmp_path / "run", labels, ("train.epochs=1",))
    answers = supervised_answers(run, labels.task, world.table, world.store)
    train_y = labels.y[world.table.rows_of("train")]
    assert answers.shape == (len(world.table),)
    # Hardly trained, so it says about the mean: of the labels, not of their standardised form.
    assert abs(float(answers.mean()) - float(train_y.mean())) < 2 * float(train_y.std())


def test_it_resumes_like_any_run(world: Any, tmp_path: Path) -> None:
    labels = read_labels(world.table.column("kind"))
    sets = ("train.epochs=4", "train.checkpoint_every_steps=3")
    whole = train(world, tmp_path / "whole", labels, sets).checkpoints.load()["method"]
    run = train(world, tmp_path / "cut", labels, sets)
    run.checkpoints.paths()[-1].unlink()
    again = train(world, tmp_path / "cut", labels, sets, resume=True).checkpoints.load()["method"]
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_a_run_without_labels_has_no_answers(world: Any, make_run: Any) -> None:
    with pytest.raises(UsageError, match="not trained with labels"):
        supervised_answers(make_run(), "classification", world.table, world.store)
