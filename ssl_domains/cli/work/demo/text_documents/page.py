"""The page of the demonstration of documents: the table, and what three searches find for the same queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ssl_domains.cli.work.demo.arm import Arm
from ssl_domains.cli.work.demo.text_documents.lines import COLUMN, OTHER, DocumentLines, arm_of
from ssl_domains.cli.work.demo.text_documents.scores import DocumentScores

if TYPE_CHECKING:
    import polars as pl

    from ssl_domains.extending import Domain

__all__ = ["SHOWN", "TOP", "Hit", "ShownQuery", "shown_queries", "write_page"]

SHOWN, TOP = 8, 5
"""Queries on the page, spread evenly over the test queries whatever was found, and hits of each."""

_FAULT = "fault"


@dataclass(frozen=True)
class Hit:
    """A hit: its text, whether it is of the query's fault, and whether an engineer worded it."""

    text: str
    right: bool
    other: bool


@dataclass(frozen=True)
class ShownQuery:
    """A query and the first hits of each search, in the order of `searches`."""

    text: str
    hits: tuple[tuple[Hit, ...], ...]


def searches(lines: DocumentLines, best: Arm) -> dict[str, Path]:
    """Name of a search → its hits: by words, by vectors of the plain arm, and of the best one."""
    plain = arm_of("batch", "plain")
    runs = {f"vectors: {arm.about}": lines.run_folder(lines.run_name(arm, lines.seed)) for arm in (plain, best)}
    found = {name: lines.hits(run, "vectors") for name, run in runs.items()}
    return {"words (BM25)": lines.hits(lines.words, "words"), **found}


def shown_queries(lines: DocumentLines, domain: Domain, runs: Mapping[str, Path]) -> list[ShownQuery]:
    """Some test queries with their first hits.

    Args:
        lines: The command lines, which know the files.
        domain: The domain of documents, which reads the texts.
        runs: Name of a search → its hits as a TREC run.
    """
    import numpy as np
    import polars as pl

    from ssl_domains.cli.work.demo.text_documents.texts import sample_texts
    from ssl_domains.probes.ranking import ranked, read_run
    from ssl_domains.samples import read_table
    from ssl_domains.stores import ArrayStore, default_store

    table = read_table(lines.samples)
    store = ArrayStore.open(default_store(lines.samples), domain.reader())
    frame = table.frame.with_columns(text=pl.Series(sample_texts(table, store)))
    documents = {row["id"]: row for row in frame.filter(pl.col("side") == "document").iter_rows(named=True)}
    queries = frame.filter((pl.col("side") == "query") & (pl.col("split") == "test")).sort("id")
    places = np.unique(np.linspace(0, len(queries) - 1, SHOWN).round().astype(int))
    chosen = [queries.row(int(place), named=True) for place in places]
    names = pl.Series([query["id"] for query in chosen]).implode()
    found = [_first(ranked(read_run(path).filter(pl.col("query").is_in(names)), TOP + 1)) for path in runs.values()]
    shown = []
    for query in chosen:
        each = []
        for hits in found:
            rows = [documents[name] for name in hits.get(query["id"], ()) if name != query["id"]]
            each.append(
                tuple(Hit(row["text"], row[_FAULT] == query[_FAULT], row[COLUMN] == OTHER) for row in rows[:TOP])
            )
        shown.append(ShownQuery(query["text"], tuple(each)))
    return shown


def _first(run: pl.DataFrame) -> dict[str, list[str]]:
    """Query → its documents, the best one first."""
    hits: dict[str, list[str]] = {}
    for query, document in run.sort("query", "rank").select("query", "document").iter_rows():
        hits.setdefault(query, []).append(document)
    return hits


def write_page(lines: DocumentLines, domain: Domain, scores: DocumentScores, title: str) -> Path:
    """Write the page and return its path.

    Args:
        lines: The command lines, which know the files.
        domain: The domain of documents.
        scores: The scores.
        title: Sentence that says that this is no evidence.
    """
    from ssl_domains.reports.html_page import page_colours, page_templates
    from ssl_domains.samples import write_errors, write_whole

    headings, rows = scores.table()
    runs = searches(lines, scores.best.arm)
    environment = page_templates("ssl_domains.cli.work.demo.text_documents")
    text = environment.get_template("search.html.j2").render(
        title=title,
        colours=page_colours(),
        caption=scores.CAPTION,
        headings=headings,
        rows=rows,
        best=scores.best.arm.about,
        sentences=scores.sentences,
        searches=list(runs),
        queries=shown_queries(lines, domain, runs),
        top=TOP,
    )
    with write_errors(f"the page {str(lines.page)!r}"):
        write_whole(lines.page, lambda part: part.write_text(text, encoding="utf-8"))
    return lines.page
