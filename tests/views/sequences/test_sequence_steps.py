"""Views of inputs with any number of sides, against sample-by-sample float64."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.views import AddNoise, CropLength, Draws, DropChannels, Gain, MaskStretches, SequenceRecipe
from ssl_domains.views.draws import normals, spread

WHY = "a reason"
SLOTS = torch.arange(40, 440, 10)
LENGTHS = [int(7 + (37 * k) % 60) for k in range(len(SLOTS))]


def waves(channels: int = 3, pad: float = 0.0) -> Input:
    """Forty waves of 7 to 66 places, one batch; padding holds ``pad``."""
    draws = torch.Generator().manual_seed(0)
    return Input.cat(
        [
            Input(torch.randn(1, channels, length, generator=draws), None, "wave", (0,), pad)
            for length in LENGTHS
        ]
    )  # fmt: skip


def volumes() -> Input:
    return Input(torch.randn(5, 2, 4, 6, 8, generator=torch.Generator().manual_seed(1)), None, "volume")


def draws(operation: str) -> Draws:
    return Draws(3, 7, SLOTS, 0, operation)


def one_view(step: Any, x: Input, *beside: Input, slots: torch.Tensor = SLOTS, **columns: torch.Tensor) -> Any:
    recipe = SequenceRecipe((step,), views=1)
    [view] = recipe.views_of(x, *beside, seed=3, step=7, slots=slots, columns=columns)
    return view


def test_gain_is_a_factor_and_an_offset_for_each_sample_or_channel() -> None:
    x = waves()
    for per_channel in (False, True):
        step = Gain((0.5, 2.0), offset=0.3, per_channel=per_channel, p=0.7, reason=WHY)
        view = one_view(step, x)
        numbers = draws("gain")
        used = numbers.happens(0.7)
        count = 3 if per_channel else 1
        gain = (math.log(0.5) + math.log(4) * numbers.uniform(count)).exp()
        offset = 0.3 * (2 * numbers.uniform(count) - 1)
        assert 0.5 < used.double().mean() < 0.9
        for row, length in enumerate(LENGTHS):
            before = x.values[row, :, :length].double()
            expected = before * gain[row][:, None] + offset[row][:, None] if used[row] else before
            torch.testing.assert_close(view.input.values[row, :, :length].double(), expected, rtol=1e-6, atol=1e-6)
            assert (view.input.values[row, :, length:] == 0).all()
        assert torch.equal(view.input.valid, x.valid)
        assert gain.min() >= 0.5
        assert gain.max() <= 2.0


def test_noise_has_the_drawn_deviation_and_does_not_depend_on_padding() -> None:
    x = waves()
    step = AddNoise((0.0, 0.5), p=0.8, reason=WHY)
    view = one_view(step, x)
    numbers = draws("noise")
    sigma = numbers.between(0.0, 0.5)
    sigma = torch.where(numbers.happens(0.8), sigma, 0.0)
    keys = numbers.keys()
    for row, length in enumerate(LENGTHS):
        lines = spread(keys[row : row + 1], (3,))[0]
        noise = normals(lines, (length,)).double()
        expected = x.values[row, :, :length].double() + sigma[row] * noise
        torch.testing.assert_close(view.input.values[row, :, :length].double(), expected, rtol=1e-5, atol=1e-6)
    assert (sigma == 0).any()
    big = one_view(AddNoise((1.0, 1.0), p=1.0, reason=WHY), Input(torch.zeros(40, 3, 500), None, "wave", (0,)))
    assert abs(float(big.input.values.std()) - 1) < 0.01
    assert abs(float(big.input.values.mean())) < 0.01
    each = big.input.values.flatten(1)
    assert (torch.corrcoef(each) - torch.eye(40)).abs().max() < 0.15  # neither samples nor channels share noise
    assert abs(float(torch.corrcoef(big.input.values[0])[0, 1])) < 0.2


def test_a_crop_by_share_lies_inside_the_valid_places_and_keeps_the_numbers() -> None:
    x = waves(pad=-7.0)
    step = CropLength((0.3, 0.6), emit="start_s", spacing=0.25, reason=WHY)
    view = one_view(step, x)
    starts = view.emitted["start_s"] / 0.25
    assert view.emitted["start_s"].dtype == torch.float64
    lengths = view.input.lengths.tolist()
    for row, length in enumerate(LENGTHS):
        start, kept = int(starts[row]), lengths[row]
        assert max(1, math.floor(0.3 * length) - 1) <= kept <= math.ceil(0.6 * length)
        assert 0 <= start <= length - kept
        assert torch.equal(view.input.values[row, :, :kept], x.values[row, :, start : start + kept])
        assert (view.input.values[row, :, kept:] == -7.0).all()
    assert len(set(starts.tolist())) > 10
    shares = torch.tensor([kept / length for kept, length in zip(lengths, LENGTHS, strict=True)])
    assert shares.min() < 0.4
    assert shares.max() > 0.5


def test_every_start_of_a_crop_is_equally_likely_and_the_last_one_is_met() -> None:
    x = Input(torch.arange(10.0).repeat(6000, 1)[:, None], None, "wave", (0,))
    view = one_view(CropLength(length=7, emit="start", reason=WHY), x, slots=torch.arange(6000))
    counts = torch.bincount(view.emitted["start"].long(), minlength=4)
    assert len(counts) == 4
    assert (counts - 1500).abs().max() < 150
    assert view.input.valid is None
    assert torch.equal(view.input.values[:, 0, 0], view.emitted["start"].float())


def test_a_crop_of_a_length_keeps_shorter_samples_whole() -> None:
    x = waves()
    view = one_view(CropLength(length=20, reason=WHY), x)
    assert view.input.lengths.tolist() == [min(20, length) for length in LENGTHS]
    assert view.input.space == (20,)


def test_a_crop_moves_what_is_beside_and_other_steps_leave_it() -> None:
    x = waves()
    places = torch.arange(x.space[0]).expand(40, 1, -1)
    labels = Input(places, x.valid, "labels", (0,), 255)
    crop = CropLength((0.5, 0.5), emit="start", reason=WHY)
    steps = (Gain(reason=WHY), crop, AddNoise(reason=WHY), MaskStretches(reason=WHY), DropChannels(reason=WHY))
    [view] = SequenceRecipe(steps, views=1).views_of(x, labels, seed=3, step=7, slots=SLOTS)
    [moved] = view.beside
    assert torch.equal(moved.with_valid(), view.input.with_valid())
    for row, kept in enumerate(view.input.lengths.tolist()):
        start = int(view.emitted["start"][row])
        assert moved.values[row, 0, :kept].tolist() == list(range(start, start + kept))
        assert (moved.values[row, 0, kept:] == 255).all()
    with pytest.raises(UsageError, match="further input"):
        SequenceRecipe((crop,), views=1).views_of(x, Input(torch.zeros(40, 1, 5)), seed=3, step=7, slots=SLOTS)


def test_the_spacing_may_be_a_column_of_each_sample() -> None:
    x = waves()
    step = CropLength((0.5, 0.5), emit="start_s", spacing="dt", reason=WHY)
    dt = torch.linspace(0.001, 0.01, 40, dtype=torch.float64)
    recipe = SequenceRecipe((step,), views=1)
    assert recipe.columns == ("dt",)
    assert recipe.emitted == ("start_s",)
    places = one_view(CropLength((0.5, 0.5), emit="start_s", reason=WHY), x).emitted["start_s"]
    assert torch.equal(one_view(step, x, dt=dt).emitted["start_s"], places * dt)
    with pytest.raises(UsageError, match="column 'dt'"):
        recipe.views_of(x, seed=3, step=7, slots=SLOTS)
    assert CropLength(spacing="dt", reason=WHY).columns == ()


def test_stretches_are_masked_inside_the_valid_places_and_stay_valid() -> None:
    x = Input.cat([Input(torch.ones(1, 2, length), None, "wave", (0,)) for length in LENGTHS])
    view = one_view(MaskStretches((0.2, 0.5), count=1, fill=9.0, p=0.75, reason=WHY), x)
    assert torch.equal(view.input.with_valid(), x.with_valid())
    untouched = 0
    for row, length in enumerate(LENGTHS):
        masked = view.input.values[row, :, :length] == 9.0
        assert torch.equal(masked[0], masked[1])
        places = masked[0].nonzero()[:, 0]
        untouched += not len(places)
        if len(places):
            assert math.floor(0.2 * length) - 1 <= len(places) <= math.ceil(0.5 * length)
            assert int(places[-1]) - int(places[0]) + 1 == len(places)  # one stretch without gaps
        assert (view.input.values[row, :, length:] == 0).all()
    assert 2 <= untouched <= 20
    whole = one_view(MaskStretches((1.0, 1.0), count=3, p=1.0, reason=WHY), x).input
    assert (whole.values == 0).all()


def test_dropped_channels_are_zero_and_one_always_stays() -> None:
    x = Input(torch.ones(400, 4, 6), None, "wave", (0,))
    dropped = one_view(DropChannels(0.5, reason=WHY), x, slots=torch.arange(400)).input.values
    each = dropped.flatten(2).amax(dim=2)
    assert torch.equal(each, dropped.flatten(2).amin(dim=2))  # whole channels
    assert 0.4 < float(each.mean()) < 0.6
    assert (each.sum(dim=1) >= 1).all()
    assert (one_view(DropChannels(1.0, reason=WHY), x, slots=torch.arange(400)).input.values.sum(dim=(1, 2)) == 6).all()


def test_steps_work_along_any_side_of_a_volume() -> None:
    x = volumes()
    slots = torch.arange(5)
    steps = (
        CropLength(length=3, side=1, emit="row", reason=WHY), Gain(per_channel=True, reason=WHY),
        AddNoise(p=1.0, reason=WHY), MaskStretches(side=2, reason=WHY), DropChannels(reason=WHY),
    )  # fmt: skip
    [view] = SequenceRecipe(steps, views=1).views_of(x, seed=3, step=7, slots=slots)
    assert view.input.values.shape == (5, 2, 4, 3, 8)
    plain = one_view(CropLength(length=3, side=1, emit="row", reason=WHY), x, slots=slots)
    for row in range(5):
        start = int(plain.emitted["row"][row])
        assert torch.equal(plain.input.values[row], x.values[row, :, :, start : start + 3])
    masked = one_view(MaskStretches((0.5, 0.5), count=1, side=2, p=1.0, reason=WHY), x, slots=slots).input.values == 0
    assert (masked.flatten(1, 3).all(dim=1) == masked.flatten(1, 3).any(dim=1)).all()
    assert masked.flatten(1, 3).all(dim=1).sum(dim=1).tolist() == [4] * 5


def test_keys_of_places_depend_on_the_place_alone() -> None:
    keys = torch.tensor([5, -9])
    wide, narrow = spread(keys, (4, 6)), spread(keys, (2, 3))
    assert torch.equal(wide[:, :2, :3], narrow)
    assert wide.unique().numel() == 48
    assert torch.equal(spread(keys, ()), keys)
    assert keys.tolist() == [5, -9]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Gain((0.0, 1.0), reason=WHY), "gain"),
        (lambda: Gain(offset=-1.0, reason=WHY), "offset"),
        (lambda: AddNoise((0.2, 0.1), reason=WHY), "sigma"),
        (lambda: AddNoise(p=2.0, reason=WHY), "probability"),
        (lambda: CropLength((0.0, 1.0), reason=WHY), "share"),
        (lambda: CropLength(length=0, reason=WHY), "length"),
        (lambda: CropLength(spacing=0.0, reason=WHY), "spacing"),
        (lambda: MaskStretches(count=0, reason=WHY), "count"),
        (lambda: DropChannels(-0.1, reason=WHY), "probability"),
        (lambda: Gain(reason=" "), "no reason"),
    ],
)
def test_wrong_settings_are_refused(make: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make()


def test_a_side_that_is_not_there_and_crops_of_differing_length_on_a_fixed_side_are_refused() -> None:
    for step in (CropLength(length=3, side=1, reason=WHY), MaskStretches(side=1, reason=WHY)):
        with pytest.raises(UsageError, match="side=1 of an input with 1 sides"):
            one_view(step, waves())
    with pytest.raises(UsageError, match="which is 4 in every sample"):
        one_view(CropLength(reason=WHY), volumes(), slots=torch.arange(5))
