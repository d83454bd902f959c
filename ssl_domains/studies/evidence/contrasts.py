"""The contrasts of a study: one primary contrast, and a family of secondary ones with Holm's correction."""

from __future__ import annotations

from dataclasses import dataclass

from ssl_domains.studies.evidence.contrast import Contrast, contrast
from ssl_domains.studies.evidence.holm import holm
from ssl_domains.studies.evidence.result import ContrastSpec, StudyResult

__all__ = ["ContrastRow", "contrasts"]


@dataclass(frozen=True)
class ContrastRow:
    """A contrast with its result.

    Attributes:
        spec: Which arms are compared, and by which score.
        found: The paired difference; None when one of the arms was not measured.
        p: The p-value to report: uncorrected for the primary contrast, Holm-corrected for the secondary ones; None
            when undefined, and below four seeds.
        primary: Whether it is the primary contrast, which is named before the study runs.
    """

    spec: ContrastSpec
    found: Contrast | None
    p: float | None
    primary: bool


def contrasts(result: StudyResult) -> list[ContrastRow]:
    """Every contrast of a study, the primary one first.

    The primary contrast needs no correction. The secondary ones are one family for Holm's correction; contrasts
    without a p-value are not counted in it.

    Args:
        result: The study.
    """
    specs = (result.primary, *result.secondary)
    differences = [_difference(result, spec) for spec in specs]
    raw = [float("nan") if one is None else one.interval.p for one in differences]
    read = [raw[0], *holm(raw[1:])]
    return [
        ContrastRow(spec, one, None if p != p else p, number == 0)
        for number, (spec, one, p) in enumerate(zip(specs, differences, read, strict=True))
    ]


def _difference(result: StudyResult, spec: ContrastSpec) -> Contrast | None:
    sides = [result.score(arm, spec.probe, spec.fraction) for arm in (spec.a, spec.b)]
    evidence = [None if side is None else side.evidence.get(spec.measure) for side in sides]
    if evidence[0] is None or evidence[1] is None:
        return None
    return contrast(evidence[0], evidence[1])
