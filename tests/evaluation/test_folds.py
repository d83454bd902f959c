"""Folds of a probe, and features standardised within groups: every number recomputed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.evaluation import RANDOM, ProbeReport, embed, probe_path, probe_run, read_probe_reports
from ssl_domains.evaluation.split import EACH_GROUP, fold_sides
from ssl_domains.probes import linear_probe, read_labels, standardised_within


def labels(values: list[str]) -> Any:
    return read_labels(pl.Series("label", values))


@pytest.mark.parametrize("folds", [EACH_GROUP, 2, 3, 5])
def test_each_group_is_tested_once_and_never_trained_on_then(folds: int) -> None:
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 7, 60)
    made = fold_sides(labels(rng.choice(["a", "b"], 60).tolist()), groups, folds)
    assert len(made) == (7 if folds == EACH_GROUP else folds)
    assert np.sum([test for _, test in made], axis=0).tolist() == [1] * 60
    for train, test in made:
        assert (train != test).all()
        assert not set(groups[train]) & set(groups[test])
        assert test.any()


def test_groups_of_a_class_are_spread_over_the_folds() -> None:
    """Speakers with three sessions each: in every fold one session of each speaker is tested."""
    speaker = np.repeat(np.arange(8), 6)
    session = np.repeat(np.arange(24), 2)
    for seed in range(5):
        for train, test in fold_sides(labels([f"S{k}" for k in speaker]), session, 3, seed):
            assert sorted(speaker[test]) == sorted(np.repeat(np.arange(8), 2))
            assert set(speaker[train]) == set(range(8))


@pytest.mark.parametrize("folds", [1, 4])
def test_more_folds_than_groups_is_refused(folds: int) -> None:
    with pytest.raises(UsageError, match="can't be held out") as error:
        fold_sides(labels(["a", "b", "a"]), np.array([0, 1, 2]), folds)
    assert "--folds 2 to 3" in error.value.hint


def test_one_group_at_a_time_and_every_number_recomputed(world: Any, make_run: Any) -> None:
    run = make_run()
    report = probe_run(run, "kind", group="patient", folds=EACH_GROUP, alone=True)
    assert report.folds == 12
    linear = [row for row in report.rows if row.probe == "linear"]
    assert [row.fold for row in linear] == list(range(12))
    assert {(row.groups, row.labels, row.tested) for row in linear} == {(11, 110, 10)}
    x = embed(run, world.table, world.store)["embedding"].to_numpy()
    kinds, patients = read_labels(world.table.frame["kind"]), world.table.codes("patient")
    for row, (train, test) in zip(linear, fold_sides(kinds, patients, EACH_GROUP), strict=True):
        assert row.values == linear_probe(x, kinds, patients, train, test).scores.values
    (line,) = [line for line in report.table() if line["probe"] == "linear"]
    scores = [row.values["balanced accuracy"] for row in linear]
    assert line["folds"] == "12"
    assert line["balanced accuracy"] == f"{np.mean(scores):.3f} ± {np.std(scores, ddof=1):.3f}"
    assert "12 groups of 'patient', held out in 12 folds" in report.title
    assert "transductive: 9 of 12 test groups were pre-trained on" in report.title
    assert any("take the place of the table's split" in line for line in report.remarks())
    stored = ProbeReport.from_dict(json.loads(probe_path(run.folder, "kind", folds_of="patient").read_text()))
    assert stored == report
    of_the_split = probe_run(run, "kind", group="patient", alone=True)
    assert read_probe_reports(run.folder) == [report, of_the_split], "neither replaces the other"


def test_fractions_are_drawn_inside_each_fold(make_run: Any) -> None:
    report = probe_run(make_run(), "kind", group="patient", folds=3, fractions=(0.25, 1.0), seeds=(0, 1), alone=True)
    few = [row for row in report.rows if row.probe == "linear" and row.fraction == 0.25]
    assert sorted((row.fold, row.draw) for row in few) == [(fold, draw) for fold in range(3) for draw in range(2)]
    assert {row.groups for row in few} == {2}
    lines = {line["fraction"]: line for line in report.table() if line["probe"] == "linear"}
    assert [line["draws"] for line in lines.values()] == ["2", "1"]
    assert {line["folds"] for line in lines.values()} == {"3"}


def test_a_label_that_is_the_group_is_refused_in_folds_too(make_run: Any) -> None:
    with pytest.raises(UsageError, match="no class of the test rows has a training row"):
        probe_run(make_run(), "patient", group="patient", folds=EACH_GROUP, alone=True)


def test_standardised_features_are_probed_beside_the_plain_ones(world: Any, make_run: Any) -> None:
    run = make_run()
    floors = {"hint alone": ("hint",)}
    report = probe_run(run, "kind", group="patient", standardise_by="patient", floors=floors)
    suffix = ", standardised by 'patient' (transductive)"
    arms = list(dict.fromkeys(row.arm for row in report.rows))
    assert arms == ["frozen encoder", f"frozen encoder{suffix}", RANDOM, f"{RANDOM}{suffix}", "hint alone (hint)"]
    plain = probe_run(make_run("plain"), "kind", group="patient", floors=floors)
    by_arm = {(row.arm, row.probe): row.values for row in report.rows}
    assert {key: by_arm[key] for key in by_arm if suffix not in key[0]} == {
        (row.arm, row.probe): row.values for row in plain.rows
    }
    frame = world.table.frame
    train, test = ((frame["split"] == side).to_numpy() for side in ("train", "test"))
    patients = world.table.codes("patient")
    x = standardised_within(embed(run, world.table, world.store)["embedding"].to_numpy(), patients)
    expected = linear_probe(x, read_labels(frame["kind"]), patients, train, test)
    assert by_arm[f"frozen encoder{suffix}", "linear"] == expected.scores.values


def test_rows_without_a_group_to_standardise_by_are_refused(world: Any, make_run: Any) -> None:
    names = pl.when(pl.int_range(pl.len()) > 2).then(pl.col("patient"))
    table = world.table.with_columns(person=world.table.frame.select(names.alias("p"))["p"])
    with pytest.raises(DataError, match="3 rows with a label without 'person'"):
        probe_run(make_run(), "kind", table=table, group="patient", standardise_by="person", alone=True)
    with pytest.raises(UsageError, match="persn"):
        probe_run(make_run("other"), "kind", table=table, group="patient", standardise_by="persn", alone=True)
