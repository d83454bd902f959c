"""The views a configuration asks of a domain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ssl_domains.extending import Domain, RecipeRequest

if TYPE_CHECKING:
    from ssl_domains.engine.config import RunConfig
    from ssl_domains.samples import SampleTable
    from ssl_domains.views.recipe import ViewRecipe

__all__ = ["build_recipe", "emitted_numbers"]


def build_recipe(domain: Domain, train: SampleTable, config: RunConfig, channels: int = 3) -> ViewRecipe:
    """The domain's views, with ``views.extra`` and without ``views.without``.

    Args:
        domain: Declares them.
        train: The training rows.
        config: Size, number and names.
        channels: Of the decoded arrays; used when the configuration names no ``encoder.in_chans``.
    """
    views = config.views
    request = RecipeRequest(train, views.size, views.n, config.encoder.in_chans or channels, tuple(views.extra))
    recipe = domain.recipe(request)
    for name in views.without:
        recipe = recipe.without(name)
    return recipe


def emitted_numbers(recipe: ViewRecipe, read: Iterable[str], table: SampleTable, in_chans: int = 3) -> list[str]:
    """Numbers that the views emit, if a rule that reads the columns ``read`` needs any that the table has not."""
    if set(read) <= set(table.columns):
        return []
    import torch

    # What a step emits is known once it acts, so it acts on one black picture.
    black = torch.zeros(1, in_chans, recipe.size, recipe.size)
    columns = {name: torch.full((1,), float("nan"), dtype=torch.float64) for name in recipe.columns}
    views = recipe.device_views(black, seed=0, step=0, slots=torch.zeros(1, dtype=torch.int64), columns=columns)
    return sorted(views[0].emitted)
