"""The real commands on real files: what a user gets for good and for bad input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ssl_domains.cli.app import run

Picture = Callable[..., Path]
Write = Callable[[str, Any], Path]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def command(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["fisheye", *map(str, words)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


Command = Callable[..., tuple[int, str, str]]


def test_demo_scan_pairs(demo: Path, tmp_path: Path, command: Command) -> None:
    samples = tmp_path / "samples.parquet"
    code, out, err = command("scan", demo, "-o", samples, "--split-by", "recording")
    assert code == 0, err
    assert "left out: 4" in out
    frame = pl.read_parquet(samples)
    shared = frame.group_by("recording").agg(pl.col("split").n_unique())
    assert shared["split"].max() == 1
    together = frame.group_by("frame").agg(pl.col("split").n_unique(), pl.col("camera").n_unique())
    assert together["split"].max() == 1
    assert together["camera"].min() == 2
    for pairs in ("region", "region(by='theta', n=4)", "region(by='sector', n=2, sectors=4)", "class", "alpha_mix"):
        code, out, err = command("pairs", samples, "--pairs", pairs)
        assert code == 0, err
    code, _, err = command("pairs", samples, "--pairs", "region(by='thetta')")
    assert (code, "did you mean 'theta'" in err) == (2, True)


def test_a_calibration_without_model_is_exit_2(
    picture: Picture, write: Write, tmp_path: Path, command: Command
) -> None:
    picture("scene/a.png")
    write("scene/a.txt", "car,0,10,10,30,30\n")
    lens = write(
        "FV.json", {"intrinsic": {"k1": 339.7, "k2": -32.0, "k3": 48.3, "k4": -7.2, "width": 80, "height": 60}}
    )
    code, _, err = command("scan", tmp_path / "scene", "--calibration", lens, "-o", tmp_path / "s.parquet")
    assert code == 2
    assert err.splitlines() == [
        "error: the calibration FV.json names no lens model, and k1–k4 have another meaning in each",
        'hint: add "model": one of radial_poly, kannala_brandt, mei, equidistant, equisolid, stereographic',
    ]


def test_a_bad_box_and_a_truncated_file_among_many_are_exit_0(
    picture: Picture, write: Write, tmp_path: Path, command: Command
) -> None:
    picture("scene/a.png")
    write("scene/a.txt", "car,0,10,10,30,30\ncar,0,500,10,530,30\n")
    cut = picture("scene/b.png")
    cut.write_bytes(cut.read_bytes()[:500])
    write("scene/b.txt", "car,0,10,10,30,30\n")
    code, out, err = command("scan", tmp_path / "scene", "-o", tmp_path / "s.parquet")
    assert code == 0, err
    assert "left out: 2" in out
    assert len(pl.read_csv(tmp_path / "s.problems.csv")) == 2


def test_nothing_readable_is_exit_4(picture: Picture, tmp_path: Path, command: Command) -> None:
    (tmp_path / "empty").mkdir()
    assert command("scan", tmp_path / "empty", "-o", tmp_path / "s.parquet")[0] == 4
    cut = picture("scene/only.png")
    cut.write_bytes(cut.read_bytes()[:500])
    code, _, err = command("scan", tmp_path / "scene", "-o", tmp_path / "s.parquet")
    assert code == 4
    assert "truncated" in err
