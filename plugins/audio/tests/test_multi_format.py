"""The method multi_format: its loss by brute force, contract 3, and its views."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from method_doubles import WaveRecipe, waves
from ssl_domains.encoders import create_encoder
from ssl_domains.errors import UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.inputs import Input, InputSpec, Views
from ssl_domains.methods import RowPairs
from ssl_domains.pairs import Rows, parse
from ssl_domains.samples import SampleTable
from ssl_domains.testing import MethodCase, check_method, check_recipe
from ssl_domains.testing.method_case import CaseEncoder
from ssl_domains.views import CropLength, SequenceRecipe, with_variants
from ssl_domains_audio.inputs import FormatsPreprocess, SoundSettings, log_mel_of
from ssl_domains_audio.methods.multi_format import MultiFormat
from ssl_domains_audio.views import FormatsRecipe, LogMelStep, recipe

MEL = log_mel_of(8000, SoundSettings(bands=20))
SOUNDS = FormatsPreprocess(8000, mel=MEL)
OPTIONS = {"hidden": 7, "out": 5, "layers": 2, "temperature": 0.3}


class Branches(nn.Module):
    """Two small networks, one for waves and one for their two bands."""

    name, num_features, takes = "branches", 12, InputSpec("wave", 1, (None,))

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.ModuleDict({"wave": CaseEncoder(1), "mel": CaseEncoder(2)})

    @property
    def branches(self) -> dict[str, Any]:
        return dict(self.model.items())


class Formats(WaveRecipe):
    """View 0 is a wave, view 1 its bands."""

    def variant(self, name: str, size: int | None = None) -> Formats:
        return self


def case() -> MethodCase:
    rule = "same('sample').across_parts() + same('group').across_parts()"
    return MethodCase(MultiFormat, encoder=Branches, inputs=waves, recipe=Formats(mel=True), rule=rule)


def test_it_trains_the_same_with_gradient_caching_in_two_processes_and_resumed() -> None:
    check_method(case)


def of_sounds(views: int = 2) -> FormatsRecipe:
    made = recipe(RecipeRequest(SampleTable.of({"sample": ["a"], "rate": [8000]}), 0, views, preprocess=SOUNDS))
    assert isinstance(made, FormatsRecipe)
    return made


def sounds(count: int = 4) -> Input:
    draws = torch.Generator().manual_seed(3)
    each = [torch.randn(1, 1, 5000 + 300 * i, generator=draws) for i in range(count)]
    return Input.cat([SOUNDS.spec.input(one) for one in each])


def both(x: Input) -> Views:
    made = with_variants(of_sounds(), MultiFormat.needs.variants)
    return Views(tuple(made.views_of(x, seed=0, step=0, slots=torch.arange(len(x)))))


def brute_force(z: Tensor, positive: Any, tau: float) -> float:
    """Mean over anchors with a positive of lse of the scores of all other rows minus the mean of the positives'."""
    scores = (z @ z.T / tau).tolist()
    losses = []
    for i, row in enumerate(scores):
        positives = [row[j] for j in range(len(row)) if j != i and positive(i, j)]
        if positives:
            below = math.log(sum(math.exp(value) for j, value in enumerate(row) if j != i))
            losses.append(below - sum(positives) / len(positives))
    return sum(losses) / len(losses)


