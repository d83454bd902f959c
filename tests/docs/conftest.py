"""The documentation's code blocks."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from page_plugin import ECG_PAGE, metadata_of, write_plugin

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


@pytest.fixture
def ecg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The plugin of the page on domain plugins, written as the page shows it and installed; returns its folder."""
    folder = write_plugin(ECG_PAGE, tmp_path / "ssl-domains-ecg")
    metadata_of(folder, tmp_path / "site")
    for path in (tmp_path / "site", folder / "src"):
        monkeypatch.syspath_prepend(str(path))
    monkeypatch.setenv("SSL_DOMAINS_HASH_KEY", "a key of the tests")
    for name in ("SSL_DOMAINS_BLOCK", "SSL_DOMAINS_ALLOW"):
        monkeypatch.delenv(name, raising=False)
    yield folder
    for module in [name for name in sys.modules if name.startswith("ssl_domains_ecg")]:
        del sys.modules[module]
