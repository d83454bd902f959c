"""The demonstration: valid DICOM, the same for the same seed, and every planted fault is found."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest

from ssl_domains.samples import ScanResult, group_split, join_columns, read_frame
from ssl_domains_medical.demo.anatomy import GRADES, SCANNERS, b_scan, draw_eye, grade_of
from ssl_domains_medical.demo.write import PATIENTS, Scan, draw_scans, write_demo_data
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


def test_patients_eyes_visits_slices_and_three_scanners(scanned: ScanResult) -> None:
    frame = scanned.samples.frame.filter(pl.col("modality") == "OPT")
    named = frame.filter(pl.col("patient").is_not_null())
    assert named["patient"].n_unique() == PATIENTS == 80
    assert frame["laterality"].unique().sort().to_list() == ["L", "R"]
    assert frame["scanner"].n_unique() == 3
    each = named.group_by("patient").agg(
        pl.col("study").n_unique(), pl.col("scanner").n_unique(), pl.col("laterality").n_unique()
    )
    assert set(each["study"]) == {2, 3}
    assert set(each["scanner"]) == {1}, "a patient stays with one scanner"
    assert set(each["laterality"]) == {2}
    slices = frame.group_by("volume").len()["len"]
    assert slices.median() == 3
    assert frame["days"].max() > 28


def truth(scans: list[Scan]) -> dict[str, np.ndarray]:
    """What is known of each volume by construction."""
    return {
        "severity": np.array([scan.severity for scan in scans]),
        "foci": np.array([scan.foci for scan in scans]),
        "patient": np.array([scan.folder.parts[-3] for scan in scans]),
        "scanner": np.array([SCANNERS.index(scan.scanner) for scan in scans]),
    }


def test_the_label_belongs_to_the_visit_and_the_foci_to_the_patient(tmp_path: Path) -> None:
    values = truth(draw_scans(tmp_path, 0))
    foci = {name: set(values["foci"][values["patient"] == name]) for name in set(values["patient"])}
    assert all(len(each) == 1 for each in foci.values())
    severities = [set(values["severity"][values["patient"] == name]) for name in foci]
    assert np.mean([len(each) for each in severities]) > 3.5, "of 4 to 6 volumes of a patient"
    assert abs(np.corrcoef(values["severity"], values["foci"])[0, 1]) < 0.15
    assert abs(np.corrcoef(values["severity"], values["scanner"])[0, 1]) < 0.15
    grades, counts = np.unique([grade_of(value) for value in values["severity"]], return_counts=True)
    assert set(grades) == set(GRADES)
    assert counts.min() > 0.27 * counts.sum()


def test_only_the_cysts_follow_the_severity() -> None:
    """Without noise, a severer eye differs by dark ellipses alone, and more foci by bright ones."""
    quiet = replace(SCANNERS[0], noise=0.0)
    eye = draw_eye(np.random.default_rng(0))
    shown = {
        pair: b_scan(eye, *pair, quiet, np.random.default_rng(1)).astype(int) for pair in ((0, 0), (0.99, 0), (0, 0.99))
    }
    darker, brighter = shown[0.99, 0] - shown[0, 0], shown[0, 0.99] - shown[0, 0]
    assert darker.max() <= 0
    assert darker.min() < -30
    assert brighter.min() >= 0
    assert brighter.max() > 30
    assert abs(abs(darker.sum()) / brighter.sum() - 1) < 0.35, "equal in size and contrast, apart from their places"


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
    assert "1 volume has gaps" in said
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
    assert set(frame["severity"]) == set(GRADES)
    means = dict(frame.group_by("severity").agg(pl.col("cst").mean()).iter_rows())
    assert [means[grade] for grade in GRADES] == sorted(means.values())
    assert abs(means["many"] - means["none or few"] - 200 * 2 / 3) < 20
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
