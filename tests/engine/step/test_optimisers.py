"""Optimisers: who is decayed, and one step of each against arithmetic."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ssl_domains.encoders import create_encoder
from ssl_domains.engine.record.config import TrainConfig
from ssl_domains.engine.step.optimisers import create_optimiser, parameter_groups, set_learning_rate


class _Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.norm = nn.BatchNorm2d(2)
        self.linear = nn.Linear(4, 3)
        self.log_scale = nn.Parameter(torch.zeros(()))
        self.frozen = nn.Parameter(torch.zeros(2, 2), requires_grad=False)


def test_norms_biases_and_scalars_are_not_decayed() -> None:
    net = _Net()
    decayed, plain = parameter_groups(net, 0.3)
    assert {id(p) for p in decayed["params"]} == {id(net.conv.weight), id(net.linear.weight)}  # type: ignore[attr-defined]
    expected = {id(net.conv.bias), id(net.norm.weight), id(net.norm.bias), id(net.linear.bias), id(net.log_scale)}
    assert {id(p) for p in plain["params"]} == expected  # type: ignore[attr-defined]
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.3, 0.0)


def test_what_timm_lists_is_not_decayed_wherever_the_model_stands() -> None:
    """Class token and position embedding are listed without the prefix that the method puts before them."""
    encoder = create_encoder("vit_tiny_patch16_224", 1, image_size=32)
    method = nn.ModuleDict({"encoder": encoder, "head": nn.Linear(4, 3)})
    names = {id(p): name for name, p in method.named_parameters()}
    decayed, plain = ({names[id(p)] for p in group["params"]} for group in parameter_groups(method, 0.3))  # type: ignore[attr-defined]
    assert {"encoder.model.cls_token", "encoder.model.pos_embed"} <= plain
    assert {"encoder.model.patch_embed.proj.weight", "head.weight"} <= decayed
    assert decayed | plain == set(names.values())
    assert not decayed & plain
    assert all(dict(method.named_parameters())[name].ndim >= 2 for name in decayed)


@pytest.mark.parametrize("name", ["adamw", "sgd", "lars"])
def test_decay_alone_moves_only_what_is_decayed(name: str) -> None:
    net = _Net()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    optimiser = create_optimiser(net, TrainConfig(optimizer=name, lr=0.5, weight_decay=0.2))  # type: ignore[arg-type]
    for parameter in net.parameters():
        if parameter.requires_grad:
            parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    for key, value in net.named_parameters():
        moved = not torch.equal(value, before[key])
        # LARS scales by |w|/(|g| + wd|w|), which it takes as 1 where the gradient is zero.
        assert moved == (key in ("conv.weight", "linear.weight")), key


def test_sgd_without_momentum_is_one_step_down_the_gradient() -> None:
    net = nn.Linear(2, 1, bias=False)
    start = net.weight.detach().clone()
    optimiser = create_optimiser(net, TrainConfig(optimizer="sgd", lr=0.1, weight_decay=0.5, momentum=0.0))
    set_learning_rate(optimiser, 0.01)
    net.weight.grad = torch.ones_like(net.weight)
    optimiser.step()
    assert torch.allclose(net.weight, start - 0.01 * (1 + 0.5 * start))


def test_lars_scales_the_step_to_the_norm_of_the_weights() -> None:
    net = nn.Linear(3, 2, bias=False)
    start = net.weight.detach().clone()
    optimiser = create_optimiser(net, TrainConfig(optimizer="lars", lr=1.0, weight_decay=0.1, momentum=0.0))
    net.weight.grad = torch.full_like(net.weight, 2.0)
    gradient = net.weight.grad.clone()
    optimiser.step()
    trust = 0.001 * start.norm() / (gradient.norm() + 0.1 * start.norm())
    assert torch.allclose(net.weight, start - trust * (gradient + 0.1 * start), atol=1e-6)
