"""Figures of studies: everything inside its box, nothing hidden, nothing told by colour alone."""

from __future__ import annotations

import itertools
import math
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.reports.dot_plot import DotPlot, DotRow
from ssl_domains.reports.figure import MARKS, mark
from ssl_domains.reports.figures.two_scores import TwoScores, TwoScoresPoint
from ssl_domains.reports.label_curves import Curve, CurvePoint, LabelCurves, _apart

NAN = math.nan


def row(groups: tuple[float, ...], **given: object) -> DotRow:
    values = {"value": 0.02, "low": -0.01, "high": 0.05, "seeds": (0.01, 0.03)}
    return DotRow("a − b", "in words", groups=groups, **{**values, **given})  # type: ignore[arg-type]


def texts(root: ET.Element) -> list[str]:
    return ["".join(one.itertext()) for one in root.iter() if one.tag.endswith("text")]


def dots(root: ET.Element) -> list[tuple[float, float]]:
    cloud = root.findall("path[@class='cloud']")[0]
    return [(float(x), float(y)) for x, y in re.findall(r"M(-?[\d.]+) (-?[\d.]+)h0", cloud.attrib["d"])]


def test_every_group_is_a_dot_and_every_seed_a_mark() -> None:
    root = ET.fromstring(DotPlot("t", "x", (row((-0.02, 0.0, 0.01, 0.04, NAN)),)).svg())
    assert len(dots(root)) == 4
    assert len([one for one in root.findall("path[@class='seed']") if one.findall("title")]) == 2
    assert len(root.findall("path[@class='span']")) == 2  # the interval, and its entry in the legend


def test_wild_groups_are_counted_at_the_edge_and_do_not_hide_the_rest() -> None:
    calm = tuple(0.001 * i for i in range(-30, 30))
    root = ET.fromstring(DotPlot("t", "x", (row((*calm, 5.0, -7.0, -8.0)),)).svg())
    assert "1 ▸" in texts(root)
    assert "◂ 2" in texts(root)
    assert len(dots(root)) == 60
    xs = [x for x, _ in dots(root)]
    assert max(xs) - min(xs) > 150


def test_dots_at_the_same_place_are_heaped_and_stay_in_their_row() -> None:
    found = dots(ET.fromstring(DotPlot("t", "x", (row((0.01,) * 40),)).svg()))
    assert len({y for _, y in found}) > 30
    assert max(y for _, y in found) - min(y for _, y in found) < 26


def test_a_larger_difference_stands_further_right_and_zero_is_on_the_axis() -> None:
    first, second = row((0.3,), value=0.3, low=0.2, high=0.4), row((0.5,), value=0.5, low=0.4, high=0.6)
    root = ET.fromstring(DotPlot("t", "x", (first, second)).svg(600))
    spans = [re.match(r"M([\d.]+) [\d.]+H([\d.]+)", one.attrib["d"]) for one in root.findall("path[@class='span']")[:2]]
    (low, high), (low_2, high_2) = ([float(end) for end in span.groups()] for span in spans if span)
    assert low < high == low_2 < high_2
    zero = float(re.findall(r"M([\d.]+)", root.findall("path[@class='zero']")[0].attrib["d"])[0])
    assert zero < low
    assert "0" in texts(root)


def test_what_has_no_value_or_no_interval_is_not_drawn() -> None:
    assert DotPlot("t", "x", (row((0.1,), value=NAN),)).svg() == ""
    root = ET.fromstring(DotPlot("t", "x", (row((0.1,), low=NAN, high=NAN),)).svg())
    assert root.findall("path[@class='span']") == []
    assert not any("interval" in one for one in texts(root))
    root = ET.fromstring(DotPlot("t", "x", (row((0.1,), low=NAN, high=NAN), row((0.1,)))).svg())
    assert len(root.findall("path[@class='span']")) == 2
    assert "nan" not in ET.tostring(root, encoding="unicode")


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=300), st.floats(-1, 1), st.sampled_from([400, 520, 920]))
def test_the_dot_plot_stays_inside_its_box(groups: list[float], value: float, width: int) -> None:
    root = ET.fromstring(
        DotPlot("<&>", "x", (row(tuple(groups), value=value, low=value, high=value + 0.1),)).svg(width)
    )
    assert root.attrib["aria-label"] == "<&>"
    for one in root.iter("path"):
        for x in re.findall(r"[ML](-?[\d.]+) ", one.attrib["d"]):
            assert -1 <= float(x) <= width + 1


def curve(name: str, values: list[float], **given: object) -> Curve:
    points = tuple(CurvePoint(f, v, v - 0.02, v + 0.03) for f, v in zip((0.01, 0.1, 1.0), values, strict=True))
    return Curve(name, "a0", str(given.get("stroke", "")), points, bool(given.get("lead", False)))


