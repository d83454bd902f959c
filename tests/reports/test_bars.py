from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from ssl_domains.reports.bars import histogram, share_bar


def test_bars_are_as_high_as_their_counts_and_stay_inside() -> None:
    root = ET.fromstring(histogram("a < b", [("1", 2), ("3-4", 0), ("129-256", 8)], "samples & more"))
    bars = root.findall("rect")
    heights = [float(bar.attrib["height"]) for bar in bars]
    assert heights[0] == pytest.approx(heights[2] / 4, rel=0.01)
    assert heights[1] == 0
    width, height = (float(side) for side in root.attrib["viewBox"].split()[2:])
    assert all(0 <= float(bar.attrib["x"]) <= width - float(bar.attrib["width"]) for bar in bars)
    assert all(0 < float(text.attrib["y"]) < height for text in root.findall("text"))
    assert {"3–4", "129–", "256", "samples & more"} <= {text.text for text in root.findall("text")}


def test_nothing_to_count_is_still_a_drawing() -> None:
    assert ET.fromstring(histogram("none", [], "samples")).findall("rect") == []


@pytest.mark.parametrize(("share", "full"), [(0.0, 0), (0.5, 75), (1.0, 150), (1.7, 150), (-1, 0)])
def test_a_share_fills_its_track(share: float, full: float) -> None:
    root = ET.fromstring(share_bar('"x"', share, 0.25))
    assert float(root.findall("rect")[1].attrib["width"]) == full
    assert len(root.findall("line")) == 1
    assert not ET.fromstring(share_bar("x", share)).findall("line")
