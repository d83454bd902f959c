"""One record a frame: plain images have one, multi-frame objects take theirs from functional groups."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ssl_domains.samples import ReadError
from ssl_domains_medical.dicom.headers import Header, value_of

__all__ = ["Frame", "frames_of", "number", "numbers", "text"]

_SIEMENS_B_VALUE = 0x0019100C
_GE_B_VALUE = 0x00431039


@dataclass(frozen=True)
class Frame:
    """Where one frame belongs inside its series; None is "the header doesn't say".

    Attributes:
        index: Number of the frame in its file, from 0.
        position: ImagePositionPatient, mm.
        orientation: ImageOrientationPatient, six direction cosines.
        offset_mm: Offset along the normal from ``position``, where a file gives its frames that way (RT dose).
        instance: InstanceNumber, or the frame's number: the order when there is no geometry.
        echo: Number and time of the echo.
        temporal: Temporal position, or the trigger time in ms.
        b_value: Diffusion weighting, s/mm².
        acquisition: AcquisitionNumber.
        image_type: ImageType or FrameType, joined by a backslash.
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
    echo: tuple[float | None, float | None]
    temporal: float | None
    b_value: float | None
    acquisition: int | None
    image_type: str | None
    laterality: str | None
    pixel_spacing: tuple[float, ...] | None
    slope: float
    intercept: float
    window: tuple[float | None, float | None]


def frames_of(header: Header) -> Iterator[Frame]:
    """Every frame of a file, in its own order.

    Raises:
        ReadError: When NumberOfFrames is no number.
    """
    count = _frame_count(header)
    shared = _items(header.dataset, "SharedFunctionalGroupsSequence")
    each = _items(header.dataset, "PerFrameFunctionalGroupsSequence")
    offsets = numbers(header.get("GridFrameOffsetVector"))
    for index in range(count):
        # A value of the frame itself wins over one shared by all frames, and that over the file's own.
        groups = [*each[index : index + 1], *shared[:1]]
        offset = offsets[index] if offsets and index < len(offsets) and count > 1 else None
        yield _frame(header, groups, index, count, offset)


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
    echo_time = found("MREchoSequence", "EffectiveEchoTime", "EchoTime")
    temporal = found("FrameContentSequence", "TemporalPositionIndex", "TemporalPositionIdentifier")
    acquisition = number(found("FrameContentSequence", "FrameAcquisitionNumber", "AcquisitionNumber"))
    frame_type = found("MRImageFrameTypeSequence", "FrameType") or found("CTImageFrameTypeSequence", "FrameType")
    position = found("PlanePositionSequence", "ImagePositionPatient", "ImagePositionPatient")
    spacing = found("PixelMeasuresSequence", "PixelSpacing", "PixelSpacing")
    orientation = found("PlaneOrientationSequence", "ImageOrientationPatient", "ImageOrientationPatient")
    centre = found("FrameVOILUTSequence", "WindowCenter", "WindowCenter")
    width = found("FrameVOILUTSequence", "WindowWidth", "WindowWidth")
    return Frame(
        index=index,
        position=numbers(position),
        orientation=numbers(orientation),
        offset_mm=offset,
        instance=index + 1 if count > 1 else (None if instance is None else int(instance)),
        echo=(number(header.get("EchoNumbers")), number(echo_time)),
        temporal=number(temporal if temporal is not None else header.get("TriggerTime")),
        b_value=_b_value(header, found("MRDiffusionSequence", "DiffusionBValue", "DiffusionBValue")),
        acquisition=None if acquisition is None else int(acquisition),
        image_type=text(frame_type if frame_type is not None else header.get("ImageType")),
        laterality=_laterality(header, found("FrameAnatomySequence", "FrameLaterality", "FrameLaterality")),
        pixel_spacing=numbers(spacing),
        slope=1.0 if slope is None else slope,
        intercept=0.0 if intercept is None else intercept,
        window=(_first(centre), _first(width)),
    )


def _frame_count(header: Header) -> int:
    raw = header.get("NumberOfFrames", 1)
    count = number(raw)
    if count is None or count < 1 or count != int(count):
        raise ReadError(f"NumberOfFrames is {str(raw)!r}, no number of frames")
    return int(count)


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
        if tag in header.dataset and (value := _first(header.dataset[tag].value)) is not None:
            # GE adds a billion to mark an intermediate encoding
            return value % 1e9 if tag == _GE_B_VALUE else value
    return None


def _items(dataset: Any, keyword: str) -> Sequence[Any]:
    value = value_of(dataset, keyword)
    return value if value is not None else ()


def _first(value: Any) -> float | None:
    several = numbers(value)
    return several[0] if several else number(value)


def number(value: Any) -> float | None:
    """A finite number, or None for anything else."""
    try:
        made = float(value)
    except (TypeError, ValueError):
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
