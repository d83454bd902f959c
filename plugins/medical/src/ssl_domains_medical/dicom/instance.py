"""One DICOM file as a scan keeps it: is there an image, may it be used, and what does its header say of it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ssl_domains.samples import ReadError
from ssl_domains_medical.dicom.frames import Frame, frames_of, number, text
from ssl_domains_medical.dicom.headers import Header
from ssl_domains_medical.dicom.pixels import why_not_decodable

__all__ = ["Instance", "instance_of"]


@dataclass(frozen=True)
class Instance:
    """What is kept of a file: plain values, for a million headers wouldn't fit into memory.

    Attributes:
        path: The file.
        relative: Its path below the scanned folder.
        uid: SOPInstanceUID.
        study: StudyInstanceUID.
        series: SeriesInstanceUID, else something that is its own.
        patient_id: PatientID as it stands.
        issuer: IssuerOfPatientID.
        day: StudyDate, else AcquisitionDate.
        shape: Rows, columns.
        columns: Columns of the table that need no other file.
        frames: Its frames.
    """

    path: Path
    relative: str
    uid: str | None
    study: str | None
    series: str
    patient_id: str | None
    issuer: str | None
    day: date | None
    shape: tuple[int, int]
    columns: dict[str, Any]
    frames: tuple[Frame, ...]


def instance_of(header: Header, root: Path, burned_in: bool) -> Instance:
    """Take what the sample table needs from a header.

    Args:
        header: Of a file that may or may not hold an image.
        root: The folder that is scanned.
        burned_in: Whether an image that declares burned-in annotation is accepted.

    Raises:
        ReadError: With the cause, when there is no image, not all of it, or none that may or can be used.
    """
    if not header.has_pixels:
        kind = header.get("SOPClassUID")
        raise ReadError("no pixel data" + (f" ({kind.name})" if kind is not None and hasattr(kind, "name") else ""))
    for keyword in ("Rows", "Columns", "BitsAllocated"):
        if not number(header.get(keyword)):
            raise ReadError(f"pixel data without {keyword}")
    if header.missing_bytes:
        raise ReadError(f"truncated: the last {header.missing_bytes:,} bytes of the pixel data are missing")
    frames = tuple(frames_of(header))
    expected = _expected_bytes(header, len(frames))
    if header.pixel_bytes is not None and header.pixel_bytes < expected:
        raise ReadError(f"truncated: {header.pixel_bytes:,} bytes of pixel data where {expected:,} are expected")
    if reason := why_not_decodable(header.transfer_syntax):
        raise ReadError(reason)
    if str(header.get("BurnedInAnnotation", "")).strip().upper() == "YES" and not burned_in:
        raise ReadError("burned-in annotation: the pixels may name the patient (--burned-in keeps such images)")
    relative = header.path.relative_to(root).as_posix() if header.path.is_relative_to(root) else header.path.name
    uid = text(header.get("SOPInstanceUID"))
    return Instance(
        path=header.path,
        relative=relative,
        uid=uid,
        study=text(header.get("StudyInstanceUID")),
        series=text(header.get("SeriesInstanceUID")) or uid or relative,
        patient_id=text(header.get("PatientID")),
        issuer=text(header.get("IssuerOfPatientID")),
        day=_day(header),
        shape=(int(header.get("Rows")), int(header.get("Columns"))),
        columns=_header_columns(header),
        frames=frames,
    )


def _header_columns(header: Header) -> dict[str, Any]:
    signed = int(header.get("PixelRepresentation", 0)) == 1
    photometric = text(header.get("PhotometricInterpretation"))
    colour = int(header.get("SamplesPerPixel", 1)) == 3 or photometric == "PALETTE COLOR"
    maker = [name for name in (text(header.get("Manufacturer")), text(header.get("ManufacturerModelName"))) if name]
    return {
        "modality": text(header.get("Modality")),
        "scanner": " ".join(maker) or None,
        "rows": int(header.get("Rows")),
        "columns": int(header.get("Columns")),
        "channels": 3 if colour else 1,
        "bits": int(header.get("BitsStored", header.get("BitsAllocated"))),
        "dtype": f"{'int' if signed else 'uint'}{int(header.get('BitsAllocated'))}",
        "photometric": photometric,
        "transfer_syntax": header.transfer_syntax.name,
    }


def _expected_bytes(header: Header, frames: int) -> int:
    samples, bits = int(header.get("SamplesPerPixel", 1)), int(header.get("BitsAllocated"))
    pixels = int(header.get("Rows")) * int(header.get("Columns")) * frames
    if header.get("PhotometricInterpretation") == "YBR_FULL_422":
        return pixels * 2  # two pixels share their chroma
    return (pixels * samples * bits + 7) // 8


def _day(header: Header) -> date | None:
    for keyword in ("StudyDate", "AcquisitionDate"):
        digits = str(header.get(keyword, "")).replace(".", "")
        try:
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
        except ValueError:
            continue
    return None
