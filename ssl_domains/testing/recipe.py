"""Does a recipe keep its contract?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ssl_domains.inputs import Input, View, Views
from ssl_domains.testing.crop import check_crop
from ssl_domains.views import Recipe, crop_of

__all__ = ["check_recipe"]

TOLERANCE = 1e-5
"""Largest difference of two values of a view that should be equal; sums may run in another order in a larger batch."""


def check_recipe(
    recipe: Recipe,
    x: Input,
    *beside: Input,
    columns: Mapping[str, Tensor] | None = None,
    shapes: Sequence[Sequence[int]] | None = None,
) -> None:
    """Check that views depend on the sample, (seed, step, slot, view) and the recipe alone.

    Args:
        recipe: The recipe.
        x: At least three different samples, pictures float32 in [0, 1].
        *beside: Further inputs of the same samples that move with them.
        columns: The numbers that the recipe and its crop read, float64 ``[B]`` by name.
        shapes: Sides of the arrays of the samples, as the reader gives them, for a recipe with a crop.

    Raises:
        AssertionError: When the recipe breaks the contract; the message says where.
    """
    assert len(x) >= 3, "give at least three samples"
    assert isinstance(recipe, Recipe), "a recipe has `views`, `columns`, `emitted`, `views_of` and `to_dict`"
    json.dumps(recipe.to_dict())
    numbers = dict(columns or {})
    missing = sorted(set(recipe.columns) - set(numbers))
    assert not missing, f"the recipe reads the column {missing[0]!r}: give it as columns="
    crop = crop_of(recipe)
    if crop is not None:
        assert shapes is not None, "the recipe has a crop: give the shapes of some arrays as shapes="
        absent = sorted(set(crop.columns) - set(numbers))
        assert not absent, f"the crop reads the column {absent[0]!r}: give it as columns="
        check_crop(crop, shapes, {name: float(numbers[name][0]) for name in crop.columns})
    call = _Call(recipe, (x, *beside), numbers)
    copies = [one.values.clone() for one in (x, *beside)]
    views = call()
    assert all(torch.equal(a.values, b) for a, b in zip((x, *beside), copies, strict=True)), (
        "the recipe changes its input in place"
    )
    _check_form(recipe, views, len(x), len(beside))
    _same(call(), views, "the same call gives the same views")
    for number in range(recipe.views):
        _same(call(only=[number]), views[number : number + 1], f"view {number} is the same when it is made alone")
    for row in range(len(x)):
        _same(
            call(rows=[row]), [_row(view, row) for view in views], "a sample alone has the views that it has in a batch"
        )
    backwards = list(range(len(x)))[::-1]
    turned = call(rows=backwards)
    for row in backwards:
        expected = [_row(view, row) for view in views]
        _same(
            [_row(view, len(x) - 1 - row) for view in turned], expected, "views don't depend on the order of the batch"
        )
    if recipe.views > 1 and views[0].input.values.shape == views[1].input.values.shape:
        assert not torch.equal(views[0].input.values, views[1].input.values), "two views of a sample differ"
    for words, other in (("step", call(step=8)), ("seed", call(seed=4))):
        assert _differ(other, views), f"another {words} gives other views"


class _Call:
    """Calls a recipe for some rows of its samples, each with the slot that it always has."""

    def __init__(self, recipe: Recipe, inputs: tuple[Input, ...], columns: Mapping[str, Tensor]) -> None:
        self.recipe = recipe
        self.inputs = inputs
        self.columns = columns

    def __call__(
        self, rows: Sequence[int] | None = None, only: Sequence[int] | None = None, seed: int = 3, step: int = 7
    ) -> list[View]:
        index = torch.arange(len(self.inputs[0])) if rows is None else torch.tensor(rows)
        return self.recipe.views_of(
            # The whole input is handed over as it is, so that a change in place shows.
            *(one if rows is None else one.take(index).trimmed() for one in self.inputs),
            seed=seed,
            step=step,
            slots=index + 11,
            columns={name: values[index] for name, values in self.columns.items()},
            only=only,
        )


def _check_form(recipe: Recipe, views: Sequence[View], samples: int, beside: int) -> None:
    assert len(views) == recipe.views, f"`views` says {recipe.views}, views_of gives {len(views)}"
    Views(tuple(views))
    for number, view in enumerate(views):
        assert len(view.input) == samples, f"view {number} has {len(view.input)} samples, not {samples}"
        assert len(view.beside) == beside, f"view {number} moves {len(view.beside)} further inputs, not {beside}"
        values = view.input.values
        assert not values.is_floating_point() or torch.isfinite(values).all(), f"view {number} is finite"
        unknown = sorted(set(view.emitted) - set(recipe.emitted))
        assert not unknown, f"view {number} emits {unknown[0]!r}, which `emitted` doesn't name"
        for name, numbers in view.emitted.items():
            form = f"{numbers.dtype} {list(numbers.shape)}"
            assert numbers.dtype == torch.float64, f"{name!r} is float64 [{samples}], not {form}"
            assert numbers.shape == (samples,), f"{name!r} is float64 [{samples}], not {form}"
    emitted = {name for view in views for name in view.emitted}
    absent = sorted(set(recipe.emitted) - emitted)
    assert not absent, f"no view emits {absent[0]!r}, which `emitted` names"


def _row(view: View, row: int) -> View:
    """One sample of a view, without padding that it doesn't need."""
    index = torch.tensor([row])
    emitted = {name: values[index] for name, values in view.emitted.items()}
    beside = tuple(one.take(index).trimmed() for one in view.beside)
    return View(view.input.take(index).trimmed(), emitted, view.part, beside)


def _same(actual: Sequence[View], expected: Sequence[View], words: str) -> None:
    assert len(actual) == len(expected), f"{words}: {len(actual)} views, not {len(expected)}"
    for one, two in zip(actual, expected, strict=True):
        assert one.part == two.part, words
        assert one.emitted.keys() == two.emitted.keys(), words
        for name, numbers in two.emitted.items():
            assert torch.equal(one.emitted[name].nan_to_num(), numbers.nan_to_num()), f"{words}: {name!r}"
        for first, second in zip((one.input, *one.beside), (two.input, *two.beside), strict=True):
            assert first.values.shape == second.values.shape, words
            assert torch.equal(first.with_valid(), second.with_valid()), f"{words}: validity"
            gap = torch.where(second.with_valid(), first.values.double() - second.values.double(), 0).abs()
            assert not gap.numel() or float(gap.max()) <= TOLERANCE, f"{words}: values differ by {float(gap.max()):.1e}"


def _differ(actual: Sequence[View], expected: Sequence[View]) -> bool:
    return any(
        one.input.values.shape != two.input.values.shape or not torch.equal(one.input.values, two.input.values)
        for one, two in zip(actual, expected, strict=True)
    )
