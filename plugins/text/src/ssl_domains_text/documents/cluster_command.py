"""What ``ssl-domains text cluster-queries`` does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = ["cluster_queries"]


def cluster_queries(
    samples: Path, out: Path | None, folds: int, test: float, documents: float, words: float, seed: int
) -> Iterator[str]:
    """Write a table with clusters of queries; yields the lines to print."""
    from ssl_domains.cli.for_plugins import open_table
    from ssl_domains.errors import DataError
    from ssl_domains.samples import require_target, write_portable
    from ssl_domains_text.documents.clusters import query_clusters, with_clusters
    from ssl_domains_text.documents.domain import TEXT
    from ssl_domains_text.documents.search.scores import judgements_of_table

    target = samples if out is None else out
    require_target(target)
    table, edges = open_table(TEXT, samples), judgements_of_table(samples)
    clusters = query_clusters(table.frame, edges, documents, words)
    if not len(clusters.sizes):
        raise DataError("the table has no query", "scan queries and judgements with the collection")
    made, notes = with_clusters(table, clusters, folds, test, seed)
    write_portable(made, target)
    yield from clusters.notes()
    yield from notes
    yield f"column cluster → {target}"
    if not folds and not test:
        yield "next: --folds 3 for a study, --test 0.2 for a split"
