"""One grid for several stacks, or the sentence that says how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ssl_domains_seismic.places import Places

__all__ = ["common_places", "difference"]


def difference(places: Mapping[str, Places]) -> str | None:
    """The sentence for stacks of other lines or times, with the names of two; None when all are of one grid.

    Args:
        places: Name of the file → its places.
    """
    (first, one), *others = places.items()
    for name, other in others:
        said = _difference(one, other)
        if said is not None:
            return f"the stacks {first} and {name} differ: {said}"
    return None


def common_places(places: Mapping[str, Places]) -> Places:
    """The places of stacks of one grid: those of the first; live where all have data.

    Args:
        places: Name of the file → its places.
    """
    one = next(iter(places.values()))
    lives = [other.live for other in places.values() if other.live is not None]
    dtype = np.result_type(*(np.dtype(other.dtype) for other in places.values()))
    return replace(one, dtype=dtype.name, live=np.logical_and.reduce(lives) if lives else None)


def _difference(one: Places, other: Places) -> str | None:
    """What of two stacks differs, in words; None when they have the same places."""
    for name in ("inline", "crossline"):
        a, b = getattr(one, name), getattr(other, name)
        if not np.array_equal(a, b):
            return f"{name}s {_lines(a)} and {_lines(b)}"
    if one.shape[2] != other.shape[2]:
        return f"{one.shape[2]:,} and {other.shape[2]:,} samples a trace"
    if one.unit != other.unit or one.step != other.step:
        return f"samples {_interval(one)} and {_interval(other)} apart"
    if one.start != other.start:
        return f"the first sample at {one.start:g} and {other.start:g} {one.unit}"
    return None


def _lines(numbers: NDArray[np.int64]) -> str:
    step = "" if len(numbers) < 2 else f" by {int(numbers[1] - numbers[0])}"
    return f"{int(numbers[0])} to {int(numbers[-1])}{step}"


def _interval(places: Places) -> str:
    return "an unknown time" if places.step is None else f"{places.step:g} {places.unit}"
