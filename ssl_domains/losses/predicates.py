"""Positives that only a tile can tell: their weights, their mean logit, and their part of the slope."""

from __future__ import annotations

import torch
from torch import Tensor

from ssl_domains.losses.sweep import Sweep, SweptTile, accumulator

__all__ = ["Predicates"]


class Predicates:
    """The relations of a batch that are not equality of codes.

    Where every match weighs 1, sums run in the embeddings' precision within a tile; grades stay float64, as a lone tiny
    weight must not vanish.

    Args:
        sweep: Whose tiles it will be shown.
        rows: How many anchors there are.

    Attributes:
        weights: Σ_j w_pij, ``[predicates, M]``.
        products: Σ_j w_pij·logit_ij, ``[predicates, M]``, to the base 2 as the logits are.
        cross: Bool ``[predicates, M]``: a positive of another sample was seen.
    """

    def __init__(self, sweep: Sweep, rows: int) -> None:
        self._sweep = sweep
        dtype, device = accumulator(sweep.scaled.device), sweep.scaled.device
        self.weights = torch.zeros(len(sweep.predicates), rows, dtype=dtype, device=device)
        self.products = torch.zeros_like(self.weights)
        self.cross = torch.zeros_like(self.weights, dtype=torch.bool)

    def add(self, seen: SweptTile) -> None:
        """Take a tile in, whose logits are not masked yet."""
        if seen.matches is None:
            return
        other = self._sweep.other_sample(seen.i, seen.j)
        for p, (matches, grades) in enumerate(zip(seen.matches, seen.grades, strict=True)):
            if grades is None:
                scratch = self._sweep.spare(seen.logits).copy_(matches)
                self._sums(self.weights[p], scratch, seen)
                self._sums(self.products[p], scratch.mul_(seen.logits), seen)
            else:
                wide = grades.to(self.weights.dtype)
                self._sums(self.weights[p], wide, seen)
                self._sums(self.products[p], wide * seen.logits, seen)
            found = matches & other
            self.cross[p, seen.i] |= found.any(1)
            if seen.mirrored:
                self.cross[p, seen.j] |= found.any(0)

    def subtract(self, slope: Tensor, seen: SweptTile, shares: Tensor) -> None:
        """Take Σ_p share_pi·w_pij off a tile's slope; in a symmetric sweep (share_pi + share_pj)·w_pij.

        Args:
            slope: ``[I, J]``, changed in place.
            seen: The tile.
            shares: ``[R, M]`` of all relations.
        """
        if seen.matches is None:
            return
        for r, matches, grades in zip(self._sweep.predicates, seen.matches, seen.grades, strict=True):
            if grades is None:
                mine, scratch = shares[r].to(slope.dtype), self._sweep.spare(slope).copy_(matches)
                if self._sweep.symmetric:
                    slope.addcmul_(scratch, mine[seen.i, None] + mine[None, seen.j], value=-1)
                else:
                    slope.addcmul_(scratch, mine[seen.i, None], value=-1)
            else:
                each = shares[r, seen.i, None]
                slope.sub_(grades * (each + shares[r, None, seen.j] if self._sweep.symmetric else each))

    @staticmethod
    def _sums(total: Tensor, values: Tensor, seen: SweptTile) -> None:
        total[seen.i] += values.sum(1)
        if seen.mirrored:
            total[seen.j] += values.sum(0)
