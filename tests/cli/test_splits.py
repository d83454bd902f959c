"""``splits audit`` on the command line: exit codes, JSON, pre-training runs, and what it doesn't import."""

from __future__ import annotations

import polars as pl


def audit(cli, table, *words, split="split"):
    return cli("splits", "audit", table, "--split", split, *words)


def test_a_split_of_scan_is_good(samples, cli):
    done = audit(cli, samples, "--group", "patient", "--near")
    assert done.code == 0, done.err
    assert "good: train and test share none of their 9 and 3 groups of 'patient'" in done.out
    assert "good: no sample of test is a duplicate" in done.out
    assert "good: no sample of test looks like one of train" in done.out
    assert done.err == ""


def test_leaks_are_exit_4_with_one_line_and_all_numbers_in_json(samples, cli):
    done = audit(cli, samples, "--group", "kind", "--json")
    assert done.code == 4
    assert done.json["leaking"]
    assert done.json["rows"] == {"train": 36, "test": 12}
    (group,) = [finding for finding in done.json["findings"] if finding["check"] == "group"]
    assert (group["found"], group["share_a"], group["share_b"]) == (2, 1.0, 1.0)
    assert len(done.err.splitlines()) == 2
    assert done.err.startswith("error: the split 'split' leaks: 2 of 2 groups of 'kind'")


def test_usage_errors(samples, cli):
    assert audit(cli, samples.with_name("none.parquet")).code == 2
    assert audit(cli, samples, "--group", "pateint").code == 2
    assert audit(cli, samples, split="patient_").code == 2
    assert audit(cli, samples, "--gap", "3").code == 2
    assert audit(cli, samples, "--domain", "fisheye").code == 2
    assert audit(cli, samples, "--pretraining", samples.parent / "data").code == 2
    assert audit(cli, samples, "--block", "kind").code == 2


def test_near_without_a_domain_says_what_to_do(samples, cli, tmp_path):
    bare = tmp_path / "bare.csv"
    pl.read_parquet(samples).write_csv(bare)
    done = audit(cli, bare, "--near")
    assert done.code == 2
    assert "--domain" in done.err
    assert audit(cli, bare, "--near", "--domain", "toy").code == 0


def test_what_a_run_was_trained_on_may_not_be_held_out(samples, cli, tmp_path):
    run = tmp_path / "run"
    small = ("--set", "train.batch_size=12", "--set", "train.epochs=1")
    trained = cli("toy", "pretrain", samples, "--pairs", "patient", "--out", run, *small)
    assert trained.code == 0, trained.err
    good = audit(cli, samples, "--group", "patient", "--pretraining", run)
    assert good.code == 0, good.err
    assert "good: pre-training and test share no sample id" in good.out
    # Another split of the same rows: the run has seen some of what it holds out.
    other = tmp_path / "elsewhere" / "far" / "other.parquet"
    assert cli("toy", "scan", tmp_path / "data", "-o", other, "--split-by", "patient", "--seed", "5").code == 0
    done = audit(cli, other, "--group", "patient", "--pretraining", run)
    assert done.code == 4
    assert "samples of test" in done.err
    # The run's own table was renamed: it is found by what it holds, and that is said.
    moved = samples.rename(tmp_path / "renamed.parquet")
    found = audit(cli, other, "--pretraining", run, "--json")
    assert found.code == 4
    assert f"{moved} holds the same samples" in " ".join(found.json["notes"])
    # It is gone: its rows are looked up in the audited one, and that is said.
    moved.unlink()
    gone = audit(cli, other, "--pretraining", run, "--json")
    assert gone.code == 4
    assert "looked up in the audited table" in " ".join(gone.json["notes"])


def test_a_table_stands_for_what_was_pre_trained_on(samples, cli, tmp_path):
    other = tmp_path / "other.csv"
    frame = pl.read_parquet(samples)
    frame.drop("path").filter(pl.col("split") == "test").with_columns(
        sample="other" + pl.col("sample"), split=pl.lit("train")
    ).write_csv(other)
    done = audit(cli, samples, "--group", "patient", "--pretraining", other)
    assert done.code == 4
    assert "3 of 3 groups of 'patient' in test are in pre-training as well" in done.out
