"""One record a frame: plain images have one, multi-frame objects take theirs from functional groups."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from ssl_domains_medical.dicom.header.headers import Header, value_of

__all__ = ["Frame", "frames_of", "number", "numbers", "text"]

_SIEMENS_B_VALUE, _GE_B_VALUE = 0x0019100C, 0x00431039
_SIEMENS_DIRECTION, _GE_DIRECTION = 0x0019100E, (0x001910BB, 0x001910BC, 0x001910BD)
_PARAMETERS = ("RepetitionTime", "InversionTime", "FlipAngle", "SliceThickness")


@dataclass(frozen=True, slots=True)
class Frame:
    """Where one frame belongs inside its series; None is "the header doesn't say".

    Attributes:
        index: Number of the frame in its file, from 0.
        position: ImagePositionPatient, mm.
        orientation: ImageOrientationPatient, six direction cosines.
        offset_mm: Offset along the normal from ``position``, where a file gives its frames that way (RT dose).
        instance: InstanceNumber, or the frame's number: the order when there is no geometry.
        echo: Number of the echo.
        echo_time: Its time, ms.
        temporal: Temporal position.
        trigger: Trigger time or delay, ms.
        b_value: Diffusion weighting, s/mm².
        direction: Diffusion gradient, a unit vector.
        acquisition: AcquisitionNumber.
        parameters: Repetition time, inversion time, flip angle, slice thickness.
        clock: Time of day of the acquisition, s.
        content: Time of day at which the pixels were made, s.
        reference: FrameReferenceTime, ms: the time in a dynamic PET series.
        stack: Number of the stack (StackID) in a multi-frame file, from 0 in the order of its frames.
        dimensions: DimensionIndexValues of a frame of a multi-frame file.
        image_type: Values of ImageType or FrameType.
        laterality: ``"R"``, ``"L"`` or ``"B"``.
        pixel_spacing: Row and column spacing, mm.
        slope: Rescale slope.
        intercept: Rescale intercept.
        window: Centre and width of the first VOI window.
    """

    index: int
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    offset_mm: float | None
    instance: int | None
    echo: float | None
    echo_time: float | None
    temporal: float | None
    trigger: float | None
    b_value: float | None
    direction: tuple[float, ...] | None
    acquisition: int | None
    parameters: tuple[float | None, ...]
    clock: float | None
    content: float | None
    reference: float | None
    stack: int | None
    dimensions: tuple[float, ...] | None
    image_type: tuple[str, ...]
    laterality: str | None
    pixel_spacing: tuple[float, ...] | None
    slope: float
    intercept: float
    window: tuple[float | None, float | None]

    def record(self) -> list[Any]:
        """The values in the order of the attributes, for JSON."""
        return [getattr(self, name) for name in _NAMES]

    @classmethod
    def from_record(cls, record: Sequence[Any]) -> Frame:
        """The frame of a record, which may have been through JSON."""
        values: list[Any] = [tuple(value) if isinstance(value, list) else value for value in record]
        return cls(*values)


_NAMES = tuple(field.name for field in fields(Frame))


def frames_of(header: Header, count: int) -> Iterator[Frame]:
    """The ``count`` frames of a file, in its own order."""
    shared = _items(header.dataset, "SharedFunctionalGroupsSequence")
    each = _items(header.dataset, "PerFrameFunctionalGroupsSequence")
    offsets = numbers(header.get("GridFrameOffsetVector"))
    stacks = _stacks(each[:count])
    for index in range(count):
        # A value of the frame itself wins over one shared by all frames, and that over the file's own.
        groups = [*each[index : index + 1], *shared[:1]]
        offset = offsets[index] if offsets and index < len(offsets) and count > 1 else None
        frame = _frame(header, groups, index, count, offset)
        yield replace(frame, stack=stacks[index]) if stacks else frame


def _stacks(groups: Sequence[Any]) -> list[int]:
    """Number of the stack of each frame by its StackID; empty where the frames don't fall into several stacks."""
    names = [
        next((str(name) for item in _items(group, "FrameContentSequence") if (name := value_of(item, "StackID"))), "")
        for group in groups
    ]
    number_of = {name: place for place, name in enumerate(dict.fromkeys(names))}
    several = 1 < len(number_of) <= len(names) / 2  # a StackID of its own for each frame only counts the frames
    return [number_of[name] for name in names] if several else []


