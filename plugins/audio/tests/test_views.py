"""Steps on waveforms and spectrograms: what each does to the signal, and that nothing else has a part in it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.errors import UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.inputs import Input
from ssl_domains.samples import SampleTable
from ssl_domains.testing import check_recipe
from ssl_domains.views import SequenceRecipe
from ssl_domains.views.draws import Draws
from ssl_domains_audio.domain import AUDIO
from ssl_domains_audio.inputs import MelPreprocess, SoundSettings, log_mel_of
from ssl_domains_audio.views import (
    BandFilter,
    LogMelStep,
    MelShift,
    NoiseAtSnr,
    Reverberation,
    Silence,
    Speed,
    TimeShift,
)
from ssl_domains_audio.views.kernels import level_of

RATE = 8_000
WHY = "a reason"
TABLE = SampleTable(pl.DataFrame({"sample": ["a"], "path": ["a"], "rate": [RATE]}))

STEPS: dict[str, Any] = {
    "white noise": NoiseAtSnr((5.0, 10.0), reason=WHY),
    "coloured noise": NoiseAtSnr((5.0, 10.0), (1.0, 2.0), reason=WHY),
    "shift": TimeShift(reason=WHY),
    "band filter": BandFilter(p=1.0, reason=WHY),
    "speed": Speed(p=1.0, reason=WHY),
    "reverberation": Reverberation(rate=RATE, p=1.0, reason=WHY),
}


def waves(*lengths: int, seed: int = 0) -> Input:
    draws = torch.Generator().manual_seed(seed)
    valid = torch.arange(max(lengths))[None, None] < torch.tensor(lengths)[:, None, None]
    values = torch.randn(len(lengths), 1, max(lengths), generator=draws).masked_fill(~valid, 0.0)
    return Input(values, None if bool(valid.all()) else valid, "wave", (0,))


def tone(hz: float, count: int = 8_000) -> Input:
    return Input(torch.sin(2 * np.pi * hz * torch.arange(count) / RATE)[None, None].float(), None, "wave", (0,))


def applied(step: Any, x: Input, slot: int = 0) -> Input:
    """The view of a batch by one step."""
    parameters = step.parameters(Draws(0, 0, torch.arange(len(x)) + slot, 0, step.name), x.values.shape[1])
    (made, *_), _ = step.apply((x,), parameters, {})
    return made


def set_to(step: Any, x: Input, **parameters: Any) -> Input:
    """The view of a batch with given parameters in the place of drawn ones."""
    drawn = step.parameters(Draws(0, 0, torch.arange(len(x)), 0, step.name), 1)
    (made, *_), _ = step.apply((x,), {**drawn, **parameters}, {})
    return made


def amplitude(x: Input, hz: float) -> float:
    """Amplitude of a sine of this frequency in the middle of the first sample."""
    values = x.values[0, 0].double()
    inner = values[len(values) // 4 : -len(values) // 4]
    phase = torch.exp(-2j * np.pi * hz * torch.arange(len(inner), dtype=torch.float64) / RATE)
    window = torch.hann_window(len(inner), dtype=torch.float64)
    return float(2 * (inner * window * phase).sum().abs() / window.sum())


@pytest.mark.parametrize("name", STEPS)
def test_a_view_depends_on_its_sample_alone(name: str) -> None:
    check_recipe(SequenceRecipe((STEPS[name],)), waves(5_000, 3_600, 700, 40))


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("value", [9.0, float("nan")])
def test_padding_of_any_value_changes_nothing(name: str, value: float) -> None:
    x = waves(900, 500)
    longer = x.padded([1_300])
    other = replace(longer, values=longer.values.masked_fill(~longer.with_valid(), value))
    one, two = applied(STEPS[name], x), applied(STEPS[name], other)
    for row in range(2):
        first, second = (view.take(slice(row, row + 1)).trimmed() for view in (one, two))
        torch.testing.assert_close(first.values, second.values, atol=1e-5, rtol=0)
        assert first.space == second.space


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("mel", [False, True])
def test_views_on_a_gpu_are_those_on_the_cpu(name: str, mel: bool) -> None:
    steps = [STEPS[name]]
    if mel:
        steps += [LogMelStep(mel=log_mel_of(RATE, SoundSettings()), reason=WHY), MelShift(3, reason=WHY)]
    recipe, x = SequenceRecipe(tuple(steps)), waves(5_000, 3_600, 700)
    on_cpu = recipe.views_of(x, seed=1, step=2, slots=torch.arange(3))
    on_gpu = recipe.views_of(x.to("cuda"), seed=1, step=2, slots=torch.arange(3))
    for one, two in zip(on_cpu, on_gpu, strict=True):
        expected, found = one.input.trimmed(), two.input.to("cpu").trimmed()
        assert torch.equal(expected.with_valid(), found.with_valid())
        torch.testing.assert_close(expected.values, found.values, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", STEPS)
def test_silence_stays_silence(name: str) -> None:
    x = waves(900, 500)
    made = applied(STEPS[name], replace(x, values=x.values * 0))
    assert torch.isfinite(made.values).all()
    assert not made.values.any()


@pytest.mark.parametrize("colour", [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (-1.0, -1.0)])
@pytest.mark.parametrize("snr", [0.0, 20.0])
def test_noise_has_the_stated_ratio_and_colour(snr: float, colour: tuple[float, float]) -> None:
    x = tone(1_000.0, 60_000)
    noise = applied(NoiseAtSnr((snr, snr), colour, reason=WHY), x).values - x.values
    level = noise.square().mean().sqrt() / x.values.square().mean().sqrt()
    assert 20 * float(level.log10()) == pytest.approx(-snr, abs=0.5)
    power = torch.fft.rfft(noise[0, 0]).abs().square()
    hertz = torch.fft.rfftfreq(noise.shape[2], 1 / RATE)
    low, high = (power[(hertz > f / 1.1) & (hertz < f * 1.1)].mean() for f in (500.0, 2_000.0))
    assert float((low / high).log2()) == pytest.approx(2 * colour[0], abs=0.4)  # two octaves apart


def test_the_level_is_that_of_the_valid_places() -> None:
    x = waves(1_000, 10)
    assert float(level_of(x)[1]) == pytest.approx(float(x.values[1, 0, :10].square().mean().sqrt()), abs=1e-6)
    nothing = Input(torch.ones(1, 1, 5), torch.zeros(1, 1, 5, dtype=torch.bool), "wave", (0,))
    assert float(level_of(nothing)) == 0.0


def test_a_shift_rolls_the_valid_places_and_what_lies_beside() -> None:
    x = waves(10, 6)
    step = TimeShift(reason=WHY)
    drawn = step.parameters(Draws(0, 0, torch.arange(2), 0, "shift"), 1)
    (made, beside), _ = step.apply((x, replace(x, values=x.values * 2)), drawn, {})
    for row, length in enumerate((10, 6)):
        shift = int(drawn["shift"][row] * length) >> 30
        expected = x.values[row, 0, :length].roll(shift)
        assert torch.equal(made.values[row, 0, :length], expected)
        assert torch.equal(beside.values[row, 0, :length], 2 * expected)
    assert torch.equal(made.with_valid(), x.with_valid())


@pytest.mark.parametrize("hz", [100.0, 400.0, 1_500.0, 3_500.0])
def test_a_band_filter_has_the_gain_between_the_knots_and_no_delay(hz: float) -> None:
    step = BandFilter(db=12.0, knots=6, reason=WHY)
    gains = torch.tensor([[-6.0, -6.0, -6.0, 6.0, 6.0, 6.0]])
    knots = np.logspace(np.log10(100.0), np.log10(4_000.0), 6)
    expected = 10 ** (np.interp(np.log(hz), np.log(knots), gains[0].numpy()) / 20)
    assert amplitude(set_to(step, tone(hz), db=gains), hz) == pytest.approx(expected, rel=0.06)
    flat = set_to(step, waves(500), db=torch.zeros(1, 6)).values
    torch.testing.assert_close(flat, waves(500).values, atol=1e-5, rtol=0)


@given(lengths=st.lists(st.integers(1, 3_000), min_size=1, max_size=3), factor=st.floats(0.5, 2.0))
@settings(max_examples=25, deadline=None)
def test_speed_gives_exactly_the_rounded_length(lengths: list[int], factor: float) -> None:
    step = Speed((factor, factor), p=1.0, reason=WHY)
    made = applied(step, waves(*lengths))
    exact = round(factor * 2**20) / 2**20
    expected = [max(1, int(np.floor(length / exact + 0.5))) for length in lengths]
    assert made.lengths.tolist() == expected
    assert made.space[0] == max(expected)


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_speed_changes_the_pitch_and_keeps_the_amplitude(factor: float) -> None:
    made = applied(Speed((factor, factor), p=1.0, reason=WHY), tone(1_000.0))
    assert amplitude(made, 1_000.0 * factor) == pytest.approx(1.0, abs=0.01)
    assert amplitude(made, 1_000.0) < 0.01
    same = applied(Speed((1.0, 1.0), p=1.0, reason=WHY), waves(700))
    torch.testing.assert_close(same.values, waves(700).values, atol=1e-5, rtol=0)
    assert same.valid is None


def test_a_faster_tone_above_the_new_half_rate_is_taken_away() -> None:
    made = applied(Speed((1.25, 1.25), p=1.0, reason=WHY), tone(3_900.0))  # 4,875 Hz at 8 kHz
    inner = made.values[0, 0, 500:-500]
    assert float(inner.abs().max()) < 0.1


def test_speed_refuses_inputs_of_one_length() -> None:
    x = waves(100)
    with pytest.raises(UsageError, match="speed: it changes the length"):
        applied(Speed(reason=WHY), replace(x, ragged=()))
    with pytest.raises(UsageError, match="speed: it changes the length"):
        Speed(reason=WHY).apply((x, x), {"factor": torch.tensor([1 << 20])}, {})


def test_reverberation_is_a_decaying_tail_of_the_stated_energy() -> None:
    impulse = torch.zeros(1, 1, 8_000)
    impulse[0, 0, 0] = 1.0
    step = Reverberation(rate=RATE, seconds=(0.5, 0.5), direct_db=(6.0, 6.0), p=1.0, reason=WHY)
    response = applied(step, Input(impulse, None, "wave", (0,))).values[0, 0].double()
    assert float(response.square().sum()) == pytest.approx(1.0, abs=1e-4)
    ratio = response[0].square() / response[1:].square().sum()
    assert 10 * float(ratio.log10()) == pytest.approx(6.0, abs=0.01)
    early, late = (response[start : start + 400].square().mean() for start in (200, 2_200))
    # 60 dB within 0.5 s, so 30 dB within a quarter of a second.
    assert 10 * float((early / late).log10()) == pytest.approx(30.0, abs=1.5)
    assert float(response[4_100:].abs().max()) < 1e-6


def test_a_mel_shift_moves_bands_and_fills_with_the_floor() -> None:
    mel = Input(torch.rand(1, 1, 10, 4) + 1, None, "mel", (1,))
    up = set_to(MelShift(3, reason=WHY), mel, shift=torch.tensor([2])).values
    assert torch.equal(up[:, :, 2:], mel.values[:, :, :-2])
    assert not up[:, :, :2].any()
    down = set_to(MelShift(3, reason=WHY), mel, shift=torch.tensor([-3])).values
    assert torch.equal(down[:, :, :-3], mel.values[:, :, 3:])
    drawn = MelShift(3, reason=WHY).parameters(Draws(0, 0, torch.arange(2_000), 0, "mel shift"), 1)["shift"]
    counts = torch.bincount(drawn + 3)
    assert len(counts) == 7
    assert int(counts.min()) > 200
    with pytest.raises(UsageError, match="mel shift: an input with the sides"):
        applied(MelShift(reason=WHY), waves(50))


def test_silent_views_are_flagged() -> None:
    x = waves(900, 900, 500)
    values = x.values.clone()
    values[1] = 0
    made = SequenceRecipe((Silence(reason=WHY),)).views_of(
        replace(x, values=values), seed=0, step=0, slots=torch.arange(3)
    )
    assert [view.flags["silent"].tolist() for view in made] == [[False, True, False]] * 2
    assert made[0].take(slice(1, 3)).flags["silent"].tolist() == [True, False]


@pytest.mark.parametrize("form", ["mel", "wave"])
@pytest.mark.parametrize("extra", [(), ("band filter", "coloured noise", "reverberation", "shift", "speed")])
def test_the_recipe_of_the_domain_keeps_its_contract(form: str, extra: tuple[str, ...]) -> None:
    preprocess = AUDIO.preprocess_for(TABLE, {"form": form})
    assert preprocess is not None
    recipe = AUDIO.recipe(RecipeRequest(TABLE, 0, 2, 1, extra, preprocess.spec, preprocess))
    check_recipe(recipe, waves(5_000, 3_600, 2_100, 700, 40))
    described = recipe.to_dict()
    assert all(step["reason"] for step in json.loads(json.dumps(described))["steps"])
    names = [step["name"] for step in described["steps"]]
    assert names[0] == "crop"
    assert names[-1] == ("mel shift" if form == "mel" else "silence")


def test_the_views_of_the_default_recipe_are_those_that_were_tried() -> None:
    preprocess = AUDIO.preprocess_for(TABLE)
    assert isinstance(preprocess, MelPreprocess)
    recipe = AUDIO.recipe(RecipeRequest(TABLE, 0, 2, 1, (), preprocess.spec, preprocess))
    steps = recipe.to_dict()["steps"]
    assert [step["name"] for step in steps] == ["crop", "noise", "silence", "log-mel", "mask", "mask", "mel shift"]
    assert steps[0]["length"] == 3_600
    assert steps[1]["snr_db"] == [15.0, 30.0]
    assert steps[6]["bands"] == 3
    (view, other) = recipe.views_of(waves(9_000, 3_000), seed=0, step=0, slots=torch.arange(2))
    assert view.input.kind == other.input.kind == "mel"
    assert view.input.space == (40, 46)
    frames = view.input.with_valid()[:, 0, 0].sum(dim=1).tolist()
    assert frames == [46, 38]
    masked = SequenceRecipe(recipe.steps[4:5]).views_of(
        Input(torch.ones(64, 1, 40, 46), None, "mel", (1,)), seed=0, step=0, slots=torch.arange(64)
    )[0]
    rows = (masked.input.values == 0).all(dim=3).sum(dim=2)[:, 0]
    assert int(rows.min()) == 0
    assert 4 <= int(rows.max()) <= 6


def test_an_unknown_further_view_and_a_missing_preprocess_are_refused() -> None:
    preprocess = AUDIO.preprocess_for(TABLE)
    with pytest.raises(UsageError, match="no further view 'reverb'") as refused:
        AUDIO.recipe(RecipeRequest(TABLE, 0, 2, 1, ("reverb",), None, preprocess))
    assert "reverberation" in refused.value.hint
    with pytest.raises(UsageError, match="need its preprocess"):
        AUDIO.recipe(RecipeRequest(TABLE, 0, 2, 1))


def test_the_step_to_the_spectrogram_is_the_end_of_the_preprocess_and_comes_once() -> None:
    preprocess = AUDIO.preprocess_for(TABLE)
    assert isinstance(preprocess, MelPreprocess)
    step = LogMelStep(mel=preprocess.mel, reason=WHY)
    x = waves(900, 500)
    made = applied(step, x)
    torch.testing.assert_close(made.values, preprocess.finish(x).values)
    with pytest.raises(UsageError, match="of kind 'mel'"):
        applied(step, made)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: NoiseAtSnr((30.0, 15.0), reason=WHY),
        lambda: Speed((0.0, 1.0), reason=WHY),
        lambda: BandFilter(knots=1, reason=WHY),
        lambda: Reverberation(rate=0, reason=WHY),
        lambda: Silence(db=3.0, reason=WHY),
        lambda: MelShift(-1, reason=WHY),
        lambda: TimeShift(side=-1, reason=WHY),
        lambda: TimeShift(reason=" "),
    ],
)
def test_impossible_settings_are_refused(wrong: Any) -> None:
    with pytest.raises(UsageError):
        wrong()
