"""Pixels of a DICOM frame in native type and unit (Hounsfield units, counts), brighter is more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import apply_color_lut, get_decoder, iter_pixels
from pydicom.uid import UID

from ssl_domains.samples import ReadError
from ssl_domains_medical.dicom.frames import Frame, frames_of
from ssl_domains_medical.dicom.headers import ALLOWED, Header, read_header
from ssl_domains_medical.dicom.quiet import quiet

__all__ = ["decode_frames", "why_not_decodable"]

_PALETTES = (
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData", "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData", "SegmentedBluePaletteColorLookupTableData",
)  # fmt: skip


def why_not_decodable(syntax: UID) -> str:
    """Why no installed decoder reads a transfer syntax; empty when one does."""
    if not syntax.is_compressed or syntax.is_deflated:
        return ""
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        return f"transfer syntax {syntax.name} has no decoder"
    if decoder.is_available:
        return ""
    return f"no decoder for {syntax.name} is installed (the extra gpl-jpeg brings one for JPEG and JPEG-LS)"


def decode_frames(path: str, indices: Sequence[int]) -> list[NDArray[np.generic]]:
    """Decode frames of one file, opened once.

    The stored values go through: inversion where MONOCHROME1 says that larger is darker, the frame's own rescale slope
    and intercept, palette to RGB, YBR to RGB. Integers stay integers when slope and intercept are; otherwise float32.
    Padding is no measurement: a frame that has some is float32 and NaN there, and the views' validity mask follows it.

    Args:
        path: The file.
        indices: Frame numbers, from 0, in any order.

    Returns:
        Arrays ``[H, W, C]`` in the order of ``indices``.

    Raises:
        ReadError: With the cause.
    """
    header = _header_with_pixels(path)
    frames = list(frames_of(header))
    wanted = sorted(set(indices))
    if not wanted or wanted[-1] >= len(frames):
        raise ReadError(f"no frame {wanted[-1] if wanted else 0}: the file has {len(frames)}")
    if reason := why_not_decodable(header.transfer_syntax):
        raise ReadError(reason)
    with quiet():
        try:
            palette = _palette(header)
            stored = zip(wanted, _stored(header, wanted), strict=True)
            decoded = {i: _to_native(np.asarray(pixels), header, frames[i], palette) for i, pixels in stored}
        except Exception as error:  # decoders raise their own kinds
            raise ReadError(f"pixels can't be decoded: {type(error).__name__}: {error}") from error
    return [decoded[i] for i in indices]


def _header_with_pixels(path: str) -> Header:
    """The header of a file that must hold pixels."""
    header = read_header(Path(path))
    if not header.has_pixels:
        raise ReadError("no pixel data")
    if header.missing_bytes:
        raise ReadError(f"truncated: the last {header.missing_bytes} bytes of the pixel data are missing")
    return header


def _stored(header: Header, wanted: Sequence[int]) -> Iterator[NDArray[Any]]:
    """The stored values, frame by frame from disk where the file can be sought in."""
    whole = header.transfer_syntax.is_deflated or header.misdeclared
    source = pydicom.dcmread(header.path) if whole else header.path
    yield from iter_pixels(source, indices=wanted)


def _palette(header: Header) -> Any:
    if header.get("PhotometricInterpretation") != "PALETTE COLOR":
        return None
    return pydicom.dcmread(header.path, stop_before_pixels=True, specific_tags=[*ALLOWED, *_PALETTES])


def _to_native(pixels: NDArray[Any], header: Header, frame: Frame, palette: Any) -> NDArray[np.generic]:
    if palette is not None:
        pixels = apply_color_lut(pixels, palette)
    if not pixels.dtype.isnative:
        pixels = pixels.astype(pixels.dtype.newbyteorder("="))
    if pixels.ndim == 3:
        return np.ascontiguousarray(pixels)
    padding = _padding(pixels, header)
    if header.get("PhotometricInterpretation") == "MONOCHROME1":
        pixels = _inverted(pixels, int(header.get("BitsStored", pixels.dtype.itemsize * 8)))
    values = _rescaled(pixels, frame.slope, frame.intercept, int(header.get("BitsStored", pixels.dtype.itemsize * 8)))
    if padding is not None and padding.any():
        values = values.astype(np.float32)
        values[padding] = np.nan
    return np.ascontiguousarray(values)[:, :, None]


def _padding(pixels: NDArray[Any], header: Header) -> NDArray[np.bool_] | None:
    value, limit = header.get("PixelPaddingValue"), header.get("PixelPaddingRangeLimit")
    if value is None:
        return None
    ends = sorted(_as_stored(int(end), pixels.dtype) for end in (value, value if limit is None else limit))
    return np.asarray((pixels >= ends[0]) & (pixels <= ends[1]), np.bool_)


def _as_stored(value: int, dtype: np.dtype[Any]) -> int:
    """PixelPaddingValue is often written with the other signedness: the same bits are meant."""
    if dtype.kind == "i" and value > np.iinfo(dtype).max:
        return value - (1 << (8 * dtype.itemsize))
    if dtype.kind == "u" and value < 0:
        return value + (1 << (8 * dtype.itemsize))
    return value


def _inverted(pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    if pixels.dtype.kind == "f":
        return np.asarray(pixels.max() + pixels.min() - pixels)
    if pixels.dtype.kind == "i":
        return np.asarray(~pixels)  # −1 − x: the lowest value becomes the highest
    return np.asarray(pixels.dtype.type((1 << bits) - 1) - pixels)


def _rescaled(pixels: NDArray[Any], slope: float, intercept: float, bits: int) -> NDArray[Any]:
    if slope == 1 and intercept == 0:
        return pixels.copy()
    if slope == int(slope) and intercept == int(intercept) and pixels.dtype.kind in "iu" and pixels.size:
        # The type follows from the stored range, so that slices of a volume agree; a stray value only widens it.
        low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if pixels.dtype.kind == "i" else (0, (1 << bits) - 1)
        stored = (min(low, int(pixels.min())), max(high, int(pixels.max())))
        ends = sorted(value * int(slope) + int(intercept) for value in stored)
        for dtype in (pixels.dtype, np.dtype(np.int16), np.dtype(np.int32)):
            if np.iinfo(dtype).min <= ends[0] and ends[1] <= np.iinfo(dtype).max:
                return np.asarray(pixels.astype(np.int64) * int(slope) + int(intercept), dtype)
    return (pixels.astype(np.float64) * slope + intercept).astype(np.float32)