def loss_of(method: MultiFormat, views: Views, rule: str) -> tuple[float, Tensor]:
    out = method.embed(views)
    part = views.part
    assert part is not None
    samples = views.samples
    of = torch.arange(2 * samples)
    rows = Rows(of % samples, of // samples, part, of)
    table = {"sample": list(range(samples)), "speaker": [i // 2 for i in range(samples)]}
    bound = parse(rule).bind(table)
    return float(method.loss(out, RowPairs(bound, rows, rows, torch.device("cpu"))).loss), out.z


@pytest.fixture
def method() -> MultiFormat:
    encoder = create_encoder("wave+mel", takes=SOUNDS.spec)
    return MultiFormat.build(encoder, OPTIONS).eval().double()


def doubled(views: Views) -> Views:
    return Views(tuple(replace(v, input=replace(v.input, values=v.input.values.double())) for v in views.each))


def test_the_loss_is_that_of_wave_against_spectrogram_over_all_other_rows(method: MultiFormat) -> None:
    views = doubled(both(sounds()))
    found, z = loss_of(method, views, "same('sample').across_parts()")
    assert z.dtype == torch.float64
    assert found == pytest.approx(brute_force(z.detach(), lambda i, j: i % 4 == j % 4, 0.3), abs=1e-9)


def test_a_second_rule_adds_its_loss(method: MultiFormat) -> None:
    views = doubled(both(sounds()))
    found, z = loss_of(method, views, "same('sample').across_parts() + 0.5 * same('speaker').across_parts()")
    expected = brute_force(z.detach(), lambda i, j: i % 4 == j % 4, 0.3)
    expected += 0.5 * brute_force(z.detach(), lambda i, j: (i % 4) // 2 == (j % 4) // 2, 0.3)
    assert found == pytest.approx(expected, abs=1e-9)


def test_each_view_goes_to_the_network_and_head_of_its_kind(method: MultiFormat) -> None:
    views = doubled(both(sounds()))
    out = method.embed(views)
    branches = method.encoder.branches  # type: ignore[union-attr, operator]
    wave, mel = (
        branches[kind](view.input.values, view.input.valid).pooled
        for kind, view in zip(("wave", "mel"), views.each, strict=True)
    )
    torch.testing.assert_close(out.pooled, torch.cat([wave, mel], dim=1))
    for kind, features, rows in (("wave", wave, out.z[:4]), ("mel", mel, out.z[4:])):
        z = method.heads[kind](features)
        torch.testing.assert_close(rows, z / z.norm(dim=1, keepdim=True))
    parameters = dict(method.named_parameters())
    gradients = torch.autograd.grad(out.z[:4].sum(), list(parameters.values()), allow_unused=True)
    moved = {name for name, one in zip(parameters, gradients, strict=True) if one is not None and one.any()}
    assert {name.split(".")[0] for name in moved} == {"encoder", "heads"}
    assert all(".wave." in name for name in moved)


def test_views_are_a_waveform_and_a_spectrogram_of_different_crops() -> None:
    x = sounds()
    wave, mel = both(x).each
    assert (wave.input.kind, mel.input.kind) == ("wave", "mel")
    assert (wave.part, mel.part) == (0, 1)
    assert wave.input.space == (3600,)
    assert mel.input.space[0] == 20
    crops = tuple(
        SequenceRecipe(tuple(s for s in steps if isinstance(s, CropLength | LogMelStep)), 1, None, part)
        for part, steps in enumerate((of_sounds().steps, of_sounds().spectrograms))
    )
    cut, _ = (
        one.views_of(x, seed=0, step=0, slots=torch.arange(4), only=[number])[0] for number, one in enumerate(crops)
    )
    other = crops[0].views_of(x, seed=0, step=0, slots=torch.arange(4), only=[1])[0]
    assert not torch.equal(cut.input.values, other.input.values)


@pytest.mark.parametrize("name", ["wave", "mel"])
def test_a_view_depends_on_its_sample_seed_and_number_alone(name: str) -> None:
    check_recipe(of_sounds().variant(name), sounds())


def test_other_variants_are_those_of_waves_and_a_step_leaves_both_formats() -> None:
    made = of_sounds()
    assert made.variant("global").part == 0
    assert made.variant("local").steps[0] != made.steps[0]
    with pytest.raises(UsageError, match="no variant 'text'"):
        made.variant("text")
    with pytest.raises(UsageError, match="has the size of the recipe"):
        made.variant("mel", 100)
    less = made.without("silence")
    assert len(less.steps) == len(made.steps) - 1
    assert len(less.spectrograms) == len(made.spectrograms) - 1
    assert len(made.without("mel shift").spectrograms) == len(made.spectrograms) - 1
    with pytest.raises(UsageError, match="no step 'flip'"):
        made.without("flip")


def test_an_encoder_of_one_format_is_refused() -> None:
    with pytest.raises(UsageError, match="an encoder for each format") as caught:
        MultiFormat.build(create_encoder("conv1d"), OPTIONS)
    assert caught.value.hint == "--encoder wave+mel --set input.form=wave+mel"
