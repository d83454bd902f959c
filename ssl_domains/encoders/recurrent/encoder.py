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
    """The networks of a `RecurrentEncoder`: from pictures to frames.

    Attributes:
        cnn: The convolutional network, masked.
        lstm: The BiLSTM over the columns of its map.
        bands: Parts of the height of the map that a column keeps apart.
    """

    def __init__(self, cnn: MaskedEncoder, lstm: BiLSTM, bands: int = 1) -> None:
        super().__init__()
        self.cnn = cnn
        self.lstm = lstm
        self.bands = bands

    def forward(self, values: Tensor, valid: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Frames ``[B, F, T]``, 0 at padding, and bool ``[B, 1, T]``: which are valid; None without ``valid``."""
        features = self.cnn(values, valid)
        columns, mask = _columns(features.map, features.mask, self.bands)
        lengths = None if mask is None else mask.flatten(1).sum(dim=1)
        frames = self.lstm(columns.transpose(1, 2), lengths).transpose(1, 2)
        return (frames if mask is None else frames.masked_fill(~mask, 0.0)), mask


class RecurrentEncoder(Encoder):
    """A convolutional network and a BiLSTM along the width (CRNN; Shi et al. 2017) for pictures of text lines.

    The map of the network is averaged over each band of its height, and the bands of a column, one below the other, are
    one vector: with one band, a stroke looks the same at the top and at the bottom of a letter. The BiLSTM reads these
    vectors from left to right and back, valid ones only, and gives a *frame* for each. ``map`` is ``[B, F, T]`` with T frames from left to right,
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
        bands: Parts of equal height of the map.

    Raises:
        UsageError: When the input hasn't two sides, or a layer lets padding through.
    """

    model: CRNN
    reads_all: bool = True

    def __init__(
        self,
        model: nn.Module,
        name: str,
        takes: InputSpec,
        hidden: int,
        layers: int = 1,
        segments: int = 1,
        bands: int = 1,
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
        networks = CRNN(cnn, BiLSTM(bands * cnn.map_features, hidden, layers), bands)
        super().__init__(networks, name, takes, 2 * hidden * segments)
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
        """Names of the parameters of each stage: those of the convolutional network, then the layers of the BiLSTM."""
        stages = [[f"model.cnn.{name}" for name in stage] for stage in encoder_stages(self.model.cnn)]
        for number in range(len(self.model.lstm.ahead)):
            starts = tuple(f"model.lstm.{direction}.{number}." for direction in ("ahead", "back"))
            stages.append([name for name, _ in self.named_parameters() if name.startswith(starts)])
        return stages


def _columns(features: Tensor, mask: Tensor | None, bands: int) -> tuple[Tensor, Tensor | None]:
    """Means of the bands of each column over their valid places, ``[B, bands · F, T]``, and the valid columns.

    A band without a valid place is 0.

    Args:
        features: ``[B, F, H, T]``.
        mask: bool ``[B, 1, H, T]``; None where all places are valid.
        bands: Number of bands, which divide the valid height of each sample evenly.

    Returns:
        The vectors, and bool ``[B, 1, T]``: columns with a valid place; None without ``mask``.
    """
    wide = torch.promote_types(features.dtype, torch.float32)
    if mask is None:
        heights = torch.full((1,), features.shape[2], device=features.device)
        sums = torch.einsum("bfht,kh->bkft", features.to(wide), _shares(heights, features.shape[2], bands, wide)[0])
        return (bands * sums.flatten(1, 2)).to(features.dtype), None
    share = _shares(mask.any(dim=3).sum(dim=2).flatten(), features.shape[2], bands, wide)
    sums = torch.einsum("bfht,bkh->bkft", features.to(wide), share)
    valid = torch.einsum("bht,bkh->bkt", mask[:, 0].to(wide), share)[:, :, None]
    means = torch.where(valid > 0, sums / valid.clamp(min=torch.finfo(wide).tiny), 0.0)
    return means.flatten(1, 2).to(features.dtype), mask.any(dim=2)


def _shares(heights: Tensor, rows: int, bands: int, dtype: torch.dtype) -> Tensor:
    """How much of each row lies in each band, ``[B, bands, rows]``: a row over the border of two bands is in both.

    Args:
        heights: Number of valid rows of each sample ``[B]``.
        rows: Number of all rows.
        bands: Number of bands.
        dtype: Of the result.
    """
    top = torch.arange(rows, device=heights.device) / heights.clamp(min=1)[:, None, None]
    band = torch.arange(bands, device=heights.device)[:, None] / bands
    height = 1 / heights.clamp(min=1)[:, None, None]
    inside = torch.minimum(top + height, band + 1 / bands) - torch.maximum(top, band)
    return inside.clamp(min=0).to(dtype)
