"""Predicted cuts as Audacity labels, Raven selections and CSV: what is written is what a scan reads."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable, write_table
from ssl_domains_audio.labels.predicted import write_segments
from ssl_domains_audio.labels.segments import read_segments
from ssl_domains_audio.reader import AudioReader

from .sound_files import chirp, encoded, wav


@pytest.fixture
def cuts(tmp_path: Path) -> tuple[Path, Path, pl.DataFrame]:
    """Two recordings in folders, cut into pieces of half a second; the table and made-up predictions."""
    for name, count in (("north/a", 12_000), ("south/a", 8_000)):
        wav(tmp_path / "in" / f"{name}.wav", encoded(chirp(count), 16))
    table = AudioReader().scan(tmp_path / "in", cut=0.5).samples
    write_table(table, tmp_path / "t.parquet")
    frame = table.frame.sort("path", "start_s").select("sample", "path", "start_s", "stop_s")
    classes = ["rain", "owl, barn"]
    frame = frame.with_columns(predicted=pl.Series([classes[i % 2] for i in range(len(frame))]))
    p = pl.Series([0.5 + 0.1 * i for i in range(len(frame))])
    rain = pl.col("predicted") == "rain"
    frame = frame.with_columns(pl.when(rain).then(p).otherwise(1 - p).alias("p_rain"))
    frame = frame.with_columns((1 - pl.col("p_rain")).alias("p_owl, barn"))
    frame.select("sample", "path", "predicted", "p_rain", "p_owl, barn").write_csv(tmp_path / "answers.csv")
    return tmp_path / "answers.csv", tmp_path / "t.parquet", frame


def test_each_kind_of_table_holds_the_segments_that_were_predicted(
    cuts: tuple[Path, Path, pl.DataFrame], tmp_path: Path
) -> None:
    answers, table, frame = cuts
    assert write_segments(answers, table, tmp_path / "out") == len(frame) == 5
    for name in ("north/a", "south/a"):
        of = frame.filter(pl.col("path").str.ends_with(f"{name}.wav"))
        expected = list(of.select("start_s", "stop_s", "predicted").iter_rows())
        for suffix in (".txt", ".Table.1.selections.txt"):
            read = read_segments(tmp_path / "out" / f"{name}{suffix}")
            assert [(one.start_s, one.stop_s, ";".join(one.labels)) for one in read.segments] == expected, suffix
            assert not read.bad_lines
    written = pl.read_csv(tmp_path / "out" / "segments.csv")
    assert written["filename"].unique().sort().to_list() == ["north/a.wav", "south/a.wav"]
    assert written["probability"].to_list() == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9])


def test_a_scan_reads_the_csv_back(cuts: tuple[Path, Path, pl.DataFrame], tmp_path: Path) -> None:
    answers, table, frame = cuts
    write_segments(answers, table, tmp_path / "out")
    read = AudioReader().scan(tmp_path / "in", labels=[str(tmp_path / "out" / "segments.csv")]).samples.frame
    again = read.sort("path", "start_s").select("start_s", "stop_s", "label")
    assert again.rows() == frame.select("start_s", "stop_s", "predicted").rows()


def test_segments_below_a_probability_are_left_out(cuts: tuple[Path, Path, pl.DataFrame], tmp_path: Path) -> None:
    answers, table, _ = cuts
    assert write_segments(answers, table, tmp_path / "out", 0.75) == 2
    assert not (tmp_path / "out" / "north").exists()


def test_what_is_no_prediction_of_cuts_is_refused(cuts: tuple[Path, Path, pl.DataFrame], tmp_path: Path) -> None:
    answers, table, frame = cuts
    frame.select("sample").write_csv(tmp_path / "bare.csv")
    with pytest.raises(UsageError, match="no columns sample and predicted"):
        write_segments(tmp_path / "bare.csv", table, tmp_path / "out")
    frame.select("sample", "predicted").write_csv(tmp_path / "numbers.csv")
    with pytest.raises(UsageError, match="no probabilities"):
        write_segments(tmp_path / "numbers.csv", table, tmp_path / "out")
    whole = SampleTable.of({"sample": ["x"], "path": ["a.wav"]})
    write_table(whole, tmp_path / "whole.parquet")
    with pytest.raises(UsageError, match="no column start_s") as caught:
        write_segments(answers, tmp_path / "whole.parquet", tmp_path / "out")
    assert "--cut" in caught.value.hint
    other = SampleTable.of({"sample": ["x"], "path": ["a.wav"], "start_s": [0.0], "stop_s": [1.0]})
    write_table(other, tmp_path / "other.parquet")
    with pytest.raises(DataError, match="is a cut in"):
        write_segments(answers, tmp_path / "other.parquet", tmp_path / "out")
    assert not (tmp_path / "out").exists()
