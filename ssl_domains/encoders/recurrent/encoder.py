"""Encoder of pictures of text lines: a masked convolutional network, the mean of each column, and a BiLSTM."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

from ssl_domains.encoders.encoder import Encoder, Features
from ssl_domains.encoders.masked import MaskedEncoder, masked_mean
from ssl_domains.encoders.recurrent.bi_lstm import BiLSTM
from ssl_domains.encoders.segments import segment_means
from ssl_domains.encoders.stages import encoder_stages
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["RecurrentEncoder"]

Widths = TypeVar("Widths")


class CRNN(nn.Module):
    """The networks of a `RecurrentEncoder`.

    Attributes:
        cnn: The convolutional network, masked.
        lstm: The BiLSTM over the columns of its map.
    """

    def __init__(self, cnn: MaskedEncoder, lstm: BiLSTM) -> None:
        super().__init__()
        self.cnn = cnn
        self.lstm = lstm


class RecurrentEncoder(Encoder):
    """A convolutional network and a BiLSTM along the width (CRNN; Shi et al. 2017) for pictures of text lines.

    The map of the network is averaged over its height, so that each column is one vector, a *frame*. The BiLSTM reads
    the frames from left to right and back, valid ones only. ``map`` is ``[B, F, T]`` with T frames from left to right,
    ``mask`` bool ``[B, 1, T]``, and ``pooled`` the mean over valid frames. A picture that is ``w`` pixels wide has
    ``frames(w)`` frames.

    Pictures of one size may be padded by their preprocess with values that tell nothing. There validity doesn't change
    the features, as in `TimmEncoder`; only the mask says which frames are valid.

    Args:
        model: A convolutional network as `MaskedEncoder` takes it. Its layers are checked in the same way.
        name: The name with which `create_encoder` builds it.
        takes: The form of its input: two sides, height and width.
        hidden: Width of each direction of the BiLSTM; the features are twice as wide.
        layers: Layers of the BiLSTM.
        segments: Parts of equal length along the width that are pooled apart.

    Raises:
        UsageError: When the input hasn't two sides, or a layer lets padding through.
    """

    model: CRNN
    reads_all: bool = True

    def __init__(
        self, model: nn.Module, name: str, takes: InputSpec, hidden: int, layers: int = 1, segments: int = 1
    ) -> None:
        if len(takes.space) != 2 or takes.dtype == "int64":
            raise UsageError(
                f"the encoder {name!r} takes pictures of lines, not inputs of {len(takes.space)} sides",
                "take conv1d for one side",
            )
        try:
            cnn = MaskedEncoder(model, name, takes)
        except UsageError as error:
            raise UsageError(error.message, "take small_crnn, bilstm:small_conv or bilstm:resnet18") from error
        networks = CRNN(cnn, BiLSTM(cnn.map_features, hidden, layers))
        super().__init__(networks, name, takes, 2 * hidden * segments)
        self.segments = segments

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        """Encode ``values [B, C, H, W]`` with their validity ``[B, 1, H, W]``."""
        masked = valid if self.takes.ragged else None
        features = self.model.cnn(values, masked)
        columns, mask = _columns(features.map, features.mask)
        lengths = None if mask is None else mask.flatten(1).sum(dim=1)
        frames = self.model.lstm(columns.transpose(1, 2), lengths).transpose(1, 2)
        if mask is not None:
            frames = frames.masked_fill(~mask, 0.0)
        pooled = masked_mean(frames, mask) if self.segments == 1 else segment_means(frames, mask, self.segments)
        if valid is not None and mask is None:
            share = nn.functional.adaptive_max_pool2d(valid.to(values.dtype), (1, frames.shape[2]))
            mask = share[:, :, 0] > 0
        return Features(pooled, frames, mask)

    @property
    def stride(self) -> int:
        """Width of a frame in pixels."""
        return self.model.cnn.stride

    def frames(self, widths: Widths) -> Widths:
        """Number of frames of pictures of these widths in pixels; see `MaskedEncoder.frames`."""
        return self.model.cnn.frames(widths)

    def stages(self) -> list[list[str]]:
        """Names of the parameters of each stage: those of the convolutional network, then the layers of the BiLSTM."""
        stages = [[f"model.cnn.{name}" for name in stage] for stage in encoder_stages(self.model.cnn)]
        for number in range(len(self.model.lstm.ahead)):
            starts = tuple(f"model.lstm.{direction}.{number}." for direction in ("ahead", "back"))
            stages.append([name for name, _ in self.named_parameters() if name.startswith(starts)])
        return stages


def _columns(features: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Mean of each column over its valid places, ``[B, F, T]``, and the columns that have one, bool ``[B, 1, T]``."""
    wide = torch.promote_types(features.dtype, torch.float32)
    if mask is None:
        return features.mean(dim=2, dtype=wide).to(features.dtype), None
    count = mask.sum(dim=2)
    return (features.sum(dim=2, dtype=wide) / count.clamp(min=1)).to(features.dtype), count > 0
