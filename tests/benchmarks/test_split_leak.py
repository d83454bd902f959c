"""The leak of a split at random: spots on a line that only neighbours give away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.split_leak import leak_rows, main
from ssl_domains.samples import SampleTable


@pytest.fixture
def spots() -> SampleTable:
    """Places 0 … 599 in stretches of 20, each with its own marks; the last third is tested behind a gap of 20."""
    place = np.arange(600)
    marked = np.random.default_rng(0).random((30, 2))[place // 20] < 0.3
    marks = [[name for name, on in zip("ab", row, strict=True) if on] for row in marked]
    side = ["train"] * 380 + [None] * 20 + ["test"] * 200
    names = [f"s{k}" for k in place]
    return SampleTable(pl.DataFrame({"sample": names, "x": place.astype(float), "marks": marks, "split": side}))


def test_neighbours_in_training_are_worth_a_high_score(spots: SampleTable) -> None:
    random, apart = leak_rows(spots, "marks", ["x"], "split")
    assert random[:3] == ("rows at random", 400, 200)
    assert apart[:3] == ("column 'split'", 380, 200)
    assert list(random[3]) == ["average precision", "a", "b"]
    assert random[3]["average precision"] > 0.9
    share = np.mean([[name in marks for name in "ab"] for marks in spots.column("marks").to_list()[400:]])
    assert apart[3]["average precision"] < share + 0.15  # little better than a guess


def test_both_rows_are_printed(spots: SampleTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spots.frame.write_parquet(tmp_path / "t.parquet")
    assert main([str(tmp_path / "t.parquet"), "--label", "marks", "--floor", "x"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["split", "train", "test"]
    assert lines[1].startswith("rows at random")
    assert lines[2].startswith("column 'split'")
    assert main([str(tmp_path / "t.parquet"), "--label", "mark", "--floor", "x"]) == 2
    assert "error: " in capsys.readouterr().err
