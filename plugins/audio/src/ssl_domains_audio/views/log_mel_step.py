"""The step from waveforms to log-mel spectrograms, by the function with which the preprocess ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.views.draws import Draws
from ssl_domains.views.steps.declared import Declared
from ssl_domains_audio.inputs.log_mel import LogMel

__all__ = ["LogMelStep"]


@dataclass(frozen=True, kw_only=True)
class LogMelStep(Declared):
    """Makes the spectrograms of the encoder, so that later steps can change them.

    Attributes:
        mel: The spectrogram of the preprocess.
    """

    name: ClassVar[str] = "log-mel"
    emitted: ClassVar[tuple[str, ...]] = ()
    mel: LogMel

    def parameters(self, draws: Draws, channels: int) -> dict[str, Tensor]:
        """None."""
        return {}

    def apply(
        self, inputs: tuple[Input, ...], parameters: Mapping[str, Tensor], columns: Mapping[str, Tensor]
    ) -> tuple[tuple[Input, ...], dict[str, Tensor]]:
        """Waveforms ``[B, 1, T]`` to spectrograms ``[B, 1, bands, frames]``; further inputs stay as they are."""
        if inputs[0].kind != "wave":
            raise UsageError(
                f"{self.name}: an input of kind {inputs[0].kind!r}", "it comes once, behind steps on waves"
            )
        return (self.mel(inputs[0]), *inputs[1:]), {}

    def to_dict(self) -> dict[str, Any]:
        """Name, reason and the settings of the spectrogram."""
        return {"name": self.name, "reason": self.reason, "mel": self.mel.to_dict()}
