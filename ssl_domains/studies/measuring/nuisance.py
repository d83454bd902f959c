"""Probe nuisance columns: how well a linear probe predicts them from frozen features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine import Run
from ssl_domains.errors import DataError
from ssl_domains.probes import HEADLINE, LinearProbe, read_labels, run_probe
from ssl_domains.studies.design.cells import Cell
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.training import fold_of
from ssl_domains.studies.measuring.features import features_of

__all__ = ["measure_nuisance"]

_MOST = 3000
"""Largest number of rows on each side of a nuisance probe; enough for a description."""


def measure_nuisance(material: Material, cell: Cell, runs: Sequence[Run]) -> dict[str, list[Any]]:
    """Score of a linear probe for each nuisance column: column → [name of the score, value or None, remark].

    A column that is constant in every group (the patient, the recording) can't be predicted for new groups. Its rows
    are split within the groups instead: by the unit ``material.within``, or by sample. With
    ``material.nuisance_in == "training"``, these are the rows of the training groups alone.
    """
    fold, table = fold_of(material, cell), material.table
    scores: dict[str, list[Any]] = {}
    features: NDArray[Any] | None = None
    chosen = _sample(fold.train, cell.seed), _sample(fold.test, cell.seed)
    rows = np.sort(np.concatenate(chosen))
    for name in material.nuisance:
        labels = read_labels(table.column(name))
        if labels.task == "multilabel":
            continue
        codes = table.codes(name)
        constant = _constant_in_groups(codes, material.groups.codes)
        among = np.isin(rows, chosen[0]) if constant and material.nuisance_in == "training" else None
        train, test, units = _sides(material, rows, np.isin(rows, chosen[1]), constant)
        if among is not None:
            train, test = train & among, test & among
        if features is None:
            features = features_of(cell.arm, runs, table.take(rows), material.store, np.isin(rows, chosen[0]))
        try:
            probe = LinearProbe(c=(0.1,), alpha=(10.0,))
            result = run_probe(probe, features, labels.take(rows), units, train, test, seed=cell.seed)
        except DataError as error:
            scores[name] = [HEADLINE[labels.task], None, error.message]
            continue
        headline = HEADLINE[labels.task]
        scores[name] = [headline, result.scores.values.get(headline), "split within groups" if constant else ""]
    return scores


def _sides(
    material: Material, rows: NDArray[np.int64], held: NDArray[np.bool_], constant: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]:
    if not constant:
        return ~held, held, material.groups.codes[rows]
    finer = material.within or "sample"
    units = material.table.codes(finer)[rows]
    drawn = np.random.default_rng(0).permutation(units.max() + 1)[units] % 4 == 0
    return ~drawn & (units >= 0), drawn & (units >= 0), units


def _constant_in_groups(codes: NDArray[np.int64], groups: NDArray[np.int64]) -> bool:
    known = (codes >= 0) & (groups >= 0)
    pairs = np.unique(np.stack([groups[known], codes[known]]), axis=1)
    return bool(pairs.shape[1] == len(np.unique(groups[known])) and pairs.shape[1] > 1)


def _sample(side: NDArray[np.bool_], seed: int) -> NDArray[np.int64]:
    rows = np.flatnonzero(side)
    return rows if len(rows) <= _MOST else np.random.default_rng(seed).choice(rows, _MOST, replace=False)
