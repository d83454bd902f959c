"""One DICOM file as a scan keeps it: a record of plain values, with all identifiers hashed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from sys import intern
from typing import Any

from ssl_domains.samples import ReadError
from ssl_domains_medical.dicom.frames import Frame, frames_of, text
from ssl_domains_medical.dicom.header.headers import Header, read_header
from ssl_domains_medical.dicom.header.kinds import is_secondary, kind_of, may_be_sample, name_of_uid
from ssl_domains_medical.dicom.header.vocabulary import modality_of, scanner_of, type_words
from ssl_domains_medical.dicom.patients import Person, person_of
from ssl_domains_medical.dicom.pixel_format import PixelFormat, pixel_format, why_not_decodable

__all__ = ["DICOMDIR_KIND", "RECORD", "Instance", "Request", "record_of"]

DICOMDIR_KIND = "DICOMDIR"
RECORD = 2  # changes when the attributes of a record do, for a scan may go on from the records of an earlier release
_SHIFT_DAYS = 40_000


@dataclass(frozen=True)
class Request:
    """What a scan asks of each file.

    Attributes:
        digest: Keyed hash.
        burned_in: Whether an image that declares burned-in annotation is accepted.
        site: Keyword of the attribute that tells sites apart, or None.
    """

    digest: Callable[[str], str]
    burned_in: bool = False
    site: str | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """What is kept of a file that holds an image.

    Attributes:
        path: The file.
        uid: SOPInstanceUID, hashed, as are the following two.
        study: StudyInstanceUID.
        series: SeriesInstanceUID, else something that is its own.
        person: Whose it is.
        day: Day of the study, counted from a day that the key and the patient decide; None without a date or patient.
        secondary: Whether it is a screenshot, a document or a sheet of colours derived from other images.
        bare: Whether the file lacks preamble or file meta information.
        shape: Rows, columns, channels.
        kind: All of ImageType and the reconstruction kernel, hashed.
        columns: Columns of the table that need no other file.
        dtypes: Type of the decoded array of each frame.
        frames: Its frames.
    """

    path: Path
    uid: str | None
    study: str | None
    series: str | None
    person: Person
    day: int | None
    secondary: bool
    bare: bool
    shape: tuple[int, int, int]
    kind: str
    columns: dict[str, Any]
    dtypes: tuple[str, ...]
    frames: tuple[Frame, ...]

    @classmethod
    def from_record(cls, path: Path, record: dict[str, Any]) -> Instance:
        """The instance of a record of `record_of`, which may have been through JSON."""
        columns = {intern(name): intern(value) if isinstance(value, str) else value
                   for name, value in record["columns"].items()}  # fmt: skip
        return cls(
            path=path,
            uid=record["uid"],
            study=record["study"] and intern(record["study"]),
            series=record["series"] and intern(record["series"]),
            person=Person(*(value and intern(value) for value in record["person"])),
            day=record["day"],
            secondary=record["secondary"],
            bare=record["bare"],
            shape=tuple(record["shape"]),
            kind=intern(record["kind"]),
            columns=columns,
            dtypes=tuple(map(intern, record["dtypes"])),
            frames=tuple(Frame.from_record(frame) for frame in record["frames"]),
        )


def record_of(path: Path, request: Request) -> dict[str, Any]:
    """Read one file: the record of an `Instance`, or ``{"passed": kind}`` for a file that is no image by its kind.

    Raises:
        ReadError: With the cause, when there is no image, not all of it, or none that may or can be used.
    """
    header = read_header(path, (request.site,) if request.site else ())
    if header.is_dicomdir:
        return {"passed": DICOMDIR_KIND}
    sop_class = text(header.get("SOPClassUID"))
    if not may_be_sample(sop_class):
        return {"passed": kind_of(sop_class or "")}
    if not header.has_pixels:
        name = name_of_uid(sop_class, "") if sop_class else ""
        raise ReadError("no pixel data" + (f" ({name})" if name else ""))
    made = pixel_format(header)
    if reason := why_not_decodable(header.transfer_syntax, made):
        raise ReadError(reason)
    if str(header.get("BurnedInAnnotation", "")).strip().upper() == "YES" and not request.burned_in:
        raise ReadError("burned-in annotation: the pixels may name the patient (--burned-in keeps such images)")
    return _record(header, made, sop_class, request)


def _record(header: Header, made: PixelFormat, sop_class: str | None, request: Request) -> dict[str, Any]:
    digest = request.digest
    person = person_of(header, digest, request.site)
    image_type = header.get("ImageType")
    frames = [_known_words(frame) for frame in frames_of(header, made.frames)]
    if len(frames) > 1 and len({(frame.position, frame.offset_mm) for frame in frames}) == 1:
        # One position for all frames of a file says nothing of their order: they are a cine, ordered by number.
        frames = [_replaced(frame, "position", None) for frame in frames]
    return {
        "uid": _hashed(header, "SOPInstanceUID", digest),
        "study": _hashed(header, "StudyInstanceUID", digest),
        "series": _hashed(header, "SeriesInstanceUID", digest),
        "person": person.record(),
        "day": _day(header, person, digest),
        "secondary": _is_sheet(sop_class, frames[0], made.channels),
        "bare": header.bare,
        "shape": [made.rows, made.columns, made.channels],
        "kind": digest(f"kind {text(image_type)} {text(header.get('ConvolutionKernel'))}"),
        "columns": _columns(header, made, digest),
        "dtypes": _dtypes(made, frames),
        "frames": [_without_clock(frame, person, digest).record() for frame in frames],
    }


def _hashed(header: Header, keyword: str, digest: Callable[[str], str]) -> str | None:
    value = text(header.get(keyword))
    return None if value is None else digest(value)


def _known_words(frame: Frame) -> Frame:
    return _replaced(frame, "image_type", type_words(frame.image_type))


def _without_clock(frame: Frame, person: Person, digest: Callable[[str], str]) -> Frame:
    # Only differences of times are needed, so the time of day itself isn't kept.
    shift = _shift(f"clock {person.patient}", digest)
    for name in ("clock", "content"):
        if (time := getattr(frame, name)) is not None:
            frame = _replaced(frame, name, round(time + shift, 3))
    return frame


def _replaced(frame: Frame, name: str, value: Any) -> Frame:
    made = frame.record()
    made[Frame.__slots__.index(name)] = value
    return Frame(*made)


def _shift(what: str, digest: Callable[[str], str]) -> int:
    return int(digest(f"shift {what}"), 16) % _SHIFT_DAYS


def _is_sheet(sop_class: str | None, frame: Frame, channels: int) -> bool:
    """Whether this was made of other images or is a document: a screenshot, a map in colours, a dose report.

    A grey secondary capture with a position in the body is a slice.
    """
    words = {word for value in frame.image_type for word in value.split()}
    if is_secondary(sop_class):
        return channels == 3 or frame.position is None
    return (channels == 3 and bool(words & {"DERIVED", "SECONDARY"})) or bool(words & {"SCREEN", "REPORT"})


def _dtypes(made: PixelFormat, frames: Sequence[Frame]) -> list[str]:
    """Type of each frame's array; one where all frames share it."""
    found = {(frame.slope, frame.intercept): made.dtype(frame.slope, frame.intercept).name for frame in frames}
    if len(set(found.values())) == 1:
        return list(found.values())[:1]
    return [found[frame.slope, frame.intercept] for frame in frames]


def _columns(header: Header, made: PixelFormat, digest: Callable[[str], str]) -> dict[str, Any]:
    return {
        "modality": modality_of(text(header.get("Modality"))),
        "scanner": scanner_of(text(header.get("Manufacturer")), text(header.get("ManufacturerModelName")), digest),
        "rows": made.rows,
        "columns": made.columns,
        "channels": made.channels,
        "bits": made.stored,
        "photometric": made.photometric,
        "transfer_syntax": name_of_uid(str(header.transfer_syntax), "of a private kind"),
    }


def _day(header: Header, person: Person, digest: Callable[[str], str]) -> int | None:
    for keyword in ("StudyDate", "AcquisitionDate"):
        digits = str(header.get(keyword, "")).replace(".", "")
        try:
            day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).toordinal()
        except ValueError:
            continue
        return None if person.patient is None else day + _shift(f"days {person.patient}", digest)
    return None
