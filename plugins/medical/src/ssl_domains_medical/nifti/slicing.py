"""Along which axis a volume is cut, where each slice lies, and how it stands in the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples import ReadError

__all__ = ["AXES", "Slicing", "check_axis", "slicing_of"]

AXES = ("coronal", "sagittal", "axial", "0", "1", "2")
# The world axis a plane is perpendicular to: right, anterior, superior.
_WORLD = {"sagittal": 0, "coronal": 1, "axial": 2}


@dataclass(frozen=True)
class Slicing:
    """How one volume is cut.

    Attributes:
        axis: Voxel axis perpendicular to the slices.
        order: Voxel axes that become rows, columns.
        flip: Whether rows, columns are reversed, so that superior (else anterior) is up and the right side is left.
        count: Slices.
        mm: World position of each slice along its normal, relative to the scanner's origin.
        relative: 0 at the posterior, left or inferior end, 1 at the other; None for a single slice.
        shape: Rows, columns.
        spacing_mm: Between slices.
        pixel_mm: Of rows, columns.
    """

    axis: int
    order: tuple[int, int]
    flip: tuple[bool, bool]
    count: int
    mm: NDArray[np.float64]
    relative: tuple[float | None, ...]
    shape: tuple[int, int]
    spacing_mm: float
    pixel_mm: tuple[float, float]

    def cut(self, voxels: NDArray[Any], index: int) -> NDArray[Any]:
        """Slice ``index`` of a volume ``[i, j, k]`` or ``[i, j, k, channels]`` as ``[H, W, C]``."""
        plane = np.take(voxels, index, axis=self.axis)
        if self.order[0] > self.order[1]:
            plane = np.swapaxes(plane, 0, 1)
        plane = plane[:: -1 if self.flip[0] else 1, :: -1 if self.flip[1] else 1]
        return np.ascontiguousarray(plane if plane.ndim == 3 else plane[:, :, None])

    def put_back(self, plane: NDArray[Any], voxels: NDArray[Any], index: int) -> None:
        """The reverse of `cut`: write ``plane [H, W]`` into a volume ``[i, j, k]`` as its slice ``index``."""
        plane = plane[:: -1 if self.flip[0] else 1, :: -1 if self.flip[1] else 1]
        if self.order[0] > self.order[1]:
            plane = np.swapaxes(plane, 0, 1)
        place: tuple[slice | int, ...] = (*[slice(None)] * self.axis, index)
        voxels[place] = plane


def check_axis(axis: str) -> str:
    """The name of an axis, as given to ``--axis``.

    Raises:
        UsageError: When it is another word.
    """
    word = str(axis).lower()
    if word not in AXES:
        raise UsageError(f"--axis {axis!r} is no slicing", did_you_mean(word, AXES))
    return word


def slicing_of(affine: NDArray[np.float64], shape: Sequence[int], axis: str) -> Slicing:
    """How to cut a volume of the given shape and affine.

    Named planes follow the affine, so that files stored in another orientation are cut and stand alike; 0, 1, 2 are
    voxel axes, taken as stored. A volume of a single slice along one axis is cut along that, as it is a picture.

    Args:
        affine: ``[4, 4]``, voxels to mm.
        shape: Voxels along i, j, k.
        axis: One of `AXES`.

    Raises:
        ReadError: When the volume isn't three-dimensional, or its affine says nothing.
    """
    spatial = _spatial(shape)
    if not np.isfinite(affine).all():
        raise ReadError("the affine holds values that are not finite")
    directions = nibabel.orientations.io_orientation(affine)
    if not np.isfinite(directions).all():
        raise ReadError("the affine has no direction for an axis")
    single = [voxel_axis for voxel_axis, size in enumerate(spatial) if size == 1]
    if len(single) == 1:
        axis = _plane_of(int(directions[single[0], 0])) if axis in _WORLD else str(single[0])
    world = {int(target): source for source, target in enumerate(directions[:, 0])}
    sign = directions[:, 1]
    if axis in _WORLD:
        cut = world[_WORLD[axis]]
        up, side = [world[w] for w in (2, 1, 0) if w != _WORLD[axis]]
        # radiologists' view: superior, else anterior, is up, and the patient's right is on the left
        rows_flip, columns_flip = bool(sign[up] > 0), bool(sign[side] > 0)
        order, flip, forward = (up, side), (rows_flip, columns_flip), bool(sign[cut] > 0)
    else:
        cut = int(axis)
        first, second = [a for a in range(3) if a != cut]
        order, flip, forward = (first, second), (False, False), True
    count = int(spatial[cut])
    steps = np.arange(count, dtype=np.float64)
    corner = np.zeros((count, 4))
    corner[:, 3] = 1
    corner[:, cut] = steps
    normal = affine[:3, cut] / np.linalg.norm(affine[:3, cut])
    along = (corner @ affine.T)[:, :3] @ normal * (1.0 if forward else -1.0)
    places = steps if forward else steps[::-1]
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    return Slicing(
        axis=cut,
        order=order,
        flip=flip,
        count=count,
        mm=along,
        relative=tuple(float(p) / (count - 1) if count > 1 else None for p in places),
        shape=(int(spatial[order[0]]), int(spatial[order[1]])),
        spacing_mm=float(sizes[cut]),
        pixel_mm=(float(sizes[order[0]]), float(sizes[order[1]])),
    )


def _plane_of(world: int) -> str:
    return next(plane for plane, axis in _WORLD.items() if axis == world)


def _spatial(shape: Sequence[int]) -> tuple[int, ...]:
    if len(shape) != 3 or min(shape) < 1:
        raise ReadError(f"shape {'×'.join(map(str, shape))}: no volume")
    return tuple(int(size) for size in shape)
