"""Masks of slices: they must lie on their images however either file is stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import MaskReader, ReadError, ScanResult
from ssl_domains.stores import ArrayStore, MaskStore, mask_names
from ssl_domains_medical.nifti.masks import parse_names
from ssl_domains_medical.reader import MedicalReader

SHAPE = (5, 6, 7)
Write = Callable[..., Path]
Scan = Callable[..., ScanResult]


def turned(image: Any, order: tuple[int, ...], flipped: tuple[int, ...]) -> Any:
    return image.as_reoriented(np.array([[axis, -1.0 if axis in flipped else 1.0] for axis in order]))


def save(image: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)


@pytest.fixture
def volume() -> tuple[Any, Any]:
    """An image and its mask: the class of a voxel is a function of its value, so both must move alike."""
    voxels = np.random.default_rng(0).integers(0, 200, SHAPE).astype(np.uint8)
    affine = np.array([[2.0, 0, 0, -5], [0, 1.5, 0, 3], [0, 0, 1, 7], [0, 0, 0, 1]])
    return nibabel.Nifti1Image(voxels, affine), nibabel.Nifti1Image((voxels // 70).astype(np.uint8), affine)


@pytest.mark.parametrize("axis", ["coronal", "sagittal", "axial", "0", "1", "2"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
@pytest.mark.parametrize("flipped", [(), (0,), (1, 2)])
@pytest.mark.parametrize("mask_turned", [False, True], ids=["mask like image", "mask stored otherwise"])
def test_a_mask_slice_lies_on_its_image_slice(
    tmp_path: Path, scan: Scan, reader: MedicalReader, volume: Any, axis: str, order: Any, flipped: Any,
    mask_turned: bool,
) -> None:  # fmt: skip
    image, mask = volume
    save(turned(image, order, flipped), tmp_path / "images" / "a.nii.gz")
    save(turned(mask, (1, 2, 0), (0,)) if mask_turned else turned(mask, order, flipped), tmp_path / "labels/a.nii.gz")
    result = scan(masks=Path("labels"), axis=axis)
    assert not len(result.problems)
    rows = result.samples.frame.to_dicts()
    masks = reader.load_masks(rows[0]["mask_path"], rows)
    for row, found in zip(rows, masks, strict=True):
        picture = reader.load(row)[:, :, 0]
        assert found.shape == picture.shape
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, picture // 70)
        np.testing.assert_array_equal(found, reader.load_mask(row))
        area = 1.5 * 2 * 1 / row["spacing_mm"]  # mm² of a pixel
        assert row["area_1"] == pytest.approx((found == 1).sum() * area)


def test_a_mask_that_lies_elsewhere_is_a_problem(tmp_path: Path, scan: Scan, volume: Any) -> None:
    image, mask = volume
    save(image, tmp_path / "images" / "a.nii.gz")
    lost = nibabel.Nifti1Image(np.asarray(mask.dataobj), np.diag([-2.0, 1.5, 1.0, 1.0]))
    save(lost, tmp_path / "labels" / "a.nii.gz")
    result = scan(masks=Path("labels"))
    assert "turns it another way" in result.problems["cause"][0]
    assert "mask_path" not in result.samples.columns


def test_the_reader_says_why_there_is_no_mask(tmp_path: Path, scan: Scan, reader: MedicalReader, volume: Any) -> None:
    assert isinstance(reader, MaskReader)
    save(volume[0], tmp_path / "a.nii.gz")
    row = scan().samples.frame.row(0, named=True)
    with pytest.raises(ReadError, match="no mask"):
        reader.load_mask(row)
    with pytest.raises(ReadError, match="gone"):
        reader.load_mask({**row, "mask_path": str(tmp_path / "none.nii.gz")})


def test_a_scan_records_names_and_columns_of_masks(tmp_path: Path, scan: Scan, volume: Any) -> None:
    save(volume[0], tmp_path / "images" / "a.nii.gz")
    save(volume[1], tmp_path / "labels" / "a.nii.gz")
    (tmp_path / "dataset.json").write_text('{"labels": {"0": "background", "1": "Grey", "2": "White"}}')
    table = scan(masks=Path("labels")).samples
    assert mask_names(table) == {1: "grey", 2: "white"}
    # Every slice here shows both classes, so there is no slice_class.
    assert table.meta.options["mask_columns"] == ["area_grey", "area_white"]


def test_masks_have_a_store_beside_the_images(tmp_path: Path, scan: Scan, reader: MedicalReader, volume: Any) -> None:
    save(volume[0], tmp_path / "images" / "a.nii.gz")
    save(volume[0], tmp_path / "images" / "b.nii.gz")
    save(volume[1], tmp_path / "labels" / "a.nii.gz")
    table = scan(masks=Path("labels")).samples
    images = ArrayStore.fill(tmp_path / "store", table, reader)
    masks = MaskStore.fill(tmp_path / "masks", table, reader)
    with_mask = table.frame["mask_path"].is_not_null().to_numpy()
    assert with_mask.sum() == SHAPE[1] == len(masks)
    at = masks.positions(table)
    np.testing.assert_array_equal(at >= 0, with_mask)
    for position, image in zip(at, images.positions(table), strict=True):
        if position >= 0:
            np.testing.assert_array_equal(masks[int(position)], images[int(image)][:, :, 0] // 70)


@pytest.mark.parametrize("text", ["²=tumour", "0=tumour", "1=", "tumour", "1=a,2=a"])
def test_names_of_classes_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--mask-names"):
        parse_names(text)
