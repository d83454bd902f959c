"""The seismic domain: its files, inputs and views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.extending import Domain, RecipeRequest, ScanOption

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ssl_domains.samples import MapPlan, Reader, Regions, SampleTable
    from ssl_domains.views import PreprocessSource, ViewRecipe

__all__ = ["SEISMIC"]


def _reader() -> Reader:
    from ssl_domains_seismic.reader import SeismicReader

    return SeismicReader()


def _preprocess(table: SampleTable) -> PreprocessSource:
    from ssl_domains_seismic.preprocess import sections_for

    return sections_for(table)


def _recipe(request: RecipeRequest) -> ViewRecipe:
    from ssl_domains_seismic.views import recipe

    return recipe(request)


def _thumbnail(array: NDArray[Any], row: Mapping[str, Any]) -> NDArray[np.uint8]:
    from ssl_domains_seismic.report.thumbnail import thumbnail

    return thumbnail(array, row)


def _place_regions(tables: Sequence[SampleTable]) -> list[Regions] | None:
    from ssl_domains_seismic.splits.common_grid import place_regions

    return place_regions(tables)


def _map_files(table: SampleTable, root: Path | None, **options: Any) -> MapPlan:
    from ssl_domains_seismic.predictions.plan import map_files

    return map_files(table, root, **options)


def _measured(table: SampleTable) -> Mapping[str, NDArray[np.float64]]:
    from ssl_domains_seismic.measured import measured

    return measured(table)


def _hog(images: NDArray[Any]) -> NDArray[Any]:
    from ssl_domains.probes import hog

    return hog(images)


def _demo_data(out: Path, seed: int) -> str:
    from ssl_domains_seismic.demo.write import write_demo_data

    return write_demo_data(out, seed)


SEISMIC = Domain(
    name="seismic",
    summary="SEG-Y and .npy volumes after stacking: places in metres and milliseconds as positives",
    reader=_reader,
    preprocess=_preprocess,
    preprocess_classes=("ssl_domains_seismic.preprocess:SectionPreprocess",),
    crop_classes=("ssl_domains_seismic.views.section_crop:SectionCrop",),
    recipe=_recipe,
    scan_options=(
        ScanOption("lines", str, help="header bytes of inline and crossline, 189,193; chosen without it", repeat=True),
        ScanOption(
            "along", str, help="samples along inline (default), crossline, depth; several with commas", repeat=True
        ),
        ScanOption(
            "patch", str, help="side of a patch in bins, 64 or 96x64 (rows x columns); else whole sections", repeat=True
        ),
        ScanOption("stride", str, help="distance of neighbouring patches in bins; else side by side"),
        ScanOption("edges", bool, help="one more patch at the end of each side, so that no rest is left", predict=True),
        ScanOption("every", int, help="distance of neighbouring sections in bins (default 1)"),
        ScanOption("channels", int, help="neighbouring sections in a sample, an odd number (default 1)", repeat=True),
        ScanOption(
            "stacks",
            str,
            help="stacks as channels: near=A.sgy,far=B.sgy; or near,far: words in file names",
            repeat=True,
        ),
        ScanOption("il", str, help="part of the survey by inline numbers, 100:500"),
        ScanOption("xl", str, help="part of the survey by crossline numbers"),
        ScanOption("ms", str, help="part of the survey by times in ms, 1200:2400 (metres with --vertical depth)"),
        ScanOption("blocks", str, help="column block: 2x4 parts of inlines and crosslines, for --split-by block"),
        ScanOption(
            "live", float, help="least share of traces with data in a sample (default 0.5; 0 in predict)", predict=0.0
        ),
        ScanOption(
            "samples_as", str, help="ibm or ieee: read float samples so, whatever the format code says", repeat=True
        ),
        ScanOption(
            "coordinates", str, help="int (default), ibm or ieee: how the words of x and y are read", repeat=True
        ),
        ScanOption(
            "labels",
            str,
            help="labels: .npy, SEG-Y, .png, .csv, GeoJSON, horizons; file or folder; repeat it",
            many=True,
        ),
        ScanOption("label_names", str, help='names of the classes, "1=faults,2=channels"'),
        ScanOption("cover", float, help="least share of a class in the column classes (default 0.05)"),
        ScanOption("horizon", str, help="text file of picks: adds the time of each sample from the horizon"),
        ScanOption("vertical", str, help="time (default) or depth: what the sample interval measures", repeat=True),
    ),
    extra_columns={
        "relative_to_horizon_ms": "scan with --horizon FILE, a text file of picks",
        "relative_to_horizon_m": "scan with --horizon FILE and --vertical depth",
    },
    floors={"position alone": ("inline_bin", "crossline_bin", "sample_bin")},
    handmade={"HOG": _hog},
    nuisance=("survey", "section", "dtype"),
    default_encoder="small_conv",
    group="block",
    thumbnail=_thumbnail,
    demo_data=_demo_data,
    files="SEG-Y files (.sgy, .segy) and volumes (.npy)",
    place_regions=_place_regions,
    measured=_measured,
    map_files=_map_files,
    map_options=(
        ScanOption("format", str, help="type of the class numbers: float32 (SEG-Y), int32, int16, int8, uint8 (.npy)"),
    ),
)
