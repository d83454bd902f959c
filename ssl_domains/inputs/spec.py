"""The declared form of an input: a preprocess declares its output, an encoder its input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ssl_domains.errors import DataError
from ssl_domains.inputs.input import Input

__all__ = ["InputSpec"]


@dataclass(frozen=True)
class InputSpec:
    """Kind, channels, sides and dtype of an input; stored in a run's ``preprocess.json``.

    Attributes:
        kind: The word that says which encoders take it.
        channels: Channels ``C``; 1 for token ids.
        space: Length of each side after the channels; None for a ragged side, whose length differs from sample to
            sample. ``(64, 64)`` is a picture, ``(None,)`` a waveform, ``(80, None)`` a spectrogram of 80 bands.
        dtype: Name of the dtype: ``"float32"``, ``"uint8"`` or ``"int64"``.
        pad: Value of padding when samples of different length are joined in a batch.
        facts: Further facts of the input by name, such as ``(("rate", 8000),)``, for encoders that need them; text and
            numbers.
    """

    kind: str = "image"
    channels: int = 3
    space: tuple[int | None, ...] = (None, None)
    dtype: str = "float32"
    pad: float = 0.0
    facts: tuple[tuple[str, str | float], ...] = ()

    @property
    def ragged(self) -> tuple[int, ...]:
        """Numbers of the ragged sides, counted from 0."""
        return tuple(number for number, length in enumerate(self.space) if length is None)

    def input(self, values: Tensor, valid: Tensor | None = None) -> Input:
        """Make an `Input` of this form.

        Args:
            values: ``[B, C, *space]``.
            valid: bool ``[B, 1, *space]`` or None.

        Raises:
            DataError: When the values have other sides, channels or another dtype.
        """
        expected = f"[B, {self.channels}, {', '.join('any' if side is None else str(side) for side in self.space)}]"
        fits = values.ndim == 2 + len(self.space) and values.shape[1] == self.channels
        fits = fits and all(side in (None, actual) for side, actual in zip(self.space, values.shape[2:], strict=True))
        if not fits or values.dtype != getattr(torch, self.dtype):
            raise DataError(
                f"an input {values.dtype} {list(values.shape)} where {self.dtype} {expected} is declared",
                "the preprocess must give what its spec declares",
            )
        return Input(values, valid, self.kind, self.ragged, self.pad)

    def to_dict(self) -> dict[str, Any]:
        """All fields, as JSON values; facts only where there are some."""
        values: dict[str, Any] = {"kind": self.kind, "channels": self.channels, "space": list(self.space)}
        values.update(dtype=self.dtype, pad=self.pad)
        return {**values, "facts": dict(self.facts)} if self.facts else values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> InputSpec:
        """The reverse of `to_dict`."""
        facts = tuple(dict(values.get("facts", {})).items())
        return cls(**{**values, "space": tuple(values["space"]), "facts": facts})
