"""Pixels of a DICOM frame in native type and unit (Hounsfield units, counts), brighter is more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels import apply_color_lut, apply_modality_lut, iter_pixels
from pydicom.uid import RLELossless

from ssl_domains.samples import ReadError
from ssl_domains_medical.dicom.frames import Frame, frames_of
from ssl_domains_medical.dicom.header.bounded_file import BoundedFile
from ssl_domains_medical.dicom.header.headers import ALLOWED, Header, read_header
from ssl_domains_medical.dicom.header.quiet import quiet, without_stderr
from ssl_domains_medical.dicom.native import is_plain, plain_frames
from ssl_domains_medical.dicom.pixel_format import PixelFormat, pixel_format, why_not_decodable

__all__ = ["decode_frames"]

_WHOLE = 2.0**30  # times a stored value of 32 bits this is a whole number of 64

_PALETTES = (
    "GreenPaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
)  # fmt: skip


def decode_frames(path: str, indices: Sequence[int]) -> list[NDArray[np.generic]]:
    """Decode frames of one file, opened once.

    The stored values go through: inversion where MONOCHROME1 says that larger is darker, the frame's own rescale slope
    and intercept or the modality lookup table, palette to RGB, YBR to RGB. The type is the one of `PixelFormat.dtype`,
    which a scan writes into the table. Padding is no measurement and NaN.

    Args:
        path: The file.
        indices: Frame numbers, from 0, in any order.

    Returns:
        Arrays ``[H, W, C]`` in the order of ``indices``.

    Raises:
        ReadError: With the cause.
    """
    header = read_header(Path(path))
    if not header.has_pixels:
        raise ReadError("no pixel data")
    made = pixel_format(header)
    wanted = sorted(set(indices))
    if not wanted or wanted[-1] >= made.frames:
        raise ReadError(f"no frame {wanted[-1] if wanted else 0}: the file has {made.frames}")
    if reason := why_not_decodable(header.transfer_syntax, made):
        raise ReadError(reason)
    frames = list(frames_of(header, made.frames))
    with quiet():
        try:
            tables = _tables(header, made)
            stored = zip(wanted, _stored(header, made, wanted), strict=True)
            decoded = {i: _to_native(np.asarray(pixels), made, frames[i], tables) for i, pixels in stored}
        except (ReadError, KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # decoders raise their own kinds, some of which are no Exception
            raise ReadError(f"pixels can't be decoded: {_in_words(error)}") from error
    return [decoded[i] for i in indices]


def _in_words(error: BaseException) -> str:
    """An error of a decoder without what it quotes, which may be a value of the header."""
    words = re.sub(r"'[^']*'|\"[^\"]*\"|b'[^']*'", "…", " ".join(str(error).split()))
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _stored(header: Header, made: PixelFormat, wanted: Sequence[int]) -> Iterator[NDArray[Any]]:
    """The stored values, frame by frame."""
    if is_plain(header, made):
        yield from plain_frames(header, made, wanted)
        return
    # The RLE decoder writes to the terminal when the pixels don't fit the header, before it raises.
    quietly = without_stderr() if header.transfer_syntax == RLELossless else nullcontext()
    with quietly, BoundedFile(header.path) as file:
        yield from iter_pixels(_source(header, file), indices=wanted)


def _source(header: Header, file: BoundedFile) -> Any:
    """The file, to read frame by frame, or the whole data set of a file that pydicom can't seek in."""
    if not (header.transfer_syntax.is_deflated or header.misdeclared or header.bare):
        return file
    dataset = pydicom.dcmread(file, force=True)
    dataset.file_meta.TransferSyntaxUID = header.transfer_syntax
    return dataset


def _tables(header: Header, made: PixelFormat) -> Any:
    """The header with its palette or modality lookup table; None where there is neither."""
    if made.palette_bits is None and made.lut_bits is None:
        return None
    with BoundedFile(header.path) as file:
        return pydicom.dcmread(file, stop_before_pixels=True, specific_tags=[*ALLOWED, *_PALETTES], force=True)


def _to_native(pixels: NDArray[Any], made: PixelFormat, frame: Frame, tables: Any) -> NDArray[np.generic]:
    if made.palette_bits is not None:
        pixels = apply_color_lut(pixels, tables)
    dtype = made.dtype(frame.slope, frame.intercept)
    if not pixels.dtype.isnative:
        pixels = pixels.astype(pixels.dtype.newbyteorder("="))
    if pixels.ndim == 3:
        return np.ascontiguousarray(pixels, dtype)
    padding = None if made.padding is None else (pixels >= made.padding[0]) & (pixels <= made.padding[1])
    if made.lut_bits is not None:
        pixels = apply_modality_lut(pixels, tables)
    if made.photometric == "MONOCHROME1":
        pixels = _inverted(pixels, made)
    values = pixels if made.lut_bits is not None else _rescaled(pixels, frame.slope, frame.intercept)
    values = _typed(values, dtype)
    if padding is not None:
        values[padding] = np.nan
    return np.ascontiguousarray(values)[:, :, None]


def _inverted(pixels: NDArray[Any], made: PixelFormat) -> NDArray[Any]:
    if pixels.dtype.kind == "f":
        return np.asarray(pixels.max() + pixels.min() - pixels)
    low, high = made.value_range
    return np.asarray(np.clip(low + high - pixels.astype(np.int64), low, high), pixels.dtype)


def _rescaled(pixels: NDArray[Any], slope: float, intercept: float) -> NDArray[Any]:
    if slope == 1 and intercept == 0:
        return pixels
    exact = slope == int(slope) and intercept == int(intercept) and max(abs(slope), abs(intercept)) < _WHOLE
    if pixels.dtype.kind in "iu" and pixels.dtype.itemsize <= 4 and exact:
        return pixels.astype(np.int64) * int(slope) + int(intercept)
    return pixels.astype(np.float64) * slope + intercept


def _typed(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """A copy in the wanted type; a compressed value beyond the stored bits goes to the end of the range."""
    if dtype.kind in "iu" and values.dtype != dtype:
        ends = np.iinfo(dtype)
        values = np.clip(values, ends.min, ends.max)
    return np.array(values, dtype)
