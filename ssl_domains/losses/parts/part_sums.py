"""Sums that are computed and differentiated part by part, so that the graph of one part exists at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ssl_domains.losses.parts.accumulator import accumulator

__all__ = ["Parts", "part_sums", "strips"]

Parts = Callable[..., Iterator[Tensor]]
"""From the tensors to the sums ``[K]`` of each part."""

_STRIP = 2**18
"""Anchors × candidates of a strip: a few matrices of this size stay in the cache, and calls still cost little."""


def part_sums(parts: Parts, tensors: Sequence[Tensor], number: int = 1) -> Tensor:
    """Sums over parts, differentiable by the tensors.

    The gradient of each part is computed with the part, and added up; backward only multiplies it. So no part is
    computed twice, and nothing of a part is kept. The memory is that of one part, and ``number`` gradients.

    Args:
        parts: A generator function; called with the tensors, yields the sums ``[number]`` of one part after the other.
            What it reads of the tensors must come from its arguments.
        tensors: Tensors of floating-point numbers.
        number: Number K of sums.

    Returns:
        ``[number]``, in the dtype of the first tensor; exactly 0 with a gradient of 0 where there are no parts.
    """
    sums: Tensor = _PartSums.apply(parts, number, *tensors)
    return sums


def strips(anchors: int, candidates: int) -> Iterator[slice]:
    """Slices of the anchors, such that the matrix strip × candidates takes a few MB."""
    rows = max(1, _STRIP // max(1, candidates))
    for start in range(0, anchors, rows):
        yield slice(start, min(start + rows, anchors))


class _PartSums(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, parts: Parts, number: int, *tensors: Tensor) -> Tensor:
        leaves = [
            x.detach().requires_grad_(needed) for x, needed in zip(tensors, ctx.needs_input_grad[2:], strict=True)
        ]
        trained = [leaf for leaf in leaves if leaf.requires_grad]
        sums = torch.zeros(number, dtype=accumulator(tensors[0].device), device=tensors[0].device)
        gradients = [[torch.zeros_like(leaf) for leaf in trained] for _ in range(number)]
        with torch.set_grad_enabled(bool(trained)):
            for values in parts(*leaves):
                sums += values.detach()
                if not values.requires_grad:
                    continue
                for k, value in enumerate(values.unbind()):
                    found = torch.autograd.grad(value, trained, retain_graph=k < number - 1, allow_unused=True)
                    for total, gradient in zip(gradients[k], found, strict=True):
                        if gradient is not None:
                            total += gradient
        ctx.gradients = gradients
        return sums.to(tensors[0].dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        columns = iter(zip(*ctx.gradients, strict=True))
        found: list[Tensor | None] = [None, None]
        for needed in ctx.needs_input_grad[2:]:
            if not needed:
                found.append(None)
                continue
            terms = [factor.to(part.dtype) * part for factor, part in zip(grad, next(columns), strict=True)]
            found.append(torch.stack(terms).sum(0) if len(terms) > 1 else terms[0])
        return tuple(found)
