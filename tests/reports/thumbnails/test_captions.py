"""Text under thumbnails."""

from __future__ import annotations

import polars as pl

from ssl_domains.reports.thumbnails.captions import captions_of
from ssl_domains.samples import SampleTable


def test_captions() -> None:
    table = SampleTable.of(pl.DataFrame({"sample": ["a", "b", "c"], "text": ["one", None, "x" * 100], "n": [1, 2, 3]}))
    assert captions_of(table, "text") == ["one", "", "x" * 79 + "…"]
    assert captions_of(table, "n") == ["1", "2", "3"]
    assert captions_of(table, None) == captions_of(table, "absent") == []
