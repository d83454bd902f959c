"""Feature maps of an encoder's stages, from fine to coarse, for dense tasks such as segmentation."""

from __future__ import annotations

from typing import Any, Literal, get_args

from torch import Tensor

from ssl_domains.encoders.encoder import Encoder
from ssl_domains.errors import UsageError, did_you_mean

__all__ = ["Levels", "feature_levels"]

Levels = Literal["last", "hypercolumn"]

_MOST_LEVELS = 5
_TAKEN = 4


def feature_levels(encoder: Encoder, x: Tensor, levels: Levels = "hypercolumn") -> list[Tensor]:
    """Feature maps of the last stage or of all stages.

    The maps of all stages, upsampled to one size and concatenated, are a hypercolumn (Hariharan et al. 2015,
    Hypercolumns for Object Segmentation and Fine-grained Localization). This function returns them without upsampling.
    The last map has few places: 4 × 4 for ``small_conv`` at 32 pixels.

    Args:
        encoder: Any timm model; hypercolumns need its ``forward_intermediates``.
        x: ``[B, C, S, S]`` in [0, 1].
        levels: ``"last"`` for the map that is pooled; ``"hypercolumn"`` for the maps of all stages; for an
            architecture with more than five blocks (ViT), those of four blocks at equal distances.

    Returns:
        ``[B, F_l, h_l, w_l]`` of each level, the coarsest last.

    Raises:
        UsageError: For another value of ``levels``, or an architecture without ``forward_intermediates``.
    """
    if levels not in get_args(Levels):
        raise UsageError(f"there are no levels {levels!r}", did_you_mean(levels, get_args(Levels)))
    if levels == "last":
        return [encoder(x).map]
    model: Any = encoder.model
    if not hasattr(model, "forward_intermediates"):
        raise UsageError(f"encoder {encoder.name!r} doesn't give the maps of its stages", "use its last map alone")
    count = len(model.feature_info)
    blocks = list(range(count))
    if count > _MOST_LEVELS:
        blocks = [round((i + 1) * count / _TAKEN) - 1 for i in range(_TAKEN)]
    return list(model.forward_intermediates(x, indices=blocks, output_fmt="NCHW", intermediates_only=True))
