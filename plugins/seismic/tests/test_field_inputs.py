"""Files as people have them, written to order: each is read to the right numbers, or refused with its cause."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segyio
from numpy.typing import NDArray

from ssl_domains.samples import ScanResult
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.survey import Survey, examine, open_survey

from .conftest import grid_words, ibm_words, smooth

Make = Callable[..., Path]
Scan = Callable[..., ScanResult]
INLINES, CROSSLINES = range(100, 112, 2), range(300, 332, 4)
WHOLE = (slice(None),) * 3


def whole(survey: Survey) -> NDArray[Any]:
    values: NDArray[Any] = survey.volume.read(WHOLE)[0]
    return values


@pytest.mark.parametrize("kind", ["alone", "counted", "ensembles", "offsets-last", "on-a-map", "map-only"])
def test_gathers_of_four_offsets_in_a_full_grid_are_refused(make: Make, scan: Scan, kind: str) -> None:
    """Every cell has the same four offsets.

    Counting them in word 25, and the cells in word 17, makes pairs of words that number every trace once.
    """
    cells, offsets = grid_words(INLINES, CROSSLINES), (100, 200, 300, 400)
    if kind in ("on-a-map", "map-only"):
        places = [{71: -100, 181: 2500 * (k // 8), 185: 1250 * (k % 8)} for k in range(48)]
        cells = [{**cell, **place} for cell, place in zip(cells, places, strict=True)] if kind[0] == "o" else places
    words = [{**cell, 37: offset} for cell in cells for offset in offsets]
    if kind == "offsets-last":
        words = [{**cell, 37: offset} for offset in offsets for cell in cells]
    if kind in ("counted", "ensembles"):
        words = [{**given, 25: 1 + k % 4} for k, given in enumerate(words)]
    if kind == "ensembles":
        words = [{**given, 21: 1 + k // 4, 17: 1 + k // 4} for k, given in enumerate(words)]
    path = make(smooth(48, 4, 20), words)
    (refusal,) = examine(path, Reading()).refusals
    said = {"ensembles": "word 17 counts 48 records and word 25 4 channels in each"}
    said["map-only"] = "about 4 traces at each place of the map"
    counted = said.get(kind, "about 4 traces in each cell")
    assert refusal == (f"gathers before stack: {counted}, with offsets 100, 200, 300, 400; only stacked data are read")
    result = scan()
    assert len(result.samples) == 0
    assert result.problems.rows() == [(str(path), refusal)]


@pytest.mark.parametrize("places", ["map", "cdp"])
def test_a_stacked_line_whose_offset_word_counts_the_traces_is_no_gather(make: Make, places: str) -> None:
    """On the map, two traces have the same rounded x and y."""
    words = [{37: k, **({21: 500 + k} if places == "cdp" else {181: 1000 + k // 2, 185: 5000})} for k in range(60)]
    survey = examine(make(smooth(1, 60, 20), words), Reading())
    assert survey.refusals == ()
    assert survey.lines is None


def test_one_record_of_channels_is_a_gather(make: Make) -> None:
    words = [{9: 1, 13: 1 + k, 21: 500 + k, 37: 25 * k} for k in range(60)]
    (refusal,) = examine(make(smooth(1, 60, 20), words), Reading()).refusals
    assert refusal.startswith("gathers before stack: about 60 traces in each cell, with offsets from 0 to 1,475")


@pytest.mark.parametrize("code", [5, 1])
def test_a_volume_of_classes_0_and_1_is_read_by_its_code(make: Make, scan: Scan, code: int) -> None:
    """No word of 0.0 and 1.0 has a zero digit, in either type: nothing contradicts the code."""
    classes = (smooth(6, 8, 40) > 0).astype(np.float32)
    survey = open_survey(make(classes, code=code), Reading())
    assert (survey.ibm, sorted(np.unique(whole(survey)).tolist())) == (code == 1, [0.0, 1.0])
    np.testing.assert_array_equal(whole(survey), classes)
    assert len(scan().problems) == 0


def test_ibm_numbers_that_are_not_normalised_are_those_of_the_definition(make: Make) -> None:
    """6.25 is 0x42064000 here; segyio, which expects the fraction to be normalised, reads 11.125."""
    cube = smooth(6, 8, 40)
    words = ibm_words(cube)
    shifted = (words & 0xFF000000) + 0x01000000 | (words & 0x00FFFFFF) >> 4
    shifted[2, 3, 4] = 0x42064000
    path = make(cube, code=1, stored=shifted.reshape(-1, 40).astype(np.uint32))
    survey = open_survey(path, Reading())
    values = whole(survey)
    assert values[2, 3, 4] == 6.25
    with segyio.open(path) as file:
        assert segyio.tools.cube(file)[2, 3, 4] == 11.125
    exact = (shifted & 0x00FFFFFF) / 2**24 * 16.0 ** (((shifted >> 24) & 0x7F).astype(np.int64) - 64)
    np.testing.assert_array_equal(values, np.where(shifted >> 31, -exact, exact).astype(np.float32))


@pytest.mark.parametrize("kind", [0, 1])
def test_a_trace_id_of_0_is_unknown_and_not_dead(make: Make, scan: Scan, cube: NDArray[Any], kind: int) -> None:
    make(cube, [{**given, 29: kind} for given in grid_words(INLINES, CROSSLINES)])
    result = scan()
    assert result.samples.frame["live"].to_list() == [1.0] * 6
    assert not any("dead" in note for note in result.notes)
    assert len(result.problems) == 0


def test_depths_and_coordinates_in_feet_are_metres_in_the_table(make: Make, scan: Scan, cube: NDArray[Any]) -> None:
    """Steps of 10 ft in depth, bins of 82.5 × 41.25 ft on the map."""
    words = [
        {**given, 71: -100, 181: 8250 * (k // 8), 185: 4125 * (k % 8)}
        for k, given in enumerate(grid_words(INLINES, CROSSLINES))
    ]
    make(cube, words, interval=10_000, binary={3255: ("h", 2)})
    frame = scan(along="depth", patch="6x8", vertical="depth").samples.frame
    np.testing.assert_allclose(frame["depth_m"].to_numpy(), 3.048 * np.arange(40))
    np.testing.assert_allclose(frame["x_m"].to_numpy(), 2.5 * 82.5 * 0.3048)
    np.testing.assert_allclose(frame["y_m"].to_numpy(), 3.5 * 41.25 * 0.3048)
    assert "ms" not in frame.columns


def test_traces_of_a_rotated_map_without_lines_are_placed_by_their_coordinates(
    make: Make, scan: Scan, cube: NDArray[Any]
) -> None:
    """Crosslines run at 30°, 12.5 m apart; inlines are 25 m apart; every line word is 0."""
    along = np.array([np.cos(np.radians(30)), np.sin(np.radians(30))])
    across = np.array([-along[1], along[0]])
    places = [[600_000, 6_000_000] + 12.5 * x * along + 25 * i * across for i in range(6) for x in range(8)]
    words = [{71: -100, 181: round(100 * x), 185: round(100 * y)} for x, y in places]
    make(cube, words)
    result = scan(along="inline,depth", patch="8x4")
    row = next(iter(result.samples.frame.filter(along="depth").iter_rows(named=True)))
    inlines, crosslines = row["region"][:2], row["region"][2:4]
    middle = np.mean([places[8 * i + x] for i in range(*inlines) for x in range(*crosslines)], axis=0)
    np.testing.assert_allclose([row["x_m"], row["y_m"]], middle, atol=0.05)
    np.testing.assert_array_equal(whole(open_survey(row["path"], Reading())), cube)
    assert any("lines were counted from x and y" in note for note in result.notes)


def test_a_delay_that_varies_is_a_problem_that_names_both_times(make: Make, scan: Scan, cube: NDArray[Any]) -> None:
    words = [{**given, 109: 1000 + 8 * (k % 2)} for k, given in enumerate(grid_words(INLINES, CROSSLINES))]
    path = make(cube, words)
    make(cube, [{**given, 109: 1000} for given in words], name="good.sgy")
    result = scan()
    ((where, cause),) = result.problems.rows()
    assert where == str(path)
    assert cause.startswith("the start time differs between traces, from 1000 to 1008 ms (word 109; 24 of 48 traces")
    assert set(result.samples.frame["survey"]) == {"good.sgy"}
    assert result.samples.frame["ms"].unique().to_list() == [1000 + 4 * 19.5]


def test_extended_text_headers_shift_the_traces_and_are_read(make: Make, scan: Scan, cube: NDArray[Any]) -> None:
    """What a further text header says of header bytes decides as what the first one says."""
    between = "C 1 INLINE: BYTES 9-12   CROSSLINE: BYTES 21-24".ljust(3200).encode("cp037")
    words = [{**given, 9: given[193], 21: given[189]} for given in grid_words(INLINES, CROSSLINES)]
    path = make(cube, words, between=between, binary={3505: ("h", 1)})
    survey = open_survey(path, Reading())
    assert survey.grid.shape == (8, 6)
    np.testing.assert_array_equal(whole(survey), cube.transpose(1, 0, 2))
    assert any("the text header decides for words 9,21" in note for note in scan().notes)
