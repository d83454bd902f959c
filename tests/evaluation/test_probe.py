from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.evaluation import RANDOM, ProbeReport, embed, embed_rows, probe_path, probe_run, read_probe_reports
from ssl_domains.probes import linear_probe, read_labels
from ssl_domains.samples import SampleTable, TableMeta

FLOORS = {"hint alone": ("hint",), "noise alone": ("noise",)}


def test_every_arm_on_one_split_and_every_number_recomputed(world: Any, make_run: Any) -> None:
    run = make_run()
    report = probe_run(run, "kind", group="patient", floors=FLOORS)
    assert [(row.arm, row.probe) for row in report.rows] == [
        ("frozen encoder", "linear"),
        ("frozen encoder", "k-NN"),
        (RANDOM, "linear"),
        (RANDOM, "k-NN"),
        ("hint alone (hint)", "trees"),
        ("noise alone (noise)", "trees"),
    ]
    assert {(row.groups, row.labels, row.tested) for row in report.rows} == {(9, 90, 30)}
    frame = world.table.frame
    train, test = ((frame["split"] == side).to_numpy() for side in ("train", "test"))
    sides = (read_labels(frame["kind"]), world.table.codes("patient"), train, test)
    mine = linear_probe(embed(run, world.table, world.store)["embedding"].to_numpy(), *sides)
    assert report.rows[0].values == mine.scores.values
    random = embed_rows(run.untrained_encoder(), run.preprocess, world.table, world.store, device="cpu")
    assert report.rows[2].values == linear_probe(random, *sides).scores.values
    assert report.rows[4].values["balanced accuracy"] == 1.0
    assert report.rows[5].values["balanced accuracy"] < 0.8
    assert report.headline(RANDOM, "linear") == report.rows[2].values["balanced accuracy"]


def test_the_title_says_what_it_is_not(make_run: Any) -> None:
    report = probe_run(make_run(), "kind", group="patient")
    assert "not evidence" in report.title
    assert "transductive" not in report.title
    assert "3 held-out groups of 'patient'" in report.title


def test_pre_training_on_test_groups_is_in_the_title(world: Any, make_run: Any) -> None:
    report = probe_run(make_run(trained=world.table), "kind", group="patient")
    assert "transductive: 3 of 3 test groups" in report.title


def test_without_a_split_one_is_made_and_the_probe_is_transductive(world: Any, make_run: Any) -> None:
    from dataclasses import replace

    bare = replace(world.table, frame=world.table.frame.drop("split"))
    report = probe_run(make_run(trained=bare), "kind", table=bare, group="patient")
    assert "transductive" in report.title
    assert any("no split" in line for line in report.remarks())


def test_a_rule_that_reads_the_label_is_printed_as_supervised(make_run: Any) -> None:
    report = probe_run(make_run(**{"pairs.rule": "0.5*same('kind') + 0.5*same('patient')"}), "kind", group="patient")
    assert report.supervised == 90
    assert report.rows[0].arm == "frozen encoder (supervised contrastive, saw 90 labels)"
    assert report.rows[2].arm == RANDOM
    other = probe_run(make_run("other", **{"pairs.rule": "same('patient')"}), "kind", group="patient")
    assert other.supervised == 0
    shuffled = make_run("shuffled", **{"pairs.rule": "same('kind')", "pairs.shuffle_metadata": 1})
    assert probe_run(shuffled, "kind", group="patient").supervised == 0


def test_fractions_are_of_groups_and_the_same_for_all_arms(make_run: Any) -> None:
    report = probe_run(
        make_run(), "kind", group="patient", fractions=(0.01, 0.5, 1.0), seeds=(0, 1), floors={"hint alone": ("hint",)}
    )
    seen = {(row.fraction, row.draw): set() for row in report.rows}
    for row in report.rows:
        seen[row.fraction, row.draw].add((row.groups, row.labels))
    assert all(len(values) == 1 for values in seen.values())
    assert seen[0.01, 0] == {(1, 10)}
    assert seen[0.5, 1] == {(4, 40)}
    assert "draws" in report.headings
    assert len(report.table()) == 3 * 5
    shown = {(line["features"], line["probe"], line["groups"]): line for line in report.table()}
    for line in report.table():
        assert line["draws"] == ("1" if line["fraction"] == "1" else "2")
    pair = [row for row in report.rows if row.arm == RANDOM and row.probe == "linear" and row.fraction == 0.5]
    scores = [row.values["balanced accuracy"] for row in pair]
    mean, spread = sum(scores) / 2, abs(scores[0] - scores[1]) / 2**0.5
    assert shown[RANDOM, "linear", "4"]["balanced accuracy"] == f"{mean:.3f} ± {spread:.3f}"


def test_label_sets_and_numbers(make_run: Any) -> None:
    run = make_run()
    sets = probe_run(run, "tags", group="patient")
    assert sets.task == "multilabel"
    assert sets.rows[0].values["AUROC"] is None  # every row has a bar
    assert "AUROC undefined" in " ".join(sets.remarks())
    number = probe_run(run, "place", group="patient")
    assert number.task == "regression"
    assert set(number.rows[0].values) == {"R²", "MAE"}
    forced = probe_run(run, "hint", group="patient", task="regression")
    assert forced.task == "regression"


