"""Leaves recordings out that are shorter than a window, and counts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.views.draws import Draws
from ssl_domains.views.sequences.step import lengths_along
from ssl_domains.views.steps.declared import Declared

__all__ = ["WholeWindow"]


@dataclass(frozen=True)
class WholeWindow(Declared):
    """Marks samples shorter than a window as padding throughout, so that a method of places, such as CPC, has none.

    They are flagged as ``"too short"``: the training records their number and warns of them.

    Attributes:
        length: Places of a window.
    """

    name: ClassVar[str] = "window"
    emitted: ClassVar[tuple[str, ...]] = ()
    length: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.length < 1:
            raise UsageError(f"{self.name}: length={self.length}", "give a length from 1")

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """None."""
        return {}

    def apply(
        self, inputs: tuple[Input, ...], parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[tuple[Input, ...], dict[str, Tensor]]:
        """Take the validity from short samples ``[B, C, T]``; further inputs stay as they are."""
        x = inputs[0]
        valid = x.with_valid() & ~self._short(x)[:, None, None]
        values = x.values.masked_fill(~valid, x.pad)
        return (replace(x, values=values, valid=valid), *inputs[1:]), {}

    def flags(self, x: Input) -> dict[str, Tensor]:
        """``too short``, bool ``[B]`` on the device."""
        return {"too short": self._short(x)}

    def _short(self, x: Input) -> Tensor:
        if len(x.space) != 1:
            raise UsageError(f"{self.name}: an input with the sides {list(x.space)}", "it takes waveforms")
        short: Tensor = lengths_along(x, 0) < self.length
        return short.to(torch.bool)
