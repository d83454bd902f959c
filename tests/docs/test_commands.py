"""Every ``ssl-domains`` line of the documentation names commands and options that are there."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from command_lines import check_line
from ssl_domains.extending import Registry

Blocks = Callable[[str, str], list[str]]


def lines(text: str) -> Iterator[str]:
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        line = line.removeprefix("$ ").split("  #")[0].strip()
        if line.startswith("ssl-domains "):
            yield line


def test_commands_of_the_pages_exist(blocks: Blocks, pages: list[str], ecg: Path) -> None:
    registry = Registry()
    found = [line for page in pages for language in ("console", "bash", "sh") for text in blocks(page, language)
             for line in lines(text)]  # fmt: skip
    assert len(found) > 20
    for line in found:
        if "DOMAIN" not in line:
            check_line(line, registry)


def test_every_page_is_in_the_navigation() -> None:
    root = Path(__file__).resolve().parents[2]
    navigation = (root / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (root / "docs").rglob("*.md"):
        name = str(page.relative_to(root / "docs"))
        assert name in navigation, f"{name} is not in mkdocs.yml"
