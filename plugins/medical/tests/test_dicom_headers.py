"""Headers: an allow-list, and what is known of the pixels without decoding them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from ssl_domains.samples import ReadError, ScanResult, write_table
from ssl_domains_medical.dicom.header.headers import ALLOWED, read_header

Write = Callable[..., Path]
Scan = Callable[..., ScanResult]


def test_nothing_personal_is_parsed(write_dicom: Write) -> None:
    header = read_header(write_dicom("a.dcm"))
    assert header.get("Modality") == "CT"
    assert header.get("PatientName") is None
    assert not {word for word in ALLOWED if isinstance(word, str) and ("Name" in word and "Patient" in word)}


def test_no_identifier_is_in_the_bytes_of_the_table(write_dicom: Write, scan: Scan, tmp_path: Path) -> None:
    path = write_dicom("a.dcm", PatientID="SECRET-PATIENT-4711", IssuerOfPatientID="CLINIC")
    uid = str(read_header(path).get("SOPInstanceUID"))
    result = scan()
    for name in ("samples.parquet", "samples.csv"):
        write_table(result.samples, tmp_path / name)
        content = (tmp_path / name).read_bytes()
        for word in ("SECRET-PATIENT-4711", "Doe", "19610203", "CLINIC", uid):
            assert word.encode() not in content
    assert result.samples.meta.identifiers == ("patient", "patient_id", "study", "series", "volume")


def test_pixels_are_known_without_being_read(write_dicom: Write) -> None:
    header = read_header(write_dicom("a.dcm"))
    assert (header.has_pixels, header.pixels.length, header.pixels.missing) == (True, 24, 0)
    assert not read_header(write_dicom("b.dcm", PixelData=None)).has_pixels


def test_a_truncated_file_is_a_problem_row_and_the_others_stay(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm")
    short = write_dicom("b.dcm", InstanceNumber=2)
    short.write_bytes(short.read_bytes()[:-10])
    result = scan()
    assert len(result.samples) == 1
    assert result.problems.rows() == [(str(short), "truncated: the last 10 bytes of the pixel data are missing")]


@pytest.mark.parametrize("keep", [0, 100, 140, 300])
def test_a_file_cut_in_its_header_never_ends_a_scan(write_dicom: Write, scan: Scan, keep: int) -> None:
    write_dicom("a.dcm")
    short = write_dicom("b.dcm")
    short.write_bytes(short.read_bytes()[:keep])
    result = scan()
    assert len(result.samples) == 1
    assert result.problems["path"].to_list() == [str(short)]


def test_pixels_shorter_than_rows_and_columns_say_is_truncated(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm", Rows=300)
    assert "24 bytes of pixel data where 2,400 are expected" in scan().problems["cause"][0]


def test_a_file_without_prefix_is_a_read_error(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(b"\xff" * 200)
    with pytest.raises(ReadError, match="unreadable DICOM header: no DICM prefix"):
        read_header(tmp_path / "a.dcm")


def test_damage_is_quiet(tmp_path: Path, scan: Scan, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 40)
    assert len(scan().problems) == 1
    assert not caplog.records


def test_burned_in_annotation_is_left_out_unless_asked_for(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm", BurnedInAnnotation="YES")
    write_dicom("b.dcm", BurnedInAnnotation="NO", ImagePositionPatient=[0, 0, 1])
    left_out = scan()
    assert len(left_out.samples) == 1
    assert "burned-in annotation" in left_out.problems["cause"][0]
    assert len(scan(burned_in=True).samples) == 2


def test_a_constant_uid_over_different_slices_keeps_them_all(write_dicom: Write, scan: Scan) -> None:
    for number in range(3):
        position = [0, 0, float(number)]
        write_dicom(f"{number}.dcm", SOPInstanceUID="1.2.3", InstanceNumber=number, ImagePositionPatient=position)
    result = scan()
    assert result.samples.frame["sample"].n_unique() == 3
    assert "1 SOPInstanceUID is shared by 3 files: copies, or UIDs that aren't unique" in result.notes


def test_a_copy_is_left_out_and_said(write_dicom: Write, scan: Scan, tmp_path: Path) -> None:
    first = write_dicom("a.dcm")
    (tmp_path / "copy.dcm").write_bytes(first.read_bytes())
    result = scan()
    assert len(result.samples) == 1
    assert result.problems["cause"].to_list() == ["a copy of another file: same SOPInstanceUID, same header"]


def test_samples_keep_their_ids_when_the_folder_moves(write_dicom: Write, tmp_path: Path) -> None:
    from ssl_domains_medical.reader import MedicalReader

    write_dicom("here/a.dcm")
    before = MedicalReader().scan(tmp_path / "here").samples.frame.drop("path")
    (tmp_path / "there").mkdir()
    (tmp_path / "here").rename(tmp_path / "there" / "here")
    after = MedicalReader().scan(tmp_path / "there" / "here").samples.frame.drop("path")
    assert before.equals(after)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_other_uncompressed_syntaxes(write_dicom: Write, scan: Scan, syntax: str) -> None:
    import pydicom

    from ssl_domains_medical.reader import MedicalReader

    path = write_dicom("a.dcm")
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
    row = scan().samples.frame.row(0, named=True)
    assert MedicalReader().load(row)[:, :, 0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_an_option_that_does_not_exist_is_refused(scan: Scan) -> None:
    from ssl_domains.errors import UsageError

    with pytest.raises(UsageError, match="no option 'axes'") as error:
        scan(axes="coronal")
    assert "axis" in error.value.hint


@pytest.mark.parametrize("seed", range(20))
def test_no_damage_ends_a_scan(write_dicom: Write, scan: Scan, seed: int) -> None:
    import numpy as np

    write_dicom("good.dcm")
    bad = write_dicom("bad.dcm", InstanceNumber=2, WindowCenter=40, WindowWidth=400, AcquisitionNumber=1)
    content = bytearray(bad.read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(132, len(content), size=6):
        content[place] = rng.integers(0, 256)
    bad.write_bytes(bytes(content))
    result = scan()
    found = set(result.samples.frame["path"]) | set(result.problems["path"])
    counted = any("DICOMDIR" in note or "no images by their kind" in note for note in result.notes)
    assert {Path(path).name for path in found} == {"good.dcm", "bad.dcm"} or counted
