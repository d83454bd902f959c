"""What a scan says of texts that are there twice: among documents, among queries, and on both sides."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from ssl_domains_text.documents.scanning.odd import copy_notes

from ..scanned import note, scan


def test_copies_of_a_query_are_counted_under_its_own_id() -> None:
    """Query ``q2`` has the text of five documents, one of which is called as it is; ``q1`` has it under other ids."""
    ids = ["a", "b", "q2", "c", "d", "q1", "q2", "q3"]
    rows = pl.DataFrame(
        {"id": ids, "side": ["document"] * 5 + ["query"] * 3, "whole": [7, 7, 7, 7, 7, 7, 7, 8], "chunk": 0},
    )
    for seed in range(5):
        notes = copy_notes(rows.sample(fraction=1, shuffle=True, seed=seed))
        assert "2 queries are documents too, 1 under the same id" in notes[-1]


@pytest.mark.parametrize("chunk", [None, 3])
def test_copies_are_told_by_their_whole_texts(chunk: int | None, tmp_path: Path) -> None:
    """Pieces may repeat within a document and between documents, which makes no copy; a query may be all of them."""
    song, verse = "so it goes " * 4, "so it goes again and ends"
    documents = {"d1": song, "d2": verse, "d3": song}
    source = tmp_path / "in"
    source.mkdir()
    for name, entries in (("corpus", documents), ("queries", {"d1": song, "q2": "so it goes"})):
        lines = (json.dumps({"_id": one, "text": text}) for one, text in entries.items())
        (source / f"{name}.jsonl").write_text("\n".join(lines))
    scanned = scan(source, tmp_path / "out", **({} if chunk is None else {"chunk": chunk}))
    assert "1 document repeats the text of another one, such as 'd3'" in note(scanned, "repeats")
    assert "1 query is a document too, 1 under the same id" in note(scanned, "is a document too")
