"""Hard negatives by a search: documents that a search takes for relevant to a query, and that nobody says are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ssl_domains.samples import write_whole

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
    itself: pl.DataFrame | None = None,
) -> Mined:
    """Turn hits into negatives, without those that are known to be none.

    Args:
        run: Hits in the order of `ranked`: ``query`` and ``document`` as samples (``q/1``, ``d/7``), and ``score``.
        edges: Judgements of the table.
        contents: Columns ``sample`` and ``content`` of the table: a hit with the text of the query is the query itself.
        links: Tables of further links, ``a`` and ``b``, from `text link-duplicates`.
        itself: Pairs ``a`` and ``b`` of a query and a piece of the document that is the query itself.
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
    texts = contents.select("sample", "content")
    both = hits.join(texts.rename({"content": "of a"}), left_on="a", right_on="sample")
    both = both.join(texts.rename({"content": "of b"}), left_on="b", right_on="sample")
    same = [both.filter(pl.col("of a") == pl.col("of b")).select("a", "b")]
    without(pl.concat([*same, *([] if itself is None else [itself.select("a", "b")])]), "the query itself")
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
