"""Reading a DICOM header by an allow-list of tags, and finding the pixels without decoding them."""

from __future__ import annotations

import io
import os
import struct
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from ssl_domains.samples import ReadError, require_expandable
from ssl_domains_medical.dicom.header.bounded_file import BoundedFile
from ssl_domains_medical.dicom.header.elements import PIXEL_TAGS, Elements, TooShort, Unusual, read_elements
from ssl_domains_medical.dicom.header.kinds import DICOMDIR
from ssl_domains_medical.dicom.header.quiet import quiet
from ssl_domains_medical.dicom.header.values import Values, tag_of

__all__ = ["ALLOWED", "Header", "Pixels", "inflated_bytes", "looks_like_dicom", "read_header", "value_of"]

# Nothing else of the header is ever parsed: no name, no address, no free text.
ALLOWED: tuple[str | int, ...] = (
    # identity, hashed before it is kept
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID",
    "IssuerOfPatientID", "PatientSex", "PatientBirthDate",
    # what was imaged, when, and with what
    "Modality", "Manufacturer", "ManufacturerModelName", "StudyDate", "AcquisitionDate", "ImageLaterality",
    "Laterality", "FrameLaterality", "BurnedInAnnotation", "ImageType",
    # where a slice belongs inside a series
    "InstanceNumber", "AcquisitionNumber", "ImagePositionPatient", "ImageOrientationPatient", "EchoNumbers", "EchoTime",
    "TemporalPositionIdentifier", "TriggerTime", "AcquisitionTime", "AcquisitionDateTime", "ContentTime",
    "FrameReferenceTime", "RepetitionTime", "InversionTime",
    "FlipAngle", "SliceThickness", "ConvolutionKernel", "DiffusionBValue", "DiffusionGradientOrientation",
    0x0019100C, 0x0019100E, 0x001910BB, 0x001910BC, 0x001910BD, 0x00431039,
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "GridFrameOffsetVector",
    # how the pixels are stored
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PlanarConfiguration", "BitsAllocated", "BitsStored",
    "HighBit", "PixelRepresentation", "PhotometricInterpretation", "PixelSpacing", "PixelPaddingValue",
    "PixelPaddingRangeLimit", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "WindowCenter", "WindowWidth",
    "RedPaletteColorLookupTableDescriptor",
)  # fmt: skip

_NESTED = frozenset(
    map(tag_of, ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "ModalityLUTSequence"))
)
_WANTED = frozenset(map(tag_of, ALLOWED))
_META = frozenset(map(tag_of, ("TransferSyntaxUID", "MediaStorageSOPClassUID")))
_UNDEFINED = 0xFFFFFFFF
_FIRST_READ, _SECOND_READ = 1 << 14, 1 << 20
_PIECE = 1 << 20
_LONGEST_HEADER = 1 << 26
_NO_PREFIX = "unreadable DICOM header: no DICM prefix"


@dataclass(frozen=True)
class Pixels:
    """Where the pixel data lie.

    Attributes:
        keyword: ``PixelData``, ``FloatPixelData`` or ``DoubleFloatPixelData``; empty when there are none.
        offset: Where their bytes begin in the file, or in the inflated data set.
        length: Their number as the file states it; None when encapsulated (compressed).
        missing: How far the file ends before its pixel data does.
        room: Bytes from ``offset`` to the end of the file.
    """

    keyword: str = ""
    offset: int = 0
    length: int | None = None
    missing: int = 0
    room: int = 0


@dataclass(frozen=True)
class Header:
    """The allowed part of one file's header.

    Attributes:
        path: The file.
        dataset: Allowed elements only: `Values`, or a pydicom data set.
        transfer_syntax: How the pixels are encoded; empty when the file doesn't say.
        pixels: Where the pixel data lie.
        little: Whether the numbers of the file are little-endian.
        bare: Whether the file lacks the preamble or the file meta information of a DICOM file.
        misdeclared: Whether the file claims explicit value representations and has none.
        is_dicomdir: Whether it is the index of a medium and no instance.
    """

    path: Path
    dataset: Any
    transfer_syntax: UID
    pixels: Pixels
    little: bool = True
    bare: bool = False
    misdeclared: bool = False
    is_dicomdir: bool = False

    @property
    def has_pixels(self) -> bool:
        """Whether pixel data follow the header."""
        return bool(self.pixels.keyword)

    def get(self, keyword: str | int, default: Any = None) -> Any:
        """The value of an element, ``default`` when it is absent or empty."""
        return value_of(self.dataset, keyword, default)


