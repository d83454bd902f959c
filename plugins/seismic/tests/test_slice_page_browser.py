"""The page of a time slice in a real browser: one clicks a place and sees what is similar to it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from PIL import Image

from ssl_domains.engine import Parts, Run, load_config, pretrain
from ssl_domains.extending import RecipeRequest
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import Composition, Objective
from ssl_domains.samples import SampleTable, ScanResult, write_table
from ssl_domains.stores import ArrayStore
from ssl_domains_seismic.preprocess import sections_for
from ssl_domains_seismic.reader import SeismicReader
from ssl_domains_seismic.slices import SliceRequest, write_slice_page
from ssl_domains_seismic.slices.features import slice_features
from ssl_domains_seismic.slices.plane import Plane
from ssl_domains_seismic.slices.samples import samples_on
from ssl_domains_seismic.slices.survey_slice import SurveySlice
from ssl_domains_seismic.views import recipe

from .conftest import grid_words, smooth

pytestmark = pytest.mark.browser

LOW, MIDDLE, HIGH = np.array([33, 102, 172]), np.array([242, 242, 242]), np.array([178, 24, 43])
"""Colours of the cosine similarities −1, 0 and 1."""


@dataclass(frozen=True)
class World:
    page: Path
    plane: Plane
    cosines: list[NDArray[np.float64]]
    """Of each run: cosine similarities ``[inline, crossline, inline, crossline]``, NaN where no sample lies."""


def trained(table: SampleTable, store: ArrayStore, out: Path, seed: int) -> Run:
    source = sections_for(table)
    settings = (
        "encoder.name=small_conv", "train.max_steps=2", "train.batch_size=16", "train.device=cpu", "head.hidden=16",
        "head.out=8", f"train.seed={seed}",
    )  # fmt: skip
    made = recipe(RecipeRequest(table, 0, 2, 1, (), source.spec))
    parts = Parts(table, store, Objective(), Composition(), made, None, SimCLR, preprocess=source)
    return pretrain(load_config(sets=settings), parts, out)


def cosines(run: Run, shown: SurveySlice, store: ArrayStore) -> NDArray[np.float64]:
    rows = samples_on(shown.rows, shown.sample, shown.places.shape)
    vectors = slice_features(
        run.encoder(), run.preprocess, rows, store, shown.sample, shown.shape, device="cpu"
    ).vectors.astype(np.float64)
    products = np.einsum("ixk,jyk->ixjy", vectors, vectors) / 127**2
    products[:, :, ~vectors.any(axis=2)] = np.nan
    return np.clip(products, -1, 1)


@pytest.fixture
def world(make: Callable[..., Path], scan: Callable[..., ScanResult], tmp_path: Path) -> World:
    """A survey whose lines run across the map; its last inline is in no sample. Two runs that differ by their seed."""
    cube = smooth(21, 30, 32)
    words = [
        {**given, 181: 1000 + 20 * (k // 30) - 6 * (k % 30), 185: 5000 + 12 * (k // 30) + 10 * (k % 30)}
        for k, given in enumerate(grid_words(range(21), range(30)))
    ]
    make(cube, words)
    frame = scan(along="inline,crossline", patch="10", stride="5").samples.frame
    table = SampleTable.of(frame.filter(~((pl.col("along") == "inline") & (pl.col("inline_bin") == 20))))
    write_table(table, tmp_path / "t.parquet")
    store = ArrayStore.fill(tmp_path / "store", table, SeismicReader())
    runs = [trained(table, store, tmp_path / f"run{seed}", seed) for seed in (0, 1)]
    request = SliceRequest(
        tmp_path / "t.parquet", 40.0, runs=(("random", runs[0].folder), ("SimCLR", runs[1].folder)), title="Two runs"
    )
    write_slice_page(request, tmp_path / "page with blanks.html")
    shown = SurveySlice.of(table, None, 40.0)
    assert shown.fit is not None
    all_rows = ArrayStore.open(tmp_path / "store", SeismicReader())
    return World(
        tmp_path / "page with blanks.html",
        Plane(shown.shape, shown.fit),
        [cosines(run, shown, all_rows) for run in runs],
    )


def colour(cosine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Colours ``[…, 3]`` of cosine similarities."""
    share = np.abs(cosine)[..., None]
    return np.asarray(MIDDLE + share * (np.where(cosine[..., None] < 0, LOW, HIGH) - MIDDLE))


def picture(figure: Any) -> NDArray[np.uint8]:
    """The picture of a panel, RGBA ``[inline, crossline, 4]``."""
    text = figure.locator("image").get_attribute("href")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text.partition(",")[2]))).convert("RGBA"))


def point_of(figure: Any, plane: Plane, inline: int, crossline: int) -> tuple[float, float]:
    """Pixels from the corner of a panel of the place of a cell, however wide the panel is shown."""
    (x, y), box = plane.page_at(np.array([float(inline)]), np.array([float(crossline)]))[0], figure.bounding_box()
    return float(x * box["width"] / plane.size[0]), float(y * box["height"] / plane.size[1])


@pytest.mark.parametrize("width", [1180, 420])
def test_a_click_shows_what_is_similar_to_the_place(open_page: Callable[..., Any], world: World, width: int) -> None:
    page = open_page(world.page, width)
    figures = page.locator("#similar svg")
    assert figures.count() == 2
    assert [text.strip() for text in page.locator("#similar figcaption b").all_inner_texts()] == ["random", "SimCLR"]
    before = [picture(figures.nth(run)) for run in (0, 1)]
    for clicked, inline, crossline in ((0, 4, 22), (1, 13, 3)):
        x, y = point_of(figures.nth(clicked), world.plane, inline, crossline)
        figures.nth(clicked).click(position={"x": x, "y": y})
        assert f"inline {inline + 1} of 21, crossline {crossline + 1} of 30" in page.locator("#where").inner_text()
        for run in (0, 1):  # also in the panel that was not clicked
            cosine, made = world.cosines[run][inline, crossline], picture(figures.nth(run))
            assert made.shape == (21, 30, 4)
            assert (made[..., 3] > 0).tolist() == np.isfinite(cosine).tolist()
            known = np.isfinite(cosine)
            np.testing.assert_allclose(made[known][:, :3], colour(cosine[known]), atol=1)
            assert (made != before[run]).any(), "the picture changes"
            before[run] = made
    assert (before[0] != before[1]).any(), "the runs differ"
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith(("data:", "file:"))] == []
    assert sum(url.startswith("file:") for url in page.requests) == 1


def test_the_colour_of_a_cell_is_painted_at_its_place_on_the_map(open_page: Callable[..., Any], world: World) -> None:
    page = open_page(world.page, 1180)
    figure = page.locator("#similar svg").nth(1)
    x, y = point_of(figure, world.plane, 4, 22)
    figure.click(position={"x": x, "y": y})
    cosine = world.cosines[1][4, 22]
    shot = np.asarray(Image.open(io.BytesIO(figure.screenshot())).convert("RGB"), dtype=float)
    for inline, crossline in ((12, 20), (8, 5), (18, 27), (2, 13)):
        column, row = (round(side) for side in point_of(figure, world.plane, inline, crossline))
        around = shot[row - 1 : row + 2, column - 1 : column + 2].reshape(-1, 3)
        off = np.abs(around - colour(cosine[inline, crossline])).max(axis=1).min()
        assert off <= 3, f"cell {inline}, {crossline}"
    assert float(cosine[4, 22]) == pytest.approx(1, abs=0.02)
