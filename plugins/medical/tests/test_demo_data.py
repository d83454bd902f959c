"""The demonstration: valid DICOM, the same for the same seed, and every planted fault is found."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest

from ssl_domains.samples import ScanResult, group_split, join_columns, read_frame
from ssl_domains_medical.demo.write import PATIENTS, write_demo_data
from ssl_domains_medical.reader import MedicalReader


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo data")
    told = write_demo_data(out, 0)
    assert f"ssl-domains medical scan '{out / 'images'}'" in told
    assert "--on series --split-by patient" in told
    return out


@pytest.fixture(scope="module")
def scanned(folder: Path) -> ScanResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_DOMAINS_HASH_KEY", "a key for tests")
        return MedicalReader().scan(folder / "images")


def test_many_patients_eyes_visits_and_two_scanners(scanned: ScanResult) -> None:
    frame = scanned.samples.frame.filter(pl.col("modality") == "OPT")
    assert frame["patient"].drop_nulls().n_unique() == PATIENTS - 2
    assert frame["laterality"].unique().sort().to_list() == ["L", "R"]
    assert frame["scanner"].n_unique() == 2
    assert frame.group_by("patient").agg(pl.col("study").n_unique())["study"].max() > 1
    assert frame["days"].max() > 28


def test_every_file_is_valid_dicom(folder: Path) -> None:
    names = {"single": "IM01.dcm", "multi": "volume.dcm"}
    for name in names.values():
        path = next((folder / "images").rglob(name))
        dataset = pydicom.dcmread(path)
        assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
        assert dataset.SOPInstanceUID.is_valid
        assert dataset.pixel_array.dtype == np.uint8
        assert dataset.pixel_array.std() > 10


def test_planted_faults_are_found(scanned: ScanResult) -> None:
    causes = sorted(scanned.problems["cause"])
    assert [cause.split(":")[0] for cause in causes] == ["a copy of another file", "burned-in annotation", "truncated"]
    said = "\n".join(scanned.notes)
    assert "1 DICOMDIR file recognised" in said
    assert "a placeholder for PatientID" in said
    assert "1 series holds several volumes (2 in all)" in said
    assert "2 volumes have gaps" in said  # a slice that was never there, and the truncated one
    assert "passed over as no image of a known kind: 1 .txt" in said
    echoes = scanned.samples.frame.filter(pl.col("modality") == "MR")
    assert echoes.group_by("volume").len()["len"].to_list() == [4, 4]


def test_clinical_values_join_and_a_tenth_of_cst_is_missing(folder: Path, scanned: ScanResult) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_DOMAINS_HASH_KEY", "a key for tests")
        joined = join_columns(scanned.samples, read_frame(folder / "clinical.csv"), "series")
    clinical = read_frame(folder / "clinical.csv")
    assert clinical["cst"].null_count() == round(0.1 * len(clinical))
    frame = joined.frame.filter(pl.col("modality") == "OPT")
    assert frame["bcva"].null_count() == 0
    assert set(frame["fluid"]) == {"yes", "no"}
    by_fluid = dict(frame.group_by("fluid").agg(pl.col("cst").mean()).iter_rows())
    assert by_fluid["yes"] > by_fluid["no"] + 30  # the label depends on the thickness
    split = group_split(joined, "patient").frame
    assert split["split"].null_count() == split["patient"].null_count() > 0


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, folder: Path) -> None:
    write_demo_data(tmp_path / "again", 0)
    write_demo_data(tmp_path / "other", 1)
    assert fingerprint(folder) == fingerprint(tmp_path / "again")
    assert fingerprint(folder) != fingerprint(tmp_path / "other")


def test_no_name_of_a_patient_reaches_the_table(scanned: ScanResult, tmp_path: Path) -> None:
    scanned.samples.frame.drop("path").write_csv(tmp_path / "samples.csv")
    content = (tmp_path / "samples.csv").read_text()
    assert "OCT-0" not in content
    assert "Nobody" not in content
    assert "1.2.826" not in content


def fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
