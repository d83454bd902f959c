"""The documentation's code blocks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "plugins").glob("*/README.md"))]


@pytest.fixture(scope="session")
def blocks() -> Callable[[str, str], list[str]]:
    """``blocks("README.md", "python")``: the code of a page in a language, in order."""

    def find(page: str, language: str) -> list[str]:
        return re.findall(rf"```{language}[^\n]*\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S)

    return find


@pytest.fixture(scope="session")
def pages() -> list[str]:
    """Every page that may show commands."""
    return [str(page.relative_to(ROOT)) for page in PAGES]
