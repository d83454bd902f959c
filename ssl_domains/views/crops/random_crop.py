"""Crop of a fixed size at a random place, for arrays of any rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.views.crops.registry import register_crop
from ssl_domains.views.draws import Draws

__all__ = ["RandomCrop"]


@register_crop
@dataclass(frozen=True)
class RandomCrop:
    """A crop of a fixed size; each place in the array is equally likely.

    ``RandomCrop(16_000)`` is a second of a waveform at 16 kHz. ``RandomCrop((None, 32, 32))`` is a column of a volume
    ``[z, y, x]`` that has all of its z. An axis that is shorter than the crop is shown whole; the preprocess or the
    collation then pads.

    Where an axis is cut, the start of the crop is emitted as ``origin + start · spacing``::

        RandomCrop(16_000, emitted="start_s", spacing="seconds_per_sample", origin="clip_start_s")

    Spacing and origin are numbers, or names of table columns. With the origin of each region, crops of two regions of
    one recording have times of one clock, and ``within("start_s", 2)`` compares them.

    Attributes:
        sides: Length of the crop along the first axes, in places of the array; None for the whole axis. Further axes,
            such as channels, are shown whole.
        emitted: One name for each axis that is cut; empty to emit nothing.
        spacing: Distance of two places in physical units, for each axis that is cut; one value serves all of them.
        origin: Coordinate of the first place of a sample in physical units, likewise.
        shared: Whether all views of a slot use the same random numbers.

    Raises:
        UsageError: For a side below 1, no axis that is cut, or a number of names or values that doesn't fit.
    """

    name: ClassVar[str] = "random"
    sides: tuple[int | None, ...]
    emitted: tuple[str, ...] = ()
    spacing: tuple[float | str, ...] = (1.0,)
    origin: tuple[float | str, ...] = (0.0,)
    shared: bool = False

    def __init__(
        self,
        sides: int | Sequence[int | None],
        emitted: str | Sequence[str] = (),
        spacing: float | str | Sequence[float | str] = 1.0,
        origin: float | str | Sequence[float | str] = 0.0,
        shared: bool = False,
    ) -> None:
        lengths = (sides,) if isinstance(sides, int) else tuple(sides)
        names = (emitted,) if isinstance(emitted, str) else tuple(emitted)
        cut = sum(side is not None for side in lengths)
        if not cut or any(side is not None and side < 1 for side in lengths):
            raise UsageError(f"a crop of sides {lengths}", "give at least one axis a length of 1 or more")
        if len(names) not in (0, cut) or len(set(names)) < len(names):
            raise UsageError(f"a crop emits {names}, but cuts {cut} axes", "give each axis that is cut its own name")
        object.__setattr__(self, "sides", lengths)
        object.__setattr__(self, "emitted", names)
        object.__setattr__(self, "spacing", _each(spacing, cut, "spacing"))
        object.__setattr__(self, "origin", _each(origin, cut, "origin"))
        object.__setattr__(self, "shared", bool(shared))

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that spacing and origin name, where they are emitted."""
        values = (*self.spacing, *self.origin) if self.emitted else ()
        return tuple(dict.fromkeys(value for value in values if isinstance(value, str)))

    @property
    def axes(self) -> tuple[int, ...]:
        """Numbers of the axes that are cut."""
        return tuple(axis for axis, side in enumerate(self.sides) if side is not None)

    def place(self, draws: Draws, shape: Sequence[int], facts: Mapping[str, float]) -> tuple[slice, ...]:
        """See `Crop.place`.

        Raises:
            UsageError: When the array has fewer axes than ``sides``.
        """
        free = draws.uniform(len(self.axes))[0].tolist()
        return self._slices(shape, lambda room, number: min(int(free[number] * (room + 1)), room))

    def centre(self, shape: Sequence[int], facts: Mapping[str, float]) -> tuple[slice, ...]:
        """The crop in the middle of the array."""
        return self._slices(shape, lambda room, number: room // 2)

    def emit(self, slices: Sequence[slice], facts: Mapping[str, float]) -> dict[str, float]:
        """The start along each axis that is cut, ``origin + start · spacing``."""
        made = {}
        for number, name in enumerate(self.emitted):
            start = slices[self.axes[number]].start
            made[name] = _value(self.origin[number], facts) + start * _value(self.spacing[number], facts)
        return made

    def place_many(
        self, draws: Draws, shapes: NDArray[np.int64], facts: Mapping[str, NDArray[np.float64]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """`place` for all slots of a batch; see `Crop`.

        Raises:
            UsageError: As `place`.
        """
        self._require_rank(shapes.shape[1])
        free = draws.uniform(len(self.axes)).numpy()
        starts, stops = np.zeros_like(shapes), shapes.copy()
        for number, axis in enumerate(self.axes):
            room = np.maximum(shapes[:, axis] - self._side(axis), 0)
            starts[:, axis] = np.minimum((free[:, number] * (room + 1)).astype(np.int64), room)
            stops[:, axis] = np.minimum(starts[:, axis] + self._side(axis), shapes[:, axis])
        return starts, stops

    def emit_many(
        self, starts: NDArray[np.int64], stops: NDArray[np.int64], facts: Mapping[str, NDArray[np.float64]]
    ) -> dict[str, NDArray[np.float64]]:
        """`emit` for all slots of a batch; see `Crop`."""
        made = {}
        for number, name in enumerate(self.emitted):
            origin, spacing = (
                facts[value] if isinstance(value, str) else value
                for value in (self.origin[number], self.spacing[number])
            )
            made[name] = np.asarray(origin + starts[:, self.axes[number]] * spacing, dtype=np.float64)
        return made

    def to_dict(self) -> dict[str, Any]:
        """All settings, as JSON values."""
        return {
            "sides": list(self.sides),
            "emitted": list(self.emitted),
            "spacing": list(self.spacing),
            "origin": list(self.origin),
            "shared": self.shared,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The reverse of `to_dict`."""
        return cls(**values)

    def _require_rank(self, rank: int) -> None:
        if rank < len(self.sides):
            cause = f"a crop of {len(self.sides)} axes on an array of {rank}"
            raise UsageError(cause, "give `sides` at most one length for each axis of the reader's arrays")

    def _side(self, axis: int) -> int:
        """Length of the crop along an axis that is cut."""
        side = self.sides[axis]
        assert side is not None
        return side

    def _slices(self, shape: Sequence[int], start_of: Any) -> tuple[slice, ...]:
        self._require_rank(len(shape))
        made = [slice(0, length) for length in shape]
        for number, axis in enumerate(self.axes):
            side = self._side(axis)
            if shape[axis] > side:
                start = start_of(shape[axis] - side, number)
                made[axis] = slice(start, start + side)
        return tuple(made)


def _each(values: float | str | Sequence[float | str], count: int, name: str) -> tuple[float | str, ...]:
    listed = (values,) if isinstance(values, int | float | str) else tuple(values)
    if len(listed) not in (1, count):
        raise UsageError(f"a crop cuts {count} axes and has {len(listed)} values of {name}", "give one, or one an axis")
    made = tuple(value if isinstance(value, str) else float(value) for value in listed)
    return made * count if len(made) == 1 else made


def _value(value: float | str, facts: Mapping[str, float]) -> float:
    return float(facts[value]) if isinstance(value, str) else value
