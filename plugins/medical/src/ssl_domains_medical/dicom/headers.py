"""Reading a DICOM header by an allow-list of tags, and knowing about the pixels without decoding them."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pydicom
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, MediaStorageDirectoryStorage

from ssl_domains.samples import ReadError
from ssl_domains_medical.dicom.quiet import quiet

__all__ = ["ALLOWED", "Header", "has_dicom_prefix", "read_header"]

# Nothing else of the header is ever parsed: no name, no birth date, no address, no free text.
ALLOWED: tuple[str | int, ...] = (
    # identity, hashed before it is kept
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID", "IssuerOfPatientID",
    # what was imaged, when, and with what
    "Modality", "Manufacturer", "ManufacturerModelName", "StudyDate", "AcquisitionDate", "ImageLaterality",
    "Laterality", "FrameLaterality", "BurnedInAnnotation", "ImageType",
    # where a slice belongs inside a series
    "InstanceNumber", "AcquisitionNumber", "ImagePositionPatient", "ImageOrientationPatient", "EchoNumbers", "EchoTime",
    "TemporalPositionIdentifier", "TriggerTime", "DiffusionBValue", 0x0019100C, 0x00431039,
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "GridFrameOffsetVector",
    # how the pixels are stored
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated", "BitsStored", "PixelRepresentation",
    "PhotometricInterpretation", "PixelSpacing", "PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleSlope",
    "RescaleIntercept", "WindowCenter", "WindowWidth",
)  # fmt: skip

_PIXEL_TAGS = {(0x7FE0, 0x0010), (0x7FE0, 0x0009), (0x7FE0, 0x0008)}
_PIXEL_NAMES = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True)
class Header:
    """The allowed part of one file's header.

    Attributes:
        path: The file.
        dataset: Allowed elements only.
        transfer_syntax: How the pixels are encoded; empty when the file doesn't say.
        has_pixels: Whether pixel data follows the header.
        pixel_bytes: Length of the pixel data as the file states it; None when encapsulated (compressed).
        missing_bytes: How far the file ends before its pixel data does; 0 when whole or not known.
        misdeclared: Whether the file claims explicit value representations and has none.
        is_dicomdir: Whether it is the index of a medium and no instance.
    """

    path: Path
    dataset: Any
    transfer_syntax: UID
    has_pixels: bool
    pixel_bytes: int | None
    missing_bytes: int
    misdeclared: bool
    is_dicomdir: bool

    def get(self, keyword: str, default: Any = None) -> Any:
        """The value of an element, ``default`` when it is absent or empty."""
        return value_of(self.dataset, keyword, default)


def value_of(dataset: Any, keyword: str, default: Any = None) -> Any:
    """The value of an element of any dataset, ``default`` when it is absent or empty."""
    value = dataset.get(keyword)
    if value is None or (isinstance(value, str) and not value.strip()):
        return default
    try:
        return default if len(value) == 0 else value
    except TypeError:
        return value


def has_dicom_prefix(path: Path) -> bool:
    """Whether the file has ``DICM`` after its 128-byte preamble (DICOM part 10)."""
    with open(path, "rb") as file:
        return file.read(132)[128:] == b"DICM"


def read_header(path: Path) -> Header:
    """Read the allowed elements of a file, stopping before the pixels.

    Raises:
        ReadError: With the cause, when the file can't be parsed.
    """
    with open(path, "rb") as file, quiet():
        try:
            dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(ALLOWED))
            syntax = UID(str(dataset.file_meta.get("TransferSyntaxUID", "")))
            storage = str(dataset.file_meta.get("MediaStorageSOPClassUID", ""))
            if syntax == DeflatedExplicitVRLittleEndian:
                pixels = _pixels_of_deflated(path)
            else:
                pixels = _pixels_ahead(file, dataset)
        except Exception as error:  # a damaged header may raise nearly anything
            raise ReadError(f"unreadable DICOM header: {_in_words(error)}") from error
    if not syntax and pixels.found:
        raise ReadError("no transfer syntax: the header doesn't say how the pixels are encoded")
    return Header(path, dataset, syntax, *pixels, is_dicomdir=storage == MediaStorageDirectoryStorage)


class _Pixels(NamedTuple):
    found: bool = False
    length: int | None = None
    missing: int = 0
    misdeclared: bool = False


def _pixels_ahead(file: BinaryIO, dataset: Any) -> _Pixels:
    """Look at the element on which reading stopped: is it pixel data, how long, and is all of it there?"""
    declared_implicit, little = dataset.original_encoding
    order = "<" if little else ">"
    start = file.tell()
    head = file.read(12)
    if len(head) < 8 or struct.unpack(order + "HH", head[:4]) not in _PIXEL_TAGS:
        return _Pixels()
    # What the bytes say, not what the header declares: files that claim explicit VR and aren't do exist.
    implicit = head[4:6] not in (b"OB", b"OW", b"OF", b"OD", b"UN")
    (length,) = struct.unpack(order + "L", head[4:8] if implicit else head[8:12].ljust(4, b"\0"))
    misdeclared = implicit and not declared_implicit
    if length == _UNDEFINED:
        return _Pixels(True, None, 0, misdeclared)
    end = start + (8 if implicit else 12) + length
    return _Pixels(True, length, max(0, end - os.fstat(file.fileno()).st_size), misdeclared)


def _pixels_of_deflated(path: Path) -> _Pixels:
    """A deflated file has no place to seek to: it must be inflated to know what it holds."""
    dataset = pydicom.dcmread(path, specific_tags=list(_PIXEL_NAMES))
    for name in _PIXEL_NAMES:
        if name in dataset:
            return _Pixels(True, len(dataset[name].value))
    return _Pixels()


def _in_words(error: BaseException) -> str:
    if isinstance(error, pydicom.errors.InvalidDicomError):
        return "no DICM prefix"
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
