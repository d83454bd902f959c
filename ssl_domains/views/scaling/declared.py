"""The scaling that a domain declares: where the values that become 0 and 1 come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views.scaling.ranges import Window, sampled_values, window_between

if TYPE_CHECKING:
    from ssl_domains.views.scaling.fitted import FittedScaling

__all__ = ["Scaling"]

WHOLE = ""
"""Name of the window that all rows share."""


@dataclass(frozen=True)
class Scaling:
    """How a domain scales its values to [0, 1]; values outside the window are clipped.

    Example:
        Volumes of MR by their own percentiles, and the pictures beside them by the range of their type::

            Scaling("volume", group="volume", column="scaled_by", windows={"type": None})

    Attributes:
        scope: Where the window comes from. ``fixed``: the window (lo, hi), as a CT window. Without lo and hi, each type
            has its own window: 0 to 255 for uint8, 0 to 1 for bool, and for every other type the least and the greatest
            value among the training rows of that type. ``volume``: two percentiles of the values of each volume, as for
            MR, whose intensities have no fixed unit. ``survey``: from −a to a, where a is the upper percentile of |x|
            over the training rows, so that zero amplitude becomes 0.5; with ``group``, over the training rows of each
            survey, or over all its rows if none is for training.
        lo: Value that becomes 0 with ``fixed``; None for the windows of the types.
        hi: Value that becomes 1 with ``fixed``; None for the windows of the types.
        percentiles: Lower and upper percentile, from 0 to 100. ``volume`` uses both, ``survey`` the upper one.
        group: Column that names the volume or the survey of a row. ``volume`` needs it; ``survey`` without it has one
            window for all rows.
        column: Column whose value chooses another window for some rows, those of ``windows``; None if there is none.
        windows: Value of ``column`` → window (lo, hi) of such rows, or None for the windows of the types. Rows with
            another value are scaled by ``scope``.
    """

    scope: Literal["fixed", "volume", "survey"] = "fixed"
    lo: float | None = None
    hi: float | None = None
    percentiles: tuple[float, float] = (0.5, 99.5)
    group: str | None = None
    column: str | None = None
    windows: Mapping[str, Window | None] | None = None

    def __post_init__(self) -> None:
        if self.scope not in ("fixed", "volume", "survey"):
            raise UsageError(f"unknown scope of scaling {self.scope!r}", "known: fixed, survey, volume")
        if self.scope == "volume" and self.group is None:
            raise UsageError("scaling by volume needs a column that names the volume", "set group=…")
        if (self.column is None) != (not self.windows):
            raise UsageError("a scaling has column without windows, or windows without column", "give both or neither")
        for low, high in ((self.lo, self.hi), *(window for window in (self.windows or {}).values() if window)):
            if (low is None) != (high is None) or (low is not None and high is not None and low >= high):
                raise UsageError(f"the window {low} to {high} is empty or has one end", "give both ends, lo < hi")
        low, high = self.percentiles
        if not 0 <= low < high <= 100:
            raise UsageError(f"percentiles {low} and {high} are not in order", "give two between 0 and 100")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table that say which window a row has."""
        by = (self.column, self.group if self.grouped else None)
        return tuple(name for name in by if name is not None)

    @property
    def grouped(self) -> bool:
        """Whether each volume or survey has a window of its own."""
        return self.group is not None and self.scope != "fixed"

    def key(self, facts: Mapping[str, Any]) -> str | None:
        """Name of the window of a row, from its values of `columns`; None where its array's type decides.

        Raises:
            DataError: When the row names no volume or survey although it is scaled by these.
        """
        if self.column is not None and self.windows is not None:
            if self.column not in facts:
                cause = f"the scaling of an array depends on {self.column!r} of its row"
                raise DataError(cause, f"hand over facts={{{self.column!r}: …}}")
            chosen = str(facts[self.column])
            if chosen in self.windows:
                return None if self.windows[chosen] is None else f"{self.column}={chosen}"
        if self.grouped and self.group is not None:
            if facts.get(self.group) is None:
                raise DataError(f"a row has no {self.group!r}, which scaling goes by", "fill the column")
            return str(facts[self.group])
        return None if self.scope == "fixed" and self.lo is None else WHOLE

    def fit(self, table: SampleTable, store: ArrayStore) -> FittedScaling:
        """Fit the windows: for ``survey`` and for types on the training rows, for ``volume`` on each group.

        Raises:
            DataError: When there is nothing to fit on, or a row names no volume or survey.
        """
        # Imported here, as a fitted scaling holds the declared one.
        from ssl_domains.views.scaling.fitted import FittedScaling

        windows: dict[str, Window] = {
            f"{self.column}={value}": window for value, window in (self.windows or {}).items() if window is not None
        }
        fitted_on: dict[str, tuple[int, int]] = {}
        if self.scope == "survey":
            samples, training = store.of(table), table.rows_of("train")
            rows = training[samples.decoded[training]]
            if not self.grouped:
                values, of = sampled_values(samples, rows)
                windows[WHOLE], fitted_on[WHOLE] = self.window_of(values), (len(values), of)
            if not len(rows if self.grouped else values):
                raise DataError("no training row has data to fit the clip of the survey on", "check the column 'split'")
        elif self.scope == "fixed" and self.lo is not None and self.hi is not None:
            windows[WHOLE] = (self.lo, self.hi)
        return FittedScaling(self, windows, fitted_on).extend(table, store)

    def window_of(self, values: NDArray[np.float64]) -> Window:
        """The window of a volume or of a survey from its values, float64 ``[n]``; 0 to 1, or −1 to 1, without any."""
        if self.scope == "survey":
            clip = float(np.percentile(np.abs(values), self.percentiles[1])) if len(values) else 0.0
            return (-clip, clip) if clip else (-1.0, 1.0)
        low, high = (float(v) for v in np.percentile(values, self.percentiles)) if len(values) else (0.0, 1.0)
        return window_between(low, high)

    def to_dict(self) -> dict[str, Any]:
        """Settings as JSON values; what is not given is left out of ``column`` and ``windows``."""
        made: dict[str, Any] = {"scope": self.scope, "lo": self.lo, "hi": self.hi}
        made |= {"percentiles": list(self.percentiles), "group": self.group}
        if self.column is not None and self.windows is not None:
            windows = {value: None if window is None else list(window) for value, window in self.windows.items()}
            made |= {"column": self.column, "windows": windows}
        return made

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Scaling:
        """The reverse of `to_dict`."""
        declared = {**values, "percentiles": tuple(values["percentiles"])}
        if declared.get("windows"):
            chosen = declared["windows"].items()
            declared["windows"] = {str(value): None if ends is None else _window(ends) for value, ends in chosen}
        return cls(**declared)


def _window(ends: Any) -> Window:
    low, high = ends
    return float(low), float(high)
