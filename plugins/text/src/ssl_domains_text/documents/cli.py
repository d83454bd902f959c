"""``ssl-domains text``: the commands of every domain, and those of a search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli import domain_app
from ssl_domains.cli.command_line import quoted
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


@app.command("cluster-queries")
def cluster_queries(
    samples: Annotated[Path, typer.Argument(help="Sample table with judgements.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Table to write; by default SAMPLES is replaced.")
    ] = None,
    folds: Annotated[
        int, typer.Option(min=0, help="Write the columns fold_1 … of so many folds, for a study; 0 writes none.")
    ] = 0,
    test: Annotated[
        float, typer.Option(min=0, max=1, help="Write the column split, with this share of the queries held out.")
    ] = 0.0,
    documents: Annotated[
        float,
        typer.Option(min=0.01, max=1, help="Share of the relevant documents of one that joins two queries."),
    ] = 0.5,
    words: Annotated[
        float, typer.Option(min=0.1, max=0.99, help="Queries that share more than this of their words are joined.")
    ] = 0.6,
    seed: Annotated[int, typer.Option(help="Seed of the draw among clusters of equal size.")] = 0,
) -> None:
    """Put queries that ask for nearly the same into clusters, which a split or a study keeps whole."""
    from ssl_domains_text.documents.cluster_command import cluster_queries as made

    for line in made(samples, out, folds, test, documents, words, seed):
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
    """Score hits against the judgements of a table: MRR, nDCG and recall.

    The numbers are those of trec_eval, but for two kinds of hits that are taken out of the ranking and that trec_eval
    keeps: pairs with a negative grade, and the query itself (equal id and text).
    """
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


@app.command("words")
def words(
    samples: Annotated[Path, typer.Argument(help="Sample table of documents.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="RUN", help="Run folder.", show_default=False)],
    method: Annotated[str | None, typer.Option(help="skipgram (default), nce_lm or ranking_lm.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file.")] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="K=V", help="Set one value, as method.window=5; repeatable.")
    ] = None,
    shuffle_words: Annotated[
        int | None, typer.Option(metavar="SEED", min=0, help="Control: all words of the corpus change places.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run's last checkpoint.")] = False,
) -> None:
    """Train vectors of words on the texts of a table: skip-gram, or a language model."""
    from ssl_domains_text.documents.words.commands import train

    options = {"method.name": method, "method.shuffle_words": shuffle_words}
    run = train(samples, out, config, sets or (), options, resume)
    typer.echo(f"run: {run.folder} ({run.step} steps)")
    typer.echo(f"next: ssl-domains text nearest-words {quoted(str(run.folder))} WORD")


@app.command("nearest-words")
def nearest_words(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run of `text words`.", show_default=False)],
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help="Words.", show_default=False)],
    k: Annotated[int, typer.Option("-k", min=1, help="Words to show.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Show the words whose vectors are nearest to a word, or to the mean of several."""
    from ssl_domains.cli.console import answering
    from ssl_domains_text.documents.words.commands import nearest_words as found

    with answering(as_json) as answer:
        near = found(run, words, k)
        answer.json([{"word": word, "cosine": cosine} for word, cosine in near])
        for word, cosine in near:
            answer.line(f"{cosine:7.3f}  {word}")


@app.command("export-words")
def export_words(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run of `text words`.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="File to write; a folder with --format static.", show_default=False)],
    form: Annotated[
        str,
        typer.Option("--format", help="word2vec: a text file; static: tokenizer and weights of the encoder static."),
    ] = "word2vec",
) -> None:
    """Write word vectors for other programs, or as first weights of the encoder static."""
    from ssl_domains_text.documents.words.commands import export_words as lines

    for line in lines(run, out, form):
        typer.echo(line)
