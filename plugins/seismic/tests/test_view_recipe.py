"""Which views a table gets, in which unit, and that a recipe can be read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from scipy.fft import dct

from ssl_domains.errors import UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.inputs import Input
from ssl_domains.samples import SampleTable, ScanResult
from ssl_domains.testing import check_recipe
from ssl_domains.views import Draws, ViewRecipe
from ssl_domains_seismic.preprocess import sections_for
from ssl_domains_seismic.views import STEPS, RelativeNoise, SpectralBand, TimeShift, recipe
from ssl_domains_seismic.views.row_interval import row_intervals_ms

from .conftest import smooth

Make = Callable[..., Path]
Scan = Callable[..., ScanResult]
OF_TIME = {"time-shift", "dip", "spectral-band", "trace-dropout"}


def of(table: SampleTable, *extra: str) -> ViewRecipe:
    spec = sections_for(table).spec
    return recipe(RecipeRequest(table, 0, 2, spec.channels, extra, spec))


def names(made: ViewRecipe) -> list[str]:
    return [step.name for step in made.steps]


@pytest.mark.parametrize("along", ["inline", "crossline", "inline,crossline"])
def test_sections_have_views_along_time_and_no_other_turn(make: Make, scan: Scan, along: str) -> None:
    make(smooth(8, 8, 40))
    made = of(scan(along=along, patch="8").samples)
    assert set(names(made)) >= OF_TIME
    assert "horizontal-flip" in names(made)
    assert not {"rotate", "vertical-flip", "polarity", "colour"} & set(names(made))
    assert made.size == 8
    assert names(made)[0] == "trace-dropout", "later steps treat dropped traces as holes"


def test_time_slices_have_no_time(make: Make, scan: Scan) -> None:
    make(smooth(8, 8, 40))
    made = of(scan(along="depth", patch="8").samples)
    assert not OF_TIME & set(names(made))
    assert {"rotate", "horizontal-flip", "vertical-flip", "amplitude-scale", "relative-noise"} <= set(names(made))
    (noise,) = (step for step in made.steps if step.name == "relative-noise")
    assert noise.to_dict()["band"] is None


def test_both_kinds_have_what_holds_for_either(make: Make, scan: Scan) -> None:
    make(smooth(8, 8, 40))
    made = of(scan(along="inline,depth", patch="8").samples)
    assert names(made) == ["crop", "horizontal-flip", "amplitude-scale", "relative-noise"]


def test_polarity_comes_only_by_its_name(make: Make, scan: Scan) -> None:
    make(smooth(8, 8, 40))
    table = scan(patch="8").samples
    usual, asked = of(table), of(table, "polarity")
    assert asked.without("polarity") == usual
    images = torch.rand(8, 1, 8, 8)
    a, b = (one.device_views(images, seed=0, step=0, slots=torch.arange(8))[0].images for one in (usual, asked))
    same = (a - b).abs().amax(dim=(1, 2, 3)) < 1e-5
    opposite = (a + b - 1).abs().amax(dim=(1, 2, 3)) < 1e-5
    assert (same ^ opposite).all()
    assert opposite.any()
    with pytest.raises(UsageError, match="polaritty") as caught:
        of(table, "polaritty")
    assert "polarity" in caught.value.hint


def test_bands_are_in_hz_where_the_time_between_rows_is_known(make: Make, scan: Scan, tmp_path: Path) -> None:
    def band(table: SampleTable) -> SpectralBand:
        (step,) = (step for step in of(table).steps if isinstance(step, SpectralBand))
        return step

    make(smooth(8, 8, 40), interval=4000)
    assert band(scan(patch="8").samples).interval_ms == pytest.approx(4.0)
    assert band(scan(patch="8").samples).high[1] > 1
    assert band(scan(patch="8").samples).reason
    make(smooth(8, 8, 40), interval=500)  # a high-resolution survey has frequencies of its own
    assert band(scan(patch="8").samples).interval_ms is None
    assert band(scan(patch="8").samples).high[1] == 1
    make(smooth(8, 8, 40), interval=4000)
    assert band(scan(patch="8", vertical="depth").samples).interval_ms is None
    np.save(tmp_path / "b.npy", smooth(8, 8, 40))
    assert band(scan(patch="8").samples).interval_ms is None, "a volume without times is among them"


def test_the_time_between_rows(make: Make, scan: Scan, tmp_path: Path) -> None:
    make(smooth(8, 8, 40), interval=4000, name="a.sgy")
    table = scan(patch="8").samples
    assert row_intervals_ms(table, 8) == (4.0, 4.0)
    assert row_intervals_ms(table, 16) == (2.0, 2.0), "8 samples in 16 rows"
    assert row_intervals_ms(scan().samples, 128) == (1.25, 1.25), "40 samples in 128 rows"
    make(smooth(8, 8, 40, 1), interval=2000, name="b.sgy")
    assert row_intervals_ms(scan(patch="8").samples, 8) == (2.0, 4.0)
    assert row_intervals_ms(scan(along="inline,depth", patch="8").samples, 8) is None, "time slices are among them"
    make(smooth(8, 8, 40, 1), interval=0, name="b.sgy")
    assert row_intervals_ms(scan(patch="8").samples, 8) is None, "a survey without times is among them"


def mixed(make: Make, scan: Scan) -> tuple[SampleTable, ViewRecipe]:
    """Patches of 8 × 8 of two surveys, of 2 and of 4 ms."""
    make(smooth(8, 8, 40), interval=4000, name="four.sgy")
    make(smooth(8, 8, 40, 1), interval=2000, name="two.sgy")
    table = scan(patch="8").samples
    assert dict(table.frame.select("survey", "span_ms").unique().iter_rows()) == {"four.sgy": 32.0, "two.sgy": 16.0}
    return table, of(table)


def test_frequencies_are_in_hz_by_sample_where_surveys_have_other_intervals(make: Make, scan: Scan) -> None:
    """The same filter in Hz is 0.5 of Nyquist for rows of 4 ms (125 Hz) and 0.25 for rows of 2 ms (250 Hz)."""
    _, made = mixed(make, scan)
    assert made.columns == ("span_ms",)
    (usual,) = (step for step in made.steps if isinstance(step, SpectralBand))
    assert (usual.interval_ms, usual.span) == (None, "span_ms")
    band = replace(usual, low=(0.0, 0.0), high=(62.5, 62.5), p=1.0)
    wave = 0.5 + 0.4 * torch.cos(torch.pi * (torch.arange(64) + 0.5) * 40 / 64)  # 0.625 of Nyquist, in 64 rows
    images = wave[None, None, :, None].expand(3, 1, 64, 64).contiguous()
    columns = {"span_ms": torch.tensor([4.0 * 64, 2.0 * 64, torch.nan], dtype=torch.float64)}
    parameters = band.parameters(Draws(0, 0, torch.arange(3), 0, "spectral-band"), 64)
    assert parameters["high"].tolist() == [62.5] * 3
    filtered, _ = band.device(images, None, parameters, columns)
    left = (filtered - 0.5).square().mean(dim=(1, 2, 3)).sqrt() / (images - 0.5).square().mean(dim=(1, 2, 3)).sqrt()
    # 78 Hz of 4 ms lie in the edge from 62.5 to 83 Hz; 156 Hz of 2 ms lie above it.
    edge = (1 - np.cos(np.pi * (4 / 3 - 0.625 / 0.5) / (1 / 3))) / 2
    np.testing.assert_allclose(left.tolist(), [edge, 0.0, 1.0], atol=1e-4)


def test_one_shift_in_ms_is_half_as_many_rows_of_twice_the_interval(make: Make, scan: Scan) -> None:
    _, made = mixed(make, scan)
    (usual,) = (step for step in made.steps if isinstance(step, TimeShift))
    assert (usual.ms, usual.span) == ((-1.6, 1.6), "span_ms"), "a tenth of the height of the survey of 2 ms"
    shift = replace(usual, ms=(8.0, 8.0), p=1.0)
    column = torch.linspace(0.2, 0.8, 8)
    images = column[None, None, :, None].expand(3, 1, 8, 8).contiguous()
    columns = {"span_ms": torch.tensor([32.0, 16.0, torch.nan], dtype=torch.float64)}
    recipe = ViewRecipe((shift,), 8, views=1)
    (view,) = recipe.device_views(images, seed=0, step=0, slots=torch.arange(3), columns=columns)
    for number, rows in enumerate((2, 4, 0)):
        shown = view.images[number, 0, rows:, 0]
        np.testing.assert_allclose(shown.tolist(), column[: 8 - rows].tolist(), atol=1e-6)
        assert view.mask is not None
        assert view.mask[number, 0, :, 0].tolist() == [False] * rows + [True] * (8 - rows)


def test_noise_of_a_band_is_in_hz_by_sample(make: Make, scan: Scan) -> None:
    """Noise up to 31.25 Hz has nothing above 0.25 (4/3 of it with the edge) of Nyquist of 4 ms, half of it at 2 ms."""
    _, made = mixed(make, scan)
    (usual,) = (step for step in made.steps if isinstance(step, RelativeNoise))
    noise = replace(usual, band=(0.0, 31.25), ratio=(0.2, 0.2), p=1.0)
    images = torch.full((3, 1, 64, 64), 0.6)
    columns = {"span_ms": torch.tensor([4.0 * 64, 2.0 * 64, torch.nan], dtype=torch.float64)}
    parameters = noise.parameters(Draws(0, 0, torch.arange(3), 0, "relative-noise"), 64)
    noisy, _ = noise.device(images, None, parameters, columns)
    added = dct((noisy - images)[:, 0].numpy(), axis=1, norm="ortho")
    power = (added**2).mean(axis=2)
    for number, share in enumerate((0.25, 0.125)):
        assert power[number, int(np.ceil(64 * share * 4 / 3)) :].max() < 1e-8
        assert power[number, : int(64 * share)].min() > 1e-6
    assert power[2].min() > 1e-6, "where the time isn't known, the noise is white"
    np.testing.assert_allclose((noisy - images).square().mean(dim=(1, 2, 3)).sqrt(), 0.02, rtol=0.1)


def test_steps_by_sample_are_those_of_the_reference(make: Make, scan: Scan) -> None:
    _, made = mixed(make, scan)
    rng = np.random.default_rng(0)
    steps = [step for step in made.steps if "span_ms" in step.columns]
    assert [step.name for step in steps] == ["spectral-band", "time-shift", "relative-noise"]
    for step in steps:
        recipe = ViewRecipe((replace(step, p=1.0),), 8, views=1)  # type: ignore[call-arg, type-var]
        for slot, span in enumerate((32.0, 16.0, float("nan"))):
            image = rng.uniform(0.3, 0.7, (8, 8, 1)).astype(np.float32)
            one = recipe.cpu_view(image, seed=0, step=0, slot=slot, columns={"span_ms": span})
            (other,) = recipe.device_views(
                torch.from_numpy(image.transpose(2, 0, 1))[None], seed=0, step=0, slots=torch.tensor([slot]),
                columns={"span_ms": torch.tensor([span], dtype=torch.float64)},
            )  # fmt: skip
            np.testing.assert_allclose(one.images, other.images, atol=1e-5)
            assert (one.images != torch.from_numpy(image.transpose(2, 0, 1))[None]).any() == (
                np.isfinite(span) or step.name == "relative-noise"
            )


def test_time_slices_and_depths_cover_no_time(make: Make, scan: Scan) -> None:
    make(smooth(8, 8, 40))
    frame = scan(along="inline,depth", patch="8x4").samples.frame
    assert frame.filter(along="depth")["span_ms"].null_count() == len(frame.filter(along="depth")) > 0
    assert frame.filter(along="inline")["span_ms"].unique().to_list() == [32.0]
    assert "span_ms" not in scan(vertical="depth", patch="8").samples.columns


@pytest.mark.parametrize("along", ["inline", "depth", "inline,depth"])
def test_the_recipe_keeps_the_contract(make: Make, scan: Scan, along: str) -> None:
    make(smooth(8, 16, 40))
    made = of(scan(along=along, patch="8").samples, "polarity")
    images = torch.rand(5, 1, 8, 8)
    valid = torch.ones((5, 1, 8, 8), dtype=torch.bool)
    valid[2, :, :, 5:] = False
    check_recipe(made, Input(images, valid))
    check_recipe(made.variant("local", 4), Input(images))


@pytest.mark.parametrize("along", ["inline", "depth", "inline,depth"])
def test_a_recipe_is_read_back_from_what_a_run_writes(make: Make, scan: Scan, along: str) -> None:
    make(smooth(8, 8, 40))
    made = of(scan(along=along, patch="8").samples, "polarity")
    written = json.loads(json.dumps(made.to_dict()))
    assert ViewRecipe.from_dict(written, STEPS) == made
    assert set(STEPS) >= OF_TIME | {"polarity", "amplitude-scale", "relative-noise"}


def test_every_step_has_its_reason(make: Make, scan: Scan) -> None:
    make(smooth(8, 8, 40))
    for along in ("inline", "depth", "inline,depth"):
        reasons = [reason for _, _, reason in of(scan(along=along, patch="8").samples, "polarity").rows()]
        assert all(len(reason) > 20 for reason in reasons)
        assert len(set(reasons)) == len(reasons)


def test_a_table_that_says_no_axis_is_one_of_sections() -> None:
    table = SampleTable.of(pl.DataFrame({"survey": ["a", "b"]}))
    made = recipe(RecipeRequest(table, 16))
    assert set(names(made)) >= OF_TIME
    assert made.size == 16
