"""A PairBatch told outright, pair by pair, and the loss of DESIGN's "Rows, not samples" written as it stands there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ssl_domains.losses import LossOutput, contrastive_loss
from ssl_domains.pairs import PairMatrices


@dataclass
class ToldPairs:
    """What the loss reads of a PairBatch, held as dense matrices."""

    anchors: Any
    candidates: Any
    square: bool
    weights: tuple[float, ...]
    codes: Tensor
    candidate_codes: Tensor
    by_codes: tuple[bool, ...]
    self_index: Tensor
    has_ignore: bool
    w: Tensor  # [R, M, N]
    allowed: Tensor  # [M, N]

    def tile(self, i: slice, j: slice, relations: Sequence[int] | None = None) -> Any:
        chosen = list(range(len(self.weights))) if relations is None else list(relations)
        weights = self.w[chosen][:, i, j]
        grades = tuple(w if self.graded[r] else None for r, w in zip(chosen, weights, strict=True))
        return SimpleNamespace(weights=weights, matches=weights > 0, grades=grades, allowed=self.allowed[i, j])

    @property
    def filled(self) -> Tensor | None:
        filled = self.candidates.sample >= 0
        return None if filled.all() else filled

    @property
    def graded(self) -> list[bool]:
        return [bool(((w > 0) & (w < 1)).any() or (w > 1).any()) for w in self.w]

    def cross_by_codes(self, r: int) -> Tensor:
        other = self.anchors.sample[:, None] != self.candidates.sample[None, :]
        return ((self.w[r] > 0) & other).any(1)

    def dense(self) -> Any:
        return self.tile(slice(None), slice(None))

    def matrices(self, dtype: Any) -> PairMatrices:
        other = self.anchors.sample[:, None] != self.candidates.sample[None, :]
        allowed = None if self.square and not self.has_ignore else self.allowed.numpy()
        weights = [
            w.numpy().astype(np.float64 if graded else dtype) for w, graded in zip(self.w, self.graded, strict=True)
        ]
        return PairMatrices(tuple(weights), ((self.w > 0) & other).any(2).numpy(), allowed is None, allowed)

    def other_sample(self, i: slice, j: slice) -> Tensor:
        return self.anchors.sample[i, None] != self.candidates.sample[None, j]

    def to(self, device: torch.device) -> ToldPairs:
        return self


class _Rows(SimpleNamespace):
    def __len__(self) -> int:
        return len(self.sample)


def tell(
    sample: Tensor,
    codes: Tensor,
    alphas: Sequence[float],
    *,
    candidate_sample: Tensor | None = None,
    candidate_codes: Tensor | None = None,
    self_index: Tensor | None = None,
    predicates: Sequence[Tensor] = (),
    ignore: Tensor | None = None,
) -> ToldPairs:
    """Relations by codes first (``codes`` [M, C]), then one a matrix ``[M, N]`` of weights, own views included."""
    square = candidate_sample is None
    if square:
        candidate_sample, candidate_codes, self_index = sample, codes, torch.arange(len(sample))
    assert candidate_sample is not None
    assert candidate_codes is not None
    assert self_index is not None
    m, n = len(sample), len(candidate_sample)
    for r in range(codes.shape[1]):
        joint = torch.unique(torch.cat([codes[:, r], candidate_codes[:, r]]), return_inverse=True)[1]
        codes, candidate_codes = codes.clone(), candidate_codes.clone()
        codes[:, r], candidate_codes[:, r] = joint[:m], joint[m:]
    own_column = torch.zeros(m, n, dtype=torch.bool)
    known = self_index >= 0
    own_column[torch.arange(m)[known], self_index[known]] = True
    equal = [codes[:, r, None] == candidate_codes[None, :, r] for r in range(codes.shape[1])]
    w = torch.stack([x.double() for x in [*equal, *predicates]]).masked_fill(own_column, 0)
    allowed = ~own_column
    if ignore is not None:
        allowed &= ~(ignore & ~(w > 0).any(0))
    filler = torch.zeros(0, dtype=torch.int64)
    width = len(predicates)
    return ToldPairs(
        anchors=_Rows(sample=sample),
        candidates=_Rows(sample=candidate_sample),
        square=square,
        weights=tuple(alphas),
        codes=torch.cat([codes, filler.new_zeros(m, width)], 1),
        candidate_codes=torch.cat([candidate_codes, filler.new_zeros(n, width)], 1),
        by_codes=(True,) * codes.shape[1] + (False,) * width,
        self_index=self_index,
        has_ignore=ignore is not None,
        w=w,
        allowed=allowed,
    )


def told_loss(z: Tensor, keys: Tensor, pairs: Any, tau: Tensor | float) -> tuple[Tensor, Tensor]:
    """L and L_r in float64 with every pair at hand; gradients by autograd."""
    w, allowed = pairs.tile(slice(0, len(z)), slice(0, len(keys))).weights, pairs.allowed
    s = (z.double() @ keys.double().T) / tau
    parts = []
    for r in range(len(pairs.weights)):
        terms = []
        for i in range(len(z)):
            if (w[r, i] > 0).any():
                negative_log = torch.logsumexp(s[i][allowed[i]], 0)
                terms.append(negative_log - (w[r, i] * s[i]).sum() / w[r, i].sum())
        parts.append(torch.stack(terms).mean() if terms else s.sum() * 0)
    per_relation = torch.stack(parts)
    return (per_relation * torch.tensor(pairs.weights, dtype=torch.float64)).sum(), per_relation


@pytest.fixture
def told() -> Any:
    return tell


@pytest.fixture
def reference_loss() -> Any:
    return told_loss


@pytest.fixture
def unit() -> Any:
    def make(n: int, d: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(n, d, generator=generator, dtype=torch.float64)
        return torch.nn.functional.normalize(x, dim=1).to(dtype)

    return make


@pytest.fixture
def agrees(reference_loss: Any) -> Any:
    """Loss, parts and every gradient equal the reference."""

    def check(
        z: Tensor, pairs: Any, tau: float, keys: Tensor | None = None, tile: int | None = None, tol: float = 1e-10
    ) -> LossOutput:
        leaves = [z.clone().requires_grad_(), torch.tensor(tau, dtype=z.dtype, requires_grad=True)]
        if keys is not None:
            leaves.append(keys.clone().requires_grad_())
        out = contrastive_loss(leaves[0], pairs, leaves[1], leaves[2] if keys is not None else None, tile=tile)
        out.loss.backward()
        found = [x.grad for x in leaves]
        again = [x.detach().clone().requires_grad_() for x in leaves]
        expected, per_relation = reference_loss(again[0], again[2] if keys is not None else again[0], pairs, again[1])
        expected.backward()
        torch.testing.assert_close(out.loss.double(), expected, atol=tol, rtol=0)
        torch.testing.assert_close(out.per_relation.double(), per_relation, atol=tol, rtol=0)
        for mine, its in zip(found, again, strict=True):
            assert mine is not None
            assert its.grad is not None
            torch.testing.assert_close(mine, its.grad, atol=tol, rtol=0)
        return out

    return check
