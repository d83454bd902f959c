"""What the header of a NIfTI file states, and whether its voxels can be decoded; no voxel is kept."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import ReadError, require_expandable
from ssl_domains.samples.scanning.expansion import require_expanded
from ssl_domains_medical.nifti.volumes import decoded_dtype, is_coloured, open_volume

__all__ = ["NiftiHeader", "agree", "read_header", "stacked_dtype"]

_GZIP = b"\x1f\x8b"


class NiftiHeader:
    """The header of a file whose voxels can be decoded.

    Attributes:
        shape: Voxels along i, j, k.
        times: Number of time points; 1 for a file of one volume.
        in_time: Whether the file has a fourth axis.
        affine: ``[4, 4]``, voxels to mm.
        channels: 3 for colour, else 1.
        dtype: Name of the type of decoded slices.
    """

    def __init__(self, values: dict[str, Any]) -> None:
        self.shape: tuple[int, int, int] = tuple(values["shape"])
        self.times: int = values["times"] or 1
        self.in_time: bool = values["times"] is not None
        self.affine: NDArray[np.float64] = np.array(values["affine"], dtype=np.float64)
        self.channels: int = values["channels"]
        self.dtype: str = values["dtype"]

    def same_geometry(self, other: NiftiHeader) -> bool:
        """Whether both files have the same voxels at the same places, each one volume of one channel."""
        if (self.shape, self.in_time, self.channels) != (other.shape, other.in_time, other.channels):
            return False
        close = np.allclose(self.affine, other.affine, rtol=1e-3, atol=1e-2)
        return not self.in_time and self.channels == 1 and bool(close)


def read_header(path: Path) -> dict[str, Any]:
    """The values of a `NiftiHeader`, as JSON values.

    Raises:
        ReadError: When the header can't be read, states what is no volume of real numbers or colours, or states more
            bytes than the file holds.
    """
    _require_header(path)
    image = open_volume(path)
    sizes = [int(size) for size in image.shape]
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    text = "×".join(map(str, sizes))
    if len(sizes) < 2 or min(sizes) < 1:
        raise ReadError(f"shape {text or '()'}: no volume")
    if len(sizes) > 4:
        raise ReadError(f"shape {text}: vectors or more than three spatial sides, no volume or series of volumes")
    stored = image.get_data_dtype()
    if stored.kind == "c":
        raise ReadError("its voxels are complex numbers: save magnitude or phase")
    if not is_coloured(stored) and stored.kind not in "biuf":
        raise ReadError(f"its voxels are {stored}, not numbers")
    affine = np.asarray(image.affine, dtype=np.float64)
    if not np.isfinite(affine).all():
        raise ReadError("its affine holds values that are not finite")
    voxels = math.prod(sizes)
    scaled = not is_coloured(stored) and (image.dataobj.slope, image.dataobj.inter) != (1, 0)
    require_expandable(voxels * max(stored.itemsize, 8 if scaled else 0))
    _require_bytes(path, int(image.dataobj.offset) + voxels * stored.itemsize)
    return {
        "shape": [*sizes[:3], 1][:3],
        "times": sizes[3] if len(sizes) == 4 else None,
        "affine": affine.tolist(),
        "channels": 3 if is_coloured(stored) else 1,
        "dtype": str(decoded_dtype(image)),
    }


def stacked_dtype(dtypes: Iterable[str]) -> np.dtype[Any]:
    """The type of channels that are stacked: one that holds the values of all, at most float32 for fractions."""
    common = np.result_type(*map(np.dtype, dtypes))
    return np.dtype(np.float32) if common == np.float64 else common


def _require_header(path: Path) -> None:
    """Check where the voxels begin before the extensions in front of them are read into memory."""
    with gzip.open(path, "rb") if _is_gzip(path) else path.open("rb") as file:
        try:
            head = file.read(540)
        except gzip.BadGzipFile as error:
            raise ReadError("its name says that it is compressed (.gz), and its content is not") from error
        except (EOFError, zlib.error) as error:
            raise ReadError("the compressed file is damaged or cut short within its header") from error
    if head.startswith(_GZIP):
        raise ReadError("it is compressed, and its name doesn't say so: name it .nii.gz")
    if len(head) < 348:
        raise ReadError("it is shorter than a NIfTI header")
    for order in "<>":
        size = struct.unpack(f"{order}i", head[:4])[0]
        if size == 348:
            offset = struct.unpack(f"{order}f", head[108:112])[0]
        elif size == 540 and len(head) == 540:
            offset = struct.unpack(f"{order}q", head[168:176])[0]
        else:
            continue
        if not 0 <= offset <= 1 << 26:
            raise ReadError(f"its header says that voxels begin at byte {offset:g}")
        return
    raise ReadError("it has no NIfTI header")


def _require_bytes(path: Path, needed: int) -> None:
    size = path.stat().st_size
    if not _is_gzip(path):
        if size < needed:
            raise ReadError(f"it holds {size:,} bytes where its header states {needed:,}")
        return
    # The last four bytes of a whole gzip file of one part are the expanded size. Other files are expanded to count.
    with path.open("rb") as file:
        file.seek(-4, 2)
        if struct.unpack("<I", file.read(4))[0] == needed % 2**32:
            return
    require_expanded(path, needed)


def _is_gzip(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def agree(headers: Sequence[NiftiHeader]) -> bool:
    """Whether the volumes of some files lie voxel on voxel, so that they can be channels of one array."""
    return all(headers[0].same_geometry(other) for other in headers)
