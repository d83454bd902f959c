"""Euclidean distances of rows, with a gradient of 0 where two rows are equal."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["StripDistances", "distances", "squared_distances"]


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """‖a_i − b_j‖² of rows ``[I, d]`` and ``[J, d]``: ``[I, J]``, by one matrix product."""
    return _with_lengths(a, b)[0]


def distances(a: Tensor, b: Tensor, squared: bool = False) -> Tensor:
    """‖a_i − b_j‖, or its square, of rows ``[I, d]`` and ``[J, d]``: ``[I, J]``.

    A distance that is smaller than the rounding error of the product has a gradient of 0, as its direction isn't known.
    """
    values, lengths = _with_lengths(a, b)
    if squared:
        return values
    known = values > torch.finfo(a.dtype).eps * lengths.detach()
    return torch.where(known, torch.where(known, values, 1).sqrt(), values.detach().sqrt())


class StripDistances:
    """Distances of anchors to all candidates, a strip at a time: what `distances` gives, in fewer passes over memory.

    They have no gradient.

    Args:
        queries: ``[M, d]`` anchors.
        keys: ``[N, d]`` candidates; the same tensor where they are the anchors.
        squared: Whether distances are squared.
    """

    @torch.no_grad()
    def __init__(self, queries: Tensor, keys: Tensor, squared: bool = False) -> None:
        # Around their mean, rows that are near each other are short, and so is the rounding error.
        centre = keys.mean(dim=0) if len(keys) else keys.new_zeros(keys.shape[1])
        self.keys = keys - centre
        self.lengths = self.keys.square().sum(1)
        same = queries is keys
        self.queries = self.keys if same else queries - centre
        self.query_lengths = self.lengths if same else self.queries.square().sum(1)
        self.squared = squared

    @torch.no_grad()
    def __call__(self, anchors: slice) -> Tensor:
        """Distances ``[I, N]`` of a slice of the anchors."""
        values = torch.addmm(self.lengths, self.queries[anchors], self.keys.T, alpha=-2)
        values.add_(self.query_lengths[anchors, None]).clamp_(min=0)
        return values if self.squared else values.sqrt_()


def _with_lengths(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Squared distances, and ‖a_i‖² + ‖b_j‖², to which their rounding error is proportional."""
    # Around their mean, rows that are near each other are short, and so is the error.
    centre = b.detach().mean(dim=0) if len(b) else 0
    a, b = a - centre, b - centre
    lengths = a.square().sum(1)[:, None] + b.square().sum(1)
    return torch.addmm(lengths, a, b.T, alpha=-2).clamp(min=0), lengths
