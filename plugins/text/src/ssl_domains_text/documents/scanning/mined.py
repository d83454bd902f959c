"""Files of mined negatives: their positives join the judgements, and their negatives lie beside the table."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ssl_domains.cli.command_line import quoted
from ssl_domains.samples import Problems, current_session, read_guarded, write_whole
from ssl_domains_text.documents.files import Found, read_mined
from ssl_domains_text.documents.scanning.edges import with_document_samples
from ssl_domains_text.documents.scanning.rows import MOST_FAULTS

__all__ = ["with_mined", "write_mined"]


def with_mined(
    files: Sequence[Found], judged: pl.DataFrame, encoding: str, problems: Problems
) -> tuple[pl.DataFrame, list[str], list[tuple[str, str]]]:
    """Read files of mined negatives.

    Args:
        files: The files.
        judged: Result of `collected`.
        encoding: Encoding of text files.
        problems: Takes lines that can't be read.

    Returns:
        The judgements with the positives of the files; notes; and the negatives as pairs of query and document.
    """
    notes: list[str] = []
    negatives: list[tuple[str, str]] = []
    for found in files:
        positives = judged.filter((pl.col("grade") > 0) & (pl.col("ignored") == 0)).select("query", "document")
        read = read_mined(found.path, list(positives.iter_rows()), encoding, found.form)
        for fault in read.faults[:MOST_FAULTS]:
            problems.add(f"{found.path}:{fault.line}", fault.cause)
        if len(read.faults) > MOST_FAULTS:
            problems.add(found.path, f"{len(read.faults) - MOST_FAULTS:,} more lines can't be read")
        made = pl.DataFrame(read.positives, schema={"query": pl.String, "document": pl.String}, orient="row")
        made = made.join(judged, on=["query", "document"], how="anti").with_columns(
            split=pl.lit(found.split, pl.String), grade=pl.lit(1.0), ignored=pl.lit(0, pl.Int8)
        )
        judged = pl.concat([judged, made.select(judged.columns).unique(maintain_order=True)])
        negatives += read.negatives
        removed = f"; {read.removed:,} of them were the query's own positives, and removed" if read.removed else ""
        notes.append(f"{found.path.name}: {len(read.negatives) + read.removed:,} mined negatives{removed}")
    return judged, notes, negatives


def write_mined(mined: Sequence[tuple[str, str]], rows: pl.DataFrame) -> list[str]:
    """Write mined negatives beside the table that is being written; returns notes.

    Without negatives, those that an earlier scan wrote are removed. A file of `text mine` stays: it also has the rank.

    Args:
        mined: Pairs of query and document.
        rows: The table.
    """
    session = current_session()
    if session is None or session.files is None or session.table is None:
        return []
    place = session.table.with_name(f"{session.table.stem}.mined.parquet")
    if not mined:
        columns = read_guarded(lambda: list(pl.read_parquet_schema(place)), place) if place.is_file() else []
        if columns == ["a", "b"]:
            session.files.old.add(place)
        return []
    pairs = pl.DataFrame(mined, schema={"query": pl.String, "document": pl.String}, orient="row")
    ends = with_document_samples(pairs, rows).select(pl.concat_str(pl.lit("q/"), "query").alias("a"), b="sample")
    write_whole(place, ends.write_parquet)
    setting = quoted(f"pairs.negatives=linked({str(place)!r})")
    return [f"mined negatives are in {place.name}: --set {setting}"]
