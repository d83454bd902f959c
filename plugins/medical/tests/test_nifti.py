"""NIfTI volumes into slices, and masks into columns."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import ScanResult, join_columns
from ssl_domains_medical.nifti.masks import parse_names
from ssl_domains_medical.reader import MedicalReader

Write = Callable[..., Path]
Scan = Callable[..., ScanResult]
SHAPE = (3, 4, 5)  # right, anterior, superior


@pytest.fixture
def voxels() -> np.ndarray[Any, Any]:
    return np.arange(60, dtype=np.uint8).reshape(SHAPE)


@pytest.mark.parametrize(
    ("axis", "count", "shape"),
    [
        ("coronal", 4, (5, 3)),
        ("sagittal", 3, (5, 4)),
        ("axial", 5, (4, 3)),
        ("0", 3, (4, 5)),
        ("1", 4, (3, 5)),
        ("2", 5, (3, 4)),
    ],
)
def test_axes(
    write_nifti: Write, scan: Scan, reader: MedicalReader, voxels: Any, axis: str, count: int, shape: Any
) -> None:
    write_nifti("a.nii.gz", voxels)
    frame = scan(axis=axis).samples.frame
    assert len(frame) == count
    for row in frame.iter_rows(named=True):
        array = reader.load(row)
        assert array.shape == (*shape, 1) == (row["rows"], row["columns"], 1)
        assert array.dtype == np.uint8


def test_coronal_is_the_default_and_stands_as_radiologists_see_it(
    write_nifti: Write, scan: Scan, reader: MedicalReader, voxels: Any
) -> None:
    write_nifti("a.nii", voxels)
    row = scan().samples.frame.row(1, named=True)
    assert (row["axis"], row["slice"], row["position"], row["position_mm"]) == ("coronal", 1, pytest.approx(1 / 3), 1.0)
    picture = reader.load(row)[:, :, 0]
    assert picture[0, 0] == voxels[2, 1, 4]  # top left: the patient's right, superior
    assert picture[-1, -1] == voxels[0, 1, 0]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("flipped", [(), (0,), (1, 2), (0, 1, 2)])
def test_the_affine_decides_not_the_order_on_disk(
    write_nifti: Write, reader: MedicalReader, tmp_path: Path, voxels: Any, order: Any, flipped: Any
) -> None:
    import nibabel

    write_nifti("plain/a.nii.gz", voxels, np.diag([1.0, 2.0, 3.0, 1.0]))
    image = nibabel.load(tmp_path / "plain" / "a.nii.gz")
    orientation = np.array([[axis, -1.0 if axis in flipped else 1.0] for axis in order])
    (tmp_path / "turned").mkdir()
    nibabel.save(image.as_reoriented(orientation), tmp_path / "turned" / "a.nii.gz")
    for axis in ("coronal", "sagittal", "axial"):
        plain, turned = (
            reader.scan(tmp_path / folder, axis=axis).samples.frame.sort("position_mm")
            for folder in ("plain", "turned")
        )
        columns = ["position", "position_mm", "spacing_mm", "rows", "columns"]
        assert plain.select(columns).equals(turned.select(columns))
        for first, second in zip(plain.iter_rows(named=True), turned.iter_rows(named=True), strict=True):
            assert np.array_equal(reader.load(first), reader.load(second))


def test_volumes_of_any_shape_and_native_type(write_nifti: Write, scan: Scan, reader: MedicalReader) -> None:
    write_nifti("a.nii.gz", np.ones((3, 2, 4), np.int16))
    write_nifti("b.nii.gz", np.ones((6, 5, 7), np.float32))
    frame = scan().samples.frame
    assert sorted(set(frame["dtype"])) == ["float32", "int16"]
    assert {reader.load(row).dtype.name for row in frame.iter_rows(named=True)} == {"float32", "int16"}
    assert {reader.load(row).shape for row in frame.iter_rows(named=True)} == {(4, 3, 1), (7, 6, 1)}


def test_a_scaled_header_gives_float32(write_nifti: Write, scan: Scan, reader: MedicalReader, tmp_path: Path) -> None:
    import nibabel

    image = nibabel.Nifti1Image(np.array([[[0, 1], [2, 3]]], np.int16), np.eye(4))
    image.header.set_slope_inter(0.5, 0)
    nibabel.save(image, tmp_path / "a.nii")
    array = reader.load(scan(axis="0").samples.frame.row(0, named=True))
    assert array.dtype == np.float32
    assert array[:, :, 0] == pytest.approx(np.array([[0.0, 0.5], [1.0, 1.5]]), abs=1e-3)


def test_a_file_is_decoded_once(write_nifti: Write, scan: Scan, reader: MedicalReader, monkeypatch: Any) -> None:
    from ssl_domains_medical.nifti import volumes

    write_nifti("a.nii.gz", np.zeros((3, 9, 3)))
    rows = list(scan().samples.frame.iter_rows(named=True))
    opened = []
    real = volumes.voxels_of
    monkeypatch.setattr(volumes, "voxels_of", lambda image: opened.append(1) or real(image))
    assert len(reader.load_file(rows[0]["path"], rows)) == 9
    assert len(opened) == 1


def test_a_volume_joins_by_its_stem(write_nifti: Write, scan: Scan) -> None:
    write_nifti("images/case_7.nii.gz", np.zeros(SHAPE))
    table = join_columns(scan().samples, pl.DataFrame({"volume": ["case_7"], "age": [61]}), "volume")
    assert table.frame["age"].unique().to_list() == [61]
    assert "case_7" not in "".join(table.frame["volume"]) + "".join(table.frame["sample"])


def test_an_unknown_axis_is_refused_with_a_hint(scan: Scan) -> None:
    with pytest.raises(UsageError, match="--axis 'cornal'") as error:
        scan(axis="cornal")
    assert "coronal" in error.value.hint


@pytest.fixture
def masked(write_nifti: Write) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[0, 1, :2] = 1  # slice 1: only class 1, two voxels
    labels[0, 2, 0], labels[1, 2, 0] = 1, 2  # slice 2: both
    labels[:, 3, 0] = 2  # slice 3: only class 2
    affine = np.diag([2.0, 1.0, 3.0, 1.0])
    write_nifti("images/a.nii.gz", np.zeros(SHAPE), affine)
    write_nifti("labels/a.nii.gz", labels, affine)


@pytest.mark.usefixtures("masked")
def test_slice_class_is_the_only_class_else_null(scan: Scan) -> None:
    frame = scan(masks=Path("labels"), mask_names="1=anterior,2=posterior").samples.frame
    assert frame["slice_class"].to_list() == [None, "anterior", None, "posterior"]
    assert frame["area_anterior"].to_list() == [0.0, 12.0, 6.0, 0.0]  # mm²: a voxel is 2 × 3
    assert frame["area_posterior"].to_list() == [0.0, 0.0, 6.0, 18.0]
    assert frame["mask_path"].str.ends_with("labels/a.nii.gz").all()


@pytest.mark.usefixtures("masked")
def test_classes_without_a_name_go_by_number(scan: Scan) -> None:
    assert scan(masks=Path("labels")).samples.frame["slice_class"].to_list() == [None, "1", None, "2"]


@pytest.mark.usefixtures("masked")
@pytest.mark.parametrize(
    "labels",
    [{"0": "background", "1": "Anterior", "2": "Posterior"}, {"background": 0, "Anterior": 1, "Posterior": 2}],
    ids=["Decathlon", "nnU-Net"],
)
def test_names_come_from_dataset_json(scan: Scan, tmp_path: Path, labels: Any) -> None:
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels}))
    frame = scan(masks=Path("labels")).samples.frame
    assert frame["slice_class"].drop_nulls().to_list() == ["anterior", "posterior"]


@pytest.mark.usefixtures("masked")
def test_masks_are_never_taken_for_volumes(scan: Scan) -> None:
    result = scan()
    assert result.samples.frame["volume"].n_unique() == 1
    assert any("labels/ beside images/ was left out" in note for note in result.notes)
    assert scan(masks=Path("labels")).samples.frame["volume"].n_unique() == 1


@pytest.mark.usefixtures("masked")
def test_volumes_without_a_usable_mask_stay_with_nulls(write_nifti: Write, scan: Scan) -> None:
    write_nifti("images/b.nii.gz", np.zeros(SHAPE))
    write_nifti("images/c.nii.gz", np.zeros(SHAPE))
    write_nifti("labels/c.nii.gz", np.zeros((3, 4, 6)))
    write_nifti("images/d.nii.gz", np.zeros(SHAPE))
    write_nifti("labels/d.nii.gz", np.full(SHAPE, 0.5))
    result = scan(masks=Path("labels"))
    assert result.samples.frame["volume"].n_unique() == 4
    assert sorted(cause[:12] for cause in result.problems["cause"]) == ["mask of shap", "the mask hol"]
    assert any(note.startswith("3 volumes have no usable mask") for note in result.notes)


def test_masks_that_are_not_there(write_nifti: Write, scan: Scan, tmp_path: Path) -> None:
    write_nifti("a.nii.gz", np.zeros(SHAPE))
    with pytest.raises(UsageError, match="no folder 'labels' for --masks"):
        scan(masks=Path("labels"))
    (tmp_path / "labels").mkdir()
    with pytest.raises(UsageError, match="holds no NIfTI file"):
        scan(masks=Path("labels"))
    with pytest.raises(UsageError, match="--mask-names without --masks"):
        scan(mask_names="1=a")


@pytest.mark.parametrize("text", ["anterior", "1=", "=a", "0=background", "1=a,2=a", "-1=a", ""])
def test_mask_names_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError):
        parse_names(text)


def test_mask_names() -> None:
    assert parse_names("1=anterior, 2 = posterior") == {1: "anterior", 2: "posterior"}
