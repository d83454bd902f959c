"""A scaling with its fitted windows: it scales single arrays, and is saved with the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore, SampleArrays
from ssl_domains.views.scaling.declared import WHOLE, Scaling
from ssl_domains.views.scaling.ranges import Window, observed_range, sampled_values, type_window

__all__ = ["FittedScaling", "valid_pixels"]

# Windows that float32 can scale by: the width and 1 / width are normal numbers of float32.
_LEAST_WIDTH, _LARGEST_WIDTH = 1e-37, 1e37


@dataclass(frozen=True)
class FittedScaling:
    """A `Scaling` with its fitted windows.

    Attributes:
        scaling: The scaling that the domain declared.
        windows: (value that becomes 0, value that becomes 1) by name: of a volume, of a survey, of a value of the
            declared column, or the empty name for a window that all rows share.
        fitted_on: (number of values used, number of all values) by name of a window or of a type.
        types: Windows of types, by name of the dtype, for arrays whose window is that of their type.
    """

    scaling: Scaling
    windows: Mapping[str, Window] = field(default_factory=dict)
    fitted_on: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    types: Mapping[str, Window] = field(default_factory=dict)

    def extend(self, table: SampleTable, store: ArrayStore) -> FittedScaling:
        """Add windows for new groups and new types of the table, fitted on its arrays; other windows stay.

        The windows of a type and of a survey are fitted on their training rows, or on all their rows if none is for
        training; that of a volume on all its rows.

        Raises:
            DataError: When a row names no group.
        """
        if self.scaling.column is None and WHOLE in self.windows:
            return self
        keys, samples = self.groups(table), store.of(table)
        windows, fitted_on = dict(self.windows), dict(self.fitted_on)
        members: dict[str, list[int]] = {}
        by_type: list[int] = []
        for row, key in enumerate(keys):
            if not samples.decoded[row]:
                continue
            if key is None:
                by_type.append(row)
            elif key not in windows:
                members.setdefault(key, []).append(row)
        for name, rows in members.items():
            chosen = np.array(rows, dtype=np.int64)
            if self.scaling.scope == "survey":
                chosen = _training(table, chosen)
            values, of = sampled_values(samples, chosen)
            windows[name], fitted_on[name] = self.scaling.window_of(values), (len(values), of)
        types = dict(self.types)
        if by_type and WHOLE not in windows:
            new = _type_windows(table, samples, np.array(by_type), types)
            types |= {name: window for name, (window, _) in new.items()}
            fitted_on |= {name: counts for name, (_, counts) in new.items() if counts is not None}
        return replace(self, windows=windows, fitted_on=fitted_on, types=types)

    def groups(self, table: SampleTable) -> list[str | None]:
        """Name of the window of each row, an argument of `apply`; None where the type of the array decides.

        Raises:
            DataError: When a row names no group.
        """
        declared = self.scaling
        if not declared.columns:
            return [declared.key({})] * len(table)
        rows = table.frame.select(table.column(name) for name in declared.columns)
        chosen = rows.unique(maintain_order=True)
        if declared.group in rows.columns and chosen[declared.group].null_count():
            missing = rows.filter(rows[declared.group].is_null())
            if declared.column is not None and declared.windows is not None:
                missing = missing.filter(~missing[declared.column].is_in(list(declared.windows)).fill_null(False))
            if len(missing):
                cause = f"{plural(len(missing), 'row has', 'rows have')} no {declared.group!r}, which scaling goes by"
                raise DataError(cause, "fill the column, or leave these rows out")
        keys = {facts: declared.key(dict(zip(rows.columns, facts, strict=True))) for facts in chosen.iter_rows()}
        return [keys[facts] for facts in rows.iter_rows()]

    def apply(self, array: NDArray[Any], group: str | None = None) -> NDArray[Any]:
        """Scale ``[H, W, C]`` to float32 in [0, 1], not-finite values to 0.

        uint8 with the window 0–255 is returned unchanged: it means [0, 1] in steps of 1/255.

        Args:
            array: The array.
            group: Name of its window, from `groups`; None where its type decides.

        Raises:
            DataError: When no window was fitted for the group or the type.
        """
        low, high = self.window(group, array.dtype)
        if array.dtype == np.uint8 and (low, high) == (0.0, 255.0):
            return array
        # float64 for wide types: float32 would merge neighbouring values of a large int32, or above a large offset; and
        # for widths that float32 can't divide by. Half the values have a width that float64 holds.
        narrow = (array.dtype.itemsize <= 2 or array.dtype == np.float32) and _LEAST_WIDTH < high - low < _LARGEST_WIDTH
        scaled: NDArray[Any] = array.astype(np.float32) if narrow else array.astype(np.float64)
        if not np.isfinite(high - low):
            scaled, low, high = scaled / 2, low / 2, high / 2
        scaled -= low  # Python floats take the array's type
        scaled *= 1.0 / (high - low)
        np.clip(scaled, 0.0, 1.0, out=scaled)
        valid = valid_pixels(array)
        if valid is not None:
            scaled[~valid] = 0.0
        return scaled.astype(np.float32, copy=False)

    def window(self, group: str | None = None, dtype: np.dtype[Any] | None = None) -> Window:
        """The values that become 0 and 1.

        Args:
            group: Name of the window, from `groups`; None where the type decides.
            dtype: Type of the array; None is enough when only one type has a window.

        Raises:
            DataError: When no window was fitted for the group or the type.
        """
        if self.scaling.column is None and not self.scaling.grouped and WHOLE in self.windows:
            return self.windows[WHOLE]
        if group is not None:
            if group in self.windows:
                return self.windows[group]
        elif dtype is not None:
            window = self.types.get(dtype.newbyteorder("=").name)
            if window is not None:
                return window
        elif len(self.types) == 1:
            return next(iter(self.types.values()))
        by_group = self.scaling.grouped and (group is not None or self.scaling.column is None)
        what = self.scaling.group if by_group else f"type ({dtype})"
        raise DataError(
            f"no window was fitted for this {what}", "call extend(table, store) with the table that holds it"
        )

    def stays_uint8(self, dtypes: set[np.dtype[Any]]) -> bool:
        """Whether `apply` returns uint8 for all arrays of these dtypes."""
        windows = {*self.windows.values(), *(window for name, window in self.types.items() if name == "uint8")}
        return dtypes == {np.dtype(np.uint8)} and windows == {(0.0, 255.0)}

    def to_dict(self) -> dict[str, Any]:
        """Settings and windows, as JSON values."""
        return {
            "scaling": self.scaling.to_dict(),
            "windows": {name: list(window) for name, window in self.windows.items()},
            "types": {name: list(window) for name, window in self.types.items()},
            "fitted_on": {name: list(counts) for name, counts in self.fitted_on.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FittedScaling:
        """The reverse of `to_dict`. A record without ``types`` has one window that all types share.

        Raises:
            ValueError: When a window is empty.
        """
        windows, types = (
            {str(name): (float(low), float(high)) for name, (low, high) in values.get(part, {}).items()}
            for part in ("windows", "types")
        )
        for name, (low, high) in {**windows, **types}.items():
            if not low < high:
                raise ValueError(f"the window of {name!r} from {low} to {high} is empty")
        fitted_on = {str(name): (int(used), int(of)) for name, (used, of) in values["fitted_on"].items()}
        return cls(Scaling.from_dict(values["scaling"]), windows, fitted_on, types)


def valid_pixels(array: NDArray[Any]) -> NDArray[np.bool_] | None:
    """bool ``[…, H, W]`` of pictures ``[…, H, W, C]``, false where any channel is NaN or infinite; None for nowhere."""
    if array.dtype.kind != "f":
        return None
    finite = np.isfinite(array)
    return None if finite.all() else np.asarray(finite.all(axis=-1))


def _training(table: SampleTable, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of some rows that are for training, or all of them if none is."""
    of = rows[np.isin(rows, table.rows_of("train"))]
    return of if len(of) else rows


def _type_windows(
    table: SampleTable, samples: SampleArrays, rows: NDArray[np.int64], known: Mapping[str, Window]
) -> dict[str, tuple[Window, tuple[int, int] | None]]:
    """Windows of the types of some rows that are not known yet: name of the dtype → window, and values used and all."""
    codes, dtypes = samples.row_dtypes()
    made: dict[str, tuple[Window, tuple[int, int] | None]] = {}
    for code in np.unique(codes[rows]).tolist():
        dtype = dtypes[code]
        if dtype.name in known:
            continue
        declared = type_window(dtype)
        if declared is not None:
            made[dtype.name] = (declared, None)
            continue
        fit_on = _training(table, rows[codes[rows] == code])
        window, used = observed_range(samples, fit_on)
        made[dtype.name] = (window, (used, int(samples.shapes(fit_on).prod(axis=1).sum())))
    return made
