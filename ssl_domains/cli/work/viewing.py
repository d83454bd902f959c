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


def preprocess_of(domain: Domain, table: SampleTable, config: RunConfig) -> PreprocessSource | None:
    """The preprocess that the domain declares for a table, the settings of ``[input]`` and ``views.crop``.

    None for pictures.

    Raises:
        UsageError: For a setting that the domain doesn't have, or a value that doesn't fit.
    """
    from ssl_domains.engine.record.config_file import with_input_settings

    model = None if domain.input_settings is None else domain.input_settings()
    settings = with_input_settings(config, model, domain.name).input.model_dump()
    source = domain.preprocess_for(table, settings)
    if config.views.crop is None or source is None or not hasattr(source, "for_crop"):
        return source
    made: PreprocessSource = source.for_crop(config.views.crop)
    return made


def scaling_of(domain: Domain, table: SampleTable) -> Scaling | None:
    """The scaling of pictures that the domain declares for a table; None for other data."""
    return None if domain.scaling is None else domain.scaling(table)


def build_recipe(domain: Domain, train: SampleTable, config: RunConfig, channels: int = 3, *, views: int = 2) -> Recipe:
    """The recipe of the domain, with the views of ``views.extra`` and without the steps of ``views.without``.

    Args:
        domain: The domain.
        train: The training rows.
        config: Configuration; its sections ``views`` and ``input`` are used.
        channels: Channels of decoded pictures; used when the configuration has no ``encoder.in_chans``.
        views: Number of views that the method needs; used when the configuration has no ``views.n``.

    Raises:
        UsageError: When ``views.without`` names a step that the recipe doesn't have, ``views.crop`` is set and the
            domain draws no crops, and in the cases of `preprocess_of`.
    """
    from ssl_domains.views import crop_of

    settings = config.views
    number = views if settings.n is None else settings.n
    extra, source = tuple(settings.extra), preprocess_of(domain, train, config)
    if source is None:
        size, _ = settings.square
        request = RecipeRequest(train, size, number, config.encoder.in_chans or channels, extra, crop=settings.crop)
    else:
        request = RecipeRequest(train, 0, number, source.spec.channels, extra, source.spec, source, settings.crop)
    recipe = domain.recipe(request)
    if settings.crop is not None and crop_of(recipe) is None:
        raise UsageError(f"the views of {domain.name} draw no crops of their own", "leave views.crop out")
    for name in settings.without:
        if not hasattr(recipe, "without"):
            raise UsageError(f"the recipe of {domain.name} can't leave out {name!r}", "leave views.without out")
        recipe = recipe.without(name)
    return recipe
