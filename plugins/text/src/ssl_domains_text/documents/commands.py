"""What the further commands of the domain do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ssl_domains.errors import UsageError, did_you_mean

__all__ = ["make_index", "score_file", "search_index"]

_SHOWN = 160  # characters of a hit


def make_index(
    samples: Path, out: Path | None, run: Path | None, language: str, stem: bool, stop: bool, characters: int
) -> Iterator[str]:
    """Make an index; yields the lines to print."""
    from ssl_domains.cli.work.tables import fill_store, open_table
    from ssl_domains.stores import default_store
    from ssl_domains_text.documents.domain import TEXT
    from ssl_domains_text.documents.search import Analysis
    from ssl_domains_text.documents.search.folder import build_index

    if out is None and run is None:
        raise UsageError("say where the index is written", "add --out FOLDER, or --run RUN for RUN/index")
    folder = out if out is not None else Path(str(run)) / "index"
    analysis = Analysis(language, stem, stop, characters)
    opened, store = None, None
    table = open_table(TEXT, samples)
    if run is not None:
        from ssl_domains.engine import Run

        opened = Run.open(run)
        store = fill_store(TEXT, table, default_store(samples))
    made, notes = build_index(table, folder, analysis, opened, store)
    yield from notes
    yield f"{len(made.table):,} documents indexed → {folder}"
    yield f'next: ssl-domains text search {folder} "words"'


def search_index(
    folder: Path, words: str | None, k: int, by: str | None, queries: Path | None, split: str | None, out: Path | None
) -> Iterator[str]:
    """Search an index; yields the lines to print."""
    from ssl_domains.probes.ranking import write_run
    from ssl_domains.samples import require_target
    from ssl_domains_text.documents.search.folder import SavedIndex

    if by not in (None, "words", "vectors", "both"):
        raise UsageError(f"--by {by!r} is no search", did_you_mean(str(by), ("words", "vectors", "both")))
    if (words is None) == (queries is None):
        raise UsageError("give words to search for, or --queries SAMPLES", 'ssl-domains text search INDEX "words"')
    if queries is not None and out is None:
        raise UsageError("hits of many queries need a file", "add --out hits.trec")
    if out is not None:
        require_target(out)
    index = SavedIndex.open(folder)
    said: list[str] = []
    asked, vectors = ([("words", str(words))], None) if queries is None else _queries(index, queries, split, by)
    run = index.search(asked, k, by, vectors, said.append)  # type: ignore[arg-type]
    yield from said
    if out is not None:
        count = write_run(run, out, f"ssl-domains-{by or 'default'}", k)
        answered = run["query"].n_unique()
        yield f"{count:,} hits of {answered:,} of {len(asked):,} queries → {out}"
    if queries is not None:
        return
    if not len(run):
        yield "no hit: no document has a word of the query"
    for rank, (document, score) in enumerate(run.select("document", "score").iter_rows(), start=1):
        text = " ".join(index.text(document).split())
        yield f"{rank:>3}  {score:8.4f}  {document}  {text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}"


def _queries(index: Any, samples: Path, split: str | None, by: str | None) -> tuple[list[tuple[str, str]], Any]:
    """Queries of a table: (id, text), and their vectors where they are searched by."""
    from ssl_domains.cli.work.tables import fill_store, open_table
    from ssl_domains.stores import default_store
    from ssl_domains_text.documents.domain import TEXT
    from ssl_domains_text.documents.reader import DocumentReader, text_of_row

    table = open_table(TEXT, samples)
    sides = table.text("side") == "query"
    if split is not None:
        sides &= table.text("split") == split
    chosen = table.take(sides.fill_null(False).to_numpy())
    if not len(chosen):
        raise UsageError("the table has no such query", "leave --split out")
    reader = DocumentReader()
    asked = [(row["id"], text_of_row(reader, row)) for row in chosen.frame.iter_rows(named=True)]
    if by == "words" or index.run is None:
        return asked, None
    from ssl_domains.engine import Run
    from ssl_domains.evaluation import embed_rows

    run = Run.open(index.run)
    store = fill_store(TEXT, chosen, default_store(samples))
    return asked, embed_rows(run.encoder(), run.preprocess, chosen, store, device=run.config.train.device)


def score_file(hits: Path, samples: Path, split: str | None, at: str, relevant_from: float, as_json: bool) -> None:
    """Score a TREC run, and print the numbers."""
    from ssl_domains.cli.console import answering
    from ssl_domains.cli.work.tables import open_table
    from ssl_domains.probes.ranking import read_run
    from ssl_domains_text.documents.domain import TEXT
    from ssl_domains_text.documents.search.scores import judgements_of_table, score_hits

    try:
        values = [int(part) for part in at.split(",")]
    except ValueError:
        raise UsageError(f"--at {at!r} has no numbers", "--at 10,100") from None
    with answering(as_json) as answer:
        run, table = read_run(hits), open_table(TEXT, samples)
        scored = score_hits(
            run, table, judgements_of_table(samples), split=split, at=values, relevant_from=relevant_from
        )
        answer.json({"values": scored.scores.values, "queries": scored.scores.queries, "notes": scored.notes})
        for name, value in scored.scores.values.items():
            answer.line(f"{name:12} {value:.4f}")
        for line in scored.notes:
            answer.line(f"note: {line}")