def value_of(dataset: Any, keyword: str | int, default: Any = None) -> Any:
    """The value of an element of any data set, ``default`` when it is absent or empty."""
    value = dataset.get(keyword)
    if isinstance(keyword, int) and isinstance(value, pydicom.DataElement):
        value = value.value
    if value is None or (isinstance(value, str) and not value.strip()):
        return default
    try:
        return default if len(value) == 0 else value
    except TypeError:
        return value


def looks_like_dicom(path: Path) -> bool:
    """Whether a file begins as a DICOM file does: ``DICM`` after 128 bytes, or at once with a first element."""
    with open(path, "rb") as file:
        head = file.read(132)
    return head[128:] == b"DICM" or _bare_syntax(head) is not None


def read_header(path: Path, also: tuple[str, ...] = ()) -> Header:
    """Read the allowed elements of a file, stopping before the pixels.

    Args:
        path: The file.
        also: Keywords of further elements to read.

    Raises:
        ReadError: With the cause, when the file can't be parsed.
    """
    with BoundedFile(path) as file, quiet():
        try:
            header = _header(path, file, also)
        except ReadError:
            raise
        except pydicom.errors.InvalidDicomError as error:
            raise ReadError(_NO_PREFIX) from error
        except Exception as error:  # a damaged header may raise nearly anything; its text may repeat what the file says
            raise ReadError(f"unreadable DICOM header ({type(error).__name__})") from error
    if not header.transfer_syntax and header.has_pixels:
        raise ReadError("no transfer syntax: the header doesn't say how the pixels are encoded")
    return header


def _header(path: Path, file: BinaryIO, also: tuple[str, ...]) -> Header:
    size = os.fstat(file.fileno()).st_size
    head = file.read(_FIRST_READ)
    prefix = head[128:132] == b"DICM"
    bare = None if prefix else _bare_syntax(head)
    if not prefix and bare is None:
        raise ReadError(_NO_PREFIX)
    wanted = _WANTED.union(map(tag_of, also)) if also else _WANTED
    try:
        meta, start = _file_meta(head, 132 if prefix else 0)
        syntax = UID(str(meta.get("TransferSyntaxUID", "")))
        is_dicomdir = meta.get("MediaStorageSOPClassUID") == DICOMDIR
        if start == (132 if prefix else 0):
            syntax = _bare_syntax(head[start:]) or syntax
        found = Header(path, meta, syntax, Pixels(), bare=start in (0, 132) or not prefix, is_dicomdir=is_dicomdir)
        if is_dicomdir:
            return found
        if syntax == DeflatedExplicitVRLittleEndian:
            return _deflated_header(found, file, start, wanted, also)
        for much in (_FIRST_READ, _SECOND_READ):
            if much > len(head) and size > len(head):
                head += file.read(much - len(head))
            try:
                return _plain_header(found, head, start, size, wanted)
            except TooShort:
                continue
    except Unusual:
        pass
    file.seek(0)
    return _header_by_pydicom(path, file, size, also)


def _file_meta(head: bytes, start: int) -> tuple[Values, int]:
    """The file meta information, which is always explicit little-endian, and where it ends."""
    found = read_elements(head, start, _META, group=2, whole=True)
    return Values(found.values), found.end


def _plain_header(header: Header, head: bytes, start: int, size: int, wanted: frozenset[int]) -> Header:
    implicit, little = header.transfer_syntax == ImplicitVRLittleEndian, header.transfer_syntax != ExplicitVRBigEndian
    found = read_elements(
        head, start, wanted, implicit=implicit, little=little, nested=_NESTED, whole=len(head) == size
    )
    return replace(header, dataset=Values(found.values, little), pixels=_pixels(found, size), little=little)


def _pixels(found: Elements, size: int) -> Pixels:
    if found.pixel_tag is None:
        return Pixels()
    room, length = size - found.pixel_offset, found.pixel_length
    missing = 0 if length is None else max(0, length - room)
    return Pixels(PIXEL_TAGS[found.pixel_tag], found.pixel_offset, length, missing, room)


