"""Sums over the positives by equality of codes, computed as segment sums instead of products with N×N matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ssl_domains.pairs import PairBatch

__all__ = ["EqualCodes"]


class EqualCodes:
    """Sums over the positives of the relations that are equality of codes, such as ``same('patient')``.

    Relation k is the matrix W_k with ``W_k[i, j] = 1`` where the codes of anchor i and candidate j are equal and j is
    not the anchor itself. Anchors with equal codes have equal sums, so W_k times a matrix is a segment sum and a
    look-up: O((M + N)·d), in float64. The segment sum includes the anchor itself, which is subtracted afterwards. In
    float64 the rounding error of that is small enough; for a sum of exponentials it would not be.

    Args:
        pairs: Its ``codes`` are dense ranks over anchors and candidates together.

    Attributes:
        relations: Numbers of these K relations among all relations of the batch.
        counts: Positives of each anchor, int64 ``[K, M]``.
    """

    def __init__(self, pairs: PairBatch) -> None:
        self.relations = [r for r, by_codes in enumerate(pairs.by_codes) if by_codes]
        self._codes = [pairs.codes[:, r].contiguous() for r in self.relations]
        self._candidate_codes = [pairs.candidate_codes[:, r].contiguous() for r in self.relations]
        m, n = self._shape = len(pairs.anchors), len(pairs.candidates)
        # The largest code would have to wait for an accelerator, so there the upper bound M + N is used instead.
        on_cpu = pairs.codes.device.type == "cpu"
        self._segments = [
            int(max(a.max(), c.max())) + 1 if on_cpu and m and n else m + n
            for a, c in zip(self._codes, self._candidate_codes, strict=True)
        ]
        self._self_column = pairs.self_index.clamp_min(0)
        among_candidates = pairs.self_index >= 0
        equals_self, counts = [], []
        for codes, candidate_codes, segments in self._each():
            is_equal = candidate_codes[self._self_column] == codes if n else torch.zeros_like(among_candidates)
            equals_self.append(among_candidates & is_equal)
            counts.append(torch.bincount(candidate_codes, minlength=segments)[codes] - equals_self[-1].long())
        self._equals_self = torch.stack(equals_self) if equals_self else among_candidates.new_zeros(0, m)
        self.counts = torch.stack(counts) if counts else pairs.codes.new_zeros(0, m)
        self._sums: list[Tensor] = []

    def products(self, z: Tensor, keys: Tensor | None) -> Tensor:
        """Σ_j W_k[i, j] z_i·c_j for z ``[M, d]`` and keys ``[N, d]``, None when they are z: ``[K, M]``.

        The segment sums are kept for `pull`, so call this first.
        """
        keys = z if keys is None else keys
        self._sums = [_segment_sums(keys, codes, segments) for _, codes, segments in self._each()]
        products = z.new_zeros(self.counts.shape)
        for k, (sums, codes) in enumerate(zip(self._sums, self._codes, strict=True)):
            products[k] = (sums.index_select(0, codes) * z).sum(1)
        if len(products) and len(keys):
            products -= self._equals_self * (z * keys[self._self_column]).sum(1)
        return products

    def pull(self, shares: Tensor, keys: Tensor) -> Tensor:
        """Σ_k diag(shares_k) W_k keys, for shares ``[K, M]`` and the keys given to `products`: ``[M, d]``.

        Equal to `pull_back` where the candidates are the anchors and anchors of one code have one share.
        """
        total = keys.new_zeros(self._shape[0], keys.shape[1])
        for share, sums, codes in zip(shares, self._sums, self._codes, strict=True):
            total.addcmul_(sums.index_select(0, codes), share[:, None])
        if len(shares) and len(keys):
            total.addcmul_(keys[self._self_column], (shares * self._equals_self).sum(0)[:, None], value=-1)
        return total

    def pull_back(self, shares: Tensor, z: Tensor) -> Tensor:
        """Σ_k W_kᵀ diag(shares_k) z: ``[N, d]``."""
        total = z.new_zeros(self._shape[1], z.shape[1])
        for share, (codes, candidate_codes, segments) in zip(shares, self._each(), strict=True):
            total += _segment_sums(z * share[:, None], codes, segments).index_select(0, candidate_codes)
        if len(shares) and len(total):
            total.index_add_(0, self._self_column, z * (shares * self._equals_self).sum(0)[:, None], alpha=-1)
        return total

    def _each(self) -> list[tuple[Tensor, Tensor, int]]:
        return list(zip(self._codes, self._candidate_codes, self._segments, strict=True))


def _segment_sums(x: Tensor, codes: Tensor, segments: int) -> Tensor:
    return x.new_zeros(segments, x.shape[1]).index_add_(0, codes, x)
