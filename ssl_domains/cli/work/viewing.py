"""Build the view recipe of a domain for a configuration."""

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
    """The recipe of the domain, with the views of ``views.extra`` and without the steps of ``views.without``.

    Args:
        domain: The domain.
        train: The training rows.
        config: Configuration; its section ``views`` is used.
        channels: Channels of the decoded arrays; used when the configuration has no ``encoder.in_chans``.
        views: Number of views that the method needs; used when the configuration has no ``views.n``.
    """
    settings = config.views
    number = views if settings.n is None else settings.n
    request = RecipeRequest(train, settings.size, number, config.encoder.in_chans or channels, tuple(settings.extra))
    recipe = domain.recipe(request)
    for name in settings.without:
        recipe = recipe.without(name)
    return recipe
