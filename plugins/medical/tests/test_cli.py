"""``ssl-domains medical`` from outside: what it prints and the code it ends with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

Write = Callable[..., Path]


def medical(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SSL_DOMAINS_HASH_KEY": "a key for tests", "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    command = [sys.executable, "-m", "ssl_domains", "medical", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.fixture
def archive(write_dicom: Write, tmp_path: Path) -> Path:
    """Four patients with one study of three slices each."""
    for patient in range(4):
        for number in range(3):
            write_dicom(
                f"in/{patient}/{number}.dcm",
                PatientID=f"SECRET-{patient}",
                StudyInstanceUID=f"1.{patient}",
                SeriesInstanceUID=f"2.{patient}",
                InstanceNumber=number,
                ImagePositionPatient=[0, 0, 2.0 * number],
            )
    return tmp_path / "in"


def test_scan_joins_splits_and_hides_identifiers(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("patient_id,grade\n" + "".join(f"SECRET-{n},{n % 2}\n" for n in range(4)))
    out = tmp_path / "samples.parquet"
    join = ("--join", tmp_path / "labels.csv", "--on", "patient_id")
    done = medical("scan", archive, "-o", out, *join, "--split-by", "patient")
    assert done.returncode == 0, done.stderr
    frame = pl.read_parquet(out)
    assert len(frame) == 12
    assert frame["grade"].null_count() == 0
    assert frame.unique(["patient", "split"])["patient"].n_unique() == 4
    assert frame.unique(["patient", "split"]).height == 4
    for content in (out.read_bytes(), done.stdout.encode()):
        assert b"SECRET" not in content
        assert b"Doe" not in content


def test_pairs_and_a_rule_on_the_scanned_table(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "samples.parquet"
    assert medical("scan", archive, "-o", out).returncode == 0
    done = medical("pairs", out, "--pairs", "neighbours(slices=1)")
    assert done.returncode == 0, done.stderr
    assert "same('volume') & within('slice', 1)" in done.stdout


def test_masks_on_the_command_line(write_nifti: Write, tmp_path: Path) -> None:
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[0, 1, 0] = 1
    write_nifti("in/images/a.nii.gz", np.zeros((3, 4, 5)))
    write_nifti("in/labels/a.nii.gz", labels)
    done = medical(
        "scan", tmp_path / "in", "-o", tmp_path / "s.parquet", "--masks", "labels", "--mask-names", "1=front"
    )
    assert done.returncode == 0, done.stderr
    assert pl.read_parquet(tmp_path / "s.parquet")["slice_class"].to_list() == [None, "front", None, None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--axis", "cornal"], "--axis 'cornal' is no slicing"),
        (["--masks", "nowhere"], "no folder 'nowhere' for --masks"),
        (["--mask-names", "1=a"], "--mask-names without --masks"),
    ],
)
def test_wrong_options_end_with_2_one_line_and_a_hint(
    archive: Path, tmp_path: Path, arguments: Any, message: str
) -> None:
    done = medical("scan", archive, "-o", tmp_path / "s.parquet", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_folder_and_a_truncated_only_file_end_with_4(write_dicom: Write, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = medical("scan", tmp_path / "empty", "-o", tmp_path / "s.parquet")
    assert done.returncode == 4, done.stderr
    path = write_dicom("only/a.dcm")
    path.write_bytes(path.read_bytes()[:-10])
    done = medical("scan", tmp_path / "only", "-o", tmp_path / "s.parquet")
    assert done.returncode == 4
    assert "truncated" in done.stderr


def test_one_truncated_file_among_many_is_a_problem_row_and_0(archive: Path, tmp_path: Path) -> None:
    path = archive / "0" / "1.dcm"
    path.write_bytes(path.read_bytes()[:-10])
    done = medical("scan", archive, "-o", tmp_path / "s.parquet")
    assert done.returncode == 0
    assert "truncated: the last 10 bytes" in done.stdout
    assert pl.read_csv(tmp_path / "s.problems.csv")["path"].to_list() == [str(path)]


def test_anon_is_refused_as_a_group(write_dicom: Write, tmp_path: Path) -> None:
    for number in range(6):
        write_dicom(
            f"in/{number}.dcm", PatientID="ANON", StudyInstanceUID=f"1.{number}", SeriesInstanceUID=f"2.{number}"
        )
    out = tmp_path / "s.parquet"
    assert medical("scan", tmp_path / "in", "-o", out).returncode == 0
    done = medical("pairs", out, "--pairs", "patient")
    assert done.returncode == 4
    assert "patient" in done.stderr
    assert medical("scan", tmp_path / "in", "-o", out, "--split-by", "patient").returncode == 4


def test_a_misspelt_parameter_of_a_sampler_ends_with_2(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.parquet"
    assert medical("scan", archive, "-o", out).returncode == 0
    done = medical("pairs", out, "--pairs", "position(bins=4)")
    assert done.returncode == 2
    assert "position(n=12)" in done.stderr


def test_train_and_test_scanned_apart_and_a_renamed_folder_have_equal_ids(write_dicom: Write, tmp_path: Path) -> None:
    for side in ("train", "test"):
        for patient in range(3):
            uid = f"1.{int(side == 'test')}.{patient}"
            write_dicom(
                f"{side}/{patient}.dcm",
                np.full((3, 4), 10 * patient + int(side == "test"), np.int16),
                PatientID=f"PT{patient}", SOPInstanceUID=f"{uid}.7", StudyInstanceUID=uid, SeriesInstanceUID=f"{uid}.1",
            )  # fmt: skip
    tables = {}
    for side in ("train", "test"):
        tables[side] = tmp_path / f"{side}.parquet"
        assert medical("scan", tmp_path / side, "-o", tables[side], "--split-by", "patient").returncode == 0
    (tmp_path / "train").rename(tmp_path / "archive_2")
    tables["renamed"] = tmp_path / "renamed.parquet"
    assert medical("scan", tmp_path / "archive_2", "-o", tables["renamed"]).returncode == 0
    ids = [set(pl.read_parquet(path)["patient"]) for path in tables.values()]
    assert ids[0] == ids[1] == ids[2]
    assert len(ids[0]) == 3
    command = [sys.executable, "-m", "ssl_domains", "splits", "audit", str(tables["test"]), "--split", "split"]
    command += ["--group", "patient", "--pretraining", str(tables["renamed"])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "1 of 1 groups of 'patient' in test are in pre-training as well" in done.stdout


def test_a_table_of_an_earlier_scan_is_said_to_be_one(archive: Path, tmp_path: Path) -> None:
    import json

    from ssl_domains.samples import read_table

    out = tmp_path / "samples.parquet"
    assert medical("scan", archive, "-o", out).returncode == 0
    assert "earlier version" not in medical("pairs", out, "--pairs", "patient").stderr
    table = read_table(out)
    meta = {"domain": "medical", "identifiers": list(table.meta.identifiers), "options": {}}
    for path in tmp_path.glob("samples.parquet*"):
        path.unlink()
    table.frame.write_parquet(out, metadata={"ssl_domains": json.dumps(meta)})
    assert "made by an earlier version" in medical("pairs", out, "--pairs", "patient").stderr
