"""``pretrain`` and what follows it: embed, probe, export, report; small enough to run in seconds."""

from __future__ import annotations

import errno
import os

import numpy as np
import polars as pl
import pytest

from ssl_domains.samples import read_table

SMALL = ("--set", "train.epochs=1", "--set", "train.batch_size=12", "--set", "head.hidden=16", "--set", "head.out=8")


@pytest.fixture
def run(samples, cli, tmp_path):
    folder = tmp_path / "run"
    done = cli("toy", "pretrain", samples, "--out", folder, "--pairs", "patient", *SMALL)
    assert done.code == 0, done.err
    return folder


def test_a_run_from_end_to_end(samples, run, cli, tmp_path):
    embedded = cli("toy", "embed", run, samples, "-o", tmp_path / "embeddings.parquet")
    assert embedded.code == 0, embedded.err
    assert len(pl.read_parquet(tmp_path / "embeddings.parquet")) == 48

    probed = cli("toy", "probe", run, "--label", "kind")
    assert probed.code == 0, probed.err
    for text in ("not evidence", "frozen encoder", "random initialisation", "height alone"):
        assert text in probed.out
    assert "scanner alone" not in probed.out  # the domain's floor needs a column this table has not

    exported = cli("toy", "export", run, tmp_path / "exported", "--format", "safetensors")
    assert exported.code == 0, exported.err
    assert list((tmp_path / "exported").iterdir())
    assert cli("toy", "export", run, tmp_path / "other", "--format", "zip").code == 2

    reported = cli("toy", "report", run)
    assert reported.code == 0, reported.err
    assert (run / "report.html").is_file()


def test_held_out_rows_are_never_trained_on(samples, run):
    from ssl_domains.engine import Run

    train = set(read_table(samples).frame.filter(pl.col("split") == "train")["sample"])
    assert Run.open(run).training_samples == train


def test_the_run_keeps_its_pairs_resolved_and_resumes_without_the_plugin_file(samples, cli, tmp_path):
    from ssl_domains.engine import Run
    from ssl_domains.pairs import parse, same

    file = tmp_path / "mine.py"
    file.write_text(
        "from ssl_domains.extending import PairSampler\n"
        "from ssl_domains.pairs.sampling.composition import Composition\n\n\n"
        "def ssl_domains_pair_samplers():\n"
        "    groups = Composition('groups', per_group=3)\n"
        "    return [PairSampler('mine', 'toy', 'kinds', \"same('kind')\", groups)]\n"
    )
    out = tmp_path / "mine"
    start = ("toy", "pretrain", samples, "--out", out, *SMALL)
    assert cli("--plugin-file", file, *start, "--pairs", "mine", "--set", "train.max_steps=1").code == 0
    pairs = Run.open(out).config.pairs
    assert (pairs.name, pairs.composition, pairs.per_group) == ("mine", "groups", 3)
    assert parse(pairs.rule) in (same("kind"), 1 * same("kind"))
    resumed = cli("toy", "pretrain", samples, "--out", out, "--resume")
    assert resumed.code == 0, resumed.err
    # The user's own --set wins over what the sampler prefers.
    other = tmp_path / "other"
    words = ("--plugin-file", file, "toy", "pretrain", samples, "--out", other, *SMALL, "--pairs", "mine")
    assert cli(*words, "--set", "pairs.per_group=2").code == 0
    assert Run.open(other).config.pairs.per_group == 2


def test_plain_simclr_says_so(samples, cli, tmp_path):
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", *SMALL)
    assert done.code == 0, done.err
    assert "no --pairs and no --rule: simclr with own views as the only positives" in done.out
    for words in (("--relations", "none"), ("--shuffle-metadata", "0")):
        refused = cli("toy", "pretrain", samples, "--out", tmp_path / "other", *SMALL, *words)
        assert refused.code == 2, refused.err


