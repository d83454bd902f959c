"""Crops drawn anew at each step: where they lie, what they emit, and rules that read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from ssl_domains.cli.app import run
from ssl_domains.engine import Run
from ssl_domains.errors import UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.finetuning import FineTuned
from ssl_domains.pairs import Ask
from ssl_domains.samples import SampleTable, ScanResult, read_table
from ssl_domains.stores import ArrayStore
from ssl_domains.testing import check_crop
from ssl_domains.views import InputDataset, crop_from_dict, crop_of, tiles_of
from ssl_domains_seismic.preprocess import sections_for
from ssl_domains_seismic.reader import SeismicReader
from ssl_domains_seismic.slices.samples import samples_on
from ssl_domains_seismic.views import recipe
from ssl_domains_seismic.views.row_interval import row_intervals_ms
from ssl_domains_seismic.views.section_crop import SectionCrop, section_crop

from .conftest import grid_words, smooth

Make = Callable[..., Path]
Scan = Callable[..., ScanResult]
INLINES, CROSSLINES, SAMPLES = 14, 30, 50
X, Y = (20.0, 12.0), (-6.0, 10.0)


def on_the_map(inline: float, crossline: float) -> tuple[float, float]:
    """Metres of a place in bins: the lines run across the map."""
    return 1000 + X[0] * inline + Y[0] * crossline, 5000 + X[1] * inline + Y[1] * crossline


@pytest.fixture
def cube(make: Make) -> np.ndarray:
    """A survey of 14 × 30 × 50 places that starts at 1,000 ms, one sample every 4 ms."""
    values = smooth(INLINES, CROSSLINES, SAMPLES)
    words = []
    for k, given in enumerate(grid_words(range(INLINES), range(CROSSLINES))):
        x, y = on_the_map(k // CROSSLINES, k % CROSSLINES)
        words.append({**given, 71: -10, 109: 1000, 181: round(10 * x), 185: round(10 * y)})
    make(values, words)
    return np.asarray(values)


def views(table: SampleTable, folder: Path, crop: SectionCrop, size: int) -> Any:
    store = ArrayStore.fill(folder, table, SeismicReader())
    preprocess = sections_for(table).for_crop(size).fit(table, store)
    dataset = InputDataset(table, store, preprocess, crop=crop, views=2, seed=3, drawn=True)
    rows = np.arange(len(table))
    return preprocess, dataset.__getitems__(Ask(step=5, slots=rows, seats=rows[None]))["crops"]


@pytest.mark.parametrize(("along", "channels"), [("inline", 1), ("crossline", 3), ("depth", 1)])
def test_a_crop_shows_the_place_that_it_emits(
    cube: np.ndarray, scan: Scan, tmp_path: Path, along: str, channels: int
) -> None:
    """Whole sections: their rows alone don't tell how far two crosslines are apart, so the headers are read."""
    table = scan(along=along, channels=channels).samples
    crop = section_crop(table, 12)
    preprocess, made = views(table, tmp_path / "store", crop, 12)
    high = preprocess.scaling.window("a.sgy")[1]
    assert len(made) == 2
    starts = set()
    for view in made:
        for row, facts in enumerate(table.frame.to_dicts()):
            told = {name: float(values[row]) for name, values in view.emitted.items()}
            i, x, t = (told[f"{name}_bin"] for name in ("inline", "crossline", "sample"))
            places = []
            for axis, (middle, side) in enumerate(zip((i, x, t), cube.shape, strict=True)):
                width = channels if ("inline", "crossline", "depth")[axis] == along else min(12, side)
                first = middle - (width - 1) / 2
                assert first == round(first)
                places.append(slice(round(first), round(first) + width))
            starts.add(tuple(one.start for one in places))
            part = cube[tuple(places)]
            shown = {"inline": part.transpose(2, 1, 0), "crossline": part.transpose(2, 0, 1), "depth": part}[along]
            expected = np.clip(shown.transpose(2, 0, 1) / (2 * high) + 0.5, 0, 1)
            np.testing.assert_allclose(view.input.unit().values[row].numpy(), expected, atol=1e-5)
            assert told["ms"] == pytest.approx(1000 + 4 * t)
            assert (told["x_m"], told["y_m"]) == pytest.approx(on_the_map(i, x), abs=0.1)
            assert told["inline_m"] == pytest.approx(i * np.hypot(*X), abs=0.1)
            assert told["crossline_m"] == pytest.approx(x * np.hypot(*Y), abs=0.1)
            assert told["span_ms"] == pytest.approx(48) if along != "depth" else np.isnan(told["span_ms"])
            assert told[{"depth": "sample_bin"}.get(along, f"{along}_bin")] == facts["section"]
    assert len(starts) > len(table), "drawn anew for each view"
    check_crop(crop, [(1, 40, 40, 1), (1, 9, 100, 1)])


