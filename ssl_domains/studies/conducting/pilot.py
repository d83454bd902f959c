"""A pilot: from two seeds that are not reported, the smallest difference that the study will find."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ssl_domains.errors import DataError, UsageError
from ssl_domains.studies.conducting.conduct import alone_in_study
from ssl_domains.studies.conducting.preparation import contrast_spec
from ssl_domains.studies.design.arms import Arm
from ssl_domains.studies.design.cells import StoredCell
from ssl_domains.studies.design.material import Material
from ssl_domains.studies.design.plan import StudyPlan, reference_steps
from ssl_domains.studies.design.study_file import StudyFile, standardised_name
from ssl_domains.studies.evidence.assemble import scores_of
from ssl_domains.studies.evidence.jackknife import pseudo_values
from ssl_domains.studies.evidence.random_effects import expected_effects
from ssl_domains.studies.evidence.sums import in_common
from ssl_domains.studies.measuring.identity import shared_identity, with_identity
from ssl_domains.studies.measuring.run import Say, run_study

__all__ = ["PILOT_SEEDS", "Pilot", "pilot"]

PILOT_SEEDS = (20_000, 20_001)
"""Seeds of a pilot; no reported cell has one of them."""
ARMS = ("random", "simclr")


@dataclass(frozen=True)
class Pilot:
    """What a pilot foretells of the study.

    Attributes:
        measure: Name of the leading measure.
        probe: Name of the probe that it was measured with.
        detectable: Smallest true difference that the study finds with 80 % power (two-sided, 5 %).
        seeds: Seeds of the study.
        groups: Tested groups.
        margin: Smallest difference that matters in practice; None when the study names none.
    """

    measure: str
    probe: str
    detectable: float
    seeds: int
    groups: int
    margin: float | None

    @property
    def cannot_tell(self) -> bool:
        """Whether differences as small as the margin will not be found."""
        return self.margin is not None and self.detectable > self.margin

    def lines(self) -> tuple[str, ...]:
        """The finding in words."""
        first = (
            f"With {self.groups} groups × {self.seeds} seeds, the smallest difference of {self.measure} "
            f"({self.probe} probe) that this study finds four times in five is about {self.detectable:.3f}."
        )
        if self.margin is None:
            return (first, "The study file names no margin to compare it with.")
        told = "cannot tell" if self.cannot_tell else "can tell"
        return (first, f"The study {told} a difference of {self.margin:g}, the margin that matters in practice.")


def pilot(study: StudyFile, material: Material, arms: Sequence[Arm], *, jobs: int, say: Say) -> Pilot:
    """Measure random initialisation and SimCLR with two seeds on every fold, at the first grid point.

    Its cells stand in the folder ``pilot`` of the study, and are no part of its result. The difference of these two
    arms stands for the primary contrast, whose own arms are not looked at before the study runs.

    Args:
        study: The study file.
        material: What all cells share.
        arms: All arms of the study.
        jobs: Number of cells that run at the same time.
        say: Called with one line of text for each finished cell.

    Raises:
        UsageError: When the study has one seed.
        DataError: When the measure is undefined without one of the groups.
    """
    if study.seeds < 2:
        raise UsageError("the study has 1 seed, and can't tell any difference from chance", "write seeds = 5")
    names = [arm.name for arm in arms]
    spec = contrast_spec(study.primary, material.labels.task, names, masks="dense" in study.probes)
    # Random initialisation is not fine-tuned: the frozen probe beside it takes its place.
    probe = spec.probe if spec.probe != "finetune" else next(one for one in study.probes if one != "finetune")
    fitted = next(one for one in study.probes if probe in (one, standardised_name(one)))
    material = replace(material, out=material.out / "pilot", probes=(fitted,), primary_probe=probe, nuisance=())
    plan = StudyPlan(
        arms=tuple(with_identity(material, arm) for arm in arms if arm.name in ARMS),
        seeds=PILOT_SEEDS,
        fractions=(spec.fraction,),
        grid=tuple(study.grid[:1]) or ({},),
        primary_fraction=spec.fraction,
        label=study.label,
        folds=len(material.groups.folds),
        steps=reference_steps(material),
    )
    say(f"pilot of {study.name}: {plan.count()} cells of {' and '.join(ARMS)}, kept apart in {material.out.name}/")
    with alone_in_study(material.out):
        results, _ = run_study(material, plan, shared_identity(study, material), jobs=jobs, say=say)
    cells = [StoredCell.of(cell, result) for found in results.values() for cell, result in found]
    groups = {int(code): material.groups.names[code] for code in material.groups.tested}
    scores = {one.arm: one.evidence[spec.measure] for one in scores_of(cells, ARMS, PILOT_SEEDS, groups)}
    common = in_common([scores[name] for name in ARMS])
    random, simclr = (pseudo_values(scores[name].measure, sums) for name, sums in zip(ARMS, common.sums, strict=True))
    effects = expected_effects(simclr - random, study.seeds, len(common.groups))
    detectable = float(effects.detectable())
    if not math.isfinite(detectable):
        raise DataError(
            f"{spec.measure} is undefined without one of the groups, or does not differ between groups and seeds",
            "take a measure that every group but one still defines",
        )
    return Pilot(spec.measure, probe, detectable, study.seeds, len(common.groups), study.margin)
