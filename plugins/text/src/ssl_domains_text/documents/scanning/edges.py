"""Judgements as edges between the rows of the table, in a file that `linked` reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from ssl_domains.samples import Problems
from ssl_domains_text.documents.files import Fault, Found, guarded, judgements_of
from ssl_domains_text.documents.scanning.rows import MOST_FAULTS

__all__ = ["collected", "edge_file", "edges_between", "with_document_samples"]

_SCHEMA = {"query": pl.String, "document": pl.String, "grade": pl.Float64, "ignored": pl.Int8, "split": pl.String}


def edge_file(table: Path) -> Path:
    """The file of edges of a table: ``samples.relevance.parquet`` for ``samples.parquet``."""
    return table.with_name(f"{table.stem}.relevance.parquet")


def collected(
    judged: Iterable[Found],
    related: Iterable[tuple[Found, list[tuple[str, str, float]]]],
    encoding: str,
    problems: Problems,
    relevant_from: float = 1.0,
) -> tuple[pl.DataFrame, list[str]]:
    """All judgements: of files of judgements, and those that files of clicks and pairs imply.

    Args:
        judged: Files of judgements.
        related: Files of clicks and pairs, with the ids of query and document, and the grade, of each of their pairs.
        encoding: Encoding of text files.
        problems: Takes lines that can't be read.
        relevant_from: Smallest grade of a relevant document, for a note on pairs with grades.

    Returns:
        Columns ``query``, ``document``, ``grade``, ``ignored`` (1 for a pair that is neither relevant nor irrelevant)
        and ``split``, each pair once in a split; and notes.
    """
    frames, notes = [pl.DataFrame(schema=_SCHEMA)], list[str]()
    for found in judged:
        rows, faults = [], 0
        for one in guarded(judgements_of(found.path, found.form, encoding), found.path):
            if isinstance(one, Fault):
                faults += 1
                if faults <= MOST_FAULTS:
                    problems.add(f"{found.path}:{one.line}", one.cause)
                continue
            rows.append((one.query, one.document, one.grade, int(one.ignored), found.split))
        if faults > MOST_FAULTS:
            problems.add(found.path, f"{faults - MOST_FAULTS:,} more lines can't be read")
        frames.append(pl.DataFrame(rows, schema=_SCHEMA, orient="row"))
    for found, pairs in related:
        implied = [(query, document, max(grade, 0.0), int(grade < 0), found.split) for query, document, grade in pairs]
        made = pl.DataFrame(implied, schema=_SCHEMA, orient="row")
        frames.append(made)
        notes.append(_graded(found, made, relevant_from))
    whole = pl.concat(frames)
    if len(whole):
        notes.append(_several(whole))
    grouped = whole.group_by("query", "document", "split", maintain_order=True)
    # A pair that is judged twice has its better grade, and is ignored only if all of its judgements say so.
    return grouped.agg(pl.col("grade").max(), pl.col("ignored").min()), [note for note in notes if note]


def _graded(found: Found, made: pl.DataFrame, relevant_from: float) -> str:
    """How many pairs of a file are relevant by its column of grades; empty where all have the grade 1."""
    if bool(((made["grade"] == 1) & (made["ignored"] == 0)).all()):
        return ""
    relevant = made.filter((pl.col("grade") >= relevant_from) & (pl.col("grade") > 0) & (pl.col("ignored") == 0))
    low, high = made.select(low=pl.col("grade").min(), high=pl.col("grade").max()).row(0)
    return (
        f"{found.path.name}: its pairs have grades from {low:g} to {high:g}; {len(relevant):,} of {len(made):,} are "
        f"relevant, from grade {relevant_from:g} on (--relevant-from)"
    )


def _several(judged: pl.DataFrame) -> str:
    grades = judged.group_by("query", "document", "split").agg(pl.struct("grade", "ignored").n_unique().alias("grades"))
    count = int((grades["grades"] > 1).sum())
    return f"{count:,} pairs are judged twice with different grades: the larger one counts" if count else ""


def with_document_samples(pairs: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Pairs with a column ``sample``: the row of their document, or one pair for each of its pieces.

    Args:
        pairs: Has a column ``document`` with ids. An id that the table lacks stays, as ``d/`` and the id.
        rows: The table.
    """
    whole = pl.concat_str(pl.lit("d/"), "document")
    names = rows.select("side", document="id", piece="sample")
    pieces = names.filter(pl.col("side") == "document", pl.col("piece") != whole).drop("side")
    if not len(pieces):
        return pairs.with_columns(sample=whole)
    made = pairs.join(pieces, on="document", how="left", maintain_order="left")
    return made.with_columns(sample=pl.coalesce("piece", whole)).drop("piece")


def edges_between(judged: pl.DataFrame, rows: pl.DataFrame, relevant_from: float) -> pl.DataFrame:
    """Judgements as edges between samples: ``a`` is the query, ``b`` the document, or each of its pieces.

    A document that the table lacks keeps its edge: it joins nothing, and counts among the relevant documents of its
    query when a search is scored.

    Args:
        judged: Result of `collected`.
        rows: The table.
        relevant_from: Smallest grade of a relevant document.

    Returns:
        Columns ``a``, ``b``, ``grade``, ``relevant`` (1 or 0), ``ignored`` (1 or 0), ``query``, ``document``,
        ``split``.
    """
    made = with_document_samples(judged, rows)
    counts = (pl.col("grade") >= relevant_from) & (pl.col("grade") > 0) & (pl.col("ignored") == 0)
    return made.select(
        pl.concat_str(pl.lit("q/"), "query").alias("a"),
        pl.col("sample").alias("b"),
        "grade",
        counts.cast(pl.Int8).alias("relevant"),
        "ignored",
        "query",
        "document",
        "split",
    )
