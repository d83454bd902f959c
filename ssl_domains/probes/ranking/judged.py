"""Judged queries as labels: which rows of a table are queries, which can be found, and what is judged of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.probes.labels import Labels
from ssl_domains.samples import SampleTable, queries_among, whole_content

__all__ = ["RANKING", "Judged", "read_judged"]

RANKING = "ranking"
"""Task of judged queries."""


@dataclass(frozen=True)
class Judged(Labels):
    """Judged queries of ``n`` rows, as labels.

    As `Labels` they are of the task ``ranking``: ``y`` is the number of documents that are judged for a query, float64
    ``[n]`` (NaN for rows that are no judged query), and there are no classes, so that groups are drawn without strata.

    Attributes:
        judgements: Columns ``query`` (sample), ``document`` and ``grade``: the pairs that count.
        ignored: Columns ``query`` and ``document``: pairs that are no hits. They are neither relevant nor irrelevant,
            or the document is the query itself.
        offered: bool ``[n]``, rows that can be found.
        documents: Name of the document of each row; several rows may be pieces of one document.
    """

    judgements: pl.DataFrame
    ignored: pl.DataFrame
    offered: NDArray[np.bool_]
    documents: pl.Series

    def take(self, rows: NDArray[Any]) -> Judged:
        """The rows at integer positions or where a mask holds, with all judgements."""
        places = np.arange(len(self))[rows]
        return replace(
            self, y=self.y[rows], known=self.known[rows], offered=self.offered[rows],
            documents=self.documents.gather(places),
        )  # fmt: skip

    def contents(self) -> Iterator[NDArray[Any]]:
        """Rows, names and judgements as arrays, for hashes."""
        yield self.known
        yield self.offered
        for frame in (self.documents.to_frame(), self.judgements, self.ignored):
            yield np.frombuffer(repr(frame.sort(frame.columns).rows()).encode(), dtype=np.uint8)


def read_judged(
    table: SampleTable,
    edges: pl.DataFrame,
    *,
    grade: str = "grade",
    ignored: str | None = "ignored",
    document: str = "sample",
    offered: NDArray[np.bool_] | None = None,
) -> Judged:
    """Read the judgements of a table.

    A document that is the query itself, by its name and its text, is no hit: their rows have equal values in the column
    ``document`` and in ``whole``, or ``content``, where the table has it; see `whole_content`.

    Args:
        table: The rows, queries and documents alike.
        edges: Columns ``a`` (sample of the query), ``b`` (sample of the document), and the following.
        grade: Column with the grade, at least 0.
        ignored: Column that is above 0 for pairs that are neither relevant nor irrelevant; None for none.
        document: Column with the name of the document that a row is a piece of; ``"sample"`` for rows that are whole.
        offered: Rows that can be found; None for all rows that are no judged query.

    Raises:
        UsageError: When a column is missing.
        DataError: When no row of the table is a judged query, or none can be found.
    """
    for name in ("a", "b", grade, *([] if ignored is None else [ignored])):
        if name not in edges.columns:
            raise UsageError(f"the judgements have no column {name!r}", did_you_mean(name, edges.columns))
    samples, names = table.frame["sample"], table.text(document)
    named = pl.DataFrame({"b": samples, "document": names})
    # Documents that the table lacks keep their name: a query can't find them, and its score says so.
    pairs = edges.join(named, on="b", how="left").with_columns(pl.col("document").fill_null(pl.col("b")))
    out = pl.lit(False) if ignored is None else pl.col(ignored).fill_null(0) > 0
    judged = pairs.filter(~out).group_by(query="a", document="document").agg(pl.col(grade).max().alias("grade"))
    counts = pl.DataFrame({"query": samples}).join(
        judged.group_by("query").len("count"), on="query", how="left", maintain_order="left"
    )["count"]
    known = counts.is_not_null().to_numpy()
    rows = ~known if offered is None else offered
    if not known.any() or not rows.any():
        what = "is a judged query" if not known.any() else "can be found"
        raise DataError(f"no row of the table {what}", "are these the judgements of this table?")
    left_out = pl.concat(
        [pairs.filter(out).select(query="a", document="document"), _self_hits(table, document, known, rows)]
    )
    return Judged(
        task=RANKING,  # type: ignore[arg-type]  # no task of a probe of pooled features
        y=counts.cast(pl.Float64).fill_null(float("nan")).to_numpy(),
        classes=(),
        known=known,
        judgements=judged.select("query", "document", "grade").sort("query", "document"),
        ignored=left_out.unique().sort("query", "document"),
        offered=rows,
        documents=names,
    )


def _self_hits(table: SampleTable, document: str, known: NDArray[np.bool_], offered: NDArray[np.bool_]) -> pl.DataFrame:
    """Queries that are documents too, as columns ``query`` (sample) and ``document`` (name): equal name and text."""
    named = {"query": table.frame["sample"], "document": table.text(document), "whole": whole_content(table.frame)}
    frame = pl.DataFrame(named)
    return queries_among(frame.filter(known), frame.filter(offered), "document").select("query", "document")
