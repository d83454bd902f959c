"""``study``: from a STUDY.toml to a table, a report and a page."""

from __future__ import annotations

import json
import shutil
import tomllib

import pytest

from ssl_domains.engine.record.config import HeadConfig

STUDY = """
name = "toys"
title = "Toys"
about = "Noise. Nothing is claimed."
samples = "{samples}"
label = "kind"
group = "patient"
folds = 2
seeds = 1
fractions = [1.0]
tuning = 0.4

[config.train]
max_steps = 2
batch_size = 12
[config.head]
hidden = 16
out = 8

[arms.patient]
pairs = "patient"

[primary]
arm = "patient"
fraction = 1.0
"""


@pytest.fixture
def study(samples, tmp_path):
    file = tmp_path / "STUDY.toml"
    file.write_text(STUDY.format(samples=samples), encoding="utf-8")
    return file


def test_a_study_prints_one_table_and_goes_on_where_it_was(study, samples, cli, tmp_path):
    words = ("toy", "study", study, "--out", tmp_path / "out", "--jobs", "1")
    estimated = cli(*words, "--estimate")
    assert estimated.code == 0, estimated.err
    assert "7 groups of 'patient' in 2 folds" in estimated.err
    assert not (tmp_path / "out" / "cells").exists()

    one = cli(*words, "--only", "simclr")
    assert one.code == 0, one.err
    assert "only some arms were run" in one.err

    done = cli(*words)
    assert done.code == 0, done.err
    for arm in ("random", "supervised", "simclr", "patient", "patient, batches only", "patient, shuffled"):
        assert arm in done.out
    assert "report.html" in done.out
    assert "simclr (fold 0, seed 0)" in one.err
    assert "simclr (fold 0, seed 0)" not in done.err  # its cells were there
    assert (tmp_path / "out" / "report.html").is_file()
    assert (tmp_path / "out" / "page" / "toys.md").is_file()

    again = cli(*words, "--json")
    assert again.code == 0, again.err
    assert again.json["primary"]["a"] == "patient"
    assert "[1/" not in again.err

    # The pages alone, in another folder: neither samples nor store are read.
    cells = tmp_path / "toys.cells.parquet"
    shutil.copy(tmp_path / "out" / "page" / cells.name, cells)
    study.write_text(study.read_text().replace(str(samples), "gone.parquet").replace('"Toys"', '"Toys anew"'))
    pages = cli("toy", "study", study, "--out", tmp_path / "pages", "--again")
    assert pages.code == 0, pages.err
    assert "nothing is trained" in pages.err
    assert "Toys anew" in pages.out
    before, after = ((tmp_path / name / "page" / "toys.md").read_text() for name in ("out", "pages"))
    assert after == before.replace("# Toys\n", "# Toys anew\n")

    cells.write_bytes(cells.read_bytes()[:-20])
    damaged = cli("toy", "study", study, "--out", tmp_path / "other", "--again")
    assert damaged.code == 4
    assert f"rm {cells}" in damaged.err


METHOD = """
[arms.again]
method = "simclr"
config = { "method.temperature" = 0.1 }
[arms.sharp]
method = "simclr"
config = { "method.temperature" = 0.01 }
"""


def test_an_arm_may_have_a_method_of_its_own(study, cli, tmp_path):
    study.write_text(study.read_text().replace("max_steps = 2", "max_steps = 6") + METHOD)
    done = cli("toy", "study", study, "--out", tmp_path / "out", "--jobs", "1", "--json")
    assert done.code == 0, done.err
    scores = {}
    for name in ("simclr", "again", "sharp"):
        results = sorted((tmp_path / "out" / "cells" / name).glob("fold*/result.json"))
        assert len(results) == 2
        scores[name] = [json.loads(path.read_text())["scores"] for path in results]
    assert scores["again"] == scores["simclr"]
    assert scores["sharp"] != scores["simclr"]
    assert "again − simclr" in (tmp_path / "out" / "page" / "toys.md").read_text()


