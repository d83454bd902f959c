"""The demonstration's interpretation is a part of the exact facies, in each of its forms."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from drawn_survey import drawn
from ssl_domains_seismic.demo.interpretation import (
    SECTION_INLINE,
    SLICE_MS,
    write_horizon,
    write_polygons,
    write_section,
)
from ssl_domains_seismic.demo.outlines import outlines
from ssl_domains_seismic.demo.survey import AFFINE, CROSSLINES, INLINES, MS, Survey


@pytest.fixture(scope="module")
def survey() -> Survey:
    return drawn(0)


def test_the_section_is_one_inline_with_a_palette(survey: Survey, tmp_path: Path) -> None:
    write_section(tmp_path / "section.png", survey)
    with Image.open(tmp_path / "section.png") as picture:
        assert picture.mode == "P"
        assert picture.size == (CROSSLINES.size, MS.size)
        pixels = np.array(picture)
        colours = np.array(picture.convert("RGB"))
    at = INLINES.tolist().index(SECTION_INLINE)
    live = survey.live[at]
    assert np.array_equal(pixels.T[live], survey.facies[at][live])
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) >= 5


def test_the_horizon_follows_one_layer(survey: Survey, tmp_path: Path) -> None:
    write_horizon(tmp_path / "horizon.txt", survey, np.random.default_rng(0))
    lines = (tmp_path / "horizon.txt").read_text().splitlines()
    assert lines[2] == "#End_of_Horizon_ASCII_Header_"
    assert lines[-1] == "EOD"
    table = np.array([[float(word) for word in line.split()] for line in lines[3:-1]])
    assert table.shape == (INLINES.size * CROSSLINES.size, 5)
    assert lines[3].split()[0] == "200.0"
    assert table[1, 0] == 202, "crossline by crossline"
    assert np.abs(table[:, 2:4] - (AFFINE @ np.c_[table[:, :2], np.ones(len(table))].T).T).max() < 0.006
    row, column = np.searchsorted(INLINES, table[:, 0]), np.searchsorted(CROSSLINES, table[:, 1])
    undefined = table[:, 4] == 1e30
    assert undefined[~survey.live[row, column]].all()
    assert 0.01 < undefined[survey.live[row, column]].mean() < 0.06
    assert np.abs(table[~undefined, 4] - survey.horizon[row, column][~undefined]).max() < 0.001
    assert MS[0] < table[~undefined, 4].min() < table[~undefined, 4].max() < MS[-1]


def test_the_horizon_is_a_strong_reflection(survey: Survey) -> None:
    """The mean absolute amplitude at the horizon, beside that 5 samples above."""
    near = np.abs(survey.stacks["near"])
    row, column = np.nonzero(np.isfinite(survey.horizon))
    sample = np.rint((survey.horizon[row, column] - MS[0]) / 4).astype(int)
    inside = (sample >= 5) & (sample < MS.size)
    row, column, sample = row[inside], column[inside], sample[inside]
    assert near[row, column, sample].mean() > 1.15 * near[row, column, sample - 5].mean()


def test_polygons_lie_on_a_time_slice_in_map_coordinates(survey: Survey, tmp_path: Path) -> None:
    write_polygons(tmp_path / "bodies.geojson", survey)
    features = json.loads((tmp_path / "bodies.geojson").read_text())["features"]
    assert {feature["properties"]["time_ms"] for feature in features} == {SLICE_MS}
    area: dict[int, float] = {3: 0.0, 4: 0.0}
    for feature in features:
        rings = [np.array(ring) for ring in feature["geometry"]["coordinates"]]
        for place, ring in enumerate(rings):
            x, y = (ring - ring[0]).T
            signed = float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2)
            assert (signed > 0) == (place == 0), "outer rings are counter-clockwise, holes clockwise"
            assert ring[0].tolist() == ring[-1].tolist()
            area[feature["properties"]["class"]] += signed
    at = MS.tolist().index(SLICE_MS)
    for number, square_metres in area.items():
        cells = int((survey.facies[:, :, at] == number).sum())
        assert cells > 100
        assert square_metres / (25 * 12.5) == pytest.approx(cells, rel=1e-3)


def filled(polygons: list[list[list[tuple[int, int]]]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Cells inside an odd number of rings, by the definition."""
    out = np.zeros(shape, dtype=bool)
    for polygon in polygons:
        for ring in polygon:
            for (row, column), (below, right) in pairwise(ring):
                if column == right:
                    out[min(row, below) : max(row, below), :column] ^= True
    return out


@given(arrays(bool, st.tuples(st.integers(1, 7), st.integers(1, 7))))
def test_outlines_cover_exactly_the_cells_of_the_mask(mask: NDArray[np.bool_]) -> None:
    polygons = outlines(mask)
    assert np.array_equal(filled(polygons, mask.shape), mask)
    for polygon in polygons:
        alone = filled([polygon], mask.shape)
        assert np.array_equal(alone & mask, alone), "a polygon and its holes cover cells of the mask only"


def test_a_hole_belongs_to_the_polygon_around_it() -> None:
    mask = np.ones((7, 7), dtype=bool)
    mask[1:6, 1:6] = False
    mask[3, 3] = True
    polygons = outlines(mask)
    assert sorted(len(polygon) for polygon in polygons) == [1, 2]
