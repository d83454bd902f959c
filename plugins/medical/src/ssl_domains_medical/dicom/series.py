"""From the frames of a series to volumes: geometry decides, and a file's order says nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ssl_domains_medical.dicom.frames import Frame
from ssl_domains_medical.dicom.geometry import Spacing, clusters, normal_of, places, position_along, spacing_of
from ssl_domains_medical.dicom.header.vocabulary import family_of
from ssl_domains_medical.dicom.separators import separate, separate_by_values

__all__ = ["Member", "Volume", "is_localizer", "split_series"]

_SAME_DIRECTION = 0.02  # direction cosines: about one degree
_SAME_SPACING_MM = 1e-3


@dataclass(frozen=True, slots=True)
class Member:
    """A frame as a member of its series.

    Attributes:
        frame: The frame.
        shape: Rows, columns and channels; slices of one volume share them.
        kind: What else tells kinds of images apart, hashed.
        order: Breaks ties, so that a scan doesn't depend on the file system.
        row: Whatever the caller wants back.
    """

    frame: Frame
    shape: tuple[int, int, int]
    kind: str
    order: str
    row: Any


@dataclass(frozen=True)
class Volume:
    """Members of one volume, sorted, with their places.

    Attributes:
        members: Sorted along the normal, else by InstanceNumber.
        positions_mm: Along the normal; None without geometry.
        relative: 0 at the first slice, 1 at the last; None where there is no order or only one slice.
        spacing: Of the positions; ``duplicates`` are the slices that were left out.
        localizer: Whether this is a scout image.
        repeated: Slices left out, since another lies at their position and no tag tells the two apart.
    """

    members: tuple[Member, ...]
    positions_mm: tuple[float | None, ...]
    relative: tuple[float | None, ...]
    spacing: Spacing
    localizer: bool
    repeated: tuple[Member, ...] = ()


def split_series(members: Sequence[Member]) -> list[Volume]:
    """Split the frames of a series into volumes.

    Frames of equal shape, orientation (within about a degree), pixel spacing and family of ImageType form a stack. A
    stack is split only where two of its slices share a position, and then by the tag that tells these apart.
    """
    volumes = []
    for stack in _stacks(members):
        positions = _positions(stack)
        if positions is None:
            parts = separate_by_values([member.frame for member in stack])
            volumes += [_ordered_by_number([stack[i] for i in part]) for part in parts]
        else:
            volumes += _split(stack, positions)
    return volumes


def is_localizer(image_type: Sequence[str]) -> bool:
    """Whether ImageType names a scout: a few slices in several directions, to plan the scan by."""
    return any(word in ("LOCALIZER", "SCOUT") for word in image_type)


def _stacks(members: Sequence[Member]) -> list[list[Member]]:
    frames = [member.frame for member in members]
    directions = clusters([_orientation(frame) for frame in frames], _SAME_DIRECTION)
    spacings = clusters([frame.pixel_spacing for frame in frames], _SAME_SPACING_MM)
    stacks: dict[Hashable, list[Member]] = defaultdict(list)
    for member, direction, spacing in zip(members, directions, spacings, strict=True):
        placed = direction is not None and member.frame.position is not None
        # Without a place in the body nothing else holds the two sides of it apart.
        side = None if placed else member.frame.laterality
        family = family_of(member.frame.image_type)
        key = member.shape, direction, placed, spacing, family, member.frame.stack, side
        stacks[key].append(member)
    return [sorted(stack, key=lambda member: member.order) for stack in stacks.values()]


def _orientation(frame: Frame) -> tuple[float, ...] | None:
    return None if normal_of(frame.orientation) is None else frame.orientation


def _positions(stack: Sequence[Member]) -> list[float] | None:
    """Position of each slice in mm along the mean normal of the stack; None without geometry."""
    normals = [normal for member in stack if (normal := normal_of(member.frame.orientation)) is not None]
    mean = None
    if len(normals) == len(stack):
        total = np.sum(normals, axis=0)
        mean = total / np.linalg.norm(total)
    positions = []
    for member in stack:
        along = position_along(mean, member.frame.position)
        if member.frame.offset_mm is not None:
            along = member.frame.offset_mm + (along or 0.0)
        if along is None:
            return None
        positions.append(round(along, 3) + 0.0)
    return positions


def _pixel_mm(stack: Sequence[Member]) -> float | None:
    return min(stack[0].frame.pixel_spacing or (), default=None)


def _split(stack: Sequence[Member], positions: Sequence[float]) -> list[Volume]:
    at = places(positions, _pixel_mm(stack))
    parts = separate([member.frame for member in stack], at, [member.kind for member in stack])
    if parts is None:
        return [_ordered_by_position(stack, positions, at)]
    volumes = []
    for part in parts:
        volumes += _split([stack[i] for i in part], [positions[i] for i in part])
    return volumes


def _ordered_by_position(stack: Sequence[Member], positions: Sequence[float], at: Sequence[int]) -> Volume:
    order = sorted(range(len(stack)), key=lambda i: (at[i], stack[i].frame.instance or 0, stack[i].order))
    first: dict[int, int] = {}
    for index in order:
        first.setdefault(at[index], index)
    kept = list(first.values())
    repeated = tuple(stack[i] for i in order if first[at[i]] != i)
    mm = [positions[i] for i in kept]
    low, extent = mm[0], mm[-1] - mm[0]
    relative = tuple((place - low) / extent if extent > 0 else None for place in mm)
    members = tuple(stack[i] for i in kept)
    spacing = spacing_of(mm, _pixel_mm(members))
    spacing = Spacing(spacing.mm, spacing.gaps, len(repeated))
    return Volume(members, tuple(mm), relative, spacing, is_localizer(members[0].frame.image_type), repeated)


def _ordered_by_number(members: Sequence[Member]) -> Volume:
    """Without geometry the InstanceNumber is an order only where every slice has its own."""
    by_number = sorted(members, key=lambda member: (member.frame.instance or 0, member.order))
    instances = Counter(member.frame.instance for member in members)
    ordered = len(members) > 1 and None not in instances and max(instances.values()) == 1
    last = len(members) - 1
    relative = tuple(index / last if ordered else None for index in range(len(members)))
    localizer = is_localizer(by_number[0].frame.image_type)
    return Volume(tuple(by_number), (None,) * len(members), relative, Spacing(None, 0, 0), localizer)
