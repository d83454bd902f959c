"""The projection head between encoder and loss, which is not used after pre-training."""

from __future__ import annotations

from typing import Literal

from torch import nn

__all__ = ["Activation", "Norm", "projection_head"]

Activation = Literal["relu", "gelu"]
"""Nonlinearity of the hidden layers of a head."""

Norm = Literal["batch", "layer", "none"]
"""Norm of the hidden layers of a head."""


def projection_head(
    in_features: int,
    hidden: int = 256,
    out: int = 128,
    layers: int = 2,
    norm: Norm = "batch",
    *,
    last_norm: bool = False,
    activation: Activation = "relu",
) -> nn.Sequential:
    """An MLP ``[B, in_features] → [B, out]``: ``layers − 1`` hidden layers with a norm and a nonlinearity (Chen 2020).

    The loss reads the output of the head, a probe reads its input: the contrastive task discards information, and with
    a head it is discarded there instead of in the encoder. ``layers=1`` is a linear map, ``layers=0`` the identity.

    Args:
        in_features: Width of the input.
        hidden: Width of the hidden layers.
        out: Width of the output.
        layers: Linear layers.
        norm: Norm of the hidden layers. Only ``"layer"`` and ``"none"`` allow gradient caching, as the output of
            BatchNorm for a row depends on the other rows.
        last_norm: Whether the output is normalised too, without learned scale and shift, as in SimSiam and MoCo v3.
        activation: Nonlinearity of the hidden layers: ``"relu"``, or ``"gelu"`` as in DINO.
    """
    head = nn.Sequential()
    width = in_features
    for _ in range(layers - 1):
        head.append(nn.Linear(width, hidden, bias=norm == "none"))
        if norm != "none":
            head.append(nn.BatchNorm1d(hidden) if norm == "batch" else nn.LayerNorm(hidden))
        head.append(nn.ReLU(inplace=True) if activation == "relu" else nn.GELU())
        width = hidden
    if layers:
        last_norm = last_norm and norm != "none"
        head.append(nn.Linear(width, out, bias=not last_norm))
        if last_norm:
            last = nn.BatchNorm1d(out, affine=False) if norm == "batch" else nn.LayerNorm(out, elementwise_affine=False)
            head.append(last)
    return head
