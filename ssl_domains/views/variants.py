"""Views of several variants of a recipe: two large crops and six small ones of each sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, View
from ssl_domains.views.contract import Recipe

__all__ = ["VariantRecipe", "with_variants"]


@dataclass(frozen=True)
class VariantRecipe:
    """The views of several recipes in a row: those of the first, then those of the next.

    A view draws by its number among all of them, so that two variants of one recipe differ.

    Attributes:
        names: Name of each variant.
        recipes: Its recipe.
        counts: Its number of views.
    """

    names: tuple[str, ...]
    recipes: tuple[Recipe, ...]
    counts: tuple[int, ...]

    @property
    def views(self) -> int:
        """Views of all variants."""
        return sum(self.counts)

    @property
    def columns(self) -> tuple[str, ...]:
        """Table numbers that any variant reads."""
        return tuple(dict.fromkeys(name for recipe in self.recipes for name in recipe.columns))

    @property
    def emitted(self) -> tuple[str, ...]:
        """Names of the numbers that views of any variant carry."""
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
        wanted = range(self.views) if only is None else only
        made: dict[int, View] = {}
        start = 0
        for recipe, count in zip(self.recipes, self.counts, strict=True):
            numbers = [number for number in wanted if start <= number < start + count]
            views = recipe.views_of(x, *beside, seed=seed, step=step, slots=slots, columns=columns, only=numbers)
            made.update(zip(numbers, views, strict=True))
            start += count
        return [made[number] for number in wanted]

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        variants = zip(self.names, self.counts, self.recipes, strict=True)
        return {"variants": [{"name": name, "views": count, **recipe.to_dict()} for name, count, recipe in variants]}


def with_variants(recipe: Recipe, variants: Mapping[str, int]) -> Recipe:
    """A recipe with the variants that a method asks for.

    Args:
        recipe: The domain's; it has ``variant(name)`` where a method may ask for variants.
        variants: Views by name of variant; empty for the recipe as it is.

    Raises:
        UsageError: When the recipe has no such variant.
    """
    if not variants or isinstance(recipe, VariantRecipe):
        return recipe
    if not hasattr(recipe, "variant"):
        raise UsageError("the recipe has no variants", f"the method asks for {', '.join(variants)}")
    return VariantRecipe(tuple(variants), tuple(recipe.variant(name) for name in variants), tuple(variants.values()))
