"""Rows of equal contents, told by the columns that a reader writes which decodes everything while it scans."""

from __future__ import annotations

import polars as pl

__all__ = ["queries_among", "whole_content"]


def whole_content(frame: pl.DataFrame) -> pl.Series:
    """A value for each row that is equal for equal items, of which a row may be a piece: a column of ``n`` values.

    It is the column ``whole`` where the table has it, else ``content``, which is of the row alone; null without both.
    """
    found = next((name for name in ("whole", "content") if name in frame.columns), None)
    return pl.Series("whole", [None] * len(frame), pl.Int64) if found is None else frame[found].alias("whole")


def queries_among(queries: pl.DataFrame, documents: pl.DataFrame, name: str = "id") -> pl.DataFrame:
    """The rows of queries that are documents too: a document has their name *and* their text.

    The name alone doesn't tell, as many collections number queries and documents alike; nor does the text, as a copy
    under another name may be the relevant document.

    Args:
        queries: Rows of queries.
        documents: Rows of documents, or of their pieces, of the same table or of another one.
        name: Column with the name.
    """
    keys = [name, "whole"]
    known = documents.with_columns(whole_content(documents)).select(keys).unique()
    rows = queries.with_row_index("row").with_columns(whole_content(queries))
    return queries[rows.join(known, on=keys, how="semi")["row"].sort()]
