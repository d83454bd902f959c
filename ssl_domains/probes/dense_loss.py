"""Loss of segmentation: cross-entropy over pixels and soft Dice, of a batch or from the sums of its pictures."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.views import IGNORED

__all__ = ["dense_loss", "dense_loss_of_sums", "dense_sums"]


def dense_loss(logits: Tensor, target: Tensor, dice_weight: float, background: bool = True) -> Tensor:
    """Cross-entropy over the pixels, plus soft Dice loss of the classes over the batch (Milletari et al. 2016).

    Args:
        logits: ``[B, K, S, S]``; one channel for each class.
        target: int64 ``[B, S, S]``; 255 is left out.
        dice_weight: Weight of 1 − Dice, whose mean is over the classes in the batch, without the background.
        background: Whether class 0 is the background; False where it is a class like the others.
    """
    first = int(background)
    loss = F.cross_entropy(logits, target, ignore_index=IGNORED)
    if not dice_weight:
        return loss
    counted = target != IGNORED
    truth = F.one_hot(target.masked_fill(~counted, 0), logits.shape[1]).movedim(-1, 1)[:, first:] * counted[:, None]
    chance = logits.softmax(dim=1)[:, first:] * counted[:, None]
    both, total = (chance * truth).sum(dim=(0, 2, 3)), (chance + truth).sum(dim=(0, 2, 3))
    shown = truth.sum(dim=(0, 2, 3)) > 0
    soft = ((1 - 2 * both / total.clamp(min=1e-6)) * shown).sum() / shown.sum().clamp(min=1)
    return torch.as_tensor(loss + dice_weight * soft)


def dense_sums(logits: Tensor, target: Tensor, background: bool = True) -> Tensor:
    """The sums over the pixels of each picture that the loss needs; those of several pictures may be added.

    Args:
        logits: ``[B, K, S, S]``; one channel for each class.
        target: int64 ``[B, S, S]``; 255 is left out.
        background: Whether class 0 is the background; False where it is a class like the others.

    Returns:
        ``[B, 2 + 3C]`` with C = K − 1, or C = K without a background: the cross-entropy summed over the counted pixels,
        their number, and for each class but the background the sums of probability · truth, of the probability, and of
        the truth.
    """
    first = int(background)
    counted = target != IGNORED
    entropy = F.cross_entropy(logits, target, ignore_index=IGNORED, reduction="none").sum(dim=(1, 2))
    truth = F.one_hot(target.masked_fill(~counted, 0), logits.shape[1]).movedim(-1, 1)[:, first:] * counted[:, None]
    chance = logits.softmax(dim=1)[:, first:] * counted[:, None]
    each = [(chance * truth), chance, truth.to(chance.dtype)]
    pixels = counted.sum(dim=(1, 2)).to(chance.dtype)
    return torch.cat([entropy[:, None], pixels[:, None], *(one.sum(dim=(2, 3)) for one in each)], dim=1)


def dense_loss_of_sums(sums: Tensor, dice_weight: float) -> Tensor:
    """`dense_loss` of a batch from its `dense_sums` ``[B, 2 + 3C]``; exactly 0 without a counted pixel."""
    total = sums.sum(dim=0)
    both, chance, truth = total[2:].view(3, -1).unbind()
    loss = total[0] / total[1].clamp(min=1)
    if not dice_weight:
        return loss
    shown = truth > 0
    soft = ((1 - 2 * both / (chance + truth).clamp(min=1e-6)) * shown).sum() / shown.sum().clamp(min=1)
    return torch.as_tensor(loss + dice_weight * soft)
