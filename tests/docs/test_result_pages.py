"""Result pages agree with their cells, and other pages with the numbers that they quote."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from coverage_simulation import coverage, crossed_bootstrap, studies, t_over_groups, two_way, warned_of_seeds
from result_pages import unlike
from ssl_domains.studies import read_study_file
from ssl_domains.studies.evidence.random_effects import random_effects

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
STUDIES = sorted(path.stem for path in RESULTS.glob("*.toml"))


@pytest.mark.parametrize("name", STUDIES)
def test_every_number_of_a_page_is_that_of_its_cells(name: str, tmp_path: Path) -> None:
    """A page without cells shows no interval, no p-value and no verdict."""
    study = read_study_file(RESULTS / f"{name}.toml")
    if (RESULTS / f"{name}.cells.parquet").exists():
        assert unlike(study, RESULTS, tmp_path) == []
        assert (RESULTS / f"{name}.cells.parquet").stat().st_size < 1_000_000
        return
    page = (RESULTS / f"{name}.md").read_text(encoding="utf-8")
    figures = "".join(path.read_text(encoding="utf-8") for path in RESULTS.glob(f"{name}-*.svg"))
    assert "differences are shown without intervals" in page
    for text in (page, figures):
        assert not re.search(r"\bp( \(Holm\))? (=|<|&lt;)|95 % interval|\bbeats\b|\bloses to\b|is better \|", text)
        assert not re.search(r"\d\.\d{3}.to.[+−]?\d\.\d{3}", text)
    assert 'class="span' not in figures
    assert 'class="whisker' not in figures


def paragraphs(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n\n")


def test_readme_quotes_numbers_that_stand_on_the_pages() -> None:
    quoting = [one for one in paragraphs(ROOT / "README.md") if "](docs/results/" in one]
    assert quoting
    for paragraph in quoting:
        pages = "".join(
            (ROOT / link).read_text(encoding="utf-8") for link in re.findall(r"\((docs/results/\S+)\)", paragraph)
        )
        numbers = re.findall(r"(?<![\w.])\d?\.\d+", paragraph)
        assert [number for number in numbers if number not in pages] == []


def test_the_table_of_coverage_is_what_the_simulation_gives() -> None:
    page = (ROOT / "docs" / "explanation" / "fair-measurement.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) × (\d+) \| (0|\.\d) \| (\.\d+) \| (\.\d+) \| (\.\d+) \|$", page, re.MULTILINE)
    assert len(rows) == 15
    for groups, seeds, share, *printed in rows:
        for interval, number in zip((two_way, t_over_groups, crossed_bootstrap), printed, strict=True):
            found = coverage(interval, int(groups), int(seeds), float(share), runs=2000)
            assert found == pytest.approx(float(number), abs=0.035), (groups, seeds, share, interval)


def test_the_two_examples_that_went_wrong_are_as_printed() -> None:
    page = " ".join((ROOT / "docs" / "explanation" / "fair-measurement.md").read_text(encoding="utf-8").split())
    rng = np.random.default_rng(3)
    d = np.array([[0.09], [-0.02], [0.04], [0.05]]) + 0.004 * rng.normal(size=(4, 6))
    d = d[:3]
    old, new = stats.ttest_1samp(d.mean(axis=0), 0.0).pvalue, random_effects(d).p_value(d.mean())
    assert f"gives p = {old * 1e7:.0f}·10⁻⁷. Two-way random effects give p = {float(new):.2f}," in page
    tables = studies(8000, 221, 2, 0.5, 0.1, np.random.default_rng(1))
    low, high = crossed_bootstrap(tables)
    held, warned = (low <= 0) & (high >= 0), warned_of_seeds(tables)
    said = f"{held[warned].mean():.0%} {held[~warned].mean():.0%}".replace("%", "").split()
    assert f"true value in {said[0]} of 100 studies that were warned of, and in {said[1]} of 100 that were not" in page
