"""The page in a real browser: opened from the disk, offline."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ssl_domains.reports import write_report

pytestmark = pytest.mark.browser


def contrast(element: Any) -> float:
    """Standard deviation of the grey values inside an element, as it is painted."""
    shot = np.asarray(Image.open(io.BytesIO(element.screenshot())).convert("L"), dtype=float)
    return float(shot[4:-6, 4:-4].std())


@pytest.fixture
def page(open_page: Callable[..., Any], world: Any) -> Any:
    return open_page(write_report(world.run), 1180)


def test_nothing_is_asked_of_the_network_and_nothing_complains(page: Any) -> None:
    assert page.complaints == []
    outside = [url for url in page.requests if not url.startswith(("data:", "file:"))]
    assert outside == []
    assert sum(url.startswith("file:") for url in page.requests) == 1


def test_charts_map_and_table_can_be_seen(page: Any, tmp_path: Path) -> None:
    charts = page.locator("svg.chart")
    assert charts.count() >= 7
    for i in range(charts.count()):
        box = charts.nth(i).bounding_box()
        assert box["width"] > 100
        assert box["height"] > 50
        line = charts.nth(i).locator(".line").first.bounding_box()
        assert line["width"] > 50
    assert page.locator("#points circle").count() == 120
    assert page.locator("#points").bounding_box()["width"] > 300
    assert page.locator("#probes tbody tr").count() == 10
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot = tmp_path / "report.png"
    page.screenshot(path=shot, full_page=True)
    assert shot.stat().st_size > 50_000


def test_thumbnails_are_painted(page: Any) -> None:
    assert page.locator(".strip .thumb").count() == 8 * 8
    assert contrast(page.locator(".strip .thumb").first) > 10


def test_thumbnails_are_painted_however_large_their_sheet(browser: Any, make_world: Any, tmp_path: Path) -> None:
    world = make_world(tmp_path, channels=3, rows=84, sets=("train.epochs=0",))
    path = write_report(world.run, projection="pca")
    assert 2.2e6 < path.stat().st_size < 6e6
    page = browser.new_page()
    page.goto(path.as_uri())
    assert contrast(page.locator(".strip .thumb").first) > 10
    page.close()


def test_hovering_a_point_shows_its_sample(page: Any) -> None:
    points = page.locator("#points circle")
    points.nth(5).scroll_into_view_if_needed()
    box = points.nth(5).bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tip = page.locator("#tip")
    assert tip.is_visible()
    assert tip.locator(".thumb").bounding_box()["width"] > 40
    assert "kind: " in tip.inner_text()
    page.mouse.move(1, 1)
    assert tip.is_hidden()


def test_hovering_a_curve_shows_its_value(page: Any, world: Any) -> None:
    chart = page.locator("svg.chart").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 15, box["y"] + box["height"] / 2)
    text = page.locator("#tip").inner_text()
    assert f"step {world.run.metrics()[-1]['step']}" in text
    assert "loss: " in text


def test_another_column_recolours_the_map(page: Any) -> None:
    point = page.locator("#points circle").nth(0)
    assert page.locator("#legend").inner_text().startswith("across")
    page.select_option("#colour", label="patient")
    assert "no. 1" in page.locator("#legend").inner_text()
    page.select_option("#colour", label="split")
    assert point.get_attribute("class") == "c1"  # training


def test_it_reads_in_the_dark_and_on_paper(page: Any, reads_in_the_dark_and_on_paper: Callable[[Any], None]) -> None:
    reads_in_the_dark_and_on_paper(page)
