"""Decoding uncompressed pixel data: the bytes of a frame as an array of stored values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels import convert_color_space

from ssl_domains.samples import ReadError
from ssl_domains_medical.dicom.header.headers import Header, inflated_bytes
from ssl_domains_medical.dicom.pixel_format import PixelFormat

__all__ = ["is_plain", "plain_frames"]


def is_plain(header: Header, made: PixelFormat) -> bool:
    """Whether the frames lie uncompressed in the file, each at a whole byte."""
    swapped_bytes = not header.little and made.allocated == 8
    return (
        not header.transfer_syntax.is_encapsulated
        and header.pixels.length is not None
        and made.allocated >= 8
        and made.photometric != "YBR_FULL_422"
        and not swapped_bytes
    )


def plain_frames(header: Header, made: PixelFormat, wanted: Sequence[int]) -> Iterator[NDArray[Any]]:
    """Stored values ``[H, W]`` of the wanted frames, or colours ``[H, W, 3]`` in RGB.

    Bits outside of the stored ones (overlays, noise) are cut off, by HighBit and BitsStored.

    Raises:
        ReadError: When the file is shorter than its header says.
    """
    size = int(made.frame_bytes)
    dtype = made.stored_dtype.newbyteorder("<" if header.little else ">")
    whole = inflated_bytes(header) if header.transfer_syntax.is_deflated else None
    with open(header.path, "rb") as file:
        for index in wanted:
            start = header.pixels.offset + index * size
            if whole is not None:
                raw = whole[start : start + size]
            else:
                file.seek(start)
                raw = file.read(size)
            if len(raw) < size:
                raise ReadError("truncated: the file ends within the pixel data")
            yield _shaped(np.frombuffer(raw, dtype).astype(made.stored_dtype), made)


def _shaped(values: NDArray[Any], made: PixelFormat) -> NDArray[Any]:
    if made.samples == 1:
        return _value_bits(values.reshape(made.rows, made.columns), made)
    if made.planar:
        values = values.reshape(3, made.rows, made.columns).transpose(1, 2, 0)
    else:
        values = values.reshape(made.rows, made.columns, 3)
    if made.photometric == "YBR_FULL":
        values = convert_color_space(values, "YBR_FULL", "RGB")
    return np.ascontiguousarray(values)


def _value_bits(values: NDArray[Any], made: PixelFormat) -> NDArray[Any]:
    if made.floating is not None or made.stored == made.allocated:
        return values
    # The value's highest bit goes to the top and back: what lies above falls off, and a sign is extended.
    above = made.allocated - made.stored - made.shift
    return np.asarray((values << above) >> (above + made.shift), values.dtype)
