"""From the frames of a series to volumes: a SeriesInstanceUID may hold several, and a file's order says nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from ssl_domains_medical.dicom.frames import Frame
from ssl_domains_medical.dicom.geometry import Spacing, normal_of, position_along, spacing_of

__all__ = ["Member", "Volume", "is_localizer", "split_series"]


@dataclass(frozen=True)
class Member:
    """A frame as a member of its series.

    Attributes:
        frame: The frame.
        shape: Rows and columns; slices of one volume share it.
        order: Breaks ties, so that a scan doesn't depend on the file system.
        row: Whatever the caller wants back.
    """

    frame: Frame
    shape: tuple[int, int]
    order: str
    row: Any


@dataclass(frozen=True)
class Volume:
    """Members of one volume, sorted, with their places.

    Attributes:
        key: What told it apart from the other volumes of its series; the same in every scan.
        members: Sorted along the normal, else by InstanceNumber.
        positions_mm: Along the normal; None without geometry.
        relative: 0 at the first slice, 1 at the last; None where there is no order or only one slice.
        spacing: Of the positions.
        localizer: Whether this is a scout image.
    """

    key: str
    members: tuple[Member, ...]
    positions_mm: tuple[float | None, ...]
    relative: tuple[float | None, ...]
    spacing: Spacing
    localizer: bool


def split_series(members: Sequence[Member]) -> list[Volume]:
    """Split a series by shape, orientation, ImageType, echo, b-value, time and acquisition; sort each part."""
    groups: dict[Hashable, list[Member]] = defaultdict(list)
    for member in members:
        frame = member.frame
        groups[member.shape, _direction(frame), frame.image_type, frame.echo, frame.b_value].append(member)
    parts = [(repr(key), group) for key, group in groups.items()]
    for attribute in ("temporal", "acquisition"):
        parts = [(f"{key} {value}", part) for key, group in parts for value, part in _split_by(group, attribute)]
    return [_sorted_volume(key, part) for key, part in parts]


def is_localizer(image_type: str | None) -> bool:
    """Whether ImageType names a scout: a few slices in several directions, to plan the scan by."""
    return image_type is not None and any(word in image_type.upper().split("\\") for word in ("LOCALIZER", "SCOUT"))


def _direction(frame: Frame) -> Hashable:
    normal = normal_of(frame.orientation)
    # one decimal is 6 degrees: a scanner's rounding doesn't split a volume, and another plane does
    return None if normal is None or frame.orientation is None else tuple(round(x, 1) + 0.0 for x in frame.orientation)


def _split_by(group: list[Member], attribute: str) -> list[tuple[Hashable, list[Member]]]:
    """Split by a number, unless it merely counts the slices: some scanners give each slice its own acquisition."""
    parts: dict[Hashable, list[Member]] = defaultdict(list)
    for member in group:
        parts[getattr(member.frame, attribute)].append(member)
    places = [_place(member) for member in group]
    counts_slices = len(parts) == len(group) and None not in places and len(set(places)) == len(places)
    return [("all", group)] if counts_slices else list(parts.items())


def _place(member: Member) -> float | None:
    frame = member.frame
    along = position_along(frame.orientation, frame.position)
    if frame.offset_mm is not None:
        along = frame.offset_mm + (along or 0.0)
    return None if along is None else round(along, 3) + 0.0


def _sorted_volume(key: str, members: Sequence[Member]) -> Volume:
    places = [_place(member) for member in members]
    localizer = is_localizer(members[0].frame.image_type)
    if None not in places:
        known = [place for place in places if place is not None]
        order = sorted(range(len(members)), key=lambda i: (known[i], members[i].frame.instance or 0, members[i].order))
        sorted_mm = [known[i] for i in order]
        low, extent = sorted_mm[0], sorted_mm[-1] - sorted_mm[0]
        relative = [(mm - low) / extent if extent > 0 else None for mm in sorted_mm]
        chosen = tuple(members[i] for i in order)
        return Volume(key, chosen, tuple(sorted_mm), tuple(relative), spacing_of(sorted_mm), localizer)

    # Without geometry the InstanceNumber is an order only where every slice has its own.
    by_number = sorted(members, key=lambda member: (member.frame.instance or 0, member.order))
    instances = Counter(member.frame.instance for member in members)
    ordered = len(members) > 1 and None not in instances and max(instances.values()) == 1
    last = len(members) - 1
    relative = [index / last if ordered else None for index in range(len(members))]
    return Volume(key, tuple(by_number), (None,) * len(members), tuple(relative), Spacing(None, 0, 0), localizer)
