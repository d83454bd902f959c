"""The CTC loss of each row (Graves et al. 2006), which says which rows it could not be computed for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.probes.transcripts.alphabet import BLANK
from ssl_domains.probes.transcripts.needed_frames import needed_frames

__all__ = ["ctc_losses"]


def ctc_losses(log_probs: Tensor, frames: Tensor, labels: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """−log P(label | frames) of each row: the sum over all alignments of its characters to its frames.

    A label that does not fit its frames has no alignment, and its loss would be infinite. Such a row gets a loss of 0
    without gradient, and is reported as not fitting; it is for the caller to count it.

    Args:
        log_probs: Logarithms of probabilities ``[R, T, K + 1]``, class 0 is the blank; float32 or float64.
        frames: Number of valid frames of each row, int64 ``[R]``.
        labels: Class numbers of each row, none of them 0.

    Returns:
        The losses ``[R]``, and bool ``[R]``: rows whose label fits.
    """
    counts = frames.tolist()
    fitting = [len(one) > 0 and needed_frames(one) <= count for one, count in zip(labels, counts, strict=True)]
    fits = torch.tensor(fitting, dtype=torch.bool, device=log_probs.device)
    losses = log_probs.new_zeros(len(labels))
    if not any(fitting):
        return losses + 0.0 * log_probs.sum(), fits
    kept = [one for one, fit in zip(labels, fitting, strict=True) if fit]
    together = torch.tensor([code for one in kept for code in one], dtype=torch.int64, device=log_probs.device)
    lengths = torch.tensor([len(one) for one in kept], dtype=torch.int64)
    each = F.ctc_loss(
        log_probs[fits].transpose(0, 1), together, frames[fits], lengths.to(log_probs.device), blank=BLANK,
        reduction="none",
    )  # fmt: skip
    return losses.masked_scatter(fits, each), fits
