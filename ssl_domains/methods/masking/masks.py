"""Random masks over the patches of a picture or the places of a sequence, as a function of each row's key."""

from __future__ import annotations

import torch
from torch import Tensor

from ssl_domains.views.draws import spread

__all__ = ["grid_mask", "sequence_mask"]


def grid_mask(keys: Tensor, grid: tuple[int, int], ratio: float, block: int) -> Tensor:
    """Mask square blocks of a grid of patches, the same number in every row.

    Args:
        keys: int64 ``[B]``, see `ssl_domains.inputs.View.keys`.
        grid: Patches along both sides, multiples of ``block``.
        ratio: Share of the blocks that is masked, rounded; at least one is masked and one is shown.
        block: Side of a block in patches.

    Returns:
        bool ``[B, h · w]``, true where a patch is masked.
    """
    height, width = grid[0] // block, grid[1] // block
    blocks = torch.full((len(keys),), height * width, device=keys.device)
    masked = _lowest(spread(keys, (height * width,)), _number(blocks, ratio)).view(-1, height, width)
    return masked.repeat_interleave(block, 1).repeat_interleave(block, 2).flatten(1)


def sequence_mask(keys: Tensor, whole: Tensor, ratio: float, block: int) -> Tensor:
    """Mask stretches of a sequence; which ones doesn't depend on the padding behind it.

    Args:
        keys: int64 ``[B]``, see `ssl_domains.inputs.View.keys`.
        whole: bool ``[B, n]``, true at the places that may be masked, from the first one on.
        ratio: Share of a row's stretches that is masked, rounded; one is always shown, so that a row with one stretch
            has no mask.
        block: Length of a stretch in places.

    Returns:
        bool ``[B, n]``, true where a place is masked.
    """
    open_stretches = whole[:, ::block]
    order = spread(keys, open_stretches.shape[1:]).masked_fill(~open_stretches, torch.iinfo(torch.int64).max)
    masked = _lowest(order, _number(open_stretches.sum(dim=1), ratio))
    return masked.repeat_interleave(block, 1)[:, : whole.shape[1]] & whole


def _number(of: Tensor, ratio: float) -> Tensor:
    """How many are masked, ``[B]``: at least one, but one is shown."""
    return torch.minimum((of * ratio).round().long().clamp(min=1), (of - 1).clamp(min=0))


def _lowest(order: Tensor, number: Tensor) -> Tensor:
    """True at the ``number [B]`` lowest of each row of ``order [B, n]``."""
    return order.argsort(dim=1).argsort(dim=1) < number[:, None]