def test_an_arm_may_do_without_what_the_study_sets(study, cli, tmp_path):
    arms = """
[arms.other]
config = { "head.hidden" = 32, "head.out" = 128 }
[arms.usual]
without = ["head", "train.max_steps"]
"""
    study.write_text(study.read_text() + arms)
    done = cli("toy", "study", study, "--out", tmp_path / "out", "--jobs", "1", "--only", "usual")
    assert done.code == 0, done.err
    (config, *_) = sorted((tmp_path / "out" / "cells" / "usual").glob("fold*/run/config.toml"))
    head = tomllib.loads(config.read_text())["head"]
    default = HeadConfig()
    assert (head["hidden"], head["out"]) == (default.hidden, default.out) != (16, 8)

    study.write_text(study.read_text().replace('"train.max_steps"]', '"train.max_step"]'))
    wrong = cli("toy", "study", study, "--out", tmp_path / "out", "--only", "usual")
    assert wrong.code == 2
    assert "arm 'usual': without 'train.max_step', which the study's `config` doesn't set" in wrong.err
    assert "did you mean 'train.max_steps'?" in wrong.err


def test_features_are_also_standardised_within_groups(study, cli, tmp_path):
    text = study.read_text().replace("seeds = 1", 'seeds = 1\nstandardise_by = "patient"')
    study.write_text(text)
    done = cli("toy", "study", study, "--out", tmp_path / "out", "--jobs", "1", "--json")
    assert done.code == 0, done.err
    probes = {arm: {one["probe"] for one in done.json["scores"] if one["arm"] == arm} for arm in ("random", "patient")}
    frozen = {"linear", "k-NN", "linear, standardised", "k-NN, standardised"}
    assert probes == {"random": frozen, "patient": frozen}
    page = (tmp_path / "out" / "page" / "toys.md").read_text()
    assert "Probes named 'standardised' are transductive" in page
    study.write_text(text.replace('standardise_by = "patient"', 'standardise_by = "pateint"'))
    wrong = cli("toy", "study", study, "--out", tmp_path / "out")
    assert wrong.code == 2
    assert "pateint" in wrong.err


def test_a_pilot_runs_its_own_arms(study, cli, tmp_path):
    words = ("toy", "study", study, "--out", tmp_path / "out", "--pilot")
    for more in (("--only", "simclr"), ("--estimate",)):
        done = cli(*words, *more)
        assert done.code == 2
        assert f"--pilot runs arms of its own, so {more[0]} has no meaning beside it" in done.err
    done = cli(*words)
    assert done.code == 2
    assert "the study has 1 seed" in done.err
    study.write_text(study.read_text().replace("seeds = 1", "seeds = 3"))
    done = cli(*words, "--jobs", "1", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["detectable"] > 0
    assert found["margin"] is None
    assert not found["cannot_tell"]
    assert not (tmp_path / "out" / "cells").exists()


def test_again_runs_nothing(study, cli, tmp_path):
    words = ("toy", "study", study, "--out", tmp_path / "out", "--again")
    for more in (("--only", "simclr"), ("--estimate",), ("--pilot",)):
        done = cli(*words, *more)
        assert done.code == 2
        assert f"--again runs nothing, so {more[0]} has no meaning beside it" in done.err
    done = cli(*words)
    assert done.code == 2
    assert "there are no stored cells in" in done.err
    assert "run the study without --again" in done.err


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        ('pairs = "patient"', 'pairs = "pateint"', 2, "pateint"),
        ('label = "kind"', 'label = "knid"', 2, "did you mean 'kind'?"),
        ('group = "patient"', 'group = "one"', 4, "too few"),
        ("seeds = 1", "seed = 1", 2, "did you mean 'seeds'?"),
        ("max_steps", "max_stpes", 2, "did you mean 'train.max_steps'?"),
        ('arm = "patient"\n', 'arm = "patient"\nagainst = "simclrr"\n', 2, "did you mean 'simclr'?"),
        ('pairs = "patient"', "rule = \"same('alone')\"", 4, "this equals SimCLR"),
        ('pairs = "patient"', 'pairs = "patient"\nmethod = "simcrl"', 2, "did you mean 'simclr'?"),
        (
            'pairs = "patient"',
            'pairs = "patient"\nmethod = "simclr"\nconfig = {"method.momentum" = 1.0}',
            2,
            "arm 'patient': the method 'simclr' has no option 'momentum'",
        ),
    ],
)
def test_slips_are_told_before_anything_is_trained(study, cli, tmp_path, old, new, code, told):
    study.write_text(study.read_text().replace(old, new))
    done = cli("toy", "study", study, "--out", tmp_path / "out", "--jobs", "1")
    assert done.code == code, done.err
    assert told in done.err
    assert not (tmp_path / "out" / "cells").exists()


def test_a_missing_study_is_a_usage_error(cli, tmp_path):
    done = cli("medical", "study", tmp_path / "none.toml", "--out", tmp_path / "out")
    assert done.code == 2
    assert "cannot read the study" in done.err
