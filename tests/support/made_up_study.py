"""Made-up results of a study, as `study` would write them: skill decides the arms, and nothing was trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ssl_domains.studies.design.measures import BALANCED_ACCURACY, MACRO_F1
from ssl_domains.studies.evidence.result import (
    ArmResult,
    ContrastSpec,
    InformationRow,
    NuisanceRow,
    Score,
    StudyResult,
)
from ssl_domains.studies.evidence.sums import Evidence

RULE = "same('volume') & within('position_mm', 4)"
SKILL = {
    "random": (0.10, 0.28), "supervised": (0.18, 0.58), "simclr": (0.34, 0.55), "neighbours": (0.46, 0.63),
    "neighbours, batches only": (0.33, 0.54), "neighbours, shuffled": (0.12, 0.30), "volume": (0.27, 0.47),
    "class": (0.36, 0.71), "floor: position": (0.38, 0.42), "features: HOG": (0.22, 0.36),
}  # fmt: skip
CLASSES = 4


def arms() -> tuple[ArmResult, ...]:
    point = {"train.lr": 0.003, "loss.temperature": 0.1}
    return (
        ArmResult("random", "random initialisation, no training", "random"),
        ArmResult("supervised", "supervised from scratch on the labelled fraction", "supervised", chosen=point),
        ArmResult("simclr", "SimCLR, uniform batches", "simclr", chosen=point, primary=True),
        ArmResult("neighbours", "slices next to each other", "rule", RULE, chosen=point, primary=True),
        ArmResult("neighbours, batches only", "SimCLR with the batches of neighbours", "composed", RULE, chosen=point),
        ArmResult("neighbours, shuffled", "neighbours on shuffled metadata", "shuffled", RULE, chosen=point),
        ArmResult("volume", "any two slices of a volume", "rule", "same('volume')", chosen=point),
        ArmResult("class", "the label itself", "rule", "same('class')", labels_read=True, chosen=point),
        ArmResult("floor: position", "trees on position", "floor"),
        ArmResult("features: HOG", "hand-made features, HOG", "handmade"),
    )


def made_up(groups: int = 40, seeds: int = 5, transductive: bool = False) -> StudyResult:
    rng = np.random.default_rng(groups)
    fractions = (0.1, 1.0)
    hard = rng.normal(0, 0.12, size=groups)
    rows = rng.integers(25, 60, size=groups)
    scores = []
    for arm, skills in SKILL.items():
        for probe, less in (("linear", 0.0), ("knn", 0.05)):
            for fraction, skill in zip(fractions, skills, strict=True):
                luck = rng.normal(0, 0.015, size=(seeds, 1))
                right = np.clip(skill - less + luck + hard + rng.normal(0, 0.06, size=(seeds, groups)), 0.02, 0.97)
                sums = np.stack([[confusion(rng, right[s, g], rows[g]) for g in range(groups)] for s in range(seeds)])
                names = tuple(f"volume {number}" for number in range(groups))
                evidence = {
                    one.name: Evidence(one, sums, names, tuple(range(seeds))) for one in (BALANCED_ACCURACY, MACRO_F1)
                }
                plain = {"AUROC": None if arm == "random" else 0.5 + skill / 2}
                scores.append(Score(arm, probe, fraction, round(1500 * fraction), evidence, plain))
    measure = BALANCED_ACCURACY.name

    def against(a: str, b: str, fraction: float = 0.1) -> ContrastSpec:
        return ContrastSpec(a, b, "linear", fraction, measure)

    return StudyResult(
        name="made-up",
        title="Slice class of a made-up hippocampus",
        about="Everything here is made up, to test the page: no net was trained.\n\nNo claim of any kind.",
        command="ssl-domains medical study studies/made-up.toml --out study-made-up",
        label="class",
        task="classification",
        group="volume",
        folds=5,
        seeds=tuple(range(seeds)),
        fractions=fractions,
        probe="linear",
        measure=measure,
        transductive=transductive,
        arms=arms(),
        scores=tuple(scores),
        primary=against("neighbours", "simclr"),
        secondary=(
            against("neighbours", "simclr", 1.0), against("neighbours", "random"), against("neighbours", "supervised"),
            against("neighbours", "neighbours, batches only"), against("neighbours", "neighbours, shuffled"),
            against("volume", "simclr"), against("class", "simclr"),
        ),
        nuisance=tuple(
            NuisanceRow(arm, column, name, None if arm == "random" and column == "file" else round(value + 0.01 * i, 3))
            for i, arm in enumerate(("random", "simclr", "neighbours", "volume"))
            for column, name, value in (("position", "R²", 0.71), ("file", "balanced accuracy", 0.24))
        ),
        information=(
            InformationRow(RULE, "class", "label", 0.91, 0.31, 0.42),
            InformationRow(RULE, "file", "nuisance", 1.0, 0.5, None),
        ),
        notes=("The 63 slices with both classes are left out.", "The same volumes are labelled in every arm."),
        environment={"device": "cpu", "versions": {"torch": "2.9.1", "numpy": "2.3.0"}, "commit": None},
        seconds=3127.0,
    )  # fmt: skip


def confusion(rng: np.random.Generator, right: float, rows: int) -> np.ndarray:
    shares = np.full((CLASSES, CLASSES), (1 - right) / CLASSES) + right * np.eye(CLASSES)
    return rng.multinomial(rows, (shares / CLASSES).ravel()).astype(float)


def turned(result: StudyResult) -> StudyResult:
    """The same study asked the other way round, so that its rule loses."""
    primary = result.primary
    return replace(result, primary=replace(primary, a=primary.b, b=primary.a))


def undecided(result: StudyResult) -> StudyResult:
    """Two arms of the same skill."""
    return replace(result, primary=replace(result.primary, a="simclr", b="neighbours, batches only"))
