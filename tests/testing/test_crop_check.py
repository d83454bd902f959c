"""`check_crop` and `check_recipe` pass crops that keep the contract, and name what others break."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch

from ssl_domains.inputs import Input
from ssl_domains.testing import check_crop, check_recipe
from ssl_domains.views import Draws, Noise, RandomCrop, ViewRecipe, register_crop

SHAPES = [(20, 30), (4, 9)]


def test_a_recipe_with_a_crop_passes() -> None:
    crop = RandomCrop((8, 8), emitted=("y", "x"), spacing="mm", shared=True)
    recipe = ViewRecipe((Noise(reason="noise does not matter"),), 16, crop=crop)
    pictures = Input(torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(0)))
    columns = {"mm": torch.full((4,), 0.5, dtype=torch.float64)}
    check_recipe(recipe, pictures, columns=columns, shapes=SHAPES)
    with pytest.raises(AssertionError, match="give the shapes of some arrays"):
        check_recipe(recipe, pictures, columns=columns)
    with pytest.raises(AssertionError, match="the crop reads the column 'mm'"):
        check_recipe(recipe, pictures, shapes=SHAPES)
    with pytest.raises(AssertionError, match="is one of the shapes larger than the crop"):
        check_recipe(recipe, pictures, columns=columns, shapes=[(8, 3)])


calls = itertools.count()


class _Double(RandomCrop):
    """A right crop of six places, from which each of the others differs in one thing."""

    def __init__(self, sides: Any = (None, 6), emitted: Any = "x", **options: Any) -> None:
        super().__init__(sides, emitted, **options)


@register_crop
class Outside(_Double):
    name = "outside"

    def place(self, draws: Draws, shape: Sequence[int], facts: Mapping[str, float]) -> tuple[slice, ...]:
        return (slice(0, shape[0]), slice(5, 5 + shape[1]))


@register_crop
class OneSlice(_Double):
    name = "one-slice"

    def place(self, draws: Draws, shape: Sequence[int], facts: Mapping[str, float]) -> tuple[slice, ...]:
        return super().place(draws, shape, facts)[1:]


@register_crop
class Strided(_Double):
    name = "strided"

    def place(self, draws: Draws, shape: Sequence[int], facts: Mapping[str, float]) -> tuple[slice, ...]:
        return tuple(slice(one.start, one.stop, 2) for one in super().place(draws, shape, facts))


@register_crop
class Counted(_Double):
    name = "counted"

    def place(self, draws: Draws, shape: Sequence[int], facts: Mapping[str, float]) -> tuple[slice, ...]:
        start = next(calls) % max(1, shape[1] - 5)
        return (slice(0, shape[0]), slice(start, min(start + 6, shape[1])))


@register_crop
class WithoutDraws(_Double):
    name = "without-draws"

    def place(self, draws: Draws, shape: Sequence[int], facts: Mapping[str, float]) -> tuple[slice, ...]:
        return self.centre(shape, facts)


@register_crop
class Silent(_Double):
    name = "silent"

    def emit(self, slices: Sequence[slice], facts: Mapping[str, float]) -> dict[str, float]:
        return {}


@register_crop
class Whole(_Double):
    name = "whole-numbers"

    def emit(self, slices: Sequence[slice], facts: Mapping[str, float]) -> dict[str, float]:
        return {"x": slices[1].start}


@register_crop
class Infinite(_Double):
    name = "infinite"

    def emit(self, slices: Sequence[slice], facts: Mapping[str, float]) -> dict[str, float]:
        return {"x": float("inf")}


@register_crop
class Forgetful(_Double):
    name = "forgetful"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Forgetful:
        return cls()


@pytest.mark.parametrize(
    ("crop", "words"),
    [
        (Outside(), "lies outside the array"),
        (OneSlice(), "1 slices for an array of 2 axes"),
        (Strided(), "has a step"),
        (Counted(), "the same random numbers give the same crop"),
        (WithoutDraws(), "no crop depends on the random numbers"),
        (Silent(), "`emitted` says"),
        (Whole(), "'x' is a float, not a int"),
        (Infinite(), "'x' is infinite"),
        (Forgetful((None, 7)), "the reverse of `to_dict`"),
        ("no crop", "a crop has name, columns"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_breaks_a_rule_is_named(crop: Any, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_crop(crop, SHAPES)
