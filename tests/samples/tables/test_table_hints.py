"""Hints for a table without the label, with repeated samples, without paths, or with files that are gone."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable, join_columns, undecoded_hint


def test_a_missing_label_says_how_labels_are_joined() -> None:
    table = SampleTable.of(pl.DataFrame({"sample": ["a", "b"], "diagnosis": ["x", "y"]}))
    assert table.label("diagnosis").to_list() == ["x", "y"]
    with pytest.raises(UsageError, match="no column 'diagnsis'") as caught:
        table.label("diagnsis")
    assert "did you mean 'diagnosis'?" in caught.value.hint
    assert "`ssl-domains tables join TABLE LABELS --on COLUMN`" in caught.value.hint


def test_repeated_samples_are_removed_by_the_call_that_the_hint_names() -> None:
    frame = pl.DataFrame({"sample": ["a", "b", "a"]})
    with pytest.raises(DataError, match="'a' appears more than once") as caught:
        SampleTable.of(frame)
    assert "frame.unique('sample', maintain_order=True)" in caught.value.hint
    assert len(SampleTable.of(frame.unique("sample", maintain_order=True))) == 2


def test_the_hint_for_undecoded_rows_tells_labels_absent_and_damaged_files_apart(tmp_path: Path) -> None:
    (tmp_path / "there.png").write_bytes(b"no picture")
    assert "no column 'path'" in undecoded_hint(SampleTable.of(pl.DataFrame({"file": ["1.png"]})))
    gone = SampleTable.of(pl.DataFrame({"path": [str(tmp_path / "gone.png")]}))
    assert "tables describe TABLE" in undecoded_hint(gone)
    damaged = SampleTable.of(pl.DataFrame({"path": [str(tmp_path / "there.png")]}))
    assert "damaged" in undecoded_hint(damaged)


def test_a_join_by_a_name_that_only_the_samples_have_offers_the_pair_that_matches() -> None:
    table = SampleTable.of(pl.DataFrame({"sample": ["a", "b"], "file": ["1.png", "2.png"]}))
    labels = pl.DataFrame({"label": [0, 1], "name": ["1.png", "2.png"]})
    with pytest.raises(UsageError, match="joined table has no column 'file'") as caught:
        join_columns(table, labels, on="file")
    assert caught.value.hint.endswith("--on file=name")
