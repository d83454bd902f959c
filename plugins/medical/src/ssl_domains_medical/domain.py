"""The medical domain: its files, views, scaling and demonstration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.extending import Domain, RecipeRequest, ScanOption

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ssl_domains.prediction import MapPlan
    from ssl_domains.samples import Reader, SampleTable
    from ssl_domains.views import Scaling, ViewRecipe

__all__ = ["MEDICAL"]


def _reader() -> Reader:
    from ssl_domains_medical.reader import MedicalReader

    return MedicalReader()


def _recipe(request: RecipeRequest) -> ViewRecipe:
    from ssl_domains_medical.views import recipe

    return recipe(request)


def _scaling(table: SampleTable) -> Scaling:
    from ssl_domains_medical.scaling import scaling_for

    return scaling_for(table)


def _channels(table: SampleTable) -> int:
    most = table.frame["channels"].max() if "channels" in table.columns else None
    return int(most) if isinstance(most, int) else 1


def _demo_data(out: Path, seed: int) -> str:
    from ssl_domains_medical.demo.write import write_demo_data

    return write_demo_data(out, seed)


def _hog(images: NDArray[Any]) -> NDArray[Any]:
    from ssl_domains.probes import hog

    return hog(images)


def _mean_grey(images: NDArray[Any]) -> NDArray[Any]:
    from ssl_domains.probes import mean_colour

    return mean_colour(images)


def _map_files(table: SampleTable, root: Path | None) -> MapPlan:
    from ssl_domains_medical.predictions import map_files

    return map_files(table, root)


MEDICAL = Domain(
    name="medical",
    summary="DICOM, NIfTI and pictures: patients, positions and clinical values as positives",
    reader=_reader,
    recipe=_recipe,
    scaling=_scaling,
    canvas="fit",
    demo_data=_demo_data,
    scan_options=(
        ScanOption(
            "axis", str, help="how NIfTI volumes are cut: coronal (default), sagittal, axial, 0, 1, 2", repeat=True
        ),
        ScanOption("masks", Path, help="folder of NIfTI label masks: adds slice_class and area_CLASS"),
        ScanOption("mask_names", str, help='names of mask classes, "1=anterior,2=posterior"'),
        ScanOption("burned_in", bool, help="keep DICOM images that declare burned-in annotation"),
        ScanOption("patient_ids", str, help="auto (default): placeholders are null; keep; folder[:LEVEL]"),
        ScanOption("site", str, help="tells equal ids of two sites apart: InstitutionName, …, folder[:LEVEL]"),
    ),
    floors={"position alone": ("position",)},
    handmade={"HOG": _hog, "mean grey": _mean_grey},
    files="DICOM files of any name, NIfTI (.nii, .nii.gz) and pictures (.png, .tif, .tiff, .jpg, .jpeg, .bmp)",
    nuisance=("scanner", "modality", "position", "dtype"),
    group="patient",
    whole_groups=("volume",),
    in_chans=_channels,
    map_files=_map_files,
)
