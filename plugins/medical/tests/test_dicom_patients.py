"""Whose an image is, and when it is nobody's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import IdentifierKey, ScanResult, join_columns
from ssl_domains_medical.dicom.patients import names_nobody
from ssl_domains_medical.reader import MedicalReader

Write = Callable[..., Path]
Scan = Callable[..., ScanResult]


@pytest.mark.parametrize("word", ["ANON", "Anonymous", "anonymized^", "0000", "XXXX", "de-identified", " ", "N/A"])
def test_placeholders_name_nobody(word: str) -> None:
    assert names_nobody(word)


@pytest.mark.parametrize("word", ["ANON001", "P-17", "0", "1", "XX7", "2008-4"])
def test_pseudonyms_name_somebody(word: str) -> None:
    assert not names_nobody(word)


def test_a_constant_anon_is_no_group(write_dicom: Write, scan: Scan) -> None:
    for number in range(3):
        write_dicom(f"{number}.dcm", PatientID="ANON", StudyInstanceUID=f"1.{number}", SeriesInstanceUID=f"2.{number}")
    result = scan()
    assert result.samples.frame["patient"].to_list() == [None] * 3
    assert result.samples.frame["patient"].dtype == pl.String
    assert any("placeholder for PatientID" in note for note in result.notes)


def test_anon_beside_real_patients_is_null_for_its_rows_only(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm", PatientID="ANON")
    write_dicom("b.dcm", PatientID="P1", InstanceNumber=2)
    assert scan().samples.frame["patient"].null_count() == 1


def test_one_id_over_all_studies_is_no_group(write_dicom: Write, scan: Scan) -> None:
    for number in range(3):
        write_dicom(
            f"{number}.dcm", PatientID="STUDY7", StudyInstanceUID=f"1.{number}", SeriesInstanceUID=f"2.{number}"
        )
    result = scan()
    assert result.samples.frame["patient"].null_count() == 3
    assert any("same PatientID over several studies" in note for note in result.notes)


def test_one_patient_with_one_study_is_a_patient(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm")
    assert scan().samples.frame["patient"].null_count() == 0


def test_a_missing_id_is_null_with_a_note(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm", PatientID=None)
    write_dicom("b.dcm", PatientID="", InstanceNumber=2)
    result = scan()
    assert result.samples.frame["patient"].null_count() == 2
    assert "2 images have no PatientID: patient is null there" in result.notes


def test_equal_ids_of_two_issuers_are_two_patients(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm", IssuerOfPatientID="NORTH")
    write_dicom("b.dcm", IssuerOfPatientID="SOUTH", InstanceNumber=2)
    frame = scan().samples.frame
    assert frame["patient"].n_unique() == 2
    assert frame["patient_id"].n_unique() == 1


def test_equal_ids_of_two_folders_are_two_patients_where_nobody_issued_them(write_dicom: Write, tmp_path: Path) -> None:
    write_dicom("north/a.dcm")
    write_dicom("south/a.dcm")
    north, south = (MedicalReader().scan(tmp_path / folder).samples.frame for folder in ("north", "south"))
    assert north["patient"][0] != south["patient"][0]
    assert north["patient_id"][0] == south["patient_id"][0]


def test_a_table_of_raw_identifiers_joins(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm", PatientID="P-17", SeriesInstanceUID="1.2.3")
    clinical = pl.DataFrame({"patient_id": ["P-17"], "age": [70]})
    assert join_columns(scan().samples, clinical, "patient_id").frame["age"].to_list() == [70]
    by_series = pl.DataFrame({"series": ["1.2.3"], "cst": [300]})
    assert join_columns(scan().samples, by_series, "series").frame["cst"].to_list() == [300]


def test_another_key_gives_other_pseudonyms(write_dicom: Write, scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    write_dicom("a.dcm")
    before = scan().samples.frame
    monkeypatch.setenv("SSL_DOMAINS_HASH_KEY", "another")
    after = scan().samples.frame
    for column in ("sample", "patient", "patient_id", "study", "series", "volume"):
        assert before[column][0] != after[column][0]
    assert after["patient_id"][0] == IdentifierKey(b"another").digest("P-17")


def test_a_source_that_is_not_there(reader: MedicalReader, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no"):
        reader.scan(tmp_path / "nowhere")
