"""Headers of files whose numbers lie plainly in them: where the numbers start, of which type and shape they are."""

from __future__ import annotations

import math
import os
import struct
import tokenize
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ssl_domains.samples.read_error import ReadError

__all__ = ["Layout", "nifti_layout", "npy_layout", "wav_layout"]


class Layout(NamedTuple):
    """Where the numbers of a file lie; attributes as those of `Region`."""

    path: Path
    dtype: np.dtype[Any]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None


def npy_layout(path: Path) -> Layout:
    """Layout of a ``.npy`` file."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    with _opened(path) as file:
        try:
            version = np.lib.format.read_magic(file)
            if version not in readers:
                raise ReadError(f"the .npy file has version {version[0]}.{version[1]}, not 1.0 or 2.0")
            shape, fortran, dtype = readers[version](file)
        except (ValueError, SyntaxError, tokenize.TokenError) as error:
            raise ReadError(f"this is no .npy file, or a damaged one ({' '.join(str(error).split())})") from error
        offset = file.tell()
    if dtype.kind not in "biuf":
        raise ReadError(f"the .npy file holds {dtype}, not numbers")
    if min(shape, default=0) < 0:
        raise ReadError(f"this is no .npy file, or a damaged one (its shape is {list(shape)})")
    return Layout(path, dtype, offset, shape, _fortran(shape, dtype.itemsize) if fortran else None)


_NIFTI_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip


def nifti_layout(path: Path) -> Layout:
    """Layout of a NIfTI-1 or NIfTI-2 file that is not compressed."""
    header_path = path.with_suffix(".hdr") if path.suffix.lower() == ".img" else path
    with _opened(header_path) as file:
        head = file.read(540)
    if head[:2] == b"\x1f\x8b":
        raise ReadError("the NIfTI file is compressed; only an uncompressed one can be read in place")
    sizes = {order: struct.unpack(order + "i", head[:4])[0] if len(head) >= 4 else 0 for order in "<>"}
    order = next((order for order, size in sizes.items() if size in (348, 540)), None)
    if order is None or len(head) < sizes[order]:
        raise ReadError("this is no NIfTI file, or its header is cut short")

    def field(place: int, form: str) -> tuple[Any, ...]:
        return struct.unpack_from(order + form, head, place)

    if sizes[order] == 348:
        magic, dims, (code,) = head[344:348], field(40, "8h"), field(70, "h")
        (start,), (slope, inter) = field(108, "f"), field(112, "2f")
    else:
        magic, dims, (code,) = head[4:8], field(16, "8q"), field(12, "h")
        (start,), (slope, inter) = field(168, "q"), field(176, "2d")
    if magic[:3] not in (b"n+1", b"ni1", b"n+2", b"ni2"):
        raise ReadError("this is no NIfTI file, or its header is cut short")
    if not 1 <= dims[0] <= 7 or min(dims[1 : dims[0] + 1]) < 0:
        raise ReadError(f"the NIfTI header gives {dims[0]} dimensions of {list(dims[1:])}")
    if code not in _NIFTI_TYPES:
        raise ReadError(f"the NIfTI file has voxels of type {code}, which are not plain numbers")
    if math.isfinite(slope) and slope != 0 and (slope, inter) != (1, 0):
        raise ReadError(f"the NIfTI file has a scale factor (slope {slope:g}, intercept {inter:g}) on its numbers")
    single = magic[1:2] == b"+"
    if not math.isfinite(start) or start < (sizes[order] if single else 0):
        raise ReadError(f"the NIfTI header says that its voxels start at byte {start:g}")
    dtype = np.dtype(order + _NIFTI_TYPES[code])
    shape = tuple(int(side) for side in dims[1 : dims[0] + 1])
    voxels = header_path if single else header_path.with_suffix(".img")
    if not voxels.is_file():
        raise ReadError("the .img file of this NIfTI header is not beside it")
    return Layout(voxels, dtype, int(start), shape, _fortran(shape, dtype.itemsize))


_WAV_TYPES = {(1, 8): "u1", (1, 16): "i2", (1, 32): "i4", (3, 32): "f4", (3, 64): "f8"}
_EXTENSIBLE, _GUID = 0xFFFE, bytes.fromhex("000000001000800000aa00389b71")


def wav_layout(path: Path) -> Layout:
    """Layout of a wav file with PCM or float samples: ``[time, channels]``."""
    with _opened(path) as file:
        size = file.seek(0, 2)
        file.seek(0)
        riff = file.read(12)
        if riff[8:] != b"WAVE" or riff[:4] not in (b"RIFF", b"RIFX"):
            large = riff[:4] in (b"RF64", b"BW64")
            raise ReadError("the wav file is of the form for more than 4 GB" if large else "this is no wav file")
        order, form, place = "<" if riff[:4] == b"RIFF" else ">", b"", 12
        while True:
            file.seek(place)
            head = file.read(8)
            if len(head) < 8:
                raise ReadError("the wav file has no samples, or is cut short")
            name, length = head[:4], struct.unpack(order + "I", head[4:])[0]
            if name == b"data":
                break
            if name == b"fmt ":
                form = file.read(min(length, 40))
            place += 8 + length + length % 2
    if len(form) < 16:
        raise ReadError("the wav file doesn't say the form of its samples")
    tag, channels, _, _, frame, bits = struct.unpack_from(order + "HHIIHH", form)
    if tag == _EXTENSIBLE and len(form) >= 40 and form[26:40] == _GUID:
        tag = struct.unpack_from(order + "H", form, 24)[0]
    if (tag, bits) not in _WAV_TYPES:
        what = f"{bits}-bit samples" if tag in (1, 3) else f"compressed samples (format {tag})"
        raise ReadError(f"the wav file has {what}; 8, 16 and 32 bit and float can be read in place")
    dtype = np.dtype(order + _WAV_TYPES[tag, bits])
    if channels < 1 or frame != channels * dtype.itemsize:
        raise ReadError(f"the wav header gives {channels} channels of {dtype.itemsize} bytes in {frame} bytes")
    offset = place + 8
    if length == 0 or offset + length > size:
        raise ReadError(f"the wav file says {length} bytes of samples and has {size - offset}")
    return Layout(path, dtype, offset, (length // frame, channels), None)


def _opened(path: Path) -> BinaryIO:
    try:
        file = path.open("rb")
    except OSError as error:
        raise ReadError(f"the file can't be opened: {error.strerror}") from error
    if os.fstat(file.fileno()).st_size == 0:
        file.close()
        raise ReadError("the file is empty")
    return file


def _fortran(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    strides = [itemsize]
    for side in shape[:-1]:
        strides.append(strides[-1] * side)
    return tuple(strides[: len(shape)])
