"""The views a configuration asks of a domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssl_domains.extending import Domain, RecipeRequest

if TYPE_CHECKING:
    from ssl_domains.engine.record.config import RunConfig
    from ssl_domains.samples import SampleTable
    from ssl_domains.views.recipe import ViewRecipe

__all__ = ["build_recipe"]


def build_recipe(
    domain: Domain, train: SampleTable, config: RunConfig, channels: int = 3, *, views: int = 2
) -> ViewRecipe:
    """The domain's views, with ``views.extra`` and without ``views.without``.

    Args:
        domain: Declares them.
        train: The training rows.
        config: Size, number and names.
        channels: Of the decoded arrays; used when the configuration names no ``encoder.in_chans``.
        views: Views of each sample that the method needs; used when the configuration says nothing.
    """
    asked = config.views
    number = views if asked.n is None else asked.n
    request = RecipeRequest(train, asked.size, number, config.encoder.in_chans or channels, tuple(asked.extra))
    recipe = domain.recipe(request)
    for name in asked.without:
        recipe = recipe.without(name)
    return recipe
