"""The measurement of one cell."""

from __future__ import annotations

from collections.abc import Sequence

from ssl_domains.engine import Run
from ssl_domains.studies.design.cells import Cell, CellScore
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.measuring.label_probes import label_scores

__all__ = ["measure_cell"]


def measure_cell(material: Material, cell: Cell, run: Run | None, fractions: Sequence[float]) -> list[CellScore]:
    """Probe a cell, by label column and by masks, at each fraction of labelled groups.

    Args:
        material: Of the study.
        cell: What is measured.
        run: Its training; None for a floor.
        fractions: Shares of labelled groups.
    """
    by_label = run is None or cell.arm.kind == "supervised" or set(material.probes) != {"dense"}
    scores = label_scores(material, cell, run, fractions) if by_label else []
    if run is not None and "dense" in material.probes:
        from ssl_domains.studies.measuring.dense_probes import dense_scores

        scores += dense_scores(material, cell, run, fractions)
    return scores