@pytest.mark.parametrize("width", [400, 520, 920])
def test_fractions_are_the_ticks_and_stand_by_their_logarithm(width: int) -> None:
    root = ET.fromstring(LabelCurves("t", "score", (curve("rule", [0.5, 0.6, 0.7]),)).svg(width))
    ticks = {"".join(one.itertext()): float(one.attrib["x"]) for one in root.iter("text")}
    left, middle, right = ticks["1 %"], ticks["10 %"], ticks["100 %"]
    assert right - middle == pytest.approx(middle - left, abs=0.3)
    assert "rule" in texts(root)
    assert "score" in texts(root)


def test_higher_is_drawn_higher_and_missing_points_are_left_out() -> None:
    root = ET.fromstring(LabelCurves("t", "score", (curve("rule", [0.5, NAN, 0.7]),)).svg())
    path = next(one.attrib["d"] for one in root.findall("path") if one.attrib["class"].startswith("curve"))
    ys = [float(y) for y in re.findall(r"[\d.]+ ([\d.]+)", path)]
    assert len(ys) == 2
    assert ys[1] < ys[0]
    assert LabelCurves("t", "score", (curve("rule", [NAN, NAN, NAN]),)).svg() == ""


def test_floors_are_dashed_and_no_two_of_six_lines_have_a_mark_in_common() -> None:
    curves = tuple(curve(f"arm {i}", [0.1 * i, 0.1 * i, 0.1 * i], stroke="dashed" if i == 5 else "") for i in range(6))
    root = ET.fromstring(LabelCurves("t", "score", curves).svg(920))
    dashed = [one for one in root.findall("path") if one.attrib["class"] == "curve a0 dashed"]
    assert len(dashed) == 1
    shapes = {mark(shape, 0, 0, 4, "k").split(" d=")[-1] for shape in MARKS}
    assert len(shapes) == len(MARKS) == 6


def test_intervals_of_arms_stand_side_by_side() -> None:
    curves = tuple(curve(f"arm {i}", [0.5, 0.5, 0.5]) for i in range(8))
    root = ET.fromstring(LabelCurves("t", "score", curves).svg(400))
    starts = [
        re.match(r"M([\d.]+)", one.attrib["d"])
        for one in root.findall("path")
        if one.attrib["class"].startswith("whisker")
    ]
    xs = [float(one.group(1)) for one in starts if one]
    assert len(set(xs)) == 24


def test_one_fraction_is_enough_for_a_figure() -> None:
    point = CurvePoint(0.25, 0.5, NAN, NAN)
    root = ET.fromstring(LabelCurves("t", "score", (Curve("a", "a0", "", (point,)),)).svg())
    assert "25 %" in texts(root)


@given(st.lists(st.floats(0, 300), min_size=1, max_size=18))
def test_labels_are_pushed_apart_and_keep_their_order(wanted: list[float]) -> None:
    placed = _apart(sorted(wanted), 16.0, 0.0, 300.0)
    assert all(b - a >= 16.0 - 1e-6 for a, b in itertools.pairwise(placed))
    assert min(placed) >= -1e-6
    assert max(placed) <= 300.0 + 1e-6


def test_a_figure_stands_alone_with_its_colours_for_both_schemes() -> None:
    for text in (
        DotPlot("t", "x", (row((0.1,)),)).alone(),
        LabelCurves("t", "y", (curve("a", [0.1, 0.2, 0.3]),)).alone(),
    ):
        root = ET.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.attrib["width"] == root.attrib["viewBox"].split()[2]
        style = root[0].text or ""
        assert "prefers-color-scheme: dark" in style
        used = set(re.findall(r"var\((--[\w-]+)\)", style))
        assert used <= set(re.findall(r"(--[\w-]+):", style)) | {"--colour"}


def point(name: str, x: float, y: float, **given: object) -> TwoScoresPoint:
    values = {"low": y - 0.05, "high": y + 0.05, "colour": "a0"}
    return TwoScoresPoint(name, x, y, **{**values, **given})  # type: ignore[arg-type]


def test_marks_stand_where_their_two_scores_are() -> None:
    points = (point("a", 0.2, 0.5), point("b", 0.8, 0.5), point("c", 0.2, 0.9), point("no x", NAN, 0.4))
    figure = TwoScores("t", "across", "up", points)
    root = ET.fromstring(figure.svg())
    says = [one.text for one in root.iter() if one.tag.endswith("title")]
    assert says == ["a: 0.500, 0.200", "b: 0.500, 0.800", "c: 0.900, 0.200"]
    lines = [one.attrib["d"] for one in root.iter() if one.attrib.get("class") == "whisker"]
    ends = [tuple(map(float, re.fullmatch(r"M([\d.]+) ([\d.]+)V([\d.]+)", line).groups())) for line in lines]  # type: ignore[union-attr]
    (a, b, c) = ends
    assert a[0] == c[0] < b[0]  # further right is a higher first score
    assert a[1:] == b[1:]
    assert c[1] < a[1]  # further up is a higher second score
    assert all(0 <= x <= 480 and 0 <= y <= figure.height for x, *ys in ends for y in ys)
    assert {"across", "up", "a", "b", "c"} <= set(texts(root))
    assert "no x" not in texts(root)
    assert TwoScores("t", "across", "up", points[3:]).svg() == ""
