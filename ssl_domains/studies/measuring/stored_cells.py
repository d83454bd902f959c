"""Results of cells that exist already: in the folder of the study, or in files of cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ssl_domains.studies.design.cell_archive import CellArchive
from ssl_domains.studies.design.cells import Cell, CellResult, StoredCell, read_result

__all__ = ["StoredCells"]


class StoredCells:
    """Finds and keeps the results of cells.

    A stored result counts only while its fingerprint is that of the cell; see `Cell.fingerprint`.

    Attributes:
        stale: Cells that `find` was asked for and whose stored results are of other data or settings.
        ran: Number of results that were added by `add`.
    """

    def __init__(self, study: Path, archives: Iterable[CellArchive] = ()) -> None:
        """Look for results in a folder of a study first, then in archives, in order.

        Args:
            study: Folder of the study.
            archives: Contents of files of cells.
        """
        self._study = study
        self._archived = [{cell.folder: cell for cell in archive.cells} for archive in archives]
        self._finished: dict[str, StoredCell] = {}
        self.stale: list[Cell] = []
        self.ran = 0

    def find(self, cell: Cell, shared: str) -> CellResult | None:
        """The stored result of a cell; None when there is none, or when it is of other data or settings."""
        fingerprint = cell.fingerprint(shared)
        found = list(self._results(cell))
        for result in found:
            if result.fingerprint == fingerprint:
                self._finished[cell.folder.as_posix()] = StoredCell.of(cell, result)
                return result
        if found:
            self.stale.append(cell)
        return None

    def add(self, cell: Cell, result: CellResult) -> None:
        """Note the result of a cell that was run and written to the folder of the study."""
        self._finished[cell.folder.as_posix()] = StoredCell.of(cell, result)
        self.ran += 1

    @property
    def finished(self) -> tuple[StoredCell, ...]:
        """Cells that were found or added."""
        return tuple(self._finished.values())

    @property
    def everything(self) -> tuple[StoredCell, ...]:
        """Cells that were found or added, and those of the archives that were not asked for."""
        cells: dict[str, StoredCell] = {}
        for archived in reversed(self._archived):
            cells |= archived
        return tuple((cells | self._finished).values())

    def _results(self, cell: Cell) -> Iterator[CellResult]:
        result = read_result(self._study, cell)
        if result is not None:
            yield result
        for archived in self._archived:
            kept = archived.get(cell.folder.as_posix())
            if kept is not None:
                yield kept.result
