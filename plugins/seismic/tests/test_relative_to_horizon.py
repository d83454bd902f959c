"""Times of samples from a horizon, and the pair sampler that reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssl_domains.cli.app import run
from ssl_domains.errors import UsageError
from ssl_domains_seismic.pairs import relative_to_horizon

from .conftest import grid_words, smooth
from .labelled_scan import causes, scan_labelled

Make = Callable[..., Path]
SHAPE = (6, 8, 40)


def time(inline: float, crossline: float) -> float:
    """A plane: linear, so that the mean of neighbouring cells is the value between them."""
    return 1040 + (inline - 100) / 2 + (crossline - 300) / 4


def write_horizon(path: Path, missing: tuple[int, int] = (-1, -1), factor: float = 1.0) -> Path:
    rows = [
        f"{i} {x} {1e30 if (i, x) == missing else factor * time(i, x)}"
        for i in range(100, 112, 2)
        for x in range(300, 332, 4)
    ]
    path.write_text("\n".join(rows) + "\nEOD\n")
    return path


def words(start: int = 1000) -> list[dict[int, int]]:
    return [{**given, 109: start} for given in grid_words(range(100, 112, 2), range(300, 332, 4))]


@pytest.fixture
def survey(make: Make) -> Path:
    return make(smooth(*SHAPE), words(), name="survey/a.sgy")


@pytest.mark.parametrize(
    "options",
    [
        {"along": "inline,crossline,depth"},
        {"along": "inline,depth", "patch": "4x3", "stride": "1"},
        {"along": "crossline", "patch": "8x2", "channels": 3},
    ],
)
def test_times_count_from_the_horizon_at_the_centre(survey: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    horizon = write_horizon(tmp_path / "top.txt")
    frame = scan_labelled(survey.parent, tmp_path / "s.parquet", horizon=horizon, **options).samples.frame
    right = [row["ms"] - time(row["inline"], row["crossline"]) for row in frame.iter_rows(named=True)]
    np.testing.assert_allclose(frame["relative_to_horizon_ms"].to_numpy(), right, rtol=0, atol=1e-9)
    assert min(right) < 0 < max(right) or options.get("patch") is None


def test_it_is_null_where_the_horizon_was_not_picked(survey: Path, tmp_path: Path) -> None:
    horizon = write_horizon(tmp_path / "top.txt", missing=(104, 308))
    options = {"along": "inline", "patch": "40x1", "horizon": horizon}
    result = scan_labelled(survey.parent, tmp_path / "s.parquet", **options)
    frame = result.samples.frame
    missing = frame.filter(frame["relative_to_horizon_ms"].is_null())
    assert missing.select("inline", "crossline").rows() == [(104.0, 308.0)]
    wide = scan_labelled(survey.parent, tmp_path / "s.parquet", **(options | {"patch": "40x2"})).samples.frame
    assert wide.filter(wide["relative_to_horizon_ms"].is_null()).select("inline", "crossline").rows() == [
        (104.0, 310.0)
    ]
    picks = "47 picks, 1 undefined, 1 line skipped"
    columns = "columns 1 and 2 are inline and crossline, column 3 the time"
    assert f"top.txt on a.sgy: {picks}; {columns}" in result.notes


def test_depths_of_a_file_in_feet_are_metres(make: Make, tmp_path: Path) -> None:
    make(smooth(*SHAPE), words(), name="survey/a.sgy", interval=4000, binary={3255: ("h", 2)})
    horizon = write_horizon(tmp_path / "top.txt")
    given = {"vertical": "depth", "along": "depth", "horizon": horizon}
    frame = scan_labelled(tmp_path / "survey", tmp_path / "s.parquet", **given).samples.frame
    assert "relative_to_horizon_ms" not in frame.columns
    feet = 1000 + 4 * frame["sample_bin"].to_numpy() - time(105, 314)
    np.testing.assert_allclose(frame["relative_to_horizon_m"].to_numpy(), 0.3048 * feet, rtol=0, atol=1e-9)


def test_without_a_sample_interval_there_is_no_column(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", smooth(*SHAPE))
    rows = [f"{i} {x} {20 + 0.25 * i}" for i in range(6) for x in range(8)]
    (tmp_path / "top.txt").write_text("\n".join(rows))
    result = scan_labelled(tmp_path / "a.npy", tmp_path / "s.parquet", horizon=tmp_path / "top.txt")
    assert not any(name.startswith("relative") for name in result.samples.columns)
    assert "a.npy: no header says its sample interval, so no sample has a time from the horizon" in result.notes


def test_a_horizon_of_another_survey_is_a_problem(make: Make, tmp_path: Path) -> None:
    given = grid_words(range(500, 512, 2), range(900, 932, 4))
    make(smooth(*SHAPE), given, name="survey/a.sgy")
    horizon = write_horizon(tmp_path / "top.txt")
    result = scan_labelled(tmp_path / "survey", tmp_path / "s.parquet", horizon=horizon)
    assert list(causes(result)) == ["top.txt"]
    assert len(result.samples) == 6


def test_the_sampler_writes_a_rule() -> None:
    assert relative_to_horizon() == "same('along') & within('relative_to_horizon_ms', 20.0)"
    assert relative_to_horizon(ms=8) == "same('along') & within('relative_to_horizon_ms', 8)"
    assert relative_to_horizon(m=15) == "same('along') & within('relative_to_horizon_m', 15)"
    for wrong in ({"ms": 8, "m": 15}, {"ms": "8"}):
        with pytest.raises(UsageError):
            relative_to_horizon(**wrong)  # type: ignore[arg-type]


def test_the_sampler_needs_a_scan_with_a_horizon(
    survey: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = str(tmp_path / "s.parquet")
    scan = ["seismic", "scan", str(survey.parent), "-o", table, "--along", "crossline,inline"]
    assert run(scan) == 0
    capsys.readouterr()
    for command in (["pairs", table], ["pretrain", table, "--out", str(tmp_path / "run")]):
        assert run(["seismic", *command, "--pairs", "relative_to_horizon(ms=8)"]) == 2
        assert capsys.readouterr().err.splitlines() == [
            "error: the sample table has no column 'relative_to_horizon_ms'",
            "hint: scan with --horizon FILE, a text file of picks",
        ]
    assert run([*scan, "--horizon", str(write_horizon(tmp_path / "top.txt"))]) == 0
    assert run(["seismic", "pairs", table, "--pairs", "relative_to_horizon(ms=8)"]) == 0
