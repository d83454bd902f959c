"""Depth and amplitude of samples, and what the command ``pairs`` says of rules that are one of them in disguise."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ssl_domains.cli.app import run
from ssl_domains.cli.work.study import prepare_study
from ssl_domains.extending.current import current_registry
from ssl_domains.samples import SampleTable, ScanResult, read_noted_table, write_table
from ssl_domains.studies.conducting.preparation import inspect_pairs
from ssl_domains.studies.design.study_file import read_study_file
from ssl_domains_seismic.domain import SEISMIC
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


STUDY = """
name = "depths"
title = "Depths"
about = "Waves. Nothing is claimed."
samples = "s.parquet"
label = "part"
group = "block"
folds = 2
seeds = 1
fractions = [1.0]
{nuisance}
[config.train]
max_steps = 1
batch_size = 16
device = "cpu"
[config.head]
hidden = 16
out = 8
[arms.depth]
pairs = "same_depth(ms=20)"
[primary]
arm = "depth"
fraction = 1.0
"""


def test_a_study_probes_depth_and_amplitude_as_nuisances(make: Make, tmp_path: Path) -> None:
    make(smooth(24, 24, 96), name="data/a.sgy")
    table = tmp_path / "s.parquet"
    words = ["seismic", "scan", str(tmp_path / "data"), "-o", str(table), "--patch", "12x6", "--blocks", "3x4"]
    assert run([*words, "--every", "2"]) == 0
    samples, _ = read_noted_table(table)
    parts = np.where(samples.numbers("sample_bin") < 48, "above", "below")
    write_table(SampleTable(samples.frame.with_columns(part=pl.Series(parts)), samples.meta), table)
    file = tmp_path / "STUDY.toml"
    file.write_text(STUDY.format(nuisance=""), encoding="utf-8")
    assert run(["seismic", "study", str(file), "--out", str(tmp_path / "out"), "--jobs", "1", "--only", "random"]) == 0
    cells = [json.loads(one.read_text(encoding="utf-8")) for one in (tmp_path / "out" / "cells").rglob("result.json")]
    assert len(cells) == 2, "one of each fold"
    for cell in cells:
        assert list(cell["nuisance"]) == ["survey", "section", "dtype", "depth", "amplitude"]
        measure, value, _ = cell["nuisance"]["amplitude"]
        assert measure == "R²"
        assert 0.5 < value <= 1, "patches of one mean amplitude look alike, also to random weights"


@pytest.mark.parametrize(("given", "measured_too"), [("", True), ('nuisance = ["section"]', False),
                                                     ('nuisance = ["depth"]', True)])  # fmt: skip
def test_values_are_measured_only_for_a_study_that_probes_them(
    make: Make, scan: Scan, tmp_path: Path, given: str, measured_too: bool
) -> None:
    make(smooth(24, 24, 32))
    frame = scan(patch="12x6", blocks="3x4").samples
    frame = frame.with_columns(part=np.where(frame.numbers("sample_bin") < 16, 0, 1))
    write_table(frame, tmp_path / "s.parquet")
    text = STUDY.format(nuisance=given)
    (tmp_path / "STUDY.toml").write_text(text, encoding="utf-8")
    study = read_study_file(tmp_path / "STUDY.toml")
    material, arms = prepare_study(current_registry(), SEISMIC, study, tmp_path, tmp_path / "out")
    assert ("depth" in material.nuisance) == measured_too
    assert ("amplitude" in material.table.columns) == measured_too
    if measured_too:
        np.testing.assert_array_equal(material.table.numbers("depth"), frame.numbers("ms"))
        found = {row.column: row for row in inspect_pairs(material, arms)[0]}
        assert found["depth"].agreement == 1, "positives of same_depth agree in depth"
        assert found["depth"].chance < 0.5
