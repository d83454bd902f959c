"""The domain of text lines: its files, inputs and views."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.extending import Domain, RecipeRequest, ScanOption
from ssl_domains_text.lines.pairs import EXTRA_COLUMNS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ssl_domains.samples import Reader, SampleTable, TextPlan
    from ssl_domains.views import PreprocessSource, Recipe
    from ssl_domains_text.lines.inputs.settings import LineSettings

__all__ = ["LINES"]


def _reader() -> Reader:
    from ssl_domains_text.lines.reader import LinesReader

    return LinesReader()


def _preprocess(table: SampleTable, settings: LineSettings) -> PreprocessSource:
    from ssl_domains_text.lines.inputs import lines_for

    return lines_for(table, settings)


def _input_settings() -> type[LineSettings]:
    from ssl_domains_text.lines.inputs.settings import LineSettings

    return LineSettings


def _recipe(request: RecipeRequest) -> Recipe:
    from ssl_domains_text.lines.views import recipe

    return recipe(request)


def _stroke_statistics(inputs: NDArray[Any]) -> NDArray[Any]:
    from ssl_domains_text.lines.strokes import stroke_statistics

    return stroke_statistics(inputs)


def _thumbnail(array: NDArray[Any], row: Mapping[str, Any]) -> NDArray[np.uint8] | str:
    from ssl_domains_text.lines.report import thumbnail

    return thumbnail(array, row)


def _text_files(table: SampleTable, root: Path | None) -> TextPlan:
    from ssl_domains_text.lines.predictions import page_text_files

    return page_text_files(table, root)


def _demo_data(out: Path, seed: int) -> str:
    from ssl_domains_text.lines.demo import write_demo_data

    return write_demo_data(out, seed)


LINES = Domain(
    name="lines",
    summary="text lines (LMDB, IAM, PAGE-XML, ALTO, folders): views of a line, place by place",
    reader=_reader,
    preprocess=_preprocess,
    preprocess_classes=("ssl_domains_text.lines.inputs:LinePreprocess",),
    input_settings=_input_settings,
    recipe=_recipe,
    scan_options=(
        ScanOption("format", str, help="lmdb, iam, pages, table, pictures; auto (default): the first there is"),
        ScanOption(
            "labels", Path, help="tables of labels: CSV, or lists of file names and texts; repeat it", many=True
        ),
        ScanOption("folders", str, help="columns from folders, from the top one on, as writer/book; - passes one over"),
        ScanOption("segmentation", str, help="labels of IAM's entries that are marked err: keep (default) or drop"),
        ScanOption(
            "alphabet", str, help="characters of labels: digits, ascii, ascii-lower, a text file, or the characters"
        ),
        ScanOption("longest", int, help="leave labels of more characters out"),
        ScanOption("lower", bool, help="make capitals of labels small"),
        ScanOption("direction", str, help="auto (by the script of each label), ltr or rtl", repeat=True),
    ),
    nuisance=("writer", "width", "height"),
    handmade={"stroke statistics": _stroke_statistics},
    floors={"size of the picture": ("width", "height")},
    default_encoder="small_crnn",
    extra_columns=EXTRA_COLUMNS,
    group="writer",
    whole_groups=("page",),
    coarser_groups=("book", "writer"),
    caption="text",
    text_files=_text_files,
    thumbnail=_thumbnail,
    demo_data=_demo_data,
    files="LMDB (.mdb), words.txt or lines.txt of IAM, PAGE-XML, ALTO, pictures with or without a table",
)