def _deflated_header(
    header: Header, file: BinaryIO, start: int, wanted: frozenset[int], also: tuple[str, ...]
) -> Header:
    """The header of a deflated file: its beginning is kept, the rest is only counted."""
    kept, size = _inflated(file, start, _LONGEST_HEADER)
    try:
        found = read_elements(kept, 0, wanted, nested=_NESTED, whole=size == len(kept))
    except Unusual:
        plain = _header_by_pydicom(header.path, io.BytesIO(kept), size, also)
        return replace(header, dataset=plain.dataset, pixels=plain.pixels)
    return replace(header, dataset=Values(found.values), pixels=_pixels(found, size))


def inflated_bytes(header: Header) -> bytes:
    """The whole data set of a deflated file, expanded up to the end of its pixel data.

    Raises:
        ReadError: When it is damaged, or expands beyond the limit on a file.
    """
    with open(header.path, "rb") as file:
        head = file.read(_FIRST_READ)
        _, start = _file_meta(head, 132 if head[128:132] == b"DICM" else 0)
        return _inflated(file, start, header.pixels.offset + (header.pixels.length or 0))[0]


def _inflated(file: BinaryIO, start: int, keep: int) -> tuple[bytes, int]:
    """The first ``keep`` bytes of a deflated data set, and its whole length in bytes.

    Raises:
        ReadError: When it is damaged, or expands beyond the limit on a file.
    """
    file.seek(start)
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    kept, size = bytearray(), 0
    rest = b""
    try:
        while not stream.eof and (piece := rest or file.read(_PIECE)):
            part = stream.decompress(piece, _PIECE)
            rest = stream.unconsumed_tail
            kept += part[: max(0, keep - size)]
            size += len(part)
            require_expandable(size)
    except zlib.error as error:
        raise ReadError(f"the deflated data set is damaged after {size:,} bytes") from error
    return bytes(kept), size


def _bare_syntax(head: bytes) -> UID | None:
    """The encoding of a data set that begins at once with an element of group 2 or 8; None when it doesn't."""
    if len(head) < 8:
        return None
    for order in "<>":
        group, element = struct.unpack_from(order + "HH", head)
        if group not in (0x0002, 0x0008) or element > 0x0100:
            continue
        if head[4:6].isalpha() and head[4:6].isupper():
            return ExplicitVRLittleEndian if order == "<" else ExplicitVRBigEndian
        if order == "<" and struct.unpack_from("<L", head, 4)[0] <= 1024:
            return ImplicitVRLittleEndian
    return None


def _header_by_pydicom(path: Path, file: BinaryIO, size: int, also: tuple[str, ...]) -> Header:
    """What `read_elements` doesn't read: functional groups, and files that differ from what they declare."""
    dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=[*ALLOWED, *also], force=True)
    meta = dataset.file_meta
    syntax = UID(str(meta.get("TransferSyntaxUID", "")))
    implicit, little = dataset.original_encoding
    if not len(meta):
        encodings = {True: ImplicitVRLittleEndian, False: ExplicitVRLittleEndian if little else ExplicitVRBigEndian}
        syntax = encodings[bool(implicit)]
    pixels, implicit_pixels = _pixels_ahead(file, bool(little), size)
    is_dicomdir = str(meta.get("MediaStorageSOPClassUID", "")) == DICOMDIR
    bare, misdeclared = not len(meta) or not dataset.preamble, implicit_pixels and not implicit
    return Header(path, dataset, syntax, pixels, bool(little), bare, misdeclared, is_dicomdir)


def _pixels_ahead(file: BinaryIO, little: bool, size: int) -> tuple[Pixels, bool]:
    """Look at the element on which reading stopped: is it pixel data, how long, and is all of it there?

    The second value says whether it has no value representation.
    """
    order = "<" if little else ">"
    start = file.tell()
    head = file.read(12)
    if len(head) < 8:
        return Pixels(), False
    high, low = struct.unpack(order + "HH", head[:4])
    keyword = PIXEL_TAGS.get(high << 16 | low)
    if keyword is None:
        return Pixels(), False
    # What the bytes say, not what the header declares: files that claim explicit VR and aren't do exist.
    implicit = head[4:6] not in (b"OB", b"OW", b"OF", b"OD", b"UN")
    (length,) = struct.unpack(order + "L", head[4:8] if implicit else head[8:12].ljust(4, b"\0"))
    offset = start + (8 if implicit else 12)
    room = max(0, size - offset)
    if length == _UNDEFINED:
        return Pixels(keyword, offset, None, 0, room), implicit
    return Pixels(keyword, offset, length, max(0, length - room), room), implicit
