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


def shape_of(result: ScanResult) -> list[int]:
    return sorted(len(volume) for volume in volumes(result))


def test_two_patients_under_one_series_uid_are_two_volumes(write_dicom: Write, scan: Scan) -> None:
    stack(write_dicom, [0.0, 5.0, 10.0], "a", PatientID="A")
    stack(write_dicom, [2.0, 7.0, 12.0], "b", PatientID="B")
    frame = scan().samples.frame
    assert frame.group_by("volume").agg(pl.col("patient").n_unique())["patient"].to_list() == [1, 1]
    assert shape_of(scan()) == [3, 3]


def test_two_patients_who_share_every_uid_keep_their_samples(write_dicom: Write, scan: Scan) -> None:
    for patient in "AB":
        stack(write_dicom, [0.0, 5.0], patient, PatientID=patient, SOPInstanceUID=None)
        write_dicom(f"{patient}.dcm", PatientID=patient, SOPInstanceUID="1.2.3", ImagePositionPatient=[0, 0, 10.0])
    frame = scan().samples.frame
    assert frame["sample"].n_unique() == len(frame) == 6
    assert shape_of(scan()) == [3, 3]


@pytest.mark.parametrize("vendor", ["standard", "siemens", "ge"])
def test_directions_of_equal_weighting_are_volumes(write_dicom: Write, scan: Scan, vendor: str) -> None:
    import pydicom

    for number, vector in enumerate([(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.6, 0.0, 0.8)]):
        for place in range(3):
            # what jitters in the fourth digit is one direction
            near = [component + 1e-4 * place for component in vector]
            path = write_dicom(
                f"{number}_{place}.dcm", DiffusionBValue=1000.0 + place, InstanceNumber=place + 1,
                ImagePositionPatient=[0, 0, 5.0 * place],
                DiffusionGradientOrientation=near if vendor == "standard" else None,
            )  # fmt: skip
            dataset = pydicom.dcmread(path)
            if vendor == "siemens":
                dataset.add_new(0x0019100E, "FD", near)
            if vendor == "ge":
                for tag, component in zip((0x001910BB, 0x001910BC, 0x001910BD), near, strict=True):
                    dataset.add_new(tag, "DS", component)
            dataset.save_as(path)
    assert shape_of(scan()) == [3, 3, 3]


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("drift", [0.3, 15.0], ids=["jitter", "drift beyond a phase"])
def test_trigger_times_are_ranked_at_each_position(write_dicom: Write, scan: Scan, drift: float, missing: bool) -> None:
    for place in range(6):
        for phase in range(5):
            if missing and drift < 1 and (place, phase) == (3, 2):
                continue
            write_dicom(
                f"{place}_{phase}.dcm", TriggerTime=40.0 * phase + drift * place, InstanceNumber=5 * place + phase,
                ImagePositionPatient=[0, 0, 8.0 * place],
            )  # fmt: skip
    expected = [5, 6, 6, 6, 6] if missing and drift < 1 else [6] * 5
    assert shape_of(scan()) == expected


def test_what_jitters_in_the_last_digit_splits_nothing(write_dicom: Write, scan: Scan) -> None:
    for place in range(8):
        tilt = 0.2501 if place % 2 else 0.2499
        write_dicom(
            f"{place}.dcm", ImageOrientationPatient=[1.0, 0, 0, 0, (1 - tilt**2) ** 0.5, tilt],
            ImagePositionPatient=[0, -1.0004 * place, 3.8729 * place], EchoTime=102.112 + 0.016 * (place % 2),
            PixelSpacing=[0.5 + 1e-5 * place, 0.5], DiffusionBValue=1000.0 + place, TriggerTime=7.0 * place,
            InstanceNumber=place + 1,
        )  # fmt: skip
    (volume,) = volumes(scan())
    assert volume["spacing_mm"].unique().to_list() == pytest.approx([4.0], abs=0.01)
    assert volume["missing_slices"].unique().to_list() == [0]


