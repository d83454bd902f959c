"""Damage to NIfTI headers, field by field, and to what is compressed around them."""

from __future__ import annotations

import gzip
import struct
from random import Random

from fuzzing.mutations.raw import RAW

__all__ = ["GZIP", "NIFTI", "inside_gzip", "nifti_field", "stored_zeros"]

_SHORTS = {"dim": (40, 8), "datatype": (70, 1), "bitpix": (72, 1), "qform_code": (252, 1), "sform_code": (254, 1)}
_FLOATS = {"pixdim": (76, 8), "vox_offset": (108, 1), "scl": (112, 2), "quatern": (256, 6), "srow": (280, 12)}
_NUMBERS = (0.0, -0.0, 1.0, -1.0, 1e-30, 1e30, 3e38, float("nan"), float("inf"), -352.0, 1e9, 353.0)
_TYPES = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 768, 1024, 1280, 1536, 1792, 2048, 2304, 255, -1)
_HEADER = 348


def nifti_field(data: bytes, rng: Random) -> bytes:
    """One field of the header: a dimension, the type, the offset of the voxels, a row of the affine."""
    if len(data) < _HEADER or data[344:346] != b"n+":
        raise ValueError
    order = "<" if data[:4] == struct.pack("<i", _HEADER) else ">"
    if rng.random() < 0.5:
        name = rng.choice(("dim", "dim", *_SHORTS))
        start, count = _SHORTS[name]
        numbers = _TYPES if name == "datatype" else (0, 1, 2, 3, 5, 7, 8, 32, 300, 32767, -1, -32768)
        place, packed = start + 2 * rng.randrange(count), struct.pack(order + "h", rng.choice(numbers))
    else:
        start, count = _FLOATS[rng.choice(tuple(_FLOATS))]
        place, packed = start + 4 * rng.randrange(count), struct.pack(order + "f", rng.choice(_NUMBERS))
    return data[:place] + packed + data[place + len(packed) :]


def inside_gzip(data: bytes, rng: Random) -> bytes:
    """What is compressed is damaged, and compressed again."""
    try:
        inner = gzip.decompress(data)
    except (OSError, EOFError) as error:
        raise ValueError from error
    return gzip.compress(rng.choice(NIFTI)(inner, rng), 1, mtime=0)


def stored_zeros(data: bytes, rng: Random) -> bytes:
    """Many zeros behind what is compressed: 30 MB in 130 kB, or in many members of one file."""
    zeros = gzip.compress(bytes(30_000_000), 1, mtime=0)
    return data + zeros * rng.choice((1, 1, 1, 20))


NIFTI = (*RAW, *(nifti_field,) * 12)
GZIP = (*RAW, *(inside_gzip,) * 12, stored_zeros)
