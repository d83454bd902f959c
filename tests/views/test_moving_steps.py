"""Which steps of a recipe show different places of a sample in two views."""

from __future__ import annotations

import pytest

from ssl_domains.views import (
    AddNoise,
    Blur,
    CropLength,
    Gain,
    HorizontalFlip,
    MaskStretches,
    Noise,
    RandomCrop,
    RandomResizedCrop,
    Recipe,
    SequenceRecipe,
    ViewRecipe,
    with_variants,
)
from ssl_domains.views.recipe_steps import moving_steps

WHY = "to try it"
STILL = (Blur(reason=WHY), Noise(reason=WHY))
MOVING = ("crop", "horizontal-flip")
CROPPED = SequenceRecipe((Gain(reason=WHY), CropLength(reason=WHY), AddNoise(reason=WHY)))


class Other:
    """A recipe of a plugin that says nothing about steps."""

    views, columns, emitted = 2, (), ()


@pytest.mark.parametrize(
    ("recipe", "moving"),
    [
        (ViewRecipe(STILL, 32), ()),
        (ViewRecipe((RandomResizedCrop(reason=WHY), *STILL, HorizontalFlip(reason=WHY)), 32), MOVING),
        (ViewRecipe(STILL, 32, crop=RandomCrop((8, 8))), ("views.crop",)),
        (ViewRecipe(STILL, 32, crop=RandomCrop((8, 8), shared=True)), ()),
        (SequenceRecipe((Gain(reason=WHY), MaskStretches(reason=WHY))), ()),
        (CROPPED, ("crop",)),
        (with_variants(CROPPED, {"global": 1, "local": 1}), ("crop",)),
        (CROPPED.without("crop"), ()),
        (Other(), ()),
    ],
)  # fmt: skip
def test_crops_and_geometry_move_and_noise_does_not(recipe: Recipe, moving: tuple[str, ...]) -> None:
    assert moving_steps(recipe) == moving
