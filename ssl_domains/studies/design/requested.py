"""Which rows of a fold are asked: the labelled ones, or those of which a floor alone is not sure."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ssl_domains.probes import TreeProbe, floor_features, run_probe
from ssl_domains.studies.design.cells import TUNING
from ssl_domains.studies.design.material import Material

__all__ = ["asked_rows"]


def asked_rows(material: Material, number: int) -> NDArray[np.bool_]:
    """The labelled test rows of a fold, bool ``[n]``, the same for every arm.

    With ``material.unsure``, without those of which its floor is sure: a forest on the floor's columns, fitted on every
    labelled training row.
    """
    fold = material.groups.tuning if number == TUNING else material.groups.folds[number]
    asked = fold.test & material.labels.known
    if material.unsure is None:
        return asked
    kept = _KEPT.setdefault(material, {})
    if number not in kept:
        floor, below = material.unsure
        x = floor_features(material.table, material.floors[floor])
        found = run_probe(TreeProbe(), x, material.labels, material.groups.codes, fold.train, fold.test)
        asked[np.flatnonzero(asked)[found.answers.max(1) >= below]] = False
        kept[number] = asked
    return kept[number]


_KEPT: WeakKeyDictionary[Material, dict[int, NDArray[np.bool_]]] = WeakKeyDictionary()
"""Each process asks the forest once a fold."""
