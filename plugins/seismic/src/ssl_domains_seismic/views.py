"""The views of the domain: changes that processing and acquisition make, and the rock does not."""

from __future__ import annotations

from ssl_domains.errors import UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.views import Blur, HorizontalFlip, Intensity, Noise, RandomResizedCrop, Rotate, ViewRecipe, ViewStep

__all__ = ["recipe"]


def recipe(request: RecipeRequest) -> ViewRecipe:
    """The usual views. No hue and no change of polarity: the sign of a reflection is part of its meaning.

    Raises:
        UsageError: When a view is asked for that this domain doesn't have.
    """
    if request.extra:
        raise UsageError(f"seismic has no view {request.extra[0]!r}", "it has only the usual ones")
    steps: list[ViewStep] = [
        Rotate(degrees=(-5.0, 5.0), reason="the same layers dip a little more or less elsewhere"),
        RandomResizedCrop(
            scale=(0.5, 1.0),
            reason="time and trace of a feature shift; half of a patch is kept, as facies are textures",
        ),
        HorizontalFlip(reason="a line may be walked in either direction"),
        Intensity(
            brightness=0.0, contrast=0.3, gamma=0.0, reason="amplitude scale differs between surveys; zero stays zero"
        ),
        Blur(sigma=(0.1, 1.0), reason="the frequency band differs between surveys and with depth"),
        Noise(sigma=(0.0, 0.05), p=0.5, reason="noise differs with acquisition and fold"),
    ]
    size = request.size if request.spec is None else int(request.spec.space[0] or 0)
    return ViewRecipe(tuple(steps), size, request.views)
