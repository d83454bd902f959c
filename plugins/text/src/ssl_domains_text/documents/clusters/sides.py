"""Columns of clusters and folds: whole clusters of queries on one side, all documents among the training rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable, balanced_parts
from ssl_domains_text.documents.clusters.query_clusters import QueryClusters

__all__ = ["with_clusters"]


def with_clusters(
    table: SampleTable, clusters: QueryClusters, folds: int = 0, test: float = 0.0, seed: int = 0
) -> tuple[SampleTable, list[str]]:
    """Add the column ``cluster``, and the sides of whole clusters.

    A cluster is called by the id of its first query; documents have none. With ``folds``, the columns ``fold_1`` …
    say for each fold which queries train and which test; with ``test``, the column ``split`` does. Numbers of queries
    are as equal as whole clusters allow. All documents are training rows, as the collection is known before the
    queries come. Columns of these names that the table has are replaced.

    Args:
        table: The table.
        clusters: Clusters of its queries.
        folds: Number of folds, from 2 on; 0 for none.
        test: Share of the queries on the test side, in (0, 1); 0 for no split.
        seed: Seed of the draw among clusters of equal size.

    Returns:
        The table, and notes.

    Raises:
        UsageError: For a number of folds or a share out of range.
        DataError: When there are fewer clusters than sides.
    """
    if folds == 1 or folds < 0:
        raise UsageError(f"--folds {folds}", "2 folds or more")
    if not 0 <= test < 1:
        raise UsageError(f"--test is {test}", "a share of the queries between 0 and 1, such as 0.2")
    sizes, codes = clusters.sizes, clusters.codes
    sides = max(folds, 2 if test else 0)
    if len(sizes) < sides:
        raise DataError(f"{plural(len(sizes), 'cluster')} for {sides} sides", "fewer folds, or larger --documents")
    ids, asking = table.frame["id"], codes >= 0
    names = np.full(len(sizes), None, dtype=object)
    rows = np.flatnonzero(asking)[::-1]
    names[codes[rows]] = np.array(ids.gather(rows).to_list(), dtype=object)  # the first query is assigned last
    named = [names[code] if code >= 0 else None for code in codes.tolist()]
    old = [name for name in table.columns if name.startswith("fold_") and name[5:].isdecimal()] if folds else []
    frame = table.frame.drop(old).with_columns(cluster=pl.Series(named, dtype=pl.String))
    notes = []
    if folds:
        part = balanced_parts(sizes, np.full(folds, 1 / folds), seed)
        for fold in range(folds):
            frame = frame.with_columns(_side(codes, part == fold).alias(f"fold_{fold + 1}"))
        held = np.bincount(part, weights=sizes, minlength=folds).astype(int)
        count = np.bincount(part, minlength=folds)
        each = zip(held.tolist(), count.tolist(), strict=True)
        parts = ", ".join(f"{asked:,} in {plural(own, 'cluster')}" for asked, own in each)
        notes.append(f'test queries of the folds: {parts} (study: group = "cluster", folds = "fold_*")')
    if test:
        part = balanced_parts(sizes, np.array([1 - test, test]), seed)
        frame = frame.with_columns(_side(codes, part == 1).alias("split"))
        queries, clusters_held = int(sizes[part == 1].sum()), int((part == 1).sum())
        notes.append(
            f"split: {queries:,} of {int(sizes.sum()):,} queries in {plural(clusters_held, 'cluster')} are held out"
        )
    options = {**table.meta.options, **({"split_by": "cluster"} if test else {})}
    return replace(table, frame=frame, meta=replace(table.meta, options=options)), notes


def _side(codes: NDArray[np.int64], tested: NDArray[np.bool_]) -> pl.Series:
    held = np.append(tested, False)[codes]  # the last one is for documents
    return pl.Series(np.where(held, "test", "train").tolist(), dtype=pl.String)
