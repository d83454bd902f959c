"""The figures of a study: paired differences, scores over the share of labelled groups, label beside nuisance."""

from __future__ import annotations

import math

from ssl_domains.reports.dot_plot import DotPlot, DotRow
from ssl_domains.reports.figures.two_scores import TwoScores, TwoScoresPoint
from ssl_domains.reports.label_curves import Curve, CurvePoint, LabelCurves
from ssl_domains.studies.evidence.contrasts import ContrastRow
from ssl_domains.studies.evidence.findings import Findings
from ssl_domains.studies.evidence.result import ArmResult, StudyResult
from ssl_domains.studies.page.wording import contrast_name, difference, interval, p_value, percent

__all__ = ["difference_plot", "kept_and_lost", "label_curves"]

_MOST = 10
"""Largest number of curves that can be told apart; the other arms are only in the table."""


def difference_plot(result: StudyResult, statistics: Findings) -> DotPlot:
    """Every contrast of the leading measure, the primary one first."""
    rows = tuple(
        _dot_row(row)
        for row in statistics.contrasts
        if row.found is not None and row.spec.measure == statistics.primary.spec.measure
    )
    measure = statistics.primary.spec.measure
    return DotPlot(f"Paired differences of {result.title}", f"difference in {measure}, first less second", rows)


def label_curves(result: StudyResult, statistics: Findings) -> LabelCurves:
    """Score against the share of labelled groups, under the leading probe."""
    colours = _colours(result)
    curves = tuple(_curve(result, statistics, arm, colours[arm.name]) for arm in _shown(result))
    return LabelCurves(f"Few-label curves of {result.title}", f"{result.measure} ({result.probe} probe)", curves)


def kept_and_lost(result: StudyResult, statistics: Findings) -> TwoScores:
    """Score of the label with every label seen, over the score of the nuisance column that the study names."""
    column, fraction = result.kept_beside, result.fractions[-1]
    found = {one.arm: one for one in result.nuisance if one.is_of(column) and one.value is not None}
    colours, points = _colours(result), []
    for arm in result.arms:
        one = statistics.estimates.get((arm.name, result.probe, fraction))
        if one is not None and arm.name in found:
            x = float(found[arm.name].value or 0.0)
            points.append(TwoScoresPoint(arm.name, x, one.value, one.low, one.high, colours[arm.name], arm.primary))
    measure = next((one.measure for one in found.values()), "")
    up = f"{result.label}: {result.measure} ({result.probe} probe)"
    return TwoScores(f"What is kept and lost in {result.title}", f"{column}: {measure}", up, tuple(points))


def left_out(result: StudyResult) -> list[str]:
    """Names of the arms that are not drawn as curves."""
    shown = {arm.name for arm in _shown(result)}
    return [arm.name for arm in result.arms if arm.name not in shown]


def _dot_row(row: ContrastRow) -> DotRow:
    one = row.found
    assert one is not None
    ends = one.interval
    text = difference(one.difference)
    if math.isfinite(ends.low):
        text += f" ({interval(ends.low, ends.high, sign=True)})"
    if row.p is not None:
        p = p_value(row.p)
        text += f", p{'' if row.primary else ' (Holm)'} {p if p.startswith('<') else '= ' + p}"
    text += f" · {row.spec.probe}, {percent(row.spec.fraction)}"
    return DotRow(
        contrast_name(row.spec), text, one.difference, ends.low, ends.high,
        tuple(one.per_group.tolist()), tuple(one.per_seed.tolist()), row.primary,
    )  # fmt: skip


def _shown(result: StudyResult) -> list[ArmResult]:
    """Arms to draw, by importance: those of the primary contrast, baselines, their controls, floors, other rules."""
    rules = {arm.rule for arm in result.arms if arm.primary and arm.rule}

    def rank(arm: ArmResult) -> int:
        if arm.primary:
            return 0
        if arm.kind in ("simclr", "supervised", "scratch", "random"):
            return 1
        if arm.kind in ("composed", "shuffled"):
            return 2 if arm.rule in rules else 5
        return 3 if arm.kind in ("floor", "handmade", "pretrained") else 4

    kept = {arm.name for arm in sorted(result.arms, key=rank)[:_MOST]}
    return [arm for arm in result.arms if arm.name in kept]


def _colours(result: StudyResult) -> dict[str, str]:
    """CSS class of each arm: strong colours for rules, the primary one first; one colour for each other kind."""
    rules = sorted((arm for arm in result.arms if arm.kind == "rule"), key=lambda arm: not arm.primary)
    strong = {arm.name: f"a{number % 4}" for number, arm in enumerate(rules)}
    return {arm.name: strong.get(arm.name, f"k-{arm.kind}") for arm in result.arms}


def _curve(result: StudyResult, statistics: Findings, arm: ArmResult, colour: str) -> Curve:
    stroke = {"floor": "dashed", "handmade": "dashed", "shuffled": "dotted"}.get(arm.kind, "")
    points = []
    for fraction in result.fractions:
        one = statistics.estimates.get((arm.name, result.probe, fraction))
        if one is not None:
            points.append(CurvePoint(fraction, one.value, one.low, one.high))
    return Curve(arm.name, colour, stroke, tuple(points), arm.primary)
