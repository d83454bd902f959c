"""Checks arrays against the form that their reader declares, and says in one sentence what is wrong.

Filling a store and the conformance kit use the same checks. So the author of a plugin reads in a failing test the
sentence that a user would read in the problems of a store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError, did_you_mean

__all__ = ["AXES", "DeclaredArrays", "differing_channels", "usual_channels"]

AXES = {
    "hwc": "height, width, channels",
    "tc": "time, channels",
    "zyx": "z, y, x",
    "zyxc": "z, y, x, channels",
    "t": "time",
}
"""Allowed values of `Reader.axes`, and the sides that each means."""

_MOST_COLOURS = 4
_BLOCK = 1 << 20


@dataclass(frozen=True)
class DeclaredArrays:
    """The form that a reader declares for its arrays.

    Attributes:
        axes: A key of `AXES`.
        channels: Number of channels of every array, for axes that end in ``c``; None if the reader doesn't declare it.
        missing: Whether floating point arrays may hold NaN or infinity where there is no data.
        mixed_channels: Whether arrays may differ in their number of channels, for a preprocess that takes any number.
    """

    axes: str = "hwc"
    channels: int | None = None
    missing: bool = False
    mixed_channels: bool = False

    @classmethod
    def of(cls, reader: object) -> DeclaredArrays:
        """Read the attributes of these names of a reader; each has a default.

        Raises:
            UsageError: For axes that are none of `AXES`.
        """
        axes = getattr(reader, "axes", "hwc")
        if axes not in AXES:
            cause = f"the reader {type(reader).__qualname__} declares axes {axes!r}"
            raise UsageError(cause, did_you_mean(str(axes), AXES))
        channels = getattr(reader, "channels", None)
        missing, mixed = (bool(getattr(reader, name, False)) for name in ("missing", "mixed_channels"))
        return cls(axes, None if channels is None else int(channels), missing, mixed)

    def refusal(self, array: NDArray[Any]) -> str | None:
        """The reason why an array can't be stored, in one sentence; None if it can.

        An array is refused by its `form_refusal`, or if it has no finite number.
        """
        refusal = self.form_refusal(array.shape, array.dtype)
        if refusal is None and array.dtype.kind == "f" and not _any_finite(array):
            return f"decoded to shape {list(array.shape)} without a finite number"
        return refusal

    def form_refusal(self, shape: Sequence[int], dtype: np.dtype[Any]) -> str | None:
        """The reason why an array of this shape and type can't be stored, in one sentence; None if it can.

        An array is refused if it holds text, objects or complex numbers; if it has another rank than the axes, an empty
        side, or other channels than declared; and if it is a volume given as a picture.
        """
        shape = list(shape)
        if dtype.kind not in "biuf":
            return f"decoded to {dtype}, not to numbers"
        if len(shape) != len(self.axes):
            return f"decoded to shape {shape}, but axes {self.axes!r} are {AXES[self.axes]} ({_hint(self.axes)})"
        if 0 in shape:
            return f"decoded to shape {shape}, which has an empty side"
        if self.axes.endswith("c") and self.channels not in (None, shape[-1]):
            return f"decoded to shape {shape}, but the reader declares {self.channels} channels"
        if self.axes == "hwc" and self.channels is None and shape[2] > _MOST_COLOURS and shape[2] >= min(shape[:2]):
            return (
                f"decoded to shape {shape}, a picture of {shape[2]} channels (a reader of volumes declares axes 'zyx', "
                f"one of such pictures declares channels = {shape[2]})"
            )
        return None

    def undeclared_missing(self, array: NDArray[Any]) -> str | None:
        """The sentence for NaN or infinity in an array whose reader doesn't declare ``missing``; else None."""
        if self.missing or array.dtype.kind != "f":
            return None
        count = int((~np.isfinite(array)).sum())
        if not count:
            return None
        return f"decoded to {count} numbers that are not finite, but the reader doesn't declare missing = True"


def usual_channels(counts: Iterable[int]) -> int | None:
    """The most common number of channels, not counting arrays of one channel; of equally common numbers the smaller.

    A single channel fits any number, as it can be repeated. None if all arrays have one channel.
    """
    common = Counter(count for count in counts if count != 1)
    return min(common, key=lambda count: (-common[count], count)) if common else None


def differing_channels(count: int, usual: int | None) -> str | None:
    """The sentence for an array whose ``count`` of channels isn't the usual one; None if it fits."""
    if usual is None or count in (1, usual):
        return None
    return f"decoded to {count} channels, where other rows have {usual}"


def _hint(axes: str) -> str:
    if axes == "hwc":
        return "a grey picture is [height, width, 1]; a reader of waveforms declares axes 't', one of volumes 'zyx'"
    return "Reader.axes declares the sides of what load gives"


def _any_finite(array: NDArray[Any]) -> bool:
    if np.isfinite(array.flat[0]):
        return True
    flat = array.reshape(-1)
    return any(bool(np.isfinite(flat[start : start + _BLOCK]).any()) for start in range(0, len(flat), _BLOCK))
