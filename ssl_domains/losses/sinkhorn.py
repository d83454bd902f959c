"""Sinkhorn–Knopp assignment: rows are assigned to prototypes so that all prototypes get equally many."""

from __future__ import annotations

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.parts.autocast import without_autocast

__all__ = ["sinkhorn"]


@torch.no_grad()
def sinkhorn(scores: Tensor, epsilon: float = 0.05, iterations: int = 3, counted: Tensor | None = None) -> Tensor:
    """Soft assignment of rows to prototypes with equal totals, by the Sinkhorn–Knopp algorithm.

    It starts from Q = exp(scores / ε). Each iteration first divides each column by its sum, so that all prototypes get
    the same total, then each row by its sum, so that every row is a distribution. It is a function of the whole batch:
    with several processes give it the rows of all.

    Args:
        scores: ``[n, K]`` similarity of rows and prototypes; floating point.
        epsilon: ε > 0. The smaller it is, the harder is the assignment.
        iterations: Number of iterations, at least 1.
        counted: bool ``[n]``, false for rows that aren't counted, such as unfilled places of a queue. They may hold any
            value, NaN included, and their assignment is 0. None counts all.

    Returns:
        ``[n, K]`` without gradient, float32 (float64 for float64 input); each counted row sums to 1.

    Raises:
        UsageError: When ε or the number of iterations is too small.

    References:
        Caron et al. 2020, *Unsupervised Learning of Visual Features by Contrasting Cluster Assignments*; Cuturi 2013.
    """
    if not epsilon > 0 or iterations < 1:
        raise UsageError(f"Sinkhorn with ε {epsilon:g} and {iterations} iterations", "ε > 0, and 1 iteration or more")
    with without_autocast(scores.device):
        logits = scores.to(torch.promote_types(scores.dtype, torch.float32)) / epsilon
        if counted is not None:
            logits = logits.masked_fill(~counted[:, None], -torch.inf)
        # Subtracting one number from all entries changes no result, and no exponential overflows. A float that is 0
        # in place of a tiny number must not become 0/0.
        tiny = torch.finfo(logits.dtype).tiny
        q = (logits - logits.max().clamp(min=torch.finfo(logits.dtype).min)).exp()
        for _ in range(iterations):
            q = q / q.sum(dim=0, keepdim=True).clamp(min=tiny)
            q = q / q.sum(dim=1, keepdim=True).clamp(min=tiny)
        return q