def _frame(header: Header, groups: Sequence[Any], index: int, count: int, offset: float | None) -> Frame:
    def found(sequence: str, keyword: str, plain: str | None = None) -> Any:
        for group in groups:
            for item in _items(group, sequence):
                value = value_of(item, keyword)
                if value is not None:
                    return value
        return header.get(plain) if plain else None

    instance = number(header.get("InstanceNumber"))
    slope = number(found("PixelValueTransformationSequence", "RescaleSlope", "RescaleSlope"))
    intercept = number(found("PixelValueTransformationSequence", "RescaleIntercept", "RescaleIntercept"))
    acquisition = number(found("FrameContentSequence", "FrameAcquisitionNumber", "AcquisitionNumber"))
    frame_type = found("MRImageFrameTypeSequence", "FrameType") or found("CTImageFrameTypeSequence", "FrameType")
    trigger = found("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime", "TriggerTime")
    return Frame(
        index=index,
        position=numbers(found("PlanePositionSequence", "ImagePositionPatient", "ImagePositionPatient")),
        orientation=numbers(found("PlaneOrientationSequence", "ImageOrientationPatient", "ImageOrientationPatient")),
        offset_mm=offset,
        instance=index + 1 if count > 1 else (None if instance is None else int(instance)),
        echo=number(header.get("EchoNumbers")),
        echo_time=number(found("MREchoSequence", "EffectiveEchoTime", "EchoTime")),
        temporal=number(found("FrameContentSequence", "TemporalPositionIndex", "TemporalPositionIdentifier")),
        trigger=number(trigger),
        b_value=_b_value(header, found("MRDiffusionSequence", "DiffusionBValue", "DiffusionBValue")),
        direction=_direction(header, groups),
        acquisition=None if acquisition is None else int(acquisition),
        parameters=tuple(number(header.get(keyword)) for keyword in _PARAMETERS),
        clock=_clock(
            _of_moment(found("FrameContentSequence", "FrameAcquisitionDateTime")),
            header.get("AcquisitionTime"),
            _of_moment(header.get("AcquisitionDateTime")),
        ),
        content=_clock(_of_moment(found("FrameContentSequence", "FrameReferenceDateTime")), header.get("ContentTime")),
        reference=number(header.get("FrameReferenceTime")),
        stack=None,
        dimensions=numbers(found("FrameContentSequence", "DimensionIndexValues")) if count > 1 else None,
        image_type=_values(frame_type if frame_type is not None else header.get("ImageType")),
        laterality=_laterality(header, found("FrameAnatomySequence", "FrameLaterality", "FrameLaterality")),
        pixel_spacing=numbers(found("PixelMeasuresSequence", "PixelSpacing", "PixelSpacing")),
        slope=1.0 if slope is None else slope,
        intercept=0.0 if intercept is None else intercept,
        window=(
            _first(found("FrameVOILUTSequence", "WindowCenter", "WindowCenter")),
            _first(found("FrameVOILUTSequence", "WindowWidth", "WindowWidth")),
        ),
    )


def _laterality(header: Header, of_frame: Any) -> str | None:
    for value in (header.get("ImageLaterality"), header.get("Laterality"), of_frame):
        letter = str(value or "").strip().upper()
        if letter in ("R", "L", "B"):
            return letter
    return None


def _b_value(header: Header, standard: Any) -> float | None:
    if (value := number(standard)) is not None:
        return value
    for tag in (_SIEMENS_B_VALUE, _GE_B_VALUE):
        if (value := _first(header.get(tag))) is not None:
            # GE adds a billion to mark an intermediate encoding
            return value % 1e9 if tag == _GE_B_VALUE else value
    return None


def _direction(header: Header, groups: Sequence[Any]) -> tuple[float, ...] | None:
    for group in groups:
        for diffusion in _items(group, "MRDiffusionSequence"):
            for item in _items(diffusion, "DiffusionGradientDirectionSequence"):
                if (vector := numbers(value_of(item, "DiffusionGradientOrientation"))) is not None:
                    return vector
    for name in ("DiffusionGradientOrientation", _SIEMENS_DIRECTION):
        vector = numbers(header.get(name))
        if vector is not None and len(vector) == 3:
            return vector
    parts = [_first(header.get(tag)) for tag in _GE_DIRECTION]
    return None if None in parts else tuple(part for part in parts if part is not None)


def _of_moment(moment: Any) -> str | None:
    """The time of day of a date and time."""
    return None if moment is None else str(moment)[8:]


def _clock(*texts: Any) -> float | None:
    """The first time of day that can be read, s."""
    for clock in (str(value).replace(":", "") for value in texts if value is not None):
        hours, minutes, seconds = (number(clock[part]) for part in (slice(0, 2), slice(2, 4), slice(4, 13)))
        if hours is not None and minutes is not None:
            return hours * 3600 + minutes * 60 + (seconds or 0.0)
    return None


def _items(dataset: Any, keyword: str) -> Sequence[Any]:
    value = value_of(dataset, keyword)
    return value if value is not None else ()


def _values(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(map(str, value))


def _first(value: Any) -> float | None:
    several = numbers(value)
    return several[0] if several else number(value)


def number(value: Any) -> float | None:
    """A finite number, or None for anything else; a decimal comma is read as a point."""
    if isinstance(value, str) and "," in value and "." not in value:
        value = value.replace(",", ".")
    try:
        made = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return made if math.isfinite(made) else None


def numbers(value: Any) -> tuple[float, ...] | None:
    """Several finite numbers, or None when one of them is not."""
    if value is None or isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return None
    made = [number(one) for one in value]
    return None if None in made else tuple(one for one in made if one is not None)


def text(value: Any) -> str | None:
    """Text, several values joined by a backslash; None when empty."""
    if value is None:
        return None
    several = not isinstance(value, str) and hasattr(value, "__iter__")
    joined = "\\".join(map(str, value)) if several else str(value)
    return joined.strip() or None
