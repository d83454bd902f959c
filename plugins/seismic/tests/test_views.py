"""Each view step: its two forms are equal, what it does to amplitudes and traces, and where it leaves data valid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.testing import check_recipe
from ssl_domains.views import Draws, ViewRecipe, ViewStep
from ssl_domains_seismic.views import (
    AmplitudeScale,
    Dip,
    Polarity,
    RelativeNoise,
    SpectralBand,
    TimeShift,
    TraceDropout,
)

WHY = "a reason"
SIZE = 32
STEPS: list[ViewStep] = [
    AmplitudeScale(3.0, reason=WHY),
    Polarity(reason=WHY),
    TimeShift((-0.4, 0.4), reason=WHY),
    Dip((-1.0, 1.0), reason=WHY),
    TraceDropout((0.0, 0.6), reason=WHY),
    SpectralBand((0.0, 0.2), (0.3, 0.8), reason=WHY),
    SpectralBand((5.0, 10.0), (30.0, 60.0), 4.0, reason=WHY),
    RelativeNoise((0.0, 1.0), reason=WHY),
    RelativeNoise((0.0, 1.0), (0.1, 0.4), reason=WHY),
    RelativeNoise((0.0, 1.0), (0.0, 60.0), 4.0, reason=WHY),
]
IDS = [f"{step.name}-{number}" for number, step in enumerate(STEPS)]


def pictures(channels: int = 1, count: int = 12, size: int = SIZE, seed: int = 0) -> Tensor:
    """Layers with noise around ½, float32 ``[count, channels, size, size]``; the last two columns hold no amplitude."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size]
    phases = rng.uniform(0, 6, (count, channels, 1, 1))
    made = 0.5 + 0.25 * np.sin(0.7 * y + 0.05 * x + phases) + rng.normal(0, 0.05, (count, channels, size, size))
    made[..., -2:] = 0.5
    return torch.from_numpy(made.clip(0, 1).astype(np.float32))


