"""Sums over the positives of predicates, which are evaluated tile by tile: weights, logits and gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from ssl_domains.losses.parts.accumulator import accumulator
from ssl_domains.losses.softmax.sweep import Sweep, SweptTile

__all__ = ["Predicates"]


class Predicates:
    """Sums over the positives of the relations that are not equality of codes, such as ``near('position', 5)``.

    Where every match weighs 1, sums within a tile have the embeddings' precision. Graded weights are summed in float64,
    as a tiny weight that is an anchor's only one must not become 0.

    Args:
        sweep: The sweep whose tiles are added.
        rows: Number of anchors.

    Attributes:
        weights: Σ_j w_pij, ``[predicates, M]``.
        products: Σ_j w_pij·logit_ij, ``[predicates, M]``, where logits are to the base 2.
        cross: Bool ``[predicates, M]``: whether the anchor has a positive of another sample.
    """

    def __init__(self, sweep: Sweep, rows: int) -> None:
        self._sweep = sweep
        dtype, device = accumulator(sweep.scaled.device), sweep.scaled.device
        self.weights = torch.zeros(len(sweep.predicates), rows, dtype=dtype, device=device)
        self.products = torch.zeros_like(self.weights)
        self.cross = torch.zeros_like(self.weights, dtype=torch.bool)

    def add(self, tile: SweptTile) -> None:
        """Add a tile whose logits are not masked yet."""
        if tile.matches is None:
            return
        other = self._sweep.other_sample(tile.i, tile.j)
        for p, (matches, grades) in enumerate(zip(tile.matches, tile.grades, strict=True)):
            if grades is None:
                scratch = self._sweep.spare(tile.logits).copy_(matches)
                self._sums(self.weights[p], scratch, tile)
                self._sums(self.products[p], scratch.mul_(tile.logits), tile)
            else:
                wide = grades.to(self.weights.dtype)
                self._sums(self.weights[p], wide, tile)
                self._sums(self.products[p], wide * tile.logits, tile)
            cross = matches & other
            self.cross[p, tile.i] |= cross.any(1)
            if tile.mirrored:
                self.cross[p, tile.j] |= cross.any(0)

    def subtract(self, gradient: Tensor, tile: SweptTile, shares: Tensor) -> None:
        """Subtract the part of the predicates' positives from a tile's gradient.

        It is Σ_p share_pi·w_pij; in a symmetric sweep, where j is an anchor as well, Σ_p (share_pi + share_pj)·w_pij.

        Args:
            gradient: Gradient by the logits of the tile, ``[I, J]``, changed in place.
            tile: The tile.
            shares: ``[R, M]``, weight of an anchor's positives in the loss, for all relations.
        """
        if tile.matches is None:
            return
        for r, matches, grades in zip(self._sweep.predicates, tile.matches, tile.grades, strict=True):
            if grades is None:
                share, scratch = shares[r].to(gradient.dtype), self._sweep.spare(gradient).copy_(matches)
                if self._sweep.symmetric:
                    gradient.addcmul_(scratch, share[tile.i, None] + share[None, tile.j], value=-1)
                else:
                    gradient.addcmul_(scratch, share[tile.i, None], value=-1)
            else:
                each = shares[r, tile.i, None]
                gradient.sub_(grades * (each + shares[r, None, tile.j] if self._sweep.symmetric else each))

    @staticmethod
    def _sums(total: Tensor, values: Tensor, tile: SweptTile) -> None:
        total[tile.i] += values.sum(1)
        if tile.mirrored:
            total[tile.j] += values.sum(0)
