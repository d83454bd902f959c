"""Compare a published result page with the page that its cells make."""

from __future__ import annotations

from pathlib import Path

from ssl_domains.studies import StudyFile, pages_again

__all__ = ["unlike"]


def unlike(study: StudyFile, folder: Path, out: Path) -> list[str]:
    """Names of the published files in ``folder`` that differ from those that the cells beside them make.

    Args:
        study: The study file; its ``command`` is printed on the page.
        folder: Where page, figures and ``NAME.cells.parquet`` are published.
        out: An empty folder.
    """
    cells = folder / f"{study.name}.cells.parquet"
    pages_again(study, out, command=study.command or "", say=lambda line: None, committed=cells)
    made = {path.name: path for path in (out / "page").iterdir() if path.suffix in (".md", ".svg")}
    published = {path.name for path in folder.iterdir() if _is_of(study.name, path)}
    different = {name for name in made.keys() & published if made[name].read_text() != (folder / name).read_text()}
    return sorted(different | (made.keys() ^ published))


def _is_of(name: str, path: Path) -> bool:
    """Whether a file is the page of a study, ``NAME.md``, or a figure of it, ``NAME-FIGURE.svg``."""
    return path.name == f"{name}.md" or (path.suffix == ".svg" and path.stem.rpartition("-")[0] == name)
