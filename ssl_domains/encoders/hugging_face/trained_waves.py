"""Which waveforms a Hugging Face model was trained on, by the feature extractor in the model's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssl_domains.encoders.hugging_face.folder import PREFIX
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["TrainedWaves", "trained_waves"]

_FILES = ("preprocessor_config.json", "processor_config.json")


@dataclass(frozen=True)
class TrainedWaves:
    """The waveforms that a model was trained on.

    Attributes:
        rate: Samples a second in Hz; None where the folder doesn't say it.
        normalised: Whether each waveform was brought to mean 0 and variance 1.
        settings: All settings of the feature extractor; empty where the folder has none.
    """

    rate: int | None
    normalised: bool
    settings: Mapping[str, Any]

    def require(self, name: str, takes: InputSpec, init: str) -> None:
        """Refuse waveforms of another rate for weights that were trained on this one.

        Args:
            name: ``transformers:FOLDER``.
            takes: The form of the input, whose facts may have the ``rate`` of the waveforms.
            init: ``"pretrained"``; random weights were trained at no rate.

        Raises:
            UsageError: When the rates differ.
        """
        rate = dict(takes.facts).get("rate")
        if init == "pretrained" and None not in (rate, self.rate) and rate != self.rate:
            cause = f"the weights of {name!r} were trained on waveforms at {self.rate:,} Hz, and these have {rate:,} Hz"
            raise UsageError(cause, f"--set input.rate={self.rate}")

    def warning(self, name: str, takes: InputSpec) -> tuple[str, ...]:
        """A sentence where the level of the waveforms is another one than in the model's training; else nothing."""
        if self.normalised or not self.settings or dict(takes.facts).get("level") != "recording":
            return ()
        return (
            f"{name!r} was trained on waveforms where ±1 is full scale, and each of these is brought to level 1 "
            "(--set input.level=fixed keeps full scale)",
        )


def trained_waves(name: str) -> TrainedWaves:
    """Read the settings of the feature extractor beside a model.

    Args:
        name: ``transformers:FOLDER``.

    Raises:
        UsageError: When they can't be read.
    """
    folder = Path(name.removeprefix(PREFIX)).expanduser()
    for file in (folder / one for one in _FILES):
        if file.is_file():
            values = _settings(file)
            rate = values.get("sampling_rate")
            return TrainedWaves(rate if isinstance(rate, int) else None, bool(values.get("do_normalize")), values)
    return TrainedWaves(None, False, {})


def _settings(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{file} can't be read: {cause}", "save the feature extractor anew") from error
    inner = values.get("feature_extractor", values) if isinstance(values, dict) else None
    if not isinstance(inner, dict):
        raise UsageError(f"{file} holds no settings of a feature extractor", "save the feature extractor anew")
    return inner
