"""Test rows that are scored: all labelled ones, or only those whose label a floor does not predict with confidence."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ssl_domains.probes import TreeProbe, floor_features, run_probe
from ssl_domains.studies.design.material import Material

__all__ = ["scored_rows"]


def scored_rows(material: Material, number: int) -> NDArray[np.bool_]:
    """Test rows of a fold on which every arm is scored, bool ``[n]``.

    These are the labelled test rows. With ``material.unsure = (floor, p)``, rows whose label the floor predicts with
    probability ≥ p are left out; the floor is a forest on its columns, fitted on all labelled training rows.

    Args:
        material: What all cells share.
        number: ``Cell.fold``.
    """
    fold = material.groups.fold(number)
    rows = fold.test & material.labels.known
    if material.unsure is None:
        return rows
    kept = _KEPT.setdefault(material, {})
    if number not in kept:
        floor, below = material.unsure
        x = floor_features(material.table, material.floors[floor])
        result = run_probe(TreeProbe(), x, material.labels, material.groups.codes, fold.train, fold.test)
        rows[np.flatnonzero(rows)[result.answers.max(1) >= below]] = False
        kept[number] = rows
    return kept[number]


_KEPT: WeakKeyDictionary[Material, dict[int, NDArray[np.bool_]]] = WeakKeyDictionary()
"""Rows of each fold, so that each process fits the forest once for each fold."""
