"""``ssl-domains seismic`` as it is typed: what it prints and the code it ends with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ssl_domains.cli.app import run

from .conftest import grid_words, smooth

Make = Callable[..., Path]


@dataclass(frozen=True)
class Done:
    """What a command line left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def seismic(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    def call(*words: object) -> Done:
        capsys.readouterr()
        code = run(["seismic", *map(str, words)])
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err)

    return call


Seismic = Callable[..., Done]


@pytest.fixture
def survey(make: Make) -> Path:
    """16 × 24 lines at 9/21, one corner missing, on a map that is turned by 30°."""
    cube, angle = smooth(16, 24, 48), np.radians(30)
    words = []
    for k, given in enumerate(grid_words(range(100, 132, 2), range(300, 396, 4), 9, 21)):
        along, across = 25 * (k % 24), 50 * (k // 24)
        x, y = along * np.cos(angle) - across * np.sin(angle), along * np.sin(angle) + across * np.cos(angle)
        words.append({**given, 71: -10, 109: 1000, 181: round(10 * x) + 6_000_000, 185: round(10 * y)})
    kept = [k for k in range(384) if not (k // 24 >= 12 and k % 24 >= 18)]
    return make(cube.reshape(384, 48)[kept], [words[k] for k in kept], name="data/survey.sgy", code=1)


def test_header_shows_everything_and_writes_nothing(survey: Path, seismic: Seismic) -> None:
    before = sorted(survey.parent.iterdir())
    done = seismic("header", survey)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    for line in (
        "file          159,120 bytes, 360 traces of 48 samples",
        "byte order    big-endian; revision 1; first trace at byte 3,600",
        "format        code 1; read as IBM float, 4 bytes",
        "inline        100–130 by 2",
        "crossline     300–392 by 4",
        "live cells    360 of 384",
        "vertical      1000–1188 ms by 4",
        "rotation      crossline numbers increase at 30.0° from east, counterclockwise",
        "live map      │████████████████████████│",
        "text header (EBCDIC)",
        "  C 1 MADE FOR A TEST",
    ):
        assert line in lines, done.out
    grid = "grid          16 inlines × 24 crosslines; sorted by inline; inline numbers increase, "
    assert grid + "crossline numbers increase" in lines
    assert any(line.startswith("lines         words 9,21 (fill 93.8%; runner-up ") for line in lines)
    assert any(line.startswith("bins          50.00 m between inlines, 25.00 m between crosslines") for line in lines)
    assert any(line.startswith("candidates    9,21: fill 93.8%; 16 × 24") for line in lines)
    assert sum(line.endswith("│██████████████████      │") for line in lines) == 4
    assert any("clip at the 99.5th percentile" in line for line in lines)
    assert sorted(survey.parent.iterdir()) == before


def test_header_of_an_ambiguous_file_shows_both_sides(make: Make, seismic: Seismic) -> None:
    words = [{**given, 9: given[193], 21: given[189]} for given in grid_words(range(6), range(8))]
    path = make(smooth(6, 8, 40), words)
    done = seismic("header", path)
    assert done.code == 0
    assert "lines         ambiguous" in done.out
    assert "not sampled: ambiguous line numbers: words 189,193 (6 × 8) or 9,21 (8 × 6); decide by --lines" in done.out
    assert "grid          8 inlines × 6 crosslines" in seismic("header", path, "--lines", "9,21").out


@pytest.mark.parametrize(
    ("content", "options", "code", "said"),
    [
        (None, (), 2, "there is no file"),
        (b"", (), 4, "this is no SEG-Y file: it has 0 bytes"),
        (b"x" * 5000, (), 4, "this is no SEG-Y file"),
        (b"", ("--lines", "1"), 2, "are not two header words"),
    ],
)
def test_mistakes_are_one_line_and_a_hint(
    tmp_path: Path, seismic: Seismic, content: bytes | None, options: tuple[str, ...], code: int, said: str
) -> None:
    path = tmp_path / "a.sgy"
    if content is not None:
        path.write_bytes(content)
    done = seismic("header", path, *options)
    assert done.code == code
    assert done.out == ""
    error, hint = done.err.splitlines()
    assert said in error
    assert hint.startswith("hint: ")


def test_from_scan_to_report(survey: Path, tmp_path: Path, seismic: Seismic) -> None:
    table, run = tmp_path / "samples.parquet", tmp_path / "run"
    done = seismic("scan", survey.parent, "-o", table, "--along", "inline,crossline", "--patch", "16x8")
    assert done.code == 0, done.err
    assert "360 of 384 cells live" in done.out
    assert pl.read_parquet(table)["path"].unique().to_list() == ["data/survey.sgy"]
    settings = ("--set", "train.epochs=1", "--set", "train.batch_size=32")
    done = seismic("pretrain", table, "--out", run, "--pairs", "neighbours(m=100, ms=80)", *settings)
    assert done.code == 0, done.err
    assert seismic("embed", run, table, "-o", tmp_path / "e.parquet").code == 0
    assert len(pl.read_parquet(tmp_path / "e.parquet")) == len(pl.read_parquet(table))
    assert seismic("report", run).code == 0
    page = tmp_path / "pairs.html"
    done = seismic("pairs", table, "--pairs", "neighbours(m=100, ms=80)", "--html", page)
    assert done.code == 0, done.err
    assert page.read_text(encoding="utf-8").count("<img") > 4
