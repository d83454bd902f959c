"""``tables``: labels that come later, rows that are kept, what a table is; edits and copies lose nothing silently."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from ssl_domains.samples import read_table, sidecar_path

SMALL = ("--set", "train.batch_size=12", "--set", "train.epochs=1")


def labels(path: Path, separator: str = ";") -> Path:
    rows = [f"p{number}{separator}{number % 2}" for number in range(12)]
    path.write_text(f"patient{separator}grade\n" + "\n".join(rows))
    return path


def test_labels_are_joined_later_and_the_split_stays(samples, cli, tmp_path):
    before = read_table(samples)
    done = cli("tables", "join", samples, labels(tmp_path / "labels.csv"), "--on", "patient")
    assert done.code == 0, done.err
    assert "separated by semicolons" in done.err
    assert "group: patient" in done.out
    after = read_table(samples)
    assert after.meta == before.meta
    assert after.frame.drop("grade").equals(before.frame)
    assert after.frame["grade"].to_list() == [int(patient[1:]) % 2 for patient in after.frame["patient"]]
    again = cli("tables", "join", samples, tmp_path / "labels.csv", "--on", "patient")
    assert (again.code, "--update" in again.err) == (2, True)
    assert cli("tables", "join", samples, tmp_path / "labels.csv", "--on", "patient", "--update").code == 0
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_table_written_elsewhere_keeps_its_paths(samples, cli, tmp_path):
    out = tmp_path / "far" / "away.parquet"
    done = cli("tables", "filter", samples, "--where", "kind=a", "--where", "split=test", "-o", out)
    assert done.code == 0, done.err
    assert "6 of 48 samples" in done.out
    made, source = read_table(out), read_table(samples)
    assert made.frame["path"].to_list() == source.frame.filter(kind="a", split="test")["path"].to_list()
    assert all(Path(path).is_file() for path in made.frame["path"])
    assert made.meta == source.meta
    assert "'train' is kept" in done.err


def test_two_ids_are_united_and_the_group_stays_on_one_side(samples, cli, tmp_path):
    out = tmp_path / "united.parquet"
    source = read_table(samples)
    sides = dict(source.frame.unique("patient").select("split", "patient").iter_rows())
    done = cli("tables", "unite", samples, "--ids", f"patient:{sides['test']}={sides['train']}", "-o", out)
    assert done.code == 0, done.err
    assert "4 were on another side of the split" in done.err
    assert "group: patient" in done.out
    made = read_table(out)
    assert made.meta == source.meta
    assert made.frame["patient"].n_unique() == source.frame["patient"].n_unique() - 1
    assert set(made.frame.filter(patient=sides["train"])["split"]) == {"train"}
    assert made.frame.drop("patient", "split").equals(source.frame.drop("patient", "split"))


def test_mistakes_end_in_one_line_and_a_hint(samples, cli, tmp_path):
    labels(tmp_path / "labels.csv")
    (tmp_path / "other.csv").write_text("patient,grade\nq1,1\nq2,0\n")
    for words, code, text in [
        (("filter", samples, "--where", "kindd=a", "-o", tmp_path / "o.parquet"), 2, "did you mean 'kind'"),
        (("filter", samples, "--where", "kind=z", "-o", tmp_path / "o.parquet"), 4, "no row"),
        (("filter", samples, "-o", tmp_path / "o.json"), 2, ".parquet"),
        (("filter", samples, "-o", tmp_path), 2, "hint"),
        (("unite", samples, "--ids", "patient:p0", "-o", tmp_path / "o.parquet"), 2, "has not the form"),
        (("join", samples, tmp_path / "labels.csv", "--on", "patiant"), 2, "patient"),
        (("join", samples, tmp_path / "none.csv", "--on", "patient"), 2, "no table"),
        (("join", samples, tmp_path / "other.csv", "--on", "patient"), 4, "'q1', 'q2'"),
        (("describe", tmp_path / "none.parquet"), 2, "no table"),
    ]:
        done = cli("tables", *words)
        assert done.code == code, (words, done.err)
        assert text in done.err
        assert "hint: " in done.err
        assert "Traceback" not in done.err
    assert not (tmp_path / "o.parquet").exists()


def test_describe_says_what_the_table_is(samples, cli, tmp_path):
    cli("tables", "join", samples, labels(tmp_path / "labels.csv"), "--on", "patient")
    found = cli("tables", "describe", samples, "--json").json
    assert (found["rows"], found["domain"], found["group"]) == (48, "toy", "patient")
    assert found["split"] == {"test": {"rows": 12, "groups": 3}, "train": {"rows": 36, "groups": 9}}
    roles = {column["name"]: column["role"] for column in found["columns"]}
    assert (roles["patient"], roles["grade"], roles["split"]) == ("group of the split", "joined", "split")
    assert (found["folder"], found["missing_files"]) == (str(tmp_path), 0)
    assert (found["problems"], found["notes"]) == (1, [])
    (tmp_path / "data" / "003.npy").unlink()
    shown = cli("tables", "describe", samples).out
    assert f"{tmp_path / 'data' / '003.npy'}: its relative paths count from {tmp_path}" in shown
    assert "left out by the scan: 1" in shown


def test_a_table_edited_by_polars_and_copied_gets_everything_back(samples, cli, tmp_path):
    """The file is written by polars in another folder: metadata, sidecar and the place of its files are lost."""
    before = read_table(samples)
    copy = tmp_path / "copy" / "edited.parquet"
    copy.parent.mkdir()
    pl.read_parquet(samples).with_columns(mine=pl.lit("x")).write_parquet(copy)
    bare = cli(
        "tables", "join", copy, labels(tmp_path / "labels.csv"), "--on", "patient", "-o", copy.with_name("b.csv")
    )
    assert bare.code == 0
    for text in ("edited.parquet has no metadata", "--like", "48 files", f"count from {copy.parent}"):
        assert text in bare.err, text
    words = ("tables", "join", copy, tmp_path / "labels.csv", "--on", "patient", "--like", samples)
    assert cli(*words).code == 0
    after = read_table(copy)
    assert after.meta == before.meta
    assert after.frame["path"].equals(before.frame["path"])
    assert after.frame["split"].equals(before.frame["split"])
    assert {"mine", "grade"} <= set(after.columns)


def test_a_probe_keeps_the_groups_of_the_run_when_the_table_has_lost_them(samples, cli, tmp_path):
    run = tmp_path / "run"
    trained = cli("toy", "pretrain", samples, "--pairs", "patient", "--out", run, *SMALL)
    assert trained.code == 0, trained.err
    pl.read_parquet(samples).write_parquet(samples)
    sidecar_path(samples).unlink()
    done = cli("toy", "probe", run, "--label", "kind", "--json")
    assert done.code == 0, done.err
    assert done.json["group"] == "patient"
    assert "has no metadata" in done.err
    pl.read_parquet(samples).drop("patient").write_parquet(samples)
    refused = cli("toy", "probe", run, "--label", "kind")
    assert refused.code == 2
    assert "split by 'patient'" in refused.err
    assert "--group" in refused.err
    assert cli("tables", "filter", samples, "--like", run, "-o", samples).code == 0
    assert read_table(samples).meta.group == "patient"


def test_a_probe_finds_the_renamed_table_and_says_what_it_looked_for(samples, cli, tmp_path):
    run = tmp_path / "run"
    assert cli("toy", "pretrain", samples, "--pairs", "patient", "--out", run, *SMALL).code == 0
    moved = tmp_path / "renamed.parquet"
    samples.rename(moved)
    sidecar_path(samples).rename(sidecar_path(moved))
    done = cli("toy", "probe", run, "--label", "kind")
    assert done.code == 0, done.err
    assert f"{moved} holds the same samples and is used" in done.err
    read = pl.read_parquet(moved)
    read.with_columns(sample="other" + pl.col("sample")).write_parquet(samples)
    moved.unlink()
    gone = cli("toy", "probe", run, "--label", "kind")
    assert gone.code == 2
    assert "holds other samples than it was trained on" in gone.err
    assert str(tmp_path) in gone.err
    assert "--samples" in gone.err


def test_a_table_copied_without_its_files_says_from_where_paths_count(samples, cli, tmp_path):
    copy = tmp_path / "copy" / "samples.parquet"
    copy.parent.mkdir()
    shutil.copy(samples, copy)
    shutil.copy(sidecar_path(samples), sidecar_path(copy))
    done = cli("toy", "pretrain", copy, "--pairs", "patient", "--out", tmp_path / "run", *SMALL)
    assert done.code == 4
    assert f"{copy.parent / 'data' / '000.npy'}" in done.err
    assert f"count from {copy.parent}" in done.err


HOLD = """
import sys, pathlib
from ssl_domains.cli.work.joining import one_writer
with one_writer(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(os.name != "posix", reason="flock")
def test_two_processes_at_one_table_one_is_refused_by_name(samples, cli, tmp_path):
    before = samples.read_bytes()
    command = [sys.executable, "-c", HOLD, str(samples)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        for words in (("tables", "filter", samples, "-o", samples), ("toy", "scan", tmp_path / "data", "-o", samples)):
            done = cli(*words)
            assert done.code == 2
            assert f"being written by process {other.pid}" in done.err
        other.kill()
    assert samples.read_bytes() == before
    assert cli("toy", "scan", tmp_path / "data", "-o", samples).code == 0
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
