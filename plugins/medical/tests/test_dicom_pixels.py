"""Pixels in native type and unit, brighter is more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssl_domains.samples import ReadError, ScanResult
from ssl_domains_medical.dicom.pixels import decode_frames
from ssl_domains_medical.reader import MedicalReader

Write = Callable[..., Path]
Scan = Callable[..., ScanResult]


def decoded(path: Path, frame: int = 0) -> np.ndarray[Any, Any]:
    return decode_frames(str(path), [frame])[0]


def test_rescale_gives_hounsfield_units(write_dicom: Write) -> None:
    stored = np.array([[0, 1000], [1024, 4095]], np.uint16)
    units = decoded(write_dicom("a.dcm", stored, BitsStored=12, HighBit=11, RescaleSlope=1, RescaleIntercept=-1024))
    assert units.dtype == np.int16
    assert units[:, :, 0].tolist() == [[-1024, -24], [0, 3071]]


def test_rescale_is_each_slices_own(write_dicom: Write, scan: Scan, reader: MedicalReader) -> None:
    stored = np.array([[1, 2]], np.uint16)
    write_dicom("a.dcm", stored, RescaleSlope=0.5, RescaleIntercept=0)
    write_dicom("b.dcm", stored, RescaleSlope=3, RescaleIntercept=1, InstanceNumber=2, ImagePositionPatient=[0, 0, 1])
    values = [reader.load(row)[0, :, 0].tolist() for row in scan().samples.frame.iter_rows(named=True)]
    assert values == [[0.5, 1.0], [4.0, 7.0]]


def test_the_type_follows_the_header_not_the_picture(write_dicom: Write) -> None:
    elements = {"BitsStored": 12, "HighBit": 11, "RescaleSlope": 1, "RescaleIntercept": -1024}
    dark = decoded(write_dicom("a.dcm", np.zeros((2, 2), np.uint16), **elements))
    bright = decoded(write_dicom("b.dcm", np.full((2, 2), 4095, np.uint16), **elements))
    assert dark.dtype == bright.dtype == np.int16


def test_a_fractional_slope_is_float32(write_dicom: Write) -> None:
    values = decoded(write_dicom("a.dcm", np.array([[10, 20]], np.int16), RescaleSlope=0.1, RescaleIntercept=2))
    assert values.dtype == np.float32
    assert values[0, :, 0].tolist() == pytest.approx([3.0, 4.0])


def test_signed_values_stay_signed(write_dicom: Write) -> None:
    values = decoded(write_dicom("a.dcm", np.array([[-5, 7]], np.int16)))
    assert values.dtype == np.int16
    assert values[0, :, 0].tolist() == [-5, 7]


@pytest.mark.parametrize(
    ("stored", "bits", "expected"),
    [
        (np.array([[0, 4095]], np.uint16), 12, [4095, 0]),
        (np.array([[0, 255]], np.uint8), 8, [255, 0]),
        (np.array([[-32768, 32767]], np.int16), 16, [32767, -32768]),
    ],
)
def test_monochrome1_is_inverted(write_dicom: Write, stored: Any, bits: int, expected: list[int]) -> None:
    path = write_dicom("a.dcm", stored, PhotometricInterpretation="MONOCHROME1", BitsStored=bits, HighBit=bits - 1)
    values = decoded(path)
    assert values.dtype == stored.dtype
    assert values[0, :, 0].tolist() == expected


@pytest.mark.parametrize("padding", [-2000, 63536])
def test_padding_is_no_measurement(write_dicom: Write, padding: int) -> None:
    import pydicom

    path = write_dicom("a.dcm", np.array([[-2000, 50], [60, -2000]], np.int16), RescaleSlope=1, RescaleIntercept=-10)
    dataset = pydicom.dcmread(path)
    dataset.add_new("PixelPaddingValue", "SS" if padding < 0 else "US", padding)
    dataset.save_as(path)
    values = decoded(path)
    assert values.dtype == np.float32
    assert np.isnan(values[:, :, 0]).tolist() == [[True, False], [False, True]]
    assert values[0, 1, 0] == 40


def test_a_range_of_padding(write_dicom: Write) -> None:
    stored = np.array([[1, 2, 3, 9]], np.uint16)
    path = write_dicom("a.dcm", stored, PixelPaddingValue=3, PixelPaddingRangeLimit=2)
    assert np.isnan(decoded(path)[0, :, 0]).tolist() == [False, True, True, False]


def test_a_declared_padding_makes_every_slice_float_whether_it_occurs_or_not(write_dicom: Write) -> None:
    values = decoded(write_dicom("a.dcm", np.array([[1, 2]], np.uint16), PixelPaddingValue=77))
    assert values.dtype == np.float32
    assert values[0, :, 0].tolist() == [1, 2]


def test_a_padding_that_no_stored_value_can_have_changes_nothing(write_dicom: Write) -> None:
    path = write_dicom("a.dcm", np.array([[1, 2]], np.uint16), PixelPaddingValue=5000, BitsStored=12, HighBit=11)
    assert decoded(path).dtype == np.uint16


def test_windows_are_recorded_and_not_applied(write_dicom: Write, scan: Scan, reader: MedicalReader) -> None:
    write_dicom("a.dcm", np.array([[-500, 500]], np.int16), WindowCenter=[40, 300], WindowWidth=[400, 1500])
    row = scan().samples.frame.row(0, named=True)
    assert (row["window_center"], row["window_width"]) == (40.0, 400.0)
    assert reader.load(row)[0, :, 0].tolist() == [-500, 500]


def multiframe(write: Write, **elements: Any) -> Path:
    from pydicom.dataset import Dataset

    def group(**sequences: dict[str, Any]) -> Dataset:
        made = Dataset()
        for name, values in sequences.items():
            item = Dataset()
            for keyword, value in values.items():
                setattr(item, keyword, value)
            setattr(made, name, [item])
        return made

    shared = group(
        PlaneOrientationSequence={"ImageOrientationPatient": [1.0, 0, 0, 0, 1, 0]},
        PixelValueTransformationSequence={"RescaleSlope": 2, "RescaleIntercept": 0, "RescaleType": "US"},
        FrameAnatomySequence={"FrameLaterality": "L"},
    )
    frames = [
        group(
            PlanePositionSequence={"ImagePositionPatient": [0, 0, z]},
            FrameContentSequence={"TemporalPositionIndex": time},
            **({"PixelValueTransformationSequence": {"RescaleSlope": 5, "RescaleIntercept": 1}} if z == 8 else {}),
        )
        for time in (1, 2)
        for z in (8.0, 4.0, 0.0)
    ]
    pixels = np.arange(6, dtype=np.uint16)[:, None, None] * np.ones((1, 2, 3), np.uint16)
    values = {
        "ImageOrientationPatient": None,
        "ImagePositionPatient": None,
        "NumberOfFrames": 6,
        "SharedFunctionalGroupsSequence": [shared],
        "PerFrameFunctionalGroupsSequence": frames,
        **elements,
    }
    return write("multi.dcm", pixels, **values)


def test_frames_become_rows_sorted_and_split_by_their_functional_groups(write_dicom: Write, scan: Scan) -> None:
    multiframe(write_dicom)
    frame = scan().samples.frame
    assert frame.select("frame", "slice", "position_mm", "temporal", "laterality").rows() == [
        (2, 0, 0.0, 1.0, "L"),
        (1, 1, 4.0, 1.0, "L"),
        (0, 2, 8.0, 1.0, "L"),
        (5, 0, 0.0, 2.0, "L"),
        (4, 1, 4.0, 2.0, "L"),
        (3, 2, 8.0, 2.0, "L"),
    ]
    assert frame["volume"].n_unique() == 2
    assert frame["sample"].n_unique() == 6


def test_a_frames_own_rescale_wins_over_the_shared_one(write_dicom: Write) -> None:
    values = decode_frames(str(multiframe(write_dicom)), [1, 0, 3])
    assert [int(v[0, 0, 0]) for v in values] == [2, 1, 16]


def test_a_whole_file_is_decoded_in_the_order_of_its_rows(
    write_dicom: Write, scan: Scan, reader: MedicalReader
) -> None:
    multiframe(write_dicom)
    rows = list(scan().samples.frame.iter_rows(named=True))
    together = reader.load_file(rows[0]["path"], rows)
    for row, array in zip(rows, together, strict=True):
        assert np.array_equal(array, reader.load(row))


@pytest.mark.parametrize("count", ["0", "2.5"])
def test_an_impossible_number_of_frames_is_a_problem(write_dicom: Write, scan: Scan, count: str) -> None:
    import pydicom

    path = write_dicom("a.dcm")
    dataset = pydicom.dcmread(path)
    with pydicom.config.disable_value_validation():
        dataset.add_new("NumberOfFrames", "IS", "1")
        dataset["NumberOfFrames"]._value = count
        dataset.save_as(path)
    assert "NumberOfFrames" in scan().problems["cause"][0]


def test_a_frame_that_is_not_there(write_dicom: Write) -> None:
    with pytest.raises(ReadError, match="no frame 3"):
        decode_frames(str(write_dicom("a.dcm")), [3])


def test_a_file_that_went_away(reader: MedicalReader, tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="gone"):
        reader.load({"path": str(tmp_path / "a.dcm"), "reader": "dicom"})
