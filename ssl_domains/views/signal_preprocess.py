"""Preprocess of signals: one or several channels along time, such as speech, ECG or a seismic trace."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore

__all__ = ["SignalPreprocess"]


@dataclass(frozen=True)
class SignalPreprocess:
    """Arrays ``[t]`` or ``[t, c]`` in native unit to inputs float32 ``[1, C, T]``.

    Example:
        >>> SignalPreprocess(channels=12).spec.space
        (None,)

    Attributes:
        channels: Channels ``C``; an array ``[t]`` has one.
        length: Places ``T`` of every input: a longer signal is cut to its middle, a shorter one is continued by
            reflection, and that part is not valid. None keeps every signal's own length.
        level: How values are scaled. ``"recording"``: the mean of each channel is taken off, and all channels are
            divided by the standard deviation of the whole recording, so that they keep their relative amplitudes.
            ``"fixed"``: values are divided by ``scale``.
        scale: Native units that become 1, with ``level="fixed"``: 32768 for int16 speech, 1 for an ECG in millivolts.
        kind: Word that says which encoders take the input.

    Raises:
        UsageError: For settings that no signal can have.
    """

    name: ClassVar[str] = "signal"
    columns: ClassVar[tuple[str, ...]] = ()
    channels: int = 1
    length: int | None = None
    level: Literal["recording", "fixed"] = "recording"
    scale: float = 1.0
    kind: str = "wave"

    def __post_init__(self) -> None:
        if self.channels < 1 or (self.length is not None and self.length < 1):
            raise UsageError(f"signals of {self.channels} channels and length {self.length}", "both are at least 1")
        if self.level not in ("recording", "fixed"):
            raise UsageError(f"unknown level of a signal {self.level!r}", "known: recording, fixed")
        if not 0 < self.scale < float("inf"):
            raise UsageError(f"a signal's scale is {self.scale}", "give a number above 0")

    @property
    def spec(self) -> InputSpec:
        """Signals ``[C, T]``, float32; ``T`` is ragged unless ``length`` is set."""
        return InputSpec(self.kind, self.channels, (self.length,))

    def __call__(
        self, array: NDArray[Any], facts: Mapping[str, Any] | None = None, valid: NDArray[np.bool_] | None = None
    ) -> Input:
        """One signal as a batch of one. Places where a channel is not finite or has no data become 0, not valid.

        Args:
            array: ``[t]`` or ``[t, c]``.
            facts: Not read.
            valid: bool of the array's shape, false where it has no data; None where it has data everywhere.

        Raises:
            DataError: When the array has another rank or number of channels.
        """
        places = array[:, None] if array.ndim == 1 else array
        if places.ndim != 2 or places.shape[1] != self.channels or not len(places):
            raise DataError(
                f"a signal has shape {list(array.shape)}, the encoder takes {self.channels} channels",
                "the preprocess takes [time] or [time, channels]",
            )
        signal = places.T.astype(np.float64)
        known: NDArray[np.bool_] = np.asarray(np.isfinite(signal).all(axis=0))
        if valid is not None:
            known &= valid.reshape(places.shape).all(axis=1)
        signal = np.where(known, self._scaled(signal, known), 0.0)
        if self.length is not None:
            signal, known = _fitted(signal, known, self.length)
        values = torch.from_numpy(np.ascontiguousarray(signal, dtype=np.float32))[None]
        return self.spec.input(values, None if known.all() else torch.from_numpy(known.copy())[None, None])

    def sides(self, shape: Sequence[int]) -> tuple[int]:
        """Length ``T`` of the input of an array of this shape."""
        return (shape[0] if self.length is None else self.length,)

    def _scaled(self, signal: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
        if self.level == "fixed":
            return signal / self.scale
        if not known.any():
            return signal
        centred: NDArray[np.float64] = signal - signal[:, known].mean(axis=1, keepdims=True)
        with np.errstate(over="ignore"):
            spread = float(np.sqrt((centred[:, known] ** 2).mean()))
        if math.isinf(spread):  # squares of values above 1e154 are too large for float64
            peak = float(np.abs(centred[:, known]).max())
            centred = centred / peak
            spread = float(np.sqrt((centred[:, known] ** 2).mean()))
        return centred / spread if spread > 0 else centred

    def require(self, table: SampleTable, store: ArrayStore) -> None:
        """Check the sides of all arrays of a table before any array is read.

        Raises:
            DataError: When an array isn't ``[t]`` or ``[t, c]``, or has other channels.
        """
        samples = store.of(table)
        shapes = samples.shapes()[samples.decoded]
        rank = shapes.shape[1]
        if rank not in (1, 2):
            raise DataError(
                f"the arrays have {rank} sides, a signal has [time] or [time, channels]",
                "declare axes = 't' or 'tc' in the reader, or give the domain another preprocess",
            )
        found = sorted(set(shapes[:, 1].tolist()) if rank == 2 else {1})
        if found != [self.channels] and len(shapes):
            counts = ", ".join(str(count) for count in found)
            cause = f"signals of {counts} channels, the encoder takes {self.channels}"
            raise DataError(cause, "the reader and the preprocess of the domain must agree on the channels")

    def stored_form(self, dtypes: set[np.dtype[Any]]) -> tuple[torch.dtype, bool, bool]:
        """Form of cached inputs: float32, whether some have a mask (all may), and whether all do (none must)."""
        return torch.float32, self.length is not None or any(one.kind == "f" for one in dtypes), False

    def to_dict(self) -> dict[str, Any]:
        """Settings, as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SignalPreprocess:
        """The reverse of `to_dict`."""
        return cls(**values)


def _fitted(
    signal: NDArray[np.float64], known: NDArray[np.bool_], length: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The middle ``length`` places of ``[C, t]``, or all of them continued by reflection; and which are known."""
    missing = length - signal.shape[1]
    if missing <= 0:
        start = -missing // 2
        return signal[:, start : start + length], known[start : start + length]
    return np.pad(signal, ((0, 0), (0, missing)), mode="symmetric"), np.pad(known, (0, missing))
