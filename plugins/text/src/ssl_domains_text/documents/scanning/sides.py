"""The split that files say: queries belong to the side of their judgements, documents to the training rows."""

from __future__ import annotations

import polars as pl

from ssl_domains.quantities import plural

__all__ = ["with_split"]


def with_split(rows: pl.DataFrame, judged: pl.DataFrame, of_files: dict[str, str]) -> tuple[pl.DataFrame, list[str]]:
    """Add the column ``split`` where file names say one, and report texts that are on both sides.

    All documents are training rows, as the collection is known before the queries come. A query that is judged in
    several splits is on the side that is held out. Queries of ``dev`` are test queries where no query of ``test`` is
    judged, and else on no side. Without a judged query of ``test``, those that are not judged, such as ``queries.eval``
    of MS MARCO, are on no side.

    Args:
        rows: The table.
        judged: Judgements, with their ``split``.
        of_files: Split that the name of a file of queries says, by its path.

    Returns:
        The table and notes.
    """
    named = judged.drop_nulls("split").group_by("query").agg(pl.col("split").unique().alias("splits"))
    query = pl.col("side") == "query"
    path = pl.col("path").replace_strict(of_files, default=None, return_dtype=pl.String)
    if not len(named) and not (of_files and rows.filter(query & path.is_not_null()).height):
        return rows, []
    made = rows.join(named, left_on="id", right_on="query", how="left", maintain_order="left")
    splits = pl.when(pl.col("splits").is_null()).then(pl.concat_list(path)).otherwise(pl.col("splits"))
    made = made.with_columns(splits=splits)
    judgement = pl.col("id").is_in(judged["query"].unique().implode())
    deciding = made.filter(query & judgement)
    deciding = deciding if len(deciding) else made.filter(query)
    has_test = bool(deciding["splits"].list.contains("test").fill_null(False).any())
    dev, test = (None, "test") if has_test else ("test", None)
    side = (
        pl.when(~query)
        .then(pl.lit("train"))
        .when(pl.col("splits").list.contains("test"))
        .then(pl.lit(test, pl.String))
        .when(pl.col("splits").list.contains("dev"))
        .then(pl.lit(dev, pl.String))
        .when(pl.col("splits").list.contains("train"))
        .then(pl.lit("train"))
        .otherwise(pl.lit(None, pl.String))
    )
    made = made.with_columns(split=side)
    notes = _notes(made.filter(query))
    return made.drop("splits"), notes


def _notes(queries: pl.DataFrame) -> list[str]:
    counts = dict(queries.group_by("split").len().iter_rows())
    sizes = ", ".join(f"{counts.get(side, 0):,} {side or 'on no side'}" for side in ("train", "test", None))
    notes = [f"queries by the names of files: {sizes}; all documents are training rows"]
    both = int((queries["splits"].list.contains("train") & (queries["splits"].list.len() > 1)).fill_null(False).sum())
    if both:
        notes.append(f"{plural(both, 'query is', 'queries are')} judged for training and for testing: held out")
    test = queries.filter(pl.col("split") == "test")
    train = queries.filter(pl.col("split") == "train")
    same = test.join(train, on="content", how="semi")
    if len(same):
        first = same["id"][0]
        notes.append(
            f"{plural(len(same), 'test query has', 'test queries have')} the text of a training query, such as "
            f"{first!r}: leave them out, or the scores flatter"
        )
    return notes
