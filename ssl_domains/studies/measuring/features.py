"""Features of the trainings of a cell, those of several members side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine import Run
from ssl_domains.evaluation import embed_rows
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore

__all__ = ["features_of"]


def features_of(runs: Sequence[Run], table: SampleTable, store: ArrayStore) -> NDArray[Any]:
    """Embed rows with the encoder of each run, ``[n, F of all runs]``, in the order of the runs."""
    parts = [embed_rows(run.encoder(), run.preprocess, table, store, crop=run.crop) for run in runs]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
