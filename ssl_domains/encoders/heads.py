"""The projection head between encoder and loss, which is not used after pre-training."""

from __future__ import annotations

from torch import nn

__all__ = ["projection_head"]


def projection_head(in_features: int, hidden: int = 256, out: int = 128, layers: int = 2) -> nn.Sequential:
    """An MLP ``[B, in_features] → [B, out]``: ``layers − 1`` hidden layers with BatchNorm and ReLU (Chen et al. 2020).

    The loss reads the output of the head, a probe reads its input: the contrastive task discards information, and with
    a head it is discarded there instead of in the encoder. ``layers=1`` is a linear map, ``layers=0`` the identity.
    """
    head = nn.Sequential()
    width = in_features
    for _ in range(layers - 1):
        head.append(nn.Linear(width, hidden, bias=False))
        head.append(nn.BatchNorm1d(hidden))
        head.append(nn.ReLU(inplace=True))
        width = hidden
    if layers:
        head.append(nn.Linear(width, out))
    return head
