"""The numbers of an inspection of pairs: those of a run, from ``pairs.json``, and those at the top of a pair sheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ssl_domains.errors import DataError
from ssl_domains.pairs.inspection.coverage import Coverage
from ssl_domains.pairs.inspection.nuisance import Sharing
from ssl_domains.pairs.inspection.report import (
    ColumnFacts,
    GroupSizes,
    NegativeFacts,
    PairsReport,
    RelationFacts,
)

__all__ = ["composition", "pair_rows", "sheet_facts"]


def pair_rows(pairs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name, value) in order; names of numbers that belong to a relation are indented by two spaces.

    Raises:
        DataError: When the file is of another version.
    """
    try:
        relations = tuple(_relation(one) for one in pairs["relations"])
        columns = tuple(ColumnFacts(**one) for one in pairs["columns"])
        drawn = pairs.get("negatives")
        negatives = None if drawn is None else NegativeFacts(**drawn)
        counted = pairs.get("coverage")
        coverage = None if counted is None else Coverage(**counted)
        made = {**pairs, "relations": relations, "columns": columns, "negatives": negatives, "coverage": coverage}
        return PairsReport(**made).rows()
    except (KeyError, TypeError) as error:
        raise DataError(f"pairs.json can't be read: {error}", "it was written by another version") from error


def composition(pairs: Mapping[str, Any]) -> str:
    """The composition of batches as text, such as ``groups of 2``."""
    kind = str(pairs["composition"])
    return kind if kind in ("random", "partner") else f"{kind} of {pairs['per_group']}"


def _relation(stored: Mapping[str, Any]) -> RelationFacts:
    groups = stored["groups"]
    return RelationFacts(
        **{
            **stored,
            "groups": None if groups is None else GroupSizes(**groups),
            "sharing": tuple(Sharing(**one) for one in stored["sharing"]),
            "shared": tuple(stored.get("shared", ())),
        }
    )


def sheet_facts(report: PairsReport) -> list[tuple[str, str]]:
    """The numbers at the top of a pair sheet, as pairs of text."""
    kind = report.composition
    rows = [
        ("Training samples", f"{report.samples:,}"),
        ("Batches an epoch", f"{report.steps:,} of {report.batch_size:,}"),
        ("Composition", kind if kind in ("random", "partner") else f"{kind} of {report.per_group}"),
    ]
    if report.negatives is not None:
        rows.append(("Drawn negatives", report.negatives.text))
    shares = [facts.without_cross_positive for facts in report.relations]
    known = [share for share in shares if share is not None]
    if known:
        rows.append(("Anchors without a positive", " / ".join(f"{100 * share:.1f} %" for share in known)))
        means = [facts.cross_positives for facts in report.relations if facts.cross_positives is not None]
        rows.append(("Positives an anchor", " / ".join(f"{mean:.1f}" for mean in means)))
    if report.false_negatives is not None and np.isfinite(report.false_negatives):
        rows.append(("False negatives", f"{100 * report.false_negatives:.1f} % of negatives"))
    return rows
