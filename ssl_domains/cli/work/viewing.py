"""Build the view recipe of a domain for a configuration, and its preprocess for training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ssl_domains.errors import UsageError
from ssl_domains.extending import Domain, RecipeRequest

if TYPE_CHECKING:
    from ssl_domains.engine.record.config import RunConfig
    from ssl_domains.samples import SampleTable
    from ssl_domains.views import PreprocessSource, Recipe, Scaling

__all__ = ["build_recipe", "preprocess_of", "scaling_of"]


def preprocess_of(domain: Domain, table: SampleTable, crop: int | None = None) -> PreprocessSource | None:
    """The preprocess that the domain declares for a table; None for pictures.

    Args:
        domain: The domain.
        table: The rows.
        crop: Value of ``views.crop``: side of the crops that it takes; None for whole samples.
    """
    source = None if domain.preprocess is None else domain.preprocess(table)
    if crop is None or source is None or not hasattr(source, "for_crop"):
        return source
    made: PreprocessSource = source.for_crop(crop)
    return made


def scaling_of(domain: Domain, table: SampleTable) -> Scaling | None:
    """The scaling of pictures that the domain declares for a table; None for other data."""
    return None if domain.scaling is None else domain.scaling(table)


def build_recipe(domain: Domain, train: SampleTable, config: RunConfig, channels: int = 3, *, views: int = 2) -> Recipe:
    """The recipe of the domain, with the views of ``views.extra`` and without the steps of ``views.without``.

    Args:
        domain: The domain.
        train: The training rows.
        config: Configuration; its section ``views`` is used.
        channels: Channels of decoded pictures; used when the configuration has no ``encoder.in_chans``.
        views: Number of views that the method needs; used when the configuration has no ``views.n``.

    Raises:
        UsageError: When ``views.without`` names a step that the recipe doesn't have, or ``views.crop`` is set and the
            domain draws no crops.
    """
    from ssl_domains.views import crop_of

    settings = config.views
    number = views if settings.n is None else settings.n
    extra, source = tuple(settings.extra), preprocess_of(domain, train, settings.crop)
    if source is None:
        size, _ = settings.square
        request = RecipeRequest(train, size, number, config.encoder.in_chans or channels, extra, crop=settings.crop)
    else:
        request = RecipeRequest(train, 0, number, source.spec.channels, extra, source.spec, settings.crop)
    recipe = domain.recipe(request)
    if settings.crop is not None and crop_of(recipe) is None:
        raise UsageError(f"the views of {domain.name} draw no crops of their own", "leave views.crop out")
    for name in settings.without:
        if not hasattr(recipe, "without"):
            raise UsageError(f"the recipe of {domain.name} can't leave out {name!r}", "leave views.without out")
        recipe = recipe.without(name)
    return recipe
