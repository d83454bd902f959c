"""Label maps of samples that are no pictures: planes of volumes, by the contract of a preprocess."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slab_world import AXES, SlabReader, SlabWorld, make_slabs, slab_recipe
from ssl_domains.errors import DataError, UsageError
from ssl_domains.evaluation import dense_features, dense_probe_run, dense_targets
from ssl_domains.evaluation.dense_maps import map_places, require_same_shapes
from ssl_domains.finetuning import FineTuned, FineTuneParts, finetune, finetune_config
from ssl_domains.finetuning.measuring.material import mask_material
from ssl_domains.probes import POSITION, DenseFit, run_dense_probe, scored_once
from ssl_domains.stores import MaskStore
from ssl_domains.views import MapPreprocess, SignalPreprocess, map_sides, with_label_maps

FIT = DenseFit(steps=40, batch=8, lr=(0.1,))


@pytest.fixture(scope="module")
def slabs(tmp_path_factory: pytest.TempPathFactory) -> SlabWorld:
    return make_slabs(tmp_path_factory.mktemp("slabs"))


def test_the_sides_of_a_map_are_those_of_its_axes(slabs: SlabWorld) -> None:
    preprocess = slabs.run.map_preprocess
    assert isinstance(preprocess, MapPreprocess)
    shapes = slabs.store.of(slabs.table).shapes()
    sides = map_sides(preprocess, slabs.table, shapes)
    for row, across in enumerate(slabs.table.frame["across"]):
        assert sides[row].tolist() == [shapes[row][axis] for axis in AXES[across]] == [10, 12]
    require_same_shapes(slabs.table, slabs.store, slabs.masks, preprocess)


def test_the_probe_scores_every_labelled_voxel_of_the_test_volumes_once(slabs: SlabWorld) -> None:
    run, table = slabs.run, slabs.table
    test = (table.frame["split"] == "test").to_numpy()
    volumes = table.frame["volume"].to_numpy()
    targets = dense_targets(table, slabs.masks, run.canvas)
    assert (targets.classes, targets.numbers) == (("dark", "bright"), (0, 1))
    targets, note = scored_once(targets, map_places(run.map_preprocess, table, slabs.store), test)
    features = dense_features(run.encoder(), run.preprocess, table, slabs.store, device="cpu")
    result = run_dense_probe(features, targets, volumes, ~test, test, fit=FIT)
    voxels = slabs.labelled_voxels(np.flatnonzero(test))
    for place, volume in enumerate(result.groups):
        labels = [label for at, label in voxels.items() if at[0] == volume]
        assert result.counts[place].sum(axis=1).tolist() == [labels.count(0), labels.count(1)]
    assert result.values()["pixel accuracy"] == pytest.approx(
        np.trace(result.counts.sum(axis=0)) / len(voxels), abs=1e-12
    )
    shown = sum(int((slabs.masks[int(at)] != 255).sum()) for at in slabs.masks.positions(table)[test])
    assert f"{100 * (shown - len(voxels)) / shown:.3g} % of their labelled pixels" in note
    assert result.mean_dice is not None
    assert result.mean_dice > 0.8  # classes are what is bright: a map that stood across would score near a half


def test_the_report_of_a_run_counts_overlaps_once_and_says_so(slabs: SlabWorld) -> None:
    report = dense_probe_run(slabs.run, slabs.masks, table=slabs.table, store=slabs.store, group="volume", fit=FIT)
    assert report.classes == ("dark", "bright")
    accuracy = report.rows[0].values["pixel accuracy"]
    assert accuracy is not None
    voxels = len(slabs.labelled_voxels(np.flatnonzero((slabs.table.frame["split"] == "test").to_numpy())))
    assert round(accuracy * voxels) == pytest.approx(accuracy * voxels, abs=1e-6)  # a share of distinct voxels
    assert any(line.startswith("test samples overlap: ") for line in report.remarks())
    assert len(report.rows[0].per_group[0]) == 2
    arms = [row.arm for row in report.rows]
    assert [arms[0], *arms[-2:]] == ["frozen encoder", "random initialisation", POSITION]
    floor = report.rows[-1].values["pixel accuracy"]
    assert floor is not None
    assert floor < accuracy - 0.2, "classes are what is bright, wherever it lies"


def test_the_probe_alone_has_the_same_scores_of_the_frozen_encoder(slabs: SlabWorld) -> None:
    given: dict[str, Any] = {"table": slabs.table, "store": slabs.store, "group": "volume", "fit": FIT}
    whole = dense_probe_run(slabs.run, slabs.masks, **given)
    alone = dense_probe_run(slabs.run, slabs.masks, **given, alone=True)
    assert [row.arm for row in alone.rows] == ["frozen encoder"]
    assert alone.rows[0].values == whole.rows[0].values


def test_fine_tuning_learns_the_maps_and_gives_them_back_as_they_lie(slabs: SlabWorld, tmp_path: Path) -> None:
    train, test = (np.asarray(slabs.table.rows_of(side)) for side in ("train", "test"))
    part = slabs.table.take(train)
    targets = dense_targets(part, slabs.masks, slabs.run.canvas)
    parts = FineTuneParts(
        part, slabs.store, slab_recipe(1), masks=targets, groups=part.frame["volume"].to_numpy(),
        preprocess=slabs.run.preprocess, start=slabs.run.folder, fit=FIT,
    )  # fmt: skip
    config = finetune_config(slabs.run.config, len(train), segmentation=True, steps=10, batch=8)
    model = FineTuned.open(finetune(config, parts, tmp_path / "run"))
    assert (model.task.background, model.task.channels) == (False, 2)
    right = labelled = 0
    held = slabs.table.take(test)
    for row, found in model.label_maps(held, slabs.store):
        truth = slabs.masks[int(slabs.masks.positions(held)[row])]
        assert found.shape == truth.shape
        assert set(np.unique(found)) <= {0, 1}
        right += int((found == truth)[truth != 255].sum())
        labelled += int((truth != 255).sum())
    assert right / labelled > 0.8


def test_a_comparison_of_fine_tuning_scores_each_voxel_once(slabs: SlabWorld) -> None:
    material = mask_material(
        slabs.table, slabs.store, slabs.masks, slabs.run.map_preprocess, group="volume",
        trained=slabs.run.training_samples,
    )  # fmt: skip
    assert material.targets is not None
    scored = sum(int((material.targets.native[int(row)] != 255).sum()) for row in material.test)
    assert scored == len(slabs.labelled_voxels(material.test))
    training = np.flatnonzero(material.split.train)
    for row in training[:4]:
        at = int(slabs.masks.positions(material.table)[row])
        np.testing.assert_array_equal(material.targets.native[int(row)], slabs.masks[at])
    assert any(note.startswith("test samples overlap") for note in material.notes)


def test_an_unnamed_class_0_is_the_background_and_that_is_said(slabs: SlabWorld) -> None:
    unnamed = replace(slabs.table, meta=replace(slabs.table.meta, options={}))
    report = dense_probe_run(slabs.run, slabs.masks, table=unnamed, store=slabs.store, group="volume", fit=FIT)
    assert report.classes == ("1",)
    assert any("number 0 of the masks has no name: it is the background" in line for line in report.remarks())


def test_masks_of_another_shape_and_other_preprocesses_are_refused(slabs: SlabWorld, tmp_path: Path) -> None:
    class Turned(SlabReader):
        def load_masks(self, path: str, rows: Any) -> Any:
            return [np.ascontiguousarray(mask.T) for mask in super().load_masks(path, rows)]

    turned = MaskStore.fill(tmp_path / "masks", slabs.table, Turned())
    with pytest.raises(DataError, match="another shape than its image: 12 × 10, not 10 × 12"):
        require_same_shapes(slabs.table, slabs.store, turned, slabs.run.map_preprocess)
    with pytest.raises(UsageError, match="the run 'r' was not trained on pictures on a canvas"):
        with_label_maps(SignalPreprocess(channels=1), "the run 'r'")


def test_names_decide_what_0_is(slabs: SlabWorld) -> None:
    canvas = slabs.run.canvas
    assert dense_targets(slabs.table, slabs.masks, canvas, {1: "bright"}).background
    assert dense_targets(slabs.table, slabs.masks, canvas, ["bright"]).numbers == (1,)
    with pytest.raises(DataError, match="without a name: 1"):
        dense_targets(slabs.table, slabs.masks, canvas, {0: "dark", 2: "other"})
    with pytest.raises(DataError, match="from 0 to 254"):
        dense_targets(slabs.table, slabs.masks, canvas, {0: "dark", 1: "bright", 255: "none"})
