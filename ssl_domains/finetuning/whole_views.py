"""Views for transcripts: steps that cut a sample, or mirror it, are left out of a recipe."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from typing import Any

from ssl_domains.views import CropLength, HorizontalFlip, RandomResizedCrop, Recipe, VerticalFlip

__all__ = ["left_out_steps", "whole_views"]

_CUTTING: tuple[type[Any], ...] = (CropLength, RandomResizedCrop, HorizontalFlip, VerticalFlip)


def left_out_steps(recipe: Recipe) -> tuple[str, ...]:
    """Names of the steps of a recipe that `whole_views` leaves out."""
    return tuple(step.name for step in getattr(recipe, "steps", ()) if isinstance(step, _CUTTING))


def whole_views(recipe: Recipe) -> Recipe:
    """The recipe without steps that cut or mirror a sample.

    A transcript is that of the whole sample, read in one direction: it would be wrong for what such a step shows.
    """
    if not left_out_steps(recipe) or not is_dataclass(recipe):
        return recipe
    steps = tuple(step for step in recipe.steps if not isinstance(step, _CUTTING))
    whole: Recipe = replace(recipe, steps=steps)
    return whole
