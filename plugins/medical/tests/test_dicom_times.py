"""Further tags that tell slices at one position apart, and what has no slices at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from ssl_domains.samples import ScanResult
from ssl_domains_medical.reader import MedicalReader

Write = Callable[..., Path]
Scan = Callable[..., ScanResult]


def phases(result: ScanResult) -> set[frozenset[str]]:
    """Names of the files of each volume."""
    parts = result.samples.frame.partition_by("volume")
    return {frozenset(Path(path).name for path in part["path"]) for part in parts}


@pytest.mark.parametrize(
    "elements",
    [
        lambda t, z: {"AcquisitionTime": "100000", "ContentTime": f"10{t:02d}{z:02d}.5"},
        lambda t, z: {"AcquisitionDateTime": f"2020011010{t:02d}{z:02d}.5"},
        lambda t, z: {"FrameReferenceTime": 1000.0 * t + z},
        lambda t, z: {"TemporalPositionIdentifier": 4 * t + z + 1},
    ],
    ids=["content time", "acquisition date and time", "frame reference time", "temporal position that counts slices"],
)
def test_time_points_of_a_dynamic_series(
    write_dicom: Write, scan: Scan, elements: Callable[[int, int], dict[str, Any]]
) -> None:
    for t in range(3):
        for z in range(4):
            write_dicom(f"{t}_{z}.dcm", ImagePositionPatient=[0, 0, 5.0 * z], InstanceNumber=1, **elements(t, z))
    result = scan()
    assert phases(result) == {frozenset(f"{t}_{z}.dcm" for z in range(4)) for t in range(3)}
    assert len(result.problems) == 0


def multi_frame(write: Write, frames: list[tuple[float, dict[str, Any]]]) -> None:
    groups = []
    for z, content in frames:
        group, item, place = Dataset(), Dataset(), Dataset()
        for keyword, value in content.items():
            setattr(item, keyword, value)
        place.ImagePositionPatient = [0.0, 0.0, z]
        group.FrameContentSequence, group.PlanePositionSequence = Sequence([item]), Sequence([place])
        groups.append(group)
    pixels = np.zeros((len(frames), 3, 4), np.int16)
    write("m.dcm", pixels, NumberOfFrames=len(frames), PerFrameFunctionalGroupsSequence=Sequence(groups))


def frames_of(result: ScanResult) -> set[tuple[int, ...]]:
    return {tuple(part["frame"]) for part in result.samples.frame.partition_by("volume", maintain_order=True)}


def test_stacks_of_one_file_are_volumes_where_they_share_an_orientation(write_dicom: Write, scan: Scan) -> None:
    multi_frame(
        write_dicom, [(z, {"StackID": "1"}) for z in (0.0, 3.0)] + [(z, {"StackID": "2"}) for z in (90.0, 93.0)]
    )
    result = scan()
    assert frames_of(result) == {(0, 1), (2, 3)}
    assert result.samples.frame["missing_slices"].sum() == 0


def test_a_stack_id_that_only_counts_the_frames_splits_nothing(write_dicom: Write, scan: Scan) -> None:
    multi_frame(write_dicom, [(3.0 * number, {"StackID": str(number)}) for number in range(4)])
    assert frames_of(scan()) == {(0, 1, 2, 3)}


def test_dimension_indices_tell_frames_apart_where_nothing_else_does(write_dicom: Write, scan: Scan) -> None:
    multi_frame(
        write_dicom, [(3.0 * z, {"DimensionIndexValues": [1, z + 1, t + 1]}) for t in range(2) for z in range(3)]
    )
    result = scan()
    assert frames_of(result) == {(0, 1, 2), (3, 4, 5)}
    assert len(result.problems) == 0


def test_views_of_a_mammography_are_no_slices(write_dicom: Write, scan: Scan) -> None:
    bare = {"ImagePositionPatient": None, "ImageOrientationPatient": None, "Modality": "MG"}
    for number in range(4):
        write_dicom(f"{number}.dcm", InstanceNumber=number + 1, ImageLaterality="LR"[number % 2], **bare)
    frame = scan().samples.frame
    assert frame["volume"].n_unique() == 4
    assert "position" not in frame.columns


def test_two_eyes_without_geometry_are_two_volumes(write_dicom: Write, scan: Scan) -> None:
    bare = {"ImagePositionPatient": None, "ImageOrientationPatient": None, "Modality": "OPT"}
    for number in range(4):
        write_dicom(f"{number}.dcm", InstanceNumber=number + 1, ImageLaterality="LR"[number // 2], **bare)
    assert phases(scan()) == {frozenset({"0.dcm", "1.dcm"}), frozenset({"2.dcm", "3.dcm"})}


def test_slices_of_oct_lie_closer_than_a_hundredth_of_a_millimetre(write_dicom: Write, scan: Scan) -> None:
    for number in range(5):
        write_dicom(f"{number}.dcm", ImagePositionPatient=[0, 0, 0.005 * number], PixelSpacing=[0.002, 0.006])
    result = scan()
    assert len(result.problems) == 0
    assert result.samples.frame["spacing_mm"].unique().to_list() == pytest.approx([0.005])


def test_a_note_says_that_folders_stand_for_a_placeholder(write_dicom: Write, scan: Scan) -> None:
    for number in range(2):
        write_dicom(
            f"p{number}/s.dcm", PatientID="ANON", StudyInstanceUID=f"1.2.{number}", SeriesInstanceUID=f"1.{number}"
        )
    result = scan(patient_ids="folder:1")
    assert result.samples.frame.select(pl.col("patient").drop_nulls().n_unique()).item() == 2
    (note,) = (note for note in result.notes if note.startswith("a placeholder"))
    assert "their folder is the patient there" in note


@pytest.mark.parametrize(("slope", "intercept"), [("1e30", "1e300"), ("1e38", "0"), ("1", "1e300")])
def test_a_rescale_beyond_float32_is_a_problem(write_dicom: Write, scan: Scan, slope: str, intercept: str) -> None:
    write_dicom("a.dcm", RescaleSlope=slope, RescaleIntercept=intercept)
    result = scan()
    assert len(result.samples) == 0
    assert result.problems["cause"].to_list() == [
        "RescaleSlope and RescaleIntercept make values that are too large for float32"
    ]


def test_a_large_whole_slope_decodes_to_the_product(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm", np.full((2, 2), 9, np.int16), RescaleSlope="1e20", RescaleIntercept="0")
    (row,) = scan().samples.frame.iter_rows(named=True)
    array = MedicalReader().load(row)
    assert array.dtype == row["dtype"] == "float32"
    assert array[0, 0, 0] == np.float32(9e20)
