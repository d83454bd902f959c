"""Polygons on time slices: cells by their middles, in lines or in map coordinates, beside a slow definition."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from drawn_survey import drawn
from ssl_domains.samples import ReadError
from ssl_domains_seismic.demo.interpretation import SLICE_MS, write_polygons
from ssl_domains_seismic.demo.survey import AFFINE, CROSSLINES, INLINES, MS
from ssl_domains_seismic.labels import UNLABELLED, LabelGrid, read_polygons
from ssl_domains_seismic.labels.rasterise import cells_inside

TURNED = np.array([[20.0, -3.0, 500_000.0], [12.0, 5.0, 6_000_000.0]])
GRID = LabelGrid(np.arange(100, 120, 2), np.arange(300, 348, 4), 1000 + 4.0 * np.arange(15), TURNED)
SQUARE = [(101, 301), (111, 301), (111, 325), (101, 325), (101, 301)]
"""Inlines 102 to 110 and crosslines 304 to 324: places 1 to 5 and 1 to 6."""
HOLE = [(103, 305), (107, 305), (107, 313), (103, 313), (103, 305)]


def feature(rings: list[list[tuple[int, int]]], **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"class": 1, "time_ms": 1020, **properties},
        "geometry": {"type": "Polygon", "coordinates": rings},
    }


def written(path: Path, *features: dict[str, Any], **members: Any) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features), **members}))
    return path


def square(inlines: slice = slice(1, 6), crosslines: slice = slice(1, 7)) -> NDArray[np.bool_]:
    mask = np.zeros(GRID.shape[:2], dtype=bool)
    mask[inlines, crosslines] = True
    return mask


def test_cells_whose_middle_is_inside_are_labelled_on_one_slice(tmp_path: Path) -> None:
    got = read_polygons(written(tmp_path / "a.geojson", feature([SQUARE, HOLE], **{"class": 3})), GRID)
    mask = square()
    mask[2:4, 2:4] = False
    labels = got.labels.on(GRID)
    assert np.array_equal(labels[:, :, 5], np.where(mask, 3, UNLABELLED))
    assert (np.delete(labels, 5, 2) == UNLABELLED).all()
    assert got.axes == "inline,crossline"
    assert (got.contested, got.outside, got.others) == (0, 0, 0)


@pytest.mark.parametrize("axes", ["x,y", "crossline,inline"])
def test_axes_are_what_fits_the_survey(tmp_path: Path, axes: str) -> None:
    ring = [(TURNED @ [il, xl, 1]).tolist() if axes == "x,y" else (xl, il) for il, xl in SQUARE]
    got = read_polygons(written(tmp_path / "a.geojson", feature([ring])), GRID)
    assert got.axes == axes
    assert np.array_equal(got.labels.on(GRID)[:, :, 5] == 1, square())


def test_axes_that_fit_equally_are_asked_for(tmp_path: Path) -> None:
    grid = LabelGrid(np.arange(100, 120), np.arange(100, 120), GRID.ms)
    path = written(tmp_path / "a.geojson", feature([[(101, 105), (109, 105), (109, 117), (101, 117)]]))
    with pytest.raises(ReadError, match="may be inline,crossline or crossline,inline: both fit the survey"):
        read_polygons(path, grid)
    labels = read_polygons(path, grid, axes="crossline,inline").labels.values[..., 0]
    assert labels[10, 5] == 1
    assert labels[5, 10] == UNLABELLED


def test_polygons_of_a_multipolygon_may_overlap(tmp_path: Path) -> None:
    second = [[(il + 4, xl) for il, xl in SQUARE]]
    one = feature([SQUARE])
    one["geometry"] = {"type": "MultiPolygon", "coordinates": [[SQUARE], second]}
    got = read_polygons(written(tmp_path / "a.geojson", one), GRID)
    assert np.array_equal(got.labels.values[..., 0] == 1, square(slice(1, 8)))


def test_cells_that_two_classes_claim_are_unlabelled_and_counted(tmp_path: Path) -> None:
    shifted = [(il + 6, xl) for il, xl in SQUARE]
    for order in (1, -1):
        features = [feature([SQUARE]), feature([shifted], **{"class": 2}), feature([SQUARE])][::order]
        got = read_polygons(written(tmp_path / "a.geojson", *features), GRID)
        values = got.labels.values[..., 0]
        assert got.contested == 2 * 6
        assert np.array_equal(values == 1, square(slice(1, 4)))
        assert np.array_equal(values == 2, square(slice(6, 9)))
        assert (values[4:6] == UNLABELLED).all()


def test_times_come_from_the_polygon_the_file_or_its_name(tmp_path: Path) -> None:
    early, late = feature([SQUARE], time_ms=1009.9), feature([SQUARE], time_ms=1040)
    got = read_polygons(written(tmp_path / "a.geojson", late, early), GRID)
    assert got.labels.samples.tolist() == [2, 10]
    silent = feature([SQUARE], time_ms=None)
    assert read_polygons(written(tmp_path / "a.geojson", silent, ms=1016), GRID).labels.samples.tolist() == [4]
    assert read_polygons(written(tmp_path / "b_1028ms.geojson", silent), GRID).labels.samples.tolist() == [7]
    assert read_polygons(written(tmp_path / "c.geojson", late), GRID, ms=1000).labels.samples.tolist() == [0]
    with pytest.raises(ReadError, match="a polygon says no time: give it a property 'time_ms'"):
        read_polygons(written(tmp_path / "d.geojson", silent), GRID)
    with pytest.raises(ReadError, match="the time 990 ms is not in the survey, which has 1000 to 1056 ms"):
        read_polygons(written(tmp_path / "d.geojson", early), GRID, ms=990)
    for wrong in ("noon", [1020], 10**400):
        with pytest.raises(ReadError, match="is no number of ms"):
            read_polygons(written(tmp_path / "e.geojson", feature([SQUARE], time_ms=wrong)), GRID)


def test_classes_that_are_words_get_numbers(tmp_path: Path) -> None:
    shifted = [(il, xl + 20) for il, xl in SQUARE]
    features = [feature([SQUARE], **{"class": "salt"}), feature([shifted], **{"class": None}, name="channel")]
    path = written(tmp_path / "a.geojson", *features)
    got = read_polygons(path, GRID)
    assert got.classes == {"channel": 0, "salt": 1}
    given_numbers = read_polygons(path, GRID, classes={"channel": 7, "salt": 9})
    assert sorted(set(given_numbers.labels.values.ravel())) == [7, 9, UNLABELLED]
    with pytest.raises(ReadError, match="the class 'channel' has no number; known: salt"):
        read_polygons(path, GRID, classes={"salt": 1})


@pytest.mark.parametrize("number", [255, -1, 1.5, True, [1]])
def test_a_class_is_a_number_below_255(tmp_path: Path, number: object) -> None:
    with pytest.raises(ReadError, match="is no whole number from 0 to 254"):
        read_polygons(written(tmp_path / "a.geojson", feature([SQUARE], **{"class": number})), GRID)


def test_what_lies_outside_is_counted_or_said(tmp_path: Path) -> None:
    far = feature([[(il + 500, xl) for il, xl in SQUARE]])
    point = {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
    got = read_polygons(written(tmp_path / "a.geojson", feature([SQUARE]), far, point), GRID)
    assert (got.outside, got.others) == (1, 1)
    with pytest.raises(
        ReadError, match=r"points \(601 to 611; 301 to 325\) lie outside the survey: inlines 100 to 118"
    ):
        read_polygons(written(tmp_path / "a.geojson", far), GRID)
    with pytest.raises(ReadError, match="no polygons, and 1 other features"):
        read_polygons(written(tmp_path / "a.geojson", point), GRID)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        ("[1]", "it is no GeoJSON"),
        ('{"type": "FeatureCollection", "features": 3}', "features is no list"),
        (
            json.dumps({"type": "FeatureCollection", "features": [feature([[(1, 2), (3, 4)]])]}),
            "feature 1 is no polygon",
        ),
        (json.dumps(feature([])), "feature 1 is no polygon"),
        (json.dumps(feature([SQUARE])).replace("101", "NaN"), "feature 1 is no polygon"),
        (json.dumps(feature([SQUARE])).replace("[101, 301]", '"a"'), "feature 1 is no polygon"),
    ],
)
def test_what_is_no_geojson_is_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.geojson").write_text(text)
    with pytest.raises(ReadError, match=said):
        read_polygons(tmp_path / "a.geojson", GRID)


points = st.tuples(st.floats(-3, 12, width=32), st.floats(-3, 12, width=32))


@given(st.lists(st.lists(points, min_size=3, max_size=8), min_size=1, max_size=3))
def test_cells_inside_are_those_of_the_definition(rings: list[list[tuple[float, float]]]) -> None:
    """A ray from the cell along its row crosses the rings an odd number of times."""
    rows, columns = np.arange(0.0, 9.0, 1.5), np.arange(0.0, 10.0, 2.0)
    got = cells_inside([np.array(ring, dtype=float) for ring in rings], rows, columns)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            crossings, near = 0, False
            for ring in rings:
                for (a, b), (c, d) in zip(ring, [*ring[1:], ring[0]], strict=True):
                    if (a > row) != (c > row):
                        at = b + (row - a) / (c - a) * (d - b)
                        crossings += at > column
                        near |= abs(at - column) < 1e-9
            assert near or got[i, j] == (crossings % 2 == 1)


def test_the_polygons_of_the_demonstration_give_back_its_slice(tmp_path: Path) -> None:
    survey = drawn(0)
    write_polygons(tmp_path / "bodies.geojson", survey)
    got = read_polygons(tmp_path / "bodies.geojson", LabelGrid(INLINES, CROSSLINES, MS.astype(float), AFFINE))
    at = MS.tolist().index(SLICE_MS)
    assert got.axes == "x,y"
    assert got.labels.samples.tolist() == [at]
    facies = survey.facies[:, :, at]
    assert np.array_equal(got.labels.values[..., 0], np.where(facies >= 3, facies, UNLABELLED))
