"""The page of false negatives: query, positive and negative beside each other, with the words that they share."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup, escape

from ssl_domains.reports.html_page import page_colours, page_templates
from ssl_domains.samples import write_errors, write_whole
from ssl_domains_text.documents.links.false_negatives import FalseNegatives
from ssl_domains_text.documents.search.analysis import Analysis
from ssl_domains_text.documents.segmentation import patterns

__all__ = ["write_page"]

_LONGEST = 600  # characters of a text


def write_page(path: Path, found: FalseNegatives, rule: str, notes: list[str]) -> None:
    """Write the page, one HTML file without scripts.

    Args:
        path: The file.
        found: The false negatives.
        rule: The rule, as text.
        notes: Sentences on the links.

    Raises:
        UsageError: When it can't be written.
    """
    template = page_templates("ssl_domains_text.documents.links").get_template("false_negatives.html.j2")
    analysis = Analysis()
    rows = []
    for one in found.worst:
        shared = set(analysis.terms(one.positive)) & set(analysis.terms(one.negative))
        rows.append(
            {
                "query": _marked(one.query, set(), analysis),
                "positive": _marked(one.positive, shared, analysis),
                "negative": _marked(one.negative, shared, analysis),
                "reason": one.reason,
                "linked": one.linked,
            }
        )
    page = template.render(colours=page_colours(), rows=rows, rule=rule, summary=found.words(), notes=notes)
    with write_errors(f"the page {path.name!r}"):
        write_whole(path, lambda part: part.write_text(page, encoding="utf-8"))


def _marked(text: str, shared: set[str], analysis: Analysis) -> Markup:
    """A text with the words marked that positive and negative share."""
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    made, at = Markup(""), 0
    for match in patterns().run.finditer(short):
        if shared and shared & set(analysis.terms(match.group())):
            made += escape(short[at : match.start()]) + Markup("<mark>") + escape(match.group()) + Markup("</mark>")
            at = match.end()
    return made + escape(short[at:])
