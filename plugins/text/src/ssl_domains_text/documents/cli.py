"""``ssl-domains text``: the commands of every domain, and those of a search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli import domain_app
from ssl_domains_text.documents.pairs_command import pairs_command

__all__ = ["app"]

app = domain_app("text")
app.registered_commands = [one for one in app.registered_commands if one.name != "pairs"]
app.command("pairs")(pairs_command())


@app.command("link-duplicates")
def link_duplicates(
    samples: Annotated[Path, typer.Argument(help="Sample table with judgements.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="File to write; SAMPLES.links.parquet.")
    ] = None,
    near: Annotated[float, typer.Option(min=0.1, max=1, help="Share of words that near copies share.")] = 0.8,
    equal_only: Annotated[
        bool, typer.Option("--equal-only", help="Look for equal texts, not for near copies.")
    ] = False,
) -> None:
    """Link queries with the copies and duplicates of their relevant documents, which `linked` alone doesn't reach."""
    from ssl_domains_text.documents.commands import link_duplicates as made

    for line in made(samples, out, None if equal_only else near):
        typer.echo(line)


@app.command("index")
def index(
    samples: Annotated[Path, typer.Argument(help="Sample table.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Folder to write; with --run RUN/index.")
    ] = None,
    run: Annotated[Path | None, typer.Option(metavar="RUN", help="Run whose encoder makes vectors.")] = None,
    language: Annotated[str, typer.Option(help="Language of stemmer and stop words; none for neither.")] = "english",
    stem: Annotated[bool, typer.Option("--stem/--no-stem", help="Reduce words to their stem.")] = True,
    stop: Annotated[bool, typer.Option("--stop/--no-stop", help="Leave out stop words.")] = True,
    characters: Annotated[int, typer.Option(min=1, help="Characters of a term in scripts without spaces.")] = 2,
) -> None:
    """Make an index of the documents of a table: their words (BM25), and with --run their vectors."""
    from ssl_domains_text.documents.commands import make_index

    for line in make_index(samples, out, run, language, stem, stop, characters):
        typer.echo(line)


@app.command("search")
def search(
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="Index, or run with one.", show_default=False)],
    words: Annotated[str | None, typer.Argument(help="What to search for.", show_default=False)] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="Hits of a query.")] = 10,
    by: Annotated[str | None, typer.Option(help="words, vectors or both; both where there are vectors.")] = None,
    queries: Annotated[
        Path | None, typer.Option(metavar="SAMPLES", help="Search for the queries of a table instead.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="With --queries: those of this side of the split.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write a TREC run.")] = None,
) -> None:
    """Search an index, for words or for all queries of a table."""
    from ssl_domains_text.documents.commands import search_index

    for line in search_index(index, words, k, by, queries, split, out):
        typer.echo(line)


@app.command("score")
def score(
    hits: Annotated[Path, typer.Argument(metavar="RUN.trec", help="Hits as a TREC run.", show_default=False)],
    samples: Annotated[Path, typer.Argument(help="Sample table with judgements.", show_default=False)],
    split: Annotated[str | None, typer.Option(help="Queries of this side of the split.")] = None,
    at: Annotated[str, typer.Option(help="Values of k, as 10,100.")] = "10",
    relevant_from: Annotated[
        float, typer.Option(help="Smallest grade of a relevant document, for MRR and recall; 2 for TREC-DL.")
    ] = 1.0,
    recall_by: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Also the recall of relevant documents of each value of a column."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Also write JSON.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Score hits against the judgements of a table: MRR, nDCG and recall, equal to trec_eval."""
    from ssl_domains_text.documents.commands import score_file

    score_file(hits, samples, split, at, relevant_from, as_json, recall_by, out)


@app.command("mine")
def mine(
    samples: Annotated[Path, typer.Argument(help="Sample table with judgements.", show_default=False)],
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="Index, or run with one.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="File to write; SAMPLES.mined.parquet.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="words, vectors or both; both where there are vectors.")] = None,
    top: Annotated[int, typer.Option(min=1, help="Hits of a query that are looked at.")] = 30,
    links: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Links that are no negatives; repeatable.")
    ] = None,
    triplets: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write triplets as JSON lines, for another trainer.")
    ] = None,
) -> None:
    """Mine hard negatives of the training queries by a search, without known positives."""
    from ssl_domains_text.documents.mine_command import mine as made

    for line in made(samples, index, out, by, top, links or (), triplets):
        typer.echo(line)
