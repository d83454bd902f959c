"""Predicted masks as files: on the voxels and at the place in the body of the slices that they are of."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from nibabel.nicom.dicomwrappers import wrapper_from_data
from pydicom.dataset import Dataset

from ssl_domains.prediction import MapFile, PngMask
from ssl_domains.samples import ReadError, ScanResult
from ssl_domains_medical.nifti.slicing import slicing_of
from ssl_domains_medical.predictions import map_files
from ssl_domains_medical.predictions.grid import NoGrid, SlicePlace, grid_of
from ssl_domains_medical.predictions.volumes import DicomMask, NiftiMask
from ssl_domains_medical.reader import MedicalReader

Write = Callable[..., Path]
Scan = Callable[..., ScanResult]
SHAPE = (4, 5, 6)
AXES = ("coronal", "sagittal", "axial", "0", "1", "2")
OBLIQUE = np.array([[0.8, -0.6, 0.0], [0.48, 0.64, 0.6], [-0.36, -0.48, 0.8]])  # rows: orthonormal directions


def predicted(reader: MedicalReader, table: Any) -> dict[int, Any]:
    """A mask for each row that is a function of its pixels, so that it is known in every voxel of the source."""
    return {at: (reader.load(row)[:, :, 0] % 7).astype(np.uint8) for at, row in enumerate(table.frame.to_dicts())}


def written(file: MapFile, folder: Path, maps: dict[int, Any]) -> tuple[Any, int]:
    path = folder / Path(file.name).name
    missing = file.write(path, {at: maps[at] for at in file.rows if at in maps})
    return nibabel.load(path), missing


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_put_back_is_the_reverse_of_cut(axis: str, order: tuple[int, ...]) -> None:
    voxels = np.random.default_rng(0).integers(0, 250, SHAPE).astype(np.uint8)
    for signs in itertools.product((1, -1), repeat=3):
        affine = np.eye(4)
        affine[:3, :3] = (np.diag(signs) * 1.5)[:, list(order)]
        cut = slicing_of(affine, SHAPE, axis)
        again = np.zeros(SHAPE, np.uint8)
        for index in range(cut.count):
            cut.put_back(cut.cut(voxels, index)[:, :, 0], again, index)
        np.testing.assert_array_equal(again, voxels)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_a_nifti_mask_has_the_voxels_and_the_affine_of_its_source(
    tmp_path: Path, scan: Scan, reader: MedicalReader, axis: str, kind: Any
) -> None:
    voxels = np.random.default_rng(1).integers(0, 200, SHAPE).astype(np.int16)
    affine = np.eye(4)
    affine[:3, :3] = (OBLIQUE.T * (2.0, -1.5, 1.1))[:, [1, 0, 2]]
    affine[:3, 3] = (-31.25, 7.5, 100.0)
    source = kind(voxels, affine)
    source.header["descrip"] = b"Doe^Jane"
    source.header["db_name" if kind is nibabel.Nifti1Image else "intent_name"] = b"Doe"
    nibabel.save(source, tmp_path / "Jane Doe.nii.gz")
    table = scan(axis=axis).samples
    (file,) = map_files(table, tmp_path).files
    assert isinstance(file, NiftiMask)
    assert file.name == f"{table.frame['volume'][0]}.nii.gz"
    mask, missing = written(file, tmp_path, predicted(reader, table))
    assert missing == 0
    assert mask.shape == SHAPE
    assert mask.get_data_dtype() == np.uint8
    original = nibabel.load(tmp_path / "Jane Doe.nii.gz")
    np.testing.assert_array_equal(mask.affine, original.affine)
    for code in ("qform_code", "sform_code", "xyzt_units"):
        assert mask.header[code] == original.header[code]
    np.testing.assert_array_equal(np.asarray(mask.dataobj), voxels % 7)
    assert b"Doe" not in mask.header.binaryblock


def test_an_affine_that_only_a_quaternion_states_is_kept(tmp_path: Path, scan: Scan, reader: MedicalReader) -> None:
    affine = np.eye(4)
    affine[:3, :3] = OBLIQUE.T * (2.0, 1.5, 1.0)
    source = nibabel.Nifti1Image(np.zeros(SHAPE, np.uint8), affine)
    source.set_qform(affine, 1)
    source.set_sform(None, 0)
    nibabel.save(source, tmp_path / "a.nii")
    table = scan().samples
    mask, _ = written(map_files(table, tmp_path).files[0], tmp_path, predicted(reader, table))
    np.testing.assert_array_equal(mask.affine, nibabel.load(tmp_path / "a.nii").affine)
    assert mask.header["sform_code"] == 0


def test_each_time_point_has_a_mask_and_channels_share_one(
    write_nifti: Write, tmp_path: Path, scan: Scan, reader: MedicalReader
) -> None:
    rng = np.random.default_rng(2)
    times = rng.integers(0, 200, (*SHAPE, 3)).astype(np.uint8)
    write_nifti("beat.nii.gz", times)
    channels = rng.integers(0, 200, (2, *SHAPE)).astype(np.uint8)
    for number, voxels in enumerate(channels):
        write_nifti(f"imagesTr/case_{number:04d}.nii.gz", voxels)
    table = scan().samples
    maps = predicted(reader, table)
    files = map_files(table, tmp_path).files
    assert len(files) == len({file.name for file in files}) == 4
    found = []
    for file in files:
        mask, missing = written(file, tmp_path, maps)
        assert missing == 0
        assert mask.shape == SHAPE
        found.append(np.asarray(mask.dataobj))
    for expected in (*np.moveaxis(times, 3, 0), channels[0]):
        assert any(np.array_equal(one, expected % 7) for one in found)


def test_a_slice_without_prediction_holds_255_and_is_counted(
    write_nifti: Write, tmp_path: Path, scan: Scan, reader: MedicalReader
) -> None:
    write_nifti("a.nii.gz", np.zeros(SHAPE, np.uint8))
    table = scan().samples
    maps = predicted(reader, table)
    del maps[2]
    mask, missing = written(map_files(table, tmp_path).files[0], tmp_path, maps)
    assert missing == 1
    voxels = np.asarray(mask.dataobj)
    assert (voxels[:, table.frame["slice"][2], :] == 255).all()
    assert (voxels == 255).sum() == SHAPE[0] * SHAPE[2]


def test_a_source_that_is_gone_or_another_one_is_said(
    write_nifti: Write, tmp_path: Path, scan: Scan, reader: MedicalReader
) -> None:
    path = write_nifti("a.nii.gz", np.zeros(SHAPE, np.uint8))
    table = scan().samples
    maps = predicted(reader, table)
    file = map_files(table, tmp_path).files[0]
    write_nifti("a.nii.gz", np.zeros((4, 5, 7), np.uint8))
    with pytest.raises(ReadError, match="another shape"):
        file.write(tmp_path / "out.nii.gz", maps)
    path.unlink()
    with pytest.raises(ReadError, match="gone"):
        file.write(tmp_path / "out.nii.gz", maps)


def oblique_series(write_dicom: Write, step: Any, count: int = 5, left_out: tuple[int, ...] = ()) -> None:
    """A series whose file names and numbers are in an order that says nothing; ``step`` is in mm between slices."""
    rng = np.random.default_rng(3)
    for place in np.random.default_rng(4).permutation([at for at in range(count) if at not in left_out]):
        corner = np.array([-40.0, 12.5, 88.0]) + place * np.asarray(step)
        write_dicom(
            f"{(place * 7) % 11}.dcm",
            rng.integers(0, 500, (6, 4)).astype(np.int16) * 10 + place,  # six rows, four columns
            ImageOrientationPatient=[*OBLIQUE[0], *OBLIQUE[1]],
            ImagePositionPatient=[round(float(mm), 6) for mm in corner],
            PixelSpacing=[0.7, 1.3],  # rows are 0.7 mm apart, columns 1.3 mm
            InstanceNumber=int((place * 3) % 5) + 1,
            SliceThickness=9.0,
        )


@pytest.mark.parametrize(
    "step", [2.5 * OBLIQUE[2], 2.5 * OBLIQUE[2] + (0.0, 0.9, 0.0)], ids=["along the normal", "tilted gantry"]
)
def test_a_dicom_mask_lies_where_the_standard_puts_each_pixel(
    write_dicom: Write, tmp_path: Path, scan: Scan, reader: MedicalReader, step: Any
) -> None:
    oblique_series(write_dicom, step)
    table = scan().samples
    plan = map_files(table, tmp_path)
    (file,) = plan.files
    assert isinstance(file, DicomMask)
    assert plan.notes == ()
    maps = predicted(reader, table)
    mask, missing = written(file, tmp_path, maps)
    assert (mask.shape, missing) == ((4, 6, 5), 0)
    voxels, to_world = np.asarray(mask.dataobj), mask.affine
    for at, row in enumerate(table.frame.to_dicts()):
        dataset = pydicom.dcmread(row["path"])
        first, second = np.array(dataset.ImageOrientationPatient, float).reshape(2, 3)
        by_nibabel = wrapper_from_data(dataset).affine  # of one slice: (row, column, 0) to DICOM's axes
        for j, i in itertools.product(range(6), range(4)):
            # Equation C.7.6.2.1-1 of the standard, then left and posterior become right and anterior.
            lps = np.array(dataset.ImagePositionPatient, float) + first * 1.3 * i + second * 0.7 * j
            np.testing.assert_allclose((by_nibabel @ [j, i, 0, 1])[:3], lps, atol=1e-6)
            world = lps * (-1, -1, 1)
            voxel = np.linalg.solve(to_world, [*world, 1.0])[:3]
            np.testing.assert_allclose(voxel, np.rint(voxel), atol=1e-4)
            assert voxels[tuple(np.rint(voxel).astype(int))] == maps[at][j, i]


def test_a_missing_dicom_slice_leaves_its_place(
    write_dicom: Write, tmp_path: Path, scan: Scan, reader: MedicalReader
) -> None:
    oblique_series(write_dicom, 2.5 * OBLIQUE[2], left_out=(2,))
    table = scan().samples
    mask, missing = written(map_files(table, tmp_path).files[0], tmp_path, predicted(reader, table))
    assert (mask.shape, missing) == ((4, 6, 5), 1)
    voxels = np.asarray(mask.dataobj)
    assert (voxels[:, :, 2] == 255).all()
    assert (voxels[:, :, [0, 1, 3, 4]] < 255).all()
    assert mask.header.get_zooms()[2] == pytest.approx(2.5)


def test_frames_of_one_file_are_placed_by_their_groups(
    write_dicom: Write, tmp_path: Path, scan: Scan, reader: MedicalReader
) -> None:
    def nested(**sequences: Any) -> Dataset:
        group = Dataset()
        for keyword, values in sequences.items():
            item = Dataset()
            for name, value in values.items():
                setattr(item, name, value)
            setattr(group, keyword, [item])
        return group

    pixels = np.random.default_rng(5).integers(0, 500, (4, 3, 5)).astype(np.int16)
    heights = (6.0, 0.0, 4.0, 2.0)
    write_dicom(
        "many.dcm", pixels, NumberOfFrames=4, ImagePositionPatient=None, ImageOrientationPatient=None,
        SharedFunctionalGroupsSequence=[nested(
            PlaneOrientationSequence={"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
            PixelMeasuresSequence={"PixelSpacing": [2, 3]},
        )],
        PerFrameFunctionalGroupsSequence=[
            nested(PlanePositionSequence={"ImagePositionPatient": [10, 20, mm]}) for mm in heights
        ],
    )  # fmt: skip
    table = scan().samples
    mask, missing = written(map_files(table, tmp_path).files[0], tmp_path, predicted(reader, table))
    assert missing == 0
    expected = [[-3, 0, 0, -10], [0, -2, 0, -20], [0, 0, 2, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(mask.affine, expected)
    voxels = np.asarray(mask.dataobj)
    for frame, mm in enumerate(heights):
        np.testing.assert_array_equal(voxels[:, :, int(mm / 2)], pixels[frame].T % 7)


def test_dose_frames_count_from_the_first(
    write_dicom: Write, tmp_path: Path, scan: Scan, reader: MedicalReader
) -> None:
    pixels = np.random.default_rng(6).integers(0, 500, (3, 3, 5)).astype(np.uint16)
    for name, offsets in (("relative", [0.0, 4.0, 8.0]), ("absolute", [-50.0, -46.0, -42.0])):
        write_dicom(
            f"{name}/dose.dcm", pixels, NumberOfFrames=3, ImagePositionPatient=[1, 2, -50], PixelSpacing=[2, 2],
            GridFrameOffsetVector=offsets, SeriesInstanceUID=f"1.2.{len(name)}", SOPInstanceUID=f"1.3.{len(name)}",
        )  # fmt: skip
    table = scan().samples
    for file in map_files(table, tmp_path).files:
        mask, _ = written(file, tmp_path, predicted(reader, table))
        np.testing.assert_allclose(mask.affine[:3, 3], [-1, -2, -50])
        np.testing.assert_allclose(mask.affine[:3, 2], [0, 0, 4])


def place(z: float, **changed: Any) -> SlicePlace:
    values = {"origin": (0.0, 0.0, z), "along_columns": (1.0, 0, 0), "along_rows": (0, 1.0, 0), **changed}
    return SlicePlace(*(np.array(values[name]) for name in ("origin", "along_columns", "along_rows")), None)


def test_slices_without_an_even_grid_are_refused_with_a_reason() -> None:
    assert grid_of([place(4), place(0), place(2)]).place == (2, 0, 1)
    assert grid_of([place(z) for z in (0, 2, 4, 8)]).place == (0, 1, 2, 4)
    assert grid_of([place(0), place(6)], spacing_mm=2).slices == 4
    assert grid_of([place(0), place(1.004), place(1.996), place(3)]).slices == 4  # positions of two decimals
    for places, why in (
        ([place(0), None], "no place"),
        ([place(0), place(0), place(2)], "one position"),
        ([place(0), place(2), place(3.2), place(5), place(7)], "not evenly"),
        ([place(0), place(2, origin=(1.0, 0, 2)), place(4)], "not evenly"),
        ([place(0), place(1), place(2), place(90_000)], "too far apart"),
    ):
        with pytest.raises(NoGrid, match=why):
            grid_of(places)


def test_what_has_no_grid_becomes_png_under_pseudonyms(
    write_dicom: Write, tmp_path: Path, scan: Scan, reader: MedicalReader
) -> None:
    from PIL import Image

    for number in range(3):  # a radiograph each
        write_dicom(
            f"Doe {number}.dcm", Modality="DX", ImagePositionPatient=None, ImageOrientationPatient=None,
            InstanceNumber=number + 1,
        )  # fmt: skip
    for number, mm in enumerate((0.0, 2.0, 3.0, 7.0, 8.7)):
        write_dicom(
            f"ct/{number}.dcm", ImagePositionPatient=[0, 0, mm], PixelSpacing=[1, 1], SeriesInstanceUID="1.2.3",
            InstanceNumber=number + 1,
        )  # fmt: skip
    Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(tmp_path / "Jane Doe.png")
    table = scan().samples
    plan = map_files(table, tmp_path)
    assert all(isinstance(file, PngMask) for file in plan.files)
    assert len(plan.files) == len(table) == 9
    assert not [file.name for file in plan.files if "Doe" in file.name]
    volume = table.frame.filter(table.frame["path"].str.contains("ct"))["volume"][0]
    assert {f"{volume}/{number:04d}.png" for number in range(5)} <= {file.name for file in plan.files}
    assert sorted(plan.notes) == [
        "1 DICOM volume is written as PNG masks, not as NIfTI: its slices are not evenly spaced",
        "3 DICOM volumes are written as PNG masks, not as NIfTI: its headers state no place in the body or no size "
        "of pixels",
    ]
    maps = predicted(reader, table)
    for file in plan.files:
        path = tmp_path / "mask.png"
        file.write(path, maps)
        with Image.open(path) as picture:
            assert picture.mode == "L"
            np.testing.assert_array_equal(np.asarray(picture), maps[file.rows[0]])


def test_a_dicom_file_that_is_gone_is_said(write_dicom: Write, tmp_path: Path, scan: Scan) -> None:
    path = write_dicom("a.dcm", PixelSpacing=[1, 1])
    table = scan().samples
    path.unlink()
    (file,) = map_files(table, tmp_path).files
    with pytest.raises(ReadError, match="geometry of its mask is not known: No such file"):
        file.write(tmp_path / "out.nii.gz", {0: np.zeros((3, 4), np.uint8)})


def test_ids_that_are_no_pseudonyms_are_hashed_in_names(write_nifti: Write, tmp_path: Path, scan: Scan) -> None:
    from dataclasses import replace

    import polars as pl

    write_nifti("a.nii.gz", np.zeros(SHAPE, np.uint8))
    table = scan().samples
    named = replace(table, frame=table.frame.with_columns(volume=pl.lit("Doe/Jane")))
    (file,) = map_files(named, None).files
    assert "Doe" not in file.name
    assert "/" not in file.name