def test_a_side_that_is_shorter_is_shown_whole_and_its_time_is_its_own(
    cube: np.ndarray, scan: Scan, tmp_path: Path
) -> None:
    table = scan(patch="8x20", stride="8x10").samples
    _, (view, _) = views(table, tmp_path / "store", section_crop(table, 16), 16)
    assert view.emitted["ms"].tolist() == pytest.approx(table.frame["ms"].to_list()), "8 samples: all are shown"
    assert set(view.emitted["span_ms"].tolist()) == {32.0}
    assert row_intervals_ms(table, 16, 16) == (2.0, 2.0)
    assert row_intervals_ms(table, 16, 4) == (1.0, 1.0)


def test_arrays_without_times_emit_bins_alone(scan: Scan, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", smooth(4, 40, 60))
    table = scan().samples
    crop = section_crop(table, 16)
    assert crop.emitted == ("inline_bin", "crossline_bin", "sample_bin")
    _, (view, _) = views(table, tmp_path / "store", crop, 16)
    assert np.isfinite(np.stack(list(view.emitted.values()))).all()


def test_a_survey_without_coordinates_has_times(make: Make, scan: Scan, tmp_path: Path) -> None:
    make(smooth(4, 40, 60))
    table = scan().samples
    _, (view, _) = views(table, tmp_path / "store", section_crop(table, 16), 16)
    assert (view.emitted["ms"] == 4 * view.emitted["sample_bin"]).all()


def test_steps_that_are_gone_with_their_file_are_unknown(cube: np.ndarray, scan: Scan, tmp_path: Path) -> None:
    table = scan().samples
    crop = section_crop(table, 16)
    (tmp_path / "a.sgy").unlink()
    told = crop.emit([slice(0, 1), slice(3, 19), slice(0, 16)], {name: v[0] for name, v in crop.numbers(table).items()})
    assert told["crossline_bin"] == 10.5
    assert np.isnan(told["ms"])
    assert np.isnan(told["x_m"])


def test_frequencies_of_views_follow_the_time_that_a_crop_shows(cube: np.ndarray, scan: Scan) -> None:
    """200 ms of a whole section on 16 rows are 12.5 ms apart: too far for Hz. A crop of 16 samples keeps its 4 ms."""
    table = scan().samples
    spec = sections_for(table).for_crop(16).spec
    whole = recipe(RecipeRequest(table, 0, 2, 1, (), spec))
    cut = recipe(RecipeRequest(table, 0, 2, 1, (), spec, crop=16))
    steps = [{step.name: step for step in made.steps}["spectral-band"] for made in (whole, cut)]
    assert [step.interval_ms for step in steps] == [None, 4.0]  # type: ignore[attr-defined]


def test_samples_that_no_crop_fits_are_refused(cube: np.ndarray, scan: Scan) -> None:
    with pytest.raises(UsageError, match="9 neighbouring sections"):
        section_crop(scan(channels=9).samples, 8)
    with pytest.raises(UsageError, match="needs samples of volumes"):
        section_crop(SampleTable.of(pl.DataFrame({"sample": ["a"]})), 8)


def trained(table: Path, out: Path, *more: str) -> int:
    sets = ["encoder.name=small_conv", "train.max_steps=2", "train.batch_size=8", "train.device=cpu", "views.crop=16"]
    words = [word for one in sets for word in ("--set", one)]
    return run(["seismic", "pretrain", str(table), "--out", str(out), *words, *more])


def test_whole_sections_are_trained_on_crops_by_a_rule_on_the_drawn_places(
    cube: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, out = tmp_path / "s.parquet", tmp_path / "run"
    assert run(["seismic", "scan", str(tmp_path / "a.sgy"), "-o", str(table)]) == 0
    assert trained(table, out, "--pairs", "neighbours(m=60, ms=40)", "--set", "data.workers=2") == 0
    opened = Run.open(out)
    assert opened.config.views.crop == 16
    assert opened.preprocess.spec.space == (16, 16)
    assert isinstance(opened.crop, SectionCrop)
    assert set(opened.crop.emitted) > {"ms", "x_m", "y_m"}
    assert run(["seismic", "embed", str(out), str(table), "-o", str(tmp_path / "e.parquet")]) == 0
    assert run(["seismic", "embed", str(out), str(table), "-o", str(tmp_path / "f.parquet"), "--tile"]) == 0
    one, other = (pl.read_parquet(tmp_path / name)["embedding"].to_list() for name in ("e.parquet", "f.parquet"))
    assert len(one) == len(other) == INLINES
    assert not np.allclose(one, other), "the crop at the centre, and the mean of the tiles"
    capsys.readouterr()
    assert trained(table, tmp_path / "no", "--rule", "same(bins('ms', 3))") == 2
    assert "bins('ms', 3, range=(0, 1000))" in capsys.readouterr().err
    assert trained(table, tmp_path / "no", "--set", "views.crop=4") == 2
    assert "views.crop" in capsys.readouterr().err


def test_a_run_of_crops_can_be_opened_where_nothing_was_imported(
    cube: np.ndarray, scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ssl_domains.views.crops import registry

    crop = crop_of(recipe(RecipeRequest(table := scan().samples, 0, 2, 1, (), sections_for(table).spec, crop=16)))
    assert crop is not None
    described = json.loads(json.dumps({"name": crop.name, **crop.to_dict()}))
    monkeypatch.setattr(registry, "_BY_NAME", {})
    import sys

    monkeypatch.delitem(sys.modules, "ssl_domains_seismic.views.section_crop")
    assert crop_from_dict(described).to_dict() == crop.to_dict()


def test_a_domain_that_draws_no_crops_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fisheye", "demo-data", str(tmp_path / "data")]) == 0
    table = tmp_path / "s.parquet"
    assert run(["fisheye", "scan", str(tmp_path / "data"), "-o", str(table)]) == 0
    capsys.readouterr()
    words = ["--set", "views.crop=32", "--set", "train.max_steps=1", "--set", "train.device=cpu"]
    assert run(["fisheye", "pretrain", str(table), "--out", str(tmp_path / "run"), *words]) == 2
    assert "the views of fisheye draw no crops of their own" in capsys.readouterr().err
    assert len(read_table(table)) > 0


LABELLED = ("--label-names", "0=low,1=high", "--blocks", "3x1", "--split-by", "block")


@pytest.mark.slow
def test_masks_of_whole_sections_are_learnt_and_predicted_by_crops(
    cube: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The encoder of crops sees sections as it was trained: never a section squeezed to the size of a crop."""
    classes = (cube > 0).astype(np.uint8)
    np.save(tmp_path / "labels.npy", classes)
    whole, out, tuned = tmp_path / "whole.parquet", tmp_path / "run", tmp_path / "tuned"
    words = ["--labels", str(tmp_path / "labels.npy"), *LABELLED]
    assert run(["seismic", "scan", str(tmp_path / "a.sgy"), "-o", str(whole), *words]) == 0
    assert trained(whole, out) == 0
    capsys.readouterr()
    assert run(["seismic", "probe", str(out), "--masks", "--samples", str(whole), "--alone"]) == 0
    printed = capsys.readouterr().out
    assert "are cut into 112 tiles" in printed, "14 sections of 50 × 30 places: 4 × 2 tiles of 16 each"
    command = ["seismic", "finetune", str(whole), "--from", str(out), "--masks", "--no-scratch", "--out", str(tuned)]
    assert run([*command, "--set", "train.max_steps=6", "--set", "train.device=cpu"]) == 0
    opened = Run.open(tuned)
    assert isinstance(opened.crop, SectionCrop), "views of the fine-tuning are drawn crops"
    table = read_table(whole)
    side = (table.frame["split"] == "train").to_numpy()
    names = set(table.frame["sample"].to_list())
    assert opened.training_samples & names == set(table.frame["sample"].filter(pl.Series(side)).to_list())

    store = ArrayStore.open(tmp_path / "whole.store", SeismicReader())
    model, rows = FineTuned.open(opened), table.take([0, 5])
    tiles = tiles_of(opened.crop, rows, store.of(rows))
    sums = np.zeros((2, 2, SAMPLES, CROSSLINES))
    counts = np.zeros((2, SAMPLES, CROSSLINES))
    net, preprocess = model.module(), opened.preprocess
    for row, (start, stop) in enumerate(zip(tiles.starts, tiles.stops, strict=True)):
        inline = int(rows.frame["region"][int(tiles.sample[row])][0])
        part = cube[inline : inline + 1, start[1] : stop[1], start[2] : stop[2]].astype(np.float32)
        with torch.no_grad():
            scores = net(preprocess(part, {"along": "inline", "survey": "a.sgy"}).values)[0]
        high, wide = stop[2] - start[2], stop[1] - start[1]
        assert (high, wide) == (16, 16)
        sums[tiles.sample[row], :, start[2] : stop[2], start[1] : stop[1]] += scores.numpy()
        counts[tiles.sample[row], start[2] : stop[2], start[1] : stop[1]] += 1
    assert counts.min() == 1
    expected = np.exp(sums / counts[:, None]) / np.exp(sums / counts[:, None]).sum(axis=1, keepdims=True)
    found = dict(model.probability_maps(rows, store, batch_size=3))
    for row in range(2):
        np.testing.assert_allclose(found[row], expected[row], atol=1e-5)
    assert run(["seismic", "predict", str(tuned), str(whole), "-o", str(tmp_path / "predicted")]) == 0


@pytest.mark.slow
def test_masks_of_samples_that_a_crop_shows_whole(
    cube: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "labels.npy", (cube > 0).astype(np.uint8))
    patches, out = tmp_path / "patches.parquet", tmp_path / "run"
    words = ["--labels", str(tmp_path / "labels.npy"), "--patch", "16", *LABELLED]
    assert run(["seismic", "scan", str(tmp_path / "a.sgy"), "-o", str(patches), *words]) == 0
    assert trained(patches, out) == 0
    capsys.readouterr()
    assert run(["seismic", "probe", str(out), "--masks", "--samples", str(patches), "--alone"]) == 0
    printed = capsys.readouterr().out
    assert "frozen encoder" in printed
    assert "tiles" not in printed
    tuned = ["seismic", "finetune", "--from", str(out), "--masks", "--out", str(tmp_path / "tuned"), "--dry-run"]
    assert run([*tuned, str(patches)]) == 0


def test_the_slice_page_shows_an_encoder_of_crops_patches_of_their_size(cube: np.ndarray, scan: Scan) -> None:
    table, crop = scan().samples, SectionCrop(16, ())
    rows = samples_on(table, 20, cube.shape, crop=crop)
    ends = np.array(rows.frame["region"].to_list())
    assert {tuple(sides) for sides in (ends[:, 1::2] - ends[:, ::2]).tolist()} == {(1, 16, 16)}
    assert ((ends[:, 4] <= 20) & (ends[:, 5] > 20)).all()
    assert set(ends[:, 0].tolist()) == set(range(INLINES))
    covered = np.zeros(CROSSLINES, dtype=int)
    for start, stop in ends[ends[:, 0] == 3][:, 2:4].tolist():
        covered[start:stop] += 1
    assert covered.min() >= 1