def test_the_controls_say_what_they_are(samples, cli, tmp_path):
    first = ("toy", "pretrain", samples, *SMALL, "--pairs", "patient")
    none = cli(*first, "--out", tmp_path / "a", "--relations", "none")
    assert (none.code, "own views only" in none.out) == (0, True)
    shuffled = cli(*first, "--out", tmp_path / "b", "--shuffle-metadata", "1")
    assert (shuffled.code, "shuffled, seed 1" in shuffled.out) == (0, True)
    assert cli(*first, "--out", tmp_path / "c", "--relations", "some").code == 2


def test_a_dry_run_keeps_nothing(samples, cli, tmp_path):
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", "--pairs", "patient", *SMALL, "--dry-run")
    assert done.code == 0, done.err
    assert "peak_memory_bytes" in done.out
    assert not (tmp_path / "run").exists()


def test_a_source_is_scanned_first(samples, cli, tmp_path):
    done = cli("toy", "pretrain", samples.parent / "data", "--out", tmp_path / "run", "--pairs", "patient", *SMALL)
    assert done.code == 0, done.err
    assert "48 samples scanned" in done.out
    assert (tmp_path / "run.samples.parquet").is_file()


def test_existing_runs_and_other_configurations_are_refused(samples, run, cli):
    again = ("toy", "pretrain", samples, "--out", run, "--pairs", "patient", *SMALL)
    assert cli(*again).code == 2
    assert cli(*again, "--resume").code == 0
    other = cli(*again, "--resume", "--set", "head.out=16")
    assert other.code == 2
    assert "head.out" in other.err


