"""Which parameters move, how fast, and what BatchNorm does meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, Features, create_encoder, encoder_stages
from ssl_domains.engine import RunConfig
from ssl_domains.engine.step.optimisers import create_optimiser, parameter_groups, set_learning_rate
from ssl_domains.errors import UsageError
from ssl_domains.finetuning import FineTune, FineTuneOptions, FineTuning, Task, create_head, finetune
from ssl_domains.finetuning import finetune_config as make_config
from ssl_domains.inputs import InputSpec

TASK = Task("classification", "kind", ("a", "b"))


def method(**options: Any) -> FineTune:
    return FineTuning(TASK).build(create_encoder("small_conv", 1, image_size=16), options)


def moving(one: nn.Module) -> set[str]:
    return {name for name, parameter in one.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("small_conv", [3, 3, 3, 3]),
        ("resnet18", [3, 12, 15, 15, 15]),
        ("conv1d", None),
        ("small_crnn", [3, 3, 3, 8]),
        ("bilstm:small_conv", [3, 3, 3, 3, 8, 8]),
        ("vit_tiny_patch16_224", [4, *[12] * 11, 14]),
        ("convnext_atto", [4, 18, 22, 58, 24]),
    ],
)
def test_stages_go_from_input_to_output_and_hold_every_parameter_once(name: str, counts: list[int] | None) -> None:
    encoder = create_encoder(name, 1 if name == "conv1d" else 3)
    stages = encoder_stages(encoder)
    listed = [parameter for stage in stages for parameter in stage]
    assert sorted(listed) == sorted(dict(encoder.named_parameters()))
    if counts is None:
        assert [stage[0].split(".")[1] for stage in stages] == ["stem", "blocks", "blocks", "blocks"]
    else:
        assert [len(stage) for stage in stages] == counts


def test_layers_head_moves_the_head_alone_and_a_number_the_last_stages() -> None:
    assert moving(method(layers="head")) == {"head.layer.weight", "head.layer.bias"}
    two = moving(method(layers="2"))
    assert {name.split(".")[3] for name in two if name.startswith("encoder")} == {"2", "3"}
    assert len(moving(method(layers="all"))) == 12 + 2
    assert FineTuneOptions(layers=2).layers == "2"  # type: ignore[arg-type]
    for wrong in ("none", 0, True, "-1", 1.5):
        with pytest.raises(ValueError, match="'head', 'all' or a number"):
            FineTuneOptions(layers=wrong)  # type: ignore[arg-type]


def test_frozen_weights_stay_as_they_are_bit_for_bit(world: Any, tmp_path: Path) -> None:
    run = finetune(world.config(**{"method.layers": 2}), world.parts(), tmp_path / "run")
    before, after = world.run.encoder_state(), run.encoder_state()
    moved = {name.split(".")[2] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"2", "3"}
    assert not any("running" in name and not torch.equal(before[name], after[name]) for name in before)


def test_kept_batch_norm_keeps_its_statistics_and_trains_its_weights() -> None:
    for kind, kept in (("kept", True), ("trained", False)):
        one = method(batch_norm=kind).train()
        norms = [layer for layer in one.encoder.modules() if isinstance(layer, nn.BatchNorm2d)]
        before = [layer.running_mean.clone() for layer in norms]
        assert all(layer.training is not kept for layer in norms)
        out = one.encoder(torch.rand(4, 1, 16, 16)).pooled
        out.sum().backward()
        assert [torch.equal(layer.running_mean, mean) for layer, mean in zip(norms, before, strict=True)] == [kept] * 4
        assert all(layer.weight.grad is not None for layer in norms)
    frozen = method(layers="1", batch_norm="trained").train()
    modes = [layer.training for layer in frozen.encoder.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert modes == [False, False, False, True]


def test_rates_fall_by_stage_and_the_head_has_its_own() -> None:
    one = method(layer_decay=0.5, head_lr=0.01)
    config = make_config(RunConfig(), 100).with_values({"train.lr": 0.1, "train.weight_decay": 0.3})
    optimiser = create_optimiser(one, config.train, one.lr_factors(0.1))
    set_learning_rate(optimiser, 0.04)  # by a schedule, at 0.4 of its peak
    names = {parameter: name for name, parameter in one.named_parameters()}
    found = {}
    for group in optimiser.param_groups:
        for parameter in group["params"]:
            found[names[parameter]] = group["lr"]
            assert group["weight_decay"] == (0.3 if parameter.ndim > 1 else 0.0)
    assert set(found) == set(names.values())
    for name, rate in found.items():
        expected = 0.004 if name.startswith("head") else 0.04 * 0.5 ** (3 - int(name.split(".")[3]))
        assert rate == pytest.approx(expected, rel=1e-12), name


def test_without_factors_the_groups_are_the_two_there_always_were() -> None:
    one = method()
    assert one.lr_factors(0.1) == {}
    groups = parameter_groups(one, 0.1, one.lr_factors(0.1))
    assert [sorted(group) for group in groups] == [["params", "weight_decay"]] * 2


def test_a_step_moves_each_stage_by_its_rate() -> None:
    # A step of SGD without momentum is the gradient times the rate.
    one = method(layer_decay=0.1).double().eval()
    config = RunConfig().with_values(
        {"train.optimizer": "sgd", "train.momentum": 0.0, "train.weight_decay": 0.0, "train.lr": 0.2}
    )
    optimiser = create_optimiser(one, config.train, one.lr_factors(0.2))
    set_learning_rate(optimiser, 0.2)
    before = {name: parameter.detach().clone() for name, parameter in one.named_parameters()}
    one.head.layer(one.encoder(torch.rand(3, 1, 16, 16, dtype=torch.float64)).pooled).square().sum().backward()
    optimiser.step()
    for name, parameter in one.named_parameters():
        assert parameter.grad is not None
        factor = 1.0 if name.startswith("head") else 0.1 ** (3 - int(name.split(".")[3]))
        torch.testing.assert_close(parameter.detach(), before[name] - 0.2 * factor * parameter.grad)


class Stageless(Encoder):
    """An encoder whose model says no stages."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(1, 2), "stageless", InputSpec("image", 1, (4, 4)), 2)

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        places = self.model(values.movedim(1, -1)).movedim(-1, 1)
        return Features(places.mean(dim=(2, 3)), places, valid)


