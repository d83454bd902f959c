"""Named transforms of a batch, such as a rotation by 90° or time reversal, which a network can learn to tell apart.

A transform takes an `Input` of any number of samples and returns one of the same kind, on the same device. It doesn't
change padding into data: what it moves stays within the valid places of each sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.inputs import Input, InputSpec

__all__ = ["Transform", "register_transform", "transform_of", "transforms"]

_FASTER = 2 ** (4 / 12)  # four semitones


@dataclass(frozen=True)
class Transform:
    """A named transform.

    Attributes:
        name: Its name in the options of a method.
        change: Function from a batch to the changed batch.
        unfit: Function from the form of an input to the reason why it can't be transformed; empty where it can.
    """

    name: str
    change: Callable[[Input], Input]
    unfit: Callable[[InputSpec], str] = lambda spec: ""


def _turned(turns: int, x: Input) -> Input:
    valid = None if x.valid is None else torch.rot90(x.valid, turns, (-2, -1))
    return replace(x, values=torch.rot90(x.values, turns, (-2, -1)), valid=valid)


def _flipped(side: int, x: Input) -> Input:
    return replace(x, values=x.values.flip(side), valid=None if x.valid is None else x.valid.flip(side))


def _reversed_in_time(x: Input) -> Input:
    """The last side of each sample in reverse order, up to its last valid place; padding stays at the end."""
    lengths, places = _lengths(x), torch.arange(x.space[-1], device=x.device)
    source = torch.where(places < lengths, lengths - 1 - places, places)
    return replace(x, values=_gathered(x.values, source), valid=_gathered(x.with_valid(), source))


def _faster(x: Input) -> Input:
    """The signal played 1.26 times as fast, by linear interpolation: four semitones higher, and shorter."""
    lengths, places = _lengths(x), torch.arange(x.space[-1], device=x.device)
    position = places.to(torch.float64) * _FASTER
    inside = position <= lengths - 1
    last = (lengths - 1).clamp(min=0)
    low = torch.minimum(position.floor().long(), last)
    high = torch.minimum(low + 1, last)
    weight = (position - low).to(x.values.dtype)[:, None, :]
    values = torch.lerp(_gathered(x.values, low), _gathered(x.values, high), weight)
    valid = _gathered(x.with_valid(), low) & _gathered(x.with_valid(), high) & inside[:, None, :]
    return replace(x, values=values.masked_fill(~inside[:, None, :], x.pad), valid=valid)


def _opposite(x: Input) -> Input:
    """The sign of a signal changed; of a picture, whose values lie in [0, 1] with 0.5 for zero, 1 − x."""
    values = -x.values if len(x.space) == 1 else 1 - x.values
    return replace(x, values=values if x.valid is None else torch.where(x.valid, values, x.values))


def _lengths(x: Input) -> Tensor:
    """Number of places up to the last valid one along the last side, int64 ``[B, 1]``."""
    some = x.with_valid().flatten(1, -2).any(dim=1)
    return (some * torch.arange(1, some.shape[-1] + 1, device=some.device)).amax(dim=1, keepdim=True)


def _gathered(values: Tensor, source: Tensor) -> Tensor:
    shape = (len(source), *[1] * (values.ndim - 2), source.shape[-1])
    return values.gather(-1, source.view(shape).expand_as(values))


def _no_picture(spec: InputSpec, square: bool = True) -> str:
    if len(spec.space) != 2 or spec.ragged:
        return "it takes pictures of one size"
    return "it takes square pictures" if square and spec.space[0] != spec.space[1] else ""


def _no_sign(spec: InputSpec) -> str:
    signal = len(spec.space) == 1 or not spec.ragged
    return "" if signal and spec.dtype != "int64" else "it takes signals, or pictures of one size"


def _no_wave(spec: InputSpec) -> str:
    ragged = spec.space == (None,) and spec.dtype != "int64"
    return "" if ragged else "it takes signals whose length may differ"


_BUILT_IN = (
    Transform("identity", lambda x: x),
    *(Transform(f"rotate_{90 * n}", partial(_turned, n), partial(_no_picture, square=n != 2)) for n in (1, 2, 3)),
    Transform("horizontal_flip", partial(_flipped, -1), partial(_no_picture, square=False)),
    Transform("vertical_flip", partial(_flipped, -2), partial(_no_picture, square=False)),
    Transform("time_reversal", _reversed_in_time),
    Transform("pitch_up", _faster, _no_wave),
    Transform("polarity", _opposite, _no_sign),
)
_KNOWN = {one.name: one for one in _BUILT_IN}


def register_transform(transform: Transform) -> None:
    """Make a transform known by its name; a plugin calls this when it is imported.

    Raises:
        UsageError: When another transform has this name.
    """
    if _KNOWN.setdefault(transform.name, transform) is not transform:
        raise UsageError(f"there is a transform {transform.name!r} already", "choose another name")


def transforms() -> tuple[str, ...]:
    """The names of all transforms."""
    return tuple(_KNOWN)


def transform_of(name: str, takes: InputSpec) -> Transform:
    """The transform of a name.

    Args:
        name: The name.
        takes: The form of the inputs.

    Raises:
        UsageError: When there is none, or it can't be applied to these inputs.
    """
    if name not in _KNOWN:
        raise UsageError(f"there is no transform {name!r}", did_you_mean(name, transforms()))
    reason = _KNOWN[name].unfit(takes)
    if reason:
        sides = " × ".join("any" if side is None else str(side) for side in takes.space)
        raise UsageError(
            f"the transform {name!r} doesn't fit inputs of kind {takes.kind!r} with sides {sides}: {reason}",
            'choose others, such as --set \'method.transforms=["identity", "time_reversal"]\'',
        )
    return _KNOWN[name]
