"""From NIfTI files to rows of the sample table: one a slice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ssl_domains.samples import ReadError
from ssl_domains_medical.found import Found, plural
from ssl_domains_medical.nifti.masks import Masks
from ssl_domains_medical.nifti.slicing import slicing_of
from ssl_domains_medical.nifti.volumes import open_volume, stem_of

__all__ = ["scan_nifti"]


def scan_nifti(
    paths: Iterable[Path], root: Path, digest: Callable[[str], str], axis: str = "coronal", masks: Masks | None = None
) -> Found:
    """Index NIfTI volumes, slice by slice; voxels are read only of masks.

    Args:
        paths: Volumes, sorted.
        root: The folder that is scanned.
        digest: Keyed hash: a file's name may be a patient's.
        axis: ``"coronal"``, ``"sagittal"``, ``"axial"``, or a voxel axis ``"0"``, ``"1"``, ``"2"``.
        masks: Label masks that become columns.
    """
    found = Found()
    listed = list(paths)
    stems = [stem_of(path) for path in listed]
    unmasked = 0
    for path, stem in zip(listed, stems, strict=True):
        # The stem alone where it is unique, so that a table can be joined by it.
        relative = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        name = digest(stem if stems.count(stem) == 1 else relative)
        try:
            rows = _slices(path, name, axis)
        except ReadError as error:
            found.problems.add(path, error)
            continue
        if masks is not None:
            unmasked += not _add_mask_columns(rows, path, axis, masks, found)
        found.rows.extend(rows)
    if unmasked:
        found.notes.append(
            f"{plural(unmasked, 'volume has', 'volumes have')} no usable mask: slice_class is null there"
        )
    return found


def _slices(path: Path, name: str, axis: str) -> list[dict[str, Any]]:
    image = open_volume(path)
    slicing = slicing_of(image.affine, image.shape, axis)
    dtype = str(image.get_data_dtype().newbyteorder("="))
    return [
        {
            "sample": f"{name}-{index:04d}",
            "path": str(path),
            "reader": "nifti",
            "volume": name,
            "axis": axis,
            "slice": index,
            "position": slicing.relative[index],
            "position_mm": float(slicing.mm[index]),
            "spacing_mm": slicing.spacing_mm,
            "pixel_spacing_mm": slicing.pixel_mm[0],
            "rows": slicing.shape[0],
            "columns": slicing.shape[1],
            "channels": slicing.channels,
            "dtype": dtype,
        }
        for index in range(slicing.count)
    ]


def _add_mask_columns(rows: list[dict[str, Any]], path: Path, axis: str, masks: Masks, found: Found) -> bool:
    mask = masks.of(path)
    if mask is None:
        return False
    try:
        image = open_volume(path)
        areas = masks.areas(mask, image, slicing_of(image.affine, image.shape, axis))
    except ReadError as error:
        found.problems.add(mask, error)
        return False
    for row in rows:
        row["mask_path"] = str(mask)
        row.update(masks.columns(areas, row["slice"]))
    return True
