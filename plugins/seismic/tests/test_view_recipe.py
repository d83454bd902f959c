"""Which views a table gets, in which unit, and that a recipe can be read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from ssl_domains.errors import UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.inputs import Input
from ssl_domains.samples import SampleTable, ScanResult
from ssl_domains.testing import check_recipe
from ssl_domains.views import ViewRecipe
from ssl_domains_seismic.preprocess import sections_for
from ssl_domains_seismic.views import STEPS, SpectralBand, recipe
from ssl_domains_seismic.views.row_interval import row_interval_ms

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


def test_the_time_between_rows(make: Make, scan: Scan) -> None:
    make(smooth(8, 8, 40), interval=4000, name="a.sgy")
    table = scan(patch="8").samples
    assert row_interval_ms(table, 8) == pytest.approx(4.0)
    assert row_interval_ms(table, 16) == pytest.approx(2.0), "8 samples in 16 rows"
    assert row_interval_ms(scan().samples, 128) is None, "whole sections all have their middle at one time"
    make(smooth(8, 8, 40, 1), interval=4000, name="b.sgy")
    assert row_interval_ms(scan(patch="8").samples, 8) == pytest.approx(4.0)
    make(smooth(8, 8, 40, 1), interval=2000, name="b.sgy")
    assert row_interval_ms(scan(patch="8").samples, 8) is None, "two surveys, 2 and 4 ms"


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