def test_null_labels_are_dropped_and_counted(world: Any, make_run: Any) -> None:
    frame = world.table.frame.with_columns(kind=pl.when(pl.int_range(pl.len()) % 10 > 1).then(pl.col("kind")))
    table = world.table.with_columns(kind=frame["kind"])
    report = probe_run(make_run(), "kind", table=table, group="patient")
    assert report.dropped == 24
    assert report.rows[0].labels == 72
    assert any("24 rows" in line for line in report.remarks())


def test_it_is_kept_and_reads_back(make_run: Any) -> None:
    run = make_run()
    report = probe_run(run, "kind", group="patient")
    path = probe_path(run.folder, "kind")
    assert path.name == "probe-kind.json"
    stored = json.loads(path.read_text())
    assert "not evidence" in stored["title"]
    assert ProbeReport.from_dict(stored) == report
    assert read_probe_reports(run.folder) == [report]
    path.write_text("{}")
    with pytest.raises(DataError, match="can't be read"):
        read_probe_reports(run.folder)


def test_the_same_twice(make_run: Any) -> None:
    run = make_run()
    assert probe_run(run, "kind", group="patient") == probe_run(run, "kind", group="patient")


def test_the_table_shows_an_undefined_score_as_a_dash(world: Any, make_run: Any) -> None:
    kind = world.table.frame.select(
        pl.when(pl.col("split") == "test").then(pl.lit("across")).otherwise(pl.col("kind")).alias("kind")
    )["kind"]
    report = probe_run(make_run(), "kind", table=world.table.with_columns(kind=kind), group="patient")
    row = report.table()[0]
    assert row["AUROC"] == "–"
    assert row["balanced accuracy"] == "–"
    assert np.isclose(float(row["accuracy"]), report.rows[0].values["accuracy"], atol=5e-4)
    assert report.headline("frozen encoder", "linear") is None


def test_slips_are_said_before_anything_is_embedded(make_run: Any) -> None:
    run = make_run()
    with pytest.raises(UsageError, match="no column 'knd'") as caught:
        probe_run(run, "knd")
    assert "kind" in caught.value.hint
    with pytest.raises(UsageError, match="no column 'hnt'"):
        probe_run(run, "kind", floors={"hint alone": ("hnt",)})
    with pytest.raises(UsageError, match="fraction"):
        probe_run(run, "kind", group="patient", fractions=(2.0,))
    assert not (run.folder / "embeddings.parquet").exists()
    with pytest.raises(DataError, match="one class"):
        probe_run(run, "patient", group="patient", table=_one_patient(run))


def _one_patient(run: Any) -> Any:
    from ssl_domains.evaluation import run_table

    table = run_table(run)
    return table.take((table.frame["patient"].is_in(["g00", "g03"])).to_numpy())


def test_identifiers_are_not_named(world: Any, make_run: Any) -> None:
    table = SampleTable(world.table.frame.with_columns(reader=pl.col("kind")), TableMeta(identifiers=("reader",)))
    report = probe_run(make_run(), "reader", table=table, group="patient")
    assert report.classes == ("no. 1", "no. 2")
    assert "across" not in json.dumps(report.to_dict())


def test_a_joined_name_is_neither_printed_nor_taken_for_a_class_without_a_warning(world: Any, make_run: Any) -> None:
    """Each patient has one name: the scores are for a split by another column, and no name is in the report."""
    names = {patient: f"Name of {patient}" for patient in world.table.frame["patient"].unique()}
    frame = world.table.frame.with_columns(name=pl.col("patient").replace_strict(names)).drop("split")
    table = SampleTable(frame, TableMeta(identifiers=("patient",)))
    report = probe_run(make_run(), "name", table=table, group="sample")
    text = json.dumps(report.to_dict()) + " ".join(report.remarks())
    assert "Name of" not in text
    assert "'name' looks like an identifier" in text
    assert report.classes[0] == "no. 1"
    plain = probe_run(make_run(), "kind", table=table, group="patient")
    assert "looks like an identifier" not in " ".join(plain.remarks())


def test_a_table_that_went_away(make_run: Any) -> None:
    run = make_run(**{"data.samples": "gone.parquet"})
    with pytest.raises(UsageError, match="no longer where it was"):
        probe_run(run, "kind")


@pytest.mark.parametrize("label", ["patient", "alias"])
def test_a_label_that_is_the_group_is_refused(world: Any, make_run: Any, label: str) -> None:
    """No class of the test rows has a training row, so every score would be 0 whatever the encoder."""
    run, table = make_run(), world.table
    table = table.with_columns(alias=[f"of {patient}" for patient in table.frame["patient"]])
    with pytest.raises(UsageError, match=f"the label '{label}' is .* that stays whole") as caught:
        probe_run(run, label, table=table, group="patient")
    assert "another column" in caught.value.hint
    assert not (run.folder / "embeddings.parquet").exists()
    assert probe_run(run, "kind", table=table, group="patient").rows
