"""Compare blocks of a survey: shared places, overlap of bounding boxes, and the gap between two sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssl_domains.audit.finding import Finding, percent
from ssl_domains.audit.sides import Side
from ssl_domains.errors import UsageError
from ssl_domains.samples.table import SampleTable

__all__ = ["shared_places"]


@dataclass(frozen=True)
class _Places:
    """Coordinates of the rows of a side.

    Attributes:
        names: str ``[n, T]``: the text columns, such as the survey; places with different names are never equal.
        numbers: float64 ``[n, D]``: the numeric columns.
        missing: Number of rows without complete coordinates, which are left out.
    """

    names: NDArray[np.str_]
    numbers: NDArray[np.float64]
    missing: int

    @classmethod
    def of(cls, table: SampleTable, columns: Sequence[str]) -> _Places:
        is_number = {name: table.column(name).dtype.is_numeric() for name in columns}
        if not any(is_number.values()):
            raise UsageError(f"--block {','.join(columns)} names no column with numbers", "name coordinates: crossline")
        numbers = np.stack([table.numbers(name) for name, yes in is_number.items() if yes], axis=1)
        text = [table.column(name).cast(str).to_numpy() for name, yes in is_number.items() if not yes]
        names = np.stack(text, axis=1).astype(object) if text else np.zeros((len(table), 0), dtype=object)
        known = np.isfinite(numbers).all(axis=1) & np.array([None not in row for row in names.tolist()], dtype=np.bool_)
        return cls(names[known].astype(str), numbers[known], int((~known).sum()))

    def split(self) -> dict[tuple[str, ...], NDArray[np.float64]]:
        """Coordinates ``[n, D]`` of each survey, by its text columns."""
        if self.names.shape[1] == 0:
            return {(): self.numbers} if len(self.numbers) else {}
        surveys, codes = np.unique(self.names, axis=0, return_inverse=True)
        codes = codes.reshape(-1)
        return {tuple(name.tolist()): self.numbers[codes == code] for code, name in enumerate(surveys)}


def shared_places(a: Side, b: Side, columns: Sequence[str], *, gap: float | None = None) -> list[Finding]:
    """Compare the places of two sides of a survey: one finding on shared places and, with ``gap``, one on the gap.

    The gap is the smallest Chebyshev distance (largest distance along one axis) between a place of one side and a place
    of the other. Square patches of p lines around two places share no line when the distance is at least p. Positives
    within a window w can't be on different sides when it is at least p + w.

    Args:
        a: One side.
        b: The other side.
        columns: Coordinate columns (inline, crossline); text columns (the survey) must be equal for places to be equal.
        gap: Smallest allowed gap, in the coordinates' unit.

    Raises:
        UsageError: When a column is missing or none has numbers.
    """
    places_a, places_b = _Places.of(a.table, columns), _Places.of(b.table, columns)
    of_a, of_b = places_a.split(), places_b.split()
    traces = rows_a = rows_b = 0
    volume = volume_b = 0.0
    nearest = np.inf
    for survey, places_in_b in of_b.items():
        size_b, _ = _box(places_in_b)
        volume_b += size_b
        if survey not in of_a:
            continue
        places_in_a = of_a[survey]
        volume += _overlap(places_in_a, places_in_b)
        common, in_a, in_b = _common(places_in_a, places_in_b)
        traces, rows_a, rows_b = traces + common, rows_a + in_a, rows_b + in_b
        nearest = 0.0 if common else min(nearest, _nearest(places_in_a, places_in_b))
    name = "×".join(columns)
    distance = None if np.isinf(nearest) else float(nearest)
    details = {
        "places_shared": traces,
        "places_a": sum(len(np.unique(values, axis=0)) for values in of_a.values()),
        "places_b": sum(len(np.unique(values, axis=0)) for values in of_b.values()),
        "box_overlap_b": volume / volume_b if volume_b else None,
        "gap": distance,
        "missing_a": places_a.missing,
        "missing_b": places_b.missing,
        "ranges_a": _ranges(places_a.numbers),
        "ranges_b": _ranges(places_b.numbers),
    }
    apart = "they have no survey in common" if distance is None else f"the gap is {distance:g}"
    share = percent(rows_b, len(b))
    sentence = (
        f"{share} of {b.name} lies at places ({name}) that {a.name} has as well: {rows_b:,} of {len(b):,} rows"
        if traces
        else f"{a.name} and {b.name} share no place ({name}); {apart}"
    )
    findings = [Finding("block", name, a.name, b.name, traces, rows_a, rows_b, len(a), len(b), traces > 0, sentence,
                     details)]  # fmt: skip
    if gap is not None:
        near = distance is not None and distance < gap
        gap_sentence = (
            f"the gap between {a.name} and {b.name} is {distance:g} in {name}, less than the required {gap:g}"
            if near
            else f"{a.name} and {b.name} are at least {gap:g} apart in {name}; {apart}"
        )
        findings.append(
            Finding(
                "gap",
                name,
                a.name,
                b.name,
                int(near),
                0,
                0,
                len(a),
                len(b),
                near,
                gap_sentence,
                {"gap": distance, "asked": gap},
            )
        )
    return findings


def _common(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[int, int, int]:
    """Number of places on both sides, and the number of rows of each side at those places."""
    both = np.concatenate([a, b])
    codes = np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
    of_a, of_b = codes[: len(a)], codes[len(a) :]
    shared = np.intersect1d(of_a, of_b)
    return len(shared), int(np.isin(of_a, shared).sum()), int(np.isin(of_b, shared).sum())


def _nearest(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Smallest of all Chebyshev distances between two sets of places ``[n, D]``, ``[m, D]``."""
    from sklearn.neighbors import KDTree

    tree = KDTree(np.unique(a, axis=0), metric="chebyshev")
    return float(tree.query(np.unique(b, axis=0), k=1)[0].min())


def _steps(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Smallest distance between neighbouring lines along each axis ``[D]``; 1 for an axis with one line."""
    steps = []
    for axis in values.T:
        differences = np.diff(np.unique(axis))
        steps.append(differences.min() if len(differences) else 1.0)
    return np.array(steps)


def _box(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """(volume of the bounding box with half a step added on every side, steps along each axis)."""
    steps = _steps(values)
    return float(np.prod(np.ptp(values, axis=0) + steps)), steps


def _overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Volume of the intersection of the two bounding boxes, each with half a step added on every side."""
    half_a, half_b = _steps(a) / 2, _steps(b) / 2
    low = np.maximum(a.min(axis=0) - half_a, b.min(axis=0) - half_b)
    high = np.minimum(a.max(axis=0) + half_a, b.max(axis=0) + half_b)
    return float(np.prod(np.maximum(high - low, 0)))


def _ranges(values: NDArray[np.float64]) -> list[list[float]]:
    return [[float(axis.min()), float(axis.max())] for axis in values.T] if len(values) else []
