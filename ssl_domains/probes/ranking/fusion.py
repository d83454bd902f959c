"""Several runs as one: the sum of z-scores of a document in each."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ssl_domains.probes.ranking.order import ranked

__all__ = ["fused"]


def fused(runs: Sequence[pl.DataFrame], k: int | None = None) -> pl.DataFrame:
    """Add up the z-scores of each document over several runs.

    The scores of a query's hits in a run are brought to mean 0 and standard deviation 1, so that BM25 and cosines count
    alike. A document that one run doesn't have gets its lowest z-score there. A query that only some runs answer has
    the hits of these.

    Args:
        runs: Columns ``query``, ``document``, ``score``.
        k: Hits of a query that are kept; None for all.
    """
    parts = []
    for number, run in enumerate(runs):
        score, query = pl.col("score").cast(pl.Float64), "query"
        spread = score.std(ddof=0).over(query)
        z = pl.when(spread > 0).then((score - score.mean().over(query)) / spread).otherwise(0.0)
        parts.append(run.select("query", "document", z.alias("z"), run=pl.lit(number)))
    hits = pl.concat(parts)
    lowest = hits.group_by("query", "run").agg(pl.col("z").min().alias("lowest"))
    sums = hits.group_by("query", "document").agg(pl.col("z").sum(), pl.col("run").alias("runs"))
    all_lowest = lowest.group_by("query").agg(pl.col("lowest").sum().alias("floor"))
    present = (
        hits.select("query", "document", "run")
        .join(lowest, on=["query", "run"])
        .group_by("query", "document")
        .agg(pl.col("lowest").sum().alias("had"))
    )
    made = sums.join(all_lowest, on="query").join(present, on=["query", "document"])
    made = made.select("query", "document", score=pl.col("z") + pl.col("floor") - pl.col("had"))
    return ranked(made, k).drop("rank")
