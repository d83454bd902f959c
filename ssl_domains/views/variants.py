"""Recipe with views of several variants (multi-crop), such as two large crops and six small ones of each sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, View
from ssl_domains.views.contract import Recipe
from ssl_domains.views.crops import Crop, crop_of

__all__ = ["VariantRecipe", "with_variants"]


@dataclass(frozen=True)
class VariantRecipe:
    """Joins the views of several recipes: the views of the first recipe, then those of the second, and so on.

    Random numbers are keyed by a view's number among all views, so that two variants of one recipe draw different ones.

    Attributes:
        names: Name of each variant.
        recipes: Recipe of each variant.
        counts: Number of views of each variant.
    """

    names: tuple[str, ...]
    recipes: tuple[Recipe, ...]
    counts: tuple[int, ...]

    @property
    def views(self) -> int:
        """Number of views of all variants together."""
        return sum(self.counts)

    @property
    def crop(self) -> Crop | None:
        """The crop of the variants.

        Raises:
            UsageError: When they have different ones.
        """
        crops = [crop_of(recipe) for recipe in self.recipes]
        if any(crop != crops[0] for crop in crops[1:]):
            raise UsageError("the variants of the recipe have different crops", "give all of them the recipe's crop")
        return crops[0] if crops else None

    @property
    def columns(self) -> tuple[str, ...]:
        """Numeric columns of the table that any variant reads."""
        return tuple(dict.fromkeys(name for recipe in self.recipes for name in recipe.columns))

    @property
    def emitted(self) -> tuple[str, ...]:
        """Names of the numbers that any variant records with its views."""
        return tuple(dict.fromkeys(name for recipe in self.recipes for name in recipe.emitted))

    def views_of(
        self,
        x: Input,
        *beside: Input,
        seed: int,
        step: int,
        slots: Tensor,
        columns: Mapping[str, Tensor] | None = None,
        only: Sequence[int] | None = None,
    ) -> list[View]:
        """See `Recipe.views_of`."""
        requested = range(self.views) if only is None else only
        made: dict[int, View] = {}
        start = 0
        for recipe, count in zip(self.recipes, self.counts, strict=True):
            numbers = [number for number in requested if start <= number < start + count]
            views = recipe.views_of(x, *beside, seed=seed, step=step, slots=slots, columns=columns, only=numbers)
            made.update(zip(numbers, views, strict=True))
            start += count
        return [made[number] for number in requested]

    def to_dict(self) -> dict[str, Any]:
        """All settings, as JSON values."""
        variants = zip(self.names, self.counts, self.recipes, strict=True)
        return {"variants": [{"name": name, "views": count, **recipe.to_dict()} for name, count, recipe in variants]}


def with_variants(recipe: Recipe, variants: Mapping[str, int], sizes: Mapping[str, int] | None = None) -> Recipe:
    """Returns a recipe with the variants that a method needs.

    Args:
        recipe: The domain's recipe; it must have ``variant(name, size=None)`` unless ``variants`` is empty.
        variants: Number of views by name of variant; empty for the unchanged recipe.
        sizes: Side of the views by name of variant; a variant without one has the recipe's side for it.

    Raises:
        UsageError: When the recipe has no such variant, or views of a variant are larger than those of the recipe.
    """
    if not variants or isinstance(recipe, VariantRecipe):
        return recipe
    if not hasattr(recipe, "variant"):
        raise UsageError("the recipe has no variants", f"the method asks for {', '.join(variants)}")
    sizes = sizes or {}
    made = tuple(recipe.variant(name, sizes[name]) if name in sizes else recipe.variant(name) for name in variants)
    return VariantRecipe(tuple(variants), made, tuple(variants.values()))
