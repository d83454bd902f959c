"""The files of cells that a study reads and writes: one in its folder, one committed beside its study file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ssl_domains.errors import DataError
from ssl_domains.studies.design.cell_archive import CellArchive, read_cell_archive, write_cell_archive
from ssl_domains.studies.evidence.record import StudyRecord
from ssl_domains.studies.measuring.stored_cells import StoredCells

__all__ = ["archive_name", "archive_paths", "keep_unfinished", "read_archives", "record_of"]


def archive_name(study: str) -> str:
    """Name of the file of cells of a study."""
    return f"{study}.cells.parquet"


def archive_paths(out: Path, study: str, committed: Path | None) -> tuple[Path, ...]:
    """Paths at which a study looks for its cells, in order; they need not exist.

    Args:
        out: Folder of the study.
        study: Its name.
        committed: A file of cells beside the study file.
    """
    written = out / "page" / archive_name(study)
    return (written,) if committed is None else (written, committed)


def read_archives(paths: Sequence[Path]) -> dict[Path, CellArchive]:
    """Path → contents of the files that exist.

    Raises:
        DataError: When a file is damaged.
    """
    return {path: read_cell_archive(path) for path in paths if path.exists()}


def record_of(archive: CellArchive, path: Path) -> StudyRecord:
    """What the pages say beyond the cells.

    Raises:
        DataError: When the study was not finished, or the description has other fields than this version writes.
    """
    if not archive.study:
        raise DataError(
            f"the cells {str(path)!r} are of a study that was not finished", "run the study without --again"
        )
    try:
        return StudyRecord.from_dict(archive.study)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"the cells {str(path)!r} are described in another way: {error}", "run the study without --again"
        ) from error


def keep_unfinished(stored: StoredCells, out: Path, study: str) -> None:
    """Write the cells that a study ran before it was stopped, beside those that were archived before.

    Nothing is written, and an earlier file stays as it is, when no cell was run.
    """
    if stored.ran:
        write_cell_archive(out / "page" / archive_name(study), CellArchive(stored.everything))
