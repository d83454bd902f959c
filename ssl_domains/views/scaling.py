"""Scaling of values from their native unit to [0, 1]: declared by the domain, fitted once, recorded with the run.

Pictures are never scaled by their own minimum and maximum: the unit would be lost, and an empty slice would look like
any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore, SampleArrays

__all__ = ["FittedScaling", "Scaling", "valid_pixels"]

Window = tuple[float, float]
VALUES = 2_000_000  # about how many values a percentile is computed from, for each group or survey
_ALL = ""


@dataclass(frozen=True)
class Scaling:
    """How a domain scales its values to [0, 1]; values outside the window are clipped.

    Attributes:
        scope: Where the window comes from. ``fixed``: the window (lo, hi), as a CT window or a camera's 0–255.
            ``volume``: two percentiles of the values of each volume, as for MR, whose intensities have no fixed unit.
            ``survey``: from −a to a, where a is the upper percentile of |x| over the training rows, so that zero
            amplitude becomes 0.5.
        lo: Value that becomes 0 with ``fixed``; None is the least value of an integer type.
        hi: Value that becomes 1 with ``fixed``; None is the greatest value of an integer type.
        percentiles: Lower and upper percentile, from 0 to 100. ``volume`` uses both, ``survey`` the upper one.
        group: Column that names the volume of a row; needed by ``volume``.
    """

    scope: Literal["fixed", "volume", "survey"] = "fixed"
    lo: float | None = None
    hi: float | None = None
    percentiles: tuple[float, float] = (0.5, 99.5)
    group: str | None = None

    def __post_init__(self) -> None:
        if self.scope not in ("fixed", "volume", "survey"):
            raise UsageError(f"unknown scope of scaling {self.scope!r}", "known: fixed, survey, volume")
        if self.scope == "volume" and self.group is None:
            raise UsageError("scaling by volume needs a column that names the volume", "set group=…")
        if (self.lo is None) != (self.hi is None) or (
            self.lo is not None and self.hi is not None and self.lo >= self.hi
        ):
            raise UsageError(f"the window {self.lo} to {self.hi} is empty or has one end", "give both ends, lo < hi")
        low, high = self.percentiles
        if not 0 <= low < high <= 100:
            raise UsageError(f"percentiles {low} and {high} are not in order", "give two between 0 and 100")

    def fit(self, table: SampleTable, store: ArrayStore) -> FittedScaling:
        """Fit the windows: for ``survey`` on the training rows only, for ``volume`` on each group of the table.

        Raises:
            DataError: When there is nothing to fit on, or float data has no declared window.
        """
        if self.scope == "volume":
            return FittedScaling(self).extend(table, store)
        samples = store.of(table)
        if self.scope == "survey":
            training = table.rows_of("train")
            values, of = _values(samples, training[samples.decoded[training]])
            if not len(values):
                raise DataError("no training row has data to fit the clip of the survey on", "check the column 'split'")
            clip = float(np.percentile(np.abs(values), self.percentiles[1])) or 1.0
            return FittedScaling(self, {_ALL: (-clip, clip)}, {_ALL: (len(values), of)})
        if self.lo is not None and self.hi is not None:
            return FittedScaling(self, {_ALL: (self.lo, self.hi)})
        dtypes = samples.dtypes()
        if len(dtypes) != 1:
            names = ", ".join(sorted(str(dtype) for dtype in dtypes)) or "none"
            raise DataError(f"the arrays have no single type to take a window from ({names})", "declare lo and hi")
        return FittedScaling(self, {_ALL: _full_range(dtypes.pop())})


@dataclass(frozen=True)
class FittedScaling:
    """A `Scaling` with its fitted windows.

    Attributes:
        scaling: The scaling that the domain declared.
        windows: (value that becomes 0, value that becomes 1) by group. With ``fixed`` and ``survey`` there is one
            window, under the empty name.
        fitted_on: (number of values used, number of all values) by group.
    """

    scaling: Scaling
    windows: Mapping[str, Window] = field(default_factory=dict)
    fitted_on: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def extend(self, table: SampleTable, store: ArrayStore) -> FittedScaling:
        """Add windows for the table's new groups, each fitted on that group's arrays; other windows stay.

        Raises:
            DataError: When a row names no group.
        """
        if self.scaling.scope != "volume":
            return self
        names = self.groups(table)
        samples = store.of(table)
        windows, fitted_on = dict(self.windows), dict(self.fitted_on)
        members: dict[str, list[int]] = {}
        for row, name in enumerate(names):
            if name not in windows and samples.decoded[row]:
                members.setdefault(str(name), []).append(row)
        for name, rows in members.items():
            values, of = _values(samples, np.array(rows))
            low, high = (
                (float(v) for v in np.percentile(values, self.scaling.percentiles)) if len(values) else (0.0, 1.0)
            )
            windows[name] = (low, high) if high > low else (low, low + 1.0)
            fitted_on[name] = (len(values), of)
        return replace(self, windows=windows, fitted_on=fitted_on)

    def groups(self, table: SampleTable) -> list[str | None]:
        """The group of each row, an argument of `apply`; None for all rows unless the scope is ``volume``.

        Raises:
            DataError: When a row names no group.
        """
        if self.scaling.scope != "volume" or self.scaling.group is None:
            return [None] * len(table)
        column = table.column(self.scaling.group)
        if column.null_count():
            cause = f"{column.null_count()} rows have no {self.scaling.group!r}, which scaling goes by"
            raise DataError(cause, "fill the column, or leave these rows out")
        return [str(value) for value in column]

    def apply(self, array: NDArray[Any], group: str | None = None) -> NDArray[Any]:
        """Scale ``[H, W, C]`` to float32 in [0, 1], not-finite values to 0.

        uint8 with the window 0–255 is returned unchanged: it means [0, 1] in steps of 1/255.

        Raises:
            DataError: When no window was fitted for the group.
        """
        low, high = self.window(group)
        if array.dtype == np.uint8 and (low, high) == (0.0, 255.0):
            return array
        # float64 for wide types: float32 would merge neighbouring values of a large int32, or above a large offset.
        narrow = array.dtype.itemsize <= 2 or array.dtype == np.float32
        scaled: NDArray[Any] = array.astype(np.float32) if narrow else array.astype(np.float64)
        scaled = (scaled - low) * (1.0 / (high - low))  # Python floats take the array's type
        np.clip(scaled, 0.0, 1.0, out=scaled)
        valid = valid_pixels(array)
        if valid is not None:
            scaled[~valid] = 0.0
        return scaled.astype(np.float32, copy=False)

    def window(self, group: str | None = None) -> Window:
        """The values that become 0 and 1.

        Raises:
            DataError: When no window was fitted for the group.
        """
        key = _ALL if self.scaling.scope != "volume" else (group if group is not None else _ALL)
        if key not in self.windows:
            raise DataError(
                f"no window was fitted for this {self.scaling.group or 'data'}",
                "call extend(table, store) with the table that holds it",
            )
        return self.windows[key]

    def stays_uint8(self, dtypes: set[np.dtype[Any]]) -> bool:
        """Whether `apply` returns uint8 for all arrays of these dtypes."""
        return dtypes == {np.dtype(np.uint8)} and set(self.windows.values()) == {(0.0, 255.0)}

    def to_dict(self) -> dict[str, Any]:
        """Settings and windows, as JSON values."""
        return {
            "scaling": {**asdict(self.scaling), "percentiles": list(self.scaling.percentiles)},
            "windows": {name: list(window) for name, window in self.windows.items()},
            "fitted_on": {name: list(counts) for name, counts in self.fitted_on.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FittedScaling:
        """The reverse of `to_dict`."""
        declared = dict(values["scaling"])
        declared["percentiles"] = tuple(declared["percentiles"])
        windows = {str(name): (float(low), float(high)) for name, (low, high) in values["windows"].items()}
        fitted_on = {str(name): (int(used), int(of)) for name, (used, of) in values["fitted_on"].items()}
        return cls(Scaling(**declared), windows, fitted_on)


def valid_pixels(array: NDArray[Any]) -> NDArray[np.bool_] | None:
    """bool ``[H, W]``, false where any channel is NaN or infinite; None when all are finite."""
    if array.dtype.kind != "f":
        return None
    finite = np.isfinite(array).all(axis=2)
    return None if finite.all() else finite


def _full_range(dtype: np.dtype[Any]) -> Window:
    if dtype.kind == "b":
        return 0.0, 1.0
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return float(limits.min), float(limits.max)
    raise DataError(f"{dtype} data has no natural window", "declare lo and hi, or another scope of scaling")


def _values(samples: SampleArrays, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], int]:
    """A subsample of the finite values of samples (about `VALUES` of them), and the number of all values."""
    total = int(samples.shapes(rows).prod(axis=1).sum())
    stride = max(1, -(-total // VALUES))
    positions = samples.positions
    kept = []
    for row in rows.tolist():
        # With one start for all samples, a stride that shares a factor with the width would take a few columns only.
        start = int(positions[row] + (row if samples.regions else 0)) % stride
        values = samples[row].reshape(-1)[start::stride].astype(np.float64)
        kept.append(values[np.isfinite(values)])
    return (np.concatenate(kept) if kept else np.empty(0)), total
