"""A plugin that a page of the documentation shows file by file: written to a folder, and installed for a test."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ECG_PAGE = ROOT / "docs" / "how-to" / "write-a-domain-plugin.md"


def titled_blocks(page: Path) -> dict[str, str]:
    """Code of every block of a page that has a title, by its title."""
    blocks = re.findall(r'```\w+ title="([^"]+)"\n(.*?)```', page.read_text(encoding="utf-8"), re.S)
    assert len(dict(blocks)) == len(blocks), "two blocks have one title"
    return dict(blocks)


def write_plugin(page: Path, folder: Path) -> Path:
    """Write the files of a plugin, exactly as the page shows them; returns ``folder``."""
    for name, code in titled_blocks(page).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    for package in (folder / "src").iterdir():
        (package / "__init__.py").touch()
    return folder


def metadata_of(folder: Path, site: Path) -> None:
    """Write what ``pip install -e`` writes for a plugin: its metadata and entry points, from its pyproject.toml."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        f"Summary: {project['description']}\n"
    )
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
