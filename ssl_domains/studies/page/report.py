"""The report of a study: one self-contained HTML file without scripts and without network access."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ssl_domains.reports.html_page import page_templates
from ssl_domains.samples import require_target, write_errors, write_whole
from ssl_domains.studies.evidence.findings import Findings, findings
from ssl_domains.studies.evidence.result import StudyResult
from ssl_domains.studies.page.figures import difference_plot, kept_and_lost, label_curves, left_out
from ssl_domains.studies.page.summary import Summary, summary
from ssl_domains.studies.page.tables import (
    FEW_GROUPS,
    Table,
    arm_rows,
    chosen_table,
    column_headings,
    contrast_remarks,
    contrast_table,
    group_table,
    information_table,
    nuisance_table,
    other_measures,
    remarks_on_cells,
    table_title,
)
from ssl_domains.studies.page.verdict import verdict
from ssl_domains.studies.page.wording import duration, kept_sentence, percent

__all__ = ["Summary", "environment_rows", "facts", "study_title", "summary", "write_study_report"]

_WIDE, _NARROW = 920, 400


def write_study_report(result: StudyResult, path: Path) -> Path:
    """Write the page of a study.

    Args:
        result: The study.
        path: File to write, such as ``report.html``; its folder is made when it is missing.

    Returns:
        ``path``.

    Raises:
        ResourceError: When the disk is full.
        UsageError: When the folder can't be written to.
    """
    require_target(path)
    page = _render(result, findings(result))
    with write_errors(f"the report {str(path)!r}"):
        write_whole(path, lambda part: part.write_text(page, encoding="utf-8"))
    return path


def study_title(result: StudyResult) -> str:
    """The title, with *transductive* added for a transductive study."""
    return f"{result.title} · transductive" if result.transductive else result.title


def facts(result: StudyResult) -> list[tuple[str, str]]:
    """(name, value) for the head of the page."""
    groups = {name for one in result.scores for evidence in one.evidence.values() for name in evidence.groups}
    return [
        ("Label", f"{result.label} ({result.task})"),
        ("Unit of evidence", f"{len(groups):,} held-out groups of {result.group}"),
        ("Folds × seeds", f"{result.folds} × {len(result.seeds)}"),
        ("Labelled groups", ", ".join(percent(fraction) for fraction in result.fractions)),
        ("Leading probe", result.probe),
        ("Leading measure", result.measure),
        ("Arms", str(len(result.arms))),
        ("Training and probing", duration(result.seconds)),
    ]


def environment_rows(result: StudyResult) -> list[tuple[str, str]]:
    """(name, value) of versions and of the kind of machine."""
    rows: list[tuple[str, str]] = []
    for key, value in result.environment.items():
        if isinstance(value, Mapping):
            rows += [(str(name), str(version)) for name, version in value.items()]
        elif value is not None:
            rows.append((key, str(value)))
    return rows


def _render(result: StudyResult, statistics: Findings) -> str:
    environment = page_templates("ssl_domains.studies", "ssl_domains.reports")
    dots, curves = difference_plot(result, statistics), label_curves(result, statistics)
    kept = kept_and_lost(result, statistics)
    values: dict[str, Any] = {
        "result": result,
        "title": study_title(result),
        "about": [part for part in result.about.split("\n\n") if part.strip()],
        "verdict": verdict(result, statistics.primary),
        "facts": facts(result),
        "table_title": table_title(result),
        "headings": column_headings(result, statistics),
        "rows": arm_rows(result, statistics),
        "methods": list(dict.fromkeys(one.method for one in statistics.estimates.values())),
        "intervals": any(math.isfinite(one.low) for one in statistics.estimates.values()),
        "cell_remarks": remarks_on_cells(statistics),
        "others": other_measures(result),
        "secondary": contrast_table(result, statistics),
        "contrast_remarks": contrast_remarks(result, statistics),
        "few_groups": _few_groups(statistics),
        "dots_wide": dots.svg(_WIDE),
        "dots_narrow": dots.svg(_NARROW),
        "curves_wide": curves.svg(_WIDE),
        "curves_narrow": curves.svg(_NARROW),
        "kept_wide": kept.svg(_WIDE) if len(kept.drawn) > 1 else "",
        "kept_narrow": kept.svg(_NARROW),
        "kept_sentence": kept_sentence(result),
        "left_out": left_out(result),
        "nuisance": nuisance_table(result),
        "information": information_table(result),
        "chosen": chosen_table(result),
        "environment": environment_rows(result),
    }
    return environment.get_template("study.html.j2").render(values)


def _few_groups(statistics: Findings) -> Table | None:
    """Paired difference of every group, when there are few groups; else None."""
    primary = statistics.primary.found
    return group_table(statistics) if primary is not None and len(primary.groups) < FEW_GROUPS else None
