"""Each method takes two steps on slices of volumes and on signals; where it can't, `methods list` says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import tone_domain
from ssl_domains.engine import Run
from ssl_domains.extending.methods import BUILT_IN

NAMES = [entry.name for entry in BUILT_IN]
FEW = tuple(
    word
    for value in ("train.batch_size=8", "train.device=cpu", "train.max_steps=2", "train.warmup_epochs=0")
    for word in ("--set", value)
)
HEAD = ("--set", "head.hidden=16", "--set", "head.out=8")
NO_HEAD = {"rotation", "masked", "deep_cluster", "cpc"}
ALL, FEWER = "method.mapping=all", "method.windows=2"
RULE = {"supcon", "siamese", "triplet", "lifted_structure", "n_pair", "margin", "sigmoid", "simclr", "moco", "byol",
        "instance_discrimination", "seqclr"}  # fmt: skip
"""Methods that are tried with a rule."""
OPTIONS = {
    "cpc": ("--set", "method.context=8"),
    "deep_cluster": ("--set", "method.clusters=3"),
    "swav": ("--set", "method.prototypes=6", "--set", "method.local_views=1"),
    "dino": ("--set", "method.prototypes=6", "--set", "method.local_views=1"),
}
WITHOUT_CROP = ("--set", 'views.without=["crop"]')
SLICES = {"masked": ("--encoder", "small_vit"), "seqclr": (*WITHOUT_CROP, "--set", "method.windows=2")}
SIGNALS = {"rotation": ("--set", 'method.transforms=["identity", "time_reversal"]'), "seqclr": WITHOUT_CROP}


def words(name: str, rule: str) -> tuple[str, ...]:
    pairs = ("--rule", rule) if name in RULE else ()
    return ("--method", name, *pairs, *FEW, *(() if name in NO_HEAD else HEAD), *OPTIONS.get(name, ()))


def scanned(domain: str, cli: Any, folder: Path) -> Path:
    assert cli(domain, "demo-data", folder / "data").code == 0
    done = cli(domain, "scan", folder / "data", "-o", folder / "samples.parquet")
    assert done.code == 0, done.err
    return folder / "samples.parquet"


def two_steps(done: Any, out: Path, name: str) -> Run:
    assert done.code == 0, done.err
    run = Run.open(out)
    assert run.step == 2
    assert run.config.method.name == name
    assert all(torch.isfinite(torch.tensor(row["loss"])) for row in run.metrics())
    return run


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo data of tones has twelve recordings of four persons."""
    monkeypatch.setattr(tone_domain, "PERSONS", 4)


@pytest.mark.parametrize("name", NAMES)
def test_two_steps_on_slices_of_volumes(name: str, plugin: Callable[..., Path], cli: Any, tmp_path: Path) -> None:
    plugin("slices", "from slice_domain import *\n", app=None)
    table = scanned("slices", cli, tmp_path)
    choice = words(name, "same('volume')")
    done = cli("slices", "pretrain", table, "--out", tmp_path / "run", *choice, *SLICES.get(name, ()))
    run = two_steps(done, tmp_path / "run", name)
    assert run.preprocess.spec.space == (32, 32)


@pytest.mark.parametrize("name", NAMES)
def test_two_steps_on_signals(
    name: str, plugin: Callable[..., Path], cli: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    plugin("tone", "from tone_domain import *\n", app=None)
    monkeypatch.setattr(tone_domain, "PERSONS", 4)
    table = scanned("tone", cli, tmp_path)
    choice = words(name, "same('person')")
    done = cli("tone", "pretrain", table, "--out", tmp_path / "run", *choice, *SIGNALS.get(name, ()))
    assert two_steps(done, tmp_path / "run", name).preprocess.spec.kind == "wave"


REFUSED = {
    "square pictures; others with method.transforms": (
        "rotation", "tone", (), "the transform 'rotate_90' doesn't fit inputs of kind 'wave'"
    ),
    "pictures, with a ViT; signals": ("masked", "slices", (), "takes a plain ViT of timm, not 'small_conv'"),
    "pictures of one size (columns of patches), waveforms, spectrograms and series": (
        "cpc", "slices", ("--encoder", "small_vit"), "can't take inputs of 8 × 8"
    ),
    "any, with an encoder whose map has several places": (
        "deep_infomax", "slices", ("--set", "views.size=8"), "has only one for this input"
    ),
    "lines, signals and spectrograms": ("seqclr", "slices", ("--set", FEWER), "the view step 'crop' moves places"),
    "any whose recipe has crops": (
        "swav", "plain", (), "the recipe has no variant 'local'"
    ),
}  # fmt: skip
"""Sentence of `methods list` on inputs → a method, a domain and options that it excludes, and what is said."""

PLAIN = """
from dataclasses import replace
import slice_domain
from ssl_domains.views import Noise, ViewRecipe


def recipe(request):
    return ViewRecipe((Noise(reason="scanners are noisy"),), request.size, request.views)


def ssl_domains_domains():
    return [replace(slice_domain.DOMAIN, name="plain", recipe=recipe)]
"""


def test_what_the_list_says_of_inputs_is_what_is_refused(
    plugin: Callable[..., Path], few: None, cli: Any, tmp_path: Path
) -> None:
    plugin("slices", "from slice_domain import *\n", app=None)
    plugin("plain", PLAIN, app=None)
    plugin("tone", "from tone_domain import *\n", app=None)
    listed = {row["name"]: row["inputs"] for row in cli("methods", "list", "--json").json}
    assert {said for name, said in listed.items() if name in NAMES} == {"any", *REFUSED}
    assert {name for name, said in listed.items() if said == "any whose recipe has crops"} == {"swav", "dino"}
    tables = {name: scanned(name, cli, tmp_path / name) for name in ("slices", "plain", "tone")}
    for said, (name, domain, options, cause) in REFUSED.items():
        assert listed[name] == said
        out = tmp_path / f"run-{name}"
        done = cli(domain, "pretrain", tables[domain], "--out", out, *words(name, "same('volume')"), *options)
        assert done.code == 2, done.err
        assert cause in done.err
        assert "hint: " in done.err
        assert not out.exists()


def test_a_crop_is_refused_where_instances_must_be_aligned(
    plugin: Callable[..., Path], cli: Any, tmp_path: Path
) -> None:
    plugin("slices", "from slice_domain import *\n", app=None)
    table = scanned("slices", cli, tmp_path)
    done = cli("slices", "pretrain", table, "--out", tmp_path / "run", *words("seqclr", "none"), "--set", FEWER)
    assert done.code == 2
    assert "error: the view step 'crop' moves places" in done.err
    assert 'views.without=["crop"]\'' in done.err
    done = cli("slices", "pretrain", table, "--out", tmp_path / "all", *words("seqclr", "none"), "--set", ALL)
    two_steps(done, tmp_path / "all", "seqclr")
