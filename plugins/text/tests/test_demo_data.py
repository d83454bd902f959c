"""The demonstration data: strips, sides, transcripts, and every planted fault."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ssl_domains.cli.app import run
from ssl_domains_text.lines.demo import write_demo_data
from ssl_domains_text.lines.demo.glyphs import glyphs_of
from ssl_domains_text.lines.demo.strips import GLYPH, HEIGHT, draw_strip
from ssl_domains_text.lines.demo.write import DATABASE, FEW, STRIPS, TABLE
from ssl_domains_text.lines.demo.writers import WRITERS, draw_writers
from ssl_domains_text.lines.reader import LinesReader


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo data")
    told = write_demo_data(out, 0)
    assert f"ssl-domains lines scan '{out / DATABASE}'" in told
    assert "--alphabet digits" in told
    assert "--on entry" in told
    return out


@pytest.fixture(scope="module")
def table(folder: Path) -> pl.DataFrame:
    return pl.read_csv(folder / TABLE, infer_schema=False)


def test_no_digit_is_on_both_sides() -> None:
    train, test = glyphs_of("train", 0), glyphs_of("test", 0)
    for digit in train:
        known = {one.tobytes() for one in train[digit]}
        assert len(known & {one.tobytes() for one in test[digit]}) == 0
        assert 1.5 < len(train[digit]) / len(test[digit]) < 2.5


def test_writers_are_on_one_side() -> None:
    writers = draw_writers(0)
    assert [writer.name for writer in writers][:2] == ["W01", "W02"]
    assert {side: sum(writer.side == side for writer in writers) for side in WRITERS} == WRITERS


def test_a_strip_shows_its_digits() -> None:
    """Wide, upright and apart, each glyph can be cut out again and compared with the picture that it was made of."""
    from dataclasses import replace

    writer = replace(draw_writers(0)[0], slant=0.0, width=1.0, thickness=1.0, spacing=0.5, unsteady=0.0)
    glyphs = glyphs_of("train", 0)
    strip = draw_strip(writer, glyphs, np.random.default_rng(5), 6)
    assert len(strip.text) == 6
    assert strip.picture.shape[0] == HEIGHT
    ink = np.flatnonzero((strip.picture < (writer.paper + writer.ink) / 2).any(axis=0))
    pieces = np.split(ink, np.flatnonzero(np.diff(ink) > 4) + 1)
    assert len(pieces) == 6
    assert all(5 < len(piece) < 1.3 * GLYPH for piece in pieces)


def test_lengths_and_widths() -> None:
    glyphs = glyphs_of("train", 0)
    rng = np.random.default_rng(0)
    strips = [draw_strip(writer, glyphs, rng) for writer in draw_writers(0)[:24] for _ in range(4)]
    assert {len(strip.text) for strip in strips} == {3, 4, 5, 6, 7}
    assert min(strip.picture.shape[1] for strip in strips) > 30
    widths = np.array([strip.picture.shape[1] for strip in strips])
    lengths = np.array([len(strip.text) for strip in strips])
    assert 0.5 < np.corrcoef(widths, lengths)[0, 1] < 0.99


def test_few_transcripts(folder: Path, table: pl.DataFrame) -> None:
    scanned = LinesReader().scan(folder / DATABASE, alphabet="digits").samples.frame
    joined = table.with_columns(pl.col("entry").cast(pl.Int64)).join(scanned, on="entry", how="inner")
    assert set(joined["split"]) == {"train", "test"}
    for few in FEW:
        train = joined.filter(pl.col("split") == "train", pl.col(f"text_{few}").is_not_null())
        usual = train.filter(pl.col("text_" + str(few)).str.len_chars() <= 7)
        assert len(usual) == few
        assert (usual[f"text_{few}"] == usual["text"]).all()
        assert len(train) == few + 1, "and the planted one that is too long"
        test = joined.filter(pl.col("split") == "test")
        assert (test[f"text_{few}"] == test["text"]).all()
        assert len(test) == STRIPS["test"]
    small = joined.filter(pl.col("text_24").is_not_null(), pl.col("split") == "train")
    assert small["text_96"].is_not_null().all(), "the smaller set lies in the larger"


def test_planted_faults(folder: Path) -> None:
    scanned = LinesReader().scan(folder / DATABASE, alphabet="digits")
    rows = scanned.samples.frame
    assert rows["text_problem"].drop_nulls().to_list() == ["characters outside the alphabet: 'a' (U+0061)"]
    (long,) = rows.filter(pl.col("text").str.len_chars() > 7).to_dicts()
    assert long["text"] == "0" * 30
    assert long["width"] * 32 / HEIGHT / 4 < 2 * 30 - 1, "it doesn't fit the frames of a stride of 4 pixels"
    causes = scanned.problems["cause"].to_list()
    assert sum("truncated" in cause for cause in causes) == 1
    assert causes.count("a declared entry is not there") == 7
    total = sum(STRIPS.values())
    assert f"num-samples declares {total + 3 + 7:,} entries, {total + 2:,} have a readable picture" in causes


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_demo_data(tmp_path / "again", 0)
    write_demo_data(tmp_path / "other", 1)
    for name in (f"{DATABASE}/data.mdb", TABLE):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()
        assert (tmp_path / "other" / name).read_bytes() != (folder / name).read_bytes()
    assert sorted(path.name for path in (folder / DATABASE).iterdir()) == ["data.mdb"], "no lock file, no leftovers"


def test_the_page_shows_what_the_scan_prints(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "lines.md"
    shown = page.read_text(encoding="utf-8").partition("```text\n")[2].partition("```")[0]
    monkeypatch.chdir(tmp_path)
    words = ["lines", "scan", str(folder / DATABASE), "-o", "samples.parquet", "--alphabet", "digits"]
    assert run([*words, "--join", str(folder / TABLE), "--on", "entry"]) == 0
    assert capsys.readouterr().out.endswith(shown)
