"""How the pixels of a file are stored, as its header says, and the type of array that decoding them gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.pixels import get_decoder
from pydicom.uid import UID, JPEGBaseline8Bit, JPEGExtended12Bit

from ssl_domains.samples import ReadError, require_expandable
from ssl_domains_medical.dicom.frames import number, numbers, text
from ssl_domains_medical.dicom.header.headers import Header
from ssl_domains_medical.dicom.header.kinds import name_of_uid
from ssl_domains_medical.dicom.header.vocabulary import photometric_of

__all__ = ["PixelFormat", "frame_count", "pixel_format", "why_not_decodable"]

_REQUIRED = ("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated")
_REQUIRED_INTEGER = ("BitsStored", "PixelRepresentation")
_FLOATS: dict[str, np.dtype[Any]] = {
    "FloatPixelData": np.dtype(np.float32),
    "DoubleFloatPixelData": np.dtype(np.float64),
}
_COLOURS = {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
_GREYS = {"MONOCHROME1", "MONOCHROME2"}
_SMALLEST_FRAME = 10  # an encapsulated frame has at least an item of eight bytes and two bytes in it
_EIGHT_BIT_ONLY = (JPEGBaseline8Bit, JPEGExtended12Bit)


@dataclass(frozen=True)
class PixelFormat:
    """How pixels are stored.

    Attributes:
        rows: Height.
        columns: Width.
        samples: Stored numbers a pixel: 1, or 3 for colours.
        allocated: Bits of a stored number.
        stored: Bits of it that hold the value.
        shift: Unused bits below the value.
        signed: Whether values are signed.
        photometric: PhotometricInterpretation.
        planar: Whether colours are stored plane by plane.
        floating: The type of floating point pixels, None for integers.
        palette_bits: Bits of a palette's colours; None without a palette.
        lut_bits: Bits of the values of a modality lookup table; None without one.
        padding: Smallest and largest stored value that mean "no measurement"; None without.
        frames: Number of frames.
    """

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    shift: int
    signed: bool
    photometric: str
    planar: bool
    floating: np.dtype[Any] | None
    palette_bits: int | None
    lut_bits: int | None
    padding: tuple[int, int] | None
    frames: int

    @property
    def channels(self) -> int:
        """Channels of the decoded array."""
        return 3 if self.samples == 3 or self.palette_bits else 1

    @property
    def frame_bytes(self) -> float:
        """Bytes of one uncompressed frame."""
        pixels = self.rows * self.columns
        if self.photometric == "YBR_FULL_422":
            return pixels * 2  # two pixels share their chroma
        return pixels * self.samples * self.allocated / 8

    @property
    def stored_dtype(self) -> np.dtype[Any]:
        """The type of the stored numbers, in the machine's byte order."""
        return self.floating or np.dtype(f"{'i' if self.signed else 'u'}{max(1, self.allocated // 8)}")

    @property
    def value_range(self) -> tuple[int, int]:
        """Smallest and largest integer that the stored bits can hold."""
        if self.lut_bits:
            return 0, (1 << self.lut_bits) - 1
        half = 1 << (self.stored - 1)
        return (-half, half - 1) if self.signed else (0, 2 * half - 1)

    def dtype(self, slope: float, intercept: float) -> np.dtype[Any]:
        """The type of the decoded array of a frame with this rescale slope and intercept.

        It follows from the header alone, so that the slices of a volume agree. Padding is NaN, so a file that declares
        some is floating point.

        Raises:
            ReadError: When no pixel keeps its value: a slope of 0, or values beyond those of float32.
        """
        if self.channels == 3:
            return np.dtype(f"u{self.palette_bits // 8}") if self.palette_bits else self.stored_dtype
        rescaled = self.lut_bits is None and (slope != 1 or intercept != 0)
        if rescaled:
            self._require_range(slope, intercept)
        if self.floating is not None:
            return np.dtype(np.float32) if rescaled else self.floating
        if self.padding is not None:
            return np.dtype(np.float32)
        own = np.dtype(f"u{self.lut_bits // 8}") if self.lut_bits else self.stored_dtype
        if not rescaled:
            return own
        if slope == int(slope) and intercept == int(intercept):
            ends = sorted(value * int(slope) + int(intercept) for value in self.value_range)
            for dtype in (own, np.dtype(np.int16), np.dtype(np.int32)):
                if np.iinfo(dtype).min <= ends[0] and ends[1] <= np.iinfo(dtype).max:
                    return dtype
        return np.dtype(np.float32)

    def _require_range(self, slope: float, intercept: float) -> None:
        if slope == 0:
            raise ReadError("RescaleSlope is 0, which makes all pixels equal")
        ends = (1.0,) if self.floating else self.value_range
        if max(abs(float(end) * slope) + abs(intercept) for end in ends) > float(np.finfo(np.float32).max):
            raise ReadError("RescaleSlope and RescaleIntercept make values that are too large for float32")


