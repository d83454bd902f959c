"""A pilot: its cells stand apart, and its number is that of the study's size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import small_study
from ssl_domains.studies import Arm, StudyFile, all_arms
from ssl_domains.studies.conducting.pilot import PILOT_SEEDS, Pilot, pilot
from ssl_domains.studies.design.measures import BALANCED_ACCURACY
from ssl_domains.studies.evidence.jackknife import pseudo_values
from ssl_domains.studies.evidence.random_effects import expected_effects

NEAR = Arm("near", "same place", "rule", "same('place')", reads=frozenset({"place"}))


def study_file(**changes: Any) -> StudyFile:
    values: dict[str, Any] = {
        "name": "bars", "title": "Bars", "about": "Made up.", "samples": "none", "label": "kind", "group": "scene",
        "folds": 2, "seeds": 5, "fractions": [0.5, 1.0], "probes": ["linear"], "margin": 0.02,
        "grid": [{"train.lr": 1e-3}, {"train.lr": 1e-2}],
        "arms": {"near": {"rule": "same('place')"}}, "primary": {"arm": "near", "fraction": 1.0},
    }  # fmt: skip
    return StudyFile.model_validate({**values, **changes})


def test_two_seeds_apart_foretell_what_the_study_finds(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path)
    arms = all_arms((NEAR,), {"near": True}, pretrained=False, floors=material.floors, handmade=())
    lines: list[str] = []
    found = pilot(study_file(), material, arms, jobs=1, say=lines.append)
    assert "8 cells of random and simclr" in lines[0]  # 2 arms × 2 folds × 2 seeds, no grid
    assert not (tmp_path / "cells").exists()
    assert not (tmp_path / "primary.json").exists()  # the primary contrast may still be changed unseen
    cells = sorted((tmp_path / "pilot" / "cells").glob("*/*/result.json"))
    assert {path.parent.parent.name for path in cells} == {"random", "simclr"}
    assert {path.parent.name for path in cells} == {f"fold{k}-seed{seed}" for k in (0, 1) for seed in PILOT_SEEDS}

    sums = np.full((2, 2, 16, 4), np.nan)
    for path in cells:
        (score,) = json.loads(path.read_text())["scores"]
        arm, seed = path.parent.parent.name == "simclr", path.parent.name.endswith(str(PILOT_SEEDS[1]))
        sums[int(arm), int(seed), score["groups"]] = score["sums"]["balanced accuracy"]
    sums = sums[:, :, material.groups.tested]
    numbers = pseudo_values(BALANCED_ACCURACY, sums[1]) - pseudo_values(BALANCED_ACCURACY, sums[0])
    assert found.detectable == pytest.approx(float(expected_effects(numbers, 5, 12).detectable()))
    assert (found.groups, found.seeds, found.margin) == (12, 5, 0.02)


def test_a_margin_below_what_is_found_cannot_be_told() -> None:
    wide = Pilot("balanced accuracy", "linear", 0.031, 5, 12, 0.02)
    assert wide.cannot_tell
    assert "12 groups × 5 seeds" in wide.lines()[0]
    assert "about 0.031" in wide.lines()[0]
    assert wide.lines()[1] == "The study cannot tell a difference of 0.02, the margin that matters in practice."
    narrow = Pilot("balanced accuracy", "linear", 0.012, 5, 12, 0.02)
    assert not narrow.cannot_tell
    assert narrow.lines()[1].startswith("The study can tell")
    assert not Pilot("balanced accuracy", "linear", 0.5, 5, 12, None).cannot_tell
