"""What a header says of a person leaves it as a keyed hash or not at all: every output of the product is searched."""

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

from ssl_domains.samples import ScanSession, read_table, scan_session
from ssl_domains_medical.reader import MedicalReader

Write = Callable[..., Path]

PLANTED = {
    "PatientName": "Mustermann^Erika",
    "PatientBirthDate": "19610203",
    "StudyDate": "20190417",
    "AcquisitionTime": "134659.123",
    "InstitutionName": "Klinikum Nirgendwo",
    "StationName": "NIRGENDWO7",
    "Manufacturer": "SIEMENS for Nirgendwo",
    "ManufacturerModelName": "Skyra of Mustermann",
    "ImageType": ["ORIGINAL", "PRIMARY", "MUSTERMANN"],
    "ConvolutionKernel": "NIRGENDWO",
    "SeriesDescription": "Erika in Nirgendwo",
    "IssuerOfPatientID": "NIRGENDWO",
}
WORDS = ("Mustermann", "Erika", "Nirgendwo", "19610203", "1961-02-03", "20190417", "2019-04-17", "134659", "GEHEIM")
UIDS = ("1.2.840.4711",)


def plant(write: Write, patients: int = 6) -> None:
    for patient in range(patients):
        for number in range(3):
            write(
                f"in/Mustermann_{patient}/{number}.dcm",
                np.random.default_rng([patient, number]).integers(0, 900, (16, 16)).astype(np.int16),
                PatientID=f"GEHEIM-{patient}", Modality="MR", StudyInstanceUID=f"1.2.840.4711.{patient}",
                SeriesInstanceUID=f"1.2.840.4711.{patient}.1", SOPInstanceUID=f"1.2.840.4711.{patient}.1.{number}",
                ImagePositionPatient=[0, 0, 2.0 * number], InstanceNumber=number + 1, **PLANTED,
            )  # fmt: skip
    # Files with faults, of which causes are written.
    faults: dict[str, dict[str, Any]] = {
        "photometric": {"PhotometricInterpretation": "MUSTERMANN"},
        "frames": {"NumberOfFrames": 0},
        "burned": {"BurnedInAnnotation": "YES"},
        "plain": {},
        "short": {"Rows": 300},
    }
    for name, elements in faults.items():
        write(
            f"in/Mustermann_faults/{name}.dcm",
            **{"PatientID": "GEHEIM-F", "SOPInstanceUID": "1.2.840.4711.9", "Modality": "MR", **PLANTED, **elements},
        )
    damaged = write("in/Mustermann_faults/damaged.dcm", PatientID="GEHEIM-D", **PLANTED)
    damaged.write_bytes(damaged.read_bytes()[:450])


def found_in(text: str) -> set[str]:
    lower = text.lower()
    return {word for word in (*WORDS, *UIDS) if word.lower() in lower}


def test_table_problems_notes_and_journal_hold_no_identifier(write_dicom: Write, tmp_path: Path) -> None:
    plant(write_dicom)
    journal = tmp_path / "journal"
    with scan_session(ScanSession(journal, "")):
        result = MedicalReader().scan(tmp_path / "in", site="InstitutionName")
    frame = result.samples.frame
    assert len(frame) == 18 + 1
    assert len(result.problems) == 5
    assert found_in(frame.drop("path").write_csv()) == set()
    assert found_in("\n".join(result.problems["cause"])) == set()
    assert found_in("\n".join(result.notes)) == set()
    assert set(frame["scanner"].str.replace("#.*", "#")) == {"Siemens Skyra #"}
    assert set(frame["image_type"]) == {"ORIGINAL\\PRIMARY"}
    written = journal.read_text()
    assert written.count("\n") > 20
    # A journal names the files, which a restart needs.
    for folder in range(6):
        written = written.replace(f"Mustermann_{folder}", "")
    assert found_in(written.replace("Mustermann_faults", "")) == set()


def run(*arguments: object) -> str:
    environment = {**os.environ, "SSL_DOMAINS_HASH_KEY": "a key for tests", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "ssl_domains", "medical", *map(str, arguments)],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
def test_no_output_of_any_command_holds_an_identifier(write_dicom: Write, tmp_path: Path) -> None:
    plant(write_dicom)
    table, trained = tmp_path / "samples.parquet", tmp_path / "run"
    clinical = "patient_id,grade\n" + "".join(f"GEHEIM-{patient},{patient % 2}\n" for patient in range(6))
    (tmp_path / "labels.csv").write_text(clinical)
    told = run("scan", tmp_path / "in", "-o", table, "--join", tmp_path / "labels.csv", "--on", "patient_id",
               "--split-by", "patient", "--test", "0.34")  # fmt: skip
    told += run("pairs", table, "--pairs", "patient", "--html", tmp_path / "pairs.html")
    small = ("train.max_steps=2", "train.batch_size=4", "encoder.name=small_conv", "views.size=32")
    settings = [part for value in small for part in ("--set", value)]
    told += run("pretrain", table, "--pairs", "patient", "--out", trained, *settings)
    told += run("embed", trained, table, "-o", tmp_path / "embeddings.parquet")
    told += run("probe", trained, "--label", "grade", "--group", "patient")
    told += run("report", trained)
    told += run("export", trained, tmp_path / "export", "--format", "safetensors")
    assert found_in(told) == set()
    searched = 0
    for path in sorted(tmp_path.rglob("*")):
        if path.is_dir() or path.is_relative_to(tmp_path / "in") or path.name == "labels.csv":
            continue
        searched += 1
        name = path.relative_to(tmp_path).as_posix()
        if path.suffix == ".parquet":
            # Where a file lies stands in the table, the problems and the store's list of its files.
            frame = pl.read_parquet(path).drop("path", strict=False)
            text = str(frame.rows())
            text += str(pl.read_parquet_metadata(path).get("ssl_domains"))
        elif name == "samples.problems.csv":
            text = "\n".join(pl.read_csv(path)["cause"])
        else:
            text = path.read_bytes().decode("latin-1")
        assert found_in(text) == set(), name
    assert searched > 10
    assert read_table(table).meta.key


def test_no_word_of_a_name_is_left_in_notes_and_causes(
    write_dicom: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import nibabel
    import numpy as np

    path = write_dicom("in/a.dcm")
    content = path.read_bytes()
    assert content.count(b"1.2.840.10008.1.2.1\0") == 1
    path.write_bytes(content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.276.0.4711.66.7\0"))
    (tmp_path / "in/scan.Mustermann").write_text("no image")
    (tmp_path / "in/readme.txt").write_text("no image")
    volume = tmp_path / "in/b.nii"
    nibabel.save(nibabel.Nifti1Image(np.ones((3, 4, 5), np.int16), np.eye(4)), volume)
    volume.write_bytes(volume.read_bytes()[:70] + b"\x99\x77" + volume.read_bytes()[72:])  # a type that there is not
    result = MedicalReader().scan(tmp_path / "in")
    assert "passed over as no image of a known kind: 1 .txt, 1 of another suffix" in result.notes
    causes = {Path(path).name: cause for path, cause in result.problems.select("path", "cause").iter_rows()}
    assert causes["a.dcm"] == "the transfer syntax is of a private kind, which has no decoder"
    assert set(causes) == {"a.dcm", "b.nii"}
    assert [record for record in caplog.records if record.name.startswith("nibabel")] == []
