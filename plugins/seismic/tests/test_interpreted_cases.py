"""Labels of the cases from the field and of a real survey, from the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ssl_domains.cli.app import run
from ssl_domains.samples import read_table
from ssl_domains.stores import mask_names

pytestmark = pytest.mark.shared_data
Scan = Callable[..., tuple[pl.DataFrame, str]]


@pytest.fixture
def scan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Scan:
    """Scan a file; its table, and what was printed."""

    def scanned(*words: object) -> tuple[pl.DataFrame, str]:
        capsys.readouterr()
        code = run(["seismic", "scan", *map(str, words), "-o", str(tmp_path / "s.parquet")])
        printed = capsys.readouterr()
        assert code == 0, printed.err
        return read_table(tmp_path / "s.parquet").frame, printed.out + printed.err

    return scanned


@pytest.fixture
def case(shared_data: Path) -> Callable[[str], tuple[Path, dict[str, int]]]:
    """Folder and expected values of a case."""
    folder = shared_data.parent / "cases" / "seismic"
    if not folder.is_dir():
        pytest.skip("the cases from the field are not beside the real data sets")
    return lambda name: (folder / name, json.loads((folder / name / "case.json").read_text())["expected"])


Case = Callable[[str], tuple[Path, dict[str, int]]]


def test_s11_a_section_of_another_length_is_a_problem_with_both(case: Case, scan: Scan, tmp_path: Path) -> None:
    folder, right = case("S11")
    frame, said = scan(folder / "a.sgy", "--labels", folder / "labels_il101.csv")
    assert f"it has {right['labels']} rows, inline 101 has {right['volume']} crosslines" in said
    problems = pl.read_csv(tmp_path / "s.problems.csv")
    assert problems["path"].to_list() == [str(folder / "labels_il101.csv")]
    assert frame["mask_path"].null_count() == len(frame) == 4
    whole = tmp_path / "labels_il101.csv"
    np.savetxt(whole, np.full((right["volume"], 24), 2), fmt="%d", delimiter=",")
    frame, _ = scan(folder / "a.sgy", "--labels", whole)
    assert dict(frame.select("inline", "class").iter_rows()) == {100: None, 101: "2", 102: None, 103: None}


def test_s12_picks_of_a_horizon_are_read_and_undefined_ones_counted(case: Case, scan: Scan) -> None:
    folder, right = case("S12")
    horizon = folder / "ijxyz.txt"
    frame, said = scan(folder / "a.sgy", "--horizon", horizon, "--patch", "10x1", "--labels", horizon)
    counts = f"{right['picks']} picks, {right['undefined']} undefined, 3 lines skipped; columns 1 and 2 are inline and"
    assert f"ijxyz.txt on a.sgy: {counts}" in said
    assert f"ijxyz.txt labels a.sgy: {counts}" in said
    assert "left out" not in said.replace("nothing was left out", "")
    picked = frame.drop_nulls("relative_to_horizon_ms")
    assert picked.select("inline", "crossline").n_unique() == right["picks"]
    row = picked.filter((pl.col("inline") == 104) & (pl.col("crossline") == 308) & (pl.col("sample_bin") == 4.5))
    assert row["relative_to_horizon_ms"].to_list() == [1018.0 - 1015.0]


def test_shares_of_parihaka_are_those_of_its_labels(
    shared_data: Path, scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "parihaka_labels.npz").symlink_to(shared_data / "seismic" / "parihaka_labels.npz")
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "seismic-facies.md").read_text(encoding="utf-8")
    (conversion,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(conversion, {})
    labels = np.load("parihaka_labels.npy")
    with np.load("parihaka_labels.npz") as file:
        kept = file["labelled_samples"]
        np.testing.assert_array_equal(labels, np.where(kept, file["labels"], 255))
    names = {1: "faults", 2: "channels", 3: "anomaly"}
    source = shared_data / "seismic" / "parihaka_third.sgy"
    options = ("--along", "depth", "--patch", 32, "--every", 5, "--labels", "parihaka_labels.npy")
    frame, _ = scan(source, *options, "--label-names", "1=faults,2=channels,3=anomaly")
    assert mask_names(read_table(tmp_path / "s.parquet")) == names
    labelled = frame.drop_nulls("mask_path")
    assert 0 < len(labelled) < len(frame)
    unlabelled = frame.filter(pl.col("mask_path").is_null())["sample_bin"].unique().to_numpy().astype(int)
    assert (labels[:, :, unlabelled] == 255).all()
    chosen = labelled.sample(200, seed=0).vstack(labelled.filter(pl.col("classes").list.len() > 1).head(50))
    for row in chosen.iter_rows(named=True):
        part = labels[tuple(slice(*row["region"][k : k + 2]) for k in (0, 2, 4))]
        shares = {name: float((part == number).mean()) for number, name in names.items()}
        assert {name: row[f"share_{name}"] for name in shares} == pytest.approx(shares)
        assert row["share_background"] == pytest.approx(float((part == 0).mean()))
        assert row["classes"] == [name for name, share in shares.items() if share >= 0.05]
    assert np.load(labelled["mask_path"][0], mmap_mode="r").shape == labels.shape
