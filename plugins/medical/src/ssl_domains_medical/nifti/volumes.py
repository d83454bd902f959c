"""Opening a NIfTI file: its header at no cost, its voxels once, in native type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import nibabel
import numpy as np
from nibabel.imageglobals import logger
from numpy.typing import NDArray

from ssl_domains.samples import ReadError, require_expandable
from ssl_domains_medical.nifti.slicing import Slicing, slicing_of

__all__ = [
    "Slice",
    "decode_slices",
    "decoded_dtype",
    "is_coloured",
    "is_nifti",
    "open_volume",
    "spatial_shape",
    "stem_of",
    "voxels_of",
]


@dataclass(frozen=True)
class Slice:
    """Which slice of a file a row is.

    Attributes:
        index: Number along the axis.
        axis: The axis that the volume is cut along.
        time: Time point of a file with a fourth axis.
        channels: Numbers of the channels of a case, such as ``"0000,0001"``, whose files lie beside the first; empty
            for a volume in one file.
    """

    index: int
    axis: str = "coronal"
    time: int = 0
    channels: str = ""


def is_nifti(path: PurePath) -> bool:
    """Whether a file's name is that of a NIfTI volume."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def stem_of(path: PurePath) -> str:
    """File name without ``.nii`` or ``.nii.gz``."""
    name = path.name
    for suffix in (".nii.gz", ".nii"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return path.stem


@contextmanager
def _without_log() -> Iterator[None]:
    """Silence nibabel. Its own suppressor takes the handlers away, and Python then prints the lines by itself."""
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def open_volume(path: Path) -> Any:
    """The nibabel image, header read and voxels not.

    Raises:
        ReadError: With the cause.
    """
    try:
        # What nibabel mends, such as the sign of a voxel size, needs no line on the screen.
        with _without_log():
            return nibabel.load(path)
    except Exception as error:  # damaged files raise nearly anything
        raise ReadError(f"unreadable NIfTI header: {type(error).__name__}: {error}") from error


def is_coloured(dtype: np.dtype[Any]) -> bool:
    """Whether a stored type is that of colours: RGB24 or RGBA32."""
    return dtype.names is not None and dtype.names[:3] == ("R", "G", "B")


def decoded_dtype(image: Any) -> np.dtype[Any]:
    """The type of decoded voxels: as stored, in native byte order; float32 where the header scales them.

    Fractions of more than 32 bits become float32, and colours uint8.
    """
    stored = image.get_data_dtype()
    if is_coloured(stored):
        return np.dtype(np.uint8)
    if (image.dataobj.slope, image.dataobj.inter) != (1, 0) or (stored.kind == "f" and stored.itemsize > 4):
        return np.dtype(np.float32)
    native: np.dtype[Any] = stored.newbyteorder("=")
    return native


def spatial_shape(image: Any) -> tuple[int, int, int]:
    """Voxels along i, j, k; a flat picture has one along k."""
    i, j, k = [*(int(size) for size in image.shape), 1, 1][:3]
    return i, j, k


def voxels_of(image: Any) -> NDArray[Any]:
    """Every voxel in the type on disk; float32 where the header scales them; colours as a last axis of 3.

    Raises:
        ReadError: When the file is damaged, or would expand beyond the limit.
    """
    stored = image.get_data_dtype()
    require_expandable(float(np.prod([float(size) for size in image.shape])) * stored.itemsize)
    try:
        coloured = is_coloured(stored)
        voxels = image.dataobj.get_unscaled() if coloured else np.asanyarray(image.dataobj)
    except Exception as error:  # damaged files raise nearly anything
        raise ReadError(f"voxels can't be read: {type(error).__name__}: {error}") from error
    while voxels.ndim > 3 and voxels.shape[-1] == 1:
        voxels = voxels[..., 0]
    if voxels.ndim == 2:
        voxels = voxels[..., None]
    if coloured:
        return np.stack([voxels[name] for name in ("R", "G", "B")], axis=-1)
    if voxels.dtype.kind == "f" and voxels.dtype.itemsize > 4:
        voxels = voxels.astype(np.float32)
    native: NDArray[Any] = voxels.astype(voxels.dtype.newbyteorder("="), copy=False)
    return native


def decode_slices(path: str, slices: Sequence[Slice]) -> list[NDArray[np.generic]]:
    """Slices of one file, or of the files of one case; the voxels of each file are read once.

    Args:
        path: The file; that of the first channel for a case of several.
        slices: Which slices.

    Returns:
        Arrays ``[H, W, C]`` in the order given.

    Raises:
        ReadError: With the cause.
    """
    volumes: dict[str, tuple[Any, NDArray[Any]]] = {}
    slicings: dict[str, Slicing] = {}
    made = []
    for one in slices:
        if one.channels not in volumes:
            volumes[one.channels] = _volume(Path(path), one.channels)
        image, voxels = volumes[one.channels]
        if one.axis not in slicings:
            slicings[one.axis] = slicing_of(image.affine, voxels.shape[:3], one.axis)
        cut = slicings[one.axis]
        in_time = voxels.ndim == 4 + is_coloured(image.get_data_dtype()) and not one.channels
        times = voxels.shape[3] if in_time else 1
        if not 0 <= one.index < cut.count:
            raise ReadError(f"no slice {one.index}: the volume has {cut.count} along {one.axis}")
        if not 0 <= one.time < times:
            raise ReadError(f"no time point {one.time}: the file has {times}")
        made.append(cut.cut(voxels[:, :, :, one.time] if in_time else voxels, one.index))
    return made


def _volume(path: Path, channels: str) -> tuple[Any, NDArray[Any]]:
    """The image of a file with its voxels; those of several channels ``[i, j, k, channels]``."""
    from ssl_domains_medical.nifti.header import stacked_dtype

    first = open_volume(path)
    if not channels:
        return first, voxels_of(first)
    parts = [voxels_of(open_volume(file)) for file in _channel_files(path, channels.split(","))]
    if any(part.shape != parts[0].shape or part.ndim != 3 for part in parts):
        raise ReadError("the channels of the case differ in their shape")
    dtype = stacked_dtype(str(part.dtype) for part in parts)
    return first, np.stack(parts, axis=-1, dtype=dtype, casting="unsafe")


def _channel_files(path: Path, numbers: Sequence[str]) -> list[Path]:
    case = stem_of(path)[:-4]
    files = []
    for number in numbers:
        named = [
            path.with_name(f"{case}{number}{suffix}") for suffix in (path.name[len(stem_of(path)) :], ".nii.gz", ".nii")
        ]
        found = next((file for file in named if file.is_file()), None)
        if found is None:
            raise ReadError(f"the file of channel {number} is gone")
        files.append(found)
    return files
