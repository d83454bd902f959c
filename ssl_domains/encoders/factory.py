"""Builds an encoder from its name."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

import timm
import torch
from torch import nn

from ssl_domains.encoders.conv1d import Conv1d
from ssl_domains.encoders.encoder import Encoder
from ssl_domains.encoders.hugging_face.create import create_transformer
from ssl_domains.encoders.hugging_face.folder import PREFIX
from ssl_domains.encoders.masked import MaskedEncoder
from ssl_domains.encoders.recurrent.create import (
    BILSTM,
    LINE,
    LINE_CONV,
    SMALL_CRNN,
    line_conv,
    recurrent_encoder,
    small_crnn,
)
from ssl_domains.encoders.recurrent.line_encoder import LineEncoder
from ssl_domains.encoders.segments import require_one_segment
from ssl_domains.encoders.timm_encoder import TimmEncoder
from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.inputs import InputSpec

__all__ = ["Init", "create_encoder"]

Init = Literal["random", "pretrained"]


def create_encoder(
    name: str,
    in_chans: int | None = None,
    *,
    init: Init = "random",
    seed: int = 0,
    image_size: int | None = None,
    takes: InputSpec | None = None,
    segments: int = 1,
) -> Encoder:
    """Build an encoder by its name.

    A timm architecture becomes a `MaskedEncoder` if ``takes`` has ragged sides, else a `TimmEncoder`.

    Args:
        name: A timm architecture, ``small_conv``, ``conv1d``, ``small_crnn``, ``line_conv``, ``bilstm:NAME`` with a
            convolutional network of timm, ``transformers:FOLDER``, or an encoder of a plugin. Names of timm and of this
            package take precedence over those of plugins.
        in_chans: Channels of the input; None takes those of ``takes``, else 3 (1 for ``conv1d`` and lines). timm adapts
            the first layer of pretrained weights.
        init: ``"random"`` draws weights from ``seed``; ``"pretrained"`` lets timm download weights, or reads those of
            the folder. The BiLSTM of ``bilstm:NAME`` is random in any case.
        seed: Seed of the random weights.
        image_size: Side of a square picture in pixels, for architectures that must know it (ViT).
        takes: The form of the input; None for square pictures, waveforms of any length (``conv1d``), lines of 32 pixels
            and any width (``small_crnn``, ``line_conv``, ``bilstm:NAME``) or texts.
        segments: Parts of equal length in time that are pooled apart, for signals, spectrograms and lines; the pooled
            features are ``segments`` times as wide.

    Raises:
        UsageError: When no encoder has this name, it can't take this input, or its weights can't be loaded.
        PluginError: When two plugins have an encoder of this name.
    """
    if takes is not None:
        if in_chans not in (None, takes.channels):
            raise UsageError(f"in_chans={in_chans} for an input of {takes.channels} channels", "leave in_chans out")
        in_chans = takes.channels
    if name.startswith(PREFIX):
        require_one_segment(name, segments)
        return create_transformer(name, takes, init=init, seed=seed, in_chans=in_chans, image_size=image_size)
    if name == "conv1d":
        return _create_conv1d(takes or InputSpec("wave", in_chans or 1, (None,)), init, seed, segments)
    if name in (SMALL_CRNN, LINE_CONV) or name.startswith(BILSTM):
        return _create_line_encoder(name, takes or _line(in_chans, image_size), init, seed, segments)
    if timm.is_model(name):
        if takes is not None and len(takes.space) != 2:
            raise UsageError(f"{name!r} takes inputs of two sides, not {len(takes.space)}", "take conv1d for one side")
        model = _timm_model(name, 3 if in_chans is None else in_chans, init, seed, image_size or _fixed_size(takes))
        if takes is not None and takes.ragged:
            return MaskedEncoder(model, name, takes, segments)
        require_one_segment(name, segments)
        return TimmEncoder(model, name, takes or _square(model, 3 if in_chans is None else in_chans, image_size))
    # Imported here, as `extending` imports this package; plugins are searched only for names that are unknown here.
    from ssl_domains.extending.current import current_registry

    entry = current_registry().encoder(name)
    with _seeded(seed):
        encoder = entry.build(takes or InputSpec("image", in_chans or 3, (image_size, image_size)), init)
    encoder.pool_in(segments)
    return encoder


def _create_conv1d(takes: InputSpec, init: Init, seed: int, segments: int) -> Encoder:
    if init != "random":
        raise _no_weights("conv1d", "start from a file of weights, or from random ones")
    if len(takes.space) != 1:
        raise UsageError(f"'conv1d' takes inputs of one side, not {len(takes.space)}", "take small_conv for pictures")
    with _seeded(seed):
        model = Conv1d(takes.channels)
    return MaskedEncoder(model, "conv1d", takes, segments)


def _line(in_chans: int | None, size: int | None) -> InputSpec:
    channels = LINE.channels if in_chans is None else in_chans
    return InputSpec("image", channels, (size, size)) if size else replace(LINE, channels=channels)


def _create_line_encoder(name: str, takes: InputSpec, init: Init, seed: int, segments: int) -> LineEncoder:
    if name in (SMALL_CRNN, LINE_CONV):
        if init != "random":
            raise _no_weights(name, "start from a file of weights, or from random ones")
        with _seeded(seed):
            return small_crnn(takes, segments) if name == SMALL_CRNN else line_conv(takes, segments)
    network = name.removeprefix(BILSTM)
    if not timm.is_model(network):
        known = ("resnet18", "resnet34", "resnet50", "small_conv")
        raise UsageError(
            f"the encoder {name!r} needs a convolutional network of timm; {network!r} is none",
            did_you_mean(network, known),
        )
    model = _timm_model(network, takes.channels, init, seed, _fixed_size(takes))
    with _seeded(seed + 1):
        return recurrent_encoder(model, name, takes, segments)


def _timm_model(name: str, in_chans: int, init: Init, seed: int, size: int | tuple[int, ...] | None) -> nn.Module:
    options: dict[str, Any] = {"in_chans": in_chans, "num_classes": 0}
    with _seeded(seed), warnings.catch_warnings():
        try:
            try:
                model = timm.create_model(name, pretrained=init == "pretrained", img_size=size, **options)
            except TypeError:  # most architectures take any size and have no argument img_size
                torch.manual_seed(seed)
                model = timm.create_model(name, pretrained=init == "pretrained", **options)
        except Exception as error:
            cause = str(error).splitlines()[0] if str(error) else type(error).__name__
            if "No pretrained weights exist" in cause:
                hint = "use --encoder resnet18, which has such weights, or start from a file of weights"
                raise _no_weights(name, hint) from error
            hint = "pretrained weights come over the network" if init == "pretrained" else "see the model's page"
            raise UsageError(f"encoder {name!r} can't be made: {cause}", hint) from error
    assert isinstance(model, nn.Module)
    return model


def _no_weights(name: str, hint: str) -> UsageError:
    return UsageError(f"there are no pre-trained weights for the encoder {name!r}", hint)


def _square(model: nn.Module, in_chans: int, image_size: int | None) -> InputSpec:
    """The form of pictures of the given size, or of the architecture's default size; most take other sizes too."""
    config: Any = getattr(model, "pretrained_cfg", None) or {}
    usual = tuple(config.get("input_size") or (in_chans, 224, 224))[1:]
    return InputSpec("image", in_chans, (image_size, image_size) if image_size else usual)


def _fixed_size(takes: InputSpec | None) -> tuple[int, ...] | None:
    if takes is None:
        return None
    fixed = tuple(side for side in takes.space if side is not None)
    return fixed if len(fixed) == len(takes.space) else None


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
