"""`check_recipe` passes recipes that keep the contract, and names what others break."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

import method_doubles as doubles
from ssl_domains.inputs import Input, View
from ssl_domains.testing import check_recipe
from ssl_domains.views import (
    Blur,
    ColorJitter,
    HorizontalFlip,
    Intensity,
    Noise,
    RandomResizedCrop,
    Rotate,
    ViewRecipe,
    with_variants,
)

WHY = "a reason"
PICTURES = ViewRecipe(
    (
        Rotate((-30.0, 30.0), reason=WHY), RandomResizedCrop((0.4, 1.0), emit=True, reason=WHY),
        HorizontalFlip(reason=WHY), Intensity(reason=WHY), ColorJitter(reason=WHY), Blur(reason=WHY), Noise(reason=WHY),
    ),
    16,
)  # fmt: skip


def pictures(count: int = 5) -> Input:
    return Input(torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(0)))


def label_maps(count: int = 5) -> Input:
    return Input(
        torch.randint(0, 4, (count, 1, 16, 16), generator=torch.Generator().manual_seed(1)), kind="labels", pad=255
    )


def waves() -> Input:
    return doubles.waves(torch.arange(6))


def test_pictures_with_label_maps_variants_and_waves_pass() -> None:
    check_recipe(PICTURES, pictures(), label_maps())
    check_recipe(with_variants(PICTURES, {"global": 2, "local": 2}), pictures())
    check_recipe(doubles.WaveRecipe(), waves())
    check_recipe(doubles.WaveRecipe(mel=True), waves())


Change = Callable[[list[View], dict[str, Any]], list[View]]


class Changed(doubles.WaveRecipe):
    """A right recipe of waves whose views are changed afterwards."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        self.change = change

    def views_of(self, x: Input, *beside: Input, **options: Any) -> list[View]:
        return self.change(super().views_of(x, *beside, **options), {"x": x, **options})


def values(view: View, new: Tensor) -> View:
    return replace(view, input=replace(view.input, values=new))


def mean_of_batch(views: list[View], options: dict[str, Any]) -> list[View]:
    return [values(view, view.input.values - view.input.values[..., :1].mean()) for view in views]


def global_generator(views: list[View], options: dict[str, Any]) -> list[View]:
    return [values(view, view.input.values + torch.rand(1)) for view in views]


def by_place(views: list[View], options: dict[str, Any]) -> list[View]:
    ramp = torch.arange(len(options["x"])).view(-1, 1, 1)
    return [values(view, view.input.values + ramp) for view in views]


def by_place_in_the_call(views: list[View], options: dict[str, Any]) -> list[View]:
    return [values(view, view.input.values + place) for place, view in enumerate(views)]


def in_place(views: list[View], options: dict[str, Any]) -> list[View]:
    options["x"].values.add_(1)
    return views


def without_draws(views: list[View], options: dict[str, Any]) -> list[View]:
    return [replace(values(view, options["x"].values), emitted={"gain": view.emitted["gain"] * 0}) for view in views]


def unnamed_number(views: list[View], options: dict[str, Any]) -> list[View]:
    return [replace(view, emitted={**view.emitted, "start": view.emitted["gain"]}) for view in views]


def no_number(views: list[View], options: dict[str, Any]) -> list[View]:
    return [replace(view, emitted={}) for view in views]


def narrow_number(views: list[View], options: dict[str, Any]) -> list[View]:
    return [replace(view, emitted={"gain": view.emitted["gain"].float()}) for view in views]


def not_finite(views: list[View], options: dict[str, Any]) -> list[View]:
    return [values(view, view.input.values / 0) for view in views]


def one_too_few(views: list[View], options: dict[str, Any]) -> list[View]:
    return views[:1]


BAD = [
    (mean_of_batch, "a sample alone has the views"),
    (global_generator, "the same call gives the same views"),
    (by_place, "a sample alone has the views"),
    (by_place_in_the_call, "view 1 is the same when it is made alone"),
    (in_place, "changes its input in place"),
    (without_draws, "two views of a sample differ"),
    (unnamed_number, "emits 'start', which `emitted` doesn't name"),
    (no_number, "no view emits 'gain'"),
    (narrow_number, "'gain' is float64"),
    (not_finite, "view 0 is finite"),
    (one_too_few, "`views` says 2, views_of gives 1"),
]


@pytest.mark.parametrize(("change", "words"), BAD, ids=lambda value: getattr(value, "__name__", ""))
def test_what_breaks_a_rule_is_named(change: Change, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_recipe(Changed(change), waves())


def test_a_missing_column_is_named() -> None:
    class Reads(doubles.WaveRecipe):
        columns = ("age",)

    with pytest.raises(AssertionError, match="reads the column 'age'"):
        check_recipe(Reads(), waves())
