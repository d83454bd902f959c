"""Whole fine-tunings in two processes give the weights of one, to 1e-10 in float64; and a killed one is resumed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import small_labels
from ssl_domains.encoders import Encoder
from ssl_domains.engine import Run
from ssl_domains.finetuning import FineTune, FineTuning, finetune
from ssl_domains.testing.process_pool import ProcessPool


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    pool = ProcessPool(tmp_path_factory.mktemp("processes"))
    yield pool
    pool.close()


def in_double(source: FineTuning, encoder: Encoder, options: Mapping[str, Any]) -> FineTune:
    """`FineTuning.build` without BatchNorm and in float64; pictures come in float32."""
    for layer in list(encoder.modules()):
        for name, child in list(layer.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(layer, name, nn.GroupNorm(4, child.num_features))
            if isinstance(child, nn.Conv2d):
                child.register_forward_pre_hook(lambda one, given: (given[0].to(one.weight.dtype),))
    return BUILD(source, encoder, options).double()


BUILD = FineTuning.build


def trained(folder: str, out: str, label: str, micro: int | None = None) -> dict[str, Tensor]:
    """Weights of a fine-tuning in float64, in which processes have different numbers of labels."""
    world = small_labels.make_world(Path(folder))
    parts = world.parts(label)
    if parts.labels is not None:
        known = parts.labels.known.copy()
        known[:20] = np.arange(20) % 7 == 0
        parts = replace(parts, labels=replace(parts.labels, known=known))
    else:
        parts.masks.placed[:20:2, 3:] = 255
    config = world.config(label, **{"train.micro_batch_size": micro, "method.layer_decay": 0.7, "train.seed": 3})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FineTuning, "build", in_double)
        run = finetune(config, parts, out)
    return run.checkpoints.load()["method"]


@pytest.mark.parametrize(("label", "micro"), [("kind", None), ("masks", None), ("masks", 3)])
def test_two_processes_train_what_one_trains(
    label: str, micro: int | None, world: Any, tmp_path: Path, two_processes: Any
) -> None:
    alone = trained(str(world.folder), str(tmp_path / "one"), label)
    both = two_processes(trained, folder=str(world.folder), out=str(tmp_path / "two"), label=label, micro=micro)
    assert Run.open(tmp_path / "two").environment["processes"] == 2
    for name, value in alone.items():
        assert value.dtype == torch.float64
        for found in both:
            torch.testing.assert_close(found[name], value, rtol=1e-10, atol=1e-10, msg=name)
    start = Run.open(tmp_path / "one").checkpoints.paths()[0]
    before = torch.load(start, weights_only=False)["method"]
    assert all(not torch.equal(before[name], value) for name, value in alone.items() if name.startswith("encoder"))


@pytest.mark.parametrize("label", ["kind", "masks"])
def test_a_killed_fine_tuning_is_resumed_bit_for_bit(label: str, world: Any, tmp_path: Path) -> None:
    whole = finetune(world.config(label), world.parts(label), tmp_path / "whole")
    command = [sys.executable, small_labels.__file__, str(world.folder), str(tmp_path / "cut"), label, "5"]
    assert subprocess.run(command, check=False).returncode == -9
    assert Run.open(tmp_path / "cut").step == 4
    again = finetune(world.config(label), world.parts(label), tmp_path / "cut", resume=True)
    expected, found = whole.checkpoints.load(), again.checkpoints.load()
    assert expected["step"] == found["step"] == 6
    for name, value in expected["method"].items():
        assert torch.equal(value, found["method"][name]), name
    for index, state in expected["optimiser"]["state"].items():
        for name, value in state.items():
            assert torch.equal(value, found["optimiser"]["state"][index][name])
    assert [one["loss"] for one in again.metrics()] == [one["loss"] for one in whole.metrics()]
