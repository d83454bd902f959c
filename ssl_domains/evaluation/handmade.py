"""Compute hand-made features, such as HOG, from the same inputs that the encoder gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Crop, InputDataset, Preprocess, TileDataset, Tiling, extended

__all__ = ["handmade_features"]


def handmade_features(
    extract: Callable[[NDArray[Any]], NDArray[Any]],
    preprocess: Preprocess,
    table: SampleTable,
    store: ArrayStore,
    *,
    batch_size: int = 256,
    crop: Crop | None = None,
    tiling: Tiling | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """Hand-made features float32 ``[n, F]`` of decodable rows.

    Args:
        extract: Function from inputs of the encoder, such as pictures ``[b, C, S, S]`` in [0, 1], to features
            ``[b, F]``, as in `ssl_domains.probes.handmade`. Inputs of differing length come one at a time, unpadded.
        preprocess: From an array to the input. For groups without a fitted window, one is fitted on that group, as in
            `embed`.
        table: The rows.
        store: The arrays of the rows.
        batch_size: Number of inputs in a batch.
        crop: Crop of the views, so that the features are those of the part that an encoder sees; see `embed_rows`.
        tiling: Grid of tiles over which the features of a sample are averaged; see `embed_rows`.
        progress: Called with the number of rows done and of all rows.

    Raises:
        DataError: When there is no row.
        UsageError: With a tiling but without a crop.
    """
    if not len(table):
        raise DataError("no row of the table could be decoded", "see the table's problems file")
    if tiling is not None and crop is None:
        raise UsageError("tiles have the size of a crop, and the views show whole samples", "leave the tiling out")
    dataset = InputDataset(table, store, extended(preprocess, table, store), cache_gb=0, crop=crop)
    shown = dataset if tiling is None else TileDataset(dataset, tiling)
    if preprocess.spec.ragged:
        batch_size = 1
    parts = []
    for start in range(0, len(shown), batch_size):
        rows = range(start, min(start + batch_size, len(shown)))
        inputs = dataset.finish(shown.__getitems__(rows)["input"].unit()).values.numpy()
        parts.append(np.asarray(extract(inputs), dtype=np.float32))
        if progress is not None:
            progress(rows.stop, len(shown))
    features = np.concatenate(parts)
    if isinstance(shown, InputDataset):
        return features
    sums = np.add.reduceat(features.astype(np.float64), shown.first[:-1], axis=0)
    return np.asarray(sums / np.diff(shown.first)[:, None], dtype=np.float32)
