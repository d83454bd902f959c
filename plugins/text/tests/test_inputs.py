"""The preprocess of lines: ink and paper, one height, any width; and what is recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from ssl_domains.errors import DataError
from ssl_domains.inputs import Input
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import preprocess_from_dict, preprocess_to_dict
from ssl_domains_text.lines.inputs import LinePreprocess, LineSettings, lines_for
from ssl_domains_text.lines.inputs.ink import grey_of, ink_of
from ssl_domains_text.lines.reader import LinesReader
from ssl_domains_text.lines.strokes import BANDS, SLANTS, stroke_statistics

from .line_files import picture, strip


def test_the_form_of_an_input() -> None:
    made = LinePreprocess()(strip(90, 40)[:, :, None])
    assert made.values.shape == (1, 1, 32, 72)
    assert (made.kind, made.ragged, made.pad) == ("line", (1,), 0.0)
    assert made.valid is None
    assert made.values.dtype == torch.float32
    assert 0 <= made.values.min() <= made.values.max() <= 1
    spec = LinePreprocess(48).spec
    assert (spec.kind, spec.channels, spec.space) == ("line", 1, (48, None))


@pytest.mark.parametrize(
    ("height", "width", "expected"), [(40, 90, 72), (64, 1, 1), (16, 100, 200), (33, 100, 97), (1000, 3, 1)]
)
def test_widths_follow_from_the_shape(height: int, width: int, expected: int) -> None:
    preprocess = LinePreprocess()
    assert preprocess.sides((height, width, 3)) == (32, expected)
    assert preprocess(np.full((height, width, 1), 200, np.uint8)).values.shape[2:] == (32, expected)


def test_ink_is_high_and_paper_0_whatever_the_colours() -> None:
    dark = strip(64, 32)
    light = 255 - dark
    for array in (dark, light):
        grey = grey_of(array)
        median = np.median(grey)
        expected = np.abs(np.where((grey < median) == (array is dark), grey - median, 0))
        np.testing.assert_allclose(ink_of(grey, "auto", "line"), expected, atol=1e-6)
    one, other = (LinePreprocess()(array).values for array in (dark, light))
    np.testing.assert_allclose(one, other, atol=1 / 254)
    paper = dark > 150
    assert one[0, 0][torch.from_numpy(paper)].mean() < 0.02
    assert one[0, 0][torch.from_numpy(~paper)].min() > 0.5


def test_ink_and_paper_can_be_fixed() -> None:
    grey = grey_of(strip(64, 32))
    np.testing.assert_array_equal(ink_of(grey, "dark", "fixed"), 1 - grey)
    np.testing.assert_array_equal(ink_of(grey, "light", "fixed"), grey)
    np.testing.assert_array_equal(ink_of(grey, "auto", "fixed"), 1 - grey)
    assert ink_of(grey, "light", "line").max() < 0.05, "dark marks are no light ink"


def test_contrast_is_kept() -> None:
    """No line is stretched to its own range: pale ink stays pale."""
    pale = (200 - 0.25 * (200 - strip(64, 32).astype(np.float64))).round().astype(np.uint8)
    strong = LinePreprocess()(strip(64, 32)).values.max()
    assert 0.15 < LinePreprocess()(pale).values.max() / strong < 0.4


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64, np.bool_])
def test_types(dtype: type[np.generic]) -> None:
    base = strip(50, 32)
    array = {
        np.uint8: base,
        np.uint16: base.astype(np.uint16) * 257,
        np.float32: (base / 255).astype(np.float32),
        np.float64: base / 255,
        np.bool_: base > 100,
    }[dtype]
    made = LinePreprocess()(array)
    if dtype is not np.bool_:
        np.testing.assert_allclose(made.values, LinePreprocess()(base).values, atol=1 / 254)
    assert made.values.max() > 0.5


def test_colour_becomes_grey() -> None:
    colour = np.zeros((32, 40, 3), dtype=np.uint8)
    colour[...] = (255, 0, 0)
    assert grey_of(colour).max() == pytest.approx(0.299, abs=1e-6)
    odd = np.full((4, 4, 1), np.nan, dtype=np.float32)
    assert (grey_of(odd) == 0).all()
    for bad in (np.zeros((4, 4, 4), np.uint8), np.zeros(4, np.uint8), np.zeros((0, 4, 1), np.uint8)):
        with pytest.raises(DataError):
            grey_of(bad)


def test_lines_of_different_width_are_padded_with_paper() -> None:
    preprocess = LinePreprocess()
    short, long = (preprocess(strip(width, 32, seed=width)) for width in (40, 120))
    both = Input.cat([short, long])
    assert both.values.shape == (2, 1, 32, 120)
    assert both.valid is not None
    assert both.valid[0, 0].all(dim=0).sum() == 40
    assert (both.values[0, :, :, 40:] == 0).all()


def test_it_is_recorded(tmp_path: Path) -> None:
    preprocess = lines_for(
        SampleTable.of(pl.DataFrame({"sample": ["a"], "path": ["b"]})), LineSettings(height=48, ink="dark")
    )
    assert preprocess_from_dict(preprocess_to_dict(preprocess)) == preprocess
    assert LineSettings(**preprocess.settings) == LineSettings(height=48, ink="dark")
    assert preprocess.fitted[0] == "lines: strips 48 pixels high, ink high; dark ink; its median becomes paper, 0"
    array = strip(50, 40)
    assert torch.equal(preprocess(array).values, preprocess.compact(array).unit().values)


def test_widths_are_told() -> None:
    frame = pl.DataFrame({"sample": ["a", "b", "c"], "path": ["x"] * 3, "width": [32, 64, 640], "height": [32, 32, 64]})
    assert lines_for(SampleTable.of(frame)).fitted[1] == "widths 32 to 320 pixels, median 64"


def test_lines_that_would_fill_the_memory_are_refused(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", 1500, 4)
    table = LinesReader().scan(tmp_path).samples
    store = ArrayStore.fill(tmp_path / "store", table, LinesReader())
    LinePreprocess(32).require(table, store)
    with pytest.raises(DataError, match="192,000 pixels wide"):
        LinePreprocess(512).require(table, store)


def test_long_lines_are_folded_for_thumbnails() -> None:
    x = LinePreprocess()(strip(400, 32))
    shown = LinePreprocess().shown(x)
    assert shown.shape == (1, 96, 134)
    assert torch.equal(shown[0, :32], x.values[0, 0, :, :134])
    assert torch.equal(shown[0, 64:, : 400 - 268], x.values[0, 0, :, 268:])


def test_stroke_statistics() -> None:
    inputs = np.stack([LinePreprocess()(strip(96, 32, seed=k)).values[0].numpy() for k in range(3)])
    made = stroke_statistics(inputs)
    assert made.shape == (3, 3 + BANDS + SLANTS)
    np.testing.assert_allclose(made[:, 3 : 3 + BANDS].sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(made[:, 3 + BANDS :].sum(axis=1), 1, rtol=1e-6)
    bars = np.zeros((1, 1, 32, 32), dtype=np.float32)
    bars[..., 4:8] = 1
    bars[..., 20:24] = 1
    (one,) = stroke_statistics(bars)
    assert one[0] == pytest.approx(8 / 32)
    assert one[1] == pytest.approx(2 * 32 / 1024), "each row crosses two strokes"
    assert one[2] == 0, "no column crosses one"
    assert one[3 + BANDS] == pytest.approx(1), "upright strokes have gradients along the line"
    assert np.isfinite(stroke_statistics(np.zeros((1, 1, 32, 1), dtype=np.float32))).all()
