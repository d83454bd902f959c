"""The page of one time slice: where cells lie, features of cells, predictions beside labels."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from typer.testing import CliRunner

from ssl_domains.encoders import Encoder
from ssl_domains.errors import DataError, UsageError
from ssl_domains.inputs import InputSpec
from ssl_domains.samples import SampleTable, ScanResult, write_table
from ssl_domains.stores import ArrayStore
from ssl_domains_seismic.geometry.coordinates import MapFit
from ssl_domains_seismic.predictions.same_headers import same_headers
from ssl_domains_seismic.preprocess import sections_for
from ssl_domains_seismic.reader import SeismicReader
from ssl_domains_seismic.slices import SliceRequest, named_paths, write_slice_page
from ssl_domains_seismic.slices.features import slice_features
from ssl_domains_seismic.slices.plane import Plane
from ssl_domains_seismic.slices.samples import samples_on
from ssl_domains_seismic.slices.survey_slice import SurveySlice

from .conftest import grid_words, smooth, write

Make = Callable[..., Path]
Scan = Callable[..., ScanResult]

FIT = MapFit((1000.0, 5000.0), (20.0, 10.0), (-5.0, 10.0), 0.0)


@pytest.mark.parametrize("fit", [None, FIT])
def test_the_matrix_puts_each_cell_where_the_map_has_it(fit: MapFit | None) -> None:
    plane = Plane((30, 50), fit)
    a, b, c, d, e, f = map(float, re.findall(r"-?[\d.]+", plane.matrix))
    inline, crossline = np.array([0.0, 7.0, 29.0]), np.array([49.0, 3.0, 0.0])
    column, row = crossline + 0.5, inline + 0.5
    on_page = np.stack([a * column + c * row + e, b * column + d * row + f], axis=1)
    np.testing.assert_allclose(on_page, plane.page_at(inline, crossline), atol=1e-2)
    x, y = (FIT.at(inline, crossline) if fit else np.stack([crossline, -inline], axis=1)).T
    np.testing.assert_allclose(np.ptp(on_page[:, 0]) / np.ptp(x), np.ptp(on_page[:, 1]) / np.ptp(y), rtol=1e-3)
    assert (np.argsort(on_page[:, 1]) == np.argsort(-y)).all(), "y upwards"


def test_a_large_survey_is_shown_in_part() -> None:
    plane = Plane((900, 481), None)
    assert plane.every == 4
    assert plane.shown == (225, 121)


class Itself(nn.Module):
    """Stages whose maps are the picture, and its square."""

    feature_info = ("picture", "square")

    def forward_intermediates(self, x: Tensor, **options: Any) -> list[Tensor]:
        return [x, x.square()]


class Looking(Encoder):
    def __init__(self, size: int) -> None:
        super().__init__(Itself(), "itself", InputSpec("image", 1, (size, size)), 1)
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Any:
        raise AssertionError("the page reads maps alone")


@pytest.mark.parametrize("along", ["inline", "crossline", "depth"])
def test_features_of_a_cell_are_those_at_its_place(make: Make, scan: Scan, tmp_path: Path, along: str) -> None:
    cube = smooth(20, 24, 40)
    make(cube, code=5)
    table = scan(along=along, patch="8").samples
    rows = samples_on(table, 17, cube.shape)
    preprocess = sections_for(table).fit(rows, ArrayStore.fill(tmp_path / "s", rows, SeismicReader()))
    store = ArrayStore.open(tmp_path / "s", SeismicReader())
    made = slice_features(Looking(8), preprocess, rows, store, 17, cube.shape[:2], device="cpu")
    clip = preprocess.scaling.window("a.sgy")[1]
    shown = np.clip(cube[:, :, 17].ravel() / (2 * clip) + 0.5, 0, 1)
    features = np.stack([shown, shown**2], axis=1)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    length = np.linalg.norm(features, axis=1)
    # Maps are of half precision and the page's vectors of whole numbers up to 127: short ones have no clear direction.
    kept = length > 0.3
    unit = features[kept] / length[kept, None]
    vectors = made.vectors.reshape(-1, made.vectors.shape[2])[kept].astype(np.float64) / 127
    np.testing.assert_allclose(vectors @ vectors.T, unit @ unit.T, atol=0.03)
    assert made.kept == pytest.approx(1)


def test_cells_that_no_sample_covers_hold_nothing(make: Make, scan: Scan, tmp_path: Path) -> None:
    cube = smooth(9, 16, 32)
    make(cube)
    table = scan(along="inline", patch="8", channels=3).samples
    rows = samples_on(table, 5, cube.shape)
    store = ArrayStore.fill(tmp_path / "s", rows, SeismicReader())
    made = slice_features(Looking(8), sections_for(table).fit(rows, store), rows, store, 5, cube.shape[:2])
    covered = made.vectors.any(axis=2)
    assert not covered[[0, -1]].any(), "three neighbouring sections don't fit around the first and the last one"
    assert covered[1:-1].all()


@pytest.fixture
def labelled(make: Make, scan: Scan, tmp_path: Path) -> tuple[Path, NDArray[np.uint8]]:
    """A table whose second half of the inlines is held out, and the classes of its survey."""
    cube = smooth(16, 16, 32)
    make(cube)
    table = scan(along="inline", patch="8").samples
    classes = (cube > 0).astype(np.uint8) + (cube > 300)
    np.save(tmp_path / "labels.npy", classes)
    frame = table.frame.with_columns(
        pl.lit(str(tmp_path / "labels.npy")).alias("mask_path"),
        pl.when(pl.col("inline_bin") < 8).then(pl.lit("train")).otherwise(pl.lit("test")).alias("split"),
    )
    meta = replace(table.meta, options={**table.meta.options, "mask_names": "0=low,1=high,2=highest"})
    write_table(SampleTable(frame, meta), tmp_path / "t.parquet")
    return tmp_path / "t.parquet", classes


def test_a_prediction_is_compared_on_held_out_cells(labelled: tuple[Path, NDArray[np.uint8]], tmp_path: Path) -> None:
    path, classes = labelled
    guess = classes.copy()
    guess[:8] = 0  # wrong on the training side, which doesn't count
    guess[8:10, :, 10] = (guess[8:10, :, 10] + 1) % 3
    np.save(tmp_path / "guess.npy", guess)
    request = SliceRequest(path, 40.0, (("mine", tmp_path / "guess.npy"),), lines=("il:110",))
    said = write_slice_page(request, tmp_path / "page.html")
    assert said == ["mine: 75.0 % of 128 held-out cells of this slice right"]
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count("<image") == 3
    assert "highest" in text
    assert str(tmp_path) not in text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"vertical": 9999.0}, "outside of the survey"),
        ({"vertical": float("nan")}, "nan ms is outside of the survey"),
        ({"vertical": float("-inf")}, "-inf ms is outside of the survey"),
        ({"survey": "b.sgy"}, "no survey 'b.sgy'"),
        ({"lines": ("il:7",)}, "not in the survey"),
        ({"lines": ("7",)}, "is no line"),
    ],
)
def test_what_the_survey_does_not_have_is_said(
    labelled: tuple[Path, NDArray[np.uint8]], tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    request = replace(SliceRequest(labelled[0], 40.0), **change)
    with pytest.raises(UsageError, match=says):
        write_slice_page(request, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_a_volume_of_another_grid_is_refused(labelled: tuple[Path, NDArray[np.uint8]], tmp_path: Path) -> None:
    np.save(tmp_path / "small.npy", labelled[1][:8])
    with pytest.raises(DataError, match="8 × 16 × 32 cells, the survey has 16 × 16 × 32"):
        write_slice_page(SliceRequest(labelled[0], 40.0, (("x", tmp_path / "small.npy"),)), tmp_path / "page.html")


def test_names_of_panels(tmp_path: Path) -> None:
    assert named_paths([f"SimCLR = {tmp_path}"], "--run") == (("SimCLR", tmp_path),)
    rule = "neighbours(m=100, ms=0)"
    assert named_paths([f"{rule}={tmp_path}"], "--run") == ((rule, tmp_path),)
    for wrong in ("SimCLR", f"={tmp_path}", "SimCLR=nowhere"):
        with pytest.raises(UsageError):
            named_paths([wrong], "--run")


def test_segyio_says_whether_headers_are_equal(make: Make, tmp_path: Path) -> None:
    cube = smooth(4, 4, 16)
    source, same = make(cube, name="a.sgy"), make(-cube, name="b.sgy")
    assert "16 trace headers of 91 words are equal" in same_headers(source, same)[0]
    content = bytearray(same.read_bytes())
    content[3600 + 2 * (240 + 64) + 73 - 1 + 3] = 9  # word 73, x of the source, of the third trace
    same.write_bytes(content)
    with pytest.raises(DataError, match="word 73 of trace 3 is 9 instead of 0"):
        same_headers(source, same)
    short = make(cube[:2], name="c.sgy")
    with pytest.raises(DataError, match="8 × 16 samples instead of 16 × 16"):
        same_headers(source, short)


def test_headers_of_a_little_endian_survey_are_compared_and_a_pipe_is_not_opened(make: Make, tmp_path: Path) -> None:
    cube = smooth(4, 4, 16)
    source, same = make(cube, name="a.sgy", order="<"), make(-cube, name="b.sgy", order="<")
    assert "16 trace headers of 91 words are equal" in same_headers(source, same)[0]
    os.mkfifo(tmp_path / "pipe.sgy")
    for pair in ((source, tmp_path / "pipe.sgy"), (tmp_path / "pipe.sgy", source), (source, tmp_path / "no.sgy")):
        with pytest.raises(UsageError, match="there is no file"):
            same_headers(*pair)
    (tmp_path / "c.sgy").write_bytes(b"short")
    with pytest.raises(DataError, match="can't open both files"):
        same_headers(source, tmp_path / "c.sgy")


def test_the_page_from_the_command_line(labelled: tuple[Path, NDArray[np.uint8]], tmp_path: Path) -> None:
    from ssl_domains_seismic.cli import app

    out = tmp_path / "page.html"
    result = CliRunner().invoke(app, ["slice", str(labelled[0]), "--at", "40", "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert out.stat().st_size > 5_000


def test_a_hole_of_the_survey_has_no_class(make: Make, scan: Scan, tmp_path: Path) -> None:
    words = [words for words in grid_words(range(16), range(16)) if words != {189: 3, 193: 5}]
    traces = smooth(16, 16, 32).reshape(256, 32)[: len(words)]
    make(traces, words)
    shown = SurveySlice.of(scan(along="inline", patch="8").samples, None, 40.0)
    guess = shown.plane_of(write(tmp_path / "guess" / "g.sgy", np.ones_like(traces), words))
    expected = np.ones((16, 16))
    expected[3, 5] = 255
    np.testing.assert_array_equal(guess, expected)
