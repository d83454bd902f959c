"""Run a whole study: check the pairs, run every cell, compute the statistics, write result, report and page."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ssl_domains.engine.processes.precision import resolve_device, resolve_precision
from ssl_domains.engine.record.provenance import environment
from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.probes import HEADLINE
from ssl_domains.samples import alone_in, require_folder, write_errors, write_whole
from ssl_domains.studies.design.arms import Arm
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.plan import StudyPlan, estimate_seconds, pairs_of, pin_composition, reference_steps
from ssl_domains.studies.design.requested import scored_rows
from ssl_domains.studies.design.study_file import ContrastEntry, StudyFile
from ssl_domains.studies.evidence.assemble import arm_results, contrasts, nuisance_rows, scores_of
from ssl_domains.studies.evidence.result import ContrastSpec, InformationRow, StudyResult
from ssl_domains.studies.measuring.identity import shared_identity, with_identity
from ssl_domains.studies.measuring.run import Say, run_study, spell
from ssl_domains.studies.page.page import write_result_page
from ssl_domains.studies.page.report import write_study_report

__all__ = ["Conducted", "alone_in_study", "conduct"]


@dataclass(frozen=True)
class Conducted:
    """What `conduct` returns.

    Attributes:
        result: Scores and contrasts; None when only some arms were run or only the time was estimated.
        report: Path of the HTML report; None whenever ``result`` is.
        estimated: Wall-clock seconds that were estimated before the start.
    """

    result: StudyResult | None
    report: Path | None
    estimated: float


def conduct(
    study: StudyFile,
    material: Material,
    arms: Sequence[Arm],
    *,
    command: str,
    jobs: int,
    say: Say,
    only: Sequence[str] = (),
    estimate_only: bool = False,
) -> Conducted:
    """Check the pairs of every rule, print a time estimate, run the cells without a result, and write the results.

    Args:
        study: The study file.
        material: What all cells share.
        arms: All arms of the study, controls and floors included.
        command: The command line that reproduces this result; printed on the page.
        jobs: Number of cells that run at the same time.
        say: Called with one line of text for each step.
        only: Names of the arms to run; no result is written then. Empty runs all arms.
        estimate_only: Stop after the time estimate.

    Raises:
        UsageError: For the name of an arm or a measure that does not exist, or when another process runs the study.
        DataError: When the pairs of a rule can't be used for training.
    """
    for name in only:
        if name not in {arm.name for arm in arms}:
            raise UsageError(f"there is no arm {name!r}", did_you_mean(name, [arm.name for arm in arms]))
    with alone_in_study(material.out):
        return _conduct(study, material, arms, command, jobs, say, only, estimate_only)


@contextmanager
def alone_in_study(out: str | Path) -> Iterator[None]:
    """Keep other processes from running a study in this folder, during a block.

    Raises:
        UsageError: When another process does, with its process id; when the folder can't be written to.
    """
    require_folder(out)
    with alone_in(out, f"the study in {str(out)!r} is being run", "give another --out"):
        yield


def _conduct(
    study: StudyFile,
    material: Material,
    arms: Sequence[Arm],
    command: str,
    jobs: int,
    say: Say,
    only: Sequence[str],
    estimate_only: bool,
) -> Conducted:
    before = time.perf_counter()
    arms = [with_identity(material, arm) for arm in _pinned(material, arms)]
    information, warnings = _inspect(material, arms)
    for warning in warnings:
        say(f"warning: {warning}")
    plan = StudyPlan(
        arms=tuple(arms),
        seeds=tuple(range(study.seeds)),
        fractions=tuple(sorted(study.fractions)),
        grid=tuple(study.grid) or ({},),
        primary_fraction=study.primary.fraction,
        label=study.label,
        folds=len(material.groups.folds),
        steps=reference_steps(material),
    )
    primary, *further = (_spec(entry, study, material, arms) for entry in (study.primary, *study.secondary))
    registered = _first_primary(material.out, primary)
    seconds = estimate_seconds(material, plan) / jobs
    say(_opening(study, material, plan, seconds, jobs))
    if estimate_only:
        return Conducted(None, None, seconds)
    results, chosen = run_study(material, plan, shared_identity(study, material), jobs=jobs, say=say, only=only)
    if only:
        say("only some arms were run: the result is written by a run without --only")
        return Conducted(None, None, seconds)
    notes = _notes(study, material, plan)
    if registered != primary:
        notes.append(
            f"The primary contrast was changed after results existed: it was first {registered.a} against "
            f"{registered.b}."
        )
    spent = sum(sum(result.seconds) for cells in results.values() for _, result in cells)
    device = resolve_device(material.config.train.device)
    result = StudyResult(
        name=study.name,
        title=study.title,
        about=study.about,
        command=command,
        label=study.label,
        task=material.labels.task,
        group=study.group,
        folds=plan.folds,
        seeds=plan.seeds,
        fractions=plan.fractions,
        probe=study.primary.probe,
        measure=primary.measure,
        transductive=material.transductive,
        arms=arm_results(arms, study.label, chosen, primary),
        scores=scores_of(material, plan, results),
        primary=primary,
        secondary=contrasts(plan, primary, further),
        nuisance=nuisance_rows(plan, results),
        information=information,
        notes=tuple(notes),
        environment={**environment(device, resolve_precision(material.config.train.precision, device)), "threads": 1},
        seconds=spent,
        margin=study.margin,
    )
    result.write(material.out / "results.json")
    report = write_study_report(result, material.out / "report.html")
    write_result_page(result, material.out / "page")
    say(f"done in {spell(time.perf_counter() - before)}; trainings and probes took {spell(spent)} in all")
    return Conducted(result, report, seconds)


def _spec(entry: ContrastEntry, study: StudyFile, material: Material, arms: Sequence[Arm]) -> ContrastSpec:
    names = [arm.name for arm in arms]
    if entry.against not in names:
        raise UsageError(f"there is no arm {entry.against!r} to compare with", did_you_mean(entry.against, names))
    default = "mean Dice" if entry.probe == "dense" else HEADLINE[material.labels.task]
    if entry is study.primary:
        default = material.primary_measure.name
    return ContrastSpec(entry.arm, entry.against, entry.probe, entry.fraction, entry.measure or default)


def _pinned(material: Material, arms: Sequence[Arm]) -> list[Arm]:
    pinned: dict[str, Arm] = {}
    for arm in arms:
        if arm.of:
            config = {**arm.config, **{k: v for k, v in pinned[arm.of].config.items() if k.startswith("pairs.comp")}}
            pinned[arm.name] = Arm(**{**arm.__dict__, "config": config})
        else:
            pinned[arm.name] = pin_composition(material, arm) if arm.kind == "rule" else arm
    return list(pinned.values())


def _inspect(material: Material, arms: Sequence[Arm]) -> tuple[tuple[InformationRow, ...], list[str]]:
    """Inspect the pairs of every rule before training: how well positives agree on label and nuisance, and warnings.

    Raises:
        DataError: When a rule has pairs that can't be used, with the name of the arm.
    """
    rows: dict[tuple[str, str], InformationRow] = {}
    warnings: list[str] = []
    for arm in arms:
        if arm.kind != "rule":
            continue
        report = pairs_of(material, arm).inspect(material.label, material.nuisance)
        try:
            report.check()
        except DataError as error:
            raise DataError(f"{arm.name}: {error.message}", error.hint) from error
        warnings += [f"{arm.name}: {warning}" for warning in report.warnings]
        for relation in report.relations:
            for one in relation.sharing:
                row = InformationRow(relation.text, one.column, one.role, one.agreement, one.chance, one.nmi)
                # Arms may share a relation: it gets one row, computed on the batches of the first such arm.
                rows.setdefault((row.rule, row.column), row)
    return tuple(rows.values()), warnings


def _first_primary(out: Path, primary: ContrastSpec) -> ContrastSpec:
    """The primary contrast that the study had when it first ran in this folder; stored on the first run."""
    path = out / "primary.json"
    try:
        return ContrastSpec(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        text = json.dumps(primary.__dict__)
        with write_errors(str(path)):
            write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))
        return primary


def _opening(study: StudyFile, material: Material, plan: StudyPlan, seconds: float, jobs: int) -> str:
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


def _notes(study: StudyFile, material: Material, plan: StudyPlan) -> list[str]:
    notes = [
        f"Every trained arm has {plan.steps} updates of {material.config.train.batch_size} samples, "
        f"{material.config.encoder.name} {_input_size(material)}.",
    ]
    if len(plan.grid) > 1:
        aside = len(set(material.groups.codes[material.groups.tuning.train | material.groups.tuning.test].tolist()))
        notes.append(
            f"Each arm chose among the same {len(plan.grid)} grid points on {aside} groups that are never tested, "
            "with a seed that is not reported."
        )
    if any(arm.reads_label(study.label) and arm.kind != "supervised" for arm in plan.arms):
        notes.append(
            "Supervised contrastive arms read the labels of the labelled fraction; all other rows have only their own "
            "views as positives."
        )
    for arm in plan.arms:
        if arm.kind == "composed" and arm.config.get("pairs.composition") == "random":
            notes.append(f"The batches of {arm.of} are uniform, so {arm.name} is the same training as SimCLR.")
    if material.unsure is not None:
        notes.append(_scored_share(material))
    return notes


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
