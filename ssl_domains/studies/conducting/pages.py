"""Write what a study leaves: result, report, page and cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ssl_domains.studies.conducting.archives import archive_name
from ssl_domains.studies.design.cell_archive import CellArchive, write_cell_archive
from ssl_domains.studies.design.cells import StoredCell
from ssl_domains.studies.evidence.record import StudyRecord
from ssl_domains.studies.evidence.result import StudyResult
from ssl_domains.studies.measuring.run import Say
from ssl_domains.studies.page.page import write_result_page
from ssl_domains.studies.page.report import write_study_report

__all__ = ["Written", "write_pages"]

_MOST_BYTES = 1_000_000
"""Largest file of cells that is committed beside a page."""


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        result: Scores and contrasts.
        report: Path of the HTML report.
    """

    result: StudyResult
    report: Path


def write_pages(record: StudyRecord, cells: Sequence[StoredCell], out: Path, say: Say) -> Written:
    """Write ``results.json``, ``report.html``, and ``page/`` with Markdown, figures and cells.

    Args:
        record: The study without its scores.
        cells: Its finished cells.
        out: Folder to write to.
        say: Called with one line of text when the cells are too large to be committed.

    Raises:
        ResourceError: When the disk is full.
        UsageError: When the folder can't be written to.
    """
    result = record.complete(cells)
    archive = write_cell_archive(out / "page" / archive_name(result.name), CellArchive(tuple(cells), record.to_dict()))
    result.write(out / "results.json")
    report = write_study_report(result, out / "report.html")
    write_result_page(result, out / "page")
    size = archive.stat().st_size
    if size > _MOST_BYTES:
        say(
            f"warning: {archive.name} has {size / 1e6:.1f} MB, too much to commit beside a page; fewer probes, "
            "fractions or arms make it smaller"
        )
    return Written(result, report)
