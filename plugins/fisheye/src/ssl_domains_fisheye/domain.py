"""The fisheye domain: its files, views, scaling and demonstration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.extending import Domain, RecipeRequest, ScanOption

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ssl_domains.samples import Reader, SampleTable
    from ssl_domains.views import Scaling, ViewRecipe

__all__ = ["FISHEYE"]


def _reader() -> Reader:
    from ssl_domains_fisheye.reader import FisheyeReader

    return FisheyeReader()


def _recipe(request: RecipeRequest) -> ViewRecipe:
    from ssl_domains_fisheye.views import recipe

    return recipe(request)


def _scaling(table: SampleTable) -> Scaling:
    from ssl_domains.views import Scaling

    # One window for all pictures of a type, 0–255 for 8 bits: brightness means the same in every picture of a camera.
    return Scaling("fixed")


def _channels(table: SampleTable) -> int:
    if "channels" not in table.columns:
        return 3
    return 1 if table.frame["channels"].eq(1).all() else 3


def _demo_data(out: Path, seed: int) -> str:
    from ssl_domains_fisheye.demo_data import write_demo_data

    return write_demo_data(out, seed)


def _hog(images: NDArray[Any]) -> NDArray[Any]:
    from ssl_domains.probes import hog

    return hog(images)


def _mean_colour(images: NDArray[Any]) -> NDArray[Any]:
    from ssl_domains.probes import mean_colour

    return mean_colour(images)


FISHEYE = Domain(
    name="fisheye",
    summary="objects in fisheye images: regions of the lens as positives",
    reader=_reader,
    recipe=_recipe,
    scaling=_scaling,
    demo_data=_demo_data,
    scan_options=(
        ScanOption("annotations", Path, help="COCO file or folder of annotation files; default: found in SOURCE"),
        ScanOption("format", str, help="woodscape, coco, yolo, voc or none; default: by the files", repeat=True),
        ScanOption("calibration", Path, help="calibration (JSON; YAML of Kalibr, KITTI-360), or a folder of them"),
        ScanOption("margin", float, help="context around a box, as a share of its larger side; default 0", repeat=True),
    ),
    floors={"box size and place alone": ("width", "height", "radius_norm", "phi")},
    handmade={"HOG": _hog, "mean colour": _mean_colour},
    files="pictures (.png, .jpg, .jpeg, .bmp, .tif, .tiff, .webp), with their annotations beside them or without",
    nuisance=("camera", "recording"),
    group="recording",
    in_chans=_channels,
)
