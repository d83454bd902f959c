"""Fine-tuning on a label column, from a pre-trained run to answers for held-out groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ssl_domains.errors import UsageError
from ssl_domains.finetuning import FineTuned, Task, finetune


@pytest.mark.parametrize("label", ["kind", "place", "tags"])
def test_it_trains_on_the_labels_and_answers_for_held_out_groups(label: str, world: Any, tmp_path: Path) -> None:
    run = finetune(world.config(label, **{"train.max_steps": 40}), world.parts(label), tmp_path / "run")
    model = FineTuned.open(run.folder)
    answers = model.answers(world.table.take(world.test), world.store)
    truth = world.parts(label, world.test).labels
    assert model.task.label == label
    if label == "kind":
        np.testing.assert_allclose(answers.sum(axis=1), 1.0)
        assert (answers.argmax(axis=1) == truth.y).mean() > 0.9
    elif label == "tags":
        assert answers.shape == truth.y.shape
        assert ((answers > 0.5) == truth.y)[:, 1].mean() > 0.6
    else:
        assert np.abs(answers - truth.y).mean() < np.abs(truth.y - truth.y.mean()).mean()


def test_it_resumes_bit_for_bit(world: Any, tmp_path: Path) -> None:
    config, parts = world.config(), world.parts()
    whole = finetune(config, parts, tmp_path / "whole").checkpoints.load()
    cut = finetune(config, parts, tmp_path / "cut")
    for path in cut.checkpoints.paths()[-2:]:
        path.unlink()
    again = finetune(config, parts, tmp_path / "cut", resume=True).checkpoints.load()
    for name, value in whole["method"].items():
        assert torch.equal(value, again["method"][name]), name


def test_a_task_is_read_as_it_was_written(world: Any) -> None:
    for label in ("kind", "place", "tags"):
        task = world.parts(label).task
        assert Task.from_dict(task.to_dict()) == task


def test_a_run_without_labels_is_no_model(world: Any) -> None:
    with pytest.raises(UsageError, match="not trained with labels"):
        FineTuned.open(world.run)
