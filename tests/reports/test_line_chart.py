from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.reports.line_chart import LineChart, Series, nice_ticks


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 8))
def test_ticks_span_the_values_and_are_few(low: float, span: float, count: int) -> None:
    ticks = nice_ticks(low, low + span, count)
    step = ticks[1] - ticks[0]
    assert ticks[0] <= low + 1e-6 * step
    assert ticks[-1] >= low + span - 1e-6 * step
    assert len(ticks) <= count + 2


def test_steps_are_whole_numbers() -> None:
    assert nice_ticks(1, 3, 5, whole=True) == [1, 2, 3]
    assert all(float(tick).is_integer() for tick in nice_ticks(1, 97, 5, whole=True))


def test_missing_and_infinite_values_are_left_out() -> None:
    series = Series.of("a", [1, 2, 3, 4], [0.5, None, math.nan, math.inf])
    assert series.points == ((1.0, 0.5),)
    assert LineChart("t", "", (Series.of("a", [1], [None]),)).empty
    assert LineChart("t", "", ()).last is None


@pytest.mark.parametrize("values", [[0.3], [2.0, 2.0, 2.0], [0.0, 0.0], [1e-6, 3e-4], [-5.0, 12345.0], [1.0, 2.0]])
def test_the_drawing_is_well_formed_and_inside_its_box(values: list[float]) -> None:
    chart = LineChart("a < b & c", "", (Series.of("x\"<'", list(range(len(values))), values),))
    root = ET.fromstring(chart.svg())
    assert root.attrib["aria-label"] == "a < b & c"
    (series,) = json.loads(root.attrib["data-series"])
    assert [point[1] for point in series["points"]] == values
    for _, _, x, y in series["points"]:
        assert 0 <= x <= chart.width
        assert 0 <= y <= chart.height
    assert root.findall("path") or root.findall("circle")


def test_all_zeros_stand_on_an_axis_from_zero() -> None:
    svg = LineChart("t", "", (Series.of("a", [0, 1], [0.0, 0.0]),), from_zero=True).svg()
    assert "−" not in svg
    assert ">1</text>" in svg


def test_higher_is_drawn_higher() -> None:
    root = ET.fromstring(LineChart("t", "", (Series.of("a", [0, 1], [1.0, 3.0]),)).svg())
    (series,) = json.loads(root.attrib["data-series"])
    assert series["points"][1][3] < series["points"][0][3]
