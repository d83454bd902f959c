"""Methods of mutual information and of noise-contrastive estimation keep contract 3."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import method_doubles as doubles
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.methods.cpc import CPC
from ssl_domains.methods.deep_infomax import DeepInfoMax
from ssl_domains.methods.imax import Imax
from ssl_domains.methods.instance_discrimination import InstanceDiscrimination
from ssl_domains.testing import MethodCase, check_method
from ssl_domains.testing.method_case import SAMPLES, CaseEncoder, picture_recipe

IGNORING = "same('group').ignore(same('site'))"
ACROSS = "same('group').ignore(same('site').across_parts())"


def wave_encoder() -> nn.Module:
    encoder = CaseEncoder(1)
    encoder.takes = InputSpec("wave", 1, (None,), pad=9.0)
    return encoder


def mel_encoder() -> nn.Module:
    encoder = CaseEncoder(1)
    encoder.takes = InputSpec("mel", 1, (3, None), pad=9.0)
    return encoder


def bands(positions: torch.Tensor) -> Input:
    """Spectrograms of three bands, each of its own length."""
    noise = torch.Generator().manual_seed(7)
    every = [torch.rand(1, 1, 3, length, generator=noise) for length in doubles.LENGTHS]
    return Input.cat([Input(every[i], kind="mel", ragged=(1,), pad=9.0) for i in positions.tolist()])


class BandRecipe(doubles.WaveRecipe):
    """Views of spectrograms as they are."""

    emitted = ()

    def views_of(self, x: Input, *beside: Input, **options: Any) -> Any:
        only = options.get("only")
        return [doubles.View(x) for _ in range(self.views if only is None else len(only))]


def imax() -> MethodCase:
    return MethodCase(Imax)


def imax_of_waves() -> MethodCase:
    return MethodCase(Imax, encoder=wave_encoder, inputs=doubles.waves, recipe=doubles.WaveRecipe())


def bank() -> MethodCase:
    return MethodCase(InstanceDiscrimination, rule="none")


def bank_with_a_rule() -> MethodCase:
    seats = ((3, 0, 9, 1, 5, 3, 7, 3),)  # a sample that was drawn several times
    rule = "(0.7*same('group') + 0.3*within('x', 1.2)).ignore(same('site'))"
    return MethodCase(InstanceDiscrimination, {"momentum": 0.3}, rule=rule, seats=seats)


def bank_of_noise() -> MethodCase:
    return MethodCase(InstanceDiscrimination, {"objective": "nce", "noise": SAMPLES}, rule=IGNORING)


def bank_of_noise_with_a_constant() -> MethodCase:
    options = {"objective": "nce", "noise": 5, "partition": 20.0}
    return MethodCase(InstanceDiscrimination, options, recipe=picture_recipe(3), seats=doubles.SEATS, negatives=1)


def bank_of_waves() -> MethodCase:
    rule = "same('group') & within('gain', 0.3)"
    recipe = doubles.WaveRecipe(2)
    return MethodCase(InstanceDiscrimination, encoder=wave_encoder, inputs=doubles.waves, recipe=recipe, rule=rule)


def cpc_of_waves() -> MethodCase:
    options, rule = {"steps": 4, "context": 5}, "same('group').ignore(same('site').across_parts())"
    recipe = doubles.WaveRecipe(1)
    return MethodCase(CPC, options, encoder=wave_encoder, inputs=doubles.waves, recipe=recipe, rule=rule)


def cpc_of_spectrograms() -> MethodCase:
    return MethodCase(
        CPC, {"steps": 2, "context": 5}, encoder=mel_encoder, inputs=bands, recipe=BandRecipe(1), rule="none"
    )


def cpc_of_patches() -> MethodCase:
    return MethodCase(CPC, {"steps": 2, "context": 5, "patch": 2, "stride": 1}, rule=ACROSS)


def cpc_with_negative_seats() -> MethodCase:
    options = {"steps": 1, "context": 3, "patch": 2, "stride": 2}
    return MethodCase(CPC, options, recipe=picture_recipe(3), seats=doubles.SEATS, negatives=1)


def deep_infomax() -> MethodCase:
    return MethodCase(DeepInfoMax)


def deep_infomax_by_info_nce() -> MethodCase:
    return MethodCase(DeepInfoMax, {"bound": "info_nce"}, seats=((3, 0, 9, 1, 5, 3, 7, 3),))


def deep_infomax_of_waves() -> MethodCase:
    options = {"bound": "dv"}
    return MethodCase(DeepInfoMax, options, encoder=wave_encoder, inputs=doubles.waves, recipe=doubles.WaveRecipe(1))


CASES = [
    imax,
    imax_of_waves,
    bank,
    bank_with_a_rule,
    bank_of_noise,
    bank_of_noise_with_a_constant,
    bank_of_waves,
    cpc_of_waves,
    cpc_of_spectrograms,
    cpc_of_patches,
    cpc_with_negative_seats,
    deep_infomax,
    deep_infomax_by_info_nce,
    deep_infomax_of_waves,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_it_keeps_the_contract(case: Any) -> None:
    check_method(case)
