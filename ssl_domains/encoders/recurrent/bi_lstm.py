"""A bidirectional LSTM for sequences of differing length in one batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["BiLSTM"]


class BiLSTM(nn.Module):
    """Layers of an LSTM in both directions (Graves & Schmidhuber 2005), which read no padding.

    The backward direction reads each sequence from its last valid place to the first: the valid places are reversed,
    and padding stays behind them. So a sequence has the same output alone and in a batch, and no length has to be
    known on the CPU, as packed sequences would need.

    Args:
        features: Width ``F`` of the input.
        hidden: Width of each direction; the output is twice as wide.
        layers: Number of layers. Each reads the outputs of both directions of the layer below.
    """

    def __init__(self, features: int, hidden: int, layers: int = 1) -> None:
        super().__init__()
        widths = [features] + [2 * hidden] * (layers - 1)
        self.ahead = nn.ModuleList(nn.LSTM(width, hidden, batch_first=True) for width in widths)
        self.back = nn.ModuleList(nn.LSTM(width, hidden, batch_first=True) for width in widths)

    def forward(self, sequences: Tensor, lengths: Tensor | None = None) -> Tensor:
        """``[B, T, F]`` to ``[B, T, 2 · hidden]``; the output at padding is without meaning.

        Args:
            sequences: The sequences; padding, at their ends, holds finite numbers.
            lengths: int64 ``[B]``, valid places of each sequence; None where all are valid.
        """
        for ahead, back in zip(self.ahead, self.back, strict=True):
            backwards = _reversed(back(_reversed(sequences, lengths))[0], lengths)
            sequences = torch.cat([ahead(sequences)[0], backwards], dim=2)
        return sequences


def _reversed(sequences: Tensor, lengths: Tensor | None) -> Tensor:
    """The valid places of each sequence in reverse order; padding stays where it is."""
    if lengths is None:
        return sequences.flip(1)
    place = torch.arange(sequences.shape[1], device=sequences.device)
    source = torch.where(place < lengths[:, None], lengths[:, None] - 1 - place, place)
    return sequences.gather(1, source[..., None].expand_as(sequences))
