"""The views of a fisheye object, each change with its reason; those of `EXTRA` only when asked for."""

from __future__ import annotations

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.extending import RecipeRequest
from ssl_domains.views import (
    Blur,
    ColorJitter,
    HorizontalFlip,
    Intensity,
    Noise,
    RandomResizedCrop,
    Rotate,
    ViewRecipe,
    ViewStep,
)
from ssl_domains_fisheye.regions import LENS
from ssl_domains_fisheye.reprojection import COLUMNS, Reprojection
from ssl_domains_fisheye.warp import FisheyeWarp

__all__ = ["EXTRA", "recipe"]

EXTRA = ("reprojection", "fisheye_warp", "flip")


def recipe(request: RecipeRequest) -> ViewRecipe:
    """The recipe for a table.

    No flip by default: writing, signs and digits are other things in a mirror, and under ``sector`` rules a mirrored
    object carries the squeeze of another sector. No large turn: the lens squeezes along the radius, so that the
    direction of the squeeze and the place on the lens go together.

    Raises:
        UsageError: For an extra view that isn't one, or re-projection without a calibrated lens.
    """
    for name in request.extra:
        if name not in EXTRA:
            raise UsageError(f"the fisheye domain has no view {name!r}", did_you_mean(name, EXTRA))
    steps: list[ViewStep] = []
    if "reprojection" in request.extra:
        # First, since it reads where the whole crop was on the lens.
        steps.append(_reprojection(request))
    if "fisheye_warp" in request.extra:
        steps.append(FisheyeWarp())
    if "flip" in request.extra:
        steps.append(HorizontalFlip(reason="asked for: mirrored, an object is the same distance from the centre"))
    steps += [
        Rotate(degrees=(-10, 10), reason="cards, poles and cars lean; more would undo the direction of the squeeze"),
        RandomResizedCrop(scale=(0.4, 1.0), reason="boxes are drawn loosely, and an object's parts name it too"),
        ColorJitter(
            brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, grey=0.2,
            reason="light and paint tell the recording, not the object",
        )
        if request.in_chans == 3
        else Intensity(brightness=0.2, contrast=0.4, gamma=0.3, reason="light tells the recording, not the object"),
        Blur(sigma=(0.1, 1.0), p=0.3, reason="a lens is less sharp towards its edge, and boxes differ in resolution"),
        Noise(sigma=(0.0, 0.05), p=0.3, reason="sensors differ in noise, and edges are darker"),
    ]  # fmt: skip
    return ViewRecipe(tuple(steps), request.size, request.views)


def _reprojection(request: RecipeRequest) -> Reprojection:
    there = set(request.table.columns)
    # A table leaves out the columns that are zero in every row: an odd polynomial has lens_1, lens_3 and so on.
    terms = tuple(name for name in LENS if name.startswith("lens_") and name in there)
    coefficients = tuple(name for name in terms if name[5:].isdigit())
    orders = max((int(name[5:]) for name in coefficients), default=0) if "lens_1" in there else 0
    missing = [name for name in COLUMNS if name not in there]
    if not orders or missing or not request.table.frame["lens_1"].is_not_null().any():
        raise UsageError(
            "re-projection needs a calibrated lens, and this table has none",
            "scan again with --calibration; each object then carries its lens as columns",
        )
    whole = tuple(f"lens_{i}" for i in range(1, orders + 1))
    return Reprojection(orders, terms=() if terms == whole else terms)
