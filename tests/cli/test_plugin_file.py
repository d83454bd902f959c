"""The short method and the pair sampler of the pages train through ``--plugin-file``."""

from __future__ import annotations

import json

import polars as pl
import pytest

from page_plugin import ROOT, titled_blocks
from ssl_domains.engine import Run
from ssl_domains.testing import check_method

SMALL = tuple(
    word
    for value in ("train.batch_size=12", "train.device=cpu", "train.max_steps=2", "head.hidden=16", "head.out=8")
    for word in ("--set", value)
)


@pytest.fixture
def page(tmp_path):
    def file(name, title, old="", new=""):
        code = titled_blocks(ROOT / "docs" / "how-to" / f"{name}.md")[title]
        path = tmp_path / title
        path.write_text(code.replace(old, new), encoding="utf-8")
        return path, len([line for line in code.splitlines() if line.strip()])

    return file


def test_a_method_of_forty_lines(samples, cli, tmp_path, page):
    file, length = page("method-in-forty-lines", "align_uniform.py")
    assert length <= 40
    words = ("--plugin-file", file, "toy", "pretrain", samples, "--method", "align_uniform", *SMALL)
    done = cli(*words, "--out", tmp_path / "run", "--set", "method.weight=0.5")
    assert done.code == 0, done.err
    run = Run.open(tmp_path / "run")
    assert run.step == 2
    assert run.config.method.model_dump()["weight"] == 0.5
    refused = cli(*words, "--out", tmp_path / "other", "--set", "method.weight=-1")
    assert refused.code == 2
    assert "weight of the uniformity" in refused.err
    listed = cli("--plugin-file", file, "methods", "list", "--json")
    assert "align_uniform" in {one["name"] for one in json.loads(listed.out)}


def test_that_method_keeps_the_contract(page, tmp_path, monkeypatch):
    import importlib

    file, _ = page("method-in-forty-lines", "align_uniform.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    check_method(importlib.import_module(file.stem).AlignUniform)


def test_a_pair_sampler_of_six_lines(samples, cli, tmp_path, page):
    file, length = page("write-a-pair-sampler", "my_sampler.py", '"medical"', '"toy"')
    assert length <= 6
    frame = pl.read_parquet(samples).with_columns(scanner=pl.col("kind"), hour=pl.col("height") / 2)
    frame.write_parquet(tmp_path / "hours.parquet")
    words = ("--plugin-file", file, "toy", "pretrain", tmp_path / "hours.parquet", "--out", tmp_path / "run", *SMALL)
    done = cli(*words, "--pairs", "same_shift(hours=4)")
    assert done.code == 0, done.err
    assert Run.open(tmp_path / "run").config.pairs.rule == "same('scanner') & within('hour', 4)"
