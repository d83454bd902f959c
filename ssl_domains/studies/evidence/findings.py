"""Statistics of a study: scores with intervals by arm, probe and fraction, and the contrasts."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

from ssl_domains.studies.evidence.contrasts import ContrastRow, contrasts
from ssl_domains.studies.evidence.estimate import Estimate, estimate
from ssl_domains.studies.evidence.result import ContrastSpec, StudyResult

__all__ = ["Column", "Findings", "findings"]

Column = tuple[str, float]
"""(probe, fraction): a column of the table."""


@dataclass(frozen=True)
class Findings:
    """Scores and contrasts of a study.

    Attributes:
        columns: (probe, fraction) of each column of the table: the leading probe first, fractions ascending.
        estimates: (arm, probe, fraction) → score of the leading measure with its interval; absent when not measured.
        contrasts: All contrasts, the primary one first.
    """

    columns: tuple[Column, ...]
    estimates: dict[tuple[str, str, float], Estimate]
    contrasts: tuple[ContrastRow, ...]

    @property
    def primary(self) -> ContrastRow:
        """The primary contrast."""
        return self.contrasts[0]

    @property
    def secondary(self) -> tuple[ContrastRow, ...]:
        """The secondary contrasts."""
        return self.contrasts[1:]


_LAST: list[tuple[weakref.ref[StudyResult], Findings]] = []


def findings(result: StudyResult) -> Findings:
    """Compute all scores and contrasts of a study.

    Report, page and terminal summary need the same numbers: those of the last call are cached.

    Args:
        result: The study.
    """
    if _LAST and _LAST[0][0]() is result:
        return _LAST[0][1]
    result_findings = Findings(columns_of(result), _estimates(result), tuple(contrasts(result)))
    _LAST[:] = [(weakref.ref(result), result_findings)]
    return result_findings


def columns_of(result: StudyResult) -> tuple[Column, ...]:
    """(probe, fraction) of each column in which some arm has a score."""
    probes = list(dict.fromkeys([result.probe, *(one.probe for one in result.scores)]))
    measured = {(one.probe, one.fraction) for one in result.scores if result.measure in one.evidence}
    return tuple(sorted(measured, key=lambda column: (probes.index(column[0]), column[1])))


def labels_read(result: StudyResult, spec: ContrastSpec) -> tuple[tuple[str, int], ...]:
    """(name, mean number of labels) of the arms of a contrast whose rule reads the label."""
    sides = []
    for name in (spec.a, spec.b):
        score = result.score(name, spec.probe, spec.fraction)
        if score is not None and result.arm(name).labels_read:
            sides.append((name, score.labels))
    return tuple(sides)


def _estimates(result: StudyResult) -> dict[tuple[str, str, float], Estimate]:
    estimates = {}
    for one in result.scores:
        if evidence := one.evidence.get(result.measure):
            estimates[one.arm, one.probe, one.fraction] = estimate(evidence)
    return estimates
