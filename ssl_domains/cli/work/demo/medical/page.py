"""The page of the medical demonstration: one HTML file with pictures, the table and what each number means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ssl_domains.cli.work.demo.medical.lines import REFUSED, RULE, SCANNER_RULE, MedicalLines
from ssl_domains.cli.work.demo.medical.scores import CLAIM, Row, Scores

if TYPE_CHECKING:
    from ssl_domains.extending import Domain

__all__ = ["write_page"]


def write_page(lines: MedicalLines, domain: Domain, scores: Scores, title: str) -> Path:
    """Write the page and return its path.

    Args:
        lines: The command lines, which know the folder.
        domain: The medical domain, which decodes the pictures.
        scores: The scores.
        title: Sentence that says that this is no evidence.
    """
    from ssl_domains.cli.work.demo.medical.pictures import grade_strips, positive_strips
    from ssl_domains.cli.work.pairs import training_rows
    from ssl_domains.cli.work.tables import open_table
    from ssl_domains.reports.html_page import page_colours, page_templates
    from ssl_domains.samples import write_errors, write_whole
    from ssl_domains.stores import ArrayStore, default_store

    table = training_rows(open_table(domain, lines.samples))
    store = ArrayStore.open(default_store(lines.samples), domain.reader())
    environment = page_templates("ssl_domains.cli.work.demo.medical")
    text = environment.get_template("summary.html.j2").render(
        title=title,
        colours=page_colours(),
        scores=scores,
        groups=_groups(scores),
        broken=scores.broken(),
        claim=CLAIM,
        rule=RULE,
        scanner_rule=SCANNER_RULE,
        refused=REFUSED,
        grades=grade_strips(domain, table, store),
        positives=positive_strips(domain, table, store),
        draws=lines.draws,
        pairs=(lines.out / "pairs.html").is_file(),
    )
    with write_errors(f"the page {str(lines.page)!r}"):
        write_whole(lines.page, lambda part: part.write_text(text, encoding="utf-8"))
    return lines.page


def _groups(scores: Scores) -> list[tuple[str, tuple[Row, ...]]]:
    """(heading, lines) of the table on the page."""
    return [("trained encoders, frozen", scores.arms), ("floors, without an encoder", scores.floors)]
