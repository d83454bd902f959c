"""A small convolutional encoder of spectrograms with fine steps in time, for short sounds: ``mel_conv``."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ssl_domains.encoders import MaskedEncoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["MelConv", "mel_conv"]

_WIDTHS, _STRIDES = (32, 64, 128), ((2, 2), (2, 2), (2, 1))


class MelConv(nn.Module):
    """Three convolutions with BatchNorm and ReLU, of stride 8 in frequency and 4 in time; 0.09 M parameters.

    With 10 ms from frame to frame, a place of its map is 40 ms.

    Args:
        in_chans: Channels of the input ``[B, C, bands, frames]``.
    """

    def __init__(self, in_chans: int = 1) -> None:
        super().__init__()
        self.num_features = self.head_hidden_size = _WIDTHS[-1]
        self.stages = nn.Sequential()
        for before, after, stride in zip((in_chans, *_WIDTHS), _WIDTHS, _STRIDES, strict=False):
            convolution = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
            self.stages.append(nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True)))

    def forward_features(self, x: Tensor) -> Tensor:
        """``[B, C, bands, frames]`` to ``[B, 128, bands / 8, frames / 4]``."""
        return torch.as_tensor(self.stages(x))

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Average over bands and frames; there is no classifier."""
        return x.mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """``[B, C, bands, frames]`` to ``[B, 128]``."""
        return self.forward_head(self.forward_features(x))


def mel_conv(takes: InputSpec, init: str) -> MaskedEncoder:
    """Build the encoder; called by `ssl_domains.extending.EncoderEntry`.

    Raises:
        UsageError: For an input that is no spectrogram, or weights that don't exist.
    """
    if len(takes.space) != 2:
        raise UsageError(f"'mel_conv' takes spectrograms, not {takes.kind!r}", "take conv1d for waveforms")
    if init != "random":
        raise UsageError("there are no pre-trained weights for the encoder 'mel_conv'", "--init random")
    return MaskedEncoder(MelConv(takes.channels), "mel_conv", takes)
