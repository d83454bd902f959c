"""Probing, fine-tuning and predicting facies of seismic samples: label maps lie, move and are scored as they should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from ssl_domains.cli.work.tables import require_masks
from ssl_domains.engine import Parts, Run, load_config, pretrain
from ssl_domains.errors import DataError, UsageError
from ssl_domains.evaluation import dense_features, dense_targets
from ssl_domains.evaluation.dense_maps import map_places, require_same_shapes
from ssl_domains.extending import RecipeRequest
from ssl_domains.finetuning import FineTuned, FineTuneParts, finetune, finetune_config
from ssl_domains.inputs import Input
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import Composition, Objective
from ssl_domains.prediction import predict
from ssl_domains.probes import DenseFit, run_dense_probe, scored_once
from ssl_domains.samples import SampleTable, ScanResult
from ssl_domains.stores import ArrayStore, MaskStore
from ssl_domains.views import Geometric, HorizontalFlip, LabelMaps, ViewRecipe, map_sides
from ssl_domains_seismic.domain import SEISMIC
from ssl_domains_seismic.preprocess import picture_of, sections_for
from ssl_domains_seismic.reader import SeismicReader
from ssl_domains_seismic.views import recipe

from .conftest import smooth

Make = Callable[..., Path]
Scan = Callable[..., ScanResult]
FIT = DenseFit(steps=80, batch=16, lr=(0.1,))
SIDE = 16


@dataclass(frozen=True)
class World:
    """Patches along both directions of one cube, and its labels: 0 where there is noise, 1 where there is a wave."""

    table: SampleTable
    store: ArrayStore
    masks: MaskStore
    labels: NDArray[np.uint8]
    run: Run


def facies(shape: tuple[int, int, int], *, holes: bool = True) -> NDArray[np.uint8]:
    """Layers of two kinds that dip along both lines; with holes, a tenth of the voxels has no label."""
    i, x, t = np.indices(shape)
    label = ((t + i // 4 + x // 6) // 10 % 2).astype(np.uint8)
    if holes:
        label[np.random.default_rng(1).uniform(size=shape) < 0.1] = 255
    return label


@pytest.fixture
def world(make: Make, scan: Scan, tmp_path: Path) -> World:
    shape = (24, 36, 40)
    labels = facies(shape)
    wave = 1000 * np.cos(2 * np.pi * np.arange(shape[2]) / 8) * (facies(shape, holes=False) == 1)
    make((wave + np.random.default_rng(2).normal(0, 40, shape)).astype(np.float32))
    found = scan(along="inline,crossline", patch=str(SIDE), stride="10", every=3)
    np.save(tmp_path / "labels.npy", labels)  # after the scan, which reads every volume of the folder
    frame = found.samples.frame.with_columns(
        mask_path=pl.lit(str(tmp_path / "labels.npy")),
        part=pl.when(pl.col("crossline_bin") < 20).then(pl.col("inline_bin") // 8).otherwise(9.0),
    )
    frame = frame.with_columns(split=pl.when(pl.col("part") == 9).then(pl.lit("test")).otherwise(pl.lit("train")))
    meta = replace(found.samples.meta, options={**found.samples.meta.options, "mask_names": "0=weak,1=strong"})
    table = SampleTable(frame, meta)
    store = ArrayStore.fill(tmp_path / "store", table, SeismicReader())
    masks = MaskStore.fill(tmp_path / "masks", table, SeismicReader())
    training = table.take(np.asarray(table.rows_of("train")))
    source = sections_for(training)
    assert source.size == SIDE
    settings = (
        "encoder.name=small_conv", "train.max_steps=3", "train.batch_size=16", "train.device=cpu", "head.hidden=16",
        "head.out=8",
    )  # fmt: skip
    made = recipe(RecipeRequest(training, 0, 2, 1, (), source.spec))
    parts = Parts(training, store, Objective(), Composition(), made, None, SimCLR, preprocess=source)
    return World(table, store, masks, labels, pretrain(load_config(sets=settings), parts, tmp_path / "run"))


def voxels(table: SampleTable, rows: NDArray[Any]) -> list[tuple[int, int, int]]:
    """The voxels that the pixels of some samples show, one by one, samples of one section each."""
    shown = []
    for region in table.take(rows).frame["region"].to_list():
        i0, i1, x0, x1, t0, t1 = region
        shown += [(i, x, t) for i in range(i0, i1) for x in range(x0, x1) for t in range(t0, t1)]
    return shown


def test_each_labelled_voxel_of_the_test_samples_is_scored_once(world: World) -> None:
    table, run = world.table, world.run
    test = (table.frame["split"] == "test").to_numpy()
    require_same_shapes(table, world.store, world.masks, run.map_preprocess)
    targets = dense_targets(table, world.masks, run.canvas)
    assert targets.classes == ("weak", "strong")
    targets, note = scored_once(targets, map_places(run.map_preprocess, table, world.store), test)
    shown = voxels(table, np.flatnonzero(test))
    distinct = [at for at in set(shown) if world.labels[at] != 255]
    assert len(distinct) < 0.8 * sum(world.labels[at] != 255 for at in shown)  # they overlap, in both ways
    assert note.startswith("test samples overlap")
    features = dense_features(run.encoder(), run.preprocess, table, world.store, device="cpu")
    groups = table.frame["part"].to_numpy()
    result = run_dense_probe(features, targets, groups, ~test, test, fit=FIT)
    truth = [int(world.labels[at]) for at in distinct]
    assert result.counts.sum(axis=(0, 2)).tolist() == [truth.count(0), truth.count(1)]
    assert result.values()["pixel accuracy"] == pytest.approx(np.trace(result.counts[0]) / len(distinct))
    assert result.values()["pixel accuracy"] > 0.7  # a map that stood across would score near a half


@pytest.mark.parametrize(("along", "channels"), [("inline", 3), ("crossline", 1), ("depth", 5)])
def test_a_map_has_the_sides_of_the_picture_and_lies_in_the_middle_section(
    make: Make, scan: Scan, tmp_path: Path, along: str, channels: int
) -> None:
    shape = (12, 14, 20)
    make(smooth(*shape))
    number = np.arange(np.prod(shape)).reshape(shape)  # the number of each voxel
    table = scan(along=along, patch="8x6", channels=channels).samples
    store = ArrayStore.fill(tmp_path / "store", table, SeismicReader())
    preprocess = sections_for(table).fit(table, store)
    sides = map_sides(preprocess, table, store.of(table).shapes())
    assert sides.tolist() == [[8, 6]] * len(table)
    places = map_places(preprocess, table, store)
    assert places is not None
    for row, region in enumerate(table.frame["region"].to_list()):
        i0, i1, x0, x1, t0, t1 = region
        part = picture_of(number[i0:i1, x0:x1, t0:t1], along)[:, :, channels // 2]
        low, (down, right) = places.low[row].tolist(), places.axes[row].tolist()
        for pixel in ((0, 0), (7, 0), (3, 5), (7, 5)):
            at = low[:3]
            at[down] += pixel[0]
            at[right] += pixel[1]
            assert part[pixel] == number[tuple(at)]


def test_label_maps_move_through_the_views_as_the_pictures_do(make: Make, scan: Scan) -> None:
    """Picture and map hold the same ramp: after all steps that move pixels they still do, and 255 stays 255."""
    make(smooth(40, 40, 64))
    table = scan(along="inline", patch="32").samples
    whole = recipe(RecipeRequest(table, 0, 2, 1, (), sections_for(table).spec))
    moving = tuple(step for step in whole.steps if isinstance(step, Geometric))
    assert [step.name for step in moving] == ["time-shift", "dip", "crop", "horizontal-flip"]
    sure = tuple(replace(step, p=1.0) if not isinstance(step, HorizontalFlip) else step for step in moving[:2])
    made = ViewRecipe((*sure, *moving[2:]), 32, 2)
    number, size = 24, 32
    ramp = np.indices((size, size)).sum(axis=0)  # 0 to 62, along time and along the line
    labels = np.repeat(ramp[None], number, axis=0).astype(np.uint8)
    labels[:, 10:13, 20:23] = 255
    pictures = torch.from_numpy(np.repeat(ramp[None, None] / 62, number, axis=0).astype(np.float32))
    beside = LabelMaps(labels)(torch.arange(number))
    views = made.views_of(Input(pictures, None, "image"), beside, seed=3, step=5, slots=torch.arange(number))
    moved = ignored = 0
    for view in views:
        values, valid = view.input.values[:, 0].numpy() * 62, view.input.with_valid()[:, 0].numpy()
        found = view.beside[0].values[:, 0].numpy()
        assert (found[~valid] == 255).all()  # what comes from outside the picture has no label
        kept = valid & (found != 255)
        assert np.abs(values - found)[kept].max() <= 1.1  # half a pixel along each side, and the interpolation
        assert ((found == 255) & valid).any()
        moved += int((np.abs(found.astype(int) - ramp) > 2)[kept].sum())
        ignored += int((~valid).sum())
    assert moved > 0.3 * 2 * number * size * size
    assert ignored > 0


def test_fine_tuned_facies_come_back_on_the_section_and_as_pictures(world: World, tmp_path: Path) -> None:
    train, test = (np.asarray(world.table.rows_of(side)) for side in ("train", "test"))
    part = world.table.take(train)
    parts = FineTuneParts(
        part, world.store, recipe(RecipeRequest(part, 0, 1, 1, (), world.run.preprocess.spec)),
        masks=dense_targets(part, world.masks, world.run.canvas), groups=part.frame["part"].to_numpy(),
        preprocess=world.run.preprocess, start=world.run.folder, fit=FIT,
    )  # fmt: skip
    config = finetune_config(world.run.config, len(train), segmentation=True, steps=8, batch=16)
    run = finetune(config, parts, tmp_path / "tuned")
    held = world.table.take(test)
    right = across = known = 0
    maps = dict(FineTuned.open(run).label_maps(held, world.store))
    for row, region in enumerate(held.frame["region"].to_list()):
        i0, i1, x0, x1, t0, t1 = region
        truth = picture_of(world.labels[i0:i1, x0:x1, t0:t1], held.frame["along"][row])[:, :, 0]
        assert maps[row].shape == truth.shape == (SIDE, SIDE)
        right += int((maps[row] == truth)[truth != 255].sum())
        across += int((truth == maps[row].T)[truth != 255].sum())
        known += int((truth != 255).sum())
    assert right / known > across / known + 0.15  # the maps stand as the sections do
    few = held.take(np.arange(3))
    predict(FineTuned.open(run), few, world.store, tmp_path / "out")
    index = pl.read_csv(tmp_path / "out" / "index.csv")
    assert {"pixels_weak", "pixels_strong"} <= set(index.columns)
    for row, name in enumerate(index["predicted_mask"]):
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out" / name)), maps[row])


def test_a_table_without_masks_is_refused_with_the_command_that_scans_them(world: World) -> None:
    frame = world.table.frame.drop("mask_path")
    meta = replace(world.table.meta, options={"split_by": "block"})
    with pytest.raises(UsageError, match="the sample table names no masks") as caught:
        require_masks(SEISMIC, SampleTable(frame, meta))
    assert caught.value.hint == "ssl-domains seismic scan SOURCE -o SAMPLES2 --labels FOLDER --split-by block"
    require_masks(SEISMIC, world.table)


def test_a_row_without_an_axis_is_refused(world: World) -> None:
    preprocess: Any = world.run.preprocess
    assert preprocess.map_axes((1, 8, 6)) == (2, 1)
    assert preprocess.map_axes((4, 8, 6), {"along": "depth"}) == (0, 1)
    with pytest.raises(DataError, match="doesn't show its axis"):
        preprocess.map_axes((4, 8, 6), {"along": None})
    with pytest.raises(DataError, match="a sample along 'time'"):
        preprocess.map_axes((4, 8, 6), {"along": "time"})
