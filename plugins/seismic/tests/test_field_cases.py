"""Files rebuilt from public bug reports, and real surveys: each gives what it should."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segyio
from numpy.typing import NDArray

from ssl_domains.samples import ReadError
from ssl_domains_seismic.geometry.coordinates import coordinates_of, float_words
from ssl_domains_seismic.geometry.line_axis import LineAxis
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.report.header import header_report
from ssl_domains_seismic.survey import Survey, examine, open_survey

pytestmark = pytest.mark.shared_data
Case = Callable[[str], tuple[Path, dict[str, Any]]]
WHOLE = (slice(None),) * 3


@pytest.fixture
def case(shared_data: Path) -> Case:
    """File and expected values of a case."""
    folder = shared_data.parent / "cases" / "seismic"
    if not folder.is_dir():
        pytest.skip("the cases from the field are not beside the real data sets")

    def found(name: str) -> tuple[Path, dict[str, Any]]:
        said = json.loads((folder / name / "case.json").read_text(encoding="utf-8"))
        return folder / name / "a.sgy", said["expected"]

    return found


def values(survey: Survey) -> NDArray[Any]:
    whole: NDArray[Any] = survey.volume.read(WHOLE)[0]
    return whole


def test_s01_lines_at_other_words(case: Case) -> None:
    path, right = case("S01")
    survey = open_survey(path, Reading())
    assert survey.lines is not None
    assert list(survey.lines.score.words) == right["bytes"]
    assert list(survey.volume.shape) == right["shape"]
    assert (survey.grid.inline.step, survey.grid.crossline.step) == (right["il_step"], right["xl_step"])
    assert "words 9,21 (fill 100.0%; runner-up 5,21: most numbers have a single trace)" in header_report(path)


def test_s02_holes(case: Case) -> None:
    path, right = case("S02")
    survey = open_survey(path, Reading())
    read, valid = survey.volume.read(WHOLE)
    assert valid is not None
    assert (int(valid.sum()), valid.size) == (right["live"], right["cells"])
    live = read[np.broadcast_to(valid, read.shape)]
    assert float(live.astype(np.float64).mean()) == pytest.approx(right["live_mean"], rel=1e-6)


def test_s03_ieee_under_the_code_of_ibm(case: Case) -> None:
    path, right = case("S03")
    with pytest.raises(ReadError, match=r"fit IEEE better.*--samples-as ieee"):
        examine(path, Reading()).require()
    read = values(open_survey(path, Reading(samples_as="ieee")))
    assert float(read.astype(np.float64).std()) == pytest.approx(right["std_true"], rel=1e-5)


def test_s04_offsets_that_vary(case: Case) -> None:
    path, right = case("S04")
    survey = open_survey(path, Reading())
    assert list(survey.volume.shape) == right["shape"]
    assert any("offset word (37) varies" in note for note in examine(path, Reading()).notes)


@pytest.mark.parametrize("name", ["S05", "S06", "S07", "S15"])
def test_s05_to_s15_times(case: Case, name: str) -> None:
    path, right = case(name)
    survey = open_survey(path, Reading())
    assert survey.step is not None
    last = survey.start + survey.step * (survey.layout.samples - 1)
    for key, value in {"dt_ms": survey.step, "t0": survey.start, "t_last": last}.items():
        assert value == right.get(key, value)
    if name == "S15":
        assert (survey.start, last) == (-200, -84)


def test_s08_text_in_ascii(case: Case) -> None:
    path, right = case("S08")
    text = open_survey(path, Reading()).layout.text
    assert (text.encoding, text.lines[0]) == (right["encoding"], right["line1"])
    assert "text header (ASCII)" in header_report(path)


def test_s09_decreasing_lines(case: Case) -> None:
    path, right = case("S09")
    survey = open_survey(path, Reading())
    assert [survey.grid.inline.first, survey.grid.inline.last] == right["il"]
    assert [survey.grid.crossline.first, survey.grid.crossline.last] == right["xl"]
    assert [int(survey.words[byte][0]) for byte in (189, 193)] == right["first_trace_is"]
    assert float(values(survey)[0, 0, 0]) == right["value_at_il102_xl300_s0"]
    assert survey.grid.order == "sorted by inline; inline numbers decrease, crossline numbers decrease"


def test_s11_and_s12_volumes_of_labels(case: Case) -> None:
    path, right = case("S11")
    assert open_survey(path, Reading()).grid.crossline == LineAxis(2568, 2, right["volume"])
    survey = open_survey(case("S12")[0], Reading())
    assert (survey.grid.shape, survey.start) == ((3, 3), 1000)


def test_s13_scaled_coordinates(case: Case) -> None:
    path, right = case("S13")
    words = open_survey(path, Reading()).words
    assert coordinates_of(words, (181, 185), "int", False)[0, 0] == pytest.approx(right["x0"])
    assert f"the first trace is at x {right['x0']}" in header_report(path)


def test_s14_no_geometry(case: Case) -> None:
    path, right = case("S14")
    survey = open_survey(path, Reading())
    assert survey.lines is right["geometry"]
    assert survey.volume.shape == (1, right["traces"], 40)
    assert survey.choice.evidence == (
        "no candidate gives a grid, so the file is one line (2-D); words that vary: 1, 5",
    )


def test_s16_coordinates_of_source_and_cdp(case: Case) -> None:
    survey = open_survey(case("S16")[0], Reading())
    assert survey.lines is not None
    assert survey.lines.score.words == (189, 193)
    assert survey.lines.fit is None  # all traces lie on one straight line of the map


def test_s17_floats_in_words(case: Case) -> None:
    path, right = case("S17")
    words = open_survey(path, Reading()).words
    assert words.value(197) == right["as_int"]
    assert [(byte, ibm) for byte, ibm, _ in float_words(words)] == [(197, right["as_ibm"])]
    assert "word 197 looks like a float: 15 as IBM" in header_report(path)


def test_s18_little_endian(case: Case) -> None:
    path, right = case("S18")
    survey = open_survey(path, Reading())
    assert survey.layout.header.endian == right["endian"]
    assert list(survey.volume.shape) == right["shape"]


@pytest.mark.parametrize("name", ["f3.sgy", "parihaka_third.sgy"])
def test_samples_are_those_of_segyio(shared_data: Path, name: str) -> None:
    path = shared_data / "seismic" / name
    with segyio.open(path) as file:
        np.testing.assert_array_equal(values(open_survey(path, Reading())), segyio.tools.cube(file))


def test_both_byte_orders_hold_the_same_survey(shared_data: Path) -> None:
    one, other = (open_survey(shared_data / "seismic" / name, Reading()) for name in ("f3.sgy", "f3-lsb.sgy"))
    np.testing.assert_array_equal(values(one), values(other))
    assert one.lines is not None
    assert other.lines is not None
    assert one.lines.fit == other.lines.fit
    assert one.lines.fit is not None
    assert one.lines.fit.bins == pytest.approx((25, 25), abs=0.01)


def test_dead_traces_of_f3(shared_data: Path) -> None:
    path = shared_data / "seismic" / "f3-withdead.sgy"
    survey = open_survey(path, Reading())
    assert (int(survey.grid.live().sum()), survey.grid.live().size) == (239, 414)
    with segyio.open(path, ignore_geometry=True) as file:
        traces = file.trace.raw[:]
        lines = [(file.header[k][189], file.header[k][193]) for k in range(file.tracecount)]
    read, valid = survey.volume.read(WHOLE)
    assert valid is not None
    for trace, (inline, crossline) in zip(traces, lines, strict=True):
        place = inline - survey.grid.inline.first, crossline - survey.grid.crossline.first
        assert valid[place].all()
        np.testing.assert_array_equal(read[place], trace)


def test_gathers_are_refused(shared_data: Path) -> None:
    path = shared_data / "seismic" / "viking_small.segy"
    with pytest.raises(ReadError, match=r"^gathers before stack: word 9 counts 4 records and word 13 120 channels"):
        examine(path, Reading()).require()
    assert "not sampled: gathers before stack" in header_report(path)
