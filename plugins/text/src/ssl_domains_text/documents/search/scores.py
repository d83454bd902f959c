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
    without_self_hits,
)
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable
from ssl_domains_text.documents.reader import DocumentReader, text_of_row
from ssl_domains_text.documents.scanning.edges import edge_file

__all__ = ["ScoredRun", "judgements_of_table", "score_hits"]

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
    """
    file = edge_file(samples)
    if not file.is_file():
        raise UsageError(f"there are no judgements beside {samples.name!r}", "scan them with the collection (qrels)")
    return pl.read_parquet(file)


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
    pairs = edges.unique(["query", "document", "split"], maintain_order=True)
    queries = table.frame.filter(pl.col("side") == "query")
    if split is not None:
        if "split" not in queries.columns:
            raise UsageError("the table has no split", "leave --split out, or scan with --split-by")
        ids = queries.filter(pl.col("split") == split)["id"]
        pairs = pairs.filter(pl.col("query").is_in(ids.implode()))
        # Judgements for training know one document a query; those for this side may know all of them.
        named = pairs.filter(pl.col("split") == split)
        pairs = pl.concat([named, pairs.join(named, on="query", how="anti")])
        run = run.filter(pl.col("query").is_in(pairs["query"].unique().implode()))
    if not len(pairs):
        raise DataError("no query is judged" + ("" if split is None else f" on the side {split!r}"), "try another side")
    pairs = pairs.group_by("query", "document", maintain_order=True).agg(pl.col("grade").max(), pl.col("ignored").min())
    notes: list[str] = []
    own = without_self_hits(run, *_texts_of_both(table.frame))
    if own.dropped:
        notes.append(f"{plural(own.dropped, 'hit was', 'hits were')} the query itself, by id and text: dropped")
    judged = pairs.filter(pl.col("ignored") == 0)
    kept = without_pairs(own.run, pairs.filter(pl.col("ignored") == 1))
    if kept.dropped:
        notes.append(f"{plural(kept.dropped, 'hit is', 'hits are')} neither relevant nor irrelevant: dropped")
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


def _texts_of_both(frame: pl.DataFrame) -> tuple[dict[str, str], dict[str, str]]:
    """Texts of the queries and documents of equal id: no others can be the query itself."""
    ids = frame.group_by("id").agg(pl.col("side").n_unique().alias("sides")).filter(pl.col("sides") > 1)["id"]
    reader = DocumentReader()
    texts: dict[str, dict[str, str]] = {"query": {}, "document": {}}
    for row in frame.filter(pl.col("id").is_in(ids.implode())).sort("sample").iter_rows(named=True):
        of_side = texts[row["side"]]
        of_side[row["id"]] = f"{of_side.get(row['id'], '')} {text_of_row(reader, row)}"
    return texts["query"], texts["document"]
