"""From a part of a volume to a picture: how it stands, the clip, holes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.inputs import Input
from ssl_domains.samples import SampleTable, ScanResult
from ssl_domains.stores import ArrayStore
from ssl_domains.views import InputDataset, extended, preprocess_from_dict, preprocess_to_dict
from ssl_domains.views.sample_inputs import SampleInputs
from ssl_domains_seismic.preprocess import SectionPreprocess, _rows_to_fit, picture_of, sections_for
from ssl_domains_seismic.reader import SeismicReader
from ssl_domains_seismic.report.thumbnail import thumbnail

from .conftest import grid_words, smooth

Make = Callable[..., Path]
Scan = Callable[..., ScanResult]


def fitted(table: SampleTable, folder: Path) -> tuple[SectionPreprocess, ArrayStore]:
    store = ArrayStore.fill(folder / "store", table, SeismicReader())
    return sections_for(table).fit(table, store), store


def test_time_points_down_and_a_time_slice_has_inlines_down() -> None:
    volume = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    np.testing.assert_array_equal(picture_of(volume[1:2], "inline")[:, :, 0], volume[1].T)
    np.testing.assert_array_equal(picture_of(volume[:, 1:2], "crossline")[:, :, 0], volume[:, 1].T)
    np.testing.assert_array_equal(picture_of(volume[:, :, 2:3], "depth")[:, :, 0], volume[:, :, 2])
    np.testing.assert_array_equal(picture_of(volume, "inline")[:, :, 1], volume[1].T)
    with pytest.raises(DataError):
        picture_of(volume, "up")


@pytest.mark.parametrize("code", [5, 3, 8])
def test_the_clip_is_symmetric_and_zero_is_a_half(make: Make, scan: Scan, tmp_path: Path, code: int) -> None:
    cube = np.rint(smooth(8, 8, 32) / 40)
    cube[0, 0] = 0
    make(cube, code=code)
    table = scan(along="inline", patch="8").samples
    preprocess, store = fitted(table, tmp_path)
    clip = float(np.percentile(np.abs(cube), 99.5))
    assert preprocess.scaling.window("a.sgy") == pytest.approx((-clip, clip))
    made = preprocess(cube[:1, :, :8].astype(np.float32))
    assert made.values.shape == (1, 1, 8, 8)
    expected = np.clip(cube[0, :, :8].T / (2 * clip) + 0.5, 0, 1)
    np.testing.assert_allclose(made.values[0, 0].numpy(), expected, atol=1e-6)
    assert (made.values[0, 0, :, 0] == 0.5).all()
    np.testing.assert_array_equal(made.values, InputDataset(table, store, preprocess)[0]["input"].values)


def test_the_clip_is_fitted_on_training_rows_and_not_on_holes(make: Make, scan: Scan, tmp_path: Path) -> None:
    cube = np.full((8, 8, 16), 10.0, np.float32)
    cube[4:] = 1000
    kept = [k for k in range(64) if not (k // 8 < 4 and k % 8 < 3)]
    make(cube.reshape(64, 16)[kept], [grid_words(range(8), range(8))[k] for k in kept])
    table = scan(along="inline").samples
    table = table.with_columns(split=["train"] * 4 + ["test"] * 4)
    preprocess, _ = fitted(table, tmp_path)
    assert preprocess.scaling.window("a.sgy") == (
        -10,
        10,
    )  # with the zeros of holes, a low percentile would be below it
    counted = preprocess.scaling.fitted_on["a.sgy"]
    assert counted[0] == 4 * 5 * 16


def test_each_survey_has_a_clip_of_its_own_data(make: Make, scan: Scan, tmp_path: Path) -> None:
    """One survey is in other units than the other; its hole, dead trace and NaN have no part in its clip."""
    cube = smooth(8, 8, 32)
    make(cube, name="a.sgy")
    other = 1e-4 * cube
    other[1, 2], other[2, 3, 5] = 1e9, np.nan
    words = [{**w, 29: 2 if k == 10 else 1} for k, w in enumerate(grid_words(range(8), range(8)))]
    make(other.reshape(64, 32)[:-3], words[:-3], name="b.sgy")
    table = scan(along="inline", patch="8").samples
    preprocess, store = fitted(table, tmp_path)
    assert preprocess.columns == ("along", "survey")
    live = np.delete(other.reshape(64, 32)[:-3], 10, axis=0)
    clips = {"a.sgy": np.percentile(np.abs(cube), 99.5), "b.sgy": np.nanpercentile(np.abs(live), 99.5)}
    assert preprocess.scaling.windows == {name: pytest.approx((-clip, clip)) for name, clip in clips.items()}
    assert preprocess.fitted == (
        f"clip of a.sgy: ±{clips['a.sgy']:.4g} (99.5th percentile of the amplitudes of 2,048 of 2,048 samples)",
        f"clip of b.sgy: ±{clips['b.sgy']:.4g} (99.5th percentile of the amplitudes of 1,919 of 2,048 samples)",
    )
    inputs = InputDataset(table, store, preprocess)
    rows = {name: table.frame["survey"].to_list().index(name) for name in clips}
    one, two = (inputs[rows[name]]["input"].values for name in clips)
    expected = np.clip(cube[0, :, :8].T / (2 * clips["a.sgy"]) + 0.5, 0, 1)
    np.testing.assert_allclose(one[0, 0].numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(one.numpy(), two.numpy(), atol=0.05)


def test_a_new_survey_gets_its_clip_when_its_table_is_embedded(make: Make, scan: Scan, tmp_path: Path) -> None:
    cube = smooth(8, 8, 32)
    make(cube, name="a.sgy")
    known = scan(patch="8").samples
    preprocess, _ = fitted(known, tmp_path / "first")
    make(5 * cube, name="b.sgy")
    make(cube, name="a.sgy", words=grid_words(range(8), range(8)))
    table = scan(patch="8").samples
    store = ArrayStore.fill(tmp_path / "second", table, SeismicReader())
    with pytest.raises(DataError, match="no window was fitted for this survey"):
        preprocess.require(table, store)
    wider = extended(preprocess, table, store)
    assert isinstance(wider, SectionPreprocess)
    low, high = preprocess.scaling.windows["a.sgy"]
    assert wider.scaling.windows == {"a.sgy": (low, high), "b.sgy": pytest.approx((5 * low, 5 * high))}
    wider.require(table, store)
    assert extended(wider, table, store) == wider
    with pytest.raises(DataError, match="survey"):
        wider(cube[:1, :8, :8])
    values = wider(5 * cube[:1, :8, :8], {"along": "inline", "survey": "b.sgy"}).values
    np.testing.assert_allclose(values.numpy(), preprocess(cube[:1, :8, :8]).values.numpy(), atol=1e-6)


def test_a_few_thousand_samples_are_read_for_the_clips_of_any_number_of_surveys(
    make: Make, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ssl_domains_seismic.preprocess._MOST_ROWS", 20)
    monkeypatch.setattr("ssl_domains_seismic.preprocess._LEAST_ROWS", 4)
    for name in ("a.sgy", "b.sgy", "c.sgy"):
        make(smooth(8, 8, 32), name=name)
    table = scan(patch="4").samples
    rows = _rows_to_fit(table, {"b.sgy"})
    assert table.frame["survey"].gather(rows).value_counts().sort("survey").rows() == [("a.sgy", 10), ("c.sgy", 10)]
    split = ["train" if k % 2 else None for k in range(len(table))]
    split = [None if name == "c.sgy" else side for name, side in zip(table.frame["survey"], split, strict=True)]
    chosen = table.with_columns(split=split)
    rows = _rows_to_fit(chosen, set())
    assert chosen.take(rows).frame.group_by("survey", "split").len().sort("survey").rows() == [
        ("a.sgy", "train", 6), ("b.sgy", "train", 6), ("c.sgy", None, 6),
    ]  # fmt: skip


def test_the_clip_of_an_earlier_run_is_that_of_all_surveys(make: Make, scan: Scan, tmp_path: Path) -> None:
    cube = smooth(8, 8, 32)
    make(cube)
    table = scan(patch="8").samples
    store = ArrayStore.fill(tmp_path / "store", table, SeismicReader())
    declared = {"scope": "survey", "lo": None, "hi": None, "percentiles": [0.5, 99.5], "group": None}
    scaling = {"scaling": declared, "windows": {"": [-100, 100]}, "types": {}, "fitted_on": {"": [10, 20]}}
    kept = {"name": "seismic-section", "scaling": scaling, "size": 8, "channels": 1}
    preprocess = preprocess_from_dict(kept)
    assert extended(preprocess, table, store) == preprocess
    values = preprocess(cube[:1, :8, :8], {"along": "inline"}).values[0, 0].numpy()  # type: ignore[union-attr]
    np.testing.assert_allclose(values, np.clip(cube[0, :, :8].T / 200 + 0.5, 0, 1), atol=1e-6)


def test_holes_are_a_half_and_not_valid(make: Make, scan: Scan, tmp_path: Path) -> None:
    cube = smooth(4, 8, 8)
    make(cube.reshape(32, 8)[:-3], grid_words(range(4), range(8))[:-3])
    table = scan(along="inline", patch="8").samples
    preprocess, store = fitted(table, tmp_path)
    batch = InputDataset(table, store, preprocess).__getitems__([0, 3])["input"]
    assert batch.valid is not None
    assert batch.valid[0].all()
    assert batch.valid[1, 0].any(dim=0).tolist() == [True] * 5 + [False] * 3
    assert (batch.values[1, 0, :, 5:] == 0.5).all()
    assert torch.isfinite(batch.values).all()


def test_size_and_channels_are_those_of_the_table(make: Make, scan: Scan, tmp_path: Path) -> None:
    make(smooth(6, 8, 40))
    assert sections_for(scan(patch="8").samples).size == 8
    assert sections_for(scan(patch="8x4").samples).size == 8
    assert sections_for(scan(along="depth,inline").samples).size == 128
    stacked = scan(along="inline", channels=3, patch="8").samples
    preprocess, store = fitted(stacked, tmp_path)
    assert preprocess.spec.channels == 3
    values = InputDataset(stacked, store, preprocess)[0]["input"].values
    assert values.shape == (1, 3, 8, 8)
    with pytest.raises(DataError, match="3 channels, the encoder takes 1"):
        SectionPreprocess(preprocess.scaling, 8, 1).require(stacked, store)


def test_samples_of_differing_channels_are_refused(make: Make, scan: Scan) -> None:
    make(smooth(6, 8, 40))
    one, three = scan(along="inline").samples, scan(along="crossline", channels=3).samples
    both = SampleTable(one.frame.vstack(three.frame.select(one.columns)))
    with pytest.raises(DataError, match="1 to 3 sections"):
        sections_for(both)


def test_a_preprocess_read_back_is_the_same(make: Make, scan: Scan, tmp_path: Path) -> None:
    make(smooth(6, 8, 40))
    preprocess, _ = fitted(scan(patch="8").samples, tmp_path)
    written = json.loads(json.dumps(preprocess_to_dict(preprocess)))
    assert preprocess_from_dict(written) == preprocess


def test_an_array_that_does_not_show_its_axis(make: Make, scan: Scan, tmp_path: Path, cube: NDArray[Any]) -> None:
    make(cube)
    preprocess, _ = fitted(scan(patch="8").samples, tmp_path)
    with pytest.raises(DataError) as caught:
        preprocess(cube[:2, :8, :8])
    assert "along" in caught.value.hint
    preprocess(cube[:1, :8, :8], {"along": "inline"})


def test_thumbnails_have_zero_in_the_middle_grey(cube: NDArray[Any]) -> None:
    cube -= cube.mean()
    cube[:, 3] = 0
    made = thumbnail(cube[2:3], {"along": "inline"})
    assert made.dtype == np.uint8
    assert made.shape == (40, 8, 1)
    assert set(made[:, 3, 0].tolist()) == {127}
    assert made.min() < 64 < 192 < made.max()


@pytest.mark.parametrize(("value", "refused"), [(0.0, True), (np.nan, True), (1.0, False)])
def test_surveys_without_amplitudes_are_refused(
    make: Make, scan: Scan, tmp_path: Path, value: float, refused: bool
) -> None:
    """The clip of a class volume of 0 and 1 may really be 1; that of a survey of zeros or NaN is not known."""
    cube = np.full((6, 8, 40), value, np.float32)
    make(cube)
    table = scan(patch="8").samples
    if refused:
        with pytest.raises(DataError, match="none of 30 training samples has an amplitude other than 0"):
            fitted(table, tmp_path)
        cube[4, 2, 3] = 5.0
        make(cube)
        shutil.rmtree(tmp_path / "store")
    fitted(scan(patch="8").samples, tmp_path)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("stacks", [None, "near,far"])
def test_a_batch_has_the_bits_of_its_samples(
    make: Make, scan: Scan, tmp_path: Path, channels: int, stacks: str | None
) -> None:
    """Of all axes, two surveys with clips of their own, holes and numbers that are none."""
    for number, name in enumerate(("near-1.sgy", "far-1.sgy", "near-2.sgy", "far-2.sgy")):
        cube = (1 + number) * smooth(9, 10, 24, number)
        cube[4, 4, 3] = np.nan
        make(cube.reshape(90, 24)[: 90 - 3 * number], grid_words(range(9), range(10))[: 90 - 3 * number], name=name)
    table = scan(along="inline,crossline,depth", patch="8", channels=channels, stacks=stacks, live=0.1).samples
    preprocess, store = fitted(table, tmp_path)
    assert len(preprocess.scaling.windows) == (4 if stacks is None else 2)
    made, rows = SampleInputs(table, store, preprocess), np.random.default_rng(0).permutation(len(table)).tolist()
    shapes = {made.shape(row) for row in rows}
    assert len(shapes) == 3
    some_masked = False
    for shape in sorted(shapes):
        same = [row for row in rows if made.shape(row) == shape]
        batch = made._many_together(same, None)
        assert batch is not None
        alone = Input.cat([made(row)[0] for row in same])
        assert torch.equal(batch.values, alone.values)
        assert torch.equal(batch.with_valid(), alone.with_valid())
        some_masked |= batch.valid is not None
    assert some_masked
    (mixed,) = made.together(rows[:20])
    assert torch.equal(mixed.values, torch.cat([made(row)[0].values for row in rows[:20]]))


def test_square_cubes_of_both_directions_are_one_batch(make: Make, tmp_path: Path, scan: Scan) -> None:
    """Samples of equal shape that lie along different axes are turned each in its own way."""
    make(smooth(9, 9, 9))
    table = scan(along="inline,crossline,depth", patch="3", channels=3).samples
    preprocess, store = fitted(table, tmp_path)
    made = SampleInputs(table, store, preprocess)
    rows = np.random.default_rng(0).permutation(len(table)).tolist()
    batch = made._many_together(rows, None)
    assert batch is not None
    assert torch.equal(batch.values, torch.cat([made(row)[0].values for row in rows]))
