"""Builds an encoder of text lines from its name."""

from __future__ import annotations

from torch import nn

from ssl_domains.encoders.recurrent.encoder import RecurrentEncoder
from ssl_domains.encoders.recurrent.line_conv import LineConv
from ssl_domains.encoders.recurrent.local_encoder import LocalEncoder
from ssl_domains.encoders.recurrent.width_stride import limit_width_stride
from ssl_domains.encoders.timm_encoder import timm_width
from ssl_domains.inputs import InputSpec

__all__ = ["BILSTM", "LINE", "LINE_CONV", "SMALL_CRNN", "line_conv", "recurrent_encoder", "small_crnn"]

BILSTM = "bilstm:"
"""Beginning of the names of encoders with a convolutional network of timm: ``bilstm:resnet18``."""

SMALL_CRNN, LINE_CONV = "small_crnn", "line_conv"

LINE = InputSpec("line", 1, (32, None))
"""The form of a picture of a text line, unless another is given: grey, 32 pixels high."""

_STRIDE = 4  # pixels of the width for a frame, as in CRNN
_WIDEST = 256  # width of each direction of the BiLSTM, at most
_LAYERS = 2
_BANDS = 4  # parts of the height that a column keeps apart, where the network is small


def recurrent_encoder(model: nn.Module, name: str, takes: InputSpec, segments: int = 1) -> RecurrentEncoder:
    """``bilstm:NAME``: a convolutional network whose stride along the width becomes 4, and two layers of a BiLSTM.

    The features are as wide as those of the network, but no wider than 512.

    Args:
        model: The network, which is changed in place.
        name: The name of the encoder.
        takes: The form of its input.
        segments: Parts that are pooled apart.

    Raises:
        UsageError: When the network lets padding through, or the input is no picture.
    """
    if len(takes.space) == 2:
        limit_width_stride(model, takes.channels, takes.space[0] or 64, _STRIDE)
    hidden = min(_WIDEST, timm_width(model) // 2)
    return RecurrentEncoder(model, name, takes, hidden, _LAYERS, segments)


def small_crnn(takes: InputSpec, segments: int = 1) -> RecurrentEncoder:
    """``small_crnn``: three convolutions and one layer of a BiLSTM, 0.4 M parameters and 128 features."""
    return RecurrentEncoder(LineConv(takes.channels), SMALL_CRNN, takes, hidden=64, segments=segments, bands=_BANDS)


def line_conv(takes: InputSpec, segments: int = 1) -> LocalEncoder:
    """``line_conv``: the convolutions of ``small_crnn`` and one along the width; 0.3 M parameters, 128 features.

    A frame sees 23 pixels of the width.
    """
    return LocalEncoder(LineConv(takes.channels), LINE_CONV, takes, 128, _BANDS, segments)
