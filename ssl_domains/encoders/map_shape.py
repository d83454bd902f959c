"""Channels and sides of an encoder's map, found by encoding zeros."""

from __future__ import annotations

import torch

from ssl_domains.encoders.encoder import Encoder
from ssl_domains.errors import UsageError

__all__ = ["map_shape"]

_RAGGED = 64
"""Places of the zeros along a side whose length differs from sample to sample."""


def map_shape(encoder: Encoder, space: tuple[int | None, ...] | None = None) -> tuple[int, ...]:
    """Channels and sides of the map of an input, for methods that compare places of the map.

    Args:
        encoder: The encoder; its statistics don't change.
        space: Sides of the input; None takes those that the encoder takes. A side that is None has 64 places.

    Returns:
        ``(F, *space)``, as in `Features.map`.

    Raises:
        UsageError: When the encoder can't encode such an input, or gives no map of features before pooling.
    """
    takes = encoder.takes
    sides = [_RAGGED if side is None else side for side in (takes.space if space is None else space)]
    weight = next(encoder.parameters())
    dtype = torch.int64 if takes.dtype == "int64" else weight.dtype
    values = torch.zeros(1, takes.channels, *sides, dtype=dtype, device=weight.device)
    training = {module: module.training for module in encoder.modules()}
    size = " × ".join(str(side) for side in sides)
    try:
        with torch.no_grad():
            found = getattr(encoder.eval()(values), "map", None)
    except Exception as error:  # architectures refuse a size with different exceptions
        cause = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(
            f"encoder {encoder.name!r} can't take inputs of {size}: {cause}", "take a convolutional encoder"
        ) from error
    finally:
        for module, mode in training.items():
            module.training = mode
    if found is None or found.ndim < 3:
        raise UsageError(
            f"encoder {encoder.name!r} gives no map of features before pooling", "take resnet18, small_conv or conv1d"
        )
    return tuple(found.shape[1:])
