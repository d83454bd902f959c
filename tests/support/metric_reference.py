"""Metric-learning losses written from their formulas: plain loops over pairs and triplets, float64, differentiable.

The pairs come from `pair_reference`, which shares nothing with the implementation but the descriptions of rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from pair_reference import States

EQUAL = 1e-6
"""Weights that differ by less, relatively, are equal."""


@dataclass
class Collapsed:
    """All relations taken together: weights of positives ``[M][N]``, and which pairs are negative."""

    weight: Tensor
    positive: list[list[bool]]
    negative: list[list[bool]]

    @classmethod
    def of(cls, state: States) -> Collapsed:
        alphas = torch.tensor(state.alphas, dtype=torch.float64)
        return cls(
            (alphas[:, None, None] * state.weights).sum(0),
            [[kind in ("own", "positive") for kind in row] for row in state.kind],
            [[kind == "negative" for kind in row] for row in state.kind],
        )

    def positives(self, i: int) -> list[int]:
        return [j for j, yes in enumerate(self.positive[i]) if yes]

    def negatives(self, i: int) -> list[int]:
        return [j for j, yes in enumerate(self.negative[i]) if yes]

    def less_relevant(self, i: int, p: int, graded: bool = True) -> list[int]:
        limit = self.weight[i, p] * (1 - EQUAL)
        lower = [j for j in self.positives(i) if graded and self.weight[i, j] < limit]
        return sorted([*self.negatives(i), *lower])

    def triplets(self, graded: bool = True) -> Iterator[tuple[int, int, int]]:
        for i in range(len(self.positive)):
            for p in self.positives(i):
                for n in self.less_relevant(i, p, graded):
                    yield i, p, n


def distance(a: Tensor, b: Tensor, squared: bool = False) -> Tensor:
    square = ((a - b) ** 2).sum()
    if squared:
        return square
    return square.sqrt() if square > 0 else 0 * square


def mean(terms: list[Tensor], like: Tensor) -> Tensor:
    return torch.stack(terms).mean() if terms else 0 * like.sum()


def of_pairs(
    z: Tensor, c: Tensor, pairs: Collapsed, positive: Callable[..., Tensor], negative: Callable[..., Tensor]
) -> Tensor:
    attracted, repelled, weights = [], [], []
    for i in range(len(z)):
        for j in pairs.positives(i):
            attracted.append(pairs.weight[i, j] * positive(z[i], c[j]))
            weights.append(pairs.weight[i, j])
        repelled += [negative(z[i], c[j]) for j in pairs.negatives(i)]
    first = torch.stack(attracted).sum() / sum(weights) if attracted else 0 * z.sum()
    return first + mean(repelled, z)


def pair_margin(z: Tensor, c: Tensor, pairs: Collapsed, margin: float) -> Tensor:
    return of_pairs(
        z, c, pairs, lambda a, b: distance(a, b) ** 2, lambda a, b: (margin - distance(a, b)).clamp(min=0) ** 2
    )


def cosine_pair(z: Tensor, c: Tensor, pairs: Collapsed, margin: float) -> Tensor:
    def cosine(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b) / (a.norm() * b.norm())

    return of_pairs(z, c, pairs, lambda a, b: 1 - cosine(a, b), lambda a, b: (cosine(a, b) - margin).clamp(min=0))


def n_pair(z: Tensor, c: Tensor, pairs: Collapsed, l2: float) -> Tensor:
    terms = []
    for i in range(len(z)):
        positives, weights = pairs.positives(i), []
        each = []
        for p in positives:
            ratios = [torch.exp(z[i] @ c[n] - z[i] @ c[p]) for n in pairs.negatives(i)]
            each.append(pairs.weight[i, p] * torch.log(1 + sum(ratios, torch.zeros((), dtype=z.dtype))))
            weights.append(pairs.weight[i, p])
        if positives:
            terms.append(torch.stack(each).sum() / sum(weights))
    return mean(terms, z) + l2 * mean([(row**2).sum() for row in z], z)


def lifted_structure(z: Tensor, pairs: Collapsed, margin: float) -> Tensor:
    terms, weights = [], []
    for i in range(len(z)):
        for j in pairs.positives(i):
            reached = [torch.exp(margin - distance(z[i], z[k])) for k in pairs.negatives(i)]
            reached += [torch.exp(margin - distance(z[j], z[k])) for k in pairs.negatives(j)]
            weights.append(pairs.weight[i, j])
            if reached:
                whole = torch.stack(reached).sum().log() + distance(z[i], z[j])
                terms.append(pairs.weight[i, j] * whole.clamp(min=0) ** 2)
    return torch.stack(terms).sum() / (2 * sum(weights)) if terms else 0 * z.sum()


def pairwise_sigmoid(z: Tensor, c: Tensor, pairs: Collapsed, scale: Tensor, bias: Tensor) -> Tensor:
    terms, anchors = [0 * z.sum()], 0
    for i in range(len(z)):
        terms += [-pairs.weight[i, j] * (scale * (z[i] @ c[j]) + bias).sigmoid().log() for j in pairs.positives(i)]
        terms += [-(-(scale * (z[i] @ c[j]) + bias)).sigmoid().log() for j in pairs.negatives(i)]
        anchors += bool(pairs.positives(i) or pairs.negatives(i))
    return torch.stack(terms).sum() / max(anchors, 1)


def triplet(
    z: Tensor, c: Tensor, triplets: list[tuple[int, int, int]], margin: float | None, squared: bool, over: str
) -> Tensor:
    costs = []
    for i, p, n in triplets:
        gap = distance(z[i], c[p], squared) - distance(z[i], c[n], squared)
        costs.append(torch.log(1 + gap.exp()) if margin is None else (margin + gap).clamp(min=0))
    return mean([cost for cost in costs if over == "all" or cost > 0], z)


def margin_loss(
    z: Tensor, c: Tensor, pairs: Collapsed, triplets: list[tuple[int, int, int]], beta: Tensor, margin: float
) -> Tensor:
    total, above = 0 * z.sum() + 0 * beta, 0
    for i, p, n in triplets:
        attracted = (margin + distance(z[i], c[p]) - beta).clamp(min=0)
        repelled = (margin + beta - distance(z[i], c[n])).clamp(min=0)
        total = total + pairs.weight[i, p] * attracted + repelled
        above += int(attracted > 0) + int(repelled > 0)
    return total / max(above, 1)


def batch_hard(z: Tensor, c: Tensor, pairs: Collapsed, graded: bool) -> list[tuple[int, int, int]]:
    chosen = []
    for i in range(len(z)):
        found = [
            (float(distance(z[i], c[p]) - distance(z[i], c[n])), p, n)
            for p in pairs.positives(i)
            for n in pairs.less_relevant(i, p, graded)
        ]
        if found:
            chosen.append((i, *max(found)[1:]))
    return chosen


def semi_hard(z: Tensor, c: Tensor, pairs: Collapsed, graded: bool, margin: float | None) -> list[tuple[int, int, int]]:
    chosen = []
    for i in range(len(z)):
        for p in pairs.positives(i):
            near = distance(z[i], c[p])
            beyond = [(float(distance(z[i], c[n])), n) for n in pairs.less_relevant(i, p, graded)]
            beyond = [(d, n) for d, n in beyond if d > near and (margin is None or d < near + margin)]
            if beyond:
                chosen.append((i, p, min(beyond)[1]))
    return chosen
