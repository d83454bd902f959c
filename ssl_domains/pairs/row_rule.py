"""Rules over rows: a Kleene expression in torch, evaluated a tile at a time where the batch lives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

__all__ = ["All", "Any", "Equal", "Inverse", "Near", "RowRule", "answer", "rule_to"]


@dataclass(frozen=True, eq=False)
class Equal:
    """Equal codes.

    Attributes:
        anchors: int64 ``[M]``, −1 where missing.
        candidates: int64 ``[N]``, −2 where missing, so that two missing codes never meet.
    """

    anchors: Tensor
    candidates: Tensor


@dataclass(frozen=True, eq=False)
class Near:
    """``abs(x_i − x_j) <= width`` over float64 numbers, NaN where missing."""

    anchors: Tensor
    candidates: Tensor
    width: float


@dataclass(frozen=True, eq=False)
class All:
    """Yes when every term is; no when any is."""

    terms: tuple[RowRule, ...]


@dataclass(frozen=True, eq=False)
class Any:
    """Yes when any term is; no when every term is."""

    terms: tuple[RowRule, ...]


@dataclass(frozen=True, eq=False)
class Inverse:
    """Yes for no, no for yes."""

    term: RowRule


RowRule: TypeAlias = Equal | Near | All | Any | Inverse


def answer(rule: RowRule, asked: bool, i: slice, j: slice) -> Tensor:
    """Where the rule definitely says yes (``asked``), or definitely says no: bool ``[I, J]``.

    ``~`` swaps the question, so unknown needs no array of its own. The result is fresh: callers may write into it.
    """
    if isinstance(rule, Equal):
        a, b = rule.anchors[i, None], rule.candidates[None, j]
        return a == b if asked else (a != b) & (a >= 0) & (b >= 0)
    if isinstance(rule, Near):
        distance = (rule.anchors[i, None] - rule.candidates[None, j]).abs_()
        return distance <= rule.width if asked else distance > rule.width
    if isinstance(rule, Inverse):
        return answer(rule.term, not asked, i, j)
    every = isinstance(rule, All) == asked
    result = answer(rule.terms[0], asked, i, j)
    for term in rule.terms[1:]:
        more = answer(term, asked, i, j)
        result = result.logical_and_(more) if every else result.logical_or_(more)
    return result


def rule_to(rule: RowRule, device: torch.device | str) -> RowRule:
    """The rule with its tensors on another device."""
    if isinstance(rule, Equal):
        return Equal(rule.anchors.to(device), rule.candidates.to(device))
    if isinstance(rule, Near):
        return Near(rule.anchors.to(device), rule.candidates.to(device), rule.width)
    if isinstance(rule, Inverse):
        return Inverse(rule_to(rule.term, device))
    return type(rule)(tuple(rule_to(term, device) for term in rule.terms))
