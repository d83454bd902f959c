"""The views of the domain: changes that mean nothing to a diagnosis."""

from __future__ import annotations

from ssl_domains.errors import UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.samples import SampleTable
from ssl_domains.views import HorizontalFlip, Intensity, Noise, RandomResizedCrop, Rotate, ViewRecipe, ViewStep

__all__ = ["recipe"]


def recipe(request: RecipeRequest) -> ViewRecipe:
    """The usual views. No colour jitter: colour, where there is any, is stain or flow and carries the finding.

    Raises:
        UsageError: When a view is asked for that this domain doesn't have.
    """
    if request.extra:
        raise UsageError(f"medical has no view {request.extra[0]!r}", "it has only the usual ones")
    steps: list[ViewStep] = [
        Rotate(degrees=(-10.0, 10.0), reason="patients and probes are never held quite level"),
        RandomResizedCrop(
            scale=(0.3, 1.0), reason="a finding is local, and fields of view differ; smaller crops would lose it"
        ),
    ]
    if not _has_laterality(request.table):
        steps.append(HorizontalFlip(reason="no column tells left from right, so the side is not part of the meaning"))
    steps += [
        Intensity(
            brightness=0.1, contrast=0.15, gamma=0.1, reason="gain differs between scanners; mild: grey is tissue"
        ),
        Noise(sigma=(0.0, 0.03), p=0.5, reason="speckle and thermal noise differ from one acquisition to the next"),
    ]
    return ViewRecipe(tuple(steps), request.size, request.views)


def _has_laterality(table: SampleTable) -> bool:
    return "laterality" in table.columns and table.frame["laterality"].null_count() < len(table)
