"""Hand-made features of a table's rows, on the same canvas that the encoder sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Preprocess

__all__ = ["handmade_features"]


def handmade_features(
    extract: Callable[[NDArray[Any]], NDArray[Any]],
    preprocess: Preprocess,
    table: SampleTable,
    store: ArrayStore,
    *,
    batch_size: int = 256,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """Features ``[n, F]`` of rows that can all be decoded.

    Args:
        extract: From pictures ``[b, C, S, S]`` in [0, 1] to ``[b, F]``, as in `ssl_domains.probes.handmade`.
        preprocess: Scaling and canvas; windows of groups it doesn't know are fitted on those groups, as in `embed`.
        table: The rows.
        store: Holds their arrays.
        batch_size: Pictures at a time.
        progress: Called with rows done and rows in all.

    Raises:
        DataError: When there is no row.
    """
    if not len(table):
        raise DataError("no row of the table could be decoded", "see the table's problems file")
    preprocess = replace(preprocess, scaling=preprocess.scaling.extend(table, store))
    positions, groups = store.positions(table), preprocess.scaling.groups(table)
    parts = []
    for start in range(0, len(table), batch_size):
        rows = range(start, min(start + batch_size, len(table)))
        images = torch.stack([preprocess(store[int(positions[i])], groups[i]) for i in rows]).numpy()
        parts.append(np.asarray(extract(images), dtype=np.float32))
        if progress is not None:
            progress(rows.stop, len(table))
    return np.concatenate(parts)
