"""The page of the demonstration of text lines: the table, and strips with what the models read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ssl_domains.cli.work.demo.text_lines.lines import ARMS, EFFORT, LABELS, READ, LineLines
from ssl_domains.cli.work.demo.text_lines.scores import LineScores

if TYPE_CHECKING:
    from ssl_domains.extending import Domain

__all__ = ["write_page"]


def write_page(lines: LineLines, domain: Domain, scores: LineScores, title: str) -> Path:
    """Write the page and return its path.

    Args:
        lines: The command lines, which know the files.
        domain: The domain of lines, which decodes the pictures.
        scores: The scores.
        title: Sentence that says that this is no evidence.
    """
    from ssl_domains.cli.work.demo.text_lines.pictures import read_strips
    from ssl_domains.reports.html_page import page_colours, page_templates
    from ssl_domains.samples import write_errors, write_whole

    headings, rows = scores.table()
    environment = page_templates("ssl_domains.cli.work.demo.text_lines")
    text = environment.get_template("strips.html.j2").render(
        title=title,
        colours=page_colours(),
        caption=scores.CAPTION,
        headings=headings,
        rows=rows,
        least=[min(row.errors[place] for row in scores.rows) for place in range(len(LABELS))],
        scores=scores,
        readers=[_reader(name) for name in READ],
        labels=max(LABELS),
        strips=read_strips(lines, domain),
    )
    with write_errors(f"the page {str(lines.page)!r}"):
        write_whole(lines.page, lambda part: part.write_text(text, encoding="utf-8"))
    return lines.page


def _reader(name: str) -> str:
    """Heading of what a model read."""
    if name.startswith(EFFORT):
        return "scratch, equal effort"
    return f"{next(arm.about for arm in ARMS if arm.name == name)}: fine-tuned"
