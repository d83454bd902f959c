"""Measure one cell: probe its label column, its masks, its transcripts, its rankings, or several of them."""

from __future__ import annotations

from collections.abc import Sequence

from ssl_domains.engine import Run
from ssl_domains.studies.design.cells import Cell, CellScore
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.measuring.label_probes import label_scores

__all__ = ["measure_cell"]


def measure_cell(material: Material, cell: Cell, runs: Sequence[Run], fractions: Sequence[float]) -> list[CellScore]:
    """Scores of a cell at each fraction of labelled groups, by label column, masks, transcripts or rankings.

    Args:
        material: What all cells share.
        cell: The cell.
        runs: The runs of its trainings, one for each member; empty for floors and hand-made features.
        fractions: Shares of labelled groups.
    """
    run = runs[0] if runs else None
    if "ranking" in material.probes:
        from ssl_domains.studies.measuring.rankings import ranking_scores

        return ranking_scores(material, cell, runs)
    if cell.arm.kind == "scratch":
        assert run is not None
        return _finetuned(material, cell, run, fractions)
    by_label = (
        run is None
        or cell.arm.kind == "supervised"
        or bool(set(material.probes) - {"dense", "finetune", "transcripts"})
    )
    scores = label_scores(material, cell, runs, fractions) if by_label else []
    if run is not None and "dense" in material.probes:
        from ssl_domains.studies.measuring.dense_probes import dense_scores

        scores += dense_scores(material, cell, run, fractions)
    if run is not None and "transcripts" in material.probes and cell.arm.kind != "supervised":
        from ssl_domains.studies.measuring.transcript_probes import transcript_probe_scores

        scores += transcript_probe_scores(material, cell, run, fractions)
    return scores if run is None else scores + _finetuned(material, cell, run, fractions)


def _finetuned(material: Material, cell: Cell, run: Run, fractions: Sequence[float]) -> list[CellScore]:
    from ssl_domains.studies.measuring.finetuned import finetune_scores, is_finetuned

    return finetune_scores(material, cell, run, fractions) if is_finetuned(material, cell) else []
