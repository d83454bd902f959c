"""The prediction of transforms: its logits and loss against a plain loop, and the contract of a method."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from method_doubles import WaveRecipe, waves
from ssl_domains.encoders import create_encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, InputSpec, View, Views
from ssl_domains.methods import RowPairs
from ssl_domains.methods.rotation import Rotation
from ssl_domains.pairs import Objective, Rows
from ssl_domains.testing import MethodCase, check_method
from ssl_domains.testing.method_case import CaseEncoder


class WaveEncoder(CaseEncoder):
    """Reads waves; the difference of neighbours tells the direction of time."""

    def __init__(self) -> None:
        super().__init__(1)
        self.takes = InputSpec("wave", 1, (None,))


def wave_encoder() -> nn.Module:
    return WaveEncoder()


def reversal() -> MethodCase:
    options = {"transforms": ["identity", "time_reversal", "polarity", "pitch_up"]}
    return MethodCase(Rotation, options, encoder=wave_encoder, inputs=waves, recipe=WaveRecipe(1))


def two_views() -> MethodCase:
    return MethodCase(Rotation, encoder=wave_encoder, inputs=waves, recipe=WaveRecipe(2),
                      options={"transforms": ["polarity", "identity"]})  # fmt: skip


@pytest.mark.parametrize("target", [Rotation, reversal, two_views], ids=lambda target: target.__name__)
def test_it_keeps_the_contract(target: Any) -> None:
    check_method(target)


def test_every_row_is_scored_under_every_transform() -> None:
    torch.manual_seed(0)
    method = Rotation.build(create_encoder("small_conv", 1, image_size=8), Rotation.options().model_dump()).eval()
    pictures = torch.rand(3, 1, 8, 8)
    out = method.embed(Views((View(Input(pictures)),)))
    rows = Rows.of(torch.arange(3)).take(torch.arange(3).repeat(4))
    rows = Rows(rows.sample, rows.view, torch.arange(4).repeat_interleave(3), rows.row, {})
    bound = Objective().bind({"x": [0, 1, 2]})
    loss = method.loss(out, RowPairs(bound, rows, rows, torch.device("cpu"))).loss
    expected, place = 0.0, 0
    for turns in range(4):
        for i in range(3):
            turned = torch.rot90(pictures[i : i + 1], turns, (2, 3))
            logits = method.classifier(method.encoder(turned).pooled)[0].detach()
            torch.testing.assert_close(out.z[place].detach(), logits)
            expected += math.log(sum(math.exp(one) for one in logits.tolist())) - float(logits[turns])
            place += 1
    assert float(loss.detach()) == pytest.approx(expected / 12, rel=1e-5)
    torch.testing.assert_close(out.pooled, method.encoder(pictures).pooled.detach())
    assert out.of is not None
    assert out.of.tolist() == [0, 1, 2] * 4


def test_rotations_of_signals_are_refused_with_what_to_choose() -> None:
    with pytest.raises(UsageError, match="'rotate_90' doesn't fit inputs of kind 'wave'") as refused:
        Rotation.build(create_encoder("conv1d"), Rotation.options().model_dump())
    assert "time_reversal" in refused.value.hint
