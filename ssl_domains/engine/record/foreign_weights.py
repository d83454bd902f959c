"""Weights of a foundation model, made for another picture size, channel number or naming, adapted to an encoder."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

from timm.models import adapt_input_conv
from torch import Tensor

from ssl_domains.encoders import Encoder, TimmEncoder

__all__ = ["adapted_weights"]


def adapted_weights(encoder: Encoder, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]] | None:
    """Adapt weights to an encoder by the rules of its architecture in timm.

    timm knows the names that DINO, DINOv2, MAE, CLIP and others gave to the weights of the same architecture, resamples
    position embeddings and patch embeddings to another size, and sums or repeats the channels of the first layer.

    Args:
        encoder: The encoder.
        weights: The weights, under the names of their file.

    Returns:
        Weights under the names of ``encoder.state_dict()``, and a sentence on each that was resampled; None where timm
        has no rules for the architecture, or they don't fit these weights.
    """
    if not isinstance(encoder, TimmEncoder):
        return None
    model: Any = encoder.model
    known = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    bare = {name.removeprefix("module.").removeprefix("encoder.").removeprefix("model."): value
            for name, value in weights.items()}  # fmt: skip
    level = logging.root.manager.disable
    logging.disable(logging.INFO)  # timm logs each resampling; the sentences below say it
    try:
        made = dict(bare if known is None else known(dict(bare), model))
    except Exception:  # these rules index names and shapes that other weights don't have
        return None
    finally:
        logging.disable(level)
    first = (getattr(model, "pretrained_cfg", None) or {}).get("first_conv") or ()
    for layer in (first,) if isinstance(first, str) else first:
        name = f"{layer}.weight"
        if name in made and made[name].ndim == 4 and made[name].shape[1] == 3 != encoder.in_chans:
            made[name] = adapt_input_conv(encoder.in_chans, made[name])
    said = [
        f"{name} was resampled from {_shape(bare[name])} to {_shape(value)}"
        for name, value in made.items()
        if name in bare and bare[name].shape != value.shape
    ]
    return {f"model.{name}": value for name, value in made.items()}, said


def _shape(tensor: Tensor) -> str:
    return "×".join(str(side) for side in tensor.shape)
