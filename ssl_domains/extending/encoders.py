"""The encoders of the core; those of timm, ``bilstm:NAME`` and ``transformers:FOLDER`` need no entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssl_domains.extending.encoder_entry import EncoderEntry

if TYPE_CHECKING:
    from ssl_domains.encoders import Encoder
    from ssl_domains.inputs import InputSpec

__all__ = ["BUILT_IN"]


def small_conv(takes: InputSpec, init: str) -> Encoder:
    """``small_conv`` from torch's global generator."""
    return _create("small_conv", takes, init)


def small_vit(takes: InputSpec, init: str) -> Encoder:
    """``small_vit`` from torch's global generator."""
    return _create("small_vit", takes, init)


def conv1d(takes: InputSpec, init: str) -> Encoder:
    """``conv1d`` from torch's global generator."""
    return _create("conv1d", takes, init)


def small_crnn(takes: InputSpec, init: str) -> Encoder:
    """``small_crnn`` from torch's global generator."""
    return _create("small_crnn", takes, init)


def line_conv(takes: InputSpec, init: str) -> Encoder:
    """``line_conv`` from torch's global generator."""
    return _create("line_conv", takes, init)


def _create(name: str, takes: InputSpec, init: str) -> Encoder:
    import torch

    from ssl_domains.encoders import create_encoder

    seed = int(torch.randint(2**31, ()))
    return create_encoder(name, init=init, seed=seed, takes=takes)  # type: ignore[arg-type]


BUILT_IN = (
    EncoderEntry("small_conv", "four 3×3 convolutions for small pictures; 0.1 M parameters", f"{__name__}:small_conv"),
    EncoderEntry(
        "small_vit", "a ViT of 8×8 patches, width 64 and 4 blocks for small pictures; 0.2 M", f"{__name__}:small_vit"
    ),
    EncoderEntry("conv1d", "residual network for waveforms and series; 0.3 M parameters", f"{__name__}:conv1d"),
    EncoderEntry(
        "small_crnn",
        "three convolutions and a BiLSTM for pictures of text lines; 0.4 M parameters",
        f"{__name__}:small_crnn",
    ),
    EncoderEntry(
        "line_conv", "four convolutions for pictures of text lines, for few labels; 0.3 M", f"{__name__}:line_conv"
    ),
)
