"""``conv1d`` with a total stride of 80 samples, as encoders of contrastive predictive coding have at 8 kHz."""

from __future__ import annotations

from ssl_domains.encoders import Conv1d, MaskedEncoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["conv1d_80"]


def conv1d_80(takes: InputSpec, init: str) -> MaskedEncoder:
    """A place of the map every 80 samples: 10 ms at 8 kHz, 5 ms at 16 kHz.

    Raises:
        UsageError: For inputs of several sides, and for pretrained weights.
    """
    if len(takes.space) != 1:
        raise UsageError(f"'conv1d_80' takes waveforms, not {takes.kind!r}", "--set input.form=wave")
    if init != "random":
        raise UsageError("there are no pre-trained weights for the encoder conv1d_80", "start from random weights")
    return MaskedEncoder(Conv1d(takes.channels, strides=(5, 4, 2, 2)), "conv1d_80", takes)
