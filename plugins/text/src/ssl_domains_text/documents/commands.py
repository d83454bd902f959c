"""What the further commands of the domain do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.cli.command_line import quoted
from ssl_domains.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from ssl_domains.samples import SampleTable
    from ssl_domains_text.documents.search.folder import SavedIndex

__all__ = [
    "link_duplicates",
    "links_of",
    "make_index",
    "queries_of",
    "score_file",
    "search_index",
    "show_false_negatives",
]

_SHOWN = 160  # characters of a hit


def make_index(
    samples: Path, out: Path | None, run: Path | None, language: str, stem: bool, stop: bool, characters: int
) -> Iterator[str]:
    """Make an index; yields the lines to print."""
    from ssl_domains.cli.for_plugins import fill_store, open_table
    from ssl_domains.samples import require_folder
    from ssl_domains_text.documents.domain import TEXT
    from ssl_domains_text.documents.search import Analysis
    from ssl_domains_text.documents.search.folder import build_index

    if out is None and run is None:
        raise UsageError("say where the index is written", "add --out FOLDER, or --run RUN for RUN/index")
    folder = out if out is not None else Path(str(run)) / "index"
    require_folder(folder)
    analysis = Analysis(language, stem, stop, characters)
    opened, store = None, None
    table = open_table(TEXT, samples)
    if run is not None:
        from ssl_domains.engine import Run

        opened = Run.open(run)
        store = fill_store(TEXT, table, samples)
    made, notes = build_index(table, folder, analysis, opened, store)
    yield from notes
    count = made.table.frame["id"].n_unique()
    pieces = f" in {len(made.table):,} pieces" if len(made.table) != count else ""
    yield f"{count:,} documents{pieces} indexed → {folder}"
    yield f'next: ssl-domains text search {quoted(str(folder))} "words"'


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
        require_target(out, inputs=[queries])
    index = SavedIndex.open(folder)
    said: list[str] = []
    asked, vectors, without = [("words", str(words))], None, None
    if queries is not None:
        table, asked, vectors = queries_of(index, queries, split, by)
        without, note = _no_hits(index, table, queries, split, [name for name, _ in asked])
        said += [note] if note else []
    run = index.search(asked, k, by, vectors, said.append, without)  # type: ignore[arg-type]
    yield from said
    if out is not None:
        count = write_run(run, out, f"ssl-domains-{by or 'default'}", k)
        answered = run["query"].n_unique()
        yield f"{count:,} hits of {answered:,} of {len(asked):,} queries → {out}"
    if queries is not None:
        return
    if not len(run):
        blank = not str(words).strip()
        yield "no hit: the query is empty" if blank else "no hit: no document has a word of the query"
    found = run.select("document", "score", "piece").iter_rows()
    for rank, (document, score, piece) in enumerate(found, start=1):
        text = " ".join(index.text(piece).split())
        yield f"{rank:>3}  {score:8.4f}  {document}  {text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}"


def _no_hits(
    index: SavedIndex, table: SampleTable, samples: Path, split: str | None, names: Sequence[str]
) -> tuple[pl.DataFrame, str]:
    """Pairs of ids that are taken out before hits are cut, and what to say of them.

    They are the queries that are documents themselves, and the pairs that are neither relevant nor irrelevant.
    """
    import polars as pl

    from ssl_domains.quantities import plural
    from ssl_domains_text.documents.scanning.edges import edge_file
    from ssl_domains_text.documents.search.scores import judged_pairs, judgements_of_table, self_hits_of

    chosen = pl.DataFrame({"query": names}, schema={"query": pl.String})
    queries = table.frame.filter(pl.col("side") == "query").join(chosen, left_on="id", right_on="query", how="semi")
    itself, said = self_hits_of(queries, index.table.frame), []
    if len(itself):
        said.append(f"{plural(len(itself), 'query is a document itself', 'queries are documents themselves')}")
    without = itself
    if edge_file(samples).is_file():
        pairs = judged_pairs(table, judgements_of_table(samples), split if "split" in table.columns else None)
        ignored = pairs.filter(pl.col("ignored") == 1).select("query", "document").join(chosen, on="query", how="semi")
        if len(ignored):
            said.append(f"{plural(len(ignored), 'pair is', 'pairs are')} neither relevant nor irrelevant")
        without = pl.concat([itself, ignored]).unique(maintain_order=True)
    return without, f"no hits, taken out before the cut: {', '.join(said)}" if said else ""


def queries_of(
    index: SavedIndex, samples: Path, split: str | None, by: str | None, hint: str = "leave --split out"
) -> tuple[SampleTable, list[tuple[str, str]], NDArray[np.float32] | None]:
    """The table, its queries as (id, text), and their vectors where they are searched by.

    Args:
        index: The index that is searched.
        samples: The table.
        split: Side of the split; None for all queries. Ignored for a table without a split, where it is ``"train"``.
        by: The search; with ``"words"`` no vectors are made.
        hint: What to do where there is no such query.

    Raises:
        UsageError: When there is no such query.
        DataError: When a text can't be read, or the vectors of the index are of another encoder.
    """
    from ssl_domains.cli.for_plugins import fill_store, open_table
    from ssl_domains_text.documents.domain import TEXT
    from ssl_domains_text.documents.reader import DocumentReader, text_of_row

    table = open_table(TEXT, samples)
    sides = table.text("side") == "query"
    if split is not None and (split != "train" or "split" in table.columns):
        sides &= table.text("split") == split
    chosen = table.take(sides.fill_null(False).to_numpy())
    if not len(chosen):
        side = "" if split is None else f" on the side {split!r}"
        raise UsageError(f"the table has no query{side}", hint if split is not None else "scan queries (queries.jsonl)")
    reader = DocumentReader()
    asked = [(row["id"], text_of_row(reader, row)) for row in chosen.frame.iter_rows(named=True)]
    if by == "words" or index.run is None:
        return table, asked, None
    from ssl_domains.engine import Run
    from ssl_domains.evaluation import embed_rows

    index.require_encoder()
    run = Run.open(index.run)
    store = fill_store(TEXT, chosen, samples)
    return table, asked, embed_rows(run.encoder(), run.preprocess, chosen, store, device=run.config.train.device)


def score_file(
    hits: Path,
    samples: Path,
    split: str | None,
    at: str,
    relevant_from: float,
    as_json: bool,
    recall_by: str | None = None,
    out: Path | None = None,
) -> None:
    """Score a TREC run, and print the numbers; ``out`` gets them as JSON too."""
    import json

    from ssl_domains.cli.console import answering
    from ssl_domains.cli.for_plugins import open_table
    from ssl_domains.probes.ranking import read_run
    from ssl_domains.samples import require_target, write_errors, write_whole
    from ssl_domains_text.documents.domain import TEXT
    from ssl_domains_text.documents.search.scores import judgements_of_table, score_hits

    try:
        values = list(dict.fromkeys(int(part) for part in at.split(",")))
    except ValueError:
        raise UsageError(f"--at {at!r} has no numbers", "--at 10,100") from None
    if min(values) < 1:
        raise UsageError(f"--at {at!r}", "values of k from 1 on: --at 10,100")
    if not relevant_from > 0:
        raise UsageError(f"--relevant-from {relevant_from}", "the smallest grade of a relevant document, above 0")
    if out is not None:
        require_target(out, inputs=[hits, samples])
    with answering(as_json) as answer:
        run, table = read_run(hits), open_table(TEXT, samples)
        scored = score_hits(
            run, table, judgements_of_table(samples), split=split, at=values, relevant_from=relevant_from,
            recall_by=recall_by,
        )  # fmt: skip
        document: dict[str, Any] = {
            "values": scored.scores.values, "queries": scored.scores.queries, "notes": scored.notes,
        }  # fmt: skip
        if recall_by is not None:
            document["recall_by"] = {"column": recall_by, "values": scored.recalls}
        if out is not None:
            text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
            with write_errors(f"the scores {out.name!r}"):
                write_whole(out, lambda part: part.write_text(text, encoding="utf-8"))
        answer.json(document)
        for name, value in scored.scores.values.items():
            answer.line(f"{name:12} {value:.4f}")
        for of_value, recalls in scored.recalls.items():
            for name, value in recalls.items():
                answer.line(f"{name:12} {value:.4f}  of relevant documents whose {recall_by} is {of_value}")
        for line in scored.notes:
            answer.line(f"note: {line}")
        if out is not None:
            answer.line(f"scores → {out}")


def links_of(path: Path) -> pl.DataFrame:
    """A table of links or of duplicates, columns ``a`` and ``b`` with samples.

    Raises:
        UsageError: When it is missing, or has no such columns.
        DataError: When it is damaged.
    """
    import polars as pl

    from ssl_domains.samples import read_frame

    frame = read_frame(path)
    if not {"a", "b"} <= set(frame.columns):
        hint = "text link-duplicates writes one; a scan writes that of duplicates"
        raise UsageError(f"{path.name!r} is no table of links: it has no columns a and b", hint)
    return frame.select(pl.col("a", "b").cast(pl.String))


def link_duplicates(samples: Path, out: Path | None, near: float | None) -> Iterator[str]:
    """Write the links of links of a table; yields the lines to print."""
    from ssl_domains.cli.for_plugins import open_table
    from ssl_domains.quantities import plural
    from ssl_domains.samples import require_target, write_errors, write_whole
    from ssl_domains_text.documents.domain import TEXT
    from ssl_domains_text.documents.links import document_groups, linked_edges
    from ssl_domains_text.documents.scanning.links import duplicate_file
    from ssl_domains_text.documents.search.scores import judgements_of_table

    target = samples.with_name(f"{samples.stem}.links.parquet") if out is None else out
    require_target(target, inputs=[samples])
    table, edges = open_table(TEXT, samples), judgements_of_table(samples)
    table_of_duplicates = duplicate_file(samples)
    duplicates = links_of(table_of_duplicates) if table_of_duplicates.is_file() else None
    groups = document_groups(table.frame, duplicates, near)
    made = linked_edges(table.frame, edges, groups)
    with write_errors(f"the links {target.name!r}"):
        write_whole(target, made.edges.write_parquet)
    yield from groups.notes()
    each = len(made.edges) / max(1, made.positives)
    yield (
        f"{plural(len(made.edges), 'link')} of {plural(made.queries, 'query', 'queries')} to documents that say what a "
        f"relevant one says, {each:.1f} for each of {plural(made.positives, 'relevant pair')} → {target}"
    )
    file = samples.with_name(f"{samples.stem}.relevance.parquet")
    rule = quoted(f"relevance(file={str(file)!r}, links={str(target)!r})")
    yield f"next: --pairs {rule} takes them out of the negatives"


def show_false_negatives(given: dict[str, Any], count: int, batches: int, near: float, page: Path | None) -> None:
    """Print the worst false negatives of planned batches, write their page, and report on the pairs as usual."""
    from ssl_domains.cli.console import answering
    from ssl_domains.cli.for_plugins import pairs_command, plan_pairs
    from ssl_domains.samples import require_target
    from ssl_domains_text.documents.links import document_groups, false_negatives
    from ssl_domains_text.documents.links.page import write_page
    from ssl_domains_text.documents.scanning.links import duplicate_file

    if page is not None:
        require_target(page, inputs=[given["samples"]])
    plan, rule = plan_pairs(given)
    known = duplicate_file(given["samples"])
    duplicates = links_of(known) if known.is_file() else None
    groups = document_groups(plan.table.frame, duplicates, near)
    found = false_negatives(plan, groups, batches=batches, worst=count)
    if page is not None:
        write_page(page, found, rule, groups.notes())
    if given["as_json"]:
        from dataclasses import asdict

        with answering(True) as answer:
            answer.json({**asdict(found), "rule": rule})
        return
    pairs_command(**given)
    with answering() as answer:
        answer.line()
        for line in groups.notes():
            answer.line(f"note: {line}")
        answer.line(f"{found.words()}:" if found.worst else f"{found.words()}")
        for number, one in enumerate(found.worst, start=1):
            answer.line(f"\n{number:>3}. query     {_short(one.query)}")
            answer.line(f"     positive  {_short(one.positive)}")
            answer.line(f"     negative  {_short(one.negative)}")
            answer.line(f"               {one.reason}")
        if page is not None:
            answer.line(f"page: {page}")


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…"
