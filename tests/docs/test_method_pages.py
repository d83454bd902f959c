"""Every method of the core has a page, and the table of methods says what it needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ssl_domains.engine.record.config import HeadConfig
from ssl_domains.extending.method_entry import MethodEntry
from ssl_domains.extending.methods import BUILT_IN

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "reference" / "methods"
INDEX = (PAGES / "index.md").read_text(encoding="utf-8")
ROWS = {
    name: cells
    for name, *cells in re.findall(r"^\| \[`(\w+)`\]\((\S+)\) \| .* \| (\d+) \| (\w+) \| .* \|$", INDEX, re.M)
}


def test_the_table_lists_the_methods_in_the_order_of_the_catalogue() -> None:
    assert list(ROWS) == [entry.name for entry in BUILT_IN]


@pytest.mark.parametrize("entry", BUILT_IN, ids=lambda entry: entry.name)
def test_the_table_says_what_a_method_needs(entry: MethodEntry) -> None:
    needs = entry.load().needs
    page, views, rule = ROWS[entry.name]
    assert page == entry.name.replace("_", "-") + ".md"
    assert int(views) == needs.views
    assert rule == ("refused" if not needs.pairs else "required" if needs.rule else "used")


@pytest.mark.parametrize("entry", BUILT_IN, ids=lambda entry: entry.name)
def test_a_page_names_paper_options_and_command(entry: MethodEntry) -> None:
    page = (PAGES / f"{entry.name.replace('_', '-')}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {entry.name}\n")
    assert len(page.splitlines()) <= 65
    assert re.search(rf"--method {entry.name}\b", page)
    years = re.findall(r"\b(19\d\d|20\d\d)\b", entry.paper)
    assert years
    assert all(year in page for year in years)
    options = entry.load().options.model_fields
    documented = set(re.findall(r"method\.(\w+)", page)) - set(HeadConfig.model_fields)
    assert set(options) <= documented, "every option has its line"
    assert documented <= set(options), "and no other"
    for word in ("**Use it**", "**It costs**"):
        assert word in page
    assert f"reference/methods/{entry.name.replace('_', '-')}.md" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
