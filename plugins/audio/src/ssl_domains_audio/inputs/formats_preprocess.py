"""Preprocess of encoders that take a waveform and make its spectrogram themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ssl_domains.inputs import InputSpec
from ssl_domains.views import register_preprocess
from ssl_domains_audio.inputs.log_mel import LogMel
from ssl_domains_audio.inputs.sound_preprocess import SoundPreprocess

__all__ = ["FormatsPreprocess", "log_mel_of_spec"]


@register_preprocess
@dataclass(frozen=True)
class FormatsPreprocess(SoundPreprocess):
    """Recordings to waveforms float32 ``[1, 1, T]``, with the settings of a spectrogram as facts of the input.

    Attributes:
        mel: The spectrogram that the encoder makes of the waveforms.
    """

    name: ClassVar[str] = "wave+mel"
    mel: LogMel = field(kw_only=True)

    @property
    def spec(self) -> InputSpec:
        """Waveforms ``[1, T]`` of any length; the facts are the settings of `LogMel`."""
        return InputSpec("wave", 1, (None,), facts=tuple(sorted(self.mel.to_dict().items())))

    @property
    def settings(self) -> dict[str, Any]:
        """Values of ``[input]`` that give this preprocess for every table."""
        return {**super().settings, **self.mel.to_dict(), "form": "wave+mel"}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FormatsPreprocess:
        """The reverse of `to_dict`."""
        made = {**values, "fitted": tuple(values["fitted"]), "mel": LogMel.from_dict(values["mel"])}
        return cls(**made)


def log_mel_of_spec(spec: InputSpec) -> LogMel | None:
    """The spectrogram that the facts of an input describe; None for an input without these facts."""
    facts = dict(spec.facts)
    try:
        return LogMel.from_dict(facts) if facts else None
    except TypeError:  # facts of another kind
        return None
