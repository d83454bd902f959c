"""The views of the domain: those of SeqCLR, with horizontal movements of at most 2 % of the width in total."""

from __future__ import annotations

from ssl_domains.errors import UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.views import Gain, SequenceRecipe, SequenceStep
from ssl_domains_text.lines.views.crop_edges import CropEdges
from ssl_domains_text.lines.views.perspective import Perspective
from ssl_domains_text.lines.views.sharpen import Sharpen
from ssl_domains_text.lines.views.stroke_blur import StrokeBlur
from ssl_domains_text.lines.views.wave import Wave

__all__ = ["MOST_SHIFT", "recipe"]

MOST_SHIFT = 0.02
"""Largest horizontal movement of all steps together, as a share of the width (Aberdam et al. 2021)."""


def recipe(request: RecipeRequest) -> SequenceRecipe:
    """The steps, each with its reason (Aberdam et al. 2021, *Sequence-to-Sequence Contrastive Learning for Text
    Recognition*).

    No step mirrors, reverses or cuts a line, as the instances of two views are compared place by place.

    Args:
        request: Number of views; there are no further views by name.

    Raises:
        UsageError: For a further view, and for a crop.
    """
    if request.extra:
        raise UsageError(f"the domain lines has no further view {request.extra[0]!r}", "leave views.extra out")
    if request.crop is not None:
        raise UsageError("the views of lines show whole lines", "leave views.crop out")
    steps: tuple[SequenceStep, ...] = (
        CropEdges(reason="lines are cut out of their page more or less tightly"),
        Perspective(reason="hands slant and rise, and pages lie askew under the camera"),
        Wave(reason="baselines are uneven, and letters are written wider and narrower"),
        StrokeBlur(reason="scans and photographs are more or less sharp"),
        Sharpen(reason="scanners sharpen, and nibs differ"),
        Gain(gain=(0.5, 1.0), p=0.5, reason="ink is paler or darker, whatever is written"),
    )
    return SequenceRecipe(steps, views=request.views)