def test_an_unreadable_checkpoint_is_bad_data(samples, run, cli):
    for path in (run / "checkpoints").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    done = cli("toy", "probe", run, "--label", "kind")
    assert done.code == 4
    assert "can't be read" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--method", "simcrl"), "simclr"),
        (("--encoder", "resnet81"), "resnet"),
        (("--init", "no-such-file"), "no-such-file"),
        (("--set", "train.lr=fast"), "train.lr"),
        (("--set", "trian.lr=1"), "train.lr"),
        (("--set", "health.label=knid"), "kind"),
        (("--resume",), "nothing to resume"),
        (("--config", "no-such.toml"), "no-such.toml"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_usage_errors(samples, cli, tmp_path, words, told):
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", "--pairs", "patient", *SMALL, *words)
    assert done.code == 2, done.err
    assert told in done.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--label", "knid"), "kind"),
        (("--label", "kind", "--group", "pateint"), "patient"),
        (("--label", "kind", "--fractions", "0.1,2"), "fractions"),
        (("--label", "kind", "--fractions", "some"), "fractions"),
        (("--label", "kind", "--floor", "hight"), "height"),
        (("--label", "kind", "--samples", "none.parquet"), "none.parquet"),
        (("--label", "kind", "--folds", "1"), "--folds 5, or --folds all"),
        (("--label", "kind", "--folds", "every"), "--folds 5, or --folds all"),
        (("--label", "kind", "--folds", "900"), "can't be held out in 900 folds"),
        (("--label", "kind", "--standardise-by", "pateint"), "patient"),
        (("--masks", "--folds", "all"), "--folds is for columns, not for masks"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_probe_usage_errors(run, cli, words, told):
    done = cli("toy", "probe", run, *words)
    assert done.code == 2, done.err
    assert told in done.err
    assert done.out == ""


def test_a_probe_leaves_out_one_group_at_a_time_and_standardises_within_them(run, cli):
    done = cli(
        "toy", "probe", run, "--label", "kind", "--alone", "--folds", "all", "--standardise-by", "patient", "--json"
    )
    assert done.code == 0, done.err
    assert done.json["folds"] == done.json["test_groups"] > 4
    arms = {row["arm"] for row in done.json["rows"]}
    assert arms == {"frozen encoder", "frozen encoder, standardised by 'patient' (transductive)"}
    assert f"held out in {done.json['folds']} folds" in done.json["title"]


def test_probe_of_something_that_is_no_run(toy, cli, tmp_path):
    assert cli("toy", "probe", tmp_path, "--label", "kind").code == 2


def test_json_owns_standard_output(samples, run, cli, monkeypatch):
    # Whatever a library prints meanwhile goes to standard error.
    import ssl_domains.evaluation.labelled as module

    original = module.read_labels

    def loud(*given):
        print("a library prints")
        return original(*given)

    monkeypatch.setattr(module, "read_labels", loud)
    done = cli("toy", "probe", run, "--label", "kind", "--fractions", "0.5,1", "--json")
    assert done.code == 0, done.err
    assert done.json["evidence"] is False
    assert "not evidence" in done.json["title"]
    assert "a library prints" in done.err
    assert {row["fraction"] for row in done.json["rows"]} >= {0.5, 1.0}
    for words in (("pairs", samples, "--pairs", "patient"),):
        assert isinstance(cli("toy", *words, "--json").json, dict)


def test_one_bad_file_among_many_is_left_out_aloud(samples, cli, tmp_path):
    (samples.parent / "data" / "007.npy").write_bytes(b"cut")
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", "--pairs", "patient", *SMALL)
    assert done.code == 0, done.err
    assert "can't be decoded and" in done.err
    assert "no toy" in done.err


def test_a_fault_that_decoding_meets_is_added_to_the_problems(samples, cli, tmp_path):
    problems = samples.with_name("samples.problems.csv")
    before = pl.read_csv(problems, infer_schema=False)
    (samples.parent / "data" / "007.npy").write_bytes(b"cut")
    for run in ("first", "second"):  # the second run meets the same fault, which is there already
        assert cli("toy", "pretrain", samples, "--out", tmp_path / run, "--pairs", "patient", *SMALL).code == 0
        after = pl.read_csv(problems, infer_schema=False)
        assert len(after) == len(before) + 1
        path, cause = after.row(-1)
        assert path.endswith("007.npy")
        assert "no toy" in cause
        assert "007" not in cause


def test_nothing_that_can_be_decoded_is_bad_data(samples, cli, tmp_path):
    for path in (samples.parent / "data").glob("*.npy"):
        path.write_bytes(b"cut")
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", "--pairs", "patient", *SMALL)
    assert done.code == 4
    assert "no toy" in done.err


def test_a_full_disk_while_filling_the_store_ends_with_five(samples, cli, tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", "--pairs", "patient", *SMALL)
    assert done.code == 5, done.err
    assert "hint: " in done.err


def test_ctrl_c_ends_with_130_and_resume_goes_on(samples, cli, tmp_path, monkeypatch):
    from ssl_domains.engine import Run
    from ssl_domains.engine.step.step import TrainingStep

    original = TrainingStep.__call__

    def interrupted(self, batch, step):
        if step == 2:
            os.kill(os.getpid(), 2)  # what Ctrl-C sends
        return original(self, batch, step)

    words = ("toy", "pretrain", samples, "--out", tmp_path / "run", "--pairs", "patient", *SMALL)
    words = (*words, "--set", "train.epochs=3")
    with monkeypatch.context() as patch:
        patch.setattr(TrainingStep, "__call__", interrupted)
        done = cli(*words)
    assert done.code == 130
    assert "--resume" in done.err
    assert Run.open(tmp_path / "run").step == 3
    resumed = cli(*words, "--resume")
    assert resumed.code == 0, resumed.err
    assert Run.open(tmp_path / "run").step == 9


def test_when_no_row_can_be_decoded_the_cause_is_shown(samples, cli, tmp_path):
    for path in (samples.parent / "data").glob("0*.npy"):
        np.save(path, np.zeros((16000, 1), np.float32))
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", "--pairs", "patient", *SMALL)
    assert done.code == 4, done.err
    cause = (
        "none of the 36 samples can be decoded: decoded to shape [16000, 1], but axes 'hwc' are height, width, channels"
    )
    assert cause in done.err
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_the_commonest_causes_of_rows_that_are_left_out(samples, cli, tmp_path):
    data = samples.parent / "data"
    for number in (0, 1, 2):
        np.save(data / f"{number:03d}.npy", np.zeros((40, 64, 64), np.float32))
    np.save(data / "003.npy", np.full((8, 8, 1), np.nan))
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", "--pairs", "patient", *SMALL, "--dry-run")
    assert done.code == 0, done.err
    assert "can't be decoded and are left out: decoded to shape [40, 64, 64], a picture of 64 channels" in done.err
    assert "(3); decoded to shape [8, 8, 1] without a finite number (1)" in done.err


def test_a_canvas_that_shrinks_pictures_more_than_8_fold_warns_once(samples, cli, tmp_path):
    warning = "samples shrink more than 8-fold on a canvas of 32 pixels"
    words = ("toy", "pretrain", samples, "--out", tmp_path / "run", "--pairs", "patient", *SMALL, "--dry-run")
    np.save(samples.parent / "data" / "000.npy", np.zeros((256, 10, 1), np.uint8))
    done = cli(*words)
    assert done.code == 0, done.err
    assert warning not in done.err
    for number in range(12):
        np.save(samples.parent / "data" / f"{number:03d}.npy", np.zeros((10, 300 + number, 1), np.uint8))
    done = cli(*words)
    assert done.code == 0, done.err
    assert done.err.count(warning) == 1
    assert "--set views.size=64" in done.err


def test_the_default_batch_fits_composition_processes_and_what_can_be_decoded(samples, cli, tmp_path):
    from ssl_domains.cli.work.configuring import configure
    from ssl_domains.cli.work.pairs import ChosenPairs, training_rows
    from ssl_domains.extending import Registry
    from ssl_domains.samples import read_table

    train = training_rows(read_table(samples))
    domain = Registry().domain("toy")
    for rule, processes, sets, batch in (
        ("same('patient')", 1, (), 36),
        ("same('patient')", 5, (), 30),
        ("same('patient')", 5, ("pairs.composition=random",), 35),
        ("none", 7, (), 35),
        ("same('patient')", 5, ("train.batch_size=12",), 12),
    ):
        config = configure(domain, train, ChosenPairs(rule), sets=sets, world_size=processes)
        assert config.train.batch_size == batch

    (samples.parent / "data" / f"{train.frame['sample'][0]}.npy").write_bytes(b"cut")
    short = ("--set", "train.epochs=1", "--set", "head.hidden=16", "--set", "head.out=8")
    done = cli("toy", "pretrain", samples, "--out", tmp_path / "run", "--pairs", "patient", *short)
    assert done.code == 0, done.err
    assert "batch_size = 34" in (tmp_path / "run" / "config.toml").read_text()


def test_a_method_that_reads_no_pairs_refuses_a_rule(samples, cli, tmp_path):
    """A rule that neither the loss nor the batches read must not be announced; partners as views read it."""
    file = tmp_path / "own.py"
    file.write_text(
        "from ssl_domains.extending import MethodEntry\n\n\n"
        "def ssl_domains_methods():\n"
        "    return [MethodEntry('bootstrap', 'no pairs', 'Doe 2026', 'method_doubles:Bootstrap')]\n",
        encoding="utf-8",
    )
    start = ("--plugin-file", file, "toy", "pretrain", samples, "--out", tmp_path / "run", *SMALL)
    start = (*start, "--method", "bootstrap", "--dry-run", "--set", "train.max_steps=1")
    for rule in (("--rule", "same('patient')"), ("--pairs", "patient")):
        done = cli(*start, *rule)
        assert done.code == 2
        assert "'bootstrap' reads no pairs and would ignore the rule" in done.err
        assert "--set pairs.composition=partner" in done.err
        assert "pairs: same" not in done.out, "a rule that is refused is not announced"
    assert cli(*start).code == 0
    partners = cli(*start, "--pairs", "patient", "--set", "pairs.composition=partner")
    assert partners.code == 0, partners.err
    assert cli(*start, "--pairs", "patient", "--relations", "none").code == 0
