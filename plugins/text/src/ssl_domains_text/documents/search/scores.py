"""Scores of a run against the judgements of a table: what is dropped before, and what is said beside the numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.probes.ranking import (
    RankingScores,
    recall_ceiling,
    score_run,
    without_pairs,
)
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable, queries_among, read_frame
from ssl_domains_text.documents.scanning.edges import edge_file

__all__ = ["ScoredRun", "judged_pairs", "judgements_of_table", "score_hits", "self_hits_of"]

_MOST_VALUES = 50


@dataclass(frozen=True, eq=False)
class ScoredRun:
    """The scores of a run with the sentences that belong beside them.

    Attributes:
        scores: The scores.
        notes: The sentences.
        recalls: Value of a column of the documents → ``recall@k`` of the relevant documents with it; empty where no
            column was named.
    """

    scores: RankingScores
    notes: list[str]
    recalls: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def judgements_of_table(samples: Path) -> pl.DataFrame:
    """The judgements that the scan wrote beside a table.

    Raises:
        UsageError: When there are none.
        DataError: When their file is damaged.
    """
    file = edge_file(samples)
    if not file.is_file():
        raise UsageError(f"there are no judgements beside {samples.name!r}", "scan them with the collection (qrels)")
    frame = read_frame(file)
    absent = sorted({"a", "b", "query", "document", "grade", "relevant", "ignored", "split"} - set(frame.columns))
    if absent:
        raise DataError(f"{file.name} has no column {absent[0]!r}", "scan again: it writes the judgements")
    return frame


def judged_pairs(table: SampleTable, edges: pl.DataFrame, split: str | None) -> pl.DataFrame:
    """Judgements by ids: columns ``query``, ``document``, ``grade`` and ``ignored`` (1 or 0), each pair once.

    Args:
        table: The table.
        edges: Its judgements.
        split: Take the queries of this side of the table; None for all.

    Raises:
        UsageError: When the table has no split.
    """
    pairs = edges.unique(["query", "document", "split"], maintain_order=True)
    if split is not None:
        if "split" not in table.columns:
            raise UsageError("the table has no split", "leave --split out, or scan with --split-by")
        ids = table.frame.filter((pl.col("side") == "query") & (pl.col("split") == split))["id"]
        pairs = pairs.filter(pl.col("query").is_in(ids.implode()))
        # Judgements for training know one document a query; those for this side may know all of them.
        named = pairs.filter(pl.col("split") == split)
        pairs = pl.concat([named, pairs.join(named, on="query", how="anti")])
    return pairs.group_by("query", "document", maintain_order=True).agg(pl.col("grade").max(), pl.col("ignored").min())


def self_hits_of(queries: pl.DataFrame, documents: pl.DataFrame) -> pl.DataFrame:
    """The queries that are documents too, by id and text: columns ``query`` and ``document``.

    Args:
        queries: Rows of queries.
        documents: Rows of documents, or of their pieces, of the same table or of another one.
    """
    return queries_among(queries, documents).select(query="id", document="id").unique().sort("query")


def score_hits(
    run: pl.DataFrame,
    table: SampleTable,
    edges: pl.DataFrame,
    *,
    split: str | None = None,
    at: Sequence[int] = (10,),
    relevant_from: float = 1,
    recall_by: str | None = None,
) -> ScoredRun:
    """Score hits against the judgements of a table.

    Hits that are the query itself (equal id and text), and those whose judgement is to be ignored, are taken out before
    the ranking is cut at k.

    Args:
        run: Columns ``query``, ``document``, ``score``, with source ids.
        table: The table.
        edges: Its judgements.
        split: Take the queries of this side of the table; None for all.
        at: The values of k.
        relevant_from: Smallest grade of a relevant document, for MRR and recall.
        recall_by: Column of the table; the recall of relevant documents of each of its values is scored apart.

    Raises:
        DataError: When no query of this side is judged.
        UsageError: When the table has no such column, or it has more than 50 values.
    """
    pairs = judged_pairs(table, edges, split)
    if split is not None:
        run = run.filter(pl.col("query").is_in(pairs["query"].unique().implode()))
    if not len(pairs):
        raise DataError("no query is judged" + ("" if split is None else f" on the side {split!r}"), "try another side")
    notes: list[str] = []
    sides = table.frame.partition_by("side", as_dict=True)
    none = table.frame.clear()
    own = without_pairs(run, self_hits_of(sides.get(("query",), none), sides.get(("document",), none)))
    if own.dropped:
        notes.append(f"{plural(own.dropped, 'hit was', 'hits were')} the query itself, by id and text: dropped")
    judged = pairs.filter(pl.col("ignored") == 0)
    kept = without_pairs(own.run, pairs.filter(pl.col("ignored") == 1))
    if kept.dropped:
        notes.append(f"{plural(kept.dropped, 'hit is', 'hits are')} neither relevant nor irrelevant: dropped")
    if short := _cut_before(run, kept.run, judged, max(at)):
        notes.append(
            f"{plural(short, 'query has', 'queries have')} fewer than {max(at)} hits left, as the run was cut before "
            "hits were dropped: scores may be too low. Search deeper (text search -k)"
        )
    scores = score_run(kept.run, judged, at=at, relevant_from=relevant_from)
    documents = table.frame.filter(pl.col("side") == "document")["id"].unique()
    ceiling = recall_ceiling(judged, documents, relevant_from)
    if ceiling < 1:
        limit = math.floor(ceiling * 1e4) / 1e4
        notes.append(f"recall can't be above {limit:.4f}: judged documents are missing in the collection")
    recalls = {} if recall_by is None else _recalls(kept.run, judged, table, recall_by, at, relevant_from)
    return ScoredRun(scores, [*scores.notes(), *notes], recalls)


def _recalls(
    run: pl.DataFrame, judged: pl.DataFrame, table: SampleTable, column: str, at: Sequence[int], relevant_from: float
) -> dict[str, dict[str, float]]:
    """Value of a column → recall of the relevant documents that have it, over the queries with such a document."""
    if column not in table.columns:
        raise UsageError(f"the table has no column {column!r}", did_you_mean(column, table.columns))
    documents = table.frame.filter(pl.col("side") == "document").unique("id", maintain_order=True)
    values = documents.select(pl.col("id").alias("document"), value=pl.col(column).cast(pl.String))
    relevant = judged.filter(pl.col("grade") >= relevant_from).join(values, on="document", maintain_order="left")
    names = relevant["value"].drop_nulls().unique().sort()
    if len(names) > _MOST_VALUES:
        raise UsageError(f"{column!r} has {len(names):,} values among relevant documents", "name one that has few")
    recalls = {}
    for name in names:
        scores = score_run(run, relevant.filter(pl.col("value") == name), at=at, relevant_from=relevant_from)
        recalls[name] = {f"recall@{k}": scores.values[f"recall@{k}"] for k in at}
    return recalls


def _cut_before(run: pl.DataFrame, kept: pl.DataFrame, judged: pl.DataFrame, k: int) -> int:
    """Number of judged queries with fewer than k hits, because hits of a run that was cut were dropped.

    A query with fewer hits than another one has all that its search found, and was not cut.
    """
    counts = run.group_by("query").agg(pl.len().alias("before"))
    cut = counts.filter(pl.col("before") == pl.col("before").max()).join(judged, on="query", how="semi")
    left = cut.join(kept.group_by("query").agg(pl.len().alias("left")), on="query", how="left")
    left = left.with_columns(pl.col("left").fill_null(0))
    return len(left.filter((pl.col("left") < pl.col("before")) & (pl.col("left") < k)))
