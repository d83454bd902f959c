"""Base of the encoders of pictures of text lines: a masked convolutional network, and a vector for each column."""

from __future__ import annotations

from abc import abstractmethod
from typing import TypeVar

from torch import Tensor, nn

from ssl_domains.encoders.encoder import Encoder, Features
from ssl_domains.encoders.masked import MaskedEncoder, masked_mean
from ssl_domains.encoders.recurrent.columns import columns
from ssl_domains.encoders.segments import segment_means
from ssl_domains.encoders.stages import encoder_stages
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec

__all__ = ["ColumnNetwork", "LineEncoder", "masked_network"]

Widths = TypeVar("Widths")


class ColumnNetwork(nn.Module):
    """The networks of a `LineEncoder`: from pictures to frames.

    Attributes:
        cnn: The convolutional network, masked.
        bands: Parts of the height of its map that a column keeps apart.
    """

    def __init__(self, cnn: MaskedEncoder, bands: int) -> None:
        super().__init__()
        self.cnn = cnn
        self.bands = bands

    @abstractmethod
    def read(self, vectors: Tensor, lengths: Tensor | None) -> Tensor:
        """Frames ``[B, T, F]`` of the vectors of columns ``[B, T, bands · F]``, of which ``lengths`` are valid."""

    def forward(self, values: Tensor, valid: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Frames ``[B, F, T]``, 0 at padding, and bool ``[B, 1, T]``: which are valid; None without ``valid``."""
        features = self.cnn(values, valid)
        vectors, mask = columns(features.map, features.mask, self.bands)
        lengths = None if mask is None else mask.flatten(1).sum(dim=1)
        frames = self.read(vectors.transpose(1, 2), lengths).transpose(1, 2)
        return (frames if mask is None else frames.masked_fill(~mask, 0.0)), mask


class LineEncoder(Encoder):
    """A convolutional network and what reads its columns, for pictures of text lines.

    ``map`` is ``[B, F, T]`` with T frames from left to right, ``mask`` bool ``[B, 1, T]``, and ``pooled`` the mean over
    valid frames. A picture that is ``w`` pixels wide has ``frames(w)`` frames.

    Pictures of one size may be padded by their preprocess with values that tell nothing. There validity doesn't change
    the features, as in `TimmEncoder`; only the mask says which frames are valid.

    Args:
        network: The networks.
        name: The name with which `create_encoder` builds it.
        takes: The form of its input: two sides, height and width.
        width: Number of features of a frame.
        segments: Parts of equal length along the width that are pooled apart.
    """

    model: ColumnNetwork

    def __init__(self, network: ColumnNetwork, name: str, takes: InputSpec, width: int, segments: int = 1) -> None:
        super().__init__(network, name, takes, width * segments)
        self.segments = segments

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        """Encode ``values [B, C, H, W]`` with their validity ``[B, 1, H, W]``."""
        frames, mask = self.model(values, valid if self.takes.ragged else None)
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
        """Names of the parameters of each stage: those of the convolutional network, then of what reads its columns."""
        stages = [[f"model.cnn.{name}" for name in stage] for stage in encoder_stages(self.model.cnn)]
        return [*stages, *([name for name, _ in self.named_parameters() if name.startswith(s)] for s in self.readers)]

    @property
    @abstractmethod
    def readers(self) -> list[tuple[str, ...]]:
        """Beginnings of the names of the parameters of each further stage."""


def masked_network(model: nn.Module, name: str, takes: InputSpec) -> MaskedEncoder:
    """A convolutional network of which no layer sees padding.

    Raises:
        UsageError: When the input hasn't two sides, or a layer lets padding through.
    """
    if len(takes.space) != 2 or takes.dtype == "int64":
        raise UsageError(
            f"the encoder {name!r} takes pictures of lines, not inputs of {len(takes.space)} sides",
            "take conv1d for one side",
        )
    try:
        return MaskedEncoder(model, name, takes)
    except UsageError as error:
        raise UsageError(error.message, "take small_crnn, bilstm:small_conv or bilstm:resnet18") from error
