"""Remarks on a study as a whole, for its pages, and the line that is printed before it runs."""

from __future__ import annotations

import numpy as np

from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.plan import StudyPlan
from ssl_domains.studies.design.requested import scored_rows
from ssl_domains.studies.design.study_file import StudyFile
from ssl_domains.studies.measuring.run import spell

__all__ = ["notes", "opening"]


def opening(study: StudyFile, material: Material, plan: StudyPlan, seconds: float, jobs: int) -> str:
    """What will run and about how long it takes."""
    groups = f"{len(material.groups.tested)} groups of {study.group!r}"
    held = f"in {plan.folds} folds" if study.folds else "held out by the table's split"
    seeds = f"{len(plan.seeds)} seed{'s' if len(plan.seeds) > 1 else ''}"
    return (
        f"{study.name}: {len(plan.arms)} arms, {seeds}, {groups} {held}; {plan.count()} trainings and "
        f"measurements of {plan.steps} updates, about {spell(seconds)} with {jobs} at a time"
    )


def _input_size(material: Material) -> str:
    """``at 64 px`` for pictures, ``on inputs of any length`` or ``on 250 places`` for other data."""
    if material.config.views.size is not None:
        return f"at {material.config.views.size} px"
    source = material.how_inputs_are_made(material.table)["preprocess"]
    sides = source.spec.space if source is not None else material.config.views.square[:1] * 2
    return "on inputs of " + " × ".join("any length" if side is None else f"{side} places" for side in sides)


def notes(study: StudyFile, material: Material, plan: StudyPlan) -> list[str]:
    """Remarks on training, grid and scored rows."""
    lines = [
        f"Every trained arm has {plan.steps} updates of {material.config.train.batch_size} samples, "
        f"{material.config.encoder.name} {_input_size(material)}.",
    ]
    if len(plan.grid) > 1 and plan.tuned_by_fold:
        lines.append(
            f"In each fold, each arm chose among the same {len(plan.grid)} grid points on groups that train in this "
            "fold, with a seed that is not reported."
        )
    elif len(plan.grid) > 1:
        (tuning,) = material.groups.tuning
        aside = len(set(material.groups.codes[tuning.train | tuning.test].tolist()))
        lines.append(
            f"Each arm chose among the same {len(plan.grid)} grid points on {aside} groups that are never tested, "
            "with a seed that is not reported."
        )
    if any(arm.reads_label(study.label) and arm.kind != "supervised" for arm in plan.arms):
        lines.append(
            "Supervised contrastive arms read the labels of the labelled fraction; all other rows have only their own "
            "views as positives."
        )
    if material.standardise_by is not None:
        lines.append(
            f"Probes named 'standardised' are transductive: they read features that are standardised within each "
            f"{material.standardise_by!r}, whose test rows give its mean and deviation."
        )
    for arm in plan.arms:
        if arm.kind == "composed" and arm.config.get("pairs.composition") == "random":
            lines.append(f"The batches of {arm.of} are uniform, so {arm.name} is the same training as SimCLR.")
    if material.labels.task == "multilabel":
        lines.append(_prevalence(material))
    if material.unsure is not None:
        lines.append(_scored_share(material))
    return lines


def _prevalence(material: Material) -> str:
    """The share of tested rows with each class, which is the average precision of a guess."""
    tested = np.any([fold.test for fold in material.groups.folds], axis=0) & material.labels.known
    shares = material.labels.take(tested).membership().mean(axis=0)
    each = ", ".join(f"{name} {share:.3f}" for name, share in zip(material.labels.classes, shares, strict=True))
    return (
        f"A guess has the share of test rows with a class as its average precision: {each}; {shares.mean():.3f} on "
        "average."
    )


def _scored_share(material: Material) -> str:
    assert material.unsure is not None
    floor, below = material.unsure
    folds = range(len(material.groups.folds))
    scored = sum(int(scored_rows(material, fold).sum()) for fold in folds)
    labelled = sum(int((fold.test & material.labels.known).sum()) for fold in material.groups.folds)
    share = f"{scored:,} of {labelled:,} labelled test rows ({scored / labelled:.0%})"
    return (
        f"{material.label} is scored only on the {share} whose label {floor} predicts with a probability below "
        f"{below:g}."
    )
