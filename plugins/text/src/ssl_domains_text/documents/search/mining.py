"""Hard negatives by a search: documents that a search takes for relevant to a query, and that nobody says are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ssl_domains.samples import whole_content, write_whole

__all__ = ["Mined", "mined_negatives", "write_triplets"]


@dataclass(frozen=True, eq=False)
class Mined:
    """Mined negatives.

    Attributes:
        edges: Columns ``a`` (query), ``b`` (document), ``rank`` from 1 on.
        removed: Hits that were left out, by the reason.
    """

    edges: pl.DataFrame
    removed: Mapping[str, int]


def mined_negatives(
    run: pl.DataFrame,
    edges: pl.DataFrame,
    contents: pl.DataFrame,
    links: Sequence[pl.DataFrame] = (),
) -> Mined:
    """Turn hits into negatives, without those that are known to be none.

    Args:
        run: Hits in the order of `ranked`: ``query`` and ``document`` as samples (``q/1``, ``d/7``), and ``score``.
        edges: Judgements of the table.
        contents: Columns ``sample`` and ``content`` of the table, and ``whole`` where it has pieces. A hit with the
            text of the query, or a piece of a document with that text, is the query itself.
        links: Tables of further links, ``a`` and ``b``, from `text link-duplicates`.
    """
    hits = run.select(a="query", b="document", score="score").with_row_index("order")
    removed: dict[str, int] = {}

    def without(pairs: pl.DataFrame, reason: str) -> None:
        nonlocal hits
        kept = hits.join(pairs.select("a", "b").unique(), on=["a", "b"], how="anti")
        removed[reason] = removed.get(reason, 0) + len(hits) - len(kept)
        hits = kept

    without(edges.filter(pl.col("relevant") == 1), "relevant")
    without(edges.filter(pl.col("ignored") == 1), "ignored")
    for one in links:
        without(one, "linked")
    texts = contents.select("sample", "content").with_columns(whole_content(contents))
    both = hits.join(texts.select(a="sample", asked="content"), on="a").join(texts.rename({"sample": "b"}), on="b")
    without(both.filter(pl.any_horizontal(pl.col("asked") == pl.col("content", "whole"))), "the query itself")
    hits = hits.sort("order").with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("a"))
    return Mined(hits.select("a", "b", "rank"), {reason: count for reason, count in removed.items() if count})


def write_triplets(path: Path, triplets: Iterable[tuple[str, str, str]]) -> int:
    """Write triplets as JSON lines with the fields anchor, positive and negative, as sentence-transformers reads them.

    Returns:
        Number of lines.
    """
    lines = [
        json.dumps({"anchor": anchor, "positive": positive, "negative": negative}, ensure_ascii=False) + "\n"
        for anchor, positive, negative in triplets
    ]
    write_whole(path, lambda part: part.write_text("".join(lines), encoding="utf-8"))
    return len(lines)
