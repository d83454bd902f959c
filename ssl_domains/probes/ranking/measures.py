"""Scores of rankings against judgements, equal to those of trec_eval: MRR@k, nDCG@k and recall@k.

Järvelin & Kekäläinen 2002, Cumulated Gain-based Evaluation of IR Techniques (nDCG, here with the grade as the gain).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ssl_domains.errors import DataError
from ssl_domains.probes.ranking.order import TIES, ranked, require_columns
from ssl_domains.quantities import plural

__all__ = ["RankingScores", "recall_ceiling", "score_run"]


@dataclass(frozen=True, eq=False)
class RankingScores:
    """Scores of a run, each a mean over all judged queries.

    Attributes:
        values: ``MRR@k``, ``nDCG@k`` and ``recall@k`` by name.
        queries: Number of judged queries.
        unanswered: Judged queries without any hit, which count as 0.
        unjudged: Queries of the run without a judgement, which are left out.
        without_relevant: Judged queries without a relevant document, which count as 0.
        each: The same values for each judged query: column ``query``, and one for each name.
    """

    values: dict[str, float]
    queries: int
    unanswered: int
    unjudged: int
    without_relevant: int
    each: pl.DataFrame

    def notes(self) -> list[str]:
        """What to print beside the numbers, one sentence each."""
        lines = [f"mean over {plural(self.queries, 'judged query', 'judged queries')}; {TIES}"]
        if self.unanswered:
            some = plural(self.unanswered, "query has", "queries have")
            lines.append(f"{some} no hit: counted as 0")
        if self.unjudged:
            some = plural(self.unjudged, "query", "queries")
            lines.append(f"{some} of the run dropped: no document is judged")
        if self.without_relevant:
            some = plural(self.without_relevant, "judged query has", "judged queries have")
            lines.append(f"{some} no relevant document: counted as 0")
        return lines


def score_run(
    run: pl.DataFrame,
    judgements: pl.DataFrame,
    *,
    at: Sequence[int] = (10,),
    relevant_from: float = 1,
) -> RankingScores:
    """Score the hits of queries.

    ``MRR@k`` is the mean of 1 / rank of the first relevant document, 0 where none is among the first k. ``recall@k`` is
    the share of a query's relevant documents among the first k, those that the collection lacks included. ``nDCG@k``
    has the grade as gain and log2(1 + rank) as discount; grades below 0 count as 0.

    Args:
        run: Columns ``query``, ``document``, ``score``.
        judgements: Columns ``query``, ``document``, ``grade``. Give those of one split: the mean is over all their
            queries.
        at: The values of k; one that stands there twice counts once.
        relevant_from: Smallest grade of a relevant document, for MRR and recall: 2 for TREC-DL.

    Raises:
        DataError: When a column is missing, nothing is judged, a pair has two grades, or ``at`` is not positive.
    """
    if not at or min(at) < 1:
        raise DataError(f"scores at {list(at)}", "give values of k from 1 on, such as 10")
    at = list(dict.fromkeys(at))
    require_columns(judgements, ("query", "document", "grade"), "table of judgements")
    judged = judgements.select(
        pl.col("query").cast(pl.String), pl.col("document").cast(pl.String), pl.col("grade").cast(pl.Float64)
    ).unique(maintain_order=True)
    if not len(judged):
        raise DataError("no query is judged", "is it the right split?")
    twice = judged.filter(pl.struct("query", "document").is_duplicated())
    if len(twice):
        pair = twice.row(0, named=True)
        raise DataError(
            f"document {pair['document']!r} has two grades for query {pair['query']!r}", "a pair is judged once"
        )
    queries = judged.select(pl.col("query").unique().sort())
    hits = ranked(run)
    answered = hits.join(queries, on="query", how="semi")
    graded = answered.filter(pl.col("rank") <= max(at)).join(judged, on=["query", "document"], how="inner")
    each = queries
    for k in at:
        each = each.join(_of_hits(graded.filter(pl.col("rank") <= k), relevant_from), on="query", how="left")
        each = each.join(_of_judgements(judged, k, relevant_from), on="query", how="left").with_columns(
            pl.col("first", "gain", "found").fill_null(0.0)
        )
        each = each.with_columns(
            pl.col("first").alias(f"MRR@{k}"),
            pl.when(pl.col("ideal") > 0).then(pl.col("gain") / pl.col("ideal")).otherwise(0.0).alias(f"nDCG@{k}"),
            pl.when(pl.col("count") > 0).then(pl.col("found") / pl.col("count")).otherwise(0.0).alias(f"recall@{k}"),
        ).drop("first", "gain", "found", "ideal", "count")
    names = [f"{name}@{k}" for name in ("MRR", "nDCG", "recall") for k in at]
    each = each.select("query", *names)
    return RankingScores(
        values={name: float(np.mean(each[name].to_numpy())) for name in names},
        queries=len(queries),
        unanswered=len(queries.join(answered, on="query", how="anti")),
        unjudged=hits.join(queries, on="query", how="anti")["query"].n_unique(),
        without_relevant=len(queries.join(judged.filter(pl.col("grade") >= relevant_from), on="query", how="anti")),
        each=each.sort("query"),
    )


def recall_ceiling(judgements: pl.DataFrame, documents: Collection[str], relevant_from: float = 1) -> float:
    """The largest possible recall over the judged queries, where judgements name documents that aren't there.

    Args:
        judgements: Columns ``query``, ``document``, ``grade``.
        documents: Ids of the documents that can be found.
        relevant_from: Smallest grade of a relevant document.

    Returns:
        The mean, over queries with a relevant document, of the share of their relevant documents that are there; NaN
        without such a query.
    """
    require_columns(judgements, ("query", "document", "grade"), "table of judgements")
    present = pl.Series(list(documents), dtype=pl.String).implode()
    relevant = judgements.filter(pl.col("grade") >= relevant_from)
    if not len(relevant):
        return float("nan")
    there = relevant.group_by("query").agg(pl.col("document").cast(pl.String).is_in(present).mean().alias("share"))
    return float(np.mean(there["share"].to_numpy()))


def _of_hits(graded: pl.DataFrame, relevant_from: float) -> pl.DataFrame:
    """Of the first hits that are judged: 1 / rank of the first relevant one, the gain, the number of relevant ones."""
    relevant = pl.col("grade") >= relevant_from
    gain = pl.col("grade").clip(lower_bound=0.0) / _discount()
    return graded.group_by("query").agg(
        (relevant / pl.col("rank")).max().alias("first"),
        gain.sum().alias("gain"),
        relevant.sum().cast(pl.Float64).alias("found"),
    )


def _of_judgements(judged: pl.DataFrame, k: int, relevant_from: float) -> pl.DataFrame:
    """Of each query: the gain of the best possible ranking, and the number of relevant documents."""
    best = judged.filter(pl.col("grade") > 0).sort("query", "grade", descending=[False, True])
    best = best.with_columns(rank=pl.int_range(1, pl.len() + 1).over("query")).filter(pl.col("rank") <= k)
    ideal = best.group_by("query").agg((pl.col("grade") / _discount()).sum().alias("ideal"))
    count = judged.group_by("query").agg((pl.col("grade") >= relevant_from).sum().cast(pl.Float64).alias("count"))
    return count.join(ideal, on="query", how="left").with_columns(pl.col("ideal").fill_null(0.0))


def _discount() -> pl.Expr:
    return (pl.col("rank") + 1).cast(pl.Float64).log(2.0)
