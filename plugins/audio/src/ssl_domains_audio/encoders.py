"""A small convolutional encoder of spectrograms that keeps the order of sounds: ``mel_conv``."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, Features, MaskedEncoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["SEGMENTS", "MelConv", "SegmentEncoder", "mel_conv", "segment_means"]

SEGMENTS = 4
"""Equal parts of a recording that are averaged apart; one mean would be the same for a word and its reversal."""

_WIDTHS, _STRIDES = (32, 64, 128), ((2, 2), (2, 2), (2, 1))


class MelConv(nn.Module):
    """Three convolutions with BatchNorm and ReLU, of stride 8 in frequency and 4 in time; 0.09 M parameters.

    ``forward_features`` returns the map of 128 channels once for each segment, ``[B, 4 · 128, bands / 8, frames / 4]``.

    Args:
        in_chans: Channels of the input ``[B, C, bands, frames]``.
    """

    def __init__(self, in_chans: int = 1) -> None:
        super().__init__()
        self.num_features = self.head_hidden_size = SEGMENTS * _WIDTHS[-1]
        self.stages = nn.Sequential()
        for before, after, stride in zip((in_chans, *_WIDTHS), _WIDTHS, _STRIDES, strict=False):
            convolution = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
            self.stages.append(nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True)))

    def forward_features(self, x: Tensor) -> Tensor:
        """``[B, C, bands, frames]`` to the map."""
        return torch.as_tensor(self.stages(x)).repeat(1, SEGMENTS, 1, 1)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Means of the segments, of a map without padding; there is no classifier."""
        return segment_means(x, None)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, C, bands, frames]`` to ``[B, 4 · 128]``."""
        return self.forward_head(self.forward_features(x))


class SegmentEncoder(MaskedEncoder):
    """A network of spectrograms whose features are the means of equal segments of time, one behind the other.

    Padding changes nothing, as with every `MaskedEncoder`: the segments are parts of the valid length.
    """

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        """Encode a batch; see `Encoder.forward`."""
        made = super().forward(values, valid)
        return made if valid is not None else Features(segment_means(made.map, None), made.map)

    def encode(self, values: Tensor, valid: Tensor, places: Any) -> Features:
        """Encode a padded batch whose valid places are known."""
        made = super().encode(values, valid, places)
        return Features(segment_means(made.map, made.mask), made.map, made.mask)


def segment_means(features: Tensor, valid: Tensor | None) -> Tensor:
    """Channel group ``k`` of a map averaged over the ``k``-th quarter of the time, ``[B, F]``.

    A place counts with the share of it that lies in the segment, so that any length has four segments.

    Args:
        features: ``[B, F, bands, frames]``, 0 at invalid places; F is a multiple of 4.
        valid: bool ``[B, 1, bands, frames]``, true up to the ends of each sample; None where all is valid.
    """
    batch, channels, bands, frames = features.shape
    if valid is None:
        valid = torch.ones((batch, 1, bands, frames), dtype=torch.bool, device=features.device)
    height, length = (valid[:, 0].any(dim=side).sum(dim=1) for side in (2, 1))
    over_bands = features.float().sum(dim=2) / height.clamp(min=1)[:, None, None]
    step = length.clamp(min=1)[:, None] / SEGMENTS
    starts = step * torch.arange(SEGMENTS, device=features.device)
    places = torch.arange(frames, device=features.device)
    shared = torch.minimum(places + 1.0, (starts + step)[..., None]) - torch.maximum(places * 1.0, starts[..., None])
    weights = F.relu(shared) / step[..., None]
    grouped = over_bands.view(batch, SEGMENTS, channels // SEGMENTS, frames)
    means = torch.einsum("bsct,bst->bsc", grouped, weights)
    return means.reshape(batch, channels).to(features.dtype)


def mel_conv(takes: InputSpec, init: str) -> Encoder:
    """Build the encoder; called by `ssl_domains.extending.EncoderEntry`.

    Raises:
        UsageError: For an input that is no spectrogram, or weights that don't exist.
    """
    if len(takes.space) != 2:
        raise UsageError(f"'mel_conv' takes spectrograms, not {takes.kind!r}", "take conv1d for waveforms")
    if init != "random":
        raise UsageError("there are no pre-trained weights for the encoder 'mel_conv'", "--init random")
    return SegmentEncoder(MelConv(takes.channels), "mel_conv", takes)
