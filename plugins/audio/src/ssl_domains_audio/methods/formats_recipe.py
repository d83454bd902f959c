"""Views of two formats: the variant ``wave`` gives waveforms, the variant ``mel`` gives spectrograms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ssl_domains.errors import UsageError
from ssl_domains.views import SequenceRecipe, SequenceStep

__all__ = ["FormatsRecipe"]

_PARTS = {"wave": 0, "mel": 1}


@dataclass(frozen=True)
class FormatsRecipe(SequenceRecipe):
    """Views of waveforms, with variants for methods that compare formats.

    Waveform and spectrogram of a recording are its parts 0 and 1. Each view has a crop of its own.

    Attributes:
        spectrograms: Steps of the variant ``mel``, from waveforms to spectrograms.
    """

    spectrograms: tuple[SequenceStep, ...] = ()

    def variant(self, name: str, size: int | None = None) -> SequenceRecipe:
        """``wave``, ``mel``, or a variant of the views of waveforms; see `SequenceRecipe.variant`.

        Raises:
            UsageError: For another name, or a size of ``wave`` or ``mel``.
        """
        if name not in _PARTS:
            waves = SequenceRecipe(self.steps, self.views, self.crop)
            return waves.variant(name, size)
        if size is not None:
            raise UsageError(f"the variant {name!r} has the size of the recipe, not {size}", "leave the size out")
        steps = self.steps if name == "wave" else self.spectrograms
        return SequenceRecipe(steps, self.views, self.crop, _PARTS[name])

    def without(self, name: str) -> FormatsRecipe:
        """The recipe without the steps of that name, in both formats.

        Raises:
            UsageError: When neither has such a step.
        """
        waves, spectrograms = (tuple(s for s in steps if s.name != name) for steps in (self.steps, self.spectrograms))
        if (waves, spectrograms) == (self.steps, self.spectrograms):
            super().without(name)  # says which steps there are
        return replace(self, steps=waves, spectrograms=spectrograms)

    def to_dict(self) -> dict[str, Any]:
        """All settings, as JSON values."""
        return {**super().to_dict(), "spectrograms": [step.to_dict() for step in self.spectrograms]}