class Staged(Stageless):
    """An encoder that says its stages."""

    def stages(self) -> list[list[str]]:
        return [["model.weight"], ["model.bias"]]


def test_an_encoder_without_stages_takes_all_or_head_and_one_may_say_its_own() -> None:
    for options in ({"layers": "1"}, {"layer_decay": 0.9}):
        with pytest.raises(UsageError, match="'stageless' has no stages") as caught:
            FineTuning(TASK).build(Stageless(), options)
        assert "--layers all" in caught.value.hint
    assert "encoder.model.bias" in moving(FineTuning(TASK).build(Stageless(), {"layers": "all"}))
    assert "encoder.model.bias" not in moving(FineTuning(TASK).build(Stageless(), {"layers": "head"}))
    assert moving(FineTuning(TASK).build(Staged(), {"layers": "1"})) >= {"encoder.model.bias", "head.layer.bias"}
    with pytest.raises(UsageError, match="the encoder has 4 stages, not 5"):
        method(layers="5")


def test_parameters_behind_the_last_map_are_not_trained() -> None:
    encoder = create_encoder("vit_tiny_patch16_224", 1, image_size=32)
    task = Task("segmentation", "masks", ("a",), (1,), head="conv")
    one = FineTune(encoder, create_head(task, encoder), FineTuneOptions())
    still = set(dict(one.named_parameters())) - moving(one)
    assert {"encoder.model.norm.weight", "encoder.model.norm.bias"} <= still
    assert "encoder.model.blocks.11.mlp.fc2.weight" in moving(one)
    assert "encoder.model.patch_embed.proj.weight" in moving(one)
