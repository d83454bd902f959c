"""TOML files: the configuration of a run, and of a study."""

from __future__ import annotations

import shutil
from pathlib import Path

from fuzzing.kind import Command, Kind, Plan
from fuzzing.mutations.raw import RAW
from fuzzing.mutations.text import TEXT
from fuzzing.mutations.tree import TOML

__all__ = ["KINDS"]

_SETTINGS = frozenset({0, 2, 3, 4, 5})
"""Exit codes for settings: they may name a method that isn't there, or views that don't fit into the memory."""

_CONFIG = """
[pairs]
rule = "same('person')"
composition = "auto"
per_group = 2

[views]
size = 16
without = []

[encoder]
name = "small_conv"
init = "random"

[head]
hidden = 16
out = 8

[method]
name = "simclr"
temperature = 0.1

[train]
epochs = 1
batch_size = 4
optimizer = "adamw"
lr = 0.001
warmup_epochs = 1.0
seed = 0
device = "cpu"
trackers = []

[health]
every_steps = 50
"""

_STUDY = """
name = "small"
title = "Pictures of persons"
about = "Made-up pictures, which show nothing."
samples = "samples.parquet"
label = "class"
group = "person"
folds = 2
seeds = 1
fractions = [1.0]
tuning = 0.3
within = "sample"
nuisance = ["age"]
only = { class = ["a", "b"] }

[config.train]
epochs = 1
batch_size = 4
[config.views]
size = 16
[config.encoder]
name = "small_conv"

[[grid]]
"train.lr" = 1e-3

[arms.person]
about = "positives share a person"
rule = "same('person')"

[floors]
"age alone" = ["age"]

[primary]
arm = "person"
against = "simclr"
fraction = 1.0
"""


def make_config(folder: Path, shared: Path) -> None:
    """A configuration beside a table."""
    case = folder / "small"
    shutil.copytree(shared / "in", case / "in")
    shutil.copy(shared / "samples.parquet", case)
    (case / "config.toml").write_text(_CONFIG, encoding="utf-8")


def make_study(folder: Path, shared: Path) -> None:
    """A study file beside its table."""
    case = folder / "small"
    shutil.copytree(shared / "in", case / "in")
    shutil.copy(shared / "samples.parquet", case)
    (case / "STUDY.toml").write_text(_STUDY, encoding="utf-8")


_DAMAGE = (*RAW, *TEXT, *(toml_tree for toml_tree in TOML * 8))

KINDS = (
    Kind(
        "config",
        make_config,
        ("config.toml",),
        _DAMAGE,
        (
            Plan((Command("config show --config config.toml", _SETTINGS),), 10),
            Plan((Command("medical pairs samples.parquet --config config.toml", _SETTINGS),), 5),
            Plan((Command("medical pretrain samples.parquet --out run --dry-run --config config.toml", _SETTINGS),), 2),
        ),
    ),
    Kind(
        "study",
        make_study,
        ("STUDY.toml",),
        _DAMAGE,
        (Plan((Command("medical study STUDY.toml --out out --estimate", _SETTINGS),)),),
    ),
)
