"""Does a crop keep its contract?"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from ssl_domains.views import Crop, Draws, crop_from_dict, crop_to_dict
from ssl_domains.views.crops import centre, emit_all, place_all

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
    _check_batch(crop, shapes, numbers)


def _check_batch(crop: Crop, shapes: Sequence[Sequence[int]], facts: Mapping[str, float]) -> None:
    """Crops that are placed for a batch at once are those of its slots one by one."""
    assert hasattr(crop, "place_many") == hasattr(crop, "emit_many"), "`place_many` and `emit_many` come together"
    for rank in {len(shape) for shape in shapes}:
        sides = np.array([[*shape] for shape in shapes if len(shape) == rank for _ in range(_SLOTS)], dtype=np.int64)
        numbers = {name: np.full(len(sides), value) for name, value in facts.items()}
        slots = torch.arange(len(sides))
        starts, stops = place_all(crop, Draws(3, 7, slots, 0, "crop"), sides, numbers)
        emitted = emit_all(crop, starts, stops, numbers)
        assert set(emitted) == set(crop.emitted), "`emit_many` gives the numbers that `emitted` names"
        for slot, shape in enumerate(sides.tolist()):
            alone = _place(crop, tuple(shape), facts, slot)
            together = list(zip(starts[slot].tolist(), stops[slot].tolist(), strict=True))
            assert together == list(_starts(alone)), "`place_many` gives the crops that `place` gives slot by slot"
            for name, value in crop.emit(alone, facts).items():
                assert np.array_equal(emitted[name][slot], value, equal_nan=True), f"`emit_many` and `emit`: {name!r}"


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
