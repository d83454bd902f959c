"""What ``ssl-domains text mine`` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["mine"]


def mine(
    samples: Path, index: Path, out: Path | None, by: str | None, top: int, links: Sequence[Path], triplets: Path | None
) -> Iterator[str]:
    """Mine negatives for the training queries; yields the lines to print."""
    import polars as pl

    from ssl_domains.cli.command_line import quoted
    from ssl_domains.quantities import plural
    from ssl_domains.samples import require_target, write_errors, write_whole
    from ssl_domains_text.documents.commands import links_of, queries_of
    from ssl_domains_text.documents.reader import DocumentReader, text_of_row
    from ssl_domains_text.documents.search.folder import SavedIndex
    from ssl_domains_text.documents.search.mining import mined_negatives, write_triplets
    from ssl_domains_text.documents.search.scores import judgements_of_table

    target = samples.with_name(f"{samples.stem}.mined.parquet") if out is None else out
    for one in (target, triplets):
        if one is not None:
            require_target(one, inputs=[samples, *links])
    linked = [links_of(one) for one in links]
    edges = judgements_of_table(samples)
    found = SavedIndex.open(index)
    hint = "mine takes training queries: judge some for training (qrels/train.tsv), or write another split"
    table, asked, vectors = queries_of(found, samples, "train", by, hint)
    run = found.search(asked, top, by, vectors)  # type: ignore[arg-type]
    # The piece that was found stands for its document: a piece at random would be an easier negative.
    hits = run.select(pl.concat_str(pl.lit("q/"), "query").alias("query"), document="piece", score="score")
    documents = table.frame.filter(pl.col("side") == "document")
    absent = found.table.frame.join(documents, on="sample", how="anti")["id"].n_unique()
    hits = hits.join(documents.select(document="sample"), on="document", how="semi", maintain_order="left")
    made = mined_negatives(hits, edges, table.frame, linked)
    with write_errors(f"the negatives {target.name!r}"):
        write_whole(target, made.edges.write_parquet)
    removed = ", ".join(f"{count:,} {reason}" for reason, count in made.removed.items())
    yield (
        f"{plural(len(made.edges), 'negative')} of {plural(made.edges['a'].n_unique(), 'query', 'queries')} → {target}"
        + (f"; removed: {removed}" if removed else "")
    )
    if absent:
        yield (
            f"note: {plural(absent, 'document')} of the index {'is' if absent == 1 else 'are'} not in {samples.name}, "
            "and no negatives: make the index again (ssl-domains text index)"
        )
    if not links:
        yield "note: no --links: copies of known positives are among the negatives (ssl-domains text link-duplicates)"
    if triplets is not None:
        reader = DocumentReader()
        rows = {row["sample"]: row for row in table.frame.iter_rows(named=True)}
        positives = edges.filter(pl.col("relevant") == 1).select("a", positive="b")
        joined = made.edges.join(positives, on="a", maintain_order="left").select("a", "positive", "b")
        texts = (
            (text_of_row(reader, rows[a]), text_of_row(reader, rows[p]), text_of_row(reader, rows[b]))
            for a, p, b in joined.iter_rows()
            if p in rows
        )
        yield f"{plural(write_triplets(triplets, texts), 'triplet')} → {triplets}"
    negatives, warmup = (quoted(f"pairs.{name}=linked({str(target)!r})") for name in ("negatives", "warmup"))
    yield f"next: --set {negatives}, or until the first mining --set {warmup}"
