"""Whose an image is, and when it is nobody's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import IdentifierKey, ScanResult, join_columns
from ssl_domains_medical.dicom.patients import placeholder_of
from ssl_domains_medical.reader import MedicalReader

Write = Callable[..., Path]
Scan = Callable[..., ScanResult]


@pytest.mark.parametrize("word", ["ANON", "Anonymous", "anonymized^", "0000", "XXXX", "de-identified", "N/A"])
def test_placeholders_name_nobody(word: str) -> None:
    assert placeholder_of(word) is not None


@pytest.mark.parametrize("word", ["ANON001", "P-17", "0", "1", "XX7", "2008-4", "山田", "Иванов1", "Müller"])
def test_pseudonyms_name_somebody(word: str) -> None:
    assert placeholder_of(word) is None


def test_a_constant_anon_is_no_group(write_dicom: Write, scan: Scan) -> None:
    for number in range(3):
        write_dicom(f"{number}.dcm", PatientID="ANON", StudyInstanceUID=f"1.{number}", SeriesInstanceUID=f"2.{number}")
    result = scan()
    assert result.samples.frame["patient"].to_list() == [None] * 3
    assert result.samples.frame["patient"].dtype == pl.String
    assert any("placeholder for PatientID" in note for note in result.notes)


def test_anon_beside_real_patients_is_null_for_its_rows_only(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm", PatientID="ANON", StudyInstanceUID="1.1")
    write_dicom("b.dcm", PatientID="ANON", StudyInstanceUID="1.2", InstanceNumber=3)
    write_dicom("c.dcm", PatientID="P1", InstanceNumber=2)
    result = scan()
    assert result.samples.frame["patient"].null_count() == 2
    assert any("ANON in 2 images" in note and "--patient-ids keep" in note for note in result.notes)
    kept = scan(patient_ids="keep").samples.frame
    assert kept["patient"].n_unique() == 2


def test_a_listed_word_of_one_study_is_a_patient(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm", PatientID="PATIENT")
    assert scan().samples.frame["patient"].null_count() == 0


@pytest.mark.parametrize("ids", [("0000", "0001", "0002"), ("PATIENT", "PATIENT1", "PATIENT2"), ("XX", "山田", "P1")])
def test_an_id_of_a_numbered_set_is_a_patient(write_dicom: Write, scan: Scan, ids: tuple[str, ...]) -> None:
    for number, patient in enumerate([ids[0], *ids]):
        series = {"StudyInstanceUID": f"1.{number}", "SeriesInstanceUID": f"2.{number}"}
        write_dicom(f"{number}.dcm", PatientID=patient, SpecificCharacterSet="ISO_IR 192", **series)
    frame = scan().samples.frame
    placeholder = ids[0] == "XX"  # no member of a set, and of two studies
    assert frame["patient"].null_count() == 2 * placeholder
    assert frame["patient"].drop_nulls().n_unique() == 3 - placeholder


def test_one_id_over_all_studies_is_one_patient(write_dicom: Write, scan: Scan) -> None:
    for number in range(3):
        write_dicom(
            f"{number}.dcm", PatientID="STUDY7", StudyInstanceUID=f"1.{number}", SeriesInstanceUID=f"2.{number}"
        )
    frame = scan().samples.frame
    assert frame["patient"].null_count() == 0
    assert frame["patient"].n_unique() == 1


def test_one_patient_with_one_study_is_a_patient(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm")
    assert scan().samples.frame["patient"].null_count() == 0


def test_a_missing_id_is_null_with_a_note(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm", PatientID=None)
    write_dicom("b.dcm", PatientID="", ImagePositionPatient=[0, 0, 1])
    result = scan()
    assert result.samples.frame["patient"].null_count() == 2
    assert any(note.startswith("2 images have no PatientID: patient is null there") for note in result.notes)


def test_equal_ids_of_two_issuers_are_two_patients(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm", IssuerOfPatientID="NORTH")
    write_dicom("b.dcm", IssuerOfPatientID="SOUTH", InstanceNumber=2)
    frame = scan().samples.frame
    assert frame["patient"].n_unique() == 2
    assert frame["patient_id"].n_unique() == 1


def test_an_id_is_one_patient_in_whatever_folder_it_lies(write_dicom: Write, tmp_path: Path) -> None:
    write_dicom("train/a.dcm")
    write_dicom("test/a.dcm", SOPInstanceUID="1.7", StudyInstanceUID="1.8")
    scans = [MedicalReader().scan(tmp_path / folder).samples for folder in ("train", "test")]
    (tmp_path / "train").rename(tmp_path / "renamed")
    scans.append(MedicalReader().scan(tmp_path / "renamed").samples)
    assert len({scan.frame["patient"][0] for scan in scans}) == 1
    assert len({scan.meta.key for scan in scans}) == 1
    assert scans[0].meta.key == IdentifierKey.load().fingerprint


def test_contradicting_birth_dates_and_sexes_are_said_and_sites_tell_them_apart(write_dicom: Write, scan: Scan) -> None:
    of_site = {"north": ("M", "19500101"), "south": ("F", "19610203")}
    for number, (site, (sex, born)) in enumerate(of_site.items()):
        for place in range(2):
            write_dicom(
                f"{site}/{place}.dcm", PatientID="001", PatientSex=sex, PatientBirthDate=born, InstitutionName=site,
                StudyInstanceUID=f"1.{number}", SeriesInstanceUID=f"2.{number}", ImagePositionPatient=[0, 0, place],
            )  # fmt: skip
    result = scan()
    assert result.samples.frame["patient"].n_unique() == 1
    assert any(note.startswith("1 patient has images of different sex or birth date") for note in result.notes)
    for site in ("folder", "folder:1", "folder:-1", "InstitutionName", "institutionname"):
        told = scan(site=site)
        assert told.samples.frame["patient"].n_unique() == 2
        assert told.samples.frame["patient_id"].n_unique() == 1
        assert told.samples.frame["site"].n_unique() == 2
        assert "site" in told.samples.meta.identifiers
        assert not any("different sex" in note for note in told.notes)


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ({"site": "InstitutionNam"}, "InstitutionName"),
        ({"site": "folder:0"}, "folder:1"),
        ({"patient_ids": "all"}, "keep"),
    ],
)
def test_a_site_or_way_of_ids_that_does_not_exist_is_refused(scan: Scan, option: dict[str, str], hint: str) -> None:
    with pytest.raises(UsageError) as error:
        scan(**option)
    assert hint in error.value.hint


def test_the_folder_names_the_patient_only_where_no_id_does(write_dicom: Write, scan: Scan) -> None:
    for number, (folder, patient) in enumerate([("a", None), ("a", None), ("b", ""), ("b", "P1"), ("c", "P1")]):
        write_dicom(f"{folder}/{number}.dcm", PatientID=patient, InstanceNumber=number, StudyInstanceUID=f"1.{number}")
    frame = scan(patient_ids="folder:1").samples.frame.sort("path")
    assert frame["patient"].null_count() == 0
    first, second, third, fourth, fifth = frame["patient"]
    assert first == second != third
    assert fourth == fifth not in (first, third)
    assert frame["patient_id"].null_count() == 3


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
