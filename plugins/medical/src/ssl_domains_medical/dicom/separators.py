"""Tags that tell slices at one position apart: diffusion, echo, time, acquisition and further ones, in that order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence

from ssl_domains_medical.dicom.frames import Frame
from ssl_domains_medical.dicom.geometry import clusters, in_plane

__all__ = ["separate", "separate_by_values"]

Labels = Sequence[Hashable]
Separator = Callable[[Sequence[Frame], Sequence[int]], Labels | None]

_B_VALUE = 0.03  # relative: scanners write 995, 1000 and 1005 for one weighting
_ECHO = 0.005
_DIRECTION = 0.02
_IN_PLANE_MM = 1.0
_MOST_DIMENSIONS = 8


def separate(frames: Sequence[Frame], places: Sequence[int], kinds: Sequence[str]) -> list[list[int]] | None:
    """Split the slices of a stack by the first tag that tells some of those at one place apart.

    Args:
        frames: The slices.
        places: Number of the place of each.
        kinds: Whatever else differs between kinds of images in a series, for instance all of ImageType, hashed.

    Returns:
        Indices of each part; None when no tag separates, or no two slices share a place.
    """
    most = max(Counter(places).values(), default=0)
    if most < 2:
        return None
    for separator in (*_SEPARATORS, lambda frames, places: kinds, *_LAST):
        labels = separator(frames, places)
        if labels is None or not _tells_apart(labels, places):
            continue
        parts = _parts(labels)
        # A tag of nearly as many values as slices counts them, and is no property of a volume.
        if len(parts) <= most or 2 * len(parts) <= len(frames):
            return parts
    return None


def separate_by_values(frames: Sequence[Frame]) -> list[list[int]]:
    """Split slices without geometry by echo, b-value, temporal position and acquisition, unless these count them."""
    parts = [list(range(len(frames)))]
    for separator in (_echo, _echo_time, _b_value, _temporal, _acquisition):
        finer = []
        for part in parts:
            labels = separator([frames[i] for i in part], [])
            pieces = _parts(labels) if labels is not None else [list(range(len(part)))]
            counts = len(pieces) == len(part)
            finer += [part] if counts else [[part[i] for i in piece] for piece in pieces]
        parts = finer
    return parts


def _parts(labels: Labels) -> list[list[int]]:
    parts: dict[Hashable, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        parts[label].append(index)
    return list(parts.values())


def _tells_apart(labels: Labels, places: Sequence[int]) -> bool:
    at: dict[int, set[Hashable]] = defaultdict(set)
    for label, place in zip(labels, places, strict=True):
        at[place].add(label)
    return any(len(found) > 1 for found in at.values())


def _near(values: Sequence[float | None], relative: float, absolute: float) -> Labels:
    """Numbers of runs of values of which neighbours differ by little; None stays None."""
    run: dict[float, int] = {}
    before, count = None, 0
    for value in sorted({value for value in values if value is not None}):
        if before is not None and value - before > max(absolute, relative * abs(value)):
            count += 1
        run[value] = count
        before = value
    return [None if value is None else run[value] for value in values]


def _ranked(values: Sequence[float | None], places: Sequence[int]) -> Labels | None:
    """Number of the time point of each slice, for a time that differs a little from place to place.

    Where the times fall into as many separate groups as a place has slices, these are the time points, so that a slice
    may be missing. Else the time point is the rank of the time among those of its place.
    """
    if None in values:
        return None
    known = [value for value in values if value is not None]
    most = max(Counter(places).values(), default=0)
    ascending = sorted(set(known))
    if len(ascending) >= most >= 2:
        gaps = sorted(range(1, len(ascending)), key=lambda i: ascending[i - 1] - ascending[i])[: most - 1]
        starts = sorted(ascending[i] for i in gaps)
        grouped = [bisect_right(starts, value) for value in known]
        if len(set(zip(grouped, places, strict=True))) == len(known):
            return grouped
    at: dict[int, list[float]] = defaultdict(list)
    for value, place in zip(known, places, strict=True):
        at[place].append(value)
    if any(len(set(times)) < len(times) for times in at.values()):
        return None
    for times in at.values():
        times.sort()
    return [bisect_left(at[place], value) for value, place in zip(known, places, strict=True)]


def _b_value(frames: Sequence[Frame], places: Sequence[int]) -> Labels:
    return _near([frame.b_value for frame in frames], _B_VALUE, 1.0)


def _direction(frames: Sequence[Frame], places: Sequence[int]) -> Labels:
    return clusters([frame.direction for frame in frames], _DIRECTION)


def _echo(frames: Sequence[Frame], places: Sequence[int]) -> Labels:
    return [frame.echo for frame in frames]


def _echo_time(frames: Sequence[Frame], places: Sequence[int]) -> Labels:
    return _near([frame.echo_time for frame in frames], _ECHO, 0.02)


def _temporal(frames: Sequence[Frame], places: Sequence[int]) -> Labels:
    return [frame.temporal for frame in frames]


def _temporal_rank(frames: Sequence[Frame], places: Sequence[int]) -> Labels | None:
    return _ranked([frame.temporal for frame in frames], places)


def _trigger(frames: Sequence[Frame], places: Sequence[int]) -> Labels | None:
    return _ranked([frame.trigger for frame in frames], places)


def _acquisition(frames: Sequence[Frame], places: Sequence[int]) -> Labels:
    return [frame.acquisition for frame in frames]


def _acquisition_rank(frames: Sequence[Frame], places: Sequence[int]) -> Labels | None:
    return _ranked([None if f.acquisition is None else float(f.acquisition) for f in frames], places)


def _parameter(number: int) -> Separator:
    def separator(frames: Sequence[Frame], places: Sequence[int]) -> Labels:
        return _near([frame.parameters[number] for frame in frames], _ECHO, 0.01)

    return separator


def _in_plane(frames: Sequence[Frame], places: Sequence[int]) -> Labels:
    return clusters([in_plane(frame.orientation, frame.position) for frame in frames], _IN_PLANE_MM)


def _clock(frames: Sequence[Frame], places: Sequence[int]) -> Labels | None:
    return _ranked([frame.clock for frame in frames], places)


def _content(frames: Sequence[Frame], places: Sequence[int]) -> Labels | None:
    return _ranked([frame.content for frame in frames], places)


def _reference(frames: Sequence[Frame], places: Sequence[int]) -> Labels | None:
    return _ranked([frame.reference for frame in frames], places)


def _dimension(number: int) -> Separator:
    def separator(frames: Sequence[Frame], places: Sequence[int]) -> Labels:
        return [f.dimensions[number] if f.dimensions and number < len(f.dimensions) else None for f in frames]

    return separator


def _exact(frames: Sequence[Frame], places: Sequence[int]) -> Labels:
    return [(frame.b_value, frame.echo_time, frame.parameters) for frame in frames]


_SEPARATORS: tuple[Separator, ...] = (
    _b_value, _direction, _echo, _echo_time, _temporal, _temporal_rank, _trigger, _acquisition, _acquisition_rank,
    *(_parameter(number) for number in range(4)),
)  # fmt: skip
_LAST: tuple[Separator, ...] = (
    _in_plane, _clock, _reference, _content, *(_dimension(number) for number in range(_MOST_DIMENSIONS)), _exact
)  # fmt: skip
