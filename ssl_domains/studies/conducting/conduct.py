"""Run a whole study: check the pairs, run every cell, compute the statistics, write result, report and page."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ssl_domains.engine.processes.precision import resolve_device, resolve_precision
from ssl_domains.engine.record.provenance import environment
from ssl_domains.errors import SslDomainsError, UsageError, did_you_mean
from ssl_domains.samples import alone_in, require_folder
from ssl_domains.studies.conducting.archives import archive_paths, keep_unfinished, read_archives, record_of
from ssl_domains.studies.conducting.notes import notes, opening
from ssl_domains.studies.conducting.pages import write_pages
from ssl_domains.studies.conducting.preparation import contrast_spec, first_primary, inspect_pairs, pinned_arms
from ssl_domains.studies.design.arms import Arm
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.plan import StudyPlan, estimate_seconds, reference_steps
from ssl_domains.studies.design.study_file import StudyFile
from ssl_domains.studies.evidence.assemble import arm_results
from ssl_domains.studies.evidence.record import StudyRecord
from ssl_domains.studies.evidence.result import StudyResult
from ssl_domains.studies.measuring.identity import shared_identity, with_identity
from ssl_domains.studies.measuring.run import Say, run_study, spell
from ssl_domains.studies.measuring.stored_cells import StoredCells

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
    committed: str | Path | None = None,
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
        committed: A file of cells beside the study file: cells in it are not run again. It need not exist.

    Raises:
        UsageError: For the name of an arm or a measure that does not exist, or when another process runs the study.
        DataError: When the pairs of a rule can't be used for training, or a file of cells is damaged.
    """
    for name in only:
        if name not in {arm.name for arm in arms}:
            raise UsageError(f"there is no arm {name!r}", did_you_mean(name, [arm.name for arm in arms]))
    with alone_in_study(material.out):
        return _conduct(
            study,
            material,
            arms,
            command,
            jobs,
            say,
            only,
            estimate_only,
            None if committed is None else Path(committed),
        )


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
    committed: Path | None,
) -> Conducted:
    before = time.perf_counter()
    archives = read_archives(archive_paths(material.out, study.name, committed))
    earlier = next((record_of(archive, path) for path, archive in archives.items() if archive.study), None)
    arms = [with_identity(material, arm) for arm in pinned_arms(material, arms)]
    information, warnings = inspect_pairs(material, arms)
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
        tuned_by_fold=material.groups.tuned_by_fold,
    )
    names = [arm.name for arm in arms]
    entries = (study.primary, *study.secondary)
    primary, *further = (
        contrast_spec(entry, material.labels.task, names, masks="dense" in study.probes) for entry in entries
    )
    registered = first_primary(material.out, primary, None if earlier is None else earlier.registered)
    seconds = estimate_seconds(material, plan) / jobs
    say(opening(study, material, plan, seconds, jobs))
    if estimate_only:
        return Conducted(None, None, seconds)
    stored = StoredCells(material.out, archives.values())
    shared = shared_identity(study, material)
    try:
        results, chosen = run_study(material, plan, shared, jobs=jobs, say=say, only=only, stored=stored)
    except BaseException:
        with suppress(SslDomainsError):  # the first error is the one to report; every cell has a file of its own too
            keep_unfinished(stored, material.out, study.name)
        raise
    if only:
        keep_unfinished(stored, material.out, study.name)
        say("only some arms were run: the result is written by a run without --only")
        return Conducted(None, None, seconds)
    device = resolve_device(material.config.train.device)
    machine = {**environment(device, resolve_precision(material.config.train.precision, device)), "threads": 1}
    if not stored.ran and earlier is not None:
        machine = dict(earlier.result.environment)  # of the machine that ran the cells
    record = StudyRecord(
        StudyResult(
            name=study.name,
            title=study.title,
            about=study.about,
            command=command,
            label=study.label or "relevance",
            task=material.labels.task,
            group=study.group,
            folds=plan.folds,
            seeds=plan.seeds,
            fractions=plan.fractions,
            probe=study.primary.probe,
            measure=primary.measure,
            transductive=material.transductive,
            arms=arm_results(arms, study.label, chosen, primary),
            scores=(),
            primary=primary,
            information=information,
            notes=tuple(notes(study, material, plan)),
            environment=machine,
            seconds=sum(sum(result.seconds) for cells in results.values() for _, result in cells),
            margin=study.margin,
            kept_beside=study.kept_beside,
        ),
        groups={int(code): material.groups.names[code] for code in material.groups.tested},
        further=tuple(further),
        registered=registered,
    )
    written = write_pages(record, stored.finished, material.out, say)
    spent = spell(written.result.seconds)
    say(f"done in {spell(time.perf_counter() - before)}; trainings and probes took {spent} in all")
    return Conducted(written.result, written.report, seconds)
