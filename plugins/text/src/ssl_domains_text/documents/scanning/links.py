"""Tables of duplicates: links between documents, in a file that `linked` reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from ssl_domains.quantities import plural
from ssl_domains.samples import Problems, current_session, write_whole
from ssl_domains_text.documents.files import Fault, Found, guarded, links_of

__all__ = ["duplicate_file", "write_links"]


def duplicate_file(table: Path) -> Path:
    """The file of links of a table: ``samples.duplicates.parquet`` for ``samples.parquet``."""
    return table.with_name(f"{table.stem}.duplicates.parquet")


def write_links(files: Sequence[Found], rows: pl.DataFrame, encoding: str, problems: Problems) -> list[str]:
    """Write the links of tables of duplicates beside the table; returns notes.

    Args:
        files: The tables, each with two ids of documents a line.
        rows: The sample table.
        encoding: Encoding of text files.
        problems: Takes lines that can't be read.
    """
    pairs: list[tuple[str, str]] = []
    for found in files:
        for one in guarded(links_of(found.path, found.form, encoding), found.path):
            if isinstance(one, Fault):
                problems.add(f"{found.path}:{one.line}", one.cause)
            else:
                pairs.append(one)
    session = current_session()
    if session is None or session.files is None or session.table is None:
        return []
    path = duplicate_file(session.table)
    if not pairs:
        session.files.old.add(path)  # of an earlier scan, as the source had links then
        return []
    ids = rows.select("side", "id", "sample").filter(pl.col("side") == "document").drop("side")
    links = pl.DataFrame(pairs, schema={"one": pl.String, "other": pl.String}, orient="row")
    made = links.join(ids.rename({"sample": "a"}), left_on="one", right_on="id", maintain_order="left")
    made = made.join(ids.rename({"sample": "b"}), left_on="other", right_on="id", maintain_order="left")
    write_whole(path, made.select("a", "b").write_parquet)
    known = ids["id"].unique().implode()
    absent = len(links.filter(~(pl.col("one").is_in(known) & pl.col("other").is_in(known))))
    gone = f"; {absent:,} name a document that is not there" if absent else ""
    return [f"duplicates: {plural(len(links), 'link')} in {path.name}{gone}"]
