"""What a scan says is what decoding does: type, shape and values, or a problem row from the header alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from ssl_domains.samples import ReadError, ScanResult
from ssl_domains_medical.reader import MedicalReader

Write = Callable[..., Path]
Scan = Callable[..., ScanResult]
STORED = np.array([[0, 1, 700], [2047, 2048, 4095]], np.uint16)


def only(result: ScanResult, reader: MedicalReader) -> np.ndarray[Any, Any]:
    """The one array of a scan, of the type and shape that its row says."""
    assert result.problems.is_empty(), result.problems
    (row,) = result.samples.frame.iter_rows(named=True)
    array = reader.load(row)
    assert array.dtype == row["dtype"]
    assert array.shape == (row["rows"], row["columns"], row["channels"])
    return array


@pytest.mark.parametrize(
    ("elements", "cause"),
    [
        ({"SamplesPerPixel": None}, "the header lacks SamplesPerPixel, which decoding needs"),
        ({"PhotometricInterpretation": None}, "the header lacks PhotometricInterpretation, which decoding needs"),
        ({"BitsStored": None}, "the header lacks BitsStored, which decoding needs"),
        ({"BitsAllocated": None}, "the header lacks BitsAllocated, which decoding needs"),
        ({"PixelRepresentation": None}, "the header lacks PixelRepresentation, which decoding needs"),
        ({"Rows": None}, "the header lacks Rows, which decoding needs"),
        ({"Columns": 0}, "Columns is no whole number from 1 on"),
        ({"PhotometricInterpretation": "JANE DOE"}, "PhotometricInterpretation is none that can be decoded"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "PhotometricInterpretation names a palette that the header "
         "lacks"),
        ({"SamplesPerPixel": 3}, "SamplesPerPixel and PhotometricInterpretation contradict each other"),
        ({"BitsAllocated": 12, "BitsStored": 12}, "BitsAllocated is no number of bits that can be decoded"),
        ({"BitsStored": 17}, "BitsStored is larger than BitsAllocated"),
        ({"BitsStored": 12, "HighBit": 7}, "HighBit, BitsStored and BitsAllocated contradict each other"),
        ({"RescaleSlope": 0, "RescaleIntercept": 3}, "RescaleSlope is 0, which makes all pixels equal"),
    ],
)  # fmt: skip
def test_what_the_header_shows_to_be_undecodable_is_a_problem_at_scan(
    write_dicom: Write, scan: Scan, elements: dict[str, Any], cause: str
) -> None:
    write_dicom("good.dcm")
    path = write_dicom("bad.dcm", **{"InstanceNumber": 2, **elements})
    result = scan()
    assert result.problems.rows() == [(str(path), cause)]
    assert len(result.samples) == 1


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("signed", [False, True])
def test_values_lie_where_high_bit_and_bits_stored_say(
    write_dicom: Write, scan: Scan, reader: MedicalReader, bits: int, signed: bool
) -> None:
    low = -(1 << (bits - 1)) if signed else 0
    values = np.array([[low, low + 1, low + (1 << bits) - 1]], np.int64)
    for name, shift in (("top", 16 - bits), ("bottom", 0)):
        raw = ((values & ((1 << bits) - 1)) << shift).astype(np.uint16)
        if shift == 0 and bits < 16:
            raw |= np.uint16(1 << bits)  # an overlay bit above the value
        stored = raw.view(np.int16) if signed else raw
        path = write_dicom(f"{name}.dcm", stored, BitsStored=bits, HighBit=bits - 1 + shift)
        assert only(scan(), reader)[:, :, 0].tolist() == values.tolist()
        path.unlink()


def rewritten(path: Path, syntax: str, change: Callable[[Dataset], None] = lambda dataset: None) -> None:
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = syntax
    change(dataset)
    little = syntax != ExplicitVRBigEndian
    if not little:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    pydicom.dcmwrite(path, dataset, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=little)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_uncompressed_encodings_give_the_same_values(
    write_dicom: Write, scan: Scan, reader: MedicalReader, syntax: str
) -> None:
    rewritten(write_dicom("a.dcm", STORED, BitsStored=12, HighBit=11), syntax)
    assert only(scan(), reader)[:, :, 0].tolist() == STORED.tolist()


@pytest.mark.parametrize("keyword", ["FloatPixelData", "DoubleFloatPixelData"])
@pytest.mark.parametrize("slope", [None, 2])
def test_floating_point_pixels(
    write_dicom: Write, scan: Scan, reader: MedicalReader, keyword: str, slope: int | None
) -> None:
    dtype = np.dtype(np.float32 if keyword == "FloatPixelData" else np.float64)
    path = write_dicom("a.dcm", np.zeros((1, 3), np.uint8), BitsAllocated=8 * dtype.itemsize, RescaleSlope=slope)
    dataset = pydicom.dcmread(path)
    for name in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        del dataset[name]
    setattr(dataset, keyword, np.array([0.25, -3.5, 1e4], dtype).tobytes())
    dataset.save_as(path)
    assert only(scan(), reader)[0, :, 0].tolist() == [value * (slope or 1) for value in (0.25, -3.5, 1e4)]


@pytest.mark.parametrize("planar", [0, 1])
def test_colours_by_pixel_and_by_plane(write_dicom: Write, scan: Scan, reader: MedicalReader, planar: int) -> None:
    picture = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    stored = picture.transpose(2, 0, 1) if planar else picture
    elements = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": planar}
    write_dicom("a.dcm", np.ascontiguousarray(stored), Rows=2, Columns=3, NumberOfFrames=1, **elements)
    assert only(scan(), reader).tolist() == picture.tolist()


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_has_the_type_of_its_colours(
    write_dicom: Write, scan: Scan, reader: MedicalReader, bits: int
) -> None:
    path = write_dicom("a.dcm", np.array([[0, 1, 255]], np.uint8), PhotometricInterpretation="PALETTE COLOR")
    dataset = pydicom.dcmread(path)
    table = np.arange(256, dtype=np.uint8 if bits == 8 else np.uint16) * (1 if bits == 8 else 200)
    for colour in ("Red", "Green", "Blue"):
        dataset.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [256, 0, bits])
        dataset.add_new(f"{colour}PaletteColorLookupTableData", "OW", table.tobytes())
    dataset.save_as(path)
    array = only(scan(), reader)
    assert array.dtype == table.dtype
    assert array[0, :, 1].tolist() == table[[0, 1, 255]].tolist()


def test_a_modality_lookup_table_is_applied(write_dicom: Write, scan: Scan, reader: MedicalReader) -> None:
    path = write_dicom("a.dcm", np.array([[0, 1, 3]], np.uint8))
    dataset = pydicom.dcmread(path)
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4, 0, 16])
    item.ModalityLUTType = "US"
    item.add_new("LUTData", "US", [100, 900, 950, 60000])
    dataset.ModalityLUTSequence = [item]
    dataset.save_as(path)
    assert only(scan(), reader)[0, :, 0].tolist() == [100, 900, 60000]


@pytest.mark.parametrize(
    ("slope", "intercept", "bits", "dtype"),
    [(1, -1024, 12, "int16"), (1, -1024, 16, "int32"), (0.5, 0, 12, "float32"), (70000, 0, 16, "float32"),
     (1, 0, 16, "uint16")],
)  # fmt: skip
def test_the_type_after_rescale_is_said_by_the_scan(
    write_dicom: Write, scan: Scan, reader: MedicalReader, slope: float, intercept: int, bits: int, dtype: str
) -> None:
    write_dicom("a.dcm", STORED, BitsStored=bits, HighBit=bits - 1, RescaleSlope=slope, RescaleIntercept=intercept)
    array = only(scan(), reader)
    assert array.dtype == dtype
    assert array[:, :, 0].tolist() == (STORED * np.float64(slope) + intercept).astype(dtype).tolist()


def test_a_decimal_comma_is_a_point(write_dicom: Write, scan: Scan, reader: MedicalReader) -> None:
    path = write_dicom("a.dcm", STORED, RescaleSlope=1.5, RescaleIntercept=0)
    path.write_bytes(path.read_bytes().replace(b"1.5 ", b"1,5 "))
    assert only(scan(), reader)[0, 2, 0] == 1050.0


def test_two_billion_frames_are_a_problem_before_anything_is_made(write_dicom: Write, scan: Scan) -> None:
    write_dicom("good.dcm")
    path = write_dicom("plain.dcm", NumberOfFrames=2_000_000_000)
    rle = write_dicom("rle.dcm", NumberOfFrames=2_000_000_000, InstanceNumber=2)
    dataset = pydicom.dcmread(rle)
    dataset.file_meta.TransferSyntaxUID = RLELossless
    dataset.PixelData = pydicom.encaps.encapsulate([b"\0" * 80])
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(rle)
    causes = dict(scan().problems.rows())
    assert causes[str(path)] == "truncated: 24 bytes of pixel data where 48,000,000,000 are expected"
    assert causes[str(rle)] == "truncated: there are fewer bytes of pixel data than NumberOfFrames needs"


def test_a_compressed_file_that_expands_beyond_the_limit_is_a_problem(
    write_dicom: Write, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_dicom("a.dcm", np.zeros((4, 512, 512), np.uint16), NumberOfFrames=4)
    rewritten(path, DeflatedExplicitVRLittleEndian)
    assert len(scan().samples) == 4
    monkeypatch.setenv("SSL_DOMAINS_MAX_FILE_GB", "0.001")
    assert "more than the limit of 0.001 GB" in scan().problems["cause"][0]


def test_rle_whose_rows_do_not_fit_is_a_read_error_and_quiet(
    write_dicom: Write, reader: MedicalReader, capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_dicom("a.dcm", np.arange(64 * 64, dtype=np.int16).reshape(64, 64))
    dataset = pydicom.dcmread(path)
    dataset.compress(RLELossless)
    dataset.Rows = 31
    dataset.save_as(path)
    with pytest.raises(ReadError, match="pixels can't be decoded"):
        reader.load({"path": str(path), "reader": "dicom", "frame": 0})
    assert "panicked" not in capfd.readouterr().err


@pytest.mark.parametrize("keep", [40, 300, 400])
def test_a_damaged_deflated_file_is_a_problem(write_dicom: Write, scan: Scan, keep: int) -> None:
    write_dicom("good.dcm")
    path = write_dicom("a.dcm", np.arange(4096, dtype=np.uint16).reshape(64, 64), InstanceNumber=2)
    rewritten(path, DeflatedExplicitVRLittleEndian)
    path.write_bytes(path.read_bytes()[: 340 + keep])
    result = scan()
    assert result.problems["path"].to_list() == [str(path)]
    assert len(result.samples) == 1
