"""A study's table and verdicts for a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from ssl_domains.studies.evidence.findings import findings
from ssl_domains.studies.evidence.result import StudyResult
from ssl_domains.studies.page.tables import arm_rows, column_headings, contrast_table, table_title
from ssl_domains.studies.page.wording import verdict

__all__ = ["Summary", "summary"]


@dataclass(frozen=True)
class Summary:
    """What a terminal shows.

    Attributes:
        title: Of the table.
        header: Headings.
        rows: Cells as text.
        lines: The verdicts and what qualifies them.
    """

    title: str
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[str]


def summary(result: StudyResult) -> Summary:
    """Every arm, control and floor, the primary contrast in words, and the secondary ones."""
    found = findings(result)
    rows = []
    for row in arm_rows(result, found):
        name = f"{row.arm.name} ({row.supervised})" if row.supervised else row.arm.name
        rows.append([name, *(f"{c.value} ({c.interval})" if c.interval != "–" else c.value for c in row.cells)])
    told = verdict(result, found.primary)
    lines = [f"{told.lead} {told.sentence}", *(f"  note: {remark}" for remark in told.remarks)]
    for name, reading, probe, labels, change, ends, p, _ in contrast_table(result, found).rows:
        lines.append(f"{name} ({probe}, {labels}): {change} ({ends}), p (Holm) {p}: {reading}")
    return Summary(table_title(result), ("arm", *column_headings(result, found)), rows, lines)
