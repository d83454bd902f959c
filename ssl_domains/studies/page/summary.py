"""The table and the verdicts of a study, for a terminal."""

from __future__ import annotations

from dataclasses import dataclass

from ssl_domains.studies.evidence.findings import findings
from ssl_domains.studies.evidence.result import StudyResult
from ssl_domains.studies.page.tables import arm_rows, column_headings, contrast_table, table_title
from ssl_domains.studies.page.verdict import verdict

__all__ = ["Summary", "summary"]


@dataclass(frozen=True)
class Summary:
    """Text that is printed on the terminal after a study.

    Attributes:
        title: Title of the table.
        header: Headings of the table.
        rows: Cells of the table as text.
        lines: The verdicts with their remarks, one line each.
    """

    title: str
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[str]


def summary(result: StudyResult) -> Summary:
    """A row for every arm, control and floor, and the verdicts of the primary and the secondary contrasts."""
    statistics = findings(result)
    rows = []
    for row in arm_rows(result, statistics):
        name = f"{row.arm.name} ({row.supervised})" if row.supervised else row.arm.name
        rows.append([name, *(f"{c.value} ({c.interval})" if c.interval != "–" else c.value for c in row.cells)])
    outcome = verdict(result, statistics.primary)
    lines = [f"{outcome.lead} {outcome.sentence}", *(f"  note: {remark}" for remark in outcome.remarks)]
    for name, reading, probe, labels, change, ends, p, *_ in contrast_table(result, statistics).rows:
        lines.append(f"{name} ({probe}, {labels}): {change} ({ends}), p (Holm) {p}: {reading}")
    return Summary(table_title(result), ("arm", *column_headings(result, statistics)), rows, lines)
