"""The page on pairs in a real browser: opened from the disk, offline."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from ssl_domains.engine import load_config
from ssl_domains.engine.loop.pair_plan import plan_pairs
from ssl_domains.pairs import Composition, parse
from ssl_domains.pairs.inspection.advice import advise
from ssl_domains.reports.pair_sheet import Pictured, write_pair_sheet
from ssl_domains.samples import SampleTable
from ssl_domains.views import Scaling

pytestmark = pytest.mark.browser


class BarReader:
    """A bar that moves and tilts with the row."""

    version = "1"

    def scan(self, source: Path, **options: Any) -> Any:
        raise AssertionError("the table is made by hand")

    def load(self, row: Any) -> Any:
        number = int(row["sample"])
        y, x = np.mgrid[:40, :40]
        bar = np.abs(x - 20 + (y - 20) * (number % 5 - 2) / 4 - number % 7) < 4
        return np.stack([bar * 200, bar * (number * 5 % 255), ~bar * 90], axis=2).astype(np.uint8)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = 90
    frame = pl.DataFrame(
        {
            "sample": [str(k) for k in range(rows)],
            "patient": ["rather-long-identifier-of-a-patient" * 2 if k < 3 else f"p{k // 3}" for k in range(rows)],
            "mm": [None if k % 17 == 0 else k * 1.25 for k in range(rows)],
            "scanner": ["AB"[k % 2] for k in range(rows)],
            "kind": ["abc"[k % 3] for k in range(rows)],
        }
    )
    config = load_config(sets=["train.batch_size=48"])
    rule = parse("(0.5*(same('patient') & within('mm', 2)) + 0.5*same('kind')).ignore(same('patient'))")
    plan = plan_pairs(config, SampleTable.of(frame), rule, Composition())
    advice = advise(plan.table, plan.composed_by, plan.sampler, label="kind")
    out = tmp_path_factory.mktemp("sheet") / "sheet.html"
    report = plan.inspect("kind", ("scanner",))
    return write_pair_sheet(out, plan, report, Pictured(BarReader(), Scaling()), advice=advice, domain="toy")


@pytest.fixture
def page(open_page: Callable[..., Any], path: Path) -> Any:
    return open_page(path, 1180)


def test_nothing_is_asked_of_the_network_and_nothing_complains(page: Any) -> None:
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith(("data:", "file:"))] == []
    assert sum(url.startswith("file:") for url in page.requests) == 1


def test_pictures_are_painted_with_the_reason_below_each(page: Any) -> None:
    images = page.locator(".tiles img")
    assert images.count() > 60
    assert page.evaluate("[...document.images].every((one) => one.complete && one.naturalWidth > 0)")
    shot = np.asarray(Image.open(io.BytesIO(images.first.screenshot())).convert("L"), dtype=float)
    assert shot[4:-4, 4:-4].std() > 10
    tiles = page.locator(".tiles .tile")
    for k in range(0, tiles.count(), 7):
        picture, why = tiles.nth(k).locator(".shot").bounding_box(), tiles.nth(k).locator(".why").bounding_box()
        assert why["y"] >= picture["y"] + picture["height"] - 1
        assert why["width"] > 60
    assert page.locator(".tile .why").count() == tiles.count()


@pytest.mark.parametrize("width", [1180, 768, 420])
def test_nothing_overflows(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    out = page.evaluate(
        """() => [...document.querySelectorAll('.card *')].filter((one) => {
             const box = one.getBoundingClientRect(), card = one.closest('.card').getBoundingClientRect();
             return box.width > 0 && (box.right > card.right + 1 || box.left < card.left - 1);
           }).map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert out == []


def test_charts_and_tables_can_be_seen(page: Any) -> None:
    assert page.locator("svg.bars").first.bounding_box()["height"] > 80
    assert page.locator("svg.share").count() >= 4
    assert page.locator("#advice tbody tr.own").count() == 1
    bars = page.locator("svg.share .bar")
    assert max(bars.nth(k).bounding_box()["width"] for k in range(bars.count())) > 100


def test_it_reads_in_the_dark_and_on_paper(page: Any, reads_in_the_dark_and_on_paper: Callable[[Any], None]) -> None:
    reads_in_the_dark_and_on_paper(page)


def test_a_click_plays_a_sound_and_a_second_one_stops_it(open_page: Callable[..., Any], tmp_path: Path) -> None:
    def sound(array: Any, row: Any) -> bytes:
        file = io.BytesIO()
        with wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(8000)
            out.writeframes(bytes(16_000))
        return file.getvalue()

    frame = pl.DataFrame({"sample": [str(k) for k in range(40)], "kind": ["ab"[k % 2] for k in range(40)]})
    plan = plan_pairs(
        load_config(sets=["train.batch_size=32"]), SampleTable.of(frame), parse("same('kind')"), Composition()
    )
    pictured = Pictured(BarReader(), Scaling(), sound=sound)
    page = open_page(write_pair_sheet(tmp_path / "sheet.html", plan, plan.inspect("kind", ()), pictured), 1180)
    state = "() => Array.from(document.querySelectorAll('button.play'), (one) => one.classList.contains('on'))"
    buttons = page.locator("button.play")
    buttons.nth(0).click()
    page.wait_for_function("document.querySelectorAll('button.play.on').length === 1")
    assert page.evaluate(state)[0]
    buttons.nth(2).click()
    page.wait_for_function("document.querySelectorAll('button.play')[2].classList.contains('on')")
    page.wait_for_function("document.querySelectorAll('button.play.on').length === 1")
    buttons.nth(2).click()
    page.wait_for_function("document.querySelectorAll('button.play.on').length === 0")
    duration = page.evaluate("document.querySelector('button.play > audio').duration")
    assert duration == pytest.approx(1.0)
    assert page.complaints == []
