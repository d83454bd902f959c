"""The page of a study in a real browser: wide and narrow, light and dark, offline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import made_up_study
from ssl_domains.studies.page.page import write_result_page
from ssl_domains.studies.page.report import write_study_report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study")
    result = made_up_study.made_up(12, 2)
    write_study_report(result, out / "report.html")
    write_result_page(result, out)
    return out


@pytest.fixture
def page(open_page: Callable[..., Any], folder: Path) -> Any:
    return open_page(folder / "report.html")


def shown(page: Any) -> list[Any]:
    figures = page.locator("svg.figure")
    return [figures.nth(i) for i in range(figures.count()) if figures.nth(i).is_visible()]


def test_nothing_is_asked_of_the_network_and_nothing_complains(page: Any) -> None:
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith("data:")] == [page.url]


@pytest.mark.parametrize("width", [1200, 420])
def test_it_fits_and_its_figures_can_be_read(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    figures = shown(page)
    assert len(figures) == 2
    for figure in figures:
        assert figure.bounding_box()["width"] > 0.8 * min(width, 940)
        sizes = figure.evaluate(
            """svg => {
                 const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
                 const texts = [...svg.querySelectorAll("text")];
                 return texts.map(text => scale * parseFloat(getComputedStyle(text).fontSize));
               }"""
        )
        assert min(sizes) > 9.5
        out = figure.evaluate(
            """svg => {
                 const box = svg.getBoundingClientRect();
                 const outside = text => {
                   const one = text.getBoundingClientRect();
                   return one.left < box.left - 1 || one.right > box.right + 1;
                 };
                 return [...svg.querySelectorAll("text")].filter(outside).map(text => text.textContent);
               }"""
        )
        assert out == []


def test_every_row_of_the_table_is_there(page: Any) -> None:
    assert page.locator("table.scores tbody tr:not(.band)").count() == 10
    assert page.locator("table.scores tr.own").count() == 2
    assert "simclr" in page.locator("#verdict .said").inner_text()


def test_it_reads_in_the_dark_and_on_paper(page: Any) -> None:
    def ink() -> list[str]:
        names = "getComputedStyle(document.querySelector('svg.figure .name:not(.primary)')).fill"
        return page.evaluate(f"[getComputedStyle(document.body).backgroundColor, {names}]")

    light = ink()
    page.emulate_media(color_scheme="dark")
    dark = ink()
    assert dark[0] != light[0]
    assert dark[1] != light[1]
    page.emulate_media(media="print", color_scheme="dark")
    assert ink()[1] == light[1]
    assert len(page.pdf()) > 20_000


def test_figures_colour_themselves_inside_an_image(browser: Any, folder: Path) -> None:
    names = ("made-up-differences.svg", "made-up-curves.svg")
    (folder / "images.html").write_text("".join(f'<img src="{name}">' for name in names), encoding="utf-8")
    painted = {}
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme, viewport={"width": 1200, "height": 1200})
        page.goto((folder / "images.html").as_uri())
        sizes = page.evaluate("[...document.images].map(image => [image.naturalWidth, image.naturalHeight])")
        assert all(width == 520 and height > 300 for width, height in sizes)
        painted[scheme] = page.locator("img").first.screenshot()
        page.close()
    assert painted["light"] != painted["dark"]
