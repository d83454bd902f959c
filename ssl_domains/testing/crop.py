"""Does a crop keep its contract?"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import torch

from ssl_domains.views import Crop, Draws, crop_from_dict, crop_to_dict
from ssl_domains.views.crops import centre

__all__ = ["check_crop"]

_SLOTS = 16


def check_crop(crop: Crop, shapes: Sequence[Sequence[int]], facts: Mapping[str, float] | None = None) -> None:
    """Check that crops lie inside the array, depend on (seed, step, slot, view) alone, and emit what they declare.

    Args:
        crop: The crop.
        shapes: Sides of the arrays of some samples, at least one of them larger than the crop.
        facts: The table numbers that the crop reads.

    Raises:
        AssertionError: When the crop breaks the contract; the message says where.
    """
    assert isinstance(crop, Crop), "a crop has name, columns, emitted, shared, place, emit and to_dict"
    described = crop_to_dict(crop)
    again = crop_from_dict(json.loads(json.dumps(described)))
    assert crop_to_dict(again) == described, "`from_dict` is the reverse of `to_dict`"
    numbers = dict(facts or {})
    missing = sorted(set(crop.columns) - set(numbers))
    assert not missing, f"the crop reads the column {missing[0]!r}: give it as facts="
    assert isinstance(crop.shared, bool), "`shared` is True or False"
    moves = False
    for shape in shapes:
        sides = tuple(shape)
        placed = [_place(crop, sides, numbers, slot) for slot in range(_SLOTS)]
        for slot, slices in enumerate((*placed, centre(crop, sides, numbers))):
            _check_slices(slices, sides)
            _check_numbers(crop, slices, numbers)
            if slot < _SLOTS:
                assert _place(crop, sides, numbers, slot) == slices, "the same random numbers give the same crop"
                assert _place(again, sides, numbers, slot) == slices, "settings from `to_dict` give the same crop"
        for words, other in (("seed", {"seed": 4}), ("step", {"step": 8}), ("view", {"view": 1})):
            others = [_place(crop, sides, numbers, slot, **other) for slot in range(_SLOTS)]
            if len(set(map(_starts, placed))) > 1:
                moves = True
                assert list(map(_starts, others)) != list(map(_starts, placed)), f"another {words} gives other crops"
    assert moves, "no crop depends on the random numbers; is one of the shapes larger than the crop?"


def _place(
    crop: Crop,
    shape: tuple[int, ...],
    facts: Mapping[str, float],
    slot: int,
    seed: int = 3,
    step: int = 7,
    view: int = 0,
) -> tuple[slice, ...]:
    return tuple(crop.place(Draws(seed, step, torch.tensor([slot]), view, "crop"), shape, facts))


def _starts(slices: Sequence[slice]) -> tuple[tuple[int, int], ...]:
    return tuple((one.start, one.stop) for one in slices)


def _check_slices(slices: Sequence[slice], shape: tuple[int, ...]) -> None:
    assert len(slices) == len(shape), f"{len(slices)} slices for an array of {len(shape)} axes"
    for axis, (one, length) in enumerate(zip(slices, shape, strict=True)):
        inside = isinstance(one.start, int) and isinstance(one.stop, int) and 0 <= one.start < one.stop <= length
        assert inside, f"the slice {one} of axis {axis} lies outside the array, of {length} places, or is empty"
        assert one.step in (None, 1), f"the slice {one} of axis {axis} has a step"


def _check_numbers(crop: Crop, slices: Sequence[slice], facts: Mapping[str, float]) -> None:
    emitted = crop.emit(slices, facts)
    assert set(emitted) == set(crop.emitted), f"the crop emits {sorted(emitted)}, `emitted` says {list(crop.emitted)}"
    for name, value in emitted.items():
        assert isinstance(value, float), f"{name!r} is a float, not a {type(value).__name__}"
        assert not math.isinf(value), f"{name!r} is infinite; an unknown number is NaN"
