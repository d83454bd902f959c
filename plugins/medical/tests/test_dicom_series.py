"""A series may hold several volumes; slices are sorted by where they lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ssl_domains.samples import ScanResult
from ssl_domains_medical.dicom.geometry import normal_of, plane_name, spacing_of

Write = Callable[..., Path]
Scan = Callable[..., ScanResult]
CORONAL = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]


def stack(write: Write, positions: list[float], prefix: str = "s", start: int = 1, **elements: Any) -> None:
    for number, z in enumerate(positions):
        values = {"ImagePositionPatient": [0.0, 0.0, z], "InstanceNumber": start + number, **elements}
        write(f"{prefix}{number}.dcm", **values)


def volumes(result: ScanResult) -> list[pl.DataFrame]:
    return result.samples.frame.partition_by("volume", maintain_order=True)


def test_slices_are_sorted_by_position_not_by_number_or_name(write_dicom: Write, scan: Scan) -> None:
    stack(write_dicom, [9.0, 0.0, 6.0, 3.0])
    (volume,) = volumes(scan())
    assert volume["position_mm"].to_list() == [0.0, 3.0, 6.0, 9.0]
    assert volume["slice"].to_list() == [0, 1, 2, 3]
    assert volume["position"].to_list() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert volume["spacing_mm"].unique().to_list() == [3.0]


def test_position_is_along_the_normal_of_a_tilted_stack(write_dicom: Write, scan: Scan) -> None:
    tilted = [1.0, 0.0, 0.0, 0.0, 0.8, 0.6]  # normal (0, −0.6, 0.8)
    for number in range(3):
        place = [0.0, -0.6 * 5 * number, 0.8 * 5 * number]
        write_dicom(f"{number}.dcm", ImageOrientationPatient=tilted, ImagePositionPatient=place, InstanceNumber=number)
    (volume,) = volumes(scan())
    assert volume["position_mm"].to_list() == pytest.approx([0.0, 5.0, 10.0])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"EchoNumbers": 1, "EchoTime": 10.0}, {"EchoNumbers": 2, "EchoTime": 20.0}),
        ({"EchoTime": 10.0}, {"EchoTime": 20.0}),
        ({"TemporalPositionIdentifier": 1}, {"TemporalPositionIdentifier": 2}),
        ({"DiffusionBValue": 0.0}, {"DiffusionBValue": 800.0}),
        ({"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M"]}, {"ImageType": ["ORIGINAL", "PRIMARY", "P"]}),
        ({"ImageOrientationPatient": [1.0, 0, 0, 0, 1, 0]}, {"ImageOrientationPatient": [1.0, 0, 0, 0, 0.8, 0.6]}),
    ],
    ids=["echo", "echo time", "temporal position", "b-value", "acquisition", "ImageType", "orientation"],
)
def test_what_splits_a_series(write_dicom: Write, scan: Scan, first: dict[str, Any], second: dict[str, Any]) -> None:
    stack(write_dicom, [0.0, 1.0, 2.0], "a", 1, **first)
    stack(write_dicom, [0.0, 1.0, 2.0], "b", 4, **second)
    result = scan()
    assert [len(volume) for volume in volumes(result)] == [3, 3]
    assert result.samples.frame["series"].n_unique() == 1
    assert result.samples.frame["same_position"].sum() == 0
    assert any("1 series holds several volumes (2 in all)" in note for note in result.notes)


def test_vendors_b_values_are_found_where_they_hide_them(write_dicom: Write, scan: Scan) -> None:
    import pydicom

    for name, tag, kind, value in (("s", 0x0019100C, "IS", 700), ("g", 0x00431039, "IS", [1_000_000_800, 8, 0, 0])):
        path = write_dicom(f"{name}.dcm", InstanceNumber=ord(name))
        dataset = pydicom.dcmread(path)
        dataset.add_new(tag, kind, value)
        dataset.save_as(path)
    assert sorted(scan().samples.frame["b_value"].to_list()) == [700.0, 800.0]


def test_an_acquisition_number_that_counts_the_slices_splits_nothing(write_dicom: Write, scan: Scan) -> None:
    for number in range(4):
        place = [0.0, 0.0, 2.0 * number]
        write_dicom(f"{number}.dcm", AcquisitionNumber=number + 1, InstanceNumber=number, ImagePositionPatient=place)
    assert [len(volume) for volume in volumes(scan())] == [4]


def test_gaps_and_repeated_positions_are_reported(write_dicom: Write, scan: Scan) -> None:
    stack(write_dicom, [0.0, 1.0, 2.0, 2.0, 5.0, 6.0])
    result = scan()
    row = result.samples.frame.row(0, named=True)
    assert (row["missing_slices"], row["same_position"]) == (2, 1)
    assert any(note.startswith("1 volume has gaps:") for note in result.notes)
    assert any(note.startswith("1 volume has slices at the same position:") for note in result.notes)


def test_localizers_are_apart(write_dicom: Write, scan: Scan) -> None:
    stack(write_dicom, [0.0, 1.0])
    write_dicom("scout.dcm", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], ImageOrientationPatient=CORONAL)
    result = scan()
    assert result.samples.frame.group_by("volume").len()["len"].sort().to_list() == [1, 2]
    assert result.samples.frame.filter("localizer")["plane"].to_list() == ["coronal"]
    assert any("1 volume is a localizer" in note for note in result.notes)


def test_without_geometry_the_instance_number_orders_when_it_can(write_dicom: Write, scan: Scan) -> None:
    for number in (3, 1, 2):
        write_dicom(f"{number}.dcm", InstanceNumber=number, ImagePositionPatient=None, ImageOrientationPatient=None)
    (volume,) = volumes(scan())
    assert [Path(path).name for path in volume["path"]] == ["1.dcm", "2.dcm", "3.dcm"]
    assert volume["position"].to_list() == [0.0, 0.5, 1.0]
    assert "position_mm" not in volume.columns


def test_without_geometry_and_without_numbers_there_is_no_position(write_dicom: Write, scan: Scan) -> None:
    for number in range(3):
        write_dicom(f"{number}.dcm", InstanceNumber=1, ImagePositionPatient=None, ImageOrientationPatient=None)
    assert "position" not in scan().samples.columns


def test_a_single_slice_has_no_relative_position(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm")
    frame = scan().samples.frame
    assert "position" not in frame.columns
    assert frame["position_mm"].to_list() == [0.0]


def test_a_volume_keeps_its_name_when_another_comes_to_its_series(write_dicom: Write, scan: Scan) -> None:
    stack(write_dicom, [0.0, 1.0], "m", EchoTime=10.0)
    before = scan().samples.frame["volume"][0]
    stack(write_dicom, [0.0, 1.0], "a", 3, EchoTime=20.0)
    assert before in set(scan().samples.frame["volume"])


def test_geometry_of_odd_headers() -> None:
    assert normal_of(None) is None
    assert normal_of([1, 0, 0]) is None
    assert normal_of([1, 0, 0, 1, 0, 0]) is None  # no plane
    assert plane_name([0.0, 1.0, 0.0, 0.0, 0.0, -1.0]) == "sagittal"
    assert spacing_of([]).mm is None
    assert spacing_of([4.0]).mm is None


def test_days_count_from_the_first_study_of_each_patient(write_dicom: Write, scan: Scan) -> None:
    for name, patient, day in (("a", "A", "20200110"), ("b", "A", "20200209"), ("c", "B", "20200301")):
        write_dicom(f"{name}.dcm", PatientID=patient, StudyDate=day, StudyInstanceUID=f"1.{ord(name)}")
    frame = scan().samples.frame.with_columns(name=pl.col("path").str.extract(r"(.)\.dcm$"))
    assert dict(frame.select("name", "days").iter_rows()) == {"a": 0, "b": 30, "c": 0}


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"ImageLaterality": "R", "Laterality": "L"}, "R"),
        ({"Laterality": "L"}, "L"),
        ({"FrameLaterality": "R"}, "R"),
        ({"ImageLaterality": "", "Laterality": "R"}, "R"),
    ],
)
def test_laterality(write_dicom: Write, scan: Scan, elements: dict[str, str], expected: str) -> None:
    write_dicom("a.dcm", **elements)
    assert scan().samples.frame["laterality"].to_list() == [expected]


def test_an_unpaired_organ_has_no_laterality(write_dicom: Write, scan: Scan) -> None:
    write_dicom("a.dcm", ImageLaterality="U")
    assert "laterality" not in scan().samples.columns
