"""Opening a NIfTI file: its header at no cost, its voxels once, in native type."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError
from ssl_domains_medical.nifti.slicing import slicing_of

__all__ = ["decode_slices", "is_nifti", "open_volume", "stem_of", "voxels_of"]


def is_nifti(path: Path) -> bool:
    """Whether a file's name is that of a NIfTI volume."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def stem_of(path: Path) -> str:
    """File name without ``.nii`` or ``.nii.gz``."""
    name = path.name
    for suffix in (".nii.gz", ".nii"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return path.stem


def open_volume(path: Path) -> Any:
    """The nibabel image, header read and voxels not.

    Raises:
        ReadError: With the cause.
    """
    try:
        return nibabel.load(path)
    except Exception as error:  # damaged files raise nearly anything
        raise ReadError(f"unreadable NIfTI header: {type(error).__name__}: {error}") from error


def voxels_of(image: Any) -> NDArray[Any]:
    """Every voxel in the type on disk; float32 where the header scales them.

    Raises:
        ReadError: When the file is damaged.
    """
    try:
        voxels = np.asanyarray(image.dataobj)
    except Exception as error:  # damaged files raise nearly anything
        raise ReadError(f"voxels can't be read: {type(error).__name__}: {error}") from error
    if voxels.dtype.kind == "f" and voxels.dtype.itemsize == 8:
        voxels = voxels.astype(np.float32)
    while voxels.ndim > 3 and voxels.shape[-1] == 1:
        voxels = voxels[..., 0]
    native: NDArray[Any] = voxels.astype(voxels.dtype.newbyteorder("="), copy=False)
    return native


def decode_slices(path: str, slices: Sequence[tuple[int, str]]) -> list[NDArray[np.generic]]:
    """Slices of one file, its voxels read once.

    Args:
        path: The file.
        slices: (index, axis) of each.

    Returns:
        Arrays ``[H, W, C]`` in the order given.

    Raises:
        ReadError: With the cause.
    """
    image = open_volume(Path(path))
    voxels = voxels_of(image)
    cut = {axis: slicing_of(image.affine, image.shape, axis) for axis in {axis for _, axis in slices}}
    made = []
    for index, axis in slices:
        if not 0 <= index < cut[axis].count:
            raise ReadError(f"no slice {index}: the volume has {cut[axis].count} along {axis}")
        made.append(cut[axis].cut(voxels, index))
    return made