def view(step: ViewStep, images: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
    """The images after one step, and their mask."""
    recipe = ViewRecipe((step,), images.shape[-1], views=1)
    (made,) = recipe.device_views(images, mask, seed=1, step=2, slots=torch.arange(len(images)))
    return made.images, made.mask


def drawn(step: ViewStep, count: int = 2000, size: int = SIZE) -> dict[str, Tensor]:
    return step.parameters(Draws(0, 0, torch.arange(count), 0, step.name), size)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("step", STEPS, ids=IDS)
def test_the_device_form_is_the_cpu_reference(step: ViewStep, channels: int) -> None:
    images = pictures(channels)
    made, mask = view(step, images)
    assert (made != images).any(), "the step did nothing"
    assert made.min() >= 0
    assert made.max() <= 1
    recipe = ViewRecipe((step,), SIZE, views=1)
    for slot, image in enumerate(images):
        one = recipe.cpu_view(image.permute(1, 2, 0).numpy(), seed=1, step=2, slot=slot)
        assert (made[slot] - one.images[0]).abs().max() <= 2e-5
        if one.mask is not None:
            assert mask is not None
            assert torch.equal(mask[slot], one.mask[0])


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("step", STEPS, ids=IDS)
def test_views_depend_on_the_sample_and_its_slot_alone(step: ViewStep, holes: bool) -> None:
    images = pictures(2, 5)
    valid = torch.ones((5, 1, SIZE, SIZE), dtype=torch.bool)
    valid[1, :, :, -2:] = False
    check_recipe(ViewRecipe((step,), SIZE), Input(images, valid if holes else None))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("step", STEPS, ids=IDS)
def test_views_on_the_gpu_equal_those_on_the_cpu(step: ViewStep) -> None:
    cpu, mask = view(step, pictures())
    gpu, gpu_mask = view(step, pictures().cuda())
    assert (gpu.cpu() - cpu).abs().max() < 1e-4
    assert (mask is None) == (gpu_mask is None)
    if mask is not None and gpu_mask is not None:
        assert (gpu_mask.cpu() != mask).float().mean() < 1e-3


@pytest.mark.parametrize("step", [step for step in STEPS if not isinstance(step, RelativeNoise)], ids=lambda s: s.name)
def test_no_amplitude_stays_no_amplitude(step: ViewStep) -> None:
    """½ is zero; only noise may change it. Filters round in float32."""
    silent = torch.full((12, 1, SIZE, SIZE), 0.5)
    made, _ = view(step, silent)
    tolerance = 1e-6 if isinstance(step, (TimeShift, Dip)) else 0
    assert (made - 0.5).abs().max() <= tolerance


def test_amplitudes_are_scaled_about_zero() -> None:
    step = AmplitudeScale(2.0, p=1.0, reason=WHY)
    factor = drawn(step)["factor"]
    assert factor.min() >= 0.5
    assert factor.max() <= 2.0
    assert factor.log().mean() == pytest.approx(0, abs=0.03)
    images = torch.tensor([0.5, 0.45, 0.6, 0.0, 1.0]).expand(200, 1, 5, 5).contiguous()
    scaled, _ = step.device(images, None, {"factor": factor[:200]}, {})
    assert (scaled[..., 0] == 0.5).all()
    torch.testing.assert_close(scaled[:, 0, 0, 1], (0.5 - 0.05 * factor[:200]).float())
    torch.testing.assert_close(scaled[:, 0, 0, 2], (0.5 + 0.1 * factor[:200]).float())
    torch.testing.assert_close(scaled[:, 0, 0, 4], (0.5 + 0.5 * factor[:200]).clamp(max=1).float())


def test_polarity_is_the_opposite_sign_in_half_of_the_views() -> None:
    images = pictures(count=40)
    made, _ = view(Polarity(reason=WHY), images)
    flipped = (made - (1 - images)).abs().amax(dim=(1, 2, 3)) == 0
    same = (made - images).abs().amax(dim=(1, 2, 3)) == 0
    assert (flipped ^ same).all()
    assert 8 < int(flipped.sum()) < 32


@pytest.mark.parametrize("rows", [3, -5])
def test_a_time_shift_moves_data_and_holes_downwards(rows: int) -> None:
    images = pictures()
    valid = torch.ones((12, 1, SIZE, SIZE), dtype=torch.bool)
    valid[:, :, 10:12, 4] = False
    made, mask = view(TimeShift((rows / SIZE, rows / SIZE), p=1.0, reason=WHY), images, valid)
    assert mask is not None
    old = slice(max(-rows, 0), SIZE - max(rows, 0))
    new = slice(max(rows, 0), SIZE - max(-rows, 0))
    torch.testing.assert_close(made[:, :, new], images[:, :, old], atol=1e-5, rtol=0)
    assert torch.equal(mask[:, :, new], valid[:, :, old])
    outside = torch.ones(SIZE, dtype=torch.bool)
    outside[new] = False
    assert not mask[:, :, outside].any(), "rows from outside the picture are not valid"
    assert (made[:, 0, outside, :8] != 0.5).all(), "and hold no constant"


def test_a_dip_moves_each_trace_by_its_distance_from_the_middle() -> None:
    images = torch.full((3, 1, 33, 33), 0.5)
    images[:, :, 16] = 1.0  # a flat reflector
    made, mask = view(Dip((0.5, 0.5), p=1.0, reason=WHY), images)
    assert mask is not None
    for column in range(33):
        place = 16 + 0.5 * (column - 16)
        weights = made[0, 0, :, column] - 0.5
        assert float((weights * torch.arange(33)).sum() / weights.sum()) == pytest.approx(place, abs=1e-3)
        rows = torch.arange(33) - 0.5 * (column - 16)
        inside = (rows > -0.5) & (rows < 32.5)
        differs = mask[0, 0, :, column] != inside
        assert not differs[(rows + 0.5).abs().minimum((rows - 32.5).abs()) > 1e-3].any()


def test_dropped_traces_look_as_holes() -> None:
    images = pictures(3, 200)
    valid = torch.ones((200, 1, SIZE, SIZE), dtype=torch.bool)
    valid[:, :, :, -2:] = False
    made, mask = view(TraceDropout((0.25, 0.25), p=1.0, reason=WHY), images, valid)
    assert mask is not None
    assert not mask[..., -2:].any(), "holes stay holes"
    whole = mask[:, :, :, :-2]
    assert torch.equal(whole.any(dim=2), whole.all(dim=2)), "whole traces"
    dropped = ~mask.expand(-1, 3, -1, -1)
    assert (made[dropped] == 0.5).all()
    assert torch.equal(made[~dropped], images[~dropped])
    assert float(dropped[..., :-2].float().mean()) == pytest.approx(0.25, abs=0.02)
    patterns = {tuple(row) for row in (~whole[:, 0, 0]).tolist()}
    assert len(patterns) > 150, "samples lose different traces"


def test_one_trace_always_stays() -> None:
    _, mask = view(TraceDropout((1.0, 1.0), p=1.0, reason=WHY), pictures())
    assert mask is not None
    assert (mask[:, 0].all(dim=1).sum(dim=1) == 1).all()


def sines(cycles: float, size: int = 64, amplitude: float = 0.3) -> Tensor:
    """A sine of so many cycles per row in each column."""
    wave = 0.5 + amplitude * torch.sin(2 * math.pi * cycles * torch.arange(size, dtype=torch.float32) + 0.4)
    return wave[None, None, :, None].expand(3, 1, size, size).contiguous()


def strength(images: Tensor) -> float:
    """Root mean square amplitude, without the rows near the ends, where a sine isn't one after reflection."""
    return float((images[..., 12:-12, :] - 0.5).square().mean().sqrt())


@pytest.mark.parametrize(
    ("hertz", "kept"),
    [(2.0, False), (6.0, False), (20.0, True), (35.0, True), (50.0, True), (80.0, False), (110.0, False)],
)
@pytest.mark.parametrize("interval", [None, 4.0])
def test_a_sine_outside_the_band_is_removed_and_one_inside_is_kept(
    hertz: float, kept: bool, interval: float | None
) -> None:
    scale = 1 / 125 if interval is None else 1.0  # 4 ms: Nyquist is 125 Hz
    step = SpectralBand((15 * scale,) * 2, (55 * scale,) * 2, interval, p=1.0, reason=WHY)
    before = sines(hertz * 0.004, size=128)
    after, _ = view(step, before)
    if kept:
        assert strength(after) == pytest.approx(strength(before), rel=0.03)
        assert (after - before)[..., 12:-12, :].abs().max() < 0.05
    else:
        assert strength(after) < 0.1 * strength(before)


def test_traces_are_filtered_along_time_and_not_along_the_line() -> None:
    step = SpectralBand((0.2, 0.2), (0.5, 0.5), p=1.0, reason=WHY)
    along_line = sines(0.2).transpose(2, 3)
    assert strength(view(step, along_line)[0]) < 1e-4, "constant in time: frequency zero"
    all_low = SpectralBand((0.0, 0.0), (0.5, 0.5), p=1.0, reason=WHY)
    torch.testing.assert_close(view(all_low, along_line)[0], along_line, atol=1e-5, rtol=0)


def test_views_without_the_filter_are_unchanged() -> None:
    images = pictures(count=60)
    made, _ = view(SpectralBand((0.1, 0.1), (0.3, 0.3), p=0.4, reason=WHY), images)
    changed = (made != images).flatten(1).any(dim=1)
    assert 12 < int(changed.sum()) < 36
    assert torch.equal(made[~changed], images[~changed])


@pytest.mark.parametrize("band", [None, (0.1, 0.4)])
@pytest.mark.parametrize("amplitude", [0.02, 0.15])
def test_noise_is_a_share_of_the_amplitudes(band: tuple[float, float] | None, amplitude: float) -> None:
    images = sines(0.1, amplitude=amplitude)
    images[:, :, :, :20] = 0.5  # places without amplitude don't count
    made, _ = view(RelativeNoise((0.5, 0.5), band, p=1.0, reason=WHY), images)
    noise = (made - images).double()
    assert float(noise.square().mean().sqrt()) == pytest.approx(0.5 * amplitude / math.sqrt(2), rel=0.03)
    assert (noise[:, :, :, :20].square().mean().sqrt() > 0.2 * amplitude).all(), "holes get it as well"
    power = torch.fft.rfft(noise, dim=2).abs().square().mean(dim=(0, 1, 3))
    share = float(
        power[2:18].sum() / power.sum()
    )  # 32 frequencies up to Nyquist; the band's edges fall from 0.05 to 0.53
    assert (share > 0.97) == (band is not None)


def test_a_silent_picture_gets_no_noise() -> None:
    silent = torch.full((3, 1, SIZE, SIZE), 0.5)
    assert torch.equal(view(RelativeNoise((1.0, 1.0), p=1.0, reason=WHY), silent)[0], silent)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: AmplitudeScale(0.5, reason=WHY), "gain"),
        (lambda: AmplitudeScale(p=2, reason=WHY), "probability"),
        (lambda: TimeShift((0.1, -0.1), reason=WHY), "share"),
        (lambda: TimeShift(ms=(-8.0, 8.0), reason=WHY), "without span"),
        (lambda: TimeShift(ms=(8.0, -8.0), span="span_ms", reason=WHY), "ms 8.0 to -8.0"),
        (lambda: SpectralBand(interval_ms=4.0, span="span_ms", reason=WHY), "interval_ms and span"),
        (lambda: Dip((-2, 2), reason=WHY), "slope"),
        (lambda: TraceDropout((0.0, 1.5), reason=WHY), "share"),
        (lambda: SpectralBand((0.0, 0.5), (0.4, 1.0), reason=WHY), "low up to 0.5, high from 0.4"),
        (lambda: SpectralBand((0.0, 0.0), (0.0, 1.0), reason=WHY), "high from 0"),
        (lambda: SpectralBand((0.0, 10.0), (40.0, 60.0), reason=WHY), "low"),
        (lambda: SpectralBand((0.0, 130.0), (140.0, 150.0), 4.0, reason=WHY), "Nyquist"),
        (lambda: SpectralBand(interval_ms=0.0, reason=WHY), "interval_ms"),
        (lambda: RelativeNoise((0.0, 20.0), reason=WHY), "ratio"),
        (lambda: RelativeNoise(band=(0.4, 0.1), reason=WHY), "band"),
        (lambda: RelativeNoise(band=(5.0, 60.0), reason=WHY), "Nyquist"),
        (lambda: Polarity(reason=" "), "no reason"),
    ],
)
def test_settings_that_mean_nothing_are_refused(make: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        make()
    assert caught.value.hint


def test_steps_happen_as_often_as_declared() -> None:
    cases: list[tuple[ViewStep, str, float]] = [
        (AmplitudeScale(p=0.3, reason=WHY), "factor", 1), (TimeShift(p=0.3, reason=WHY), "shift", 0),
        (Dip(p=0.3, reason=WHY), "slope", 0), (TraceDropout(p=0.3, reason=WHY), "share", 0),
        (SpectralBand(p=0.3, reason=WHY), "used", 0), (RelativeNoise(p=0.3, reason=WHY), "ratio", 0),
        (Polarity(0.3, reason=WHY), "reversed", 0),
    ]  # fmt: skip
    for step, name, nothing in cases:
        assert float((drawn(step)[name] != nothing).double().mean()) == pytest.approx(0.3, abs=0.04), step.name


def test_one_picture_as_array() -> None:
    """The reference form alone, on an array that no batch made."""
    image: NDArray[np.float32] = np.full((4, 4, 1), 0.5, np.float32)
    image[1, 2] = 0.7
    assert AmplitudeScale(reason=WHY).cpu(image, {"factor": 2.0}, {})[1, 2, 0] == pytest.approx(0.9)
    assert TimeShift(reason=WHY).cpu(image, {"shift": 0.25}, {})[2, 2, 0] == pytest.approx(0.7)
