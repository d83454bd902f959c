"""Dense probe of a run on the small world: the mask of a picture is where its bar is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from ssl_domains.encoders import feature_levels
from ssl_domains.errors import DataError
from ssl_domains.evaluation import (
    MASKS,
    RANDOM,
    dense_features,
    dense_probe_run,
    dense_targets,
    read_probe_reports,
)
from ssl_domains.probes import DenseFit, label_draws, run_dense_probe
from ssl_domains.probes.overlap import POOLED
from ssl_domains.samples import ReadError, SampleTable
from ssl_domains.stores import MaskStore
from ssl_domains.views import Canvas
from stack_reader import StackReader

FIT = DenseFit(steps=30, batch=8, lr=(0.1,))


class BarMasks(StackReader):
    """Class 1 where a picture's bar lies across, 2 where it lies along; the third sample has no mask that opens."""

    def load_mask(self, row: Mapping[str, Any]) -> np.ndarray:
        return self.load_masks(row["mask_path"], [row])[0]

    def load_masks(self, path: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        stack = np.load(path)
        found: list[Any] = []
        for row in rows:
            bar = stack[row["index"]][:, :, 0] > 120
            kind = 1 if bar.all(axis=0).any() else 2
            found.append(ReadError("torn") if row["sample"] == "g00-02" else bar.astype(np.uint8) * kind)
        return found


@dataclass
class Masked:
    table: SampleTable
    masks: MaskStore


@pytest.fixture(scope="module")
def masked(world: Any, tmp_path_factory: pytest.TempPathFactory) -> Masked:
    meta = replace(world.table.meta, options={"mask_names": "1=across,2=along", "mask_columns": ["kind"]})
    table = replace(world.table.with_columns(mask_path=world.table.frame["path"]), meta=meta)
    return Masked(table, MaskStore.fill(tmp_path_factory.mktemp("masks") / "store", table, BarMasks()))


def test_arms_fractions_and_every_number_recomputed(world: Any, masked: Masked, make_run: Any) -> None:
    run = make_run()
    report = dense_probe_run(
        run, masked.masks, table=masked.table, store=world.store, group="patient", fractions=(0.3, 1.0), fit=FIT
    )
    assert [(row.arm, row.probe, row.fraction, row.groups) for row in report.rows] == [
        ("frozen encoder", "1×1", 0.3, 3),
        ("frozen encoder", "1×1", 1.0, 9),
        (RANDOM, "1×1", 0.3, 3),
        (RANDOM, "1×1", 1.0, 9),
    ]
    assert report.classes == ("across", "along")
    assert report.dropped == 1
    assert report.rows[1].labels == 89
    assert report.headings[-8:] == ["mean Dice", "mean IoU", *POOLED, "Dice across", "Dice along"]
    rows = np.flatnonzero(masked.masks.positions(masked.table) >= 0)
    part = masked.table.take(rows)
    targets = dense_targets(part, masked.masks, run.preprocess.canvas)
    groups = part.codes("patient")
    train, test = ((part.frame["split"] == side).to_numpy() for side in ("train", "test"))
    features = dense_features(run.untrained_encoder(), run.preprocess, part, world.store, device="cpu")
    (draw,) = label_draws(targets.labels(), groups, train, [0.3], 0)
    mine = run_dense_probe(features, targets, groups, draw.rows, test, fit=FIT)
    assert report.rows[2].values["mean Dice"] == pytest.approx(mine.mean_dice, abs=1e-6)
    np.testing.assert_allclose(np.array(report.rows[2].per_group, dtype=float), mine.dice, atol=1e-6)
    assert report.rows[1].values["mean Dice"] > 0.5  # bars are bright: any encoder shows them


def test_the_report_is_kept_and_says_what_it_is_not(world: Any, masked: Masked, make_run: Any) -> None:
    run = make_run()
    given = {"table": masked.table, "store": world.store, "group": "patient", "fit": FIT}
    report = dense_probe_run(run, masked.masks, **given)
    assert "not evidence" in report.title
    assert "3 held-out groups of 'patient'" in report.title
    assert read_probe_reports(run.folder) == [report]
    kept = json.loads((run.folder / f"probe-{MASKS}.json").read_text())
    assert "g03" not in json.dumps(kept)  # groups may be patients
    assert any("30 steps of 8 pictures" in line for line in report.remarks())


def test_a_rule_that_reads_a_column_made_of_masks_saw_labels(world: Any, masked: Masked, make_run: Any) -> None:
    run = make_run(**{"pairs.rule": "same('kind')"})
    given = {"table": masked.table, "store": world.store, "group": "patient", "fit": FIT}
    report = dense_probe_run(run, masked.masks, **given)
    assert report.supervised == 89
    assert report.rows[0].arm == "frozen encoder (supervised contrastive, saw 89 masks)"


def test_maps_are_those_of_the_encoder_on_the_runs_canvas(
    world: Any, make_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    part = world.table.take([7, 2, 5, 11, 30])
    encoder = run.encoder()
    found = dense_features(encoder, run.preprocess, part, world.store, device="cpu", batch_size=2)
    images = torch.cat([run.preprocess(world.store[int(at)]).values for at in world.store.positions(part)])
    with torch.no_grad():
        maps = feature_levels(encoder, images)
    for mine, theirs in zip(found.batch(np.arange(5)), maps, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-3)
    monkeypatch.setattr("ssl_domains.evaluation.dense_maps._IN_MEMORY_GB", 0.0)
    mapped = dense_features(encoder, run.preprocess, part, world.store, device="cpu", batch_size=2)
    for mine, theirs in zip(mapped.levels, found.levels, strict=True):
        assert isinstance(mine, np.memmap)
        np.testing.assert_array_equal(mine, theirs)


def test_large_activations_keep_float32(world: Any, make_run: Any) -> None:
    run = make_run()
    encoder = run.encoder()
    with torch.no_grad():
        encoder.model.stages[-1][0].weight *= 1e6
    found = dense_features(encoder, run.preprocess, world.table.take([0, 1, 2]), world.store, device="cpu")
    assert [level.dtype.name for level in found.levels] == ["float16"] * 3 + ["float32"]


def test_a_class_without_a_name_is_an_error(masked: Masked) -> None:
    part = masked.table.take([0, 1, 3])
    with pytest.raises(DataError, match="without a name: 2"):
        dense_targets(part, masked.masks, Canvas(32), ["across"])
    with pytest.raises(DataError, match="1 row has no mask"):
        dense_targets(masked.table.take([1, 2]), masked.masks, Canvas(32))