def pixel_format(header: Header) -> PixelFormat:
    """Read how the pixels are stored.

    Raises:
        ReadError: When the header lacks something that decoding needs, contradicts itself, or states more than the
            file can hold. The cause repeats no value of the header.
    """
    if not header.transfer_syntax.is_transfer_syntax:
        raise ReadError("the transfer syntax is of a private kind, which has no decoder")
    floating = _FLOATS.get(header.pixels.keyword)
    for keyword in (*_REQUIRED, *(() if floating else _REQUIRED_INTEGER)):
        if header.get(keyword) is None:
            raise ReadError(f"the header lacks {keyword}, which decoding needs")
    rows, columns, samples, allocated = (
        _whole(header, keyword, 1) for keyword in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")
    )
    photometric = photometric_of(text(header.get("PhotometricInterpretation"))) or ""
    palette_bits = _palette_bits(header) if photometric == "PALETTE COLOR" else None
    if photometric not in _COLOURS | _GREYS and palette_bits is None:
        raise ReadError("PhotometricInterpretation is none that can be decoded")
    if samples != (3 if photometric in _COLOURS else 1):
        raise ReadError("SamplesPerPixel and PhotometricInterpretation contradict each other")
    if allocated not in (1, 8, 16, 32, 64) or (floating and allocated != 8 * floating.itemsize):
        raise ReadError("BitsAllocated is no number of bits that can be decoded")
    stored = allocated if floating else _whole(header, "BitsStored", 1)
    if stored > allocated:
        raise ReadError("BitsStored is larger than BitsAllocated")
    high = number(header.get("HighBit"))
    shift = 0 if floating or high is None else int(high) + 1 - stored
    if not 0 <= shift <= allocated - stored:
        raise ReadError("HighBit, BitsStored and BitsAllocated contradict each other")
    lut_bits = _lut_bits(header)
    slope = number(header.get("RescaleSlope"))
    if slope == 0 and lut_bits is None:
        raise ReadError("RescaleSlope is 0, which makes all pixels equal")
    made = PixelFormat(
        rows=rows,
        columns=columns,
        samples=samples,
        allocated=allocated,
        stored=stored,
        shift=shift,
        signed=not floating and number(header.get("PixelRepresentation")) == 1,
        photometric=photometric,
        planar=samples == 3 and number(header.get("PlanarConfiguration")) == 1,
        floating=floating,
        palette_bits=palette_bits,
        lut_bits=lut_bits,
        padding=None,
        frames=frame_count(header),
    )
    _check_size(header, made)
    return _with_padding(header, made)


def _whole(header: Header, keyword: str, least: int) -> int:
    value = number(header.get(keyword))
    if value is None or value < least or value != int(value):
        raise ReadError(f"{keyword} is no whole number from {least} on")
    return int(value)


def frame_count(header: Header) -> int:
    """NumberOfFrames, 1 where the header doesn't say.

    Raises:
        ReadError: When it is no whole number above 0.
    """
    count = number(header.get("NumberOfFrames", 1))
    if count is None or count < 1 or count != int(count):
        raise ReadError("NumberOfFrames is no whole number above 0")
    return int(count)


def _check_size(header: Header, made: PixelFormat) -> None:
    """Compare what the header states with the bytes there are, before anything of that size is made."""
    compressed, length = header.transfer_syntax.is_encapsulated, header.pixels.length
    expected = -(-made.frame_bytes * made.frames // 1)
    if length is None:
        if not compressed:
            raise ReadError("uncompressed pixel data without a length")
        if made.frames * _SMALLEST_FRAME > header.pixels.room:
            raise ReadError("truncated: there are fewer bytes of pixel data than NumberOfFrames needs")
        require_expandable(expected)
    elif header.pixels.missing:
        raise ReadError(f"truncated: the last {header.pixels.missing:,} bytes of the pixel data are missing")
    elif length < expected:
        raise ReadError(f"truncated: {length:,} bytes of pixel data where {expected:,.0f} are expected")


def _palette_bits(header: Header) -> int:
    descriptor = numbers(header.get("RedPaletteColorLookupTableDescriptor"))
    if descriptor is None or len(descriptor) != 3 or descriptor[2] not in (8, 16):
        raise ReadError("PhotometricInterpretation names a palette that the header lacks")
    return int(descriptor[2])


def _lut_bits(header: Header) -> int | None:
    tables = header.get("ModalityLUTSequence")
    if tables is None or len(tables[0]) == 0:
        return None
    descriptor = numbers(tables[0].get("LUTDescriptor"))
    if descriptor is None or len(descriptor) != 3 or not 1 <= descriptor[2] <= 16:
        raise ReadError("the modality lookup table has no descriptor that can be read")
    return 8 if descriptor[2] <= 8 else 16


def _with_padding(header: Header, made: PixelFormat) -> PixelFormat:
    value, limit = number(header.get("PixelPaddingValue")), number(header.get("PixelPaddingRangeLimit"))
    if value is None or made.floating or made.channels == 3:
        return made
    ends = sorted(_as_stored(int(end), made) for end in (value, value if limit is None else limit))
    low, high = made.value_range if made.lut_bits is None else (0, (1 << made.stored) - 1)
    if ends[1] < low or ends[0] > high:
        return made  # no stored value is in that range
    return PixelFormat(**{**made.__dict__, "padding": (ends[0], ends[1])})


def _as_stored(value: int, made: PixelFormat) -> int:
    """PixelPaddingValue is often written with the other signedness: the same bits are meant."""
    if made.signed and value >= 1 << (made.allocated - 1):
        return value - (1 << made.allocated)
    if not made.signed and value < 0:
        return value + (1 << made.allocated)
    return value


def why_not_decodable(syntax: UID, made: PixelFormat | None = None) -> str:
    """Why no installed decoder reads a transfer syntax, or this format in it; empty when one does."""
    if not syntax.is_compressed or syntax.is_deflated:
        return ""
    name = name_of_uid(str(syntax), "of a private kind")
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        return f"transfer syntax {name} has no decoder"
    installed = decoder.available_plugins if decoder.is_available else ()
    needs_more = syntax in _EIGHT_BIT_ONLY and made is not None and made.stored > 8
    if installed and not (needs_more and set(installed) == {"pillow"}):
        return ""
    return f"no decoder for {name} is installed (the extra gpl-jpeg brings one for JPEG and JPEG-LS)"
