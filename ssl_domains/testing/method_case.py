"""Small made-up data on which a method is checked: a table, inputs, views and an encoder, in float64."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ssl_domains.encoders import Features
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.methods import MethodSource, ViewPlan, needs_with
from ssl_domains.views import Noise, Recipe, ViewRecipe

__all__ = ["CaseEncoder", "MethodCase", "case_of", "picture_inputs", "picture_recipe"]

_SIDE = 4
SAMPLES = 16
"""Rows of the made-up table."""

TABLE: Mapping[str, Sequence[Any]] = {
    "sample": [f"s{i:02d}" for i in range(SAMPLES)],
    "group": [0, 0, 5, 0, None, 1, 1, 2, 5, 0, 5, 5, 4, 2, None, 6],
    "x": [0.5 * i if i % 5 else None for i in range(SAMPLES)],
    "site": [i % 3 for i in range(SAMPLES)],
}


class CaseEncoder(nn.Module):
    """A small float64 network for inputs of any rank, which reads valid places only and has no BatchNorm.

    Args:
        channels: Channels of the input.
        num_features: Width ``F`` of the features.
    """

    name = "case"

    def __init__(self, channels: int = 3, num_features: int = 6) -> None:
        super().__init__()
        self.in_chans = channels
        self.takes = InputSpec("image", channels, (_SIDE, _SIDE))
        self.num_features = self.map_features = num_features
        self.first = nn.Linear(channels, 8)
        self.last = nn.Linear(8, num_features)

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        """Pooled features ``[B, F]`` and map ``[B, F, *space]`` of ``values [B, C, *space]``."""
        wide = values.to(self.first.weight.dtype)
        places = self.last(torch.tanh(self.first(wide.movedim(1, -1)))).movedim(-1, 1)
        if valid is None:
            return Features(places.flatten(2).mean(dim=2), places)
        weight = valid.to(places.dtype)
        places = torch.where(valid, places, 0)
        pooled = places.flatten(2).sum(dim=2) / weight.flatten(2).sum(dim=2).clamp(min=1)
        return Features(pooled, places, valid)


def picture_inputs(positions: Tensor) -> Input:
    """Random pictures ``[n, 3, 4, 4]`` of rows of the table, the same for the same row."""
    pictures = torch.rand(SAMPLES, 3, _SIDE, _SIDE, generator=torch.Generator().manual_seed(1))
    return Input(pictures[positions])


def picture_recipe(views: int) -> ViewRecipe:
    """Noisy views of the pictures of `picture_inputs`."""
    return ViewRecipe((Noise(reason="so that views differ"),), _SIDE, views)


@dataclass(frozen=True)
class MethodCase:
    """A method, and the data and options with which it is checked.

    Attributes:
        method: The method's class, or an object that builds it.
        options: Options of the method that differ from the defaults.
        encoder: Makes the encoder; called with a fixed seed.
        inputs: Function from positions of rows to their inputs.
        beside: Function from positions of rows to a further input that gets the same geometric steps, such as label
            maps; None for none.
        recipe: The recipe; None takes one of noisy pictures, with as many views as the method needs.
        rule: Text of the rule; ``"none"`` for methods that read no pairs.
        head: Values of the section ``[head]``.
        seats: Positions of the samples of each seat and slot, ``[S][8]``.
        negatives: Number of seats, at the end, that are drawn negatives.
        micro_batch_sizes: Micro-batch sizes with which gradient caching is checked.
    """

    method: MethodSource
    options: Mapping[str, Any] = field(default_factory=dict)
    encoder: Callable[[], nn.Module] = CaseEncoder
    inputs: Callable[[Tensor], Input] = picture_inputs
    beside: Callable[[Tensor], Input] | None = None
    recipe: Recipe | None = None
    rule: str | None = None
    head: Mapping[str, Any] = field(default_factory=lambda: {"hidden": 5, "out": 4, "layers": 1})
    seats: Sequence[Sequence[int]] = ((3, 0, 9, 1, 5, 12, 7, 14),)
    negatives: int = 0
    micro_batch_sizes: Sequence[int] = (1, 3)

    @property
    def needs(self) -> ViewPlan:
        """The needs of the method under the options of this case."""
        return needs_with(self.method, {**self.method.options().model_dump(), **self.options})

    @property
    def views(self) -> Recipe:
        """The recipe."""
        return picture_recipe(self.needs.views) if self.recipe is None else self.recipe

    @property
    def rule_text(self) -> str:
        """The rule; by default positives share a group, where the method reads pairs."""
        if self.rule is not None:
            return self.rule
        return "same('group')" if self.method.needs.pairs else "none"


def case_of(target: Any) -> MethodCase:
    """Make a case from an argument of `check_method`: a method's class, or a function that returns a case."""
    made = target() if inspect.isfunction(target) else MethodCase(target)
    if not isinstance(made, MethodCase):
        raise AssertionError(f"{target.__name__} gives a {type(made).__name__}, not a MethodCase")
    return made
