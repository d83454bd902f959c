"""Embeddings of runs whose views show crops: of the centre, of the whole, or averaged over tiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

import small_run
from ssl_domains.engine import Run
from ssl_domains.engine.step.encoding import encode_rows
from ssl_domains.errors import UsageError
from ssl_domains.evaluation import embed, embed_rows, probe_run
from ssl_domains.evaluation.dense import dense_probe_run
from ssl_domains.evaluation.dense_maps import map_places, mask_rows
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.probes import DenseFit, scored_once
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import InputDataset, Noise, RandomCrop, TileDataset, Tiling, ViewRecipe, place_mask

CROP = RandomCrop((10, 12), emitted=("y", "x"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, SampleTable, ArrayStore]:
    folder = tmp_path_factory.mktemp("tiles")
    recipe = ViewRecipe((Noise(reason="noise does not matter"),), small_run.SIZE, crop=CROP)
    run = small_run.run(folder / "data", folder / "run", ("train.max_steps=2",), recipe=recipe)
    table = small_run.make_table(folder / "data")
    return run, table, ArrayStore.open(folder / "data" / "store")


def features_of(run: Run, parts: Sequence[Any]) -> np.ndarray:
    """Pooled features of parts of pictures, each preprocessed and encoded alone."""
    encoder = run.encoder()
    with torch.no_grad():
        inputs = [run.preprocess(np.ascontiguousarray(part)) for part in parts]
        assert all(not isinstance(one, tuple) for one in inputs)
        return np.stack([encoder(one.values, one.valid).pooled[0].numpy() for one in inputs])  # type: ignore[union-attr]


def test_without_tiles_the_encoder_sees_the_centre(trained: Any) -> None:
    run, table, store = trained
    frame = embed(run, table, store, batch_size=7)
    expected = features_of(run, [np.load(path)[3:13, 2:14] for path in table.frame["path"]])
    np.testing.assert_allclose(frame["embedding"].to_numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("overlap", "tops", "lefts"),
    [(0.0, (0, 6), (0, 4)), (0.75, (0, 2, 4, 6), (0, 3, 4))],
)
def test_tiles_are_averaged(trained: Any, overlap: float, tops: Sequence[int], lefts: Sequence[int]) -> None:
    run, table, store = trained
    part = table.take(range(6))
    made = [
        embed_rows(
            run.encoder(), run.preprocess, part, store, device="cpu", crop=run.crop, tiling=Tiling(overlap),
            batch_size=batch_size, workers=workers,
        )
        for batch_size, workers in ((5, 0), (256, 0), (5, 2))
    ]  # fmt: skip
    for row, path in enumerate(part.frame["path"]):
        array = np.load(path)
        tiles = [array[top : top + 10, left : left + 12] for top in tops for left in lefts]
        expected = features_of(run, tiles).astype(np.float64).mean(axis=0)
        np.testing.assert_allclose(made[0][row], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(made[1], made[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(made[2], made[0])


def test_the_kept_embeddings_are_those_of_the_same_tiling(trained: Any) -> None:
    run, table, store = trained
    counted: list[int] = []

    def count(done: int, of: int) -> None:
        counted.append(of)

    centre = embed(run, table, store, progress=count)
    counted.clear()
    tiled = embed(run, table, store, tiling=Tiling(), progress=count)
    assert set(counted) == {4 * len(table)}  # tiles
    assert not tiled.equals(centre)
    counted.clear()
    assert embed(run, table, store, tiling=Tiling(), progress=count).equals(tiled)
    assert counted == []
    embed(run, table, store, tiling=Tiling(0.5), progress=count)
    assert counted
    assert embed(run, table, store).equals(centre)


def test_a_probe_says_what_the_encoders_see(trained: Any) -> None:
    run, table, store = trained
    halves = ["train" if number % 4 < 2 else "test" for number in range(small_run.PATIENTS)]
    split = [halves[int(patient[1:])] for patient in table.frame["patient"]]
    table = SampleTable(table.frame.with_columns(pl.Series("split", split)), table.meta)
    report = probe_run(run, "site", table=table, store=store, group="patient", tiling=Tiling(0.25))
    assert "features are means over tiles that cover the sample, overlapping by 25 % of their length" in report.notes
    centre = probe_run(run, "site", table=table, store=store, group="patient")
    assert "the encoders see the centre of a sample; --tile shows all of it" in centre.notes


def test_few_long_recordings_are_encoded_at_a_time(tmp_path: Path) -> None:
    class Waves:
        name, columns, spec = "waves of a test", (), InputSpec("wave", 1, (None,))

        def __call__(self, array: Any, facts: Any = None) -> Input:
            return Input(torch.from_numpy(array.reshape(1, 1, -1).astype(np.float32)), None, "wave", (0,))

        def to_dict(self) -> dict[str, Any]:
            return {}

    for number, length in enumerate((10, 1 << 17, 20)):
        np.save(tmp_path / f"{number}.npy", np.zeros((length, 1, 1), dtype=np.uint8))
    paths = [str(tmp_path / f"{number}.npy") for number in (0, 1, 2, 1, 1, 0)]
    table = SampleTable(pl.DataFrame({"sample": list("abcdef"), "path": paths}))
    store = ArrayStore.fill(tmp_path / "store", table, small_run.NpyReader())
    data = InputDataset(table, store, Waves(), crop=RandomCrop(1 << 18))
    assert data.most_at_once == 4
    assert TileDataset(InputDataset(table, store, Waves(), crop=RandomCrop(1 << 10)), Tiling()).most_at_once == 512
    sizes: list[int] = []
    done = encode_rows(nn.Identity(), data, lambda _, x: sizes.append(len(x)), device=torch.device("cpu"))  # type: ignore[arg-type]
    assert len(list(done)) == 2
    assert sizes == [4, 2]


def test_tiles_without_a_crop_are_refused(trained: Any, tmp_path: Path) -> None:
    run, table, store = trained
    with pytest.raises(UsageError, match="tiles have the size of a crop"):
        embed_rows(run.encoder(), run.preprocess, table, store, device="cpu", tiling=Tiling())


class Masks:
    """A mask for each picture of a table, by its row."""

    def __init__(self, masks: list[np.ndarray]) -> None:
        self.masks = masks

    def positions(self, table: SampleTable) -> np.ndarray:
        numbers = [Path(path).stem.split("-") for path in table.frame["path"]]
        return np.array([int(patient) * small_run.EACH + int(visit) for patient, visit in numbers])

    def __getitem__(self, position: int) -> np.ndarray:
        return self.masks[position]

    def shape(self, position: int) -> tuple[int, ...]:
        return self.masks[position].shape


def masks_of(table: SampleTable) -> Any:
    pictures = [np.load(path)[:, :, 0] for path in table.frame["path"]]
    return Masks([(picture > np.median(picture)).astype(np.uint8) * 3 for picture in pictures])


def test_masks_of_large_samples_are_cut_as_the_tiles_are(trained: Any) -> None:
    run, table, store = trained
    masks = masks_of(table)
    seen = mask_rows(run.crop, run.map_preprocess, table, store, masks, {3: "bright"})
    assert np.bincount(seen.sample).tolist() == [4] * len(table), "10 × 12 of 16 × 16 places"
    assert f"cut into {4 * len(table)} tiles" in seen.note
    arrays = store.of(seen.table)
    corners = [(top, left) for top in (0, 6) for left in (0, 4)]
    for row, sample in enumerate(seen.sample.tolist()):
        top, left = corners[row % 4]
        part = masks[masks.positions(table)[sample]][top : top + 10, left : left + 12]
        np.testing.assert_array_equal(seen.targets.native[row], (part == 3).astype(np.uint8))
        assert seen.targets.native.shape(row) == (10, 12)
        np.testing.assert_array_equal(seen.targets.placed[row], place_mask(run.canvas, (part == 3).astype(np.uint8)))
        np.testing.assert_array_equal(
            arrays[row], np.load(table.frame["path"][sample])[top : top + 10, left : left + 12]
        )
    places = map_places(run.map_preprocess, seen.table, store)
    once, note = scored_once(seen.targets, places, np.ones(len(seen.sample), dtype=np.bool_))
    assert "overlap" in note
    for sample in range(len(table)):
        counted = sum(int((once.native[row] != 255).sum()) for row in range(4 * sample, 4 * sample + 4))
        assert counted == 16 * 16, "each pixel is scored in one tile"
    few = once.native[np.array([5, 2])]
    np.testing.assert_array_equal(few[0], once.native[5])


def test_a_dense_probe_of_a_run_of_crops(trained: Any) -> None:
    run, table, store = trained
    halves = ["train" if number % 4 < 2 else "test" for number in range(small_run.PATIENTS)]
    split = [halves[int(patient[1:])] for patient in table.frame["patient"]]
    table = SampleTable(table.frame.with_columns(pl.Series("split", split)), table.meta)
    report = dense_probe_run(
        run, masks_of(table), table=table, store=store, group="patient", names={3: "bright"}, alone=True,
        fit=DenseFit(steps=40, lr=(0.03,)),
    )  # fmt: skip
    (row,) = report.rows
    assert row.labels == 4 * split.count("train")
    assert row.tested == 4 * split.count("test")
    assert row.values["mean Dice"] is not None
    assert row.values["mean Dice"] > 0.6, "the brightness of a pixel is its class"
    assert any("tiles" in note for note in report.notes)
    assert any("test samples overlap" in note for note in report.notes)


def test_a_crop_across_the_plane_of_a_mask_is_refused(trained: Any) -> None:
    run, table, store = trained

    class Upright:
        """Maps stand along the first and the last axis; the crop cuts the one in the middle."""

        canvas = run.canvas

        def map_axes(self, shape: Sequence[int], facts: Any = None) -> tuple[int, int]:
            return 0, 2

    masks: Any = Masks([mask[:, :1] for mask in masks_of(table).masks])
    with pytest.raises(UsageError, match="across the plane of their masks"):
        mask_rows(run.crop, Upright(), table, store, masks, {3: "bright"})


def test_a_command_asks_for_tiles(trained: Any) -> None:
    from ssl_domains.cli.work.tiling import tiling_of

    assert tiling_of(True, 0.5) == Tiling(0.5)
    assert tiling_of(False, 0.0) is None
    with pytest.raises(UsageError, match="--overlap is for --tile"):
        tiling_of(False, 0.5)


def test_a_sample_of_any_size_is_read_tile_by_tile(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _, _ = trained
    array = np.random.default_rng(0).integers(0, 255, (200, 120, 1), dtype=np.uint8)
    np.save(tmp_path / "large.npy", array)
    table = SampleTable(pl.DataFrame({"sample": ["large"], "path": [str(tmp_path / "large.npy")]}))
    store = ArrayStore.fill(tmp_path / "store", table, small_run.NpyReader())
    sizes: list[int] = []
    encode: Callable[..., Any] = type(run.preprocess).compact

    def compact(self: Any, array: Any, *rest: Any, **options: Any) -> Any:
        sizes.append(array.size)
        return encode(self, array, *rest, **options)

    monkeypatch.setattr(type(run.preprocess), "compact", compact)
    made = embed_rows(
        run.encoder(), run.preprocess, table, store, device="cpu", crop=run.crop, tiling=Tiling(), batch_size=16
    )
    assert sizes == [120] * 200
    tiles = [array[y : y + 10, x : x + 12] for y in range(0, 200, 10) for x in range(0, 120, 12)]
    monkeypatch.undo()
    np.testing.assert_allclose(made[0], features_of(run, tiles).mean(axis=0), rtol=1e-4, atol=1e-5)
