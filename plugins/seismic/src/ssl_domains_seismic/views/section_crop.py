"""Crops of sections and time slices at drawn places, which record where on the map and when they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.samples import SampleTable, regions_of
from ssl_domains.views import Draws, RandomCrop, register_crop
from ssl_domains_seismic.splits.file_place import FilePlace, place_with_times
from ssl_domains_seismic.views.row_interval import SPAN

__all__ = ["PLACES", "SectionCrop", "section_crop"]

PLACES = (
    "inline_bin", "crossline_bin", "sample_bin", "ms", "depth_m", "inline_m", "crossline_m", "x_m", "y_m",
)  # fmt: skip
"""Columns of the middle of a sample that a crop emits for its own middle, where the table has them."""

_READ = (*PLACES, "along", "array", "path", "region", "lines", "samples_as", "coordinates", "vertical", "index_path")


@register_crop
@dataclass(frozen=True)
class SectionCrop:
    """A part of a section or time slice of ``side`` × ``side`` places, each place equally likely.

    All neighbouring sections and all stacks of a sample are shown; a side that is shorter than the crop is shown whole.
    The crop emits where its middle lies under the names of the table's columns for the middle of a sample, so that a
    rule such as ``within('ms', 20)`` compares the drawn places. It also emits the time that its rows cover, for views
    that are set in ms or Hz.

    Attributes:
        side: Places along the rows and columns of a picture.
        emitted: Those of `PLACES` and ``span_ms`` that it emits.
        shared: Whether all views of a slot show the same part.
    """

    name: ClassVar[str] = "seismic-section"
    columns: ClassVar[tuple[str, ...]] = ()
    side: int
    emitted: tuple[str, ...] = ()
    shared: bool = False

    @cached_property
    def _cut(self) -> RandomCrop:
        return RandomCrop((self.side, self.side, self.side))

    def place(self, draws: Draws, shape: Sequence[int], facts: Mapping[str, float]) -> tuple[slice, ...]:
        """See `Crop.place`; the axis of the sections is shorter than the crop, so it is shown whole."""
        return self._cut.place(draws, shape, facts)

    def centre(self, shape: Sequence[int], facts: Mapping[str, float]) -> tuple[slice, ...]:
        """The crop in the middle of the sample."""
        return self._cut.centre(shape, facts)

    def numbers(self, table: SampleTable) -> dict[str, NDArray[np.float64]]:
        """What `emit` needs of each row: ``ms``, the value at its first place, and ``ms/2``, the step along axis 2.

        Steps follow from the rows of a survey where these differ enough; else the headers of its file are read. Steps
        that aren't known, and numbers that follow from them, are NaN.
        """
        steps = {name: np.zeros((len(table), 3)) for name in self.emitted}
        sides = np.ones((len(table), 3))
        placed = regions_of([table])
        assert placed is not None, "section_crop refuses tables without regions"
        (regions,) = placed
        sides[regions.arrays >= 0] = (regions.stops - regions.starts)[regions.arrays >= 0, :3]
        known = table.frame.select([name for name in _READ if name in table.columns])
        for code in np.unique(regions.arrays):
            rows = np.flatnonzero(regions.arrays == code)
            of_place = _steps(place_with_times(known[rows])) if code >= 0 else {}
            for name, made in steps.items():
                made[rows] = of_place.get(name, (np.nan,) * 3)
        found: dict[str, NDArray[np.float64]] = {}
        for name, made in steps.items():
            if name == SPAN:
                slices = table.frame["along"].eq_missing("depth").to_numpy()
                found["span_ms/2"] = np.where(slices, np.nan, made[:, 2])
                continue
            found[name] = table.numbers(name) - (made * (sides - 1) / 2).sum(axis=1)
            found |= {f"{name}/{axis}": made[:, axis] for axis in range(3)}
        return found

    def emit(self, slices: Sequence[slice], facts: Mapping[str, float]) -> dict[str, float]:
        """Where the middle of the crop lies, and the time that its rows cover."""
        middle = [(one.start + one.stop - 1) / 2 for one in slices[:3]]
        made = {}
        for name in self.emitted:
            if name == SPAN:
                made[name] = (slices[2].stop - slices[2].start) * facts.get("span_ms/2", np.nan)
                continue
            steps = (facts.get(f"{name}/{axis}", np.nan) for axis in range(3))
            made[name] = facts.get(name, np.nan) + sum(at * step for at, step in zip(middle, steps, strict=True))
        return made

    def place_many(
        self, draws: Draws, shapes: NDArray[np.int64], facts: Mapping[str, NDArray[np.float64]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """`place` for all slots of a batch; see `Crop`."""
        return self._cut.place_many(draws, shapes, facts)

    def emit_many(
        self, starts: NDArray[np.int64], stops: NDArray[np.int64], facts: Mapping[str, NDArray[np.float64]]
    ) -> dict[str, NDArray[np.float64]]:
        """`emit` for all slots of a batch; see `Crop`."""
        unknown = np.full(len(starts), np.nan)
        middle = (starts + stops - 1)[:, :3] / 2
        made: dict[str, NDArray[np.float64]] = {}
        for name in self.emitted:
            if name == SPAN:
                made[name] = facts.get("span_ms/2", unknown) * (stops - starts)[:, 2]
                continue
            steps = (facts.get(f"{name}/{axis}", unknown) for axis in range(3))
            made[name] = facts.get(name, unknown) + sum(middle[:, axis] * step for axis, step in enumerate(steps))
        return made

    def to_dict(self) -> dict[str, Any]:
        """All settings, as JSON values."""
        return {"side": self.side, "emitted": list(self.emitted), "shared": self.shared}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The reverse of `to_dict`."""
        return cls(int(values["side"]), tuple(values["emitted"]), bool(values["shared"]))


def section_crop(table: SampleTable, side: int) -> SectionCrop:
    """The crop for the samples of a table, which emits every place that the table has.

    Raises:
        UsageError: For a table without regions of volumes, or samples of more neighbouring sections than ``side``.
    """
    from ssl_domains_seismic.preprocess import sides_of

    if not {"region", "along", "path"} <= set(table.columns) or not len(table):
        raise UsageError("views.crop needs samples of volumes", "scan them with ssl-domains seismic scan")
    sections = int(sides_of(table)[:, 2].max())
    if sections > side:
        cause = f"views.crop is {side}, and a sample has {sections} neighbouring sections, which are all shown"
        raise UsageError(cause, f"--set views.crop={sections} or more, or scan with fewer --channels")
    return SectionCrop(side, tuple(name for name in (*PLACES, SPAN) if name in table.columns))


def _steps(place: FilePlace) -> dict[str, tuple[float, float, float]]:
    """How much each emitted number grows from one place to the next along inlines, crosslines and samples."""
    made = {"inline_bin": (1.0, 0.0, 0.0), "crossline_bin": (0.0, 1.0, 0.0), "sample_bin": (0.0, 0.0, 1.0)}
    if place.step is not None:
        made["ms" if place.unit == "ms" else "depth_m"] = (0.0, 0.0, place.step)
        made |= {SPAN: (0.0, 0.0, place.step)} if place.unit == "ms" else {}
    if place.fit is not None:
        inline, crossline = place.fit.inline, place.fit.crossline
        along, across = place.fit.bins
        made |= {"inline_m": (along, 0.0, 0.0), "crossline_m": (0.0, across, 0.0)}
        made |= {"x_m": (inline[0], crossline[0], 0.0), "y_m": (inline[1], crossline[1], 0.0)}
    return made
