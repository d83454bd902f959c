"""Masks of slices as one NIfTI volume: on the grid of a NIfTI file, or on that of a DICOM series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from ssl_domains.prediction import MapFile
from ssl_domains.samples import ReadError
from ssl_domains_medical.nifti.slicing import slicing_of
from ssl_domains_medical.nifti.volumes import open_volume, spatial_shape
from ssl_domains_medical.predictions.grid import Grid

__all__ = ["UNPREDICTED", "DicomMask", "NiftiMask", "UnreadableMask"]

UNPREDICTED = 255
"""Value of voxels in slices that were not predicted."""

_SCANNER = 1  # code of NIfTI for coordinates of the scanner
_GEOMETRY = (
    "pixdim", "xyzt_units", "dim_info", "qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y",
    "qoffset_z", "sform_code", "srow_x", "srow_y", "srow_z",
)  # fmt: skip


@dataclass(frozen=True)
class NiftiMask(MapFile):
    """The mask of a NIfTI volume: its shape and affine, and of its header nothing else, which may name a person.

    Attributes:
        source: The file that was cut; of a case of several channels that of the first.
        axis: The axis along which it was cut.
        slices: Number of the slice of each row along it.
    """

    source: Path
    axis: str
    slices: tuple[int, ...]

    def write(self, path: Path, maps: Mapping[int, NDArray[np.uint8]]) -> int:
        """Write the volume; returns the number of slices without a prediction."""
        if not self.source.is_file():
            raise ReadError("the file is gone, so that the geometry of its mask is not known")
        image = open_volume(self.source)
        shape = spatial_shape(image)
        cut = slicing_of(image.affine, shape, self.axis)
        voxels = np.full(shape, UNPREDICTED, dtype=np.uint8)
        for row, index in zip(self.rows, self.slices, strict=True):
            if row in maps:
                if not 0 <= index < cut.count or maps[row].shape != cut.shape:
                    raise ReadError("the file has another shape than its predicted slices: scan it again")
                cut.put_back(maps[row], voxels, index)
        header = type(image.header)()
        for name in _GEOMETRY:
            header[name] = image.header[name]
        header.set_data_dtype(np.uint8)
        # A file of two axes gets a mask of two axes; one with a fourth axis (time) has a mask for each time point.
        made = type(image)(voxels.reshape(image.shape[:3]), None, header)
        nibabel.save(made, path)
        return cut.count - len({index for row, index in zip(self.rows, self.slices, strict=True) if row in maps})


@dataclass(frozen=True)
class DicomMask(MapFile):
    """The mask of a DICOM volume, ``[columns, rows, slices]`` in NIfTI's axes.

    Attributes:
        grid: Where the slices of `rows` lie.
    """

    grid: Grid

    def write(self, path: Path, maps: Mapping[int, NDArray[np.uint8]]) -> int:
        """Write the volume; returns the number of places of its grid without a prediction."""
        shapes = {mask.shape for mask in maps.values()}
        if len(shapes) != 1:
            raise ReadError("slices of one volume differ in shape: scan it again")
        (height, width), *_ = shapes
        voxels = np.full((width, height, self.grid.slices), UNPREDICTED, dtype=np.uint8)
        for row, place in zip(self.rows, self.grid.place, strict=True):
            if row in maps:
                voxels[:, :, place] = maps[row].T
        nibabel.save(_image(voxels, self.grid.affine), path)
        return self.grid.slices - len(maps)


@dataclass(frozen=True)
class UnreadableMask(MapFile):
    """A volume whose headers can't be read now; writing it says why.

    Attributes:
        cause: Why.
    """

    cause: str

    def write(self, path: Path, maps: Mapping[int, NDArray[np.uint8]]) -> int:
        """Raise the cause."""
        raise ReadError(f"the geometry of its mask is not known: {self.cause}")


def _image(voxels: NDArray[np.uint8], affine: NDArray[np.float64]) -> Any:
    image = nibabel.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, _SCANNER)
    try:
        image.set_qform(affine, _SCANNER, strip_shears=False)
    except HeaderDataError:  # a quaternion can't hold the shear of a tilted gantry: the other form is used alone
        image.set_qform(None, 0)
    return image


def axes_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """The axis along which all rows of a NIfTI file were cut.

    Raises:
        ReadError: When they were cut along different ones.
    """
    axes = {str(row.get("axis") or "coronal") for row in rows}
    if len(axes) > 1:
        raise ReadError("its slices were cut along different axes")
    return axes.pop()
