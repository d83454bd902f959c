"""Horizon text of many exporters: columns by what fits, header and footer passed over, every row accounted for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from drawn_survey import drawn
from ssl_domains.samples import ReadError
from ssl_domains_seismic.demo.interpretation import write_horizon
from ssl_domains_seismic.demo.survey import AFFINE, CROSSLINES, INLINES, MS
from ssl_domains_seismic.labels import UNLABELLED, LabelGrid, read_horizon, zones

TURNED = np.array([[20.0, -3.0, 500_000.0], [12.0, 5.0, 6_000_000.0]])
GRID = LabelGrid(np.arange(100, 120, 2), np.arange(300, 348, 4), np.arange(1000.0, 1400.0, 4.0), TURNED)
LOCAL = LabelGrid(GRID.inlines, GRID.crosslines, GRID.ms)

Picks = list[tuple[int, int, float]]


@pytest.fixture
def picks() -> Picks:
    """One time for each cell but the last three, in a random order."""
    rng = np.random.default_rng(0)
    cells = [(int(il), int(xl)) for il in GRID.inlines for xl in GRID.crosslines][:-3]
    times = rng.uniform(1050, 1350, len(cells)).round(2)
    return [(*cells[place], float(times[place])) for place in rng.permutation(len(cells))]


def place(il: float, xl: float) -> tuple[float, float]:
    x, y = TURNED @ [il, xl, 1]
    return float(x), float(y)


def expected(picks: Picks) -> NDArray[np.float64]:
    times = np.full(GRID.shape[:2], np.nan)
    for il, xl, time in picks:
        times[(il - 100) // 2, (xl - 300) // 4] = time
    return times


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


EXPORTS = {
    "lines, x, y, time": "{il}.0 {xl}.0 {x:.2f} {y:.2f} {time}",
    "x and y first": "{x:.2f} {y:.2f} {xl} {il} {time}",
    "time first": "{time} {il} {xl}",
    "coordinates only": "{x:.2f} {y:.2f} {time}",
    "words between": "INLINE :   {il} XLINE :   {xl}   {x:.3f} {y:.3f}  {time}",
    "named rows": '"Top reservoir" {il}.00 {xl}.00 {time} m',
    "commas": "{il},{xl},{time}",
    "commas and spaces": "{il}, {xl}, {time}",
    "semicolons and decimal commas": "{il},0;{xl},0;{comma}",
    "decimal commas": "{il},0 {xl},0 {comma}",
    "seconds": "{il} {xl} {seconds:.5f}",
    "upwards": "{il} {xl} -{time}",
    "a running number": "{number} {il} {xl} {time}",
    "lines stored twice": "{il} {il} {xl} {time} {xl}",
}


@pytest.mark.parametrize("form", EXPORTS.values(), ids=EXPORTS.keys())
def test_columns_are_recognised(tmp_path: Path, picks: Picks, form: str) -> None:
    rows = []
    for number, (il, xl, time) in enumerate(picks, 5000):
        x, y = place(il, xl)
        comma = f"{time}".replace(".", ",")
        rows.append(form.format(il=il, xl=xl, x=x, y=y, time=time, seconds=time / 1000, comma=comma, number=number))
    path = written(tmp_path / "top.txt", ["# Exported 2021 by 3 people", "", *rows, "EOD"])
    horizon = read_horizon(path, GRID)
    assert np.allclose(horizon.times, expected(picks), atol=1e-6, equal_nan=True)
    assert (horizon.picks, horizon.undefined, horizon.outside, horizon.beyond, horizon.repeated) == (117, 0, 0, 0, 0)
    assert horizon.skipped == 2
    assert horizon.sentence() == "117 picks, 2 lines skipped"


def test_every_row_is_accounted_for(tmp_path: Path) -> None:
    rows = [
        "100 300 1100", "100 304 1e30", "100 308 -999.25", "102 300 null", "102 304 ****", "102 308 9999900.0",
        "104 300 1200.5", "104 300 1180", "104 300 1190",
        "101 300 1100", "104 302 1100", "500 300 1100", "101 300 1e30",
        "106 300 900", "106 304 1397.9", "106 308 1398.1",
    ]  # fmt: skip
    horizon = read_horizon(written(tmp_path / "top.txt", ["inline crossline twt", *rows]), LOCAL)
    assert horizon.picks == 3
    assert horizon.undefined == 6
    assert horizon.outside == 3
    assert horizon.beyond == 2
    assert horizon.repeated == 2
    assert horizon.picks + horizon.undefined + horizon.outside + horizon.beyond + horizon.repeated == len(rows)
    assert horizon.times[0, 0] == 1100
    assert horizon.times[2, 0] == 1180, "the earliest of three, whatever their order"
    assert horizon.times[3, 1] == 1397.9, "half a sample after the last one"
    assert horizon.sentence() == (
        "3 picks, 6 undefined, 3 outside the survey, 2 before or after its samples, 2 of cells that have an earlier "
        "one, 1 line skipped"
    )


def test_lines_of_hundreds_of_numbers_are_no_picks(tmp_path: Path, picks: Picks) -> None:
    """More of them than picks, so that they would be the commonest lines."""
    long = " ".join(["0.5"] * 201)
    rows = [f"{il} {xl} {time}" for il, xl, time in picks]
    horizon = read_horizon(written(tmp_path / "top.txt", [*rows, *[long] * 300]), GRID)
    assert np.allclose(horizon.times, expected(picks), atol=1e-6, equal_nan=True)
    assert (horizon.picks, horizon.skipped) == (117, 300)
    with pytest.raises(ReadError, match=r"none of its 300 lines has 3 numbers \(and 200 words at most\)"):
        read_horizon(written(tmp_path / "top.txt", [long] * 300), GRID)


def test_picks_by_coordinates_go_to_the_nearest_cell(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    points = [(il + rng.uniform(-0.95, 0.95), xl + rng.uniform(-1.9, 1.9)) for il in (100, 108) for xl in (304, 340)]
    rows = ["{:.2f} {:.2f} {:.1f}".format(*place(*point), 1100 + number) for number, point in enumerate(points)]
    rows.append("{:.2f} {:.2f} 1200".format(*place(97.5, 300)))
    horizon = read_horizon(written(tmp_path / "top.txt", rows), GRID)
    assert horizon.columns.lines is None
    assert [horizon.times[0, 1], horizon.times[0, 10], horizon.times[4, 1], horizon.times[4, 10]] == [
        1100,
        1101,
        1102,
        1103,
    ]
    assert (horizon.picks, horizon.outside) == (4, 1)


SQUARE = LabelGrid(np.arange(100, 110), np.arange(100, 110), GRID.ms)


def both_ways(picks: list[tuple[int, int]], form: str) -> list[str]:
    return [form.format(a=a, b=b, time=1100 + number) for number, (a, b) in enumerate(picks)]


def test_two_choices_that_fit_equally_are_an_error_that_says_what_to_name(tmp_path: Path) -> None:
    rows = both_ways([(100, 105), (101, 103), (104, 109)], "{a} {b} {time}")
    path = written(tmp_path / "top.txt", rows)
    with pytest.raises(ReadError, match="columns 1 and 2 or 2 and 1 may be inline and crossline: both fit the survey"):
        read_horizon(path, SQUARE)
    first = read_horizon(path, SQUARE, columns=["inline", "crossline", "time"])
    second = read_horizon(path, SQUARE, columns=["crossline", "inline", "time"])
    assert first.times[0, 5] == 1100
    assert np.array_equal(first.times, second.times.T, equal_nan=True)


def test_names_of_columns_decide_between_equals(tmp_path: Path) -> None:
    rows = both_ways([(100, 105), (101, 103), (104, 109)], "{a} {b} {time}")
    horizon = read_horizon(written(tmp_path / "top.txt", ["# CDP Inline Z", *rows]), SQUARE)
    assert horizon.times[5, 0] == 1100


def test_coordinates_decide_between_equals(tmp_path: Path) -> None:
    turned = np.array([[25.0, 0.0, 1000.0], [0.0, 12.5, 90_000.0]])
    grid = LabelGrid(SQUARE.inlines, SQUARE.crosslines, SQUARE.ms, turned)
    rows = []
    for number, (il, xl) in enumerate([(100, 105), (101, 103), (104, 109)]):
        x, y = turned @ [il, xl, 1]
        rows.append(f"{xl} {il} {x} {y} {1100 + number}")
    horizon = read_horizon(written(tmp_path / "top.txt", rows), grid)
    assert horizon.columns.lines == (1, 0)
    assert horizon.columns.coordinates == (2, 3)
    assert horizon.times[0, 5] == 1100


@pytest.mark.parametrize(
    ("lines", "grid", "said"),
    [
        (["a text", "without numbers"], GRID, "none of its 2 lines has 3 numbers"),
        (["1 2"], GRID, "none of its 1 lines has 3 numbers"),
        (["900 300 1100", "902 304 1100"], LOCAL, r"\(inlines 100 to 118, crosslines 300 to 344\); .* 900 to 902"),
        (["100 300 5000", "102 304 6000"], LOCAL, "no column has times within those of the survey, 1000 to 1396 ms"),
        (["100 300 1e30", "102 304 1e30"], LOCAL, "no column has times"),
        (["100 300 1100 1200", "102 304 1105 1210"], LOCAL, "columns 3 or 4 may be time: both fit"),
    ],
)
def test_what_does_not_fit_is_said_with_the_numbers(
    tmp_path: Path, lines: list[str], grid: LabelGrid, said: str
) -> None:
    with pytest.raises(ReadError, match=said) as error:
        read_horizon(written(tmp_path / "top.txt", lines), grid)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["inline", "crossline"], "2 columns are named and it has 3"),
        (["inline", "crossline", "depht"], "'depht' is no column"),
        (["inline", "-", "time"], "need time, and inline and crossline or x and y"),
        (["time", "crossline", "inline"], "no two of its columns are lines"),
    ],
)
def test_named_columns_are_checked(tmp_path: Path, columns: list[str], said: str) -> None:
    path = written(tmp_path / "top.txt", ["100 300 1100", "102 304 1200"])
    with pytest.raises(ReadError, match=said):
        read_horizon(path, LOCAL, columns=columns)


def test_coordinates_that_look_like_lines_in_a_few_rows_stay_coordinates(tmp_path: Path) -> None:
    """Local coordinates of a few hundred metres: those of the first row are an inline and a crossline too."""
    turned = np.array([[12.5, 0.0, -1150.0], [0.0, 6.25, -1575.0]])
    grid = LabelGrid(GRID.inlines, GRID.crosslines, GRID.ms, turned)
    rows = []
    for il in grid.inlines:
        for xl in grid.crosslines:
            x, y = turned @ [il, xl, 1]
            rows.append(f"{x} {y} {1000 + x / 2 + y / 5}")
    horizon = read_horizon(written(tmp_path / "top.txt", rows), grid)
    assert horizon.columns.lines is None
    assert horizon.picks == 120


def test_the_horizon_of_the_demonstration_is_read_as_it_was_meant(tmp_path: Path) -> None:
    survey = drawn(0)
    write_horizon(tmp_path / "top.txt", survey, np.random.default_rng(0))
    horizon = read_horizon(tmp_path / "top.txt", LabelGrid(INLINES, CROSSLINES, MS.astype(float), AFFINE))
    assert horizon.picks + horizon.undefined == INLINES.size * CROSSLINES.size
    picked = np.isfinite(horizon.times)
    assert picked.sum() == horizon.picks > 11_000
    assert np.abs(horizon.times - survey.horizon)[picked].max() < 0.001
    assert not picked[~survey.live].any()
    assert horizon.columns.coordinates == (2, 3)


def test_zones_count_the_horizons_above() -> None:
    grid = LabelGrid(np.array([1, 2]), np.array([5]), np.arange(0.0, 40.0, 4.0))
    upper, lower = np.array([[8.0], [10.0]]), np.array([[20.0], [np.nan]])
    labels = zones([lower, upper], grid)
    assert labels.values[0, 0].tolist() == [0, 0, 1, 1, 1, 2, 2, 2, 2, 2]
    assert set(labels.values[1, 0]) == {UNLABELLED}, "where one horizon is not known, no zone is"


@pytest.mark.shared_data
def test_the_field_case_has_six_picks_and_one_undefined(shared_data: Path) -> None:
    case = shared_data.parent / "cases" / "seismic" / "S12"
    if not case.is_dir():
        pytest.skip("the folder of cases is not beside the data sets")
    wanted = json.loads((case / "case.json").read_text())["expected"]
    grid = LabelGrid(np.array([100, 102, 104]), np.array([300, 304, 308]), 1000 + 4.0 * np.arange(30))
    horizon = read_horizon(case / "ijxyz.txt", grid)
    assert (horizon.picks, horizon.undefined) == (wanted["picks"], wanted["undefined"]) == (6, 1)
    assert horizon.skipped == 3
    assert horizon.times[0, 0] == 1010.5
    assert horizon.times[2, 2] == 1015.0
    assert np.isnan(horizon.times[1, 1])
