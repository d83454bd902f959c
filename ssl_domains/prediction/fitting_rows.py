"""Samples that a model can take: those that could be decoded and have the channels of its input."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.quantities import plural
from ssl_domains.samples import Problems, SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import ImagePreprocess, Preprocess

__all__ = ["fitting_rows"]


def fitting_rows(
    preprocess: Preprocess, table: SampleTable, store: ArrayStore
) -> tuple[NDArray[np.int64], pl.DataFrame]:
    """Positions of the rows that the model can take, and why it can't take the others.

    Args:
        preprocess: The preprocess of the model.
        table: The samples.
        store: Their arrays.

    Returns:
        Positions, int64 ``[m]``; and the problems: columns ``path`` and ``cause``, once for each file and cause.
    """
    arrays = store.of(table)
    fits = np.array(arrays.decoded, copy=True)
    causes = dict(zip(np.flatnonzero(~arrays.decoded).tolist(), arrays.causes(), strict=True))
    if isinstance(preprocess, ImagePreprocess):
        channels = arrays.shapes()[:, -1]
        wrong = fits & (channels != 1) & (channels != preprocess.in_chans)
        for row in np.flatnonzero(wrong).tolist():
            here = plural(int(channels[row]), "channel")
            causes[row] = f"its array has {here}, and the model was trained on {preprocess.in_chans}"
        fits &= ~wrong
    problems = Problems()
    paths = table.frame["path"].to_list() if "path" in table.columns else table.frame["sample"].to_list()
    for row in sorted(causes):
        problems.add(paths[row] or "", causes[row])
    return np.flatnonzero(fits), problems.frame().unique(maintain_order=True)