@pytest.mark.parametrize(
    "elements",
    [
        {"AcquisitionNumber": [1, 2]},
        {"AcquisitionTime": ["101500.10", "101730.50"]},
        {"InversionTime": [200.0, 900.0]},
        {"ConvolutionKernel": ["B30f", "B70f"]},
        {"ImageType": [["ORIGINAL", "PRIMARY", "M", "ND"], ["ORIGINAL", "PRIMARY", "M", "NORM"]]},
    ],
    ids=lambda elements: str(next(iter(elements))),
)
def test_further_tags_tell_repeated_positions_apart(
    write_dicom: Write, scan: Scan, elements: dict[str, list[Any]]
) -> None:
    for repeat in range(2):
        values = {keyword: both[repeat] for keyword, both in elements.items()}
        stack(write_dicom, [0.0, 1.0, 2.0, 3.0], f"r{repeat}", 1, **values)
    assert shape_of(scan()) == [4, 4]


def test_times_that_run_on_from_slice_to_slice_are_ranked(write_dicom: Write, scan: Scan) -> None:
    for number in range(8):
        write_dicom(
            f"{number}.dcm", AcquisitionTime=f"1015{number:02d}.5", AcquisitionNumber=number + 1,
            ImagePositionPatient=[0, 0, number % 4], InstanceNumber=number + 1,
        )  # fmt: skip
    assert shape_of(scan()) == [4, 4]


def test_stations_with_equal_positions_are_told_apart_by_their_place_in_the_plane(
    write_dicom: Write, scan: Scan
) -> None:
    sagittal = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]
    for station in range(2):
        for place in range(3):
            write_dicom(
                f"{station}_{place}.dcm", ImageOrientationPatient=sagittal, InstanceNumber=10 * station + place,
                ImagePositionPatient=[4.0 * place, -120.0, 100.0 - 260.0 * station],
            )  # fmt: skip
    assert shape_of(scan()) == [3, 3]


def test_repeated_positions_that_no_tag_tells_apart_are_problems(write_dicom: Write, scan: Scan) -> None:
    stack(write_dicom, [0.0, 1.0, 2.0], "a")
    stack(write_dicom, [0.0, 1.0, 2.0], "b", 4)
    result = scan()
    (volume,) = volumes(result)
    assert [Path(path).name for path in volume["path"]] == ["a0.dcm", "a1.dcm", "a2.dcm"]
    assert sorted(Path(path).name for path in result.problems["path"]) == ["b0.dcm", "b1.dcm", "b2.dcm"]
    assert set(result.problems["cause"]) == {
        "it lies at the position of another slice of its series, and no tag tells the two apart"
    }


def test_shapes_and_pixel_spacings_are_apart(write_dicom: Write, scan: Scan) -> None:
    import numpy as np

    stack(write_dicom, [0.0, 1.0], "a", PixelSpacing=[0.5, 0.5])
    stack(write_dicom, [2.0, 3.0], "b", PixelSpacing=[0.7, 0.7])
    for number in range(2):
        write_dicom(f"c{number}.dcm", np.zeros((5, 5), np.int16), ImagePositionPatient=[0, 0, 4.0 + number])
    assert shape_of(scan()) == [2, 2, 2]


def test_the_order_of_the_files_changes_nothing(write_dicom: Write, scan: Scan, tmp_path: Path) -> None:
    stack(write_dicom, [0.0, 1.0, 2.0], "a", EchoTime=10.0)
    stack(write_dicom, [0.0, 1.0, 2.0], "b", 4, EchoTime=20.0)
    before = scan().samples.frame.sort("sample")
    for path in sorted(tmp_path.glob("*.dcm")):
        path.rename(path.with_name({"a": "z", "b": "c"}[path.name[0]] + path.name[1:]))
    assert scan().samples.frame.sort("sample").drop("path").equals(before.drop("path"))


def test_a_multi_frame_file_is_a_volume_of_its_own(write_dicom: Write, scan: Scan) -> None:
    import numpy as np

    stack(write_dicom, [0.0, 1.0])
    for name in "ab":
        cine = np.zeros((4, 2, 2), np.int16)
        write_dicom(f"{name}.dcm", cine, NumberOfFrames=4)
    result = scan()
    frame = result.samples.frame
    assert shape_of(result) == [2, 4, 4]
    assert len(result.problems) == 0
    cines = frame.filter(pl.col("rows") == 2)
    assert cines["slice"].to_list() == [0, 1, 2, 3] * 2
    assert cines.group_by("volume").agg(pl.col("path").n_unique())["path"].to_list() == [1, 1]
