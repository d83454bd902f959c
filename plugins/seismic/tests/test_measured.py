"""Depth and amplitude of samples, and what the command ``pairs`` says of rules that are one of them in disguise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ssl_domains.cli.app import run
from ssl_domains.samples import SampleTable, ScanResult
from ssl_domains_seismic.measured import measured

from .conftest import smooth

Make = Callable[..., Path]
Scan = Callable[..., ScanResult]


def test_amplitudes_are_means_of_magnitudes(make: Make, scan: Scan) -> None:
    cube = smooth(6, 8, 40)
    cube[2:4, :4] = np.nan
    make(cube)
    table = scan(along="inline,depth", patch="4").samples
    found = measured(table)
    assert found["depth"].tolist() == table.frame["ms"].to_list()
    for row, ends in enumerate(table.frame["region"].to_list()):
        part = cube[ends[0] : ends[1], ends[2] : ends[3], ends[4] : ends[5]]
        right = np.abs(part[np.isfinite(part)].astype(np.float64)).mean() if np.isfinite(part).any() else np.nan
        assert found["amplitude"][row] == pytest.approx(right, nan_ok=True)
    assert np.isnan(found["amplitude"]).any()


def test_whole_sections_are_read_in_part(make: Make, scan: Scan) -> None:
    cube = smooth(2, 100, 300)
    make(cube)
    found = measured(scan().samples)["amplitude"]
    assert found[1] == pytest.approx(np.abs(cube[1, ::2, ::6].astype(np.float64)).mean())


def test_volumes_without_times_have_sample_numbers(tmp_path: Path, scan: Scan) -> None:
    np.save(tmp_path / "a.npy", smooth(4, 5, 30))
    table = scan(along="depth", patch="4").samples
    assert measured(table)["depth"].tolist() == table.frame["sample_bin"].to_list()


def test_files_that_are_gone_have_no_amplitude(make: Make, scan: Scan) -> None:
    path = make(smooth(6, 8, 40))
    table = scan(patch="4").samples
    path.unlink()
    assert np.isnan(measured(table)["amplitude"]).all()
    assert set(measured(SampleTable.of({"sample_bin": [1.0]}))) == {"depth"}


@pytest.mark.parametrize(
    ("pairs", "disguised", "crops"),
    [("same_depth(ms=20)", True, False), ("neighbours(bins=0, samples=4)", False, True), ("survey", False, False)],
)
def test_same_depth_is_depth_in_disguise_and_close_neighbours_are_crops(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str], pairs: str, disguised: bool, crops: bool
) -> None:
    make(smooth(20, 24, 160), name="data/a.sgy")
    make(smooth(20, 24, 160, seed=1), name="data/b.sgy")
    table = tmp_path / "s.parquet"
    assert run(["seismic", "scan", str(tmp_path / "data"), "-o", str(table), "--patch", "16x8", "--stride", "4x8"]) == 0
    capsys.readouterr()
    run(["seismic", "pairs", str(table), "--pairs", pairs, "--anyway"])
    printed = capsys.readouterr()
    assert ("these positives are depth in disguise" in printed.err) == disguised
    assert ("augmentation in disguise" in printed.err) == crops
    assert "nuisance amplitude" in printed.out
    settings = ["encoder.name=small_conv", "train.batch_size=32", "train.device=cpu", "train.max_steps=1"]
    words = [word for setting in settings for word in ("--set", setting)]
    out = str(tmp_path / "run")
    run(["seismic", "pretrain", str(table), "--pairs", pairs, "--anyway", "--out", out, "--dry-run", *words])
    assert ("these positives are depth in disguise" in capsys.readouterr().err) == disguised
