"""Counts views that came out silent, such as a crop between two words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.views import Pointwise
from ssl_domains.views.draws import Draws
from ssl_domains_audio.views.kernels import level_of

__all__ = ["Silence"]


@dataclass(frozen=True)
class Silence(Pointwise):
    """Changes nothing; flags samples whose level is below a threshold as ``"silent"``.

    The training records their number, and warns when there are any: two silent views of different recordings are
    equal, and are pushed apart in vain.

    Attributes:
        db: Threshold of the root mean square, in dB of level 1.
    """

    name: ClassVar[str] = "silence"
    db: float = -60.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not -200 <= self.db <= 0:
            raise UsageError(f"{self.name}: db={self.db}", "give a level from -200 to 0 dB")

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """None."""
        return {}

    def change(self, x: Input, parameters: Mapping[str, Tensor]) -> Tensor:
        """The values as they are."""
        return x.values

    def flags(self, x: Input) -> dict[str, Tensor]:
        """``silent``, bool ``[B]`` on the device."""
        return {"silent": level_of(x) < 10 ** (self.db / 20)}
