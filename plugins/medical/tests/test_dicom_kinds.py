"""What is no sample by its kind is passed over and counted; files without a DICOM preamble are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from ssl_domains.samples import ScanResult
from ssl_domains_medical.reader import MedicalReader

Write = Callable[..., Path]
Scan = Callable[..., ScanResult]
STORAGE = "1.2.840.10008.5.1.4.1.1."


def place(z: float) -> dict[str, Any]:
    return {"ImagePositionPatient": [0.0, 0.0, z], "InstanceNumber": int(z) + 1}


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ("66.4", "Segmentation"),
        ("481.2", "RT Dose"),
        ("481.3", "RT Structure Set"),
        ("88.33", "Comprehensive SR"),
        ("88.59", "Key Object Selection Document"),
        ("11.1", "Grayscale Softcopy Presentation State"),
        ("9.1.1", "12-lead ECG Waveform"),
        ("104.1", "Encapsulated PDF"),
        ("66", "Raw Data"),
    ],
)
@pytest.mark.parametrize("pixels", [True, False])
def test_objects_that_are_no_images_are_passed_over(
    write_dicom: Write, scan: Scan, end: str, kind: str, pixels: bool
) -> None:
    for z in range(2):
        write_dicom(f"{z}.dcm", **place(z))
    write_dicom("x.dcm", SOPClassUID=STORAGE + end, **place(9), **({} if pixels else {"PixelData": None}))
    result = scan()
    assert len(result.samples) == 2
    assert len(result.problems) == 0
    assert f"not taken, since they are no images by their kind: 1 {kind}" in result.notes


def test_a_kind_that_the_standard_does_not_name_is_passed_over_without_its_uid(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm")
    write_dicom("x.dcm", SOPClassUID="1.3.12.2.1107.5.9.1", **place(9))
    result = scan()
    assert len(result.samples) == 1
    assert "not taken, since they are no images by their kind: 1 object of a private kind" in result.notes


RGB = np.zeros((3, 4, 3), np.uint8)
COLOUR = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0, "Rows": 3, "Columns": 4}
CAPTURE = {"SOPClassUID": STORAGE + "7", "ImagePositionPatient": None, "ImageOrientationPatient": None}
SHEETS: dict[str, dict[str, Any]] = {
    "screenshot": {**CAPTURE, "Modality": "OT"},
    "colour map": {**COLOUR, "pixels": RGB, "ImageType": ["DERIVED", "SECONDARY", "PERFUSION"], **place(3)},
    "dose report": {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"], **place(3)},
}


@pytest.mark.parametrize("sheet", SHEETS)
def test_captures_and_sheets_beside_a_volume_are_passed_over(write_dicom: Write, scan: Scan, sheet: str) -> None:
    for z in range(2):
        write_dicom(f"{z}.dcm", **place(z))
    write_dicom("sheet.dcm", SeriesInstanceUID="1.2.9", **SHEETS[sheet])
    result = scan()
    assert len(result.samples) == 2
    assert any(note.startswith("1 secondary capture or derived sheet beside") for note in result.notes)


def test_captures_alone_or_with_a_place_in_the_body_are_images(write_dicom: Write, scan: Scan) -> None:
    write_dicom("alone.dcm", **CAPTURE, StudyInstanceUID="1.5", SeriesInstanceUID="1.6")
    for z in range(2):
        write_dicom(f"{z}.dcm", **place(z))
        write_dicom(f"s{z}.dcm", SOPClassUID=STORAGE + "7", SeriesInstanceUID="1.2.9", **place(z))
    assert len(scan().samples) == 5


@pytest.mark.parametrize("name", ["a.dcm", "IM0"])
@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("meta", [False, True])
def test_files_without_preamble_are_read_with_a_note(
    write_dicom: Write, scan: Scan, reader: MedicalReader, name: str, implicit: bool, meta: bool
) -> None:
    path = write_dicom("in.tmp.dcm")
    dataset = pydicom.dcmread(path)
    path.unlink()
    dataset.preamble = None
    if meta:
        syntax = pydicom.uid.ImplicitVRLittleEndian if implicit else pydicom.uid.ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = syntax
    else:
        del dataset.file_meta
    target = path.with_name(name)
    pydicom.dcmwrite(target, dataset, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
    assert target.read_bytes()[128:132] != b"DICM"
    result = scan()
    (row,) = result.samples.frame.iter_rows(named=True)
    assert reader.load(row)[:, :, 0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert any(note.startswith("1 file lacks the preamble or file meta information") for note in result.notes)


def test_text_that_begins_like_nothing_is_no_dicom(tmp_path: Path, scan: Scan) -> None:
    (tmp_path / "README").write_text("no image here, but more than eight letters\n" * 9)
    result = scan()
    assert len(result.samples) == len(result.problems) == 0
    assert result.notes == ("passed over as no image of a known kind: 1 without suffix",)
