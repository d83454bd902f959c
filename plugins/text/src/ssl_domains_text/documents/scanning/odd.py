"""What is odd about a collection, each in a sentence: copies, dangling judgements, texts that are cut, empty ids."""

from __future__ import annotations

import math

import polars as pl

from ssl_domains.errors import DataError
from ssl_domains.probes.ranking import recall_ceiling
from ssl_domains.quantities import plural
from ssl_domains.samples import queries_among

__all__ = ["copy_notes", "dangling_notes", "truncation_note", "with_distinct_samples", "without_repeated_ids"]


def without_repeated_ids(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Separate texts whose id is there for the first time from the others.

    Args:
        rows: The table, with the pieces of a document one after another.

    Returns:
        (the rows of the first text of each side and id, the first row of each further text).
    """
    first_piece = pl.col("chunk") <= 1
    texts = rows.select("side", "id", "chunk").filter(first_piece).drop("chunk")
    if not bool(texts.hash_rows().is_duplicated().any()):  # takes a fraction of the memory of the texts themselves
        return rows, rows[:0]
    numbered = rows.select("side", "id", text=first_piece.cum_sum())  # the number of the text that a row belongs to
    first = numbered.select(pl.col("text") == pl.col("text").min().over("side", "id")).to_series()
    return rows.filter(first), rows.filter(~first & (rows["chunk"] <= 1))


def with_distinct_samples(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with another name for whole texts whose id looks like a piece of another one.

    The id ``x#1`` and piece 1 of the document ``x`` are both the sample ``d/x#1``. If any two samples are equal, ids
    that end like a piece get ``#0``, which no piece has: ``d/x#1#0``.
    """
    if not bool(rows["sample"].is_duplicated().any()):
        return rows
    alike = (pl.col("chunk") == 0) & pl.col("id").str.contains(r"#\d+$")
    return rows.with_columns(sample=pl.when(alike).then(pl.concat_str("sample", pl.lit("#0"))).otherwise("sample"))


def copy_notes(rows: pl.DataFrame) -> list[str]:
    """Documents with equal texts, and queries that are documents."""
    texts = rows.select("side", "id", "whole", "chunk").filter(pl.col("chunk") <= 1)
    documents, queries = (texts.filter(pl.col("side") == side) for side in ("document", "query"))
    notes = []
    copies = documents.filter(~pl.col("whole").is_first_distinct())
    if len(copies):
        copied = plural(len(copies), "document repeats", "documents repeat")
        notes.append(
            f"{copied} the text of another one, such as {copies['id'][0]!r}: each is a false negative of the other's "
            "query (`text link-duplicates` links them)"
        )
    repeated = queries.filter(~pl.col("whole").is_first_distinct())
    if len(repeated):
        notes.append(
            f"{plural(len(repeated), 'query repeats', 'queries repeat')} the text of another one, such as "
            f"{repeated['id'][0]!r}"
        )
    same = queries.join(documents, on="whole", how="semi")
    if len(same):
        itself = len(queries_among(same, documents))
        notes.append(
            f"{plural(len(same), 'query is a document', 'queries are documents')} too, {itself:,} under the same id: "
            "such a hit is dropped when a search is scored"
        )
    return notes


def dangling_notes(judged: pl.DataFrame, rows: pl.DataFrame, relevant_from: float) -> list[str]:
    """Judged documents and queries that the table lacks, with the ceiling of recall.

    Raises:
        DataError: When none of the relevant documents is there.
    """
    positives = judged.filter((pl.col("grade") >= relevant_from) & (pl.col("grade") > 0) & (pl.col("ignored") == 0))
    if not len(positives):
        return ["no document is judged relevant to a query"] if len(judged) else []
    names = rows.select("side", "id")
    documents, queries = (names.filter(pl.col("side") == side)["id"].unique() for side in ("document", "query"))
    absent = positives.filter(~pl.col("document").is_in(documents.implode()))
    notes = []
    if len(absent) == len(positives) and len(documents):
        raise DataError(
            f"none of the {len(positives):,} relevant documents is in the collection, the first is "
            f"{absent['document'][0]!r}",
            f"do the judgements belong to this collection? Its first id is {documents[0]!r}",
        )
    if len(absent):
        ceiling = recall_ceiling(positives, documents, relevant_from)
        notes.append(
            f"{len(absent):,} of {len(positives):,} positives are missing in the collection, such as "
            f"{absent['document'][0]!r}: recall can't be above {math.floor(ceiling * 1e4) / 1e4:.4f}"
        )
    unknown = judged.filter(~pl.col("query").is_in(queries.implode()))["query"].n_unique()
    if unknown:
        first = judged.filter(~pl.col("query").is_in(queries.implode()))["query"][0]
        notes.append(f"{plural(unknown, 'judged query is', 'judged queries are')} not there, such as {first!r}")
    ignored = int((judged["ignored"] == 1).sum())
    if ignored:
        notes.append(
            f"{plural(ignored, 'judgement is', 'judgements are')} negative: neither relevant nor irrelevant, ignored "
            "in training and scoring"
        )
    return notes


def truncation_note(rows: pl.DataFrame, words: int) -> str:
    """The share of documents, or of their pieces, that are longer than so many words, and of all words behind that."""
    documents = rows.select("side", "length", "chunk").filter(pl.col("side") == "document")
    lengths = documents["length"].cast(pl.Int64)
    what = "pieces" if bool((documents["chunk"] > 0).any()) else "documents"
    cut = int((lengths > words).sum())
    if not cut:
        return ""
    instead = "shorter pieces" if what == "pieces" else "them into pieces instead"
    lost = int((lengths - words).clip(lower_bound=0).sum())
    return (
        f"an encoder of {words} words cuts {cut:,} of {len(lengths):,} {what} ({cut / len(lengths):.0%}), "
        f"{lost / int(lengths.sum()):.0%} of all words: --chunk {words} cuts {instead}"
    )
