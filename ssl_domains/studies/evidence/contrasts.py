"""The contrasts of a study: one named before running, and a family of others with Holm's correction."""

from __future__ import annotations

from dataclasses import dataclass

from ssl_domains.studies.evidence.holm import holm
from ssl_domains.studies.evidence.result import ContrastSpec, StudyResult
from ssl_domains.studies.evidence.statistics import Contrast, contrast

__all__ = ["ContrastRow", "contrasts"]


@dataclass(frozen=True)
class ContrastRow:
    """A contrast that was asked for, and what came of it.

    Attributes:
        spec: The question.
        found: The answer; None when one of its arms was not measured.
        p: The p-value to read: as it is for the primary contrast, Holm-corrected within the family for the others;
            None when undefined.
        primary: Whether it is the one named before running.
    """

    spec: ContrastSpec
    found: Contrast | None
    p: float | None
    primary: bool


def contrasts(result: StudyResult, *, draws: int = 10_000, seed: int = 0) -> list[ContrastRow]:
    """Every contrast of a study, the primary one first.

    The primary contrast stands alone and needs no correction. The secondary ones are one family; those without a
    p-value do not count in it.

    Args:
        result: The study.
        draws: Of the bootstrap.
        seed: Of the bootstrap.
    """
    specs = (result.primary, *result.secondary)
    found = [_found(result, spec, draws, seed) for spec in specs]
    raw = [float("nan") if one is None else one.p for one in found]
    read = [raw[0], *holm(raw[1:])]
    return [
        ContrastRow(spec, one, None if p != p else p, number == 0)
        for number, (spec, one, p) in enumerate(zip(specs, found, read, strict=True))
    ]


def _found(result: StudyResult, spec: ContrastSpec, draws: int, seed: int) -> Contrast | None:
    sides = [result.score(arm, spec.probe, spec.fraction) for arm in (spec.a, spec.b)]
    evidence = [None if side is None else side.evidence.get(spec.measure) for side in sides]
    if evidence[0] is None or evidence[1] is None:
        return None
    return contrast(evidence[0], evidence[1], draws=draws, seed=seed)
